//! The registry's entry of `dataset_examples`.

use serde_json::{Map, Value, json};

use super::fault::{fault, misfit, trim};
use super::outcome::{Example, Outcome, sample};
use super::params::{By, Order, Params};
use crate::kind::controlled::CONTROLS;
use crate::kind::entry::{About, Data, Kind, Scan, form};
use crate::kind::exhibit::Exhibit;
use crate::kind::field::{Field, Preset, Type};
use crate::kind::sample::{Painted, Sample};
use crate::kind::scan::POOL;
use crate::kind::value::{Values, counted, named, stored};
use crate::kind::zero_shot::TRUNCATE;
use crate::statistics::deviations;

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "dataset_examples",
    summary: "the images of a data set that activate a unit or a direction most, or least",
    doc: "Each image of the data set is run through the model once per layer. The pooled activations of all units of the layer are stored in half precision, so that the next unit needs no forward pass. If shown images have the same activation in half precision, they are run through the model again and ordered by their activations in full precision. Images that are still equal, and more than 256 with the same activation, as for a silent unit, are ordered by the digests of their keys, which nobody chose.\n\nIf the data set is a list of words, each word is drawn as a picture: the result is the unit's top words, as in Goh et al., *Multimodal Neurons in Artificial Neural \
          Networks*, Distill 2021.\n\nThe activation of a direction (`units`, `direction`, `target`) for an image is the dot product of the layer's activations, averaged over positions, with the direction scaled to length 1; at the embedding it is the cosine of the two. So `direction: { text: … }` without a `layer` searches a data set by a text.\n\n\
          The strongest images show one end of a unit's range only. `order: quantiles` shows all of it: the image at each of `top` quantiles of equal distance, from the greatest activation to the least. Of *n* images sorted by activation, the one at the quantile *q* is number *q*(*n* − 1), rounded. `order: nearest_zero` lists the images whose activation is smallest in absolute value. In these two, images with equal activations are in the order of the BLAKE3 digests of their keys.\n\n\
          With `controls:` in `neuronotes.yaml`, a fold under the figure shows images that nobody chose: drawn at random, from the whole range of activation, the weakest, and those of other units. `neuronotes kinds controls` documents them.\n\n\
          `alike` folds near-duplicates: an image whose perceptual hash differs in at most that many of 64 bits from one that is listed before it is counted there and not shown. The ranking is followed down until `top` different images are found, or eight times as many and 64 more have been compared. The hash is that of `imagehash.phash`: brightness in 32 × 32 pixels, its discrete cosine transform, and for each of the 8 × 8 lowest frequencies whether it is above their median (Zauner, *Implementation and Benchmarking of Perceptual Image Hash Functions*, 2010). Copies in another size or compression differ in a few bits, unrelated photographs in about 32; 6 to 10 are usual.\n\n\
          `maps: true` gives each picture a heat map of the activation at each position (before pooling, the class token left out), shown while the pointer or the keyboard's focus is on it: orange above zero, blue below. All maps of a figure have one scale.\n\n\
          `by: relevance` orders images by what the unit adds to a logit, to first order: activation times gradient, summed over positions. The logit is that of a `text`, or that of one `class` minus the mean of the other `classes`, as in `attribution` with `gradient_activation`. Relevance is computed for the `candidates` images with the greatest activation only; with as many candidates as images that is the whole data set. Relevance maximisation: Achtibat et al., *From attribution maps to human-understandable explanations through Concept Relevance Propagation*, 2023.",
    example: "id: examples\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 42\ntop: 12\n",
    // 2: images that are equal in half precision are ordered by full precision; 3: what is still equal by the digests of keys.
    impl_version: 3,
    fields: &[
        Field::compute("top", Type::Integer { min: 1, max: 100 }, "Number of images.")
            .or(Preset::Integer(9)),
        Field::compute(
            "order",
            Type::Choice(Order::WORDS),
            "Which images are listed: the `strongest` or the `weakest` activations, one at each of `top` `quantiles` from the greatest to the least, or those `nearest_zero`.",
        )
        .or(Preset::Text(Order::Strongest.word())),
        POOL,
        Field::compute(
            "alike",
            Type::Integer { min: 0, max: 32 },
            "Folds near-duplicates: the greatest number of different bits of two perceptual hashes, of 64, that count as one image. Without it, all are shown.",
        ),
        Field::compute(
            "maps",
            Type::Flag,
            "Whether each picture has a heat map of the activation at each position.",
        )
        .or(Preset::Flag(false)),
        Field::compute(
            "by",
            Type::Choice(By::WORDS),
            "By what images are ordered: the `activation`, or its `relevance` to a logit.",
        )
        .or(Preset::Text(By::Activation.word())),
        Field::compute("text", Type::Prompt, "For `by: relevance`: the text with the logit."),
        Field::compute(
            "classes",
            Type::Classes,
            "Instead of `text`: at least two classes, as in `zero_shot`.",
        ),
        Field::compute(
            "class",
            Type::Text,
            "The label of the class whose logit, minus the mean of the others', is meant.",
        ),
        Field::compute(
            "templates",
            Type::Templates,
            "For `by: relevance`: texts with `{}` as a placeholder for the text or the class's name. Several templates are averaged.",
        )
        .or(Preset::Texts(&["{}"])),
        TRUNCATE,
        Field::compute(
            "candidates",
            Type::Integer { min: 1, max: 1_000_000 },
            "For `by: relevance`: the number of images with the greatest activation whose relevance is computed.",
        )
        .or(Preset::Integer(2000)),
        CONTROLS,
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            named("mean", "", "The unit's or the direction's mean over the data set."),
            named("sd", "", "Its standard deviation over the data set."),
            counted("images_compared", "compared", "images", "With `alike`: the number of images that were compared."),
            counted(
                "images_with_relevance", "candidates",
                "images",
                "With `by: relevance`: the number of images whose relevance was computed.",
            ),
            named(
                "full_colour",
                "",
                "With `maps`: the activation, of either sign, that has the full colour.",
            ),
            named(
                "top[n].activation",
                "",
                "The unit's or the direction's activation for the n-th image of the list.",
            ),
            named("top[n].deviations", "standard deviations", "Its distance from the mean."),
            named("top[n].relevance", "", "With `by: relevance`: what it adds to the logit."),
            named("top[n].quantile", "", "With `order: quantiles`: the quantile that it stands at."),
            counted("top[n].images_alike", "alike", "images", "With `alike`: the number of images folded into it."),
            named(
                "top[n].key",
                "",
                "The image's key in the data set; for a list of words, the word.",
            ),
            named("top[n].caption", "", "Its caption, if there is one."),
            named("top[n].label", "", "Its label, if there is one."),
        ],
        of: |result| stored(result, derive),
    },
    pictures: Some(pictures),
    fault,
    misfit,
    trim,
    form: form::<Params>,
    work: |params| match params.get("by").is_some_and(|by| by == By::Relevance.word()) {
        true => params.get("candidates").and_then(Value::as_f64).unwrap_or(1.0) / 20.0,
        false => 1.0,
    },
    sample: |params, number| made_up(params, number),
    ..Kind::BASE
};

fn pictures(result: Value) -> serde_json::Result<Vec<Exhibit>> {
    let outcome: Outcome = serde_json::from_value(result)?;
    let one = |example: Example| Exhibit {
        output: example.picture,
        label: example.caption.unwrap_or(example.key),
    };
    Ok(outcome.top.into_iter().map(one).collect())
}

fn derive(outcome: Outcome, tree: &mut Value) {
    for (index, example) in outcome.top.iter().enumerate() {
        let away = deviations(example.activation, outcome.mean, outcome.sd);
        tree["top"][index]["deviations"] = json!(away);
    }
}

/// A made-up result with what the parameters ask for.
fn made_up(params: &Map<String, Value>, number: f64) -> Sample {
    let is = |name: &str, value: &str| params.get(name).is_some_and(|given| given == value);
    let has = |name: &str| params.get(name) == Some(&Value::Bool(true));
    let mut outcome = sample(number);
    let mut painted = vec![Painted::png("example-0.png", 6, 4)];
    if is("by", By::Relevance.word()) {
        outcome.candidates = Some(6);
        outcome.top[0].relevance = Some(0.25);
    }
    if is("order", Order::Quantiles.word()) {
        outcome.top[0].quantile = Some(0.5);
    }
    if params.contains_key("alike") {
        outcome.compared = Some(4);
        outcome.top[0].alike = Some(3);
    }
    if has("maps") {
        outcome.full_colour = Some(2.0);
        for example in &mut outcome.top {
            let name = format!("map-of-{}", example.picture);
            painted.push(Painted::png(&name, 6, 4));
            example.map = Some(name);
        }
    }
    Sample::of(&outcome, painted)
}
