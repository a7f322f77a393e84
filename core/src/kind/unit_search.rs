//! `unit_search`: the units of a layer that tell a group of pictures from others best.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::entry::{About, Data, Fault, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::group::Group;
use super::naming::two;
use super::noise::Noise;
use super::sample::{Painted, Sample};
use super::scan::{POOL, Pool};
use super::spoiled::{self, Spoiled};
use super::unit_similarity::Seen;
use super::value::{Values, counted, named, stored};
use super::words::words;
use crate::model::Place;

/// The rate of false discoveries at which units are counted.
pub const RATE: f64 = 0.05;

/// Parameters of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Whose units.
    pub layer: Place,
    /// The pictures that units are to tell from others.
    pub positive: Group,
    /// The others; all others of the data set if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<Group>,
    /// The pooling of an activation map to one number.
    pub pool: Pool,
    /// Which units come first.
    pub order: Order,
    /// Number of units that are listed.
    pub top: u32,
}

words! {
    /// Which units come first.
    pub enum Order {
        /// Those that are farthest from chance, either way.
        Both = "both",
        /// Those that are higher for the group.
        Rising = "rising",
        /// Those that are lower for the group.
        Falling = "falling",
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of pictures in the group.
    pub positive: u64,
    /// Number of pictures that it is compared with.
    pub negative: u64,
    /// Number of units of the layer.
    pub units: u64,
    /// Number of units with the same activation for all these pictures, which cannot be compared.
    pub constant: u64,
    /// Number of units that are higher for the group, at a rate of false discoveries of [`RATE`].
    pub rising: u64,
    /// Number of units that are lower for it, at the same rate.
    pub falling: u64,
    /// Units that are left out, since an activation of theirs is NaN or infinite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spoiled: Vec<Spoiled>,
    /// The units, the best first.
    pub found: Vec<Found>,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Channel, from 0.
    pub unit: u32,
    /// The area under the ROC curve, below 0.5 if the unit is lower for the group.
    pub auc: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Cohen's d; `None` if the unit does not vary within the groups.
    pub effect: Option<f64>,
    /// The two-sided p-value.
    pub p: f64,
    /// The same adjusted for the number of units.
    pub q: f64,
    /// The mean activation for pictures of the group.
    pub inside: f64,
    /// The mean activation for those that it is compared with.
    pub outside: f64,
    /// The image of the data set that activates it most; `None` without a data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strongest: Option<Seen>,
}

/// A made-up outcome in which the first unit has this effect.
pub fn sample(effect: f64) -> Outcome {
    let found = |unit, auc: f64, effect, strongest| Found {
        unit,
        auc,
        low: auc - 0.0625,
        high: auc + 0.03125,
        effect: Some(effect),
        p: 1e-9,
        q: 2.5e-7,
        inside: 1.5,
        outside: 0.25,
        strongest,
    };
    let seen =
        Seen { caption: "tennis".to_owned(), picture: "001.png".to_owned(), width: 6, height: 4 };
    let found = vec![found(3, 0.9375, effect, Some(seen)), found(1, 0.125, -1.25, None)];
    Outcome {
        positive: 12,
        negative: 88,
        units: 256,
        constant: 1,
        rising: 30,
        falling: 9,
        spoiled: spoiled::sample(5),
        found,
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "unit_search",
    summary: "the units of a layer that tell a group of pictures from others best",
    doc: "Which unit is worth a note? For each unit of the layer, its activations for the pictures of a group are compared with those for other pictures, and the units are ordered by how well they tell the two apart. A group is documented by `neuronotes kinds direction`: pictures by `labels`, `captions` or `keys` of the data set, or pictures and words of their own.\n\n\
          - **AUC**: the area under the ROC curve, the fraction of pairs of a picture of the group and another one in which the unit is higher for the former, equal ones counting half. 1 is a unit that is always higher for the group, 0 one that is always lower, 0.5 is chance. Its 95 % interval has the standard error of Hanley and McNeil (1982), by method 5 of Newcombe (2006), so that it has a length at an AUC of 1, too.\n\
          - **d**: Cohen's d, the difference of the means divided by the pooled standard deviation.\n\
          - **p**: the two-sided test of Mann and Whitney, by its normal approximation with corrections for ties and continuity. With fewer than about eight pictures in a group it is rough.\n\
          - **q**: p adjusted by Benjamini and Hochberg over all units that vary. Of the units with q below 0.05, at most 5 % are expected to differ from chance by accident. The figure says how many there are, in either direction.\n\n\
          The best of many units looks better than it is: its AUC is the largest of as many as the layer has. A unit that was found here is a candidate. `concept` holds pictures out, and `neuronotes new note --unit LAYER/UNIT` starts a note about one.\n\n\
          Activations come from the same stored scan of the layer as for `dataset_examples`; at the embedding they are scaled to length 1.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: search\nkind: unit_search\nlayer: image_block_4/0/Add_6\npositive: { captions: [apple, octopus, pineapple] }\n",
    fields: &[
        Field::compute(
            "positive",
            Type::Group,
            "The pictures that units are to tell from others: a group, one of `labels`, `captions`, `keys`, `dataset`, `images` and `words`.",
        )
        .or(Preset::Required),
        Field::compute(
            "negative",
            Type::Group,
            "The others. By default, all other pictures of the data set.",
        ),
        POOL,
        Field::compute(
            "order",
            Type::Choice(Order::WORDS),
            "Which units come first: those whose AUC is farthest from 0.5 in `both` directions, the `rising` ones, which are higher for the group, or the `falling` ones, which are lower.",
        )
        .or(Preset::Text(Order::Both.word())),
        Field::compute("top", Type::Integer { min: 1, max: 200 }, "Number of units that are listed.")
            .or(Preset::Integer(12)),
    ],
    about: About::Layer,
    data: Data::Optional,
    scan: Scan::Layer,
    captions: true,
    noise: Noise {
        intervals: &[("found[n].auc", "found[n].low", "found[n].high")],
        ..Noise::ACTIVATIONS
    },
    values: Values {
        named: &[
            counted("images_positive", "positive", "images", "Number of pictures in the group."),
            counted("images_negative", "negative", "images", "Number of pictures that it is compared with."),
            named("units", "units", "Number of units of the layer."),
            counted("units_constant", "constant", "units", "Number of units with the same activation for all these pictures."),
            counted("units_rising", "rising", "units", "Number of units that are higher for the group, with q below 0.05."),
            counted("units_falling", "falling", "units", "Number of units that are lower for it, with q below 0.05."),
            named("spoiled[n].unit", "", "The n-th unit that is left out because an activation of it is NaN or infinite; `spoiled.length` is their number."),
            named("spoiled[n].key", "", "The key of the first picture for which it is."),
            named("spoiled[n].is", "", "What the activation is: `NaN` or `infinite`."),
            named("found[n].unit", "", "The n-th unit."),
            named("found[n].auc", "", "Its AUC; also by the unit, `found[unit=42].auc`."),
            named("found[n].low", "", "The lower end of its 95 % interval."),
            named("found[n].high", "", "The upper end."),
            named("found[n].effect", "", "Its Cohen's d."),
            named("found[n].p", "", "Its p-value."),
            named("found[n].q", "", "The p-value adjusted for the number of units."),
            named("found[n].inside", "", "Its mean activation for pictures of the group."),
            named("found[n].outside", "", "Its mean activation for the others."),
            named("found[n].caption", "", "The caption of the image that activates it most, or that image's key."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    naming: |params, known| two(params, known).into_iter().collect(),
    form: form::<Params>,
    work: |_| 2.0,
    sample: |_, number| Sample::of(&sample(number), vec![Painted::png("001.png", 6, 4)]),
    ..Kind::BASE
};

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let same = fields.get("positive") == fields.get("negative") && fields.contains_key("positive");
    same.then(|| Fault {
        field: "negative",
        message: "`positive` and `negative` must be different groups".to_owned(),
        hint: "leave `negative` out for all other pictures",
    })
}

/// The caption of each unit's strongest image.
fn derive(outcome: Outcome, tree: &mut Value) {
    tree["spoiled"] = json!(outcome.spoiled);
    for (at, found) in outcome.found.iter().enumerate() {
        tree["found"][at]["caption"] = json!(found.strongest.as_ref().map(|seen| &seen.caption));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_not_compared_with_itself() {
        let field = |block: Value| {
            let Value::Object(fields) = block else { unreachable!() };
            fault(&fields).map(|fault| fault.field)
        };
        let [cats, dogs] = ["cat", "dog"].map(|what| json!({ "captions": [what] }));
        assert_eq!(field(json!({ "positive": cats })), None);
        assert_eq!(field(json!({ "positive": cats, "negative": dogs })), None);
        assert_eq!(field(json!({ "positive": cats, "negative": cats })), Some("negative"));
    }

    #[test]
    fn a_unit_has_the_caption_of_its_strongest_image() {
        let result = serde_json::to_value(sample(2.5)).expect("JSON");
        let tree = KIND.values.tree(result).expect("values");
        assert_eq!(tree["found"][0]["caption"], "tennis");
        assert_eq!(tree["found"][1]["caption"], Value::Null);
    }
}
