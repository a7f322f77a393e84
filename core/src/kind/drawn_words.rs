//! `words`: the drawn words that move a unit most, up and down, over all ways in which each is drawn.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::about::about;
use super::entry::{About, Data, Kind, Scan, form};
use super::exhibit::Exhibit;
use super::field::{Field, Preset, Type};
use super::known::{Known, Misnamed};
use super::sample::{Painted, Sample};
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, named, stored};
use crate::dataset::Samples;
use crate::problem::Problem;
use crate::statistics::deviations;

/// Most words of each end whose drawing is shown.
pub const MOST_SHOWN: usize = 5;

about! {
    /// Parameters of the ranking.
    pub struct Params {
        /// Number of words at each end.
        pub top: u32,
        /// The pooling of an activation map to one number.
        pub pool: Pool,
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of drawings.
    pub drawings: u64,
    /// Number of different words.
    pub words: u64,
    /// Mean activation over all drawings.
    pub mean: f64,
    /// Standard deviation over all drawings (of the population).
    pub sd: f64,
    /// The median over words of their means.
    pub median: f64,
    /// The fraction of the variance over drawings that lies between words: the sum over drawings of the squared distance of
    /// their word's mean from the mean of all, divided by that of the drawings themselves (η²). `None` if each word is drawn
    /// once, or all activations are equal.
    pub explained: Option<f64>,
    /// The words with the largest means, the largest first.
    pub up: Vec<Moved>,
    /// The words with the smallest means, the smallest first.
    pub down: Vec<Moved>,
}

/// A word, and what its drawings do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The word.
    pub word: String,
    /// Mean activation over its drawings.
    pub mean: f64,
    /// Standard deviation over its drawings (of the population); `None` if there is one.
    pub sd: Option<f64>,
    /// Number of its drawings.
    pub drawings: u64,
    /// The smallest activation.
    pub min: f64,
    /// The largest activation.
    pub max: f64,
    /// Its drawing with the largest activation, or at the lower end with the smallest; `None` beyond the first
    /// [`MOST_SHOWN`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// A drawing of a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its key in the data set: the word, and what tells its style apart from others.
    pub key: String,
    /// Its activation.
    pub activation: f64,
    /// Name of the record's output with the picture: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A made-up outcome whose first word has this mean.
pub fn sample(mean: f64) -> Outcome {
    let shown = |key: &str, picture: &str, activation| Shown {
        key: key.to_owned(),
        activation,
        picture: picture.to_owned(),
        width: 6,
        height: 6,
    };
    let moved = |word: &str, mean: f64, shown| Moved {
        word: word.to_owned(),
        mean,
        sd: Some(0.5),
        drawings: 2,
        min: mean - 0.5,
        max: mean + 0.5,
        shown,
    };
    Outcome {
        drawings: 6,
        words: 3,
        mean: 0.5,
        sd: 1.25,
        median: 0.25,
        explained: Some(0.75),
        up: vec![
            moved("bank", mean, Some(shown("bank (top)", "001.png", mean + 0.5))),
            moved("spring", 0.25, None),
        ],
        down: vec![
            moved("castle", -1.5, Some(shown("castle (centre)", "002.png", -2.0))),
            moved("spring", 0.25, None),
        ],
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "words",
    summary: "the drawn words that move a unit or a direction most, up and down, with their spread over fonts and places",
    doc: "Each word of a list is drawn as a picture, in every font, size, colour and position that the data set's `draw` lists, and shown to the model. A word's activation is the mean of the pooled activations of its drawings; the figure lists the words with the largest and the smallest means, in standard deviations from the mean over all drawings of the data set, with the \
          standard deviation over the word's own drawings as whiskers. Words with equal means are in alphabetical order. If the whiskers are long, the unit responds to how a word looks as much as to which word it is; `explained` says it for the whole list: the fraction of the variance over drawings that lies between words (η²). A high fraction does not say that the unit reads: longer words have more ink too. If each word is drawn once, \
          there is no spread. The reference is the words of the list, not an empty picture: a unit that any writing moves has a high `mean`, and the words above the `median` move it further.\n\nUses the same stored scan of the layer as `dataset_examples`, in half precision. The activation of a direction (`units`, `direction`, `target`) for a drawing is the dot product of the layer's activations, averaged over positions, with the direction scaled to length 1; at the embedding it is the cosine of the two. Compare Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021, where neurons respond to pictures and to written words.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: moved\nkind: words\ndataset: words\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        Field::compute("top", Type::Integer { min: 1, max: 100 }, "Number of words at each end.")
            .or(Preset::Integer(10)),
        POOL,
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    values: Values {
        named: &[
            named("drawings", "drawings", "Number of drawings in the data set."),
            named("words", "words", "Number of different words."),
            named("mean", "", "The mean activation over all drawings."),
            named("sd", "", "The standard deviation over all drawings."),
            named("median", "", "The median over words of their means."),
            named(
                "explained",
                "fraction",
                "The fraction of the variance over drawings that lies between words; undefined if each word is drawn once.",
            ),
            named("up[n].word", "", "The n-th word of the upper end; `down` is the lower end."),
            named(
                "up[n].mean",
                "",
                "The mean over its drawings; also by the word, `up[word=bank].mean`.",
            ),
            named("up[n].deviations", "standard deviations", "Its distance from the mean of all."),
            named(
                "up[n].sd",
                "",
                "The standard deviation over its drawings; undefined if it is drawn once.",
            ),
            named("up[n].drawings", "drawings", "Number of its drawings."),
            named("up[n].min", "", "The smallest activation of its drawings."),
            named("up[n].max", "", "The largest activation of its drawings."),
        ],
        of: |result| stored(result, derive),
    },
    pictures: Some(pictures),
    fault: target::pooling,
    naming: |_, known| Vec::from_iter(not_words(known)),
    form: form::<Params>,
    sample: |_, number| {
        let pictures = ["001.png", "002.png"].map(|name| Painted::png(name, 6, 6));
        Sample::of(&sample(number), pictures.to_vec())
    },
    ..Kind::BASE
};

/// The problem that the data set has pictures and not words.
fn not_words(known: &mut dyn Known) -> Option<Misnamed> {
    let dataset = known.dataset().filter(|set| set.format.samples != Samples::Words)?;
    let message = format!("the data set `{}` has pictures, not words", dataset.name);
    let hint = "name a data set that is a list of words, such as `dataset: words`";
    Some(Misnamed::new("dataset", Problem::new(message).hint(hint)))
}

fn pictures(result: Value) -> serde_json::Result<Vec<Exhibit>> {
    let outcome: Outcome = serde_json::from_value(result)?;
    let all = outcome.up.into_iter().chain(outcome.down);
    let one = |moved: Moved| Some(Exhibit { output: moved.shown?.picture, label: moved.word });
    Ok(all.filter_map(one).collect())
}

fn derive(outcome: Outcome, tree: &mut Value) {
    for (name, list) in [("up", &outcome.up), ("down", &outcome.down)] {
        for (index, moved) in list.iter().enumerate() {
            let away = deviations(moved.mean, outcome.mean, outcome.sd);
            tree[name][index]["deviations"] = json!(away);
        }
    }
}
