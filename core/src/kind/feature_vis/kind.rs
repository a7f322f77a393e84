//! The registry's entry: the fields of a block, and which of them go together.

use serde_json::{Map, Value, json};

use super::outcome::{Made, Outcome, film, label, picture, sample};
use super::params::{Objective, Parametrisation, Params, Sign, Start, Transforms};
use super::recipe::{NAMES, RECIPES};
use crate::kind::controlled::CONTROLS;
use crate::kind::entry::{About, Fault, Kind, form};
use crate::kind::exhibit::Exhibit;
use crate::kind::facet;
use crate::kind::field::{Field, Preset, Role, Type};
use crate::kind::noise::Noise;
use crate::kind::sample::{Painted, Sample};
use crate::kind::target;
use crate::kind::value::{Values, named, stored};
use crate::model::Place;

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "feature_vis",
    summary: "an image optimised to maximise a unit, a direction or a layer",
    doc: "Starts from noise and follows the gradient of the objective with respect to the picture. The picture is parametrised by its Fourier spectrum, with coefficients scaled by frequency, in a colour space with decorrelated axes. It is moved, scaled and rotated at random before each step, so that the result does not depend on exact positions.\n\nThe target is one of `unit`, `units`, `direction` and `target`; with `objective: layer` or `caricature` it is the whole layer. A `recipe` sets all hyperparameters, and a block can override each of them.\n\nMethod: Olah, Mordvintsev and \
          Schubert, *Feature Visualization*, Distill 2017.\n\n`shuffle` is a sanity check: what the same optimisation makes of a network that has learnt nothing, but has the same architecture and the same numbers in each layer. The numbers of each weight tensor of the visual tower are permuted; vectors, which are biases and the parameters and statistics of normalisations, stay as they are. A picture that looks as good there says little about the unit. Adebayo et al., *Sanity Checks for Saliency Maps*, 2018; Heap et al., *Sparse Autoencoders Can Interpret Randomly Initialized Transformers*, 2025.\n\nWith `controls:` in `neuronotes.yaml`, folds under the figure show the same visualisation with other seeds and of the shuffled network, and where the reached activation lies among those of images.",
    example: "id: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 42\ncaption: What unit 42 looks for.\n",
    impl_version: 3,
    fields: &[
        Field::compute(
            "objective",
            Type::Choice(Objective::WORDS),
            "The objective: `channel`, the unit or the dot product with the direction, averaged over all positions; `neuron`, the same at the central position; `layer`, the mean square of the whole layer (DeepDream); `caricature`, the dot product of the whole layer with its activations for the picture `image`, position by position.",
        )
        .or(Preset::Text(Objective::Channel.word())),
        Field::compute(
            "sign",
            Type::Choice(Sign::WORDS),
            "`positive` maximises the objective, `negative` minimises it.",
        )
        .or(Preset::Text(Sign::Positive.word())),
        Field::compute(
            "start",
            Type::Choice(Start::WORDS),
            "The initial picture: noise, or the picture `image`.",
        )
        .or(Preset::Text(Start::Noise.word())),
        Field::compute(
            "image",
            Type::Picture,
            "The path of a picture in the garden: the subject of a caricature, or the initial picture.",
        ),
        Field::recipe(
            "recipe",
            &NAMES,
            "Sets the defaults of other fields, as listed under *Recipes*.",
        ),
        Field::compute(
            "images",
            Type::Integer { min: 1, max: 16 },
            "Number of pictures optimised together.",
        )
        .or(Preset::Integer(1)),
        Field::compute(
            "diversity",
            Type::Number { min: 0.0, max: 1000.0 },
            "Weight of the diversity term, which makes several pictures different.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "facet",
            Type::Block(facet::TAKEN),
            "The `facet` that is added to the objective: the id of a block in this note, `note#id` in another note, or an id that is unique in the garden.",
        ),
        Field::compute(
            "strength",
            Type::Number { min: 0.0, max: 1000.0 },
            "Weight of the facet. With several pictures it is that of the last one, and the first has a fiftieth of it.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "penalty",
            Type::Number { min: 0.0, max: 1000.0 },
            "Weight of the penalty on the mean squared distance from grey.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "cosine_power",
            Type::Number { min: 0.0, max: 8.0 },
            "Exponent of the cosine by which the dot product with a direction is multiplied.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "parametrisation",
            Type::Choice(Parametrisation::WORDS),
            "The parametrisation of the picture: `fourier`, a Fourier spectrum scaled by 1/frequency, in decorrelated colours; `maco`, the phases of a spectrum with the magnitudes of natural images; `pixels`, in decorrelated colours.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "size",
            Type::Integer { min: 32, max: 2048 },
            "Width and height of the picture in pixels. Layers before the attention pool accept any size.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "steps",
            Type::Integer { min: 1, max: 65536 },
            "Number of Adam steps.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "learning_rate",
            Type::Number { min: 1e-6, max: 10.0 },
            "Adam's learning rate.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "transforms",
            Type::Choice(Transforms::WORDS),
            "The random transforms before each step. `lucid`: pad 12, jitter 8, scale 0.9 to 1.1, rotate \
             ±10°, jitter 4. `paper`: pad 2, jitter 4 ten times, scale, rotate ±20°, jitter 2, crop or pad to the \
             size. `crops`: a random crop resized to the model's size, and noise. `none`: no transforms, for comparison.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "redirect",
            Type::Integer { min: 0, max: 65536 },
            "Number of initial steps in which ReLUs that are zero for a whole image pass gradients through.",
        )
        .or(Preset::Recipe),
        Field::compute(
            "frames",
            Type::Integer { min: 0, max: 120 },
            "Number of frames of a film of the optimisation, which the page can play; 0 for none.",
        )
        .or(Preset::Integer(0)),
        Field::compute(
            "seed",
            Type::Seed,
            "Random seed for the initial noise and the transforms.",
        )
        .or(Preset::Configured),
        Field::compute(
            "shuffle",
            Type::Integer { min: 0, max: 4_294_967_295 },
            "Visualises the unit in a network with shuffled weights: the numbers of each tensor of the visual tower that has at least two dimensions are permuted by this seed. For a single `unit`.",
        ),
        CONTROLS,
    ],
    recipes: RECIPES,
    sweep: true,
    about: About::Target,
    noise: Noise { seeds: true, ..Noise::ACTIVATIONS },
    values: Values {
        named: &[
            named(
                "activation",
                "",
                "The first picture's activation, without penalty, diversity or facet.",
            ),
            named("start", "", "The same for the initial picture."),
            named("images[n].activation", "", "The n-th picture's activation."),
            named("images[n].start", "", "Its initial activation."),
            named("images[n].strength", "", "The weight of the facet, if there is one."),
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

/// The parameters of a visualisation by a recipe, with all defaults and without a target: for kinds that show one beside
/// something else.
///
/// # Errors
/// If there is no such recipe.
pub fn by_recipe(layer: &Place, recipe: &str, seed: u64) -> Result<Params, String> {
    let own = KIND.fields.iter().filter(|field| field.role == Role::Compute);
    let default = |field: &Field| Some((field.name.to_owned(), KIND.default(field, Some(recipe))?));
    let mut params: Map<String, Value> = own.filter_map(default).collect();
    params.insert("layer".to_owned(), json!(layer));
    params.insert("seed".to_owned(), seed.into());
    KIND.params(&params)
}

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

/// Steps, in units of a picture of a million pixels.
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

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let word = |name: &str| fields.get(name).and_then(Value::as_str);
    let objective = word("objective").unwrap_or("channel");
    let whole = matches!(objective, "layer" | "caricature");
    let wrong = |field, message: String, hint| Some(Fault { field, message, hint });
    match target::given(fields).first() {
        Some(name) if whole => {
            let message = format!(
                "the objective `{objective}` is about the whole layer and takes no `{name}`"
            );
            let hint = "remove it, or use the objective `channel` or `neuron`";
            return wrong(*name, message, hint);
        }
        None if !whole => {
            let message = format!("`feature_vis` needs {}", target::ONE_OF);
            let hint = "or use an objective of the whole layer, `layer` or `caricature`";
            return wrong("objective", message, hint);
        }
        None if !fields.contains_key("layer") => {
            let message = format!("the objective `{objective}` needs a `layer`");
            let hint = "give a layer; `neuronotes model info` lists them";
            return wrong("objective", message, hint);
        }
        _ => {}
    }
    let about = target::several(fields).or_else(|| target::without_layer(fields));
    if about.is_some() {
        return about;
    }
    if fields.contains_key("shuffle") {
        let other = ["units", "direction", "target", "facet", "image"];
        let odd = other.into_iter().find(|name| fields.contains_key(*name));
        if let Some(odd) = odd.or(whole.then_some("objective")) {
            let message = format!("`shuffle` is for a single `unit`, and this block has `{odd}`");
            return wrong("shuffle", message, "remove one of the two");
        }
    }
    let (caricature, begun) = (objective == "caricature", word("start") == Some("image"));
    match (fields.contains_key("image"), caricature, begun) {
        (false, true, _) => wrong(
            "objective",
            "a caricature needs an `image`".to_owned(),
            "give the path of a picture in the garden",
        ),
        (false, _, true) => wrong(
            "start",
            "`start: image` needs an `image`".to_owned(),
            "give the path of a picture in the garden",
        ),
        (true, false, false) => wrong(
            "image",
            "`image` has no effect here".to_owned(),
            "start from it with `start: image`, or make a caricature of it with `objective: caricature`",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kinds that show a visualisation keep the recipe's name in their requests: if values of a recipe change, raise the
    /// `impl_version` of `concept`, too.
    #[test]
    fn recipes_have_the_values_that_other_kinds_measured_with() {
        let layer = Place::Layer("visual.layer4.1.add".to_owned());
        let values = |recipe: &str| {
            let found = by_recipe(&layer, recipe, 7).expect("a recipe");
            let Params { size, steps, learning_rate, transforms, parametrisation, .. } = found;
            assert!(found.seed == 7 && found.layer == layer && found.unit.is_none());
            (size, steps, learning_rate, transforms, parametrisation)
        };
        let (fourier, lucid) = (Parametrisation::Fourier, Transforms::Lucid);
        assert_eq!(values("lucid"), (128, 512, 0.05, lucid, fourier));
        assert_eq!(values("draft"), (96, 64, 0.1, lucid, fourier));
        assert_eq!(values("paper"), (256, 4096, 0.02, Transforms::Paper, fourier));
        assert_eq!(values("maco"), (256, 256, 0.1, Transforms::Crops, Parametrisation::Maco));
        assert!(by_recipe(&layer, "ducks", 7).is_err());
    }
}
