//! Names of tensors. All code uses those of OpenAI's checkpoints; this finds the names that a file has for them.
//!
//! | style | told by | text tower | attention | projections |
//! |---|---|---|---|---|
//! | OpenAI, open_clip | | `transformer.…` | `attn.in_proj_weight` | `visual.proj`, `[width, embedding]` |
//! | open_clip, nested | `text.…` | `text.transformer.…` | the same | the same |
//! | Hugging Face | `vision_model.…`, `text_model.…` | `text_model.…` | `self_attn.{q,k,v}_proj.weight` | `visual_projection.weight`, transposed |
//!
//! A model that is part of another, or that training wraps, has a prefix before each name: `module.`, `_orig_mod.`,
//! `model.`, `clip.model.` … Everything before `visual.` (or `vision_model.`) is the prefix. Tensors without it do not
//! belong to the model: see [`Names::foreign`]. Knows nothing of what the tensors are for.

use std::collections::BTreeMap;

use super::checkpoint::Header;
use super::family::{text, vit};
use super::source::Source;
use crate::cut::Cut as _;

/// How a file names its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    style: Style,
    /// The prefix of every name of the model.
    prefix: String,
    /// The prefixes of other models in the file that are as large.
    rivals: Vec<String>,
}

/// First parts of the names of a model's tensors, in any style.
const OWN: [&str; 17] = [
    "visual",
    "text",
    "transformer",
    "token_embedding",
    "positional_embedding",
    "ln_final",
    "text_projection",
    "logit_scale",
    "logit_bias",
    "attn_mask",
    "vision_model",
    "text_model",
    "visual_projection",
    "input_resolution",
    "context_length",
    "vocab_size",
    "text_decoder",
];

/// Names of a visual tower.
const TOWERS: [&str; 2] = ["visual", "vision_model"];
/// Prefixes that training adds, for files that have only a text tower.
const WRAPPERS: [&str; 3] = ["module.", "_orig_mod.", "model."];

/// A way of naming tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// OpenAI's, and those of most of open_clip's files.
    OpenAi,
    /// open_clip's, with the text tower in a separate module.
    Nested,
    /// Hugging Face's `CLIPModel`.
    HuggingFace,
}

impl Names {
    /// Infers prefix and style from the names in a file.
    pub fn of(header: &Header) -> Self {
        // How many tensors each tower has, by its prefix.
        let mut towers: BTreeMap<&str, usize> = BTreeMap::new();
        for name in header.tensors.keys() {
            if let Some(prefix) = before_tower(name) {
                *towers.entry(prefix).or_default() += 1;
            }
        }
        // A model without a prefix takes precedence, then the largest, then the one that only training wraps.
        let most = towers.values().copied().max().unwrap_or(0);
        let whole = towers.get("").filter(|count| **count * 2 >= most).map(|_| "");
        let large = towers.iter().filter(|(_, count)| **count == most).map(|(prefix, _)| *prefix);
        let mut large: Vec<&str> = large.collect();
        let wrapped: Vec<&str> =
            large.iter().copied().filter(|prefix| is_wrapper(prefix)).collect();
        if let [only] = *wrapped {
            large = vec![only];
        }
        let prefix = match (whole, large.is_empty()) {
            (Some(whole), _) => {
                large.clear();
                whole.to_owned()
            }
            (None, false) => large.remove(0).to_owned(),
            (None, true) => wrapper(header),
        };
        let any = |start: &str| {
            let bare = header.tensors.keys().filter_map(|name| name.strip_prefix(&*prefix));
            bare.into_iter().any(|name| name.starts_with(start))
        };
        let style = if any("vision_model.") || any("text_model.") {
            Style::HuggingFace
        } else if any("text.") {
            Style::Nested
        } else {
            Style::OpenAi
        };
        let rivals = large.into_iter().map(str::to_owned).collect();
        Self { style, prefix, rivals }
    }

    /// The prefix of every name of the model; may be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The prefixes of other models in the file that are as large, so that nothing tells which one is meant.
    pub fn rivals(&self) -> &[String] {
        &self.rivals
    }

    /// Whether a tensor of the file does not belong to the model, by its name alone: it lacks the prefix, or is in
    /// neither tower, such as a tensor of a running average, an optimizer or a loss.
    pub fn is_foreign(&self, name: &str) -> bool {
        name.strip_prefix(&*self.prefix).is_none_or(|bare| {
            let first = bare.split('.').next().unwrap_or_default();
            !OWN.contains(&first)
        })
    }

    /// The tensors of a file that do not belong to the model.
    pub fn foreign<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a str> {
        header.tensors.keys().map(String::as_str).filter(|name| self.is_foreign(name))
    }

    /// The style.
    pub fn style(&self) -> Style {
        self.style
    }

    /// The place in the file of the tensor that OpenAI calls `name`.
    pub fn source(&self, name: &str) -> Source {
        let prefixed = |name: String| format!("{}{name}", self.prefix);
        let source = match self.style {
            Style::OpenAi => Source::Whole(name.to_owned()),
            Style::Nested if name.starts_with("visual.") || name == "logit_scale" => {
                Source::Whole(name.to_owned())
            }
            Style::Nested => Source::Whole(format!("text.{name}")),
            Style::HuggingFace => hugging_face(name),
        };
        match source {
            Source::Whole(name) => Source::Whole(prefixed(name)),
            Source::Transposed(name) => Source::Transposed(prefixed(name)),
            Source::Stacked(names) => Source::Stacked(names.map(prefixed)),
        }
    }

    /// The shape of the tensor that OpenAI calls `name`.
    pub fn shape(&self, header: &Header, name: &str) -> Option<Vec<u64>> {
        self.source(name).shape(header)
    }

    /// A file's name for a tensor without the prefix.
    pub fn bare<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(&*self.prefix).unwrap_or(name)
    }
}

/// What is before the tower in a tensor's name.
fn before_tower(name: &str) -> Option<&str> {
    let mut at = 0;
    for part in name.split('.') {
        // A tower is a module: something follows.
        if TOWERS.contains(&part) && name.len() > at + part.len() {
            return Some(name.cut(..at));
        }
        at += part.len() + 1;
    }
    None
}

/// Whether a prefix consists only of what training adds.
fn is_wrapper(prefix: &str) -> bool {
    let mut rest = prefix;
    while let Some(next) = WRAPPERS.iter().find_map(|wrapper| rest.strip_prefix(*wrapper)) {
        rest = next;
    }
    rest.is_empty()
}

/// The prefix that training added to every tensor of a file.
fn wrapper(header: &Header) -> String {
    let mut prefix = String::new();
    let mut names = header.tensors.keys();
    let Some(first) = names.next() else { return prefix };
    while let Some(next) =
        WRAPPERS.iter().find(|wrapper| first.cut(prefix.len()..).starts_with(**wrapper))
    {
        let longer = format!("{prefix}{next}");
        if !header.tensors.keys().all(|name| name.starts_with(&longer)) {
            break;
        }
        prefix = longer;
    }
    prefix
}

/// The place of a tensor in a file of transformers' `CLIPModel`.
fn hugging_face(name: &str) -> Source {
    match name.strip_prefix("visual.") {
        Some(rest) => vit::in_hugging_face(rest),
        None => text::in_hugging_face(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TensorInfo;

    fn header(names: &[(&str, &[u64])]) -> Header {
        let mut header = Header::default();
        for (name, shape) in names {
            let info = TensorInfo { shape: shape.to_vec(), ..TensorInfo::default() };
            header.tensors.insert((*name).to_owned(), info);
        }
        header
    }

    #[test]
    fn a_style_is_told_by_its_names() {
        for (name, style) in [
            ("visual.conv1.weight", Style::OpenAi),
            ("text.token_embedding.weight", Style::Nested),
            ("module.text.token_embedding.weight", Style::Nested),
            ("vision_model.pre_layrnorm.weight", Style::HuggingFace),
        ] {
            assert_eq!(Names::of(&header(&[(name, &[1])])).style(), style, "{name}");
        }
        let names = Names::of(&header(&[("module.visual.proj", &[1])]));
        assert_eq!(names.source("visual.proj"), Source::Whole("module.visual.proj".into()));
        assert_eq!(names.bare("module.visual.proj"), "visual.proj");
    }

    #[test]
    fn whatever_stands_before_a_tower_is_taken_off_and_what_lies_beside_is_foreign() {
        for prefix in ["", "module.", "_orig_mod.", "model.", "module._orig_mod.", "clip.model."] {
            for (tower, text) in [
                ("visual.class_embedding", "token_embedding.weight"),
                ("visual.layer1.0.conv1.weight", "text.token_embedding.weight"),
                (
                    "vision_model.embeddings.class_embedding",
                    "text_model.embeddings.token_embedding.weight",
                ),
            ] {
                let own = [format!("{prefix}{tower}"), format!("{prefix}{text}")];
                let beside = format!("{prefix}head.weight");
                let all = [&*own[0], &*own[1], "ema.decay", "loss.weight", &*beside];
                let header = header(&all.map(|name| (name, &[1u64][..])));
                let names = Names::of(&header);
                assert_eq!(names.prefix(), prefix);
                let mut foreign: Vec<&str> = names.foreign(&header).collect();
                foreign.sort_unstable();
                let mut expected = ["ema.decay", "loss.weight", &*beside];
                expected.sort_unstable();
                assert_eq!(foreign, expected, "{prefix}{tower}");
                assert!(names.rivals().is_empty());
                assert_eq!(names.bare(&own[0]), tower);
            }
        }
        // Only texts.
        let texts = header(&[("_orig_mod.model.token_embedding.weight", &[1])]);
        assert_eq!(Names::of(&texts).prefix(), "_orig_mod.model.");
        // A running average of the same size: a model without a prefix takes precedence; otherwise it is undecided.
        let averaged = header(&[("visual.a.b", &[1]), ("ema.visual.a.b", &[1])]);
        assert_eq!((Names::of(&averaged).prefix(), Names::of(&averaged).rivals().len()), ("", 0));
        let two = header(&[("student.visual.a.b", &[1]), ("teacher.visual.a.b", &[1])]);
        assert_eq!(Names::of(&two).rivals(), ["teacher."]);
        let wrapped = header(&[("model.visual.a.b", &[1]), ("ema.visual.a.b", &[1])]);
        assert_eq!(Names::of(&wrapped).prefix(), "model.");
        assert!(Names::of(&wrapped).rivals().is_empty());
        // A smaller tower beside is foreign.
        let small =
            header(&[("model.visual.a", &[1]), ("model.visual.b", &[1]), ("ema.visual.a", &[1])]);
        assert_eq!(Names::of(&small).prefix(), "model.");
        assert!(Names::of(&small).rivals().is_empty());
    }

    #[test]
    fn hugging_faces_names() {
        let names = Names { style: Style::HuggingFace, prefix: String::new(), rivals: Vec::new() };
        let whole = |name: &str| match names.source(name) {
            Source::Whole(name) => name,
            other => panic!("{other:?}"),
        };
        for (ours, theirs) in [
            ("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"),
            ("visual.ln_pre.bias", "vision_model.pre_layrnorm.bias"),
            ("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"),
            (
                "visual.transformer.resblocks.11.attn.out_proj.weight",
                "vision_model.encoder.layers.11.self_attn.out_proj.weight",
            ),
            ("transformer.resblocks.0.mlp.c_fc.bias", "text_model.encoder.layers.0.mlp.fc1.bias"),
            ("transformer.resblocks.0.ln_2.bias", "text_model.encoder.layers.0.layer_norm2.bias"),
            ("ln_final.weight", "text_model.final_layer_norm.weight"),
            ("token_embedding.weight", "text_model.embeddings.token_embedding.weight"),
            ("logit_scale", "logit_scale"),
        ] {
            assert_eq!(whole(ours), theirs);
        }
        let split = header(&[
            ("text_model.encoder.layers.2.self_attn.q_proj.weight", &[8, 4]),
            ("text_model.encoder.layers.2.self_attn.k_proj.weight", &[8, 4]),
            ("text_model.encoder.layers.2.self_attn.v_proj.weight", &[8, 4]),
            ("visual_projection.weight", &[5, 7]),
        ]);
        let shape = |name| names.shape(&split, name);
        assert_eq!(shape("transformer.resblocks.2.attn.in_proj_weight"), Some(vec![24, 4]));
        assert_eq!(shape("visual.proj"), Some(vec![7, 5]));
        assert_eq!(shape("text_projection"), None);
    }
}
