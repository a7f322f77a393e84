//! `attack`: a text written over the pictures of a data set, and how many are taken for what it says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::class::Class;
use super::entry::{Data, Fault, Kind, form};
use super::field::{Field, Kinds, Preset, Takes, Type};
use super::known::{Known, Misnamed};
use super::noise::Noise;
use super::probe::{class_named, classes_used};
use super::sample::{Painted, Sample};
use super::value::{Values, counted, named, stored};
use super::zero_shot::{TRUNCATE, Truth};
use crate::statistics::{part, wilson};

/// Where a text is written: the left edge and the top of each, in steps from the first, as in the article's pictures.
pub const PLACES: [(u32, u32); 8] =
    [(0, 0), (1, 1), (0, 2), (1, 3), (2, 4), (3, 5), (2, 6), (3, 7)];
/// The first place, and a step to the right and down, in heights of the letters.
pub const FIRST: (f64, f64) = (1.0, 1.25);
/// A step to the right and down, in heights of the letters.
pub const STEP: (f64, f64) = (2.5, 1.25);

/// Most classes that are named as unknown to the probe.
const MOST_PROBLEMS: usize = 5;
/// Most attacks in a block.
const MOST_ATTACKS: usize = 40;

/// Parameters of the attacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The classes that a picture may be taken for.
    pub classes: Vec<Class>,
    /// The attacks: the class that each aims at, and the texts that are written.
    pub attacks: Vec<Class>,
    /// Templates for the classes' names.
    pub templates: Vec<String>,
    /// Whether prompts that are too long are truncated.
    pub truncate: bool,
    /// The source of an image's true class.
    pub truth: Truth,
    /// Number of images, evenly spread over the data set; all if it has fewer.
    pub images: u32,
    /// Height of the letters as a fraction of the picture's side.
    pub size: f64,
    /// Number of pictures that are stored for display, for each attack.
    pub examples: u32,
    /// The request key of the probe among the requests that this one uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Labels of the classes.
    pub classes: Vec<String>,
    /// Number of images that were attacked.
    pub count: u64,
    /// Number of images of the data set that could not be read.
    pub skipped: u64,
    /// Of the images whose true class is among the classes, how many are classified correctly without a text.
    pub right: u64,
    /// The number of these.
    pub of: u64,
    /// The attacks, in the order of the block.
    pub attacks: Vec<Attack>,
    /// What the probe says of the images without a text, if there is a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probed>,
}

/// What a probe says of the images without a text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probed {
    /// Of the images whose true class is among the classes, how many it classifies correctly.
    pub right: u64,
    /// Number of the attacked images that it was fitted to.
    pub fitted: u64,
}

/// One text, and what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// The class that it aims at, an index of [`Outcome::classes`].
    pub target: u32,
    /// The text.
    pub text: String,
    /// Images that are taken for the target with the text, and were not without it.
    pub changed_to: u64,
    /// Images that are taken for the target with the text and without it.
    pub already_equal: u64,
    /// Images that are taken for the target without the text, and are not with it.
    pub changed_away: u64,
    /// Images that are taken for another class with the text and without it.
    pub neither: u64,
    /// The mean fraction of pixels that the text changed.
    pub covered: f64,
    /// The mean probability of the target without the text.
    pub before: f64,
    /// The mean probability of the target with the text.
    pub after: f64,
    /// The images whose probability of the target rose most.
    pub examples: Vec<Example>,
    /// What the text did to the answers of the probe, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Answers>,
}

/// What a text did to the answers of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Images that are taken for the target with the text, and were not without it.
    pub changed_to: u64,
    /// Images that are taken for the target with the text and without it.
    pub already_equal: u64,
    /// Images that are taken for the target without the text, and are not with it.
    pub changed_away: u64,
    /// Images that are taken for another class with the text and without it.
    pub neither: u64,
    /// The mean probability of the target without the text.
    pub before: f64,
    /// The mean probability of the target with the text.
    pub after: f64,
}

/// One image under a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its caption, or its key if it has none.
    pub caption: String,
    /// The class that it is taken for without the text.
    pub was: u32,
    /// The class that it is taken for with the text.
    pub is: u32,
    /// The probability of the target without the text.
    pub before: f64,
    /// The probability of the target with the text.
    pub after: f64,
    /// The classes that the probe takes it for without the text and with it, if there is a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<(u32, u32)>,
    /// Name of the record's output with the picture under the text: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width and height in pixels.
    pub side: u32,
}

/// A made-up outcome of one attack with one example.
pub fn sample(number: f64) -> Outcome {
    let example = Example {
        caption: "cat".to_owned(),
        was: 1,
        is: 0,
        before: 0.125,
        after: number,
        probe: None,
        picture: "001.png".to_owned(),
        side: 6,
    };
    let attack = Attack {
        target: 0,
        text: "castle".to_owned(),
        changed_to: 30,
        already_equal: 4,
        changed_away: 1,
        neither: 5,
        covered: 0.0625,
        before: 0.25,
        after: number,
        examples: vec![example],
        probe: None,
    };
    Outcome {
        classes: ["castle", "cat"].map(str::to_owned).to_vec(),
        count: 40,
        skipped: 0,
        right: 28,
        of: 32,
        attacks: vec![attack],
        probe: None,
    }
}

/// The same against a probe too, which the text changes less.
pub fn sample_with_probe(number: f64) -> Outcome {
    let mut outcome = sample(number);
    outcome.probe = Some(Probed { right: 31, fitted: 20 });
    for attack in &mut outcome.attacks {
        let (before, after) = (0.125, number / 2.0);
        attack.probe = Some(Answers {
            changed_to: 6,
            already_equal: 5,
            changed_away: 0,
            neither: 29,
            before,
            after,
        });
        attack.examples.iter_mut().for_each(|example| example.probe = Some((1, 1)));
    }
    outcome
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "attack",
    summary: "typographic attacks: a text written over pictures, and how many are taken for what it says",
    doc: "Each picture of the data set is cut and scaled as the network sees it, and classified against the classes as by `zero_shot`, without a text and with it. The text is written in white letters with a black edge at eight places, which are those in the pictures of the article: two columns of four, the second to the right and below. An attack has *changed* a picture *to* its target if the target is the most probable class with the text and was not without it.\n\n\
          Published, for RN50x4 with a linear probe for ImageNet, 1,000 images, with the fraction of pixels covered: trash → waste container 95.4 % (7.6 %), iPod → iPod 94.7 % (6.8 %), pizza → pizza 92.3 % (8.1 %), rifle → rifle 91.0 % (6.4 %), radio → radio 77.0 % (7.7 %), library → library 75.9 % (10.0 %), shark → great white shark 62.2 % (8.3 %), meow → Siamese cat 46.5 % (8.4 %), $$$ → piggy bank 36.4 % (7.0 %); without a text, 74.2 % of the images are classified correctly. The article's letters are those of DejaVu Sans; these are of DejaVu Sans Bold. Of photographs of 34 objects with a label stuck to them, 25 changed the answer of zero-shot classification, and none that of the probe.\n\n\
          With `probe`, the same pictures are also put to a linear probe, which a block of the kind `probe` has fitted: the units of its layer are pooled and standardised as they were then, and it chooses among the same classes, its others left out. Its accuracy without a text counts pictures that it was fitted to, of which the figure says how many they are.\n\n\
          Method: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021, section *Typographic attacks*; the places and the letters' height, 20 of 288 pixels, are measured in its pictures.",
    example: "id: attacks\nkind: attack\ndataset: emoji\nclasses: [bicycle, castle, cat, guitar, octopus, pineapple, pizza, red apple, rocket, umbrella]\nattacks: [castle, pineapple]\ntemplates: [\"{}\"]\ntruth: caption\nimages: 20\nexamples: 2\n",
    impl_version: 2,
    fields: &[
        Field::compute(
            "classes",
            Type::Classes,
            "The classes: a list of names, or a mapping from labels to one or several names for prompts.",
        )
        .or(Preset::Required),
        Field::compute(
            "attacks",
            Type::Classes,
            "The attacks: a list of classes, whose names are written; or a mapping from classes to one or several texts, such as `{ piggy bank: $$$ }`.",
        )
        .or(Preset::Required),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` as a placeholder for a class's name. Several templates are averaged.",
        )
        .or(Preset::Texts(&["a photo of a {}."])),
        TRUNCATE,
        Field::compute(
            "truth",
            Type::Choice(Truth::WORDS),
            "The source of an image's true class, for the accuracy without a text.",
        )
        .or(Preset::Text(Truth::Label.word())),
        Field::compute(
            "images",
            Type::Integer { min: 1, max: 100_000 },
            "Number of images, evenly spread over the data set.",
        )
        .or(Preset::Integer(200)),
        Field::compute(
            "size",
            Type::Number { min: 0.02, max: 0.1 },
            "Height of the letters, as a fraction of the picture's side. The eight places are as far apart as the letters are high.",
        )
        .or(Preset::Number(0.07)),
        Field::compute(
            "examples",
            Type::Integer { min: 0, max: 20 },
            "Number of pictures that are shown for each attack: those whose probability of the target rose most.",
        )
        .or(Preset::Integer(4)),
        Field::compute(
            "probe",
            Type::Block(Takes {
                kinds: Kinds::Named(&["probe"]),
                same_model: true,
                before: false,
                here: false,
            }),
            "A `probe` that is attacked beside zero-shot classification, at any layer of the same model; each of the `classes` must be one of its classes. The id of a block in this note, `note#id` in another note, or an id that is unique in the garden.",
        ),
    ],
    text: true,
    data: Data::Always,
    captions: true,
    noise: Noise {
        counts: &[
            "right",
            "attacks[n].changed_to",
            "attacks[n].already_equal",
            "attacks[n].changed_away",
            "attacks[n].neither",
        ],
        ..Noise::ACTIVATIONS
    },
    values: Values {
        named: &[
            counted("images_attacked", "count", "images", "Number of images that were attacked."),
            counted("images_skipped", "skipped", "images", "Number of images that could not be read."),
            counted("images_right", "right", "images", "Number of images that are classified correctly without a text."),
            counted("images_judged", "of", "images", "Number of images whose true class is among the classes."),
            named("accuracy", "fraction", "`images_right` divided by `images_judged`."),
            named("attacks[n].target", "", "The class that the n-th attack aims at."),
            named("attacks[n].text", "", "Its text; also by it, `attacks[text=castle].success`."),
            counted("attacks[n].images_changed_to", "changed_to", "images", "Images that it changed to the target."),
            counted("attacks[n].images_already_equal", "already_equal", "images", "Images that are taken for the target with the text and without it."),
            counted("attacks[n].images_changed_away", "changed_away", "images", "Images that are taken for the target only without the text."),
            counted("attacks[n].images_neither", "neither", "images", "Images that are taken for the target neither with nor without the text."),
            named("attacks[n].success", "fraction", "`images_changed_to` divided by `images_attacked`."),
            named("attacks[n].low", "fraction", "The lower bound of Wilson's 95 % interval for it."),
            named("attacks[n].high", "fraction", "Its upper bound."),
            named("attacks[n].covered", "fraction", "The mean fraction of pixels that the text changed."),
            named("attacks[n].before", "fraction", "The mean probability of the target without the text."),
            named("attacks[n].after", "fraction", "The mean probability of the target with the text."),
            counted("attacks[n].probe.images_changed_to", "changed_to", "images", "Against the `probe`: images that it changed to the target."),
            counted("attacks[n].probe.images_already_equal", "already_equal", "images", "Images that the probe takes for the target with the text and without it."),
            counted("attacks[n].probe.images_changed_away", "changed_away", "images", "Images that it takes for the target only without the text."),
            counted("attacks[n].probe.images_neither", "neither", "images", "Images that it takes for the target neither with nor without the text."),
            named("attacks[n].probe.success", "fraction", "`probe.images_changed_to` divided by `images_attacked`."),
            named("attacks[n].probe.low", "fraction", "The lower bound of Wilson's 95 % interval for it."),
            named("attacks[n].probe.high", "fraction", "Its upper bound."),
            named("attacks[n].probe.before", "fraction", "The probe's mean probability of the target without the text."),
            named("attacks[n].probe.after", "fraction", "The same with the text."),
            counted("probe.images_right", "right", "images", "Number of images that the `probe` classifies correctly without a text."),
            counted("probe.images_fitted", "fitted", "images", "Number of the attacked images that it was fitted to."),
            named("probe.accuracy", "fraction", "`probe.images_right` divided by `images_judged`."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    naming,
    form: form::<Params>,
    work: |params| {
        let count = |name: &str| params.get(name).and_then(Value::as_u64).unwrap_or(1) as f64;
        let attacks = params.get("attacks").and_then(Value::as_array).map_or(1, Vec::len);
        count("images") * (1.0 + attacks as f64)
    },
    sample: |params, number| {
        let number = 0.5 + 0.5 / (1.0 + number.abs());
        let outcome = match params.contains_key("probe") {
            true => sample_with_probe(number),
            false => sample(number),
        };
        Sample::of(&outcome, vec![Painted::png("001.png", 6, 6)])
    },
    ..Kind::BASE
};

fn derive(outcome: Outcome, tree: &mut Value) {
    tree["accuracy"] = part(outcome.right, outcome.of).into();
    for (at, attack) in outcome.attacks.iter().enumerate() {
        let (low, high) = wilson(attack.changed_to, outcome.count);
        let named = &mut tree["attacks"][at];
        named["target"] = json!(outcome.classes.get(attack.target as usize));
        named["success"] = part(attack.changed_to, outcome.count).into();
        named["low"] = low.into();
        named["high"] = high.into();
        let Some(probe) = attack.probe else { continue };
        let (low, high) = wilson(probe.changed_to, outcome.count);
        named["probe"]["success"] = part(probe.changed_to, outcome.count).into();
        named["probe"]["low"] = low.into();
        named["probe"]["high"] = high.into();
    }
    if let Some(probe) = outcome.probe {
        tree["probe"]["accuracy"] = part(probe.right, outcome.of).into();
    }
}

/// Classes that the probe does not have.
fn naming(params: &Map<String, Value>, known: &mut dyn Known) -> Vec<Misnamed> {
    let Some((_, Some(of_probe))) = classes_used(known) else { return vec![] };
    let classes = params.get("classes").and_then(Value::as_array).into_iter().flatten();
    let unknown = classes.enumerate().filter_map(|(at, class)| {
        let problem = class_named(&of_probe, class["label"].as_str()?).err()?;
        Some(Misnamed { field: "classes", pointer: format!("/{at}/names/0"), problem })
    });
    unknown.take(MOST_PROBLEMS).collect()
}

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let list = |name: &str| -> Vec<Class> {
        fields
            .get(name)
            .and_then(|value| serde_json::from_value(value.clone()).ok())
            .unwrap_or_default()
    };
    let (classes, attacks) = (list("classes"), list("attacks"));
    let wrong = |field, message: String, hint| Some(Fault { field, message, hint });
    if classes.is_empty() || attacks.is_empty() {
        return None;
    }
    if classes.len() < 2 {
        return wrong("classes", "a choice needs at least two classes".to_owned(), "name more");
    }
    let known = |label: &str| classes.iter().any(|class| class.label.eq_ignore_ascii_case(label));
    if let Some(attack) = attacks.iter().find(|attack| !known(&attack.label)) {
        let message =
            format!("the attack aims at `{}`, which is not among the classes", attack.label);
        return wrong("attacks", message, "add it to `classes`, or write `{ class: text }`");
    }
    let texts = attacks.iter().map(|attack| attack.names.len()).sum::<usize>();
    if texts > MOST_ATTACKS {
        let message = format!("{texts} texts are too many; a block has at most {MOST_ATTACKS}");
        return wrong("attacks", message, "use several blocks");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attacks_at_what_is_no_class_and_choices_of_one_are_named() {
        let class = |label: &str, name: &str| json!({ "label": label, "names": [name] });
        let field = |block: Value| {
            let Value::Object(fields) = block else { unreachable!() };
            fault(&fields).map(|fault| (fault.field, fault.message))
        };
        let classes = [class("cat", "cat"), class("Piggy bank", "bank")];
        let good = json!({ "classes": classes, "attacks": [class("piggy bank", "$$$")] });
        assert_eq!(field(good), None);
        let (at, message) = field(json!({ "classes": classes, "attacks": [class("dog", "dog")] }))
            .expect("a fault");
        assert!(at == "attacks" && message.contains("`dog`"), "{message}");
        let one = json!({ "classes": [class("cat", "cat")], "attacks": [class("cat", "cat")] });
        assert_eq!(field(one).map(|(at, _)| at), Some("classes"));
        let many: Vec<Value> = (0..41).map(|_| class("cat", "cat")).collect();
        let (at, _) = field(json!({ "classes": classes, "attacks": many })).expect("a fault");
        assert_eq!(at, "attacks");
    }

    #[test]
    fn shares_are_of_all_images() {
        let tree = KIND.values.tree(serde_json::to_value(sample(0.75)).expect("JSON"));
        let tree = tree.expect("a tree");
        assert_eq!(tree["attacks"][0]["success"], 0.75);
        assert_eq!(
            (&tree["accuracy"], &tree["attacks"][0]["target"]),
            (&json!(0.875), &json!("castle"))
        );
        assert!(tree.get("probe").is_none());
        let with = serde_json::to_value(sample_with_probe(0.75)).expect("JSON");
        let with = KIND.values.tree(with).expect("a tree");
        assert_eq!(with["attacks"][0]["probe"]["success"], 0.15);
        assert_eq!(with["probe"]["accuracy"], 0.96875);
    }
}
