//! `facet`: a linear probe that tells two data sets apart at some layers, for visualisations to lean on.
//!
//! After Goh et al. 2021 and openai/CLIP-featurevis: at each layer a probe without a bias on all activations, positions
//! told apart.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::value::{named, read};
use super::{About, Data, Default, Fault, Field, Kind, Role, Scan, Type, Values};
use crate::figure::number::{percent, thousands};
use crate::figure::part::{Bars, Part, accuracy, part, wilson};
use crate::figure::{DrawContext, Drawing, Table};
use crate::model::{Architecture, BlockTap, Stage, Tap};

/// What decides a facet: where its weights come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Params {
    /// Canonical spellings, in order.
    pub layers: Vec<String>,
    /// What it is of: the digest of a data set's content. With `generic`, the probes are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// What it is told apart from, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<String>,
    /// Digests of NumPy files with published weights, `[C, H, W]` or `[1, C, H, W]`, one a layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<String>>,
    /// Most images of each data set; evenly spaced ones where it has more.
    pub most: u32,
    /// Of the penalty on the weights' squares, relative to the mean square of an image's activations.
    pub regularisation: f64,
}

/// The output with a tensor `[C, H, W]` f32 a layer, under its canonical spelling.
pub const WEIGHTS: &str = "facet.safetensors";

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images of each data set, positive first; zeros for published weights.
    pub images: (u64, u64),
    /// Each layer, in order.
    pub layers: Vec<Probe>,
}

/// A probe at one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Canonical spelling.
    pub layer: String,
    /// Units, rows and columns.
    pub shape: (u32, u32, u32),
    /// Images that were held out (every fifth) and told apart rightly, and how many were held out: positive ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<(u64, u64)>,
    /// The same of generic ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<(u64, u64)>,
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "facet",
    summary: "a linear probe that tells two data sets apart, for visualisations to lean on",
    doc: "At each layer a logistic regression without a bias, on all activations of an image with their positions told \
          apart, learns to tell the images of one data set from those of another. A `feature_vis` that names it is pulled \
          towards the side of `positive` on its way, so that of all that a unit answers to it shows the face, the writing \
          or the landscape. Every fifth image is held out, and counted.\n\nInstead of data sets, `weights` may name a \
          folder with published weights.\n\nMethod: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, \
          Distill 2021, and openai/CLIP-featurevis.",
    example: "id: written\nkind: facet\npositive: words\ngeneric: emoji\ncaption: Words against pictures.\n",
    impl_version: 1,
    fields: &[
        Field {
            name: "layers",
            ty: Type::Layers,
            default: Default::Absent,
            role: Role::Compute,
            doc: "The layers, from the image on. Left out, they are as in the paper: of a ResNet the outputs of every other \
                  block of the third stage, of all where it has fewer than four; of a transformer every other block of \
                  the middle third.",
        },
        Field {
            name: "positive",
            ty: Type::Content,
            default: Default::Absent,
            role: Role::Compute,
            doc: "What it is of: a name out of `datasets:` in `neuronotes.yaml`. Goes with `generic`.",
        },
        Field {
            name: "generic",
            ty: Type::Content,
            default: Default::Absent,
            role: Role::Compute,
            doc: "What that is told apart from, likewise.",
        },
        Field {
            name: "weights",
            ty: Type::Weights,
            default: Default::Absent,
            role: Role::Compute,
            doc: "Published weights in place of two data sets: a folder in the garden that has, for each layer, \
                  `LAYER/NAME_spatial.npy`, the layer in the article's spelling, such as \
                  `image_block_3/0/Relu_2/face_spatial.npy`.",
        },
        Field {
            name: "name",
            ty: Type::Text,
            default: Default::Absent,
            // The files' digests are asked for instead.
            role: Role::Presentation,
            doc: "What the files of `weights` are called; the block's `id` unless it is given.",
        },
        Field {
            name: "most",
            ty: Type::Integer { min: 10, max: 100_000 },
            default: Default::Integer(2000),
            role: Role::Compute,
            doc: "Most images of each data set; evenly spaced ones where it has more.",
        },
        Field {
            name: "regularisation",
            ty: Type::Number { min: 0.0, max: 1000.0 },
            default: Default::Number(1e-3),
            role: Role::Compute,
            doc: "Of the penalty on the weights' squares, relative to the mean square of an image's activations.",
        },
    ],
    recipes: &[],
    sweep: false,
    about: About::Nothing,
    text: false,
    data: Data::Never,
    scan: Scan::None,
    captions: false,
    values: Values {
        named: &[
            named("images.positive", "images", "Images of the data set `positive`."),
            named("images.generic", "images", "Images of the data set `generic`."),
            named("layers[n].layer", "", "The layer's name."),
            named("layers[n].units", "units", "Units of the layer."),
            named("layers[n].right", "images", "Held-out images that were told apart rightly."),
            named("layers[n].of", "images", "Images that were held out."),
            named("layers[n].accuracy", "part of 1", "One as a part of the other."),
        ],
        of: |result| read(result, values),
    },
    pictures: None,
    fault,
    height: |params| {
        let layers = params.get("layers").and_then(Value::as_array).map_or(0, Vec::len);
        u32::try_from(layers).map_or(24, |layers| layers * 28 + 24)
    },
    draw,
};

/// The layers of a facet that names none: canonical spellings, from the image on.
pub fn default_layers(architecture: &Architecture) -> Vec<String> {
    let all = architecture.layers();
    let blocks: Vec<(u32, String)> = all
        .into_iter()
        .filter_map(|layer| match layer.stage {
            Stage::Bottleneck { stage: 3, block, tap: Tap::Output } => {
                Some((block, layer.name.canonical))
            }
            Stage::Residual { block, tap: BlockTap::Output } => Some((block, layer.name.canonical)),
            _ => None,
        })
        .collect();
    let count = blocks.len();
    let residual = blocks.first().is_some_and(|(_, name)| name.contains("resblocks"));
    let (range, step) = match (residual, count) {
        (true, _) => (count / 3..(2 * count / 3).max(count / 3 + 1), 2),
        (false, ..4) => (0..count, 1),
        (false, _) => (0..count, 2),
    };
    let chosen = blocks.into_iter().skip(range.start).take(range.len()).step_by(step);
    chosen.map(|(_, name)| name).collect()
}

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let has = |name: &str| fields.contains_key(name);
    let wrong =
        |field, message: &str, hint| Some(Fault { field, message: message.to_owned(), hint });
    let both = "a facet is trained on two data sets, `positive` and `generic`";
    match (has("positive"), has("generic"), has("weights")) {
        (true, true, false) if fields.get("positive") == fields.get("generic") => {
            wrong("generic", "a data set cannot be told apart from itself", both)
        }
        (true, true, false) if has("name") => {
            wrong("name", "only published weights have a `name`", "`id` is the facet's own")
        }
        (true, true, false) | (false, false, true) => None,
        (true, false, false) => wrong("positive", "`positive` needs a `generic`", both),
        (false, true, false) => wrong("generic", "`generic` needs a `positive`", both),
        (false, false, false) => wrong(
            "kind",
            "`facet` needs `positive` and `generic`, or `weights`",
            "name two data sets, or a folder of published weights",
        ),
        (_, _, true) => wrong(
            "weights",
            "published weights are not trained",
            "leave out either `weights`, or `positive` and `generic`",
        ),
    }
}

fn values(outcome: Outcome) -> Value {
    let probe = |probe: &Probe| {
        let sums = probe.positive.zip(probe.generic);
        let sums =
            sums.map(|((a, of_a), (b, of_b))| (a.saturating_add(b), of_a.saturating_add(of_b)));
        json!({
            "layer": probe.layer,
            "units": probe.shape.0,
            "right": sums.map(|(right, _)| right),
            "of": sums.map(|(_, of)| of),
            "accuracy": sums.map(|(right, of)| part(right, of)),
        })
    };
    json!({
        "images": { "positive": outcome.images.0, "generic": outcome.images.1 },
        "layers": outcome.layers.iter().map(probe).collect::<Vec<_>>(),
    })
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let counted: Vec<(&Probe, u64, u64)> = outcome
        .layers
        .iter()
        .filter_map(|probe| {
            let ((a, of_a), (b, of_b)) = probe.positive.zip(probe.generic)?;
            Some((probe, a.saturating_add(b), of_a.saturating_add(of_b)))
        })
        .collect();
    let rows: Vec<_> =
        counted.iter().map(|(p, hits, all)| accuracy(&p.layer, *hits, *all)).collect();
    let bars = Part::Bars(Bars {
        title: String::new(),
        picture: None,
        head: ["layer", "held-out images told apart rightly"].map(str::to_owned),
        rows,
    });
    let name = |digest: &Option<String>| {
        digest.as_ref().map_or_else(String::new, |digest| context.dataset_name(digest))
    };
    let (positive, generic) = (name(&params.positive), name(&params.generic));
    let trained = params.weights.is_none();
    let row = |probe: &Probe| {
        let (units, rows, columns) = probe.shape;
        let mut cells = vec![probe.layer.clone(), format!("{units} × {rows} × {columns}")];
        if let Some(((a, of_a), (b, of_b))) = probe.positive.zip(probe.generic) {
            let (low, high) = wilson(a.saturating_add(b), of_a.saturating_add(of_b));
            cells.push(format!("{a} of {of_a}"));
            cells.push(format!("{b} of {of_b}"));
            cells.push(percent(part(a.saturating_add(b), of_a.saturating_add(of_b))));
            cells.push(format!("{} to {}", percent(low), percent(high)));
        }
        cells
    };
    let mut head = vec!["layer".to_owned(), "units × rows × columns".to_owned()];
    if trained {
        head.extend([positive.clone(), generic.clone()]);
        head.extend(["told apart rightly", "95 % interval"].map(str::to_owned));
    }
    let table = Table { head, rows: outcome.layers.iter().map(row).collect() };
    let note = match trained {
        true => format!(
            "{} images of {positive} told apart from {} of {generic}; every fifth was held out, and bars are of those",
            thousands(outcome.images.0),
            thousands(outcome.images.1),
        ),
        false => {
            let count = outcome.layers.len();
            let s = if count == 1 { "" } else { "s" };
            format!("published weights at {count} layer{s}")
        }
    };
    Ok(Drawing::Parts { parts: if trained { vec![bars] } else { vec![] }, table, note })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::model::{ResNetSizes, TransformerSizes, Visual};
    use crate::request::Inputs;
    use crate::store::{Record, Store};

    fn drawn(params: Value, outcome: &Outcome) -> Drawing {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("a store");
        let request = serde_json::json!({ "params": params });
        let mut record = Record::new(Digest::of(b"key"), KIND.name, 1, request);
        record.set_result(&store, outcome).expect("stored");
        let context = DrawContext {
            store: &store,
            record: &record,
            presentation: &serde_json::Map::new(),
            layer_shown: "",
            inputs: &Inputs::default(),
            facet: None,
            baseline: None,
        };
        draw(&context).expect("a drawing")
    }

    #[test]
    fn a_facet_is_bars_of_what_was_held_out_and_published_weights_are_a_list() {
        let probe = |counts: Option<(u64, u64)>| Probe {
            layer: "visual.layer3.0".into(),
            shape: (384, 6, 6),
            positive: counts,
            generic: counts.map(|(_, all)| (all, all)),
        };
        let mut params = serde_json::json!({
            "layers": ["visual.layer3.0"], "positive": "a", "generic": "b", "most": 2000,
            "regularisation": 0.001,
        });
        let outcome = Outcome { images: (50, 1494), layers: vec![probe(Some((9, 10)))] };
        insta::assert_json_snapshot!(drawn(params.clone(), &outcome));
        params = serde_json::json!({
            "layers": params["layers"], "weights": ["c"], "most": 2000, "regularisation": 0.001,
        });
        let published = Outcome { images: (0, 0), layers: vec![probe(None)] };
        let Drawing::Parts { parts, table, note } = drawn(params, &published) else {
            panic!("parts")
        };
        assert_eq!((parts.len(), note.as_str()), (0, "published weights at 1 layer"));
        assert_eq!(table.rows, [["visual.layer3.0", "384 × 6 × 6"]]);
    }

    fn layers(visual: Visual) -> Vec<String> {
        let text = None;
        default_layers(&Architecture { image_size: 224, embedding: 512, visual, text })
    }

    #[test]
    fn a_facets_layers_are_in_the_middle_of_the_tower() {
        let resnet = |third| {
            layers(Visual::ResNet(ResNetSizes {
                width: 64,
                blocks: [3, 4, third, 3],
                pool_heads: 32,
            }))
        };
        assert_eq!(resnet(6), ["visual.layer3.0", "visual.layer3.2", "visual.layer3.4"]);
        assert_eq!(resnet(2), ["visual.layer3.0", "visual.layer3.1"]);
        let vit = |count| {
            let sizes = TransformerSizes { width: 768, layers: count, heads: 12, hidden: 3072 };
            layers(Visual::Transformer { patch: 32, sizes })
        };
        let block = |n: u32| format!("visual.transformer.resblocks.{n}");
        assert_eq!(vit(12), [block(4), block(6)]);
        assert_eq!(vit(24), [block(8), block(10), block(12), block(14)]);
        assert_eq!(vit(1), [block(0)]);
    }
}
