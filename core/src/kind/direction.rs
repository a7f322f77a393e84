//! `direction`: a named direction in the space of a layer's units, for other blocks to take as their `target`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::about::about;
use super::dataset_examples::Example;
use super::entry::{About, Data, Fault, Kind, Scan, form};
use super::exhibit::Exhibit;
use super::field::{Field, Kinds, Preset, Takes, Type};
use super::group::Group;
use super::sample::{Painted, Sample};
use super::target;
use super::term::Term;
use super::tuple::tuple;
use super::value::{Values, named, stored};
use super::words::words;
use crate::statistics::deviations;

/// A direction, as other blocks use it.
pub const TAKEN: Takes =
    Takes { kinds: Kinds::Named(&["direction"]), same_model: true, before: false };
/// The output with the f32 tensor [`VECTOR`].
pub const FILE: &str = "direction.safetensors";
/// The name of the tensor: `[units]`, of length 1.
pub const VECTOR: &str = "direction";
/// Minimum number of pictures of a group for training, and for testing if any are held out.
pub const LEAST: usize = 2;

about! {
    /// Parameters of the direction: a unit, a sum of terms, or two groups of pictures.
    pub struct Params {
        /// The pictures that it points towards.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub positive: Option<Group>,
        /// The pictures that it points away from; all others of the data set if it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub negative: Option<Group>,
        /// How it is found from groups.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub method: Option<Method>,
        /// Strength of the L2 penalty of the logistic regression.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub regularisation: Option<f64>,
        /// What pictures have in common that are held out together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub group_by: Option<GroupBy>,
        /// The fraction of each group that is held out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_out: Option<f64>,
        /// Random seed for the split and the bootstrap.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub seed: Option<u64>,
        /// Directions that are projected out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub without: Option<Vec<Vec<Term>>>,
        /// Number of its largest units that are listed.
        pub largest: u32,
        /// Number of strongest and of weakest pictures.
        pub pictures: u32,
    }
}

words! {
    /// How a direction is found from two groups.
    pub enum Method {
        /// The mean of the positive pictures less the mean of the negative ones.
        MeanDifference = "mean_difference",
        /// The weights of a logistic regression.
        Logistic = "logistic",
    }
}

words! {
    /// What pictures have in common that are held out together.
    pub enum GroupBy {
        /// Their caption.
        Caption = "caption",
    }
}

/// The result, without the vector and the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of units of the layer.
    pub units: u32,
    /// Length of the vector before it was scaled to 1 and anything was projected out.
    pub norm: f64,
    /// Length of the unit vector that was left after projecting out, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<f64>,
    /// For each of `without` its cosine with the direction before it was projected out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cosines: Vec<f64>,
    /// How well it distinguishes the groups, if it is made of groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// The units with the largest weights, of either sign, the largest first.
    pub largest: Vec<Weight>,
    /// Its pictures, if there is a data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Shown>,
}

tuple! {
    /// A unit's weight in the direction.
    pub struct Weight {
        /// The channel, from 0.
        pub unit: u32,
        /// Its coordinate in the unit vector.
        pub weight: f64,
    }
}

/// How well a direction distinguishes its groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// Positive pictures that it was trained on, and those held out.
    pub positive: (u64, u64),
    /// Negative pictures that it was trained on, and those held out.
    pub negative: (u64, u64),
    /// Area under the ROC curve of the pictures that it was trained on.
    pub auc_train: f64,
    /// The same for the pictures held out, if any were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Its bootstrap interval of 95 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// Steps of the logistic regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
}

/// The pictures of a data set at both ends of a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Images in the data set.
    pub count: u64,
    /// The mean activation of the direction.
    pub mean: f64,
    /// Its standard deviation (of the population).
    pub sd: f64,
    /// The images with the strongest activations, the strongest first.
    pub strongest: Vec<Example>,
    /// The images with the weakest activations, the weakest first.
    pub weakest: Vec<Example>,
}

/// A made-up outcome with this AUC.
pub fn sample(auc: f64) -> Outcome {
    let example = |key: &str, activation: f64| Example {
        key: key.to_owned(),
        caption: None,
        label: None,
        activation,
        picture: format!("{key}.png"),
        width: 6,
        height: 4,
    };
    Outcome {
        units: 64,
        norm: 2.5,
        left: Some(0.8),
        cosines: vec![0.6],
        groups: Some(Groups {
            positive: (6, 2),
            negative: (18, 6),
            auc_train: 0.99,
            auc: Some(auc),
            interval: Some((0.5, 1.0)),
            steps: Some(7),
        }),
        largest: vec![(12, 0.75).into(), (3, -0.5).into()],
        data: Some(Shown {
            count: 32,
            mean: 0.5,
            sd: 0.25,
            strongest: vec![example("001", 1.5)],
            weakest: vec![example("002", -0.5)],
        }),
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "direction",
    summary: "a named direction of a layer, from pictures, texts, units or other directions, for others to use as `target`",
    doc: "A direction is a vector in the space of a layer's units, scaled to length 1. Blocks that take a unit take it as `target: ID`. It is made of one of\n\n\
          - `positive` and `negative`, two groups of pictures,\n\
          - `direction`, a text, pictures, units, other directions or a sum of those, as documented by `neuronotes kinds text_rank`,\n\
          - `unit`, `units` or `target`.\n\n\
          A group is a mapping with one of `labels: […]`, the pictures of the data set with these labels; `captions: […]`, those whose caption contains one of these words; `dataset: …`, all pictures of a data set; `images: […]`, pictures by their paths; and `words: […]`, words drawn as pictures. If `negative` is left out, it is all other pictures of the data set.\n\n\
          Each picture counts by the layer's activations, averaged over positions; at the embedding they are first scaled to length 1. `method: mean_difference` is the mean of the positive pictures less that of the negative ones; `logistic` is the weights of a logistic regression, in which both groups count alike. A part of each group is held out: the area under the ROC curve (AUC) of these pictures says how well the direction tells apart pictures that it was not trained on, 0.5 being chance. Its interval is that of the central 95 % of 1,000 bootstrap resamples of the held-out pictures of each group.\n\n\
          `without` projects other directions out, so that nothing of them is left in the vector: what the two groups differ in besides. The AUC and the pictures are those after projecting out.",
    example: "id: living\nkind: direction\nlayer: image_block_4/0/Add_6\npositive: { captions: [apple, cat, octopus, pineapple] }\n",
    fields: &[
        Field::compute(
            "positive",
            Type::Group,
            "The pictures that the direction points to: a group, one of `labels`, `captions`, `dataset`, `images` and `words`.",
        ),
        Field::compute(
            "negative",
            Type::Group,
            "The pictures that it points away from. By default, all other pictures of the data set.",
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
    values: Values {
        named: &[
            named("units", "units", "Number of units of the layer."),
            named("norm", "", "The vector's length before it was scaled to 1."),
            named("left", "", "The length that was left of the unit vector after projecting out."),
            named("cosines[n]", "", "The cosine with the n-th of `without` before projecting out."),
            named("groups.positive", "pictures", "Positive pictures that it was trained on."),
            named("groups.positive_held_out", "pictures", "Positive pictures held out."),
            named("groups.negative", "pictures", "Negative pictures that it was trained on."),
            named("groups.negative_held_out", "pictures", "Negative pictures held out."),
            named("groups.auc_train", "", "Area under the ROC curve of the pictures that it was trained on."),
            named("groups.auc", "", "Area under the ROC curve of the pictures held out."),
            named("groups.low", "", "The lower end of its 95 % interval."),
            named("groups.high", "", "The upper end."),
            named("groups.steps", "", "Steps of the logistic regression."),
            named("largest[n].unit", "", "The unit with the n-th largest weight."),
            named("largest[n].weight", "", "Its weight; also by the unit, `largest[unit=12].weight`."),
            named("data.count", "images", "Number of images in the data set."),
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
    trim,
    form: form::<Params>,
    sample: |_, number| {
        let pictures = ["001.png", "002.png"].map(|name| Painted::png(name, 6, 4));
        Sample::of(&sample(number), pictures.to_vec())
    },
    ..Kind::BASE
};

/// Fields about groups, without effect where there are none.
const OF_GROUPS: [&str; 6] =
    ["negative", "method", "regularisation", "group_by", "held_out", "seed"];

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let has = |name: &str| fields.contains_key(name);
    let wrong = |field, message: String, hint| Some(Fault { field, message, hint });
    if has("positive") {
        if let Some(name) = target::given(fields).first() {
            let message = format!("a direction can have only one of `positive` and `{name}`");
            return wrong(name, message, "give each a block of its own, and add them in a `sum`");
        }
        if fields.get("positive") == fields.get("negative") {
            let message = "`positive` and `negative` must be different groups".to_owned();
            return wrong("negative", message, "leave `negative` out for all other pictures");
        }
        let logistic = fields.get("method").is_some_and(|m| m == Method::Logistic.word());
        if has("regularisation") && !logistic {
            let message = "only a logistic regression has a `regularisation`".to_owned();
            return wrong("regularisation", message, "remove it, or add `method: logistic`");
        }
        return None;
    }
    if let Some(name) = OF_GROUPS.into_iter().find(|name| has(name)) {
        let message = format!("`{name}` needs a `positive`");
        return wrong(name, message, "it is about groups of pictures");
    }
    if target::given(fields).is_empty() {
        let message = format!("`{}` needs `positive`, or {}", KIND.name, target::ONE_OF);
        return wrong("kind", message, "`positive: { captions: [cat] }` are pictures of cats");
    }
    target::several(fields).or_else(|| target::without_layer(fields))
}

fn trim(params: &mut Map<String, Value>) {
    if !params.contains_key("positive") {
        OF_GROUPS.iter().for_each(|name| drop(params.remove(*name)));
    }
    if params.get("method").is_none_or(|method| method != Method::Logistic.word()) {
        params.remove("regularisation");
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, Value)]) -> Map<String, Value> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_direction_is_of_groups_or_of_terms_and_not_of_both() {
        let wrong = |pairs: &[(&str, Value)]| KIND.faulty(&fields(pairs)).map(|f| f.message);
        let cats = json!({ "captions": ["cat"] });
        assert_eq!(wrong(&[("positive", cats.clone())]), None);
        assert_eq!(wrong(&[("target", json!("a"))]), None);
        assert!(wrong(&[]).is_some_and(|m| m.starts_with("`direction` needs `positive`")));
        let both = [("positive", cats.clone()), ("target", json!("a"))];
        assert!(wrong(&both).is_some_and(|m| m.contains("one of `positive` and `target`")));
        let same = [("positive", cats.clone()), ("negative", cats.clone())];
        assert!(wrong(&same).is_some_and(|m| m.contains("different groups")));
        let alone = [("target", json!("a")), ("held_out", json!(0.5))];
        assert_eq!(wrong(&alone), Some("`held_out` needs a `positive`".to_owned()));
        let means = [("positive", cats), ("regularisation", json!(1.0))];
        assert!(wrong(&means).is_some_and(|m| m.contains("only a logistic regression")));
    }

    #[test]
    fn a_request_holds_only_what_decides_its_result() {
        let all = || {
            fields(&[
                ("method", json!("logistic")),
                ("regularisation", json!(0.01)),
                ("held_out", json!(0.3)),
                ("seed", json!(0)),
                ("largest", json!(10)),
            ])
        };
        let mut of_terms = all();
        trim(&mut of_terms);
        assert_eq!(of_terms.keys().collect::<Vec<_>>(), ["largest"]);
        let mut of_groups = all();
        of_groups.insert("positive".to_owned(), json!({ "labels": ["a"] }));
        let mut of_means = of_groups.clone();
        trim(&mut of_groups);
        assert_eq!(of_groups.len(), 6);
        of_means["method"] = Method::MeanDifference.word().into();
        trim(&mut of_means);
        assert!(of_means.len() == 5 && !of_means.contains_key("regularisation"));
    }
}
