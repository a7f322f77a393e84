//! Recipes of feature visualisation: the one table of their values, each with its source.

use crate::kind::entry::Recipe;
use crate::kind::field::Preset;

/// The names, for the field `recipe`; the first is the default.
pub const NAMES: [&str; RECIPES.len()] = {
    let mut names = [""; RECIPES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = RECIPES[at].name;
        at += 1;
    }
    names
};

/// Every recipe.
pub(super) const RECIPES: &[Recipe] = &[LUCID, PAPER, DRAFT, MACO];

const LUCID: Recipe = Recipe {
    name: "lucid",
    doc: "Lucid's defaults (`optvis/render.py`), after Olah, Mordvintsev and Schubert, *Feature Visualization*, \
          Distill 2017.",
    base: None,
    values: &[
        ("parametrisation", Preset::Text("fourier")),
        ("size", Preset::Integer(128)),
        ("steps", Preset::Integer(512)),
        ("learning_rate", Preset::Number(0.05)),
        ("transforms", Preset::Text("lucid")),
        ("penalty", Preset::Number(0.0)),
        ("redirect", Preset::Integer(16)),
        ("diversity", Preset::Number(1.0)),
        ("strength", Preset::Number(5.0)),
        ("cosine_power", Preset::Number(0.0)),
    ],
};

const PAPER: Recipe = Recipe {
    name: "paper",
    doc: "As in Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021, with its number of \
          steps (openai/CLIP-featurevis). Takes some thirty times as long as `lucid`.",
    base: Some(&LUCID),
    values: &[
        ("size", Preset::Integer(256)),
        ("steps", Preset::Integer(4096)),
        ("learning_rate", Preset::Number(0.02)),
        ("transforms", Preset::Text("paper")),
        ("penalty", Preset::Number(10.0)),
    ],
};

const DRAFT: Recipe = Recipe {
    name: "draft",
    doc: "Our own, for a first look: a small picture and few, large steps.",
    base: Some(&LUCID),
    values: &[
        ("size", Preset::Integer(96)),
        ("steps", Preset::Integer(64)),
        ("learning_rate", Preset::Number(0.1)),
    ],
};

const MACO: Recipe = Recipe {
    name: "maco",
    doc: "Only the phases of the spectrum are optimised; its magnitudes fall with frequency as in natural images. After \
          Fel et al., *Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization*, 2023 (arXiv 2306.06805); the numbers are our own.",
    base: Some(&LUCID),
    values: &[
        ("parametrisation", Preset::Text("maco")),
        ("size", Preset::Integer(256)),
        ("steps", Preset::Integer(256)),
        ("learning_rate", Preset::Number(0.1)),
        ("transforms", Preset::Text("crops")),
    ],
};
