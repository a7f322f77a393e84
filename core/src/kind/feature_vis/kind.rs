//! The registry's entry: the fields of a block, and which of them go together.

use serde_json::{Map, Value, json};

use super::outcome::{Made, Outcome, film, label, picture, sample};
use super::params::{Objective, Parametrisation, Params, Sign, Start, Transforms};
use super::recipe::{NAMES, RECIPES};
use crate::kind::entry::{About, Fault, Kind, form};
use crate::kind::exhibit::Exhibit;
use crate::kind::facet;
use crate::kind::field::{Field, Preset, Type};
use crate::kind::sample::{Painted, Sample};
use crate::kind::value::{Values, named, stored};

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "feature_vis",
    summary: "a picture made to excite a unit, a direction or a layer as strongly as can be",
    doc: "Starts from noise and follows the gradient of what is to be excited with respect to the picture. The \
          picture is held as a Fourier spectrum whose coefficients are scaled by frequency, in a colour space \
          whose axes are decorrelated, and is moved, scaled and rotated at random before each step, so that \
          what remains is what the unit answers to wherever it stands.\n\nWhat it is of is one of `unit`, `units` and \
          `direction`; with `objective: layer` or `caricature` it is the whole layer. A `recipe` sets everything \
          about how it is made, and each of its values can be given by itself.\n\nMethod: Olah, Mordvintsev and \
          Schubert, *Feature Visualization*, Distill 2017.",
    example: "id: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 42\ncaption: What unit 42 looks for.\n",
    impl_version: 2,
    fields: &[
        Field::compute(
            "objective",
            Type::Choice(Objective::WORDS),
            "What is maximised: `channel`, the unit or the product with the direction, as a mean over all \
             positions; `neuron`, the same at the central position; `layer`, the mean square of the whole layer \
             (DeepDream); `caricature`, the product of the whole layer with what it is for the picture `image`, \
             position by position.",
        )
        .or(Preset::Text(Objective::Channel.word())),
        Field::compute(
            "sign",
            Type::Choice(Sign::WORDS),
            "Whether it is to grow or to fall.",
        )
        .or(Preset::Text(Sign::Positive.word())),
        Field::compute(
            "start",
            Type::Choice(Start::WORDS),
            "What is begun from: noise, or the picture `image`.",
        )
        .or(Preset::Text(Start::Noise.word())),
        Field::compute(
            "image",
            Type::Picture,
            "A picture by its path in the garden: what a caricature is of, or what is begun from.",
        ),
        Field::recipe(
            "recipe",
            &NAMES,
            "How it is made: fills in the fields that are left out, as listed under *Recipes*.",
        ),
        Field::compute(
            "images",
            Type::Integer { min: 1, max: 16 },
            "Pictures made together.",
        )
        .or(Preset::Integer(1)),
        Field::compute(
            "diversity",
            Type::Number { min: 0.0, max: 1000.0 },
            "Weight of what tells several pictures apart.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "facet",
            Type::Block(facet::TAKEN),
            "The id of a `facet` that the picture leans on: of a block of this note, of another one as `note#id`, \
             or the only one of that id in the garden.",
        ),
        Field::compute(
            "strength",
            Type::Number { min: 0.0, max: 1000.0 },
            "Weight of the facet. Of several pictures it is the last one's, and the first has a fiftieth of it.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "penalty",
            Type::Number { min: 0.0, max: 1000.0 },
            "Weight of the mean square of the distance from grey, which is subtracted.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "cosine_power",
            Type::Number { min: 0.0, max: 8.0 },
            "Power of the cosine that the product with a direction is multiplied by.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "parametrisation",
            Type::Choice(Parametrisation::WORDS),
            "How the picture is held: `fourier`, a spectrum scaled by 1/frequency, in decorrelated colours; `maco`, \
             the phases of a spectrum whose magnitudes are those of natural images; `pixels`, in decorrelated \
             colours.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "size",
            Type::Integer { min: 32, max: 2048 },
            "Side of the picture in pixels. Layers before the attention pool take any size.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "steps",
            Type::Integer { min: 1, max: 65536 },
            "Steps of Adam.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "learning_rate",
            Type::Number { min: 1e-6, max: 10.0 },
            "Adam's learning rate, for what holds the picture.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "transforms",
            Type::Choice(Transforms::WORDS),
            "How the picture is disturbed before each step. `lucid`: pad 12, jitter 8, scale 0.9 to 1.1, rotate \
             ±10°, jitter 4. `paper`: pad 2, jitter 4 ten times, scale, rotate ±20°, jitter 2, crop or pad to the \
             size. `crops`: a random crop brought to the model's size, and noise. `none` shows what they are good \
             for.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "redirect",
            Type::Integer { min: 0, max: 65536 },
            "First steps in which ReLUs that are silent for a whole image pass gradients on.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "frames",
            Type::Integer { min: 0, max: 120 },
            "Frames of a film of how it came about, which the page can play; 0 makes none.",
        )
        .or(Preset::Integer(0)),
        Field::compute(
            "seed",
            Type::Seed,
            "Of the first noise and of the transforms.",
        )
        .or(Preset::Configured),
    ],
    recipes: RECIPES,
    sweep: true,
    about: About::Target,
    values: Values {
        named: &[
            named(
                "activation",
                "",
                "What was reached, without penalty, diversity or facet: the first picture's.",
            ),
            named("start", "", "The same of what it began from."),
            named("images[n].activation", "", "What the n-th picture reached."),
            named("images[n].start", "", "What it began with."),
            named("images[n].strength", "", "The weight that the facet had, where there is one."),
        ],
        of: |result| stored(result, derive),
    },
    pictures: Some(pictures),
    fault,
    work,
    form: form::<Params>,
    sample: sampled,
    ..Kind::BASE
};

fn sampled(params: &Map<String, Value>, number: f64) -> Sample {
    let whole = |name| params.get(name).and_then(Value::as_u64).unwrap_or_default();
    let count = whole("images").clamp(1, 16) as u32;
    let mut outcome = sample(count, number);
    let mut pictures: Vec<Painted> =
        (0..count as usize).map(|index| Painted::png(&picture(index), 6, 6)).collect();
    if whole("frames") > 0 {
        outcome.film = Some(6);
        let one = |index| Painted { media_type: "image/webp", ..Painted::png(&film(index), 6, 6) };
        pictures.extend((0..count as usize).map(one));
    }
    if params.contains_key("facet") {
        let strength = params.get("strength").and_then(Value::as_f64);
        outcome.images.iter_mut().for_each(|made| made.strength = strength);
    }
    Sample::of(&outcome, pictures)
}

/// Steps of pictures of a million pixels.
fn work(params: &Map<String, Value>) -> f64 {
    let number = |name: &str| params.get(name).and_then(Value::as_f64).unwrap_or(1.0);
    (number("steps") * number("size").powi(2) / 1e6 * number("images")).max(1e-6)
}

fn pictures(result: Value) -> serde_json::Result<Vec<Exhibit>> {
    let outcome: Outcome = serde_json::from_value(result)?;
    let single = outcome.images.len() == 1;
    let one = |(index, made): (usize, &Made)| Exhibit {
        output: picture(index),
        label: if single { String::new() } else { label(index, made) },
    };
    Ok(outcome.images.iter().enumerate().map(one).collect())
}

fn derive(outcome: Outcome, tree: &mut Value) {
    for (index, made) in outcome.images.iter().enumerate() {
        let image = &mut tree["images"][index];
        image["start"] = made.activation_at_start.into();
        image["strength"] = json!(made.strength);
    }
    let first = outcome.images.first();
    tree["activation"] = json!(first.map(|made| made.activation));
    tree["start"] = json!(first.map(|made| made.activation_at_start));
}

/// What the picture is of: one of these, unless it is the whole layer.
const TARGETS: [&str; 3] = ["unit", "units", "direction"];

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let word = |name: &str| fields.get(name).and_then(Value::as_str);
    let objective = word("objective").unwrap_or("channel");
    let whole = matches!(objective, "layer" | "caricature");
    let given: Vec<&str> = TARGETS.into_iter().filter(|name| fields.contains_key(*name)).collect();
    let wrong = |field, message: String, hint| Some(Fault { field, message, hint });
    match *given {
        [name, ..] if whole => {
            let field = TARGETS.into_iter().find(|target| *target == name).unwrap_or_default();
            let message =
                format!("the objective `{objective}` is of the whole layer, and has no `{name}`");
            return wrong(
                field,
                message,
                "leave it out, or choose the objective `channel` or `neuron`",
            );
        }
        [first, second, ..] => {
            let field = TARGETS.into_iter().find(|target| *target == second).unwrap_or_default();
            let message = format!("a block has one of `{first}` and `{second}`");
            return wrong(
                field,
                message,
                "several units are `units`; directions are added up in a `sum`",
            );
        }
        [] if !whole => {
            let message = "`feature_vis` needs one of `unit`, `units` and `direction`".to_owned();
            let hint = "or an objective of the whole layer, `layer` or `caricature`";
            return wrong("objective", message, hint);
        }
        _ => {}
    }
    // Only a direction has a layer of its own, the embedding.
    if !fields.contains_key("layer") && *given != ["direction"] {
        let what = given
            .first()
            .map_or(format!("the objective `{objective}`"), |name| format!("`{name}`"));
        let field = TARGETS.into_iter().find(|name| given.contains(name)).unwrap_or("objective");
        let hint = "name the layer; `neuronotes model info` lists them";
        return wrong(field, format!("{what} needs a `layer`"), hint);
    }
    let (caricature, begun) = (objective == "caricature", word("start") == Some("image"));
    match (fields.contains_key("image"), caricature, begun) {
        (false, true, _) => wrong(
            "objective",
            "a caricature needs an `image`".to_owned(),
            "name a picture by its path in the garden",
        ),
        (false, _, true) => wrong(
            "start",
            "`start: image` needs an `image`".to_owned(),
            "name a picture by its path in the garden",
        ),
        (true, false, false) => wrong(
            "image",
            "`image` is used by nothing here".to_owned(),
            "begin from it with `start: image`, or make a caricature of it with `objective: caricature`",
        ),
        _ => None,
    }
}
