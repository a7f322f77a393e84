//! `zero_shot`: zero-shot classification of images against a list of names.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::class::Class;
use super::entry::{Data, Fault, Kind, Scan, form};
use super::exhibit::Origin;
use super::field::{Field, Preset, Takes, Type};
use super::noise::Noise;
use super::sample::{Painted, Sample};
use super::value::{Values, counted, named, stored};
use super::words::words;
use crate::digest::Digest;
use crate::statistics::{part, wilson};

/// Parameters of the classification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Pictures by digest; empty if something else is classified.
    #[serde(default)]
    pub images: Vec<Digest>,
    /// Request keys of figures whose pictures are classified.
    #[serde(default, rename = "use", skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Digest>,
    /// The classes; empty if the data set's labels are used.
    #[serde(default)]
    pub classes: Vec<Class>,
    /// Templates for the classes' names.
    pub templates: Vec<String>,
    /// Whether prompts that are too long are truncated.
    pub truncate: bool,
    /// The source of an image's true class.
    pub truth: Truth,
    /// Number of the data set's pictures that are stored for display.
    pub examples: u32,
}

words! {
    /// The source of an image's true class.
    pub enum Truth {
        /// Its label.
        Label = "label",
        /// Its caption.
        Caption = "caption",
        /// None: the true class is unknown.
        None = "none",
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Labels of the classes, in the order of `probabilities`.
    pub classes: Vec<String>,
    /// The factor of cosines before the softmax.
    pub logit_scale: f64,
    /// The results for pictures of the block or of other figures, in order.
    pub images: Vec<Judged>,
    /// The results for a data set.
    pub survey: Option<Survey>,
}

/// One picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Name of the record's output with the picture: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Cosine with each class's direction.
    pub similarities: Vec<f64>,
    /// Softmax over the classes.
    pub probabilities: Vec<f64>,
    /// Its origin, if it comes from another figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// A data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// Number of readable images.
    pub count: u64,
    /// Number of images without the caption or label that `truth` names.
    pub unlabelled: u64,
    /// Number of images whose true class is not among the classes.
    pub outside: u64,
    /// The most common of those true classes, with counts.
    pub strangers: Vec<(String, u64)>,
    /// Confusions: true class, predicted class, and number of images, for images whose true class is among the
    /// classes.
    pub confusion: Vec<(u32, u32, u64)>,
    /// Number of these whose true class is among the five most probable.
    pub top5: u64,
    /// Number of predictions of each class, whatever the true class.
    pub predicted: Vec<u64>,
    /// The mistakes with the highest probability if true classes are known, or else the predictions with the highest
    /// probability.
    pub examples: Vec<Example>,
}

/// One image of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its key in the data set.
    pub key: String,
    /// Its caption, if there is one.
    pub caption: Option<String>,
    /// Its true class, if known.
    pub truth: Option<u32>,
    /// The most probable class.
    pub predicted: u32,
    /// That class's probability.
    pub probability: f64,
    /// Name of the record's output with the picture: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Made-up classes, for an outcome.
const CLASSES: [&str; 2] = ["castle", "cat"];

/// A made-up outcome for so many pictures, each classified as a cat with this probability.
pub fn sample(images: usize, probability: f64) -> Outcome {
    let one = |index: usize| Judged {
        picture: format!("{:03}.png", index + 1),
        width: 6,
        height: 4,
        similarities: vec![0.2, 0.25],
        probabilities: vec![1.0 - probability, probability],
        origin: None,
    };
    Outcome {
        classes: CLASSES.map(str::to_owned).to_vec(),
        logit_scale: 20.0,
        images: (0..images).map(one).collect(),
        survey: None,
    }
}

/// A made-up outcome of a data set, with one mistake of this probability.
pub fn sample_survey(probability: f64) -> Outcome {
    let example = Example {
        key: "a".to_owned(),
        caption: Some("castle".to_owned()),
        truth: Some(0),
        predicted: 1,
        probability,
        picture: "001.png".to_owned(),
        width: 6,
        height: 4,
    };
    let survey = Survey {
        count: 90,
        unlabelled: 1,
        outside: 2,
        strangers: vec![("cow".to_owned(), 2)],
        confusion: vec![(0, 0, 30), (0, 1, 14), (1, 1, 43)],
        top5: 87,
        predicted: vec![31, 59],
        examples: vec![example],
    };
    Outcome { survey: Some(survey), ..sample(0, probability) }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "zero_shot",
    summary: "zero-shot classification of pictures against a list of names",
    doc: "Each class's name is inserted into each template; the normalised embeddings of these prompts are averaged and normalised again. An image is classified as the class whose direction has the largest cosine with its embedding. Probabilities are the softmax of the cosines times the model's logit scale, so they depend on the list of classes.\n\nWith `images` and `use`, each picture is shown with its most probable classes. With a `dataset`, the figure shows the accuracy with Wilson's 95 % interval, the accuracy of each class and the confusion matrix, over the images whose true class is among the classes, and the number of other images; if no true classes are known, it shows how often each class is predicted. Uses the data set's stored embeddings, so that other classes need no forward pass.\n\nMethod: Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, \
          2021, section 3.1, with the ensembling of the prompts of openai/CLIP.",
    example: "id: guess\nkind: zero_shot\ndataset: emoji\nclasses: [bicycle, guitar, wolf, pizza]\ntemplates: [\"{}\"]\ntruth: caption\n",
    fields: &[
        Field::compute(
            "images",
            Type::Pictures,
            "Pictures to classify instead of a data set: paths in the garden, such as `notes/pictures/cat.png`.",
        ),
        Field::compute(
            "use",
            Type::Blocks(Takes::PICTURES),
            "Figures whose pictures are classified instead of a data set: the id of a `feature_vis` or `dataset_examples` in this note, `note#id` in another note, an id that is unique in the garden, or a list of those. For a sweep, all its pictures are used. When such a figure changes, this one is measured again.",
        ),
        Field::compute(
            "classes",
            Type::Classes,
            "The classes: a list of names, or a mapping from labels to one or several names for prompts. With a data set they are optional: the default is its labels, of which there may be at most 100.",
        ),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` as a placeholder for the class's name. Several templates are averaged.",
        )
        .or(Preset::Texts(&["a photo of a {}."])),
        TRUNCATE,
        Field::compute(
            "truth",
            Type::Choice(Truth::WORDS),
            "The source of an image's true class: its label or its caption, compared with the classes' labels ignoring case. With `none`, true classes are unknown.",
        )
        .or(Preset::Text(Truth::Label.word())),
        Field::compute(
            "examples",
            Type::Integer { min: 0, max: 100 },
            "Number of pictures of a data set that are shown: the mistakes with the highest probability if true classes are known, or else the predictions with the highest probability.",
        )
        .or(Preset::Integer(8)),
        Field::presentation(
            "top",
            Type::Integer { min: 1, max: 100 },
            "Number of classes shown for each picture.",
        )
        .or(Preset::Integer(5)),
    ],
    text: true,
    data: Data::Unless(&["images", "use"]),
    scan: Scan::Embedding,
    captions: true,
    noise: Noise {
        counts: &["survey.confusion[n][n]", "survey.predicted[n]", "survey.top5"],
        ..Noise::ACTIVATIONS
    },
    values: Values {
        named: &[
            named(
                "classes[n].label",
                "",
                "The n-th class; also by its label, `classes[label=cat]`.",
            ),
            counted(
                "classes[n].images_predicted", "predicted",
                "images",
                "For a data set: number of images classified as this class.",
            ),
            counted("classes[n].images_right", "right", "images", "Number of these whose true class it is."),
            counted("classes[n].images", "of", "images", "Number of images with this true class."),
            named(
                "classes[n].accuracy",
                "fraction",
                "Fraction of the images with this true class that were classified correctly.",
            ),
            counted("images_in_data_set", "count", "images", "Number of images in the data set."),
            counted("images_right", "right", "images", "Number of images that were classified correctly."),
            counted("images_judged", "of", "images", "Number of images whose true class is among the classes."),
            named("accuracy", "fraction", "`images_right` divided by `images_judged`."),
            named("low", "fraction", "The lower bound of Wilson's 95 % interval for the accuracy."),
            named("high", "fraction", "Its upper bound."),
            counted("images_top5", "top5", "images", "Number of images whose true class is among the five most probable."),
            counted("images_unlabelled", "unlabelled", "images", "Number of images without the caption or label that `truth` names."),
            counted("images_outside", "outside", "images", "Number of images whose true class is not among the classes."),
            named("examples[n].key", "", "The key of the n-th picture that is shown."),
            named("examples[n].caption", "", "Its caption, if there is one."),
            named("examples[n].truth", "", "Its true class, if known."),
            named("examples[n].predicted", "", "Its predicted class."),
            named("examples[n].probability", "fraction", "The probability of the predicted class."),
            named("images[n].predicted", "", "For single pictures: the predicted class of the n-th."),
            named("images[n].probability", "fraction", "The probability of the predicted class."),
            named(
                "images[n].classes[n].label",
                "",
                "All classes, the most probable first; also `[label=cat]`.",
            ),
            named("images[n].classes[n].probability", "fraction", "The class's probability."),
            named("images[n].classes[n].cosine", "", "The cosine with its direction."),
        ],
        of: |result| stored(result, |outcome, tree| *tree = values(outcome)),
    },
    fault: |fields| {
        let given =
            ["images", "use", "dataset"].into_iter().filter(|name| fields.contains_key(*name));
        let given: Vec<&'static str> = given.collect();
        let classes = fields.contains_key("classes");
        if let [first, second, ..] = given[..] {
            let message = format!("`{first}` and `{second}` cannot be combined");
            return Some(Fault { field: second, message, hint: "use a separate block for each" });
        }
        if let ([field @ ("images" | "use")], false) = (&given[..], classes) {
            let message = format!("`zero_shot` with `{field}` needs `classes`");
            let hint = "only for a data set can they default to its labels";
            return Some(Fault { field, message, hint });
        }
        let untold = fields.get("truth").is_some_and(|truth| truth == "none");
        (untold && !classes).then(|| Fault {
            field: "truth",
            message: "with `truth: none`, `classes` are required".to_owned(),
            hint: "list the classes",
        })
    },
    form: form::<Params>,
    sample: |params, number| {
        let probability = 0.5 + 0.5 / (1.0 + number.abs());
        let count = |name: &str| params.get(name).and_then(Value::as_array).map_or(0, Vec::len);
        let images = count("images") + count("use");
        let outcome = match images {
            0 => sample_survey(probability),
            _ => sample(images, probability),
        };
        let names = (1..=images.max(1)).map(|n| format!("{n:03}.png"));
        Sample::of(&outcome, names.map(|name| Painted::png(&name, 6, 4)).collect())
    },
    ..Kind::BASE
};

fn values(outcome: Outcome) -> Value {
    let label = |class: usize| outcome.classes.get(class).cloned();
    let survey = outcome.survey.as_ref();
    // For each true class: the number classified correctly, and the total.
    let mut counts = vec![(0_u64, 0_u64); outcome.classes.len()];
    for (truth, predicted, images) in survey.into_iter().flat_map(|survey| &survey.confusion) {
        let Some((right, of)) = counts.get_mut(*truth as usize) else { continue };
        *right = right.saturating_add(if truth == predicted { *images } else { 0 });
        *of = of.saturating_add(*images);
    }
    let class = |(index, label): (usize, &String)| {
        let mut class = json!({ "label": label });
        if let Some(survey) = survey {
            let (right, of) = counts[index];
            class["predicted"] = json!(survey.predicted.get(index));
            class["right"] = right.into();
            class["of"] = of.into();
            class["accuracy"] = share(right, of);
        }
        class
    };
    let image = |judged: &Judged| {
        let mut order: Vec<usize> = (0..judged.probabilities.len()).collect();
        order.sort_by(|a, b| judged.probabilities[*b].total_cmp(&judged.probabilities[*a]));
        let class = |at: &usize| {
            json!({
                "label": label(*at),
                "probability": judged.probabilities[*at],
                "cosine": judged.similarities.get(*at),
            })
        };
        json!({
            "predicted": order.first().map(|at| label(*at)),
            "probability": order.first().map(|at| judged.probabilities[*at]),
            "classes": order.iter().map(class).collect::<Vec<_>>(),
        })
    };
    let example = |example: &Example| {
        json!({
            "key": example.key,
            "caption": example.caption,
            "truth": example.truth.map(|class| label(class as usize)),
            "predicted": label(example.predicted as usize),
            "probability": example.probability,
        })
    };
    let mut tree = json!({
        "classes": outcome.classes.iter().enumerate().map(class).collect::<Vec<_>>(),
        "images": outcome.images.iter().map(image).collect::<Vec<_>>(),
    });
    if let Some(survey) = survey {
        let whole =
            |pick: fn(&(u64, u64)) -> u64| counts.iter().map(pick).fold(0, u64::saturating_add);
        let (right, of) = (whole(|c| c.0), whole(|c| c.1));
        let (low, high) = wilson(right, of);
        tree["count"] = survey.count.into();
        tree["right"] = right.into();
        tree["of"] = of.into();
        tree["accuracy"] = share(right, of);
        tree["low"] = if of > 0 { low.into() } else { Value::Null };
        tree["high"] = if of > 0 { high.into() } else { Value::Null };
        tree["top5"] = survey.top5.into();
        tree["unlabelled"] = survey.unlabelled.into();
        tree["outside"] = survey.outside.into();
        tree["examples"] = survey.examples.iter().map(example).collect();
    }
    tree
}

/// A fraction; null if the total is zero.
fn share(hits: u64, count: u64) -> Value {
    if count > 0 { part(hits, count).into() } else { Value::Null }
}

/// The field of all kinds whose texts may be too long.
pub(super) const TRUNCATE: Field = Field::compute(
    "truncate",
    Type::Flag,
    "Whether prompts with more tokens than the model's context are truncated. Otherwise they are an error.",
)
.or(Preset::Flag(false));
