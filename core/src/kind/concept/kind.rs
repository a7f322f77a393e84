//! The registry's entry.

use serde_json::{Map, Value, json};

use super::looks::{self, Looks};
use super::outcome::{Outcome, sample};
use super::params::Params;
use crate::kind::direction::GroupBy;
use crate::kind::entry::{About, Data, Fault, Kind, Scan, form};
use crate::kind::exhibit::Exhibit;
use crate::kind::feature_vis;
use crate::kind::field::{Field, Preset, Type};
use crate::kind::naming::two;
use crate::kind::noise::Noise;
use crate::kind::sample::Sample;
use crate::kind::value::{Values, counted, named, stored};

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "concept",
    summary: "whether a concept is a unit, a sum of a few units, a direction, something curved, or absent from a layer",
    doc: "Two groups of pictures, those of the concept and others, are divided into pictures to train on and pictures held out. One number compares everything: the area under the ROC curve (AUC) of held-out pictures, with the central 95 % of 1,000 bootstrap resamples.\n\n\
          - **one unit**: the unit with the AUC farthest from 0.5 on the pictures trained on, high or low,\n\
          - **a sum of k units**, k from 1 to 16: starting from that unit, the one is added whose activations have the greatest product with the residual, and a logistic regression is fitted to all of them,\n\
          - **a direction**: the difference of means, and a logistic regression on all units,\n\
          - **something curved**: a kernel logistic regression with a Gaussian kernel, whose width is the median distance between pictures; it is trained on at most 1,000 pictures of each group.\n\n\
          Beside them stand what chance gives, of which 95 % of 100 attempts are lower: the best unit and the difference of means for permuted labels, and random directions; what is left of the logistic regression after the `controls` are projected out; and the same unit and the same direction on pictures in another form (`written`), which nothing was trained on.\n\n\
          The verdict follows from these numbers. *Absent*: the interval of the best of all includes 0.5, or chance is as good. *Not linear*: the curved boundary and the better direction are outside of each other's intervals, and the curved one is better. *A unit*, *a sum of k*: the smallest number of units whose AUC is at most 0.01 below that of the better direction. *A direction*: none of these sums is that good.\n\n\
          If `controls` contain the concept themselves, so that half of its pictures or more are among those that one of them points to, or nothing is left of the direction without them, the block has a warning.\n\n\
          With `name`, the model's answer is tested, too. Held-out pictures, at most 150 of each group, are shown to the model again while the best unit, all units of the sum (the smallest that is as good as the direction, or else the longest), or the coordinate along the logistic regression's direction is set to its mean over the pictures trained on; at the embedding, to 0. What counts is the logit of the name, its AUC and its mean change for pictures of the concept, beside 20 random changes of exactly the same size: what would be added to each unit is added to another unit, and along another direction.\n\n\
          With `pictures` and `visualise` the figure shows what the best unit and the direction of the logistic regression respond to, side by side: the strongest pictures of the data set, and pictures made from noise as by `feature_vis`.\n\n\
          Activations are averaged over positions; at the embedding they are scaled to length 1.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: what-is-food\nkind: concept\nlayer: image_block_4/1/Add_6\npositive: { captions: [apple, octopus, pineapple, pizza] }\n",
    fields: &[
        Field::compute(
            "positive",
            Type::Group,
            "Pictures of the concept: a group, one of `labels`, `captions`, `keys`, `dataset`, `images` and `words`.",
        )
        .or(Preset::Required),
        Field::compute(
            "negative",
            Type::Group,
            "Other pictures. By default, all others of the data set.",
        ),
        Field::compute(
            "controls",
            Type::Directions,
            "Directions of what often comes with the concept, such as a colour or a word, which are projected out for comparison: names of blocks of the kind `direction` at the same layer, or mappings; one, or a list of those.",
        ),
        Field::compute(
            "written",
            Type::Group,
            "The concept in another form, such as `words: […]`: the unit and the direction are tested on it.",
        ),
        Field::compute("written_others", Type::Group, "Other pictures in that form."),
        Field::compute(
            "regularisation",
            Type::Number { min: 1e-6, max: 1000.0 },
            "Strength of the L2 penalty of the logistic regressions, relative to the mean square of a picture's activations after their mean is subtracted.",
        )
        .or(Preset::Number(1e-2)),
        Field::compute(
            "group_by",
            Type::Choice(GroupBy::WORDS),
            "What pictures of the data set have in common that stay on the same side of the split. The default is nothing.",
        ),
        Field::compute(
            "held_out",
            Type::Number { min: 0.05, max: 0.9 },
            "The fraction of each group that is held out.",
        )
        .or(Preset::Number(0.3)),
        Field::compute(
            "name",
            Type::Text,
            "What texts call the concept, such as `heart`. The model is then asked for it without the best unit, the units of the sum and the direction: how its logit changes for held-out pictures. It needs a text tower, and groups of pictures of the data set.",
        ),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` as a placeholder for the name. Several templates are averaged. By default, the name alone.",
        ),
        Field::compute(
            "pictures",
            Type::Integer { min: 1, max: 50 },
            "Number of the data set's strongest pictures that are shown for the best unit and for the direction of the logistic regression. By default, none are.",
        ),
        Field::compute(
            "visualise",
            Type::Choice(&feature_vis::RECIPES),
            "Visualises the best unit and the direction, too: the recipe of `feature_vis`, such as `draft`, which is the fastest. By default, they are not visualised.",
        ),
        Field::compute(
            "seed",
            Type::Seed,
            "Random seed for what is held out, the bootstrap, the permutations, the random directions and the visualisations.",
        )
        .or(Preset::Configured),
    ],
    about: About::Layer,
    data: Data::Optional,
    scan: Scan::Layer,
    captions: true,
    noise: Noise {
        // An area with its interval is a list of three.
        intervals: &[
            ("unit.auc[0]", "unit.auc[1]", "unit.auc[2]"),
            ("sums[n].auc[0]", "sums[n].auc[1]", "sums[n].auc[2]"),
            ("means[0]", "means[1]", "means[2]"),
            ("logistic[0]", "logistic[1]", "logistic[2]"),
            ("curved[0]", "curved[1]", "curved[2]"),
        ],
        ..Noise::FITTED
    },
    values: Values {
        named: &[
            named("verdict", "", "`absent`, `unit`, `sum`, `direction` or `not linear`."),
            counted("units_needed", "terms", "units", "The smallest number of units that are as good as the direction."),
            counted("images_positive[n]", "positive", "images", "Positive pictures trained on, and held out."),
            counted("images_negative[n]", "negative", "images", "Negative pictures trained on, and held out."),
            named("units", "units", "Number of units of the layer."),
            named("spoiled[n].unit", "", "The n-th unit that is left out because an activation of it is NaN or infinite; `spoiled.length` is their number."),
            named("spoiled[n].key", "", "The key of the first picture for which it is."),
            named("spoiled[n].is", "", "What the activation is: `NaN` or `infinite`."),
            named("unit.unit", "", "The best unit."),
            named("unit.low", "", "Whether it is low for the concept."),
            named("unit.train", "", "Its AUC on the pictures trained on."),
            named("unit.auc.area", "", "Its AUC on the pictures held out."),
            named("unit.auc.low", "", "The lower end of its 95 % interval."),
            named("unit.auc.high", "", "The upper end."),
            named("sums[n].unit", "", "The unit that is added as number n + 1."),
            named("sums[n].area", "", "The AUC of the sum up to it."),
            named("means", "", "The AUC of the difference of means."),
            named("logistic", "", "The AUC of the logistic regression."),
            named("curved", "", "The AUC of the kernel regression."),
            counted("images_curved_on", "curved_on", "images", "Pictures that it was trained on."),
            named("controlled", "", "The AUC of the logistic regression without the controls."),
            named("cosines[n]", "", "The cosine of the logistic regression with the n-th control."),
            counted("written.images_positive", "positive", "images", "Pictures of the concept in another form."),
            counted("written.images_negative", "negative", "images", "Other pictures in that form."),
            named("written.unit", "", "The AUC of the unit for them."),
            named("written.direction", "", "The AUC of the logistic regression for them."),
            named("chance.unit", "", "The AUC that 95 % of best units for permuted labels do not exceed."),
            named("chance.direction", "", "The same of the difference of means."),
            named("chance.random", "", "The same of random directions."),
            counted("causal.images_positive", "positive", "images", "Held-out pictures of the concept for which the logit of its name was computed."),
            counted("causal.images_negative", "negative", "images", "Other held-out pictures."),
            named("causal.auc", "", "The AUC of the logit of the concept's name."),
            named("causal.logit", "", "Its mean for pictures of the concept."),
            counted("causal.unit.directions_removed", "count", "directions", "How many units or directions are removed with the best unit."),
            named("causal.unit.auc", "", "The AUC of the logit without the best unit."),
            named("causal.unit.change.mean", "", "The mean change of the logit for pictures of the concept."),
            named("causal.unit.change.low", "", "The lower end of its 95 % interval."),
            named("causal.unit.change.high", "", "The upper end."),
            named("causal.unit.random.mean", "", "The mean of 20 random changes of the same size."),
            named("causal.unit.random.lowest", "", "The lowest of these."),
            named("causal.unit.random.highest", "", "The highest."),
            counted("causal.unit.changes_as_far", "as_far", "changes", "How many of these change the logit as much, up or down."),
            counted("causal.units.directions_removed", "count", "directions", "How many units or directions are removed with the units of the sum."),
            named("causal.units.auc", "", "The AUC of the logit without the units of the sum."),
            named("causal.units.change.mean", "", "The mean change of the logit for pictures of the concept."),
            named("causal.units.change.low", "", "The lower end of its 95 % interval."),
            named("causal.units.change.high", "", "The upper end."),
            named("causal.units.random.mean", "", "The mean of 20 random changes of the same size."),
            named("causal.units.random.lowest", "", "The lowest of these."),
            named("causal.units.random.highest", "", "The highest."),
            counted("causal.units.changes_as_far", "as_far", "changes", "How many of these change the logit as much, up or down."),
            counted("causal.direction.directions_removed", "count", "directions", "How many units or directions are removed with the direction."),
            named("causal.direction.auc", "", "The AUC of the logit without the direction."),
            named("causal.direction.change.mean", "", "The mean change of the logit for pictures of the concept."),
            named("causal.direction.change.low", "", "The lower end of its 95 % interval."),
            named("causal.direction.change.high", "", "The upper end."),
            named("causal.direction.random.mean", "", "The mean of 20 random changes of the same size."),
            named("causal.direction.random.lowest", "", "The lowest of these."),
            named("causal.direction.random.highest", "", "The highest."),
            counted("causal.direction.changes_as_far", "as_far", "changes", "How many of these change the logit as much, up or down."),
            named("shared[n].control", "", "A control some of whose pictures are of the concept: its place among the controls, from 0."),
            counted("shared[n].images", "pictures", "images", "How many of the concept's pictures are among those that it points to."),
            named("looks.unit.vis", "", "The best unit's activation for its visualisation."),
            counted("looks.unit.strongest.images_of_concept", "of_concept", "images", "How many of its strongest pictures are of the concept."),
            named("looks.unit.strongest.pictures[n].key", "", "The key of its n-th strongest picture."),
            named("looks.unit.strongest.pictures[n].caption", "", "Its caption, if there is one."),
            named("looks.unit.strongest.pictures[n].deviations", "standard deviations", "Its distance from the mean."),
            named("looks.direction.vis", "", "The direction's activation for its visualisation."),
            counted("looks.direction.strongest.images_of_concept", "of_concept", "images", "How many of its strongest pictures are of the concept."),
            named("looks.direction.strongest.pictures[n].key", "", "The key of its n-th strongest picture."),
            named("looks.direction.strongest.pictures[n].caption", "", "Its caption, if there is one."),
            named("looks.direction.strongest.pictures[n].deviations", "standard deviations", "Its distance from the mean."),
        ],
        of: |result| stored(result, derive),
    },
    pictures: Some(pictures),
    fault,
    warns: Some(warns),
    naming: |params, known| two(params, known).into_iter().collect(),
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(number), looks::painted()),
    ..Kind::BASE
};

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let has = |name: &str| fields.contains_key(name);
    let wrong =
        |field, message: &str, hint| Some(Fault { field, message: message.to_owned(), hint });
    if has("positive") && fields.get("positive") == fields.get("negative") {
        let hint = "leave `negative` out for all other pictures";
        return wrong("negative", "`positive` and `negative` must be different groups", hint);
    }
    if has("templates") && !has("name") {
        let hint = "give the `name` that is put into them";
        return wrong("templates", "`templates` needs a `name`", hint);
    }
    match (has("written"), has("written_others")) {
        (true, false) => wrong("written", "`written` needs `written_others`", "give both groups"),
        (false, true) => {
            wrong("written_others", "`written_others` needs `written`", "give both groups")
        }
        _ => None,
    }
}

fn pictures(result: Value) -> serde_json::Result<Vec<Exhibit>> {
    let outcome: Outcome = serde_json::from_value(result)?;
    Ok(outcome.looks.map(Looks::exhibits).unwrap_or_default())
}

/// What `controls` take away because they contain the concept themselves.
fn warns(result: Value) -> serde_json::Result<Option<Fault>> {
    let outcome: Outcome = serde_json::from_value(result)?;
    let all = outcome.positive.0 + outcome.positive.1;
    let message = match (outcome.contained(), outcome.exhausted()) {
        (Some((at, own)), _) => format!(
            "`controls` contain the concept: {own} of its {all} pictures are among those that number {} of them points to",
            at + 1
        ),
        (None, true) => {
            "nothing is left of the concept's direction without `controls`: they contain it"
                .to_owned()
        }
        (None, false) => return Ok(None),
    };
    let hint = "what is left without the controls says little then; leave the concept's own pictures out of them";
    Ok(Some(Fault { field: "controls", message, hint }))
}

fn derive(outcome: Outcome, tree: &mut Value) {
    tree["verdict"] = outcome.verdict().word().into();
    tree["terms"] = json!(outcome.terms());
    tree["spoiled"] = json!(outcome.spoiled);
    tree["unit"]["auc"] = outcome.unit.auc.named();
    for (index, sum) in outcome.sums.iter().enumerate() {
        tree["sums"][index]["area"] = sum.auc.area.into();
    }
    for (name, auc) in [
        ("means", Some(&outcome.means)),
        ("logistic", Some(&outcome.logistic)),
        ("curved", Some(&outcome.curved)),
        ("controlled", outcome.controlled.as_ref()),
    ] {
        tree[name] = json!(auc.map(|auc| auc.area));
    }
    tree["cosines"] = json!(outcome.cosines);
    let shared = outcome.shared.iter();
    tree["shared"] = shared
        .map(|(control, pictures)| json!({ "control": control, "pictures": pictures }))
        .collect();
    if let Some(causal) = &outcome.causal {
        causal.derive(&mut tree["causal"]);
    }
    if let Some(looks) = &outcome.looks {
        looks.derive(&mut tree["looks"]);
    }
    match &outcome.written {
        None => tree["written"] = Value::Null,
        Some(written) => {
            tree["written"]["unit"] = written.unit.area.into();
            tree["written"]["direction"] = written.direction.area.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_form_needs_both_of_its_groups() {
        let wrong = |names: &[&str]| {
            let fields = names.iter().map(|name| ((*name).to_owned(), json!({ "words": [name] })));
            KIND.faulty(&fields.collect()).map(|fault| fault.field)
        };
        assert_eq!(wrong(&["positive", "written", "written_others"]), None);
        assert_eq!(wrong(&["positive", "written"]), Some("written"));
        assert_eq!(wrong(&["positive", "written_others"]), Some("written_others"));
        assert_eq!(wrong(&["positive", "templates"]), Some("templates"));
        assert_eq!(wrong(&["positive", "templates", "name"]), None);
    }
}
