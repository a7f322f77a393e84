//! `conditional`: what the images are at each strength of a unit's activation.

mod published;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use published::Published;

use super::category::{self, BY, CATEGORIES, MOST_ANSWERS, sorting};
use super::entry::{About, Data, Fault, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::rating::{self, Agreement, DECIDE, LABELS};
use super::sample::Sample;
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, counted, named, stored};
use crate::statistics::{deviations, part};

/// Number of buckets if the block does not say.
pub const BUCKETS: u32 = 10;
/// Most images of a labelling sheet.
pub const MOST_SHEET: u64 = 1_000;
/// The output with the labelling sheet, a [`Sheet`](crate::labelling::Sheet).
pub const SHEET: &str = "sheet.json";

sorting! {
    /// Parameters. With `labels`, also an empty list, the result has a labelling sheet.
    pub struct Params {
        /// The number of buckets; [`BUCKETS`], or the published one, if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub bins: Option<u32>,
        /// The activation at which the first bucket begins; the least one if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub from: Option<f64>,
        /// The activation at which the last bucket ends; the greatest one if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<f64>,
        /// Greatest number of images drawn from a bucket.
        pub sample: u32,
        /// Random seed of the sample, and of the order of the sheet.
        pub seed: u64,
        /// The pooling of an activation map to one number.
        pub pool: Pool,
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images in the data set.
    pub count: u64,
    /// Mean activation over the data set.
    pub mean: f64,
    /// Standard deviation over the data set (of the population).
    pub sd: f64,
    /// The standard deviation that the axis counts in: `sd`, or the published one.
    pub scale: f64,
    /// Whether the buckets are those of the article.
    pub published: bool,
    /// Number of images below the first bucket and above the last.
    pub outside: (u64, u64),
    /// Names of the categories, in the order of the block; else by falling number of images.
    pub categories: Vec<String>,
    /// The buckets, by rising activation; each ends where the next one begins.
    pub buckets: Vec<Bucket>,
    /// The raters, if labels are those of labelling sheets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The activation at which it begins.
    pub from: f64,
    /// The activation at which it ends.
    pub to: f64,
    /// Number of images of the data set in it.
    pub images: u64,
    /// Number of images drawn.
    pub drawn: u64,
    /// Number of these in each category.
    pub counts: Vec<u64>,
}

impl Bucket {
    /// Number of images with a category.
    pub fn labelled(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// A made-up outcome whose greatest activation is this.
pub fn sample(greatest: f64) -> Outcome {
    let bucket = |from, to, images, drawn, counts: [u64; 2]| {
        let counts = counts.to_vec();
        Bucket { from, to, images, drawn, counts }
    };
    Outcome {
        count: 62,
        mean: 0.5,
        sd: 2.0,
        scale: 2.0,
        published: false,
        outside: (1, 0),
        categories: vec!["heart".to_owned(), "face".to_owned()],
        buckets: vec![
            bucket(-2.0, 0.0, 50, 10, [1, 8]),
            bucket(0.0, 2.0, 8, 8, [5, 3]),
            bucket(2.0, greatest.max(3.0), 3, 3, [3, 0]),
        ],
        agreement: Some(rating::sample()),
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "conditional",
    summary: "the share of each category among images, at each strength of a unit's activation",
    doc: "Divides the range of a unit's pooled activations into buckets of equal width, draws the same number of images from each (fewer where there are fewer), and shows what fraction of them is in each category: the conditional probability of a category, given the activation. The horizontal axis counts in standard deviations over the data set from an activation of zero. Each bucket is a column of its own; nothing is interpolated between buckets, whose share was not measured. A bucket with fewer labelled images than `least` is hatched.\n\n\
          This is precision, not recall: it says what the images are that activate a unit so strongly, and not which part of a category does. A category that fills the last bucket may still have most of its images in the others; `category_response` shows that.\n\n\
          The categories are the data set's labels or captions. Or raters give them: with `labels`, the figure has a *labelling sheet*, a page that shows the drawn images one by one, in random order and without their activations, so that whoever labels them cannot know which bucket an image is from. It is worked with the keyboard, keeps what was answered in the browser, and saves a file for each rater, JSON or CSV, which is named in `labels`, for instance by a pattern, and read back. With several raters the result has Krippendorff's alpha for nominal data: 1 if they agree, 0 if they agree as often as by chance. The images are drawn, and the sheet is shuffled, by `seed`.\n\n\
          For the units 89, 2191 and 1317 of `image_block_4/5/Add_6` of RN50x4, the buckets are by default those of the article, whose values are taken for the buckets' middles. For unit 89 the axis then counts in the article's standard deviation, 2.19.\n\n\
          Method: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021. Krippendorff, *Content Analysis*, 2004. Uses the same stored scan of the layer as `dataset_examples`.",
    example: "id: shares\nkind: conditional\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        CATEGORIES,
        BY,
        LABELS,
        DECIDE,
        Field::compute(
            "bins",
            Type::Integer { min: 2, max: 50 },
            "Number of buckets of equal width; 10 unless the article has another number for the unit.",
        ),
        Field::compute(
            "from",
            Type::Number { min: -1e6, max: 1e6 },
            "The activation at which the first bucket begins; by default the least one in the data set.",
        ),
        Field::compute(
            "to",
            Type::Number { min: -1e6, max: 1e6 },
            "The activation at which the last bucket ends; by default the greatest one in the data set.",
        ),
        Field::compute(
            "sample",
            Type::Integer { min: 1, max: 1_000 },
            "Greatest number of images drawn from a bucket; the article has at most 50.",
        )
        .or(Preset::Integer(50)),
        Field::compute("seed", Type::Seed, "Random seed of the sample, and of the sheet's order."),
        POOL,
        Field::presentation(
            "least",
            Type::Integer { min: 1, max: 1_000 },
            "A bucket with fewer labelled images is hatched.",
        )
        .or(Preset::Integer(5)),
        Field::presentation(
            "most",
            Type::Integer { min: 1, max: 9 },
            "Greatest number of categories that have a colour; the rest is shown as *other*.",
        )
        .or(Preset::Integer(9)),
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            named("mean", "", "Mean activation over the data set."),
            named("sd", "", "Standard deviation over the data set."),
            counted("images_drawn", "drawn", "images", "Number of images drawn."),
            counted(
                "images_labelled",
                "labelled",
                "images",
                "Number of drawn images with a category.",
            ),
            named("buckets[n].from", "", "The activation at which the bucket begins."),
            named("buckets[n].to", "", "The activation at which it ends."),
            named(
                "buckets[n].from_zero",
                "standard deviations",
                "Where the bucket begins, on the figure's axis.",
            ),
            named("buckets[n].images", "images", "Number of images of the data set in the bucket."),
            counted(
                "buckets[n].images_drawn",
                "drawn",
                "images",
                "Number of images drawn from it.",
            ),
            counted(
                "buckets[n].images_labelled",
                "labelled",
                "images",
                "Number of those with a category.",
            ),
            named("categories[n].name", "", "The category; also `[name=heart]`."),
            counted("categories[n].images", "count", "images", "Number of drawn images in it."),
            named(
                "categories[n].shares[n]",
                "fraction",
                "Its share of the labelled images of each bucket.",
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
    naming: category::misnamed,
    warns: Some(warns),
    trim: category::trim,
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(number), vec![]),
    ..Kind::BASE
};

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let fault = |field, message, hint| Some(Fault { field, message, hint });
    if let (Some(from), Some(to)) = (number(fields, "from"), number(fields, "to"))
        && from >= to
    {
        let message = format!("`to` is {to}, but the buckets begin at {from}");
        return fault("to", message, "`from` and `to` are activations, `from` the lower one");
    }
    if fields.contains_key(LABELS.name) {
        let Some(categories) = category::of(fields) else {
            let message = "`labels` needs `categories`".to_owned();
            let hint =
                "list the labels that raters choose from: `categories: [heart, face, other]`";
            return fault(LABELS.name, message, hint);
        };
        let answers: usize = categories.iter().map(|category| category.names.len()).sum();
        if !(2..=MOST_ANSWERS).contains(&answers) {
            let message =
                format!("a labelling sheet has 2 to {MOST_ANSWERS} labels, not {answers}");
            let hint = "each label has a key; put what is rare into one of them";
            return fault(CATEGORIES.name, message, hint);
        }
        let count = |name, default| number(fields, name).map_or(default, |number| number as u64);
        let images = count("bins", BUCKETS.into()) * count("sample", 50);
        if images > MOST_SHEET {
            let message =
                format!("a labelling sheet of {images} images; at most {MOST_SHEET} are possible");
            return fault("sample", message, "draw fewer images from each bucket");
        }
    }
    category::fault(fields).or_else(|| target::pooling(fields))
}

fn number(fields: &Map<String, Value>, name: &str) -> Option<f64> {
    fields.get(name)?.as_f64()
}

/// The warning that a labelling sheet was not filled in yet.
fn warns(result: Value) -> serde_json::Result<Option<Fault>> {
    let outcome: Outcome = serde_json::from_value(result)?;
    let empty = outcome.agreement.is_some_and(|agreement| agreement.raters.is_empty());
    Ok(empty.then(|| Fault {
        field: LABELS.name,
        message: "no file matches `labels`, so the images of this figure are not labelled yet"
            .to_owned(),
        hint: "open the figure's labelling sheet, label the images, and save the file there",
    }))
}

fn derive(outcome: Outcome, tree: &mut Value) {
    let Outcome { scale, categories, buckets, agreement, .. } = outcome;
    for (index, bucket) in buckets.iter().enumerate() {
        let tree = &mut tree["buckets"][index];
        tree["labelled"] = json!(bucket.labelled());
        tree["from_zero"] = json!(deviations(bucket.from, 0.0, scale));
    }
    tree["drawn"] = json!(buckets.iter().map(|bucket| bucket.drawn).sum::<u64>());
    tree["labelled"] = json!(buckets.iter().map(Bucket::labelled).sum::<u64>());
    let category = |(at, name): (usize, String)| {
        let count = |bucket: &Bucket| bucket.counts.get(at).copied().unwrap_or_default();
        let shares = buckets.iter().map(|bucket| part(count(bucket), bucket.labelled()));
        json!({
            "name": name,
            "count": buckets.iter().map(count).sum::<u64>(),
            "shares": shares.collect::<Vec<_>>(),
        })
    };
    tree["categories"] = categories.into_iter().enumerate().map(category).collect();
    rating::derive(agreement, tree);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(fields: Value) -> Option<&'static str> {
        let Value::Object(fields) = fields else { panic!("an object") };
        fault(&fields).map(|fault| fault.field)
    }

    #[test]
    fn a_sheet_needs_labels_for_its_keys_and_has_a_bounded_number_of_images() {
        let class = |name: &str| json!({ "label": name, "names": [name] });
        let some = json!([class("a"), class("b")]);
        let many: Vec<Value> = (0..=MOST_ANSWERS).map(|n| class(&n.to_string())).collect();
        let labels = "sheets/*.json";
        assert_eq!(wrong(json!({ "labels": labels })), Some("labels"));
        assert_eq!(wrong(json!({ "labels": labels, "categories": some })), None);
        assert_eq!(wrong(json!({ "labels": labels, "categories": many })), Some("categories"));
        assert_eq!(wrong(json!({ "categories": many })), None);
        let large = json!({ "labels": labels, "categories": some, "bins": 30, "sample": 50 });
        assert_eq!(wrong(large), Some("sample"));
        let both = json!({ "labels": labels, "categories": some, "by": "label" });
        assert_eq!(wrong(both), Some("by"));
        assert_eq!(wrong(json!({ "from": 2, "to": 2.0 })), Some("to"));
        assert_eq!(wrong(json!({ "from": -2, "to": 2 })), None);
    }

    #[test]
    fn only_a_sheet_that_nobody_filled_in_is_warned_of() {
        let warned = |outcome: &Outcome| {
            warns(serde_json::to_value(outcome).expect("JSON")).expect("an outcome").is_some()
        };
        let mut outcome = sample(4.0);
        assert!(!warned(&outcome));
        outcome.agreement = Some(Agreement { raters: vec![], rated: 0, ties: 0, alpha: None });
        assert!(warned(&outcome));
        outcome.agreement = None;
        assert!(!warned(&outcome));
    }

    #[test]
    fn shares_are_of_the_labelled_images_of_a_bucket() {
        let tree = KIND.values.tree(serde_json::to_value(sample(4.0)).expect("JSON"));
        let tree = tree.expect("a tree");
        assert_eq!(tree["categories"][0]["shares"], json!([1.0 / 9.0, 0.625, 1.0]));
        assert_eq!(
            (tree["images_drawn"].as_u64(), tree["images_labelled"].as_u64()),
            (Some(21), Some(20))
        );
        assert_eq!(tree["buckets"][0]["from_zero"], json!(-1.0));
    }
}
