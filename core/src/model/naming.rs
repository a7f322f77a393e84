//! Names of tensors: a file's own in; those of OpenAI's checkpoints out, which everything here goes by.
//!
//! | style | told by | text tower | attention | projections |
//! |---|---|---|---|---|
//! | OpenAI, open_clip | | `transformer.…` | `attn.in_proj_weight` | `visual.proj`, `[width, embedding]` |
//! | open_clip, nested | `text.…` | `text.transformer.…` | the same | the same |
//! | Hugging Face | `vision_model.…`, `text_model.…` | `text_model.…` | `self_attn.{q,k,v}_proj.weight` | `visual_projection.weight`, transposed |
//!
//! A model that is part of another, or wrapped by what trains it, has something before each name: `module.`,
//! `_orig_mod.`, `model.`, `clip.model.` … Whatever stands before `visual.` (or `vision_model.`) is taken off. What
//! lies beside is none of the model's: see [`Names::foreign`]. Knows nothing of what the tensors are for.

use std::collections::BTreeMap;

use super::{Header, TensorInfo};

use crate::cut::Cut as _;

/// How a file names its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    style: Style,
    /// Stands before every name of the model's.
    prefix: String,
    /// The same of other models in the file that are as large.
    rivals: Vec<String>,
}

/// What both towers and what is beside them are called, in any style.
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

/// What a tower that looks at images is called.
const TOWERS: [&str; 2] = ["visual", "vision_model"];
/// What wraps a model, for files with a text tower alone.
const WRAPPERS: [&str; 3] = ["module.", "_orig_mod.", "model."];

/// Whose names they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// OpenAI's, and those of most of open_clip's files.
    OpenAi,
    /// open_clip's where the text tower is a module of its own.
    Nested,
    /// Hugging Face's `CLIPModel`.
    HuggingFace,
}

/// Where a tensor of OpenAI's name lies in a file: the names there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// As it is.
    Whole(String),
    /// A matrix with rows and columns exchanged.
    Transposed(String),
    /// Three tensors, one below the other.
    Stacked([String; 3]),
}

impl Source {
    /// The names in the file.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Whole(name) | Self::Transposed(name) => std::slice::from_ref(name),
            Self::Stacked(names) => names,
        }
    }

    /// The shape in OpenAI's form; `None` where the file lacks it.
    pub fn shape(&self, header: &Header) -> Option<Vec<u64>> {
        let shape = |name: &String| header.tensors.get(name).map(|info: &TensorInfo| &info.shape);
        match self {
            Self::Whole(name) => shape(name).cloned(),
            Self::Transposed(name) => Some(shape(name)?.iter().rev().copied().collect()),
            Self::Stacked([first, second, third]) => {
                let (first, second, third) = (shape(first)?, shape(second)?, shape(third)?);
                let alike = first == second && first == third && !first.is_empty();
                // Tensors of several shapes have none together; that of the first tells that something is wrong.
                let times = if alike { 3 } else { 1 };
                let rows = first.first().map(|rows| rows.saturating_mul(times));
                Some(rows.into_iter().chain(first.iter().skip(1).copied()).collect())
            }
        }
    }
}

impl Names {
    /// Tells the style by the names in a file.
    pub fn of(header: &Header) -> Self {
        // How many tensors each tower has, by what stands before it.
        let mut towers: BTreeMap<&str, usize> = BTreeMap::new();
        for name in header.tensors.keys() {
            if let Some(prefix) = before_tower(name) {
                *towers.entry(prefix).or_default() += 1;
            }
        }
        // The whole of a file goes before what is deeper in it; of that the largest, and what training wraps before others.
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

    /// What stands before every name of the model's; empty where nothing does.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What stands before other models in the file that are as large: nothing says which one is meant.
    pub fn rivals(&self) -> &[String] {
        &self.rivals
    }

    /// Whether a tensor of the file is none of the model's, by its name alone: it lies beside what the model is in, or
    /// beside both towers, as a running average's, an optimizer's or a loss's.
    pub fn is_foreign(&self, name: &str) -> bool {
        name.strip_prefix(&*self.prefix).is_none_or(|bare| {
            let first = bare.split('.').next().unwrap_or_default();
            !OWN.contains(&first)
        })
    }

    /// The tensors of a file that are none of the model's.
    pub fn foreign<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a str> {
        header.tensors.keys().map(String::as_str).filter(|name| self.is_foreign(name))
    }

    /// The style.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Where the tensor that OpenAI calls `name` lies.
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

    /// A file's name for a tensor without what stands before every one.
    pub fn bare<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(&*self.prefix).unwrap_or(name)
    }
}

/// What stands before the tower that a tensor is of.
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

/// Whether a prefix is of nothing but what training wraps a model into.
fn is_wrapper(prefix: &str) -> bool {
    let mut rest = prefix;
    while let Some(next) = WRAPPERS.iter().find_map(|wrapper| rest.strip_prefix(*wrapper)) {
        rest = next;
    }
    rest.is_empty()
}

/// What wraps every tensor of a file.
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

/// After `convert_clip_original_pytorch_to_hf.py` of transformers.
fn hugging_face(name: &str) -> Source {
    match name {
        "visual.proj" => return Source::Transposed("visual_projection.weight".into()),
        "text_projection" => return Source::Transposed("text_projection.weight".into()),
        "logit_scale" => return Source::Whole(name.into()),
        _ => {}
    }
    let (tower, rest) = match name.strip_prefix("visual.") {
        Some(rest) => ("vision_model", rest),
        None => ("text_model", name),
    };
    if let Some((block, part)) =
        rest.strip_prefix("transformer.resblocks.").and_then(|rest| rest.split_once('.'))
    {
        let key = format!("{tower}.encoder.layers.{block}");
        let stacked = |kind: &str| {
            Source::Stacked(["q", "k", "v"].map(|of| format!("{key}.self_attn.{of}_proj.{kind}")))
        };
        return match part {
            "attn.in_proj_weight" => stacked("weight"),
            "attn.in_proj_bias" => stacked("bias"),
            _ => Source::Whole(format!("{key}.{}", block_part(part))),
        };
    }
    let rest = match rest {
        "class_embedding" => "embeddings.class_embedding".to_owned(),
        "positional_embedding" => "embeddings.position_embedding.weight".to_owned(),
        "conv1.weight" => "embeddings.patch_embedding.weight".to_owned(),
        "token_embedding.weight" => "embeddings.token_embedding.weight".to_owned(),
        _ => exchange(
            rest,
            // `pre_layrnorm` is spelled like that there.
            &[
                ("ln_pre", "pre_layrnorm"),
                ("ln_post", "post_layernorm"),
                ("ln_final", "final_layer_norm"),
            ],
        ),
    };
    Source::Whole(format!("{tower}.{rest}"))
}

/// A part of a transformer's block, module or tensor, in Hugging Face's spelling.
pub(super) fn block_part(part: &str) -> String {
    let pairs = [
        ("ln_1", "layer_norm1"),
        ("ln_2", "layer_norm2"),
        ("attn", "self_attn"),
        ("mlp.c_fc", "mlp.fc1"),
        ("mlp.gelu", "mlp.activation_fn"),
        ("mlp.c_proj", "mlp.fc2"),
    ];
    exchange(part, &pairs)
}

/// `text` with the module that it begins with renamed.
fn exchange(text: &str, pairs: &[(&str, &str)]) -> String {
    for (from, to) in pairs {
        match text.strip_prefix(from) {
            Some("") => return (*to).to_owned(),
            Some(rest) if rest.starts_with('.') => return format!("{to}{rest}"),
            _ => {}
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // A running average of the same size: the model itself goes first, or nothing says which.
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
