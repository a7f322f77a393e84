//! The registry's entry: the fields of a block, which of them go together, and the values that prose can show.

use serde_json::{Map, Value, json};

use super::classes::naming;
use super::outcome::{MOST_WEIGHTS, Outcome, sample};
use super::params::{GroupBy, Params, Penalty, Truth};
use crate::kind::entry::{About, Data, Fault, Kind, Scan, form};
use crate::kind::field::{Field, Preset, Type};
use crate::kind::noise::Noise;
use crate::kind::sample::Sample;
use crate::kind::scan::POOL;
use crate::kind::value::{Values, counted, named, stored};
use crate::statistics::{part, wilson};

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "probe",
    summary: "a linear classifier of a data set's images on the units of a layer",
    doc: "Multinomial logistic regression on the pooled activations of all units of the layer. Each unit is standardised: its mean over the images that the probe is fitted to is subtracted, and the rest divided by its standard deviation; weights are in units of that deviation. The objective is the mean of −log p over these images plus the penalty; biases are not penalised. Units that never vary are left out. Of units that say the same, `l2` gives each an equal weight; with `l1` any one of them may have all of it.\n\nThe penalty `l2` is λ/2 times the sum of the squared weights, and every unit takes part; `l1` is λ times the sum of their absolute values, and most weights are zero, so that each class is a sum of a few units. With `l1` the figure shows the accuracy against the number of terms, from the greatest penalty, at which all weights are zero, along the path of falling ones.\n\nA fraction of each class is held out by chance, at least one image of each class with two or more; a class of one image is learnt from only. With `group_by`, images with the same caption, label or folder stay on one side, so that what is held out is new. Groups are then chosen by chance, whatever their classes, and a class that is left without images to learn from is an error; with `stratify`, they are chosen so that of each class about the same fraction is held out. Accuracy has Wilson's 95 % interval, and is shown beside that of always predicting the most common class. Calibration compares the probability of predictions with their accuracy, on held-out images.\n\nThe figure states a bound on the distance to the minimum (for `l1` the duality gap), relative to the loss without weights, and whether it is within 10⁻⁴. Uses the same stored scan of the layer as `dataset_examples`.\n\nMethods: L-BFGS (Liu and Nocedal 1989) for `l2`; for `l1` proximal Newton steps along a path of penalties (Friedman, Hastie and Tibshirani, *Regularization Paths for Generalized Linear Models via Coordinate Descent*, 2010) with the strong rules of Tibshirani et al. 2012. Sparse probes of a layer: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021.",
    example: "id: groups\nkind: probe\nlayer: image_block_4/1/Add_6\npenalty: l1\nterms: 3\ngroup_by: caption\n",
    fields: &[
        POOL,
        Field::compute(
            "truth",
            Type::Choice(Truth::WORDS),
            "The source of an image's class: its label or its caption.",
        )
        .or(Preset::Text(Truth::Label.word())),
        Field::compute(
            "classes",
            Type::Texts,
            "The classes: a list of labels or captions, compared ignoring case. Images of other classes are left out. The default is every label or caption of the data set.",
        ),
        Field::compute(
            "penalty",
            Type::Choice(Penalty::WORDS),
            "What is penalised: `l2`, the squares of the weights, or `l1`, their absolute values, which makes most of them zero.",
        )
        .or(Preset::Text(Penalty::L2.word())),
        Field::compute(
            "regularisation",
            Type::Number { min: 1e-6, max: 1e3 },
            "Strength of the penalty, λ. The default is 0.01 with `l2`; with `l1`, it follows from `terms`.",
        ),
        Field::compute(
            "terms",
            Type::Number { min: 0.1, max: 1000.0 },
            "With `l1`, instead of `regularisation`: the maximum number of weights other than zero for each class, on average. The default is 3, as in the article.",
        ),
        Field::compute(
            "non_negative",
            Type::Flag,
            "With `l1`: whether weights below zero are excluded, so that each class is a sum of what speaks for it.",
        )
        .or(Preset::Flag(false)),
        Field::compute(
            "held_out",
            Type::Number { min: 0.05, max: 0.9 },
            "Fraction of the images that is held out.",
        )
        .or(Preset::Number(0.25)),
        Field::compute(
            "group_by",
            Type::Choice(GroupBy::WORDS),
            "What images have in common that stay on the same side of the split: their caption, their label, or the folder that they are in. The default is nothing: images are held out one by one.",
        ),
        Field::compute(
            "stratify",
            Type::Flag,
            "With `group_by`: whether whole groups are held out such that of each class about the fraction `held_out` is. Groups are drawn by chance and then change sides as long as that brings the classes nearer to it; each class keeps images to learn from, and has one held out if it has images in two groups. The default is `false`.",
        ),
        Field::compute("seed", Type::Seed, "Random seed of the split.").or(Preset::Configured),
        Field::presentation(
            "top",
            Type::Integer { min: 1, max: MOST_WEIGHTS as i64 },
            "Maximum number of terms shown for each class.",
        )
        .or(Preset::Integer(6)),
    ],
    // 2: paths with other steps, as near to the minimum as before but not the same.
    impl_version: 3,
    about: About::Layer,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    noise: Noise {
        counts: &[
            "held_out.right",
            "held_out.top5",
            "train.right",
            "train.top5",
            "classes[n].right",
            "calibration[n].of",
            "calibration[n].right",
            "path[n].held_out",
            "path[n].train",
        ],
        aside: &["gap", "steps"],
        ..Noise::FITTED
    },
    values: Values {
        named: &[
            named("classes[n].label", "", "The n-th class; also by its label, `classes[label=cat]`."),
            counted("classes[n].images_fitted", "train", "images", "Number of its images that the probe was fitted to."),
            counted("classes[n].images_held_out", "of", "images", "Number of its held-out images."),
            counted("classes[n].images_right", "right", "images", "Number of these that are classified correctly."),
            named("classes[n].accuracy", "fraction", "`images_right` divided by `images_held_out`."),
            named("classes[n].bias", "", "Its bias."),
            named("classes[n].terms", "terms", "Number of its weights other than zero."),
            named("classes[n].weights[n].unit", "", "The unit of its n-th weight, the greatest first."),
            named("classes[n].weights[n].weight", "", "The weight, in units of the unit's standard deviation."),
            named("units", "units", "Number of units."),
            counted("units_constant", "constant", "units", "Number of units that never vary, and so are left out."),
            named("spoiled[n].unit", "", "The n-th unit that is left out because an activation of it is NaN or infinite; `spoiled.length` is their number."),
            named("spoiled[n].key", "", "The key of the first picture for which it is."),
            named("spoiled[n].is", "", "What the activation is: `NaN` or `infinite`."),
            counted("images_unlabelled", "unlabelled", "images", "Number of images without the caption or label that `truth` names."),
            counted("images_outside", "outside", "images", "Number of images that are of none of the classes."),
            named("regularisation", "", "Strength of the penalty, λ."),
            named("terms", "terms", "Weights other than zero for each class, on average."),
            counted("train.images", "of", "images", "Number of images that the probe was fitted to."),
            counted("train.images_right", "right", "images", "Number of these that are classified correctly."),
            counted("train.images_top5", "top5", "images", "Number of these whose class is among the five most probable."),
            named("train.loss", "", "Mean of −log p over these."),
            named("train.accuracy", "fraction", "`train.images_right` divided by `train.images`."),
            counted("held_out.images", "of", "images", "Number of held-out images."),
            counted("held_out.images_right", "right", "images", "Number of these that are classified correctly."),
            counted("held_out.images_top5", "top5", "images", "Number of these whose class is among the five most probable."),
            named("held_out.loss", "", "Mean of −log p over these."),
            named("held_out.accuracy", "fraction", "`held_out.images_right` divided by `held_out.images`."),
            named("held_out.low", "fraction", "The lower bound of Wilson's 95 % interval for that."),
            named("held_out.high", "fraction", "Its upper bound."),
            counted("images_of_commonest", "commonest", "images", "Number of held-out images that are right if always the most common class is predicted."),
            named("calibration_error", "fraction", "Expected calibration error of held-out images, in ten bins."),
            named("path[n].regularisation", "", "With `l1`: λ at the n-th step of the path."),
            named("path[n].terms", "terms", "Weights other than zero for each class, on average."),
            named("path[n].accuracy", "fraction", "Accuracy on held-out images."),
            named("gap", "", "A bound on the distance to the minimum, relative to the loss without weights."),
            named("steps", "steps", "Number of optimisation steps."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    naming,
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(1.0 + number.abs()), vec![]),
    ..Kind::BASE
};

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let has = |name: &str| fields.contains_key(name);
    let is = |name: &str, word: &str| fields.get(name).is_some_and(|value| value == word);
    let wrong =
        |field, message: &str, hint| Some(Fault { field, message: message.to_owned(), hint });
    let sparse = is("penalty", Penalty::L1.word());
    let truth = fields.get("truth").and_then(Value::as_str).unwrap_or(Truth::Label.word());
    let classes: Option<Vec<&str>> = fields
        .get("classes")
        .and_then(Value::as_array)
        .map(|classes| classes.iter().filter_map(Value::as_str).collect());
    let twice = classes.as_ref().and_then(|classes| {
        let lower: Vec<String> = classes.iter().map(|class| class.trim().to_lowercase()).collect();
        let again = (0..lower.len()).find(|&at| lower[..at].contains(&lower[at]))?;
        classes.get(again).copied()
    });
    if let Some(class) = twice {
        let message = format!("`classes` lists `{class}` more than once");
        let hint = "name each class once: upper and lower case make no difference";
        return Some(Fault { field: "classes", message, hint });
    }
    match classes.map(|classes| classes.len()) {
        Some(0 | 1) => {
            return wrong(
                "classes",
                "a probe needs at least two classes",
                "list others to tell it from",
            );
        }
        _ if is("group_by", truth) => {
            let message = format!("images of one {truth} are one class, and would stay together");
            let hint = "group by something else, or leave `group_by` out";
            return Some(Fault { field: "group_by", message, hint });
        }
        _ if has("stratify") && !has("group_by") => {
            let message = "`stratify` needs `group_by`";
            return wrong("stratify", message, "single images are always held out class by class");
        }
        _ => {}
    }
    match (has("terms"), has("regularisation"), has("non_negative")) {
        (true, true, _) => wrong(
            "terms",
            "`terms` and `regularisation` cannot be combined",
            "`terms` chooses the strength of the penalty",
        ),
        (true, _, _) if !sparse => {
            wrong("terms", "`terms` needs `penalty: l1`", "with `l2` every unit takes part")
        }
        (_, _, true) if !sparse => {
            wrong("non_negative", "`non_negative` needs `penalty: l1`", "add it, or remove this")
        }
        _ => None,
    }
}

fn derive(outcome: Outcome, tree: &mut Value) {
    let share = |right: u64, of: u64| if of > 0 { json!(part(right, of)) } else { Value::Null };
    tree["spoiled"] = json!(outcome.spoiled);
    tree["terms"] = outcome.terms().into();
    tree["calibration_error"] = outcome.calibration_error().into();
    for (index, line) in outcome.classes.iter().enumerate() {
        tree["classes"][index]["accuracy"] = share(line.right, line.of);
    }
    for (name, score) in [("train", outcome.train), ("held_out", outcome.held_out)] {
        tree[name]["accuracy"] = share(score.right, score.of);
    }
    let (low, high) = wilson(outcome.held_out.right, outcome.held_out.of);
    tree["held_out"]["low"] = low.into();
    tree["held_out"]["high"] = high.into();
    for (index, step) in outcome.path.iter().enumerate() {
        tree["path"][index]["accuracy"] = share(step.held_out, outcome.held_out.of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_exclude_each_other_are_named() {
        let fault = |fields: Value| {
            let Value::Object(fields) = fields else { unreachable!() };
            (KIND.fault)(&fields).map(|fault| fault.field)
        };
        for (fields, field) in [
            (json!({ "terms": 3 }), Some("terms")),
            (json!({ "classes": ["cat", "dog", "Cat"] }), Some("classes")),
            (json!({ "classes": ["cat", "dog"] }), None),
            (json!({ "terms": 3, "penalty": "l1" }), None),
            (json!({ "terms": 3, "penalty": "l1", "regularisation": 0.1 }), Some("terms")),
            (json!({ "non_negative": true, "penalty": "l2" }), Some("non_negative")),
            (json!({ "classes": ["cat"] }), Some("classes")),
            (json!({ "group_by": "label" }), Some("group_by")),
            (json!({ "group_by": "label", "truth": "caption" }), None),
            (json!({ "group_by": "caption", "truth": "caption" }), Some("group_by")),
            (json!({ "group_by": "caption" }), None),
            (json!({ "group_by": "caption", "stratify": true }), None),
            (json!({ "stratify": true }), Some("stratify")),
        ] {
            assert_eq!(fault(fields.clone()), field, "{fields}");
        }
    }
}
