//! `feature_vis`: an image optimised until a unit answers to it as strongly as can be.

use serde::{Deserialize, Serialize};

use super::{Data, Default, Field, Kind, Role, Scan, Type};
use crate::figure::{DrawContext, Drawing, Picture, number};

/// What decides the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Canonical spelling.
    pub layer: String,
    /// Channel, from 0.
    pub unit: u32,
    /// What is maximised.
    pub objective: Objective,
    /// Side of the square picture, in pixels.
    pub size: u32,
    /// Steps of Adam.
    pub steps: u32,
    /// Adam's learning rate, for the spectrum's coefficients.
    pub learning_rate: f64,
    /// Whether the picture is moved, scaled and rotated at random before each step.
    pub transforms: Transforms,
    /// Of the first noise and of the transforms.
    pub seed: u64,
}

/// What is maximised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The channel's mean over all positions.
    Channel,
    /// The channel at the central position.
    Neuron,
}

/// How the picture is disturbed before each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transforms {
    /// Pad 12, jitter 8, scale 0.9 to 1.1, rotate ±10°, jitter 4.
    Lucid,
    /// Not at all.
    None,
}

/// What came out, beside the output `image.png` (8-bit RGB, `size` × `size`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Side of the picture, in pixels.
    pub size: u32,
    /// The objective on the picture itself, without transforms.
    pub activation: f64,
    /// The objective on the noise that it began from, without transforms.
    pub activation_at_start: f64,
    /// Step and objective (with transforms) along the way, at most 64 pairs, first and last among them.
    pub curve: Vec<(u32, f64)>,
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "feature_vis",
    summary: "a picture made to excite a unit as strongly as can be",
    doc: "Starts from noise and follows the gradient of the unit's activation with respect to the picture. The \
          picture is held as a Fourier spectrum whose coefficients are scaled by frequency, in a colour space \
          whose axes are decorrelated, and is moved, scaled and rotated at random before each step, so that \
          what remains is what the unit answers to wherever it stands.\n\nMethod: Olah, Mordvintsev and \
          Schubert, *Feature Visualization*, Distill 2017; parameters as in Lucid.",
    example: "id: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 42\ncaption: What unit 42 looks for.\n",
    impl_version: 1,
    fields: &[
        Field {
            name: "objective",
            ty: Type::Choice(&["channel", "neuron"]),
            default: Default::Text("channel"),
            role: Role::Compute,
            doc: "`channel` maximises the unit's mean over all positions, `neuron` the unit at the central position.",
        },
        Field {
            name: "size",
            ty: Type::Integer { min: 32, max: 1024 },
            default: Default::Integer(128),
            role: Role::Compute,
            doc: "Side of the picture in pixels. Layers before the attention pool take any size.",
        },
        Field {
            name: "steps",
            ty: Type::Integer { min: 1, max: 65536 },
            default: Default::Integer(512),
            role: Role::Compute,
            doc: "Steps of Adam.",
        },
        Field {
            name: "learning_rate",
            ty: Type::Number { min: 1e-6, max: 10.0 },
            default: Default::Number(0.05),
            role: Role::Compute,
            doc: "Adam's learning rate.",
        },
        Field {
            name: "transforms",
            ty: Type::Choice(&["lucid", "none"]),
            default: Default::Text("lucid"),
            role: Role::Compute,
            doc: "`lucid`: pad 12, jitter 8, scale 0.9 to 1.1, rotate ±10°, jitter 4. `none` shows what they are good for.",
        },
        Field {
            name: "seed",
            ty: Type::Integer { min: 0, max: i64::MAX },
            default: Default::Configured,
            role: Role::Compute,
            doc: "Of the first noise and of the transforms.",
        },
    ],
    unit: true,
    text: false,
    data: Data::Never,
    scan: Scan::None,
    fault: |_| None,
    // As the theme enlarges it: by a whole number, to at most 320 pixels.
    height: |params| {
        let size = params.get("size").and_then(serde_json::Value::as_u64).unwrap_or(128).max(1);
        u32::try_from(size * (320 / size).max(1)).unwrap_or(320)
    },
    draw,
};

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let what = match params.objective {
        Objective::Channel => "mean activation",
        Objective::Neuron => "central activation",
    };
    let picture = Picture {
        image: context.picture("image.png", outcome.size, outcome.size)?,
        alt: format!(
            "Feature visualisation of unit {} of {}: an abstract picture, optimised from noise.",
            params.unit, context.layer_shown
        ),
        synthetic: true,
    };
    Ok(Drawing::Picture {
        picture,
        note: format!(
            "{what} {}, from {} on noise",
            number::number(outcome.activation, 2),
            number::number(outcome.activation_at_start, 2),
        ),
    })
}
