//! `zero_shot`: which of some classes, named by text, images are taken for.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::class::Class;
use super::entry::{Data, Fault, Kind, Scan, form};
use super::exhibit::Origin;
use super::field::{Field, Preset, Takes, Type};
use super::sample::{Painted, Sample};
use super::value::{Values, named, stored};
use super::words::words;
use crate::digest::Digest;
use crate::statistics::{part, wilson};

/// What decides the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Pictures by digest; none where something else is asked about.
    #[serde(default)]
    pub images: Vec<Digest>,
    /// Request keys of figures whose pictures are asked about.
    #[serde(default, rename = "use", skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Digest>,
    /// The classes; none where they are the data set's labels.
    #[serde(default)]
    pub classes: Vec<Class>,
    /// What classes' names are put into.
    pub templates: Vec<String>,
    /// Whether a prompt that is too long is cut.
    pub truncate: bool,
    /// What an image's class is.
    pub truth: Truth,
    /// How many pictures of the data set are kept.
    pub examples: u32,
}

words! {
    /// What an image's class is.
    pub enum Truth {
        /// Its label.
        Label = "label",
        /// Its caption.
        Caption = "caption",
        /// It has none.
        None = "none",
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Labels of the classes, in the order of `probabilities`.
    pub classes: Vec<String>,
    /// What cosines are multiplied by before the softmax.
    pub logit_scale: f64,
    /// For pictures of the block or of other figures, in order.
    pub images: Vec<Judged>,
    /// For a data set.
    pub survey: Option<Survey>,
}

/// One picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The record's output that shows it: a PNG with sides of at most 256 pixels.
    pub picture: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Cosine with each class's direction.
    pub similarities: Vec<f64>,
    /// Softmax over the classes.
    pub probabilities: Vec<f64>,
    /// Where it is from, where another figure holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// A data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// Images that could be read.
    pub count: u64,
    /// Images without what `truth` names.
    pub unlabelled: u64,
    /// Images whose truth is none of the classes.
    pub outside: u64,
    /// The commonest of those truths, with their counts.
    pub strangers: Vec<(String, u64)>,
    /// True class, predicted class, images; of the images whose truth is a class.
    pub confusion: Vec<(u32, u32, u64)>,
    /// Of these, those whose truth is among the five most probable classes.
    pub top5: u64,
    /// How many images each class was predicted for, whatever their truth.
    pub predicted: Vec<u64>,
    /// The surest mistakes where truths are known, else the surest predictions.
    pub examples: Vec<Example>,
}

/// One image of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its key in the data set.
    pub key: String,
    /// Its caption, where it has one.
    pub caption: Option<String>,
    /// Its class, where that is known.
    pub truth: Option<u32>,
    /// The most probable class.
    pub predicted: u32,
    /// That class's probability.
    pub probability: f64,
    /// The record's output that shows it: a PNG with sides of at most 256 pixels.
    pub picture: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Made-up classes, for an outcome.
const CLASSES: [&str; 2] = ["castle", "cat"];

/// A made-up outcome of so many pictures, each taken for a cat with this probability.
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
    summary: "which of some classes, named by text, images are taken for",
    doc: "Each class's name is put into each template; the normalised embeddings of these prompts are averaged and \
          normalised again. An image goes to the class whose direction has the greatest cosine with its \
          embedding; probabilities are the softmax of the cosines times the model's logit scale, so they depend \
          on which classes are offered.\n\n`images` and `use` show each picture with its most probable classes. `dataset` \
          counts: accuracy with Wilson's 95 % interval, accuracy by class and the confusion matrix over the images \
          whose truth is one of the classes, and how many images were left out; where no truth is known, how often \
          each class is predicted. Reads the data set's stored embeddings, so that other classes cost no forward \
          pass.\n\nMethod: Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, \
          2021, section 3.1, with the ensembling of the prompts of openai/CLIP.",
    example: "id: guess\nkind: zero_shot\ndataset: emoji\nclasses: [bicycle, guitar, wolf, pizza]\ntemplates: [\"{}\"]\ntruth: caption\n",
    fields: &[
        Field::compute(
            "images",
            Type::Pictures,
            "Pictures to ask about, instead of a data set: paths in the garden, such as `notes/pictures/cat.png`.",
        ),
        Field::compute(
            "use",
            Type::Blocks(Takes::PICTURES),
            "Figures whose pictures are asked about, instead of a data set: the id of a `feature_vis` or a \
             `dataset_examples` of this note, of another one as `note#id`, or the only one of that id in the \
             garden; or a list of those. Of a sweep all pictures are taken. When such a figure changes, this one is \
             measured again.",
        ),
        Field::compute(
            "classes",
            Type::Classes,
            "The classes: a list of names, or a mapping of labels to what prompts call them, one name or several. \
             With a data set they may be left out: its labels, at most 100, are the classes.",
        ),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` where the class's name goes. Several are averaged.",
        )
        .or(Preset::Texts(&["a photo of a {}."])),
        TRUNCATE,
        Field::compute(
            "truth",
            Type::Choice(Truth::WORDS),
            "What tells an image's class in a data set: its label or its caption, compared with the classes' labels \
             without regard to upper and lower case. `none` takes no image's class for known.",
        )
        .or(Preset::Text(Truth::Label.word())),
        Field::compute(
            "examples",
            Type::Integer { min: 0, max: 100 },
            "How many pictures of a data set are shown: the mistakes with the highest probability where truths are \
             known, else the predictions with the highest.",
        )
        .or(Preset::Integer(8)),
        Field::presentation(
            "top",
            Type::Integer { min: 1, max: 100 },
            "How many classes are shown for each of the `images`.",
        )
        .or(Preset::Integer(5)),
    ],
    text: true,
    data: Data::Unless(&["images", "use"]),
    scan: Scan::Embedding,
    captions: true,
    values: Values {
        named: &[
            named(
                "classes[n].label",
                "",
                "The n-th class; also by its label, `classes[label=cat]`.",
            ),
            named(
                "classes[n].predicted",
                "images",
                "Of a data set: images that were taken for it.",
            ),
            named("classes[n].right", "images", "Of these, those that are of it."),
            named("classes[n].of", "images", "Images that are of it."),
            named(
                "classes[n].accuracy",
                "part of 1",
                "Of the images that are of it, those taken for it.",
            ),
            named("count", "images", "Images of the data set."),
            named("right", "images", "Images that were taken for what they are."),
            named("of", "images", "Images whose truth is one of the classes."),
            named("accuracy", "part of 1", "One as a part of the other."),
            named("low", "part of 1", "The lower end of Wilson's 95 % interval of that."),
            named("high", "part of 1", "Its upper end."),
            named("top5", "images", "Images whose truth is among the five most probable classes."),
            named("unlabelled", "images", "Images without what `truth` names."),
            named("outside", "images", "Images whose truth is none of the classes."),
            named("examples[n].key", "", "The n-th of the pictures shown: its key."),
            named("examples[n].caption", "", "Its caption, where it has one."),
            named("examples[n].truth", "", "What it is, where that is known."),
            named("examples[n].predicted", "", "What it was taken for."),
            named("examples[n].probability", "part of 1", "With which probability."),
            named("images[n].predicted", "", "Of single pictures: what the n-th was taken for."),
            named("images[n].probability", "part of 1", "With which probability."),
            named(
                "images[n].classes[n].label",
                "",
                "All classes, the most probable first; also `[label=cat]`.",
            ),
            named("images[n].classes[n].probability", "part of 1", "The class's probability."),
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
            let message = format!("`{first}` and `{second}` cannot both be asked about");
            return Some(Fault { field: second, message, hint: "give each a block of its own" });
        }
        if let ([field @ ("images" | "use")], false) = (&given[..], classes) {
            let message = format!("`zero_shot` of `{field}` needs `classes`");
            let hint = "only a data set has labels that can stand in for them";
            return Some(Fault { field, message, hint });
        }
        let untold = fields.get("truth").is_some_and(|truth| truth == "none");
        (untold && !classes).then(|| Fault {
            field: "truth",
            message: "`truth: none` leaves no labels, and there are no `classes`".to_owned(),
            hint: "name the classes",
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
    // Of each true class: right, all.
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

/// A part of something; nothing where there is nothing.
fn share(hits: u64, count: u64) -> Value {
    if count > 0 { part(hits, count).into() } else { Value::Null }
}

/// The field of every kind whose texts may be too long.
pub(super) const TRUNCATE: Field = Field::compute(
    "truncate",
    Type::Flag,
    "Whether a prompt with more tokens than the model takes is cut. Otherwise it is an error.",
)
.or(Preset::Flag(false));
