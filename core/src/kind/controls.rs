//! `controls`: images and units that nobody chose, to compare a unit's strongest images with.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::about::about;
use super::dataset_examples::Example;
use super::entry::{About, Data, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::sample::{Painted, Sample};
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, counted, named, stored};
use crate::statistics::deviations;

/// Default number of images drawn at random.
pub const RANDOM: u32 = 9;
/// Default number of bands.
pub const BANDS: u32 = 10;
/// Default number of other units.
pub const UNITS: u32 = 3;
/// Number of images of each other unit.
pub const OF_EACH: usize = 3;

about! {
    /// Parameters of the draw.
    pub struct Params {
        /// The pooling of an activation map to one number.
        pub pool: Pool,
        /// Number of images drawn from all, and of the weakest ones.
        pub random: u32,
        /// Number of bands of equal width between the least and the greatest activation, from each of which an image is drawn.
        pub bands: u32,
        /// Number of other units of the layer.
        pub others: u32,
        /// Random seed of the draw.
        pub seed: u64,
    }
}

/// The result, without the pictures that it names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images in the data set.
    pub count: u64,
    /// The unit's or the direction's mean over the data set.
    pub mean: f64,
    /// The unit's or the direction's standard deviation over the data set (of the population).
    pub sd: f64,
    /// Images drawn from all, the strongest first.
    pub random: Vec<Example>,
    /// The bands, from the greatest activation to the least; none if all images have the same activation.
    pub bands: Vec<Band>,
    /// The weakest images, the weakest first.
    pub weakest: Vec<Example>,
    /// Other units of the layer, in the order in which they were drawn.
    pub others: Vec<Other>,
    /// Number of units that were drawn before the last of these and passed over, since they have the same activation for all
    /// images, or one that is NaN or infinite.
    pub passed: u64,
}

/// A band of activations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its lower edge, which belongs to it.
    pub from: f64,
    /// Its upper edge, which belongs to it in the uppermost band only.
    pub to: f64,
    /// Number of images in it.
    pub images: u64,
    /// The image drawn from it; `None` if it is empty.
    pub drawn: Option<Example>,
}

/// Another unit of the layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// Channel, from 0.
    pub unit: u32,
    /// Its mean over the data set.
    pub mean: f64,
    /// Its standard deviation over the data set (of the population).
    pub sd: f64,
    /// The images with its strongest activations, with these.
    pub top: Vec<Example>,
}

/// A made-up outcome whose random image has this activation.
pub fn sample(activation: f64) -> Outcome {
    let example = |key: &str, activation, number: usize| Example {
        key: key.to_owned(),
        activation,
        picture: format!("{number:03}.png"),
        width: 6,
        height: 4,
        ..Example::default()
    };
    let band = |from, to, images, drawn| Band { from, to, images, drawn };
    Outcome {
        count: 6,
        mean: 0.5,
        sd: 1.0,
        random: vec![example("one", activation, 1)],
        bands: vec![
            band(2.0, 3.0, 1, Some(example("two", 3.0, 2))),
            band(1.0, 2.0, 0, None),
            band(0.0, 1.0, 5, Some(example("three", 0.25, 3))),
        ],
        weakest: vec![example("four", 0.0, 4)],
        others: vec![Other { unit: 2, mean: 1.0, sd: 0.5, top: vec![example("five", 2.5, 5)] }],
        passed: 1,
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "controls",
    summary: "images and units that nobody chose, to compare a unit's strongest images with",
    doc: "The strongest images show one end of a unit's range, and whoever writes about a unit has chosen it. This kind shows what neither the unit nor its author picked:\n\n\
          - `random` images drawn from the whole data set;\n\
          - one image drawn from each of `bands` bands of equal width between the least and the greatest activation, with the number of images in each;\n\
          - the weakest images, as many as `random`;\n\
          - the three strongest images of each of `others` other units of the layer.\n\n\
          Nobody chooses them: images and units are ordered by the BLAKE3 digest of the place, the unit or direction, the `seed`, and the image's key or the other unit's number, and the first are taken. So another machine draws the same ones, a note cannot pick among draws without its seed showing it, and images added to a data set leave most of the draw as it was. Among equal activations, the weakest images are in the order of the digests of their keys. Other units that have the same activation for every image are passed over, and counted. Everything comes from the stored scan of the layer, without a forward pass.\n\n\
          With `controls:` in `neuronotes.yaml`, every `dataset_examples` has these in a fold under the figure, and a block needs no control of its own. OpenAI's *neuron explainer* (2023) and Borowski et al., *Exemplary Natural Images Explain CNN Activations Better than State-of-the-Art Feature Visualization*, 2021, sample a unit's range likewise.",
    example: "id: control\nkind: controls\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        Field::compute(
            "random",
            Type::Integer { min: 0, max: 50 },
            "Number of images drawn from all, and of the weakest.",
        )
        .or(Preset::Integer(RANDOM as i64)),
        Field::compute(
            "bands",
            Type::Integer { min: 0, max: 50 },
            "Number of bands of activation, from each of which an image is drawn.",
        )
        .or(Preset::Integer(BANDS as i64)),
        Field::compute(
            "others",
            Type::Integer { min: 0, max: 20 },
            "Number of other units of the layer.",
        )
        .or(Preset::Integer(UNITS as i64)),
        POOL,
        Field::compute("seed", Type::Seed, "Random seed of the draw.").or(Preset::Configured),
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            named("mean", "", "The unit's or the direction's mean over the data set."),
            named("sd", "", "Its standard deviation over the data set."),
            named(
                "random[n].activation",
                "",
                "The activation for the n-th image drawn from all, the strongest first.",
            ),
            named("random[n].deviations", "standard deviations", "Its distance from the mean."),
            named(
                "random[n].key",
                "",
                "The image's key in the data set; for a list of words, the word.",
            ),
            named("random[n].caption", "", "Its caption, if there is one."),
            named("random[n].label", "", "Its label, if there is one."),
            named(
                "bands[n].from",
                "",
                "The lower edge of the n-th band, the greatest activations first.",
            ),
            named("bands[n].to", "", "Its upper edge."),
            named("bands[n].images", "images", "Number of images in it."),
            named("bands[n].activation", "", "The activation for the image drawn from it."),
            named("bands[n].deviations", "standard deviations", "Its distance from the mean."),
            named("bands[n].key", "", "Its key in the data set."),
            named("bands[n].caption", "", "Its caption, if there is one."),
            named("bands[n].label", "", "Its label, if there is one."),
            named(
                "weakest[n].activation",
                "",
                "The activation for the n-th of the weakest images.",
            ),
            named("weakest[n].deviations", "standard deviations", "Its distance from the mean."),
            named("weakest[n].key", "", "Its key in the data set."),
            named("weakest[n].caption", "", "Its caption, if there is one."),
            named("weakest[n].label", "", "Its label, if there is one."),
            named("others[n].unit", "", "The n-th other unit."),
            named("others[n].mean", "", "Its mean over the data set."),
            named("others[n].sd", "", "Its standard deviation over the data set."),
            named(
                "others[n].top[n].activation",
                "",
                "Its own activation for the image that activates it most, and so on.",
            ),
            named("others[n].top[n].key", "", "That image's key in the data set."),
            named("others[n].top[n].caption", "", "Its caption, if there is one."),
            named("others[n].top[n].label", "", "Its label, if there is one."),
            counted(
                "units_passed_over",
                "passed",
                "units",
                "Number of other units that were drawn and passed over.",
            ),
        ],
        of: |result| stored(result, derive),
    },
    fault: target::pooling,
    form: form::<Params>,
    work: |_| 1.5,
    sample: |_, number| {
        let painted = (1..=5).map(|number| Painted::png(&format!("{number:03}.png"), 6, 4));
        Sample::of(&sample(number), painted.collect())
    },
    ..Kind::BASE
};

fn derive(outcome: Outcome, tree: &mut Value) {
    let away = |example: &Example| json!(deviations(example.activation, outcome.mean, outcome.sd));
    for (list, examples) in [("random", &outcome.random), ("weakest", &outcome.weakest)] {
        for (at, example) in examples.iter().enumerate() {
            tree[list][at]["deviations"] = away(example);
        }
    }
    for (at, band) in outcome.bands.iter().enumerate() {
        let drawn = band.drawn.as_ref();
        let band = &mut tree["bands"][at];
        band["activation"] = json!(drawn.map(|drawn| drawn.activation));
        band["deviations"] = drawn.map(away).unwrap_or_default();
        band["key"] = json!(drawn.map(|drawn| &drawn.key));
        band["caption"] = json!(drawn.and_then(|drawn| drawn.caption.as_ref()));
        band["label"] = json!(drawn.and_then(|drawn| drawn.label.as_ref()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_of_a_band_is_a_value_and_an_empty_band_has_none() {
        let result = serde_json::to_value(sample(2.0)).expect("JSON");
        let tree = KIND.values.tree(result).expect("values");
        assert_eq!(tree["random"][0]["deviations"], 1.5);
        assert_eq!(tree["bands"][0]["key"], "two");
        assert_eq!(
            tree["bands"][1],
            json!({ "from": 1.0, "to": 2.0, "images": 0,
            "activation": null, "deviations": null, "key": null, "caption": null, "label": null })
        );
        assert_eq!(tree["others"][0]["top"][0]["activation"], 2.5);
    }
}
