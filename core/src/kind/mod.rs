//! The registry of kinds of analysis: each kind's YAML fields, defaults, documentation, parameters and result. The
//! lab measures it, and the garden draws it, under the same name.
//!
//! A new kind is one file here, one in `lab/src/kind/`, one in `src/figure/`, and one line in each registry.

pub mod ablate;
mod about;
pub mod activation_histogram;
pub mod attack;
pub mod attribution;
pub mod category;
pub mod category_response;
pub mod class;
pub mod composition;
pub mod concept;
pub mod conditional;
pub mod controlled;
pub mod controls;
pub mod dataset_examples;
pub mod direction;
pub mod drawn_words;
mod entry;
mod exhibit;
pub mod facet;
pub mod feature_vis;
mod field;
pub mod group;
mod known;
pub mod labels;
mod logit;
pub mod mention;
mod naming;
mod noise;
pub mod probe;
pub mod quiz;
pub mod rating;
mod sample;
pub mod scan;
pub mod selectivity;
pub mod sparse_code;
pub mod spoiled;
pub mod stroop;
mod target;
pub mod term;
pub mod text_rank;
pub mod text_span;
mod tuple;
pub mod unit_at;
pub mod unit_quality;
pub mod unit_rank;
pub mod unit_search;
pub mod unit_similarity;
pub mod unit_summary;
mod value;
mod words;
pub mod zero_shot;

pub use entry::{About, Data, Exhibiting, Fault, Kind, Recipe, Scan};
pub use exhibit::{Exhibit, Origin};
pub use field::{
    COMMON, Field, Kinds, MOST_CLASSES, MOST_HEADS, MOST_LAYERS, MOST_PICTURES, MOST_POINTS,
    MOST_TEMPLATES, MOST_TEXTS, MOST_UNITS, Preset, Role, TARGET, Takes, Type,
};
pub use known::{Known, Misnamed, Rated};
pub use noise::{COUNTS, Noise};
pub use sample::{Painted, Sample};
pub use target::OF_TARGET;
pub use value::{Named, PROVENANCE, Values};

/// All kinds, in the order of the documentation.
pub static KINDS: &[&Kind] = &[
    &feature_vis::KIND,
    &dataset_examples::KIND,
    &controls::KIND,
    &activation_histogram::KIND,
    &unit_rank::KIND,
    &unit_summary::KIND,
    &category_response::KIND,
    &conditional::KIND,
    &selectivity::KIND,
    &quiz::KIND,
    &drawn_words::KIND,
    &zero_shot::KIND,
    &text_rank::KIND,
    &direction::KIND,
    &concept::KIND,
    &facet::KIND,
    &sparse_code::KIND,
    &unit_search::KIND,
    &labels::KIND,
    &unit_quality::KIND,
    &unit_similarity::KIND,
    &attack::KIND,
    &stroop::KIND,
    &probe::KIND,
    &composition::KIND,
    &attribution::KIND,
    &text_span::KIND,
    &ablate::KIND,
];

impl Kind {
    /// The kind with that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().copied().find(|kind| kind.name == name)
    }

    /// The names of the kinds that a field takes.
    pub fn taken(takes: Takes) -> Vec<String> {
        let fitting = KINDS.iter().filter(|kind| kind.fits(takes));
        fitting.map(|kind| kind.name.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn every_value_that_is_filled_in_is_one_that_its_field_takes() {
        for kind in KINDS {
            for field in kind.all_fields() {
                let recipes = kind.recipes.iter().map(|recipe| Some(recipe.name)).chain([None]);
                for value in recipes.filter_map(|recipe| kind.default(field, recipe)) {
                    assert_eq!(field.check(&value), Ok(()), "{}", kind.name);
                }
            }
        }
    }

    #[test]
    fn every_recipe_has_a_value_for_every_field_that_asks_for_one_and_no_other() {
        for kind in KINDS {
            let words = kind.recipe_field().map(|field| field.ty);
            let names: Vec<&str> = kind.recipes.iter().map(|recipe| recipe.name).collect();
            match words {
                Some(Type::Choice(words)) => assert_eq!(words, names, "{}", kind.name),
                other => assert!(other.is_none() && names.is_empty(), "{}", kind.name),
            }
            let asking = || kind.fields.iter().filter(|field| field.default == Preset::Recipe);
            for recipe in kind.recipes {
                assert_eq!(recipe.all().len(), asking().count(), "{}", recipe.name);
                for field in asking() {
                    assert!(recipe.value(field.name).is_some(), "{} {}", recipe.name, field.name);
                }
            }
        }
    }

    #[test]
    fn parameters_out_of_bounds_are_named() {
        let params = |name: &str, value: Value| {
            let map = Map::from_iter([(name.to_owned(), value)]);
            feature_vis::KIND.params::<Value>(&map).expect_err("out of bounds")
        };
        assert_eq!(
            params("size", 5.into()),
            "`size` is 5, but must be a whole number from 32 to 2048"
        );
        assert_eq!(
            params("sign", "up".into()),
            "`sign` is \"up\", but must be `positive` or `negative`"
        );
        for kind in KINDS {
            let odd = Map::from_iter([("nonsense".to_owned(), Value::from(1))]);
            let error = kind.check(&odd).expect_err("no such field");
            assert!(error.starts_with("the parameters are malformed"), "{} {error}", kind.name);
        }
        for (name, value) in
            [("size", 64.5.into()), ("diversity", (-1).into()), ("seed", (-1).into())]
        {
            assert!(params(name, value).contains("but must be"), "{name}");
        }
    }
}
