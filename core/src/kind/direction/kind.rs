//! The registry's entry of `direction`: its documentation, fields and values. Knows nothing of how a direction is found.

use serde_json::{Value, json};

use super::fault::{fault, naming, trim};
use super::outcome::{Outcome, Weight, sample};
use super::params::{GroupBy, Method, Params};
use crate::kind::dataset_examples::Example;
use crate::kind::entry::{About, Data, Kind, Scan, form};
use crate::kind::exhibit::Exhibit;
use crate::kind::field::{Field, Kinds, Preset, Takes, Type};
use crate::kind::noise::Noise;
use crate::kind::sample::{Painted, Sample};
use crate::kind::value::{Values, counted, named, stored};
use crate::statistics::deviations;

/// A probe whose line is a direction.
const PROBE: Takes =
    Takes { kinds: Kinds::Named(&["probe"]), same_model: true, before: false, here: true };

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "direction",
    summary: "a named direction of a layer, from pictures, a probe, texts, units or other directions, for others to use as `target`",
    doc: "A direction is a vector in the space of a layer's units, scaled to length 1. Blocks that take a unit take it as `target: ID`. It is made of one of\n\n\
          - `positive` and `negative`, two groups of pictures,\n\
          - `probe` with the `class` of it, a line of a linear probe at the same layer,\n\
          - `direction`, a text, pictures, units, other directions or a sum of those, as documented by `neuronotes kinds text_rank`,\n\
          - `unit`, `units` or `target`.\n\n\
          A group is a mapping with one of `labels: […]`, the pictures of the data set with these labels; `captions: […]`, those whose caption contains one of these words; `keys: […]`, those with these keys, by which figures name pictures; `dataset: …`, all pictures of a data set; `images: […]`, pictures by their paths; and `words: […]`, words drawn as pictures. If `negative` is left out, it is all other pictures of the data set.\n\n\
          Each picture counts by the layer's activations, averaged over positions; at the embedding they are first scaled to length 1. `method: mean_difference` is the mean of the positive pictures less that of the negative ones; `logistic` is the weights of a logistic regression, in which both groups count alike; of units that say the same, each has an equal weight. A part of each group is held out: the area under the ROC curve (AUC) of these pictures says how well the direction tells apart pictures that it was not trained on, 0.5 being chance. Its interval is that of the central 95 % of 1,000 bootstrap resamples of the held-out pictures of each group.\n\n\
          A line of a `probe` is the direction along which the logit of its class rises fastest: the class's weights, each divided by the standard deviation by which its unit was standardised, and zero for units that never varied; with `against`, those of another class are subtracted. The weights of an `l2` probe add up to zero over the classes, so that a line alone sets its class against the mean of all. The AUC is that of the pictures of `class` against those of `against`, or of all other classes, on either side of the probe's own split.\n\n\
          `without` projects other directions out, so that nothing of them is left in the vector: what the two groups differ in besides. The AUC and the pictures are those after projecting out.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: living\nkind: direction\nlayer: image_block_4/0/Add_6\npositive: { captions: [apple, cat, octopus, pineapple] }\n",
    fields: &[
        Field::compute(
            "positive",
            Type::Group,
            "The pictures that the direction points to: a group, one of `labels`, `captions`, `keys`, `dataset`, `images` and `words`.",
        ),
        Field::compute(
            "negative",
            Type::Group,
            "The pictures that it points away from. By default, all other pictures of the data set.",
        ),
        Field::compute(
            "probe",
            Type::Block(PROBE),
            "A `probe` at the same layer, with `pool: mean`: the id of a block in this note, `note#id` in another note, or an id that is unique in the garden.",
        ),
        Field::compute(
            "class",
            Type::Text,
            "The class of the probe whose line is the direction.",
        ),
        Field::compute(
            "against",
            Type::Text,
            "Another class of the probe, whose line is subtracted.",
        ),
        Field::compute(
            "method",
            Type::Choice(Method::WORDS),
            "How it is found from the groups: `mean_difference`, the difference of their means, or `logistic`, the weights of a logistic regression.",
        )
        .or(Preset::Text(Method::MeanDifference.word())),
        Field::compute(
            "regularisation",
            Type::Number { min: 1e-6, max: 1000.0 },
            "Strength of the L2 penalty on the weights of the logistic regression, relative to the mean square of a picture's activations after their mean is subtracted.",
        )
        .or(Preset::Number(1e-2)),
        Field::compute(
            "group_by",
            Type::Choice(GroupBy::WORDS),
            "What pictures of the data set have in common that stay on the same side of the split: their `caption`, so that no picture held out shows a thing that another one has shown. The default is nothing: pictures are held out one by one.",
        ),
        Field::compute(
            "held_out",
            Type::Number { min: 0.0, max: 0.9 },
            "The fraction of each group that is held out; 0 uses all pictures and gives no AUC of held-out ones.",
        )
        .or(Preset::Number(0.3)),
        Field::compute("seed", Type::Seed, "Random seed for what is held out and for the bootstrap.")
            .or(Preset::Configured),
        Field::compute(
            "without",
            Type::Directions,
            "Directions that are projected out: names of blocks of the kind `direction` at the same layer, or mappings as in `direction`, such as `{ units: [3] }`; one, or a list of those.",
        ),
        Field::compute(
            "largest",
            Type::Integer { min: 1, max: 100 },
            "Number of units listed: those with the largest weights, of either sign.",
        )
        .or(Preset::Integer(10)),
        Field::compute(
            "pictures",
            Type::Integer { min: 0, max: 50 },
            "Number of pictures of the data set shown at either end of the direction.",
        )
        .or(Preset::Integer(6)),
    ],
    about: About::Target,
    data: Data::Optional,
    scan: Scan::Layer,
    captions: true,
    noise: Noise {
        intervals: &[("groups.auc", "groups.interval[0]", "groups.interval[1]")],
        ..Noise::FITTED
    },
    values: Values {
        named: &[
            named("units", "units", "Number of units of the layer."),
            named("spoiled[n].unit", "", "The n-th unit that is given the weight zero because an activation of it is NaN or infinite; `spoiled.length` is their number."),
            named("spoiled[n].key", "", "The key of the first picture for which it is."),
            named("spoiled[n].is", "", "What the activation is: `NaN` or `infinite`."),
            named("norm", "", "The vector's length before it was scaled to 1."),
            named("left", "", "The length that was left of the unit vector after projecting out."),
            named("cosines[n]", "", "The cosine with the n-th of `without` before projecting out."),
            counted("groups.images_positive", "positive", "images", "Positive pictures that it was trained on; for a probe, those of `class`."),
            counted("groups.images_positive_held_out", "positive_held_out", "images", "Positive pictures held out."),
            counted("groups.images_negative", "negative", "images", "Negative pictures that it was trained on."),
            counted("groups.images_negative_held_out", "negative_held_out", "images", "Negative pictures held out."),
            named("groups.auc_train", "", "Area under the ROC curve of the pictures that it was trained on."),
            named("groups.auc", "", "Area under the ROC curve of the pictures held out."),
            named("groups.low", "", "The lower end of its 95 % interval."),
            named("groups.high", "", "The upper end."),
            named("groups.steps", "", "Steps of the logistic regression."),
            named("largest[n].unit", "", "The unit with the n-th largest weight."),
            named("largest[n].weight", "", "Its weight; also by the unit, `largest[unit=12].weight`."),
            counted("data.images", "count", "images", "Number of images in the data set."),
            named("data.mean", "", "The direction's mean activation over the data set."),
            named("data.sd", "", "Its standard deviation."),
            named("data.strongest[n].key", "", "The key of the n-th strongest image."),
            named("data.strongest[n].caption", "", "Its caption, if there is one."),
            named("data.strongest[n].label", "", "Its label, if there is one."),
            named("data.strongest[n].activation", "", "Its activation."),
            named("data.strongest[n].deviations", "standard deviations", "Its distance from the mean."),
            named("data.weakest[n].key", "", "The key of the n-th weakest image."),
            named("data.weakest[n].caption", "", "Its caption, if there is one."),
            named("data.weakest[n].label", "", "Its label, if there is one."),
            named("data.weakest[n].activation", "", "Its activation."),
            named("data.weakest[n].deviations", "standard deviations", "Its distance from the mean."),
        ],
        of: |result| stored(result, derive),
    },
    pictures: Some(pictures),
    fault,
    naming,
    trim,
    form: form::<Params>,
    sample: |_, number| {
        let pictures = ["001.png", "002.png"].map(|name| Painted::png(name, 6, 4));
        Sample::of(&sample(number), pictures.to_vec())
    },
    ..Kind::BASE
};

fn pictures(result: Value) -> serde_json::Result<Vec<Exhibit>> {
    let outcome: Outcome = serde_json::from_value(result)?;
    let strongest = outcome.data.map(|data| data.strongest).unwrap_or_default();
    let one = |example: Example| Exhibit {
        output: example.picture,
        label: example.caption.unwrap_or(example.key),
    };
    Ok(strongest.into_iter().map(one).collect())
}

fn derive(outcome: Outcome, tree: &mut Value) {
    tree["spoiled"] = json!(outcome.spoiled);
    tree["left"] = json!(outcome.left);
    tree["cosines"] = json!(outcome.cosines);
    tree["largest"] = outcome.largest.iter().map(Weight::named).collect();
    tree["groups"] = json!(outcome.groups.map(|groups| json!({
        "positive": groups.positive.0,
        "positive_held_out": groups.positive.1,
        "negative": groups.negative.0,
        "negative_held_out": groups.negative.1,
        "auc_train": groups.auc_train,
        "auc": groups.auc,
        "low": groups.interval.map(|(low, _)| low),
        "high": groups.interval.map(|(_, high)| high),
        "steps": groups.steps,
    })));
    let Some(data) = outcome.data else {
        tree["data"] = Value::Null;
        return;
    };
    for (end, examples) in [("strongest", &data.strongest), ("weakest", &data.weakest)] {
        for (index, example) in examples.iter().enumerate() {
            let away = deviations(example.activation, data.mean, data.sd);
            tree["data"][end][index]["deviations"] = json!(away);
        }
    }
}
