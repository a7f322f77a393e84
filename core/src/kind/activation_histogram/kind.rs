//! The registry's entry of `activation_histogram`.

use serde_json::{Map, Value, json};

use super::outcome::{Behind, Other, Outcome, Quantile, Shape, sample, shape};
use super::params::{Params, fault};
use crate::kind::controlled::CONTROLS;
use crate::kind::entry::{About, Data, Kind, Scan, form};
use crate::kind::field::{Field, Preset, Type};
use crate::kind::noise::Noise;
use crate::kind::sample::{Painted, Sample};
use crate::kind::scan::POOL;
use crate::kind::value::{Values, counted, named, stored};
use crate::statistics::{deviations, part};

/// The name of the field of a marked activation.
pub const MARK: &str = "mark";

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "activation_histogram",
    summary: "the distribution of the activations of a unit or a direction over a data set",
    doc: "A histogram of the unit's pooled activation over the images of the data set, in buckets of equal width, with the mean, the standard deviation, quantiles, the kurtosis, the sparsity and the fraction of images far above the mean. A selective unit has a long right tail. Uses the same stored scan of the layer as `dataset_examples`.\n\nThe activation of a direction (`units`, `direction`, `target`) for an image is the dot product of the layer's activations, averaged over positions, with the direction scaled to length 1; at the embedding it is the cosine of the two.\n\n\
          `above: [2, 3, 5]` counts the images whose activation exceeds the mean by more than so many standard deviations. The kurtosis is the excess kurtosis of the population, as in `unit_summary`. The sparsity is that of Vinje and Gallant, *Sparse Coding and Decorrelation in Primary Visual Cortex During Natural Vision*, 2000, which is Treves and Rolls' measure scaled to lie between 0 and 1: (1 − (Σr/n)² / (Σr²/n)) / (1 − 1/n), where r is the activation if it is above zero and else 0, and n the number of images. It is 0 if all images activate the unit alike, and 1 if one image alone does.\n\n\
          Several distributions are drawn as curves on one plot, as fractions of their own images, between common edges: those of other units of the layer (`also: [7, 12]`), of the pictures of some labels or captions of the data set (`beside: { labels: [animals, food] }`), or of another data set (`beside: { dataset: words }`). The latter is the article's test of a multimodal neuron: does a picture of the word activate it as what the word names does?\n\n\
          `examples: 3` keeps up to three images of each bucket, those with the smallest digests of their keys, and shows them while the pointer is on the bar, or when it is tapped or reached by the arrow keys.",
    example: "id: histogram\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        Field::compute(
            "bins",
            Type::Integer { min: 2, max: 400 },
            "Number of buckets from the smallest to the largest activation.",
        )
        .or(Preset::Integer(40)),
        POOL,
        Field::compute(
            "above",
            Type::Numbers { min: 0.0, max: 1000.0, most: 8 },
            "Numbers of standard deviations: how many images are above the mean by more. Of a normal distribution, about 2.3 % are above 2, 0.13 % above 3 and none above 5.",
        )
        .or(Preset::Numbers(&[2.0, 3.0, 5.0])),
        Field::compute(
            "examples",
            Type::Integer { min: 1, max: 8 },
            "The most images of each bucket that are shown on demand. Without it, none are.",
        ),
        Field::compute(
            "also",
            Type::Channels,
            "Other units of the layer, whose distributions are drawn on the same plot: at most 5.",
        ),
        Field::compute(
            "beside",
            Type::Group,
            "Other pictures, whose distributions are drawn on the same plot: `labels` or `captions`, at most 5, each by itself, or a `dataset`.",
        ),
        Field::presentation(
            "scale",
            Type::Choice(&["linear", "log"]),
            "The scale of the count axis. `log` makes a thin tail visible.",
        )
        .or(Preset::Text("linear")),
        Field::presentation(
            MARK,
            Type::Number { min: -1e9, max: 1e9 },
            "An activation that the plot marks by a line, such as one that a feature visualisation reaches. For a single distribution.",
        ),
        CONTROLS,
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    noise: Noise { counts: &["counts[n]"], ..Noise::ACTIVATIONS },
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            named("mean", "", "The mean activation."),
            named("sd", "", "The standard deviation."),
            named("min", "", "The smallest activation."),
            named("max", "", "The largest activation."),
            named(
                "deviations",
                "standard deviations",
                "The largest activation's distance from the mean.",
            ),
            named("median", "", "The median."),
            named(
                "quantiles[n].share",
                "",
                "The fraction of images below it; also `[share=0.95]`.",
            ),
            named("quantiles[n].activation", "", "The activation at this quantile."),
            counted("images_in_bucket[n]", "counts", "images", "Number of images in each bucket."),
            named("shape.kurtosis", "", "The excess kurtosis."),
            named("shape.sparsity", "", "The sparsity, from 0 to 1."),
            counted(
                "shape.images_above_zero",
                "positive",
                "images",
                "The images with an activation above zero.",
            ),
            named("shape.active", "fraction", "`shape.images_above_zero` divided by `images`."),
            named(
                "shape.above[n].deviations",
                "standard deviations",
                "The n-th number of `above`.",
            ),
            named(
                "shape.above[n].images",
                "images",
                "The images above the mean by more; also by the number, `shape.above[deviations=3].images`.",
            ),
            named("shape.above[n].share", "fraction", "The same divided by `images`."),
            named("others[n].unit", "", "With `also`: the unit of the n-th other distribution."),
            named("others[n].group", "", "With `beside`: its label or caption."),
            counted("others[n].images", "count", "images", "The images in it."),
            named(
                "others[n].mean",
                "",
                "Its mean; also `others[group=food].mean` or `others[unit=7].mean`.",
            ),
            named("others[n].sd", "", "Its standard deviation."),
            named("others[n].min", "", "Its smallest activation."),
            named("others[n].max", "", "Its largest activation."),
            named("others[n].median", "", "Its median."),
            named(
                "others[n].deviations",
                "standard deviations",
                "The distance of its mean from the first one's mean, in the first one's standard deviations.",
            ),
            named("others[n].kurtosis", "", "Its excess kurtosis."),
            named("others[n].sparsity", "", "Its sparsity."),
            named("edges[n]", "", "The buckets' edges, one more than the number of buckets."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    form: form::<Params>,
    sample: |params, number| made_up(params, number),
    ..Kind::BASE
};

fn median(quantiles: &[Quantile]) -> Option<f64> {
    quantiles.iter().find(|quantile| quantile.share == 0.5).map(|quantile| quantile.activation)
}

fn derive(outcome: Outcome, tree: &mut Value) {
    tree["median"] = json!(median(&outcome.quantiles));
    tree["deviations"] = json!(deviations(outcome.max, outcome.mean, outcome.sd));
    tree["quantiles"] = outcome.quantiles.iter().map(Quantile::named).collect();
    if let Some(shape) = &outcome.shape {
        tree["shape"]["active"] = json!(part(shape.positive, outcome.count));
        for (at, above) in shape.above.iter().enumerate() {
            let tree = &mut tree["shape"]["above"][at];
            tree["share"] = json!(part(above.images, outcome.count));
            // So that prose finds it as it is written: `[deviations=3]`.
            if above.deviations.fract() == 0.0 {
                tree["deviations"] = json!(above.deviations as i64);
            }
        }
    }
    for (at, other) in outcome.others.iter().enumerate() {
        let tree = &mut tree["others"][at];
        tree["median"] = json!(median(&other.quantiles));
        tree["deviations"] = json!(deviations(other.mean, outcome.mean, outcome.sd));
        if let Some(Shape { kurtosis, sparsity, .. }) = other.shape {
            tree["kurtosis"] = json!(kurtosis);
            tree["sparsity"] = json!(sparsity);
        }
    }
}

/// A made-up result with what the parameters ask for.
fn made_up(params: &Map<String, Value>, number: f64) -> Sample {
    let mut outcome = sample(number);
    let mut painted = vec![];
    if params.contains_key("above") {
        outcome.shape = Some(shape());
    }
    let other = |unit, group| Other {
        unit,
        group,
        count: 4,
        mean: 0.75,
        sd: 0.5,
        min: -0.5,
        max: 1.25,
        quantiles: vec![(0.5, 0.7).into()],
        counts: vec![3, 1],
        shape: outcome.shape.clone(),
    };
    if params.contains_key("also") {
        outcome.others.push(other(Some(7), None));
    }
    if params.contains_key("beside") {
        outcome.others.push(other(None, Some("food".to_owned())));
    }
    if params.contains_key("examples") {
        painted.push(Painted {
            output: "sheet.webp".to_owned(),
            media_type: "image/webp",
            size: (128, 128),
        });
        outcome.behind = Some(Behind {
            sheet: "sheet.webp".to_owned(),
            side: 128,
            tile: 64,
            keys: vec![vec!["one".to_owned()], vec!["two".to_owned(), "three".to_owned()]],
        });
    }
    Sample::of(&outcome, painted)
}
