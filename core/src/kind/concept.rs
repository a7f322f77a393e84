//! `concept`: is a concept a unit, a sum of a few units, a direction, something curved, or absent from a layer?

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::direction::{GroupBy, LEAST};
use super::entry::{About, Data, Fault, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::group::Group;
use super::sample::Sample;
use super::term::Term;
use super::tuple::tuple;
use super::value::{Values, named, stored};
use super::words::words;
use crate::model::Place;

/// The most units in a sum.
pub const MOST_TERMS: usize = 16;
/// Permutations of the labels, and random directions.
pub const CHANCES: usize = 100;
/// How far below the direction's AUC a unit or a sum may be and still be said to be as good.
pub const MARGIN: f64 = 0.01;
/// Pictures of a group that at least must be trained on, and held out.
pub const FEWEST: usize = LEAST + 2;

/// Parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The layer.
    pub layer: Place,
    /// Pictures of the concept.
    pub positive: Group,
    /// Other pictures; all others of the data set if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<Group>,
    /// Directions that are projected out for comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controls: Option<Vec<Vec<Term>>>,
    /// Pictures of the concept in another form, which nothing was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Group>,
    /// Other pictures in that form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_others: Option<Group>,
    /// Strength of the L2 penalty of the regressions.
    pub regularisation: f64,
    /// What pictures have in common that are held out together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// The fraction of each group that is held out.
    pub held_out: f64,
    /// Random seed.
    pub seed: u64,
}

tuple! {
    /// An area under the ROC curve of held-out pictures.
    pub struct Auc {
        /// The area.
        pub area: f64,
        /// The lower end of its 95 % interval.
        pub low: f64,
        /// The upper end.
        pub high: f64,
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Positive pictures that were trained on, and those held out.
    pub positive: (u64, u64),
    /// Negative pictures that were trained on, and those held out.
    pub negative: (u64, u64),
    /// Number of units of the layer.
    pub units: u32,
    /// The unit that is best on the pictures trained on.
    pub unit: Single,
    /// Sums of 1, 2, … units.
    pub sums: Vec<Sum>,
    /// The difference of means.
    pub means: Auc,
    /// A logistic regression on all units.
    pub logistic: Auc,
    /// A kernel logistic regression, which can be curved.
    pub curved: Auc,
    /// Pictures that the kernel regression was trained on.
    pub curved_on: u64,
    /// The logistic regression's direction without the controls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controlled: Option<Auc>,
    /// Its cosine with each control before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cosines: Vec<f64>,
    /// The same unit and the same direction on pictures of another form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Written>,
    /// What chance gives.
    pub chance: Chance,
}

/// A single unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Single {
    /// The channel, from 0.
    pub unit: u32,
    /// Whether it is low for the concept.
    pub low: bool,
    /// Its AUC on the pictures trained on.
    pub train: f64,
    /// Its AUC.
    pub auc: Auc,
}

/// A sum of units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// The unit that was added last.
    pub unit: u32,
    /// The AUC of all up to it.
    pub auc: Auc,
}

/// Pictures in another form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Pictures of the concept.
    pub positive: u64,
    /// Other pictures.
    pub negative: u64,
    /// The unit's AUC.
    pub unit: Auc,
    /// The direction's AUC.
    pub direction: Auc,
}

/// AUCs that 95 % of random attempts do not exceed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chance {
    /// Of the best unit for permuted labels.
    pub unit: f64,
    /// Of the difference of means for permuted labels.
    pub direction: f64,
    /// Of random directions.
    pub random: f64,
}

words! {
    /// What a concept is at a layer.
    pub enum Verdict {
        /// Nothing tells its pictures apart better than chance.
        Absent = "absent",
        /// One unit is as good as the direction.
        Unit = "unit",
        /// A sum of a few units is.
        Sum = "sum",
        /// Only all units together are.
        Direction = "direction",
        /// A curved boundary is better than any direction.
        NotLinear = "not linear",
    }
}

impl Outcome {
    /// The verdict by the rule that the kind documents.
    pub fn verdict(&self) -> Verdict {
        let linear = self.linear();
        let chance = self.chance.unit.max(self.chance.direction).max(self.chance.random);
        let best = if self.curved.area > linear.area { &self.curved } else { linear };
        if best.low <= 0.5 || best.area <= chance {
            return Verdict::Absent;
        }
        if self.curved.low > linear.area && self.curved.area > linear.high {
            return Verdict::NotLinear;
        }
        match self.terms() {
            Some(1) => Verdict::Unit,
            Some(_) => Verdict::Sum,
            None => Verdict::Direction,
        }
    }

    /// The better of the two directions.
    pub fn linear(&self) -> &Auc {
        if self.means.area > self.logistic.area { &self.means } else { &self.logistic }
    }

    /// The smallest number of units whose AUC is within [`MARGIN`] of the direction's.
    pub fn terms(&self) -> Option<usize> {
        let enough = self.linear().area - MARGIN;
        self.sums.iter().position(|sum| sum.auc.area >= enough).map(|at| at + 1)
    }
}

/// A made-up outcome in which a sum of three units has this AUC.
pub fn sample(area: f64) -> Outcome {
    let auc = |area: f64| Auc { area, low: area - 0.05, high: area + 0.05 };
    let sum = |(unit, area): (u32, f64)| Sum { unit, auc: auc(area) };
    Outcome {
        positive: (33, 15),
        negative: (1012, 434),
        units: 64,
        unit: Single { unit: 12, low: false, train: 0.82, auc: auc(area - 0.2) },
        sums: [(12, area - 0.2), (3, area - 0.1), (40, area)].map(sum).to_vec(),
        means: auc(area - 0.02),
        logistic: auc(area + 0.005),
        curved: auc(area - 0.01),
        curved_on: 1045,
        controlled: Some(auc(area - 0.15)),
        cosines: vec![0.4],
        written: Some(Written {
            positive: 16,
            negative: 482,
            unit: auc(area - 0.25),
            direction: auc(area - 0.1),
        }),
        chance: Chance { unit: 0.6, direction: 0.58, random: 0.62 },
    }
}

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
          Activations are averaged over positions; at the embedding they are scaled to length 1.",
    example: "id: what-is-food\nkind: concept\nlayer: image_block_4/1/Add_6\npositive: { captions: [apple, octopus, pineapple, pizza] }\n",
    fields: &[
        Field::compute(
            "positive",
            Type::Group,
            "Pictures of the concept: a group, one of `labels`, `captions`, `dataset`, `images` and `words`.",
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
            "seed",
            Type::Seed,
            "Random seed for what is held out, the bootstrap, the permutations and the random directions.",
        )
        .or(Preset::Configured),
    ],
    about: About::Layer,
    data: Data::Optional,
    scan: Scan::Layer,
    captions: true,
    values: Values {
        named: &[
            named("verdict", "", "`absent`, `unit`, `sum`, `direction` or `not linear`."),
            named("terms", "units", "The smallest number of units that are as good as the direction."),
            named("positive[n]", "pictures", "Positive pictures trained on, and held out."),
            named("negative[n]", "pictures", "Negative pictures trained on, and held out."),
            named("units", "units", "Number of units of the layer."),
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
            named("curved_on", "pictures", "Pictures that it was trained on."),
            named("controlled", "", "The AUC of the logistic regression without the controls."),
            named("cosines[n]", "", "The cosine of the logistic regression with the n-th control."),
            named("written.positive", "pictures", "Pictures of the concept in another form."),
            named("written.negative", "pictures", "Other pictures in that form."),
            named("written.unit", "", "The AUC of the unit for them."),
            named("written.direction", "", "The AUC of the logistic regression for them."),
            named("chance.unit", "", "The AUC that 95 % of best units for permuted labels do not exceed."),
            named("chance.direction", "", "The same of the difference of means."),
            named("chance.random", "", "The same of random directions."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(number), vec![]),
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
    match (has("written"), has("written_others")) {
        (true, false) => wrong("written", "`written` needs `written_others`", "give both groups"),
        (false, true) => {
            wrong("written_others", "`written_others` needs `written`", "give both groups")
        }
        _ => None,
    }
}

fn derive(outcome: Outcome, tree: &mut Value) {
    tree["verdict"] = outcome.verdict().word().into();
    tree["terms"] = json!(outcome.terms());
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
    fn each_verdict_follows_from_the_numbers() {
        let auc = |area: f64| Auc { area, low: area - 0.05, high: (area + 0.05).min(1.0) };
        let sum = sample(0.9);
        assert_eq!((sum.verdict(), sum.terms()), (Verdict::Sum, Some(3)));
        let mut unit = sum.clone();
        unit.sums[0].auc = auc(0.9);
        assert_eq!((unit.verdict(), unit.terms()), (Verdict::Unit, Some(1)));
        let direction = Outcome { logistic: auc(0.93), ..sum.clone() };
        assert_eq!((direction.verdict(), direction.terms()), (Verdict::Direction, None));
        let curved = Outcome { curved: auc(0.99), ..sum.clone() };
        assert_eq!(curved.verdict(), Verdict::NotLinear);
        // Better, but not by more than the interval.
        let near = Outcome { curved: auc(0.93), ..sum.clone() };
        assert_eq!(near.verdict(), Verdict::Sum);
        let absent =
            Outcome { means: auc(0.54), logistic: auc(0.53), curved: auc(0.52), ..sum.clone() };
        assert_eq!(absent.verdict(), Verdict::Absent);
        let lucky = Chance { unit: 0.95, ..sum.chance.clone() };
        assert_eq!(Outcome { chance: lucky, ..sum }.verdict(), Verdict::Absent);
    }

    #[test]
    fn another_form_needs_both_of_its_groups() {
        let wrong = |names: &[&str]| {
            let fields = names.iter().map(|name| ((*name).to_owned(), json!({ "words": [name] })));
            KIND.faulty(&fields.collect()).map(|fault| fault.field)
        };
        assert_eq!(wrong(&["positive", "written", "written_others"]), None);
        assert_eq!(wrong(&["positive", "written"]), Some("written"));
        assert_eq!(wrong(&["positive", "written_others"]), Some("written_others"));
    }
}
