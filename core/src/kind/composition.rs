//! `composition`: the units that the classes of a linear probe are made of, an equation for each class.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::{Fault, Kind, form};
use super::field::{Field, Kinds, Preset, Takes, Type};
use super::known::Misnamed;
use super::noise::Noise;
use super::probe::{class_named, classes_used};
use super::sample::{Painted, Sample};
use super::value::{Values, counted, named, stored};
use crate::model::Place;

/// Maximum number of classes in a figure.
pub const MOST_CLASSES: usize = 48;
/// Number of classes that are shown if the block names none.
pub const SHOWN_CLASSES: usize = 12;
/// Maximum number of terms of an equation.
const MOST_TERMS: i64 = 16;

/// Parameters of the equations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The request key of the probe among the requests that this one uses.
    pub probe: String,
    /// The classes, in the order shown; the probe's first [`SHOWN_CLASSES`] if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// Maximum number of terms of each equation.
    pub terms: u32,
}

/// The result, without the pictures that `units` names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Where the units are.
    pub layer: Place,
    /// The classes, in the order shown.
    pub classes: Vec<Composed>,
    /// Number of classes of the probe.
    pub of: u64,
    /// Every unit of a term, by its number.
    pub units: Vec<Unit>,
}

/// A class as a sum of units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composed {
    /// The class's name.
    pub name: String,
    /// The terms with the largest weights: positive ones in falling order, then negative ones.
    pub terms: Vec<Term>,
    /// Number of units whose weight is not zero.
    pub nonzero: u64,
    /// The sizes of the weights of `terms`, as a fraction of the sizes of all weights; 0 if there are none.
    pub share: f64,
}

/// A unit with its weight in a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Channel or feature, from 0.
    pub unit: u32,
    /// Its weight: the change of the class's logit for a standard deviation of the unit's activation.
    pub weight: f64,
}

/// A unit, and the image of the probe's data set that activates it most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Channel or feature, from 0.
    pub unit: u32,
    /// The image's key in the data set.
    pub key: String,
    /// Its caption, if there is one.
    pub caption: Option<String>,
    /// The unit's pooled activation.
    pub activation: f64,
    /// Name of the record's output with the image: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A made-up outcome of two classes with a unit in common, whose weight in the first is this.
pub fn sample(weight: f64) -> Outcome {
    let term = |(unit, weight): (u32, f64)| Term { unit, weight };
    let class = |name: &str, terms: &[(u32, f64)], nonzero| Composed {
        name: name.to_owned(),
        terms: terms.iter().copied().map(term).collect(),
        nonzero,
        share: 0.75,
    };
    let unit = |(at, unit): (usize, u32)| Unit {
        unit,
        key: format!("key-{unit}"),
        caption: (at == 0).then(|| "money bag".to_owned()),
        activation: 4.5,
        picture: format!("{:03}.png", at + 1),
        width: 6,
        height: 4,
    };
    Outcome {
        layer: Place::Layer("visual.layer4.0.add".to_owned()),
        classes: vec![
            class("piggy bank", &[(5, weight), (7, 1.1)], 4),
            class("barn spider", &[(9, 2.5), (5, -0.25)], 2),
        ],
        of: 3,
        units: [5, 7, 9].into_iter().enumerate().map(unit).collect(),
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "composition",
    summary: "the units that the classes of a `probe` are made of, as equations and as a graph",
    doc: "Each class of a linear probe is a sum of units. The equation of a class has the units with the largest weights, a weight being the change of the class's logit for one standard deviation of the unit's activation. A graph shows which units the classes have in common; a reader can turn it, filter it, and walk through it by the arrow keys.\n\nA unit has the name that a note gives it in its front matter, and the picture of a figure in the garden that is about it, or else the image of the probe's data set that activates it most.\n\nAfter *How Multimodal Neurons Compose* in Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: made-of\nkind: composition\nprobe: groups\nterms: 3\n",
    fields: &[
        Field::compute(
            "probe",
            Type::Block(Takes { kinds: Kinds::Named(&["probe"]), same_model: true, before: false, here: false }),
            "The `probe`: the id of a block in this note, `note#id` in another note, or an id that is unique in the garden.",
        )
        .or(Preset::Required),
        Field::compute(
            "classes",
            Type::Texts,
            "The classes that are shown, in this order, at most 48: names of classes of the probe. The default is its first 12.",
        ),
        Field::compute(
            "terms",
            Type::Integer { min: 1, max: MOST_TERMS },
            "Maximum number of units in an equation, those with the largest weights.",
        )
        .or(Preset::Integer(3)),
        Field::presentation(
            "round",
            Type::Integer { min: 0, max: 4 },
            "Number of decimals of weights. The default is as many as show two digits of the largest weight, and one of each.",
        ),
    ],
    noise: Noise::FITTED,
    values: Values {
        named: &[
            counted("classes_in_probe", "of", "classes", "Number of classes of the probe."),
            named("classes[n].name", "", "The n-th class that is shown."),
            counted("classes[n].units_nonzero", "nonzero", "units", "Number of units whose weight is not zero; also by the name, `classes[name=piggy bank].units_nonzero`."),
            named("classes[n].share", "fraction", "The sizes of the weights in its equation, divided by those of all its weights."),
            named("classes[n].terms[n].unit", "", "The unit of a term of its equation."),
            named("classes[n].terms[n].weight", "", "The weight of that unit."),
            named("units[n].unit", "", "A unit of a term, by number."),
            named("units[n].key", "", "The image that activates it most: its key in the data set."),
            named("units[n].caption", "", "That image's caption, if there is one."),
            named("units[n].activation", "", "The unit's activation for it."),
        ],
        of: |result| stored(result, |_: Outcome, _| {}),
    },
    fault: |fields| {
        let classes = fields.get("classes").and_then(Value::as_array)?;
        let twice = classes.iter().enumerate().find(|(at, one)| classes[..*at].contains(one));
        let wrong = |message: String, hint| Some(Fault { field: "classes", message, hint });
        match (twice, classes.len()) {
            (Some((_, one)), _) => wrong(
                format!("`classes` lists `{}` more than once", one.as_str().unwrap_or_default()),
                "name each class once",
            ),
            (None, count) if count > MOST_CLASSES => wrong(
                format!("`classes` has {count} classes; a figure shows at most {MOST_CLASSES}"),
                "divide them between several figures",
            ),
            _ => None,
        }
    },
    naming: |params, known| {
        let Some((_, Some(classes))) = classes_used(known) else { return vec![] };
        let named = params.get("classes").and_then(Value::as_array).into_iter().flatten();
        let unknown = named.filter_map(Value::as_str).enumerate().filter_map(|(at, name)| {
            Some(Misnamed::item("classes", at, class_named(&classes, name).err()?))
        });
        unknown.collect()
    },
    form: form::<Params>,
    sample: |_, number| {
        let pictures = (1..=3).map(|at| Painted::png(&format!("{at:03}.png"), 6, 4));
        Sample::of(&sample(number), pictures.collect())
    },
    ..Kind::BASE
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn classes_that_are_named_twice_or_are_too_many_are_faults() {
        let fault = |classes: Vec<String>| {
            let Value::Object(fields) = json!({ "probe": "classes", "classes": classes }) else {
                unreachable!()
            };
            (KIND.fault)(&fields).map(|fault| fault.message)
        };
        let named = |count: usize| (0..count).map(|n| format!("class {n}")).collect::<Vec<_>>();
        assert_eq!(fault(named(MOST_CLASSES)), None);
        assert!(fault(named(MOST_CLASSES + 1)).is_some_and(|why| why.contains("at most 48")));
        let twice = fault(vec!["a".to_owned(), "b".to_owned(), "a".to_owned()]);
        assert_eq!(twice.as_deref(), Some("`classes` lists `a` more than once"));
    }
}
