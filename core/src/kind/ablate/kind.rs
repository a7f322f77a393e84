//! The registry's entry of `ablate`.

use serde_json::{Value, json};

use super::fault::{fault, trim};
use super::outcome::{ClassChange, Outcome, sample};
use super::params::{By, MOST_CONTROLS, Params, Read};
use crate::kind::entry::{About, Data, Kind, Scan, form};
use crate::kind::field::{Field, Preset, Type};
use crate::kind::sample::Sample;
use crate::kind::value::{Values, counted, named, stored};
use crate::kind::zero_shot::{TRUNCATE, Truth};

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "ablate",
    summary: "units, directions or heads changed, and what that does to an accuracy, a logit or another unit",
    doc: "Each picture of the data set goes through the network twice: as it is, and with some units, directions or heads of the layer changed at every position. What is read is the zero-shot accuracy, a logit or the activation of a later unit; the figure shows it before and after, and the change, with 95 % intervals.\n\n\
          Changes:\n\n- `zero`: units and heads are set to zero; a direction is projected out.\n- `project_out`: the same for directions: x becomes x − (x·d) d, with d of length 1. Several are made orthogonal first, so that the space that they span is projected out.\n- `mean`: set to the mean over the data set: of units and directions the mean of the activations, averaged over positions; of heads the mean at each position.\n- `shift`: `sd` standard deviations are added, which may be negative. The deviation is that of activations averaged over positions, over the data set.\n\n\
          A head is changed where it is read, before heads are projected: at `visual.attnpool` of a ResNet, and at `…attn` of a transformer's block, for all tokens.\n\n\
          Beside it stand controls: the same change of other things, of the same size. For units and heads they are drawn by chance from the other ones of the layer: each changed unit is replaced by one of those whose change is nearest in size, twice as many as there are controls. The size is the root mean square of the change over positions and the pictures that are read. For directions they are exactly as large: what the change adds along a direction is added along a random one instead, at each position of each picture. Random directions are sums of pictures' activations with normally distributed weights, less their mean, orthogonal to the changed ones; so they are directions in which pictures differ. If the layer has fewer other units or heads than controls, each of them is a control.\n\n\
          p is one more than the number of controls whose effect is as large, in either direction, divided by one more than all of them (Davison and Hinkley, *Bootstrap Methods and their Application*, 1997). Intervals of accuracies are Wilson's; all others are central 95 % of 1,000 bootstrap resamples of the pictures, with the same pictures before and after.",
    example: "id: without\nkind: ablate\nlayer: image_block_4/1/Add_6\nunits: [395, 186, 251]\nread: logit\nclass: pineapple\nclasses: [bicycle, castle, cat, guitar, octopus, pineapple, pizza, red apple, rocket, umbrella]\ntemplates: [\"{}\"]\ntruth: none\ncontrols: 5\n",
    impl_version: 2,
    fields: &[
        Field::compute(
            "units",
            Type::Channels,
            "The units that are changed, all at once: channels of the layer, counted from 0.",
        ),
        Field::compute(
            "directions",
            Type::Directions,
            "Or the directions that are changed: names of blocks of the kind `direction` at the same layer, or mappings such as `units: { 3: 1, 7: -0.5 }`; one, or a list of those.",
        ),
        Field::compute(
            "heads",
            Type::Heads { all: false },
            "Or the attention heads that are changed, counted from 0. The layer is `visual.attnpool` of a ResNet, or `…attn` of a transformer's block.",
        ),
        Field::compute("by", Type::Choice(By::WORDS), "How they are changed.")
            .or(Preset::Text(By::Zero.word())),
        Field::compute(
            "sd",
            Type::Number { min: -100.0, max: 100.0 },
            "For `by: shift`: the number of standard deviations that are added.",
        ),
        Field::compute(
            "read",
            Type::Choice(Read::WORDS),
            "What is read: the zero-shot `accuracy` over the classes; the `logit` of a `text`, or that of a `class` minus the mean of the others'; or the activation of a `unit`, averaged over positions.",
        )
        .or(Preset::Text(Read::Accuracy.word())),
        Field::compute(
            "classes",
            Type::Classes,
            "The classes, as in `zero_shot`. The default is the data set's labels, of which there may be at most 100.",
        ),
        Field::compute(
            "class",
            Type::Text,
            "The label of one class: the accuracy over its pictures, or its logit for them.",
        ),
        Field::compute(
            "text",
            Type::Text,
            "For `read: logit`: the text whose logit is read, averaged over all pictures.",
        ),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` as a placeholder for the text or the class's name. Several templates are averaged.",
        )
        .or(Preset::Texts(&["a photo of a {}."])),
        TRUNCATE,
        Field::compute(
            "truth",
            Type::Choice(Truth::WORDS),
            "The source of an image's true class: its label or its caption, compared with the classes' labels ignoring case. With `none`, the logit of a `class` is averaged over all pictures.",
        )
        .or(Preset::Text(Truth::Label.word())),
        Field::compute(
            "read_unit",
            Type::UnitAt,
            "For `read: unit`: a unit of a later layer, `{ layer: image_block_4/1/Relu_2, unit: 7 }`.",
        ),
        Field::compute(
            "images",
            Type::Integer { min: 1, max: 10_000_000 },
            "Number of images that are read, evenly spread over the data set. The default is all.",
        ),
        Field::compute(
            "controls",
            Type::Integer { min: 0, max: MOST_CONTROLS },
            "Number of controls.",
        )
        .or(Preset::Integer(20)),
        Field::compute("seed", Type::Seed, "Random seed for the controls and the bootstrap.")
            .or(Preset::Configured),
    ],
    about: About::Layer,
    text: true,
    text_unless: Some(("read", Read::Unit.word())),
    data: Data::Always,
    scan: Scan::LayerUnless("heads"),
    captions: true,
    values: Values {
        named: &[
            named("images", "images", "Number of images that were read."),
            counted("images_skipped", "skipped", "images", "Number of images that cannot be read."),
            counted(
                "images_outside", "outside",
                "images",
                "Number of images whose true class is unknown or not among the classes.",
            ),
            named("before.value", "", "What is read before the change: a fraction for an accuracy."),
            named("before.low", "", "The lower end of its 95 % interval."),
            named("before.high", "", "The upper end."),
            named("after.value", "", "What is read after the change."),
            named("after.low", "", "The lower end of its 95 % interval."),
            named("after.high", "", "The upper end."),
            named("change.value", "", "After minus before, of the same images."),
            named("change.low", "", "The lower end of its 95 % interval."),
            named("change.high", "", "The upper end."),
            counted("flips.images_lost", "lost", "images", "Images classified correctly before, and not after."),
            counted("flips.images_gained", "gained", "images", "Images classified correctly after, and not before."),
            named("norm", "", "The norm of the change of the activation, at a position."),
            named("whole", "", "The norm of the activation itself."),
            named("p", "", "The fraction of controls, with the change itself, whose effect is as large."),
            counted("controls_as_large", "as_large", "controls", "Number of controls whose effect is as large."),
            named("controls[n].change", "", "The change by the n-th control."),
            named("controls[n].norm", "", "The norm of its change of the activation."),
            named("mean_control", "", "The mean change by the controls."),
            named("least_control", "", "The least change by a control, with its sign."),
            named("greatest_control", "", "The greatest."),
            named("classes[n].label", "", "The n-th class; also by its label, `classes[label=cat]`."),
            counted("classes[n].images", "of", "images", "Number of its images."),
            named("classes[n].before", "fraction", "The accuracy over its images before the change."),
            named("classes[n].after", "fraction", "The accuracy after it."),
            named("classes[n].change", "", "After minus before."),
            named("classes[n].control", "", "The mean of the same for the controls."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    trim,
    form: form::<Params>,
    work: |params| {
        let controls = params.get("controls").and_then(Value::as_f64).unwrap_or(20.0);
        let images = params.get("images").and_then(Value::as_f64).unwrap_or(1000.0);
        images * (2.0 + controls)
    },
    sample: |_, number| Sample::of(&sample(0.5 / (1.0 + number.abs())), vec![]),
    ..Kind::BASE
};

fn derive(outcome: Outcome, tree: &mut Value) {
    tree["before"] = outcome.before.named();
    tree["after"] = outcome.after.named();
    tree["change"] = outcome.change.named();
    tree["as_large"] = outcome.as_large().into();
    tree["p"] = json!(outcome.p());
    let (mean, least, greatest) = match outcome.of_controls() {
        Some((mean, least, greatest)) => (Some(mean), Some(least), Some(greatest)),
        None => (None, None, None),
    };
    tree["mean_control"] = json!(mean);
    tree["least_control"] = json!(least);
    tree["greatest_control"] = json!(greatest);
    if outcome.flips.is_none() {
        tree["flips"] = Value::Null;
    }
    let class = |class: &ClassChange| {
        let [before, after] = class.accuracy();
        let count = class.controls.len();
        let mean = class.controls.iter().sum::<f64>() / count.max(1) as f64;
        json!({
            "label": class.label, "of": class.of, "before": before, "after": after,
            "change": class.change.value, "control": (count > 0).then_some(mean),
        })
    };
    tree["classes"] = outcome.classes.iter().map(class).collect();
}
