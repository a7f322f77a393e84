//! How several raters' labels become one: the fields that say so, and what a result tells of the raters.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::field::{Field, Preset, Type};
use super::value::{Named, counted, named};
use super::words::words;

words! {
    /// Whose label counts if several raters labelled a picture.
    #[derive(Default)]
    pub enum Decide {
        /// The label that most raters gave. Without a single most frequent one the picture has no label.
        #[default]
        Majority = "majority",
        /// The label of the first rater, in the order of `labels`, who gave one.
        First = "first",
    }
}

/// What is known of the raters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The raters, in the order of their files.
    pub raters: Vec<Rater>,
    /// Number of pictures that at least two raters labelled.
    pub rated: u64,
    /// Number of pictures without a label because no label was the most frequent.
    pub ties: u64,
    /// Krippendorff's alpha for nominal data; `None` if no picture has two labels, or all labels are the same.
    pub alpha: Option<f64>,
}

/// A rater.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rater {
    /// The name.
    pub name: String,
    /// Number of pictures that the rater labelled.
    pub labelled: u64,
}

/// The field with the files of labels.
pub(super) const LABELS: Field = Field::compute(
    "labels",
    Type::LabelFiles,
    "Files that raters saved from a labelling sheet: a path, a pattern such as `sheets/hearts-*.json`, or a list of these, from the garden's folder. Each rater has one file. Without this field the data set's own labels are used.",
);
/// The field that says whose label counts.
pub(super) const DECIDE: Field = Field::compute(
    "decide",
    Type::Choice(Decide::WORDS),
    "Whose label counts if several raters labelled a picture: `majority`, the label that most gave (a picture without a single most frequent label is left out and counted), or `first`, the label of the first rater in the order of the files.",
)
.or(Preset::Text(Decide::Majority.word()));

/// What prose can say of the raters, as [`derive`] adds it.
pub(super) const ALPHA: Named =
    named("alpha", "", "Krippendorff's alpha of the raters, for nominal data.");
pub(super) const RATED: Named = counted(
    "images_rated",
    "rated",
    "images",
    "Number of images that at least two raters labelled.",
);
pub(super) const TIES: Named = counted(
    "images_tied",
    "ties",
    "images",
    "Number of images without a label because raters disagree.",
);
pub(super) const RATER: Named = named("raters[n].name", "", "The rater.");
pub(super) const RATER_LABELLED: Named = counted(
    "raters[n].images_labelled",
    "labelled",
    "images",
    "Number of images that the rater labelled.",
);

/// Made-up agreement of two raters.
pub(super) fn sample() -> Agreement {
    let rater = |name: &str, labelled| Rater { name: name.to_owned(), labelled };
    let raters = vec![rater("ann", 12), rater("ben", 11)];
    Agreement { raters, rated: 11, ties: 1, alpha: Some(0.75) }
}

/// Adds what prose can say of the raters to a tree of values.
pub(super) fn derive(agreement: Option<Agreement>, tree: &mut Value) {
    let Some(Agreement { raters, rated, ties, alpha }) = agreement else { return };
    tree["raters"] = json!(raters);
    tree["rated"] = json!(rated);
    tree["ties"] = json!(ties);
    tree["alpha"] = json!(alpha);
}
