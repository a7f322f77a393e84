//! `category_response`: how strongly a unit responds to each category of pictures.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::category::{self, BY, CATEGORIES, sorting};
use super::entry::{About, Data, Fault, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::known::{Known, Misnamed};
use super::rating::{self, Agreement, DECIDE, LABELS};
use super::sample::Sample;
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, counted, named, stored};
use super::words::words;
use crate::problem::Problem;
use crate::statistics::deviations;

sorting! {
    /// Parameters.
    pub struct Params {
        /// The pooling of an activation map to one number.
        pub pool: Pool,
    }
}

words! {
    /// Where deviations are counted from.
    pub enum From {
        /// An activation of zero, as in the article.
        Zero = "zero",
        /// The mean over the data set.
        Mean = "mean",
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images in the data set.
    pub count: u64,
    /// Number of images with a category.
    pub labelled: u64,
    /// Mean activation over the data set.
    pub mean: f64,
    /// Standard deviation over the data set (of the population: divided by `count`).
    pub sd: f64,
    /// The categories by falling median; of equal medians, by name.
    pub categories: Vec<Response>,
    /// The raters, if the labels come from labelling sheets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
}

/// The activations of one category; quartiles are interpolated linearly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Its name.
    pub name: String,
    /// Number of images.
    pub count: u64,
    /// The first quartile.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The third quartile.
    pub high: f64,
}

/// A made-up outcome with this greatest median.
pub fn sample(greatest: f64) -> Outcome {
    let response = |name: &str, count, low, median, high| {
        let name = name.to_owned();
        Response { name, count, low, median, high }
    };
    Outcome {
        count: 14,
        labelled: 13,
        mean: 0.5,
        sd: 2.0,
        categories: vec![
            response("heart", 8, greatest - 0.5, greatest, greatest + 0.25),
            response("face", 4, -1.5, -1.0, 0.5),
            response("bell", 1, -2.0, -2.0, -2.0),
        ],
        agreement: Some(rating::sample()),
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "category_response",
    summary: "the median activation of a unit or a direction for each category of a data set's images",
    doc: "Sorts the images of the data set into categories and shows, for each, the median of their pooled activations and the quartiles, the categories with the highest median first. The categories are the data set's labels (or captions, with `by: caption`), groups of them, or labels that raters gave by the labelling sheet of a `conditional` block, which are read from the files in `labels`. Images without a category are left out, and counted.\n\n\
          Activations are counted in standard deviations over the whole data set: from zero, as in the article's figure of the neuron for Donald Trump, or, with `from: mean`, from the mean. Quartiles are interpolated linearly. Labels from a sheet are of a sample that is uniform over activations, not over the data set, so the medians of its categories are those of that sample.\n\nMethod: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021, with a row for each person, such as Trump, 33.0 standard deviations from zero. Uses the same stored scan of the layer as `dataset_examples`.",
    example: "id: categories\nkind: category_response\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        CATEGORIES,
        BY,
        LABELS,
        DECIDE,
        POOL,
        Field::presentation(
            "from",
            Type::Choice(From::WORDS),
            "Where standard deviations are counted from: an activation of zero, or the mean over the data set.",
        )
        .or(Preset::Text(From::Zero.word())),
        Field::presentation(
            "most",
            Type::Integer { min: 2, max: 200 },
            "Greatest number of rows. If there are more categories, those with the highest and the lowest medians are shown; the table has all.",
        )
        .or(Preset::Integer(24)),
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            counted("images_labelled", "labelled", "images", "Number of images with a category."),
            named("mean", "", "Mean activation over the data set."),
            named("sd", "", "Standard deviation over the data set."),
            named("categories[n].name", "", "The category, highest median first; also `[name=heart]`."),
            counted("categories[n].images", "count", "images", "Number of its images."),
            named("categories[n].median", "", "The median activation of its images."),
            named("categories[n].low", "", "The first quartile."),
            named("categories[n].high", "", "The third quartile."),
            named(
                "categories[n].from_zero",
                "standard deviations",
                "The median, counted from zero.",
            ),
            named(
                "categories[n].from_mean",
                "standard deviations",
                "The median, counted from the mean over the data set.",
            ),
            rating::ALPHA,
            rating::RATED,
            rating::TIES,
            rating::RATER,
            rating::RATER_LABELLED,
        ],
        of: |result| stored(result, derive),
    },
    fault,
    naming,
    trim: category::trim,
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(number), vec![]),
    ..Kind::BASE
};

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    category::fault(fields).or_else(|| target::pooling(fields))
}

fn naming(params: &Map<String, Value>, known: &mut dyn Known) -> Vec<Misnamed> {
    let none = params.get(LABELS.name).and_then(Value::as_array).is_some_and(Vec::is_empty);
    if none {
        let problem = Problem::new("no file matches `labels`")
            .hint("the labelling sheet of a `conditional` block saves such files");
        return vec![Misnamed::new(LABELS.name, problem)];
    }
    category::misnamed(params, known)
}

fn derive(outcome: Outcome, tree: &mut Value) {
    let Outcome { mean, sd, categories, agreement, .. } = outcome;
    for (index, response) in categories.iter().enumerate() {
        let tree = &mut tree["categories"][index];
        tree["from_zero"] = json!(deviations(response.median, 0.0, sd));
        tree["from_mean"] = json!(deviations(response.median, mean, sd));
    }
    rating::derive(agreement, tree);
}
