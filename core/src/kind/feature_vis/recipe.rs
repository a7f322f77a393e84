//! Recipes of feature visualisation: the one table of their values, each with its source.

use crate::kind::{Default, Recipe};

/// The names, for the field `recipe`; the first is the default.
pub(super) const NAMES: [&str; 4] = ["lucid", "paper", "draft", "maco"];

/// Every recipe, in the order of [`NAMES`].
pub(super) static RECIPES: &[Recipe] = &[
    Recipe {
        name: "lucid",
        doc: "Lucid's defaults (`optvis/render.py`), after Olah, Mordvintsev and Schubert, *Feature Visualization*, \
              Distill 2017.",
        values: &[
            ("parametrisation", Default::Text("fourier")),
            ("size", Default::Integer(128)),
            ("steps", Default::Integer(512)),
            ("learning_rate", Default::Number(0.05)),
            ("transforms", Default::Text("lucid")),
            ("penalty", Default::Number(0.0)),
            ("redirect", Default::Integer(16)),
            ("diversity", Default::Number(1.0)),
            ("strength", Default::Number(5.0)),
            ("cosine_power", Default::Number(0.0)),
        ],
    },
    Recipe {
        name: "paper",
        doc: "As in Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021, with its number of \
              steps (openai/CLIP-featurevis). Takes some thirty times as long as `lucid`.",
        values: &[
            ("parametrisation", Default::Text("fourier")),
            ("size", Default::Integer(256)),
            ("steps", Default::Integer(4096)),
            ("learning_rate", Default::Number(0.02)),
            ("transforms", Default::Text("paper")),
            ("penalty", Default::Number(10.0)),
            ("redirect", Default::Integer(16)),
            ("diversity", Default::Number(1.0)),
            ("strength", Default::Number(5.0)),
            ("cosine_power", Default::Number(0.0)),
        ],
    },
    Recipe {
        name: "draft",
        doc: "Our own, for a first look: small, few and long steps.",
        values: &[
            ("parametrisation", Default::Text("fourier")),
            ("size", Default::Integer(96)),
            ("steps", Default::Integer(64)),
            ("learning_rate", Default::Number(0.1)),
            ("transforms", Default::Text("lucid")),
            ("penalty", Default::Number(0.0)),
            ("redirect", Default::Integer(16)),
            ("diversity", Default::Number(1.0)),
            ("strength", Default::Number(5.0)),
            ("cosine_power", Default::Number(0.0)),
        ],
    },
    Recipe {
        name: "maco",
        doc: "Only the phases of the spectrum move; its magnitudes fall with the frequency as those of natural images do. After \
              Fel et al., *Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization*, 2023 \
              (arXiv 2306.06805); the numbers are ours.",
        values: &[
            ("parametrisation", Default::Text("maco")),
            ("size", Default::Integer(256)),
            ("steps", Default::Integer(256)),
            ("learning_rate", Default::Number(0.1)),
            ("transforms", Default::Text("crops")),
            ("penalty", Default::Number(0.0)),
            ("redirect", Default::Integer(16)),
            ("diversity", Default::Number(1.0)),
            ("strength", Default::Number(5.0)),
            ("cosine_power", Default::Number(0.0)),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::feature_vis::KIND;

    #[test]
    fn every_recipe_has_a_value_for_every_field_that_asks_for_one_and_no_other() {
        let names: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name).collect();
        assert_eq!(names, NAMES);
        let asking = || KIND.fields.iter().filter(|field| field.default == Default::Recipe);
        for recipe in RECIPES {
            assert_eq!(recipe.values.len(), asking().count(), "{}", recipe.name);
            for field in asking() {
                assert!(recipe.value(field.name).is_some(), "{} of {}", field.name, recipe.name);
            }
        }
    }
}
