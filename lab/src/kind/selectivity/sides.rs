//! Which images are chosen by and which are tested on, and which are of each category: parameters and what the data set says of its
//! images in; rows out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::category::MOST_CATEGORIES;
use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::mention::Mentions;
use neuronotes_core::kind::probe::Truth;
use neuronotes_core::kind::selectivity::{By, GroupBy, Params, Sides, overlap};

use crate::failure::Failure;
use crate::group::{besides, places};

/// The rows of a data set that are chosen by and tested on, each rising.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Divided {
    /// Those that a unit or a category is chosen by.
    pub choose: Vec<usize>,
    /// Those that it is tested on.
    pub test: Vec<usize>,
}

impl Divided {
    /// Divides the images of a data set, of these shards.
    ///
    /// # Errors
    /// If a group has no image, an image is on both sides, or a side has none.
    pub(super) fn of(
        params: &Params,
        samples: &[Sample],
        shards: &[usize],
    ) -> Result<Self, Failure> {
        let all = || (0..samples.len()).collect();
        let is_whole = params.unit.is_none() && params.direction.is_none();
        let divided = match params.sides() {
            Sides::Whole => Self { choose: vec![], test: all() },
            Sides::Groups(Some(choose), None) => {
                let choose = places(samples, choose)?;
                Self { test: besides(samples.len(), &choose)?, choose }
            }
            Sides::Groups(None, Some(test)) => {
                let test = places(samples, test)?;
                let rest = || besides(samples.len(), &test);
                Self { choose: if is_whole { rest()? } else { vec![] }, test }
            }
            Sides::Groups(choose, test) => {
                let of = |group| match group {
                    Some(group) => places(samples, group),
                    None => Ok(all()),
                };
                Self { choose: of(choose)?, test: of(test)? }
            }
            Sides::Hash(fraction, by) => {
                let is_held = |row: &usize| {
                    params.is_held_out(fraction, &together(by, &samples[*row], shards[*row]))
                };
                let (test, choose) = (0..samples.len()).partition(is_held);
                Self { choose, test }
            }
        };
        let chosen: BTreeSet<usize> = divided.choose.iter().copied().collect();
        if let Some(both) = divided.test.iter().find(|row| chosen.contains(row)) {
            return Err(overlap(&samples[*both].key).into());
        }
        let what = match (divided.choose.is_empty() && is_whole, divided.test.is_empty()) {
            (true, _) => "no image is left to choose a unit by",
            (_, true) => "no image is left to test on",
            _ => return Ok(divided),
        };
        let hint = "with few images, list them: `choose` and `test`";
        Err(Failure::new(what).hint(hint))
    }
}

/// What an image stays on one side with others by.
fn together(by: Option<GroupBy>, sample: &Sample, shard: usize) -> String {
    let text = match by {
        None => None,
        Some(GroupBy::Caption) => sample.caption.as_deref(),
        Some(GroupBy::Label) => sample.label.as_deref(),
        Some(GroupBy::Folder) => sample.key.rsplit_once('/').map(|(folder, _)| folder),
    };
    // A key may be in several shards.
    text.map_or_else(|| format!("{shard}:{}", sample.key), |text| format!("={text}"))
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Category {
    /// Its name.
    pub name: String,
    /// The rows of its images, rising.
    pub rows: Vec<usize>,
}

/// The categories of a request; without a list each label, or each caption, by its number of images.
///
/// # Errors
/// If no image has a label or a caption, or there are too many.
pub(super) fn categories(params: &Params, samples: &[Sample]) -> Result<Vec<Category>, Failure> {
    let text = |sample: &'_ Sample| match params.by {
        By::Label => sample.label.clone(),
        By::Caption | By::Word => sample.caption.clone(),
    };
    let mut rows: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (row, sample) in samples.iter().enumerate() {
        if let Some(text) = text(sample) {
            rows.entry(text).or_default().push(row);
        }
    }
    let what = if params.by == By::Label { "label" } else { "caption" };
    if rows.is_empty() {
        return Err(Failure::new(format!("no image of the data set has a {what}")));
    }
    let Some(classes) = params.classes() else {
        if rows.len() > MOST_CATEGORIES {
            let why = format!(
                "the data set has {} different {what}s; at most {MOST_CATEGORIES} can be categories",
                rows.len()
            );
            return Err(Failure::new(why).hint("list the `categories`"));
        }
        let mut all: Vec<Category> =
            rows.into_iter().map(|(name, rows)| Category { name, rows }).collect();
        // Of equally many, by name.
        all.sort_by_key(|category| std::cmp::Reverse(category.rows.len()));
        return Ok(all);
    };
    let texts: Vec<&str> = rows.keys().map(String::as_str).collect();
    let at: HashMap<&str, usize> = texts.iter().copied().zip(0..).collect();
    let mentions = Mentions::of(Truth::Caption, texts.iter().copied());
    let found = |name: &String| match params.by {
        By::Label | By::Caption => at.get(name.as_str()).copied().into_iter().collect(),
        By::Word => mentions.places(name),
    };
    let category = |class: &Class| {
        let places: BTreeSet<usize> = class.names.iter().flat_map(found).collect();
        let rows: BTreeSet<usize> =
            places.into_iter().flat_map(|place| rows[texts[place]].iter().copied()).collect();
        Category { name: class.label.clone(), rows: rows.into_iter().collect() }
    };
    Ok(classes.into_iter().map(category).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn params(more: Value) -> Params {
        let mut all = json!({
            "layer": "visual.layer4.0", "unit": 1, "way": "higher", "permutations": 100, "seed": 0, "pool": "mean",
        });
        for (name, value) in more.as_object().expect("fields") {
            all[name] = value.clone();
        }
        serde_json::from_value(all).expect("parameters")
    }

    fn samples() -> Vec<Sample> {
        let sample = |key: &str, label: &str, caption: &str| Sample {
            key: key.to_owned(),
            label: Some(label.to_owned()).filter(|label| !label.is_empty()),
            caption: Some(caption.to_owned()).filter(|caption| !caption.is_empty()),
        };
        vec![
            sample("heart--a", "red", "red heart"),
            sample("heart--b", "red", "red heart"),
            sample("face--a", "", "smiling face with heart eyes"),
            sample("face--b", "yellow", "Face"),
            sample("odd", "", ""),
        ]
    }

    fn divided(more: Value) -> Result<Divided, String> {
        Divided::of(&params(more), &samples(), &[0; 5]).map_err(|failure| failure.to_string())
    }

    #[test]
    fn sides_are_groups_or_the_rest_and_never_share_an_image() {
        let whole = divided(json!({})).expect("all");
        assert_eq!((whole.choose.len(), whole.test.len()), (0, 5));
        let choose = divided(json!({ "choose": { "keys": ["*--a"] } })).expect("two sides");
        assert_eq!((choose.choose, choose.test), (vec![0, 2], vec![1, 3, 4]));
        let test = divided(json!({ "test": { "labels": ["red"] } })).expect("one side");
        assert_eq!((test.choose, test.test), (vec![], vec![0, 1]));
        let of_layer =
            divided(json!({ "test": { "labels": ["red"] }, "unit": null })).expect("two");
        assert_eq!(of_layer.choose, [2, 3, 4]);
        let both = json!({ "choose": { "keys": ["*--a"] }, "test": { "labels": ["red"] } });
        let said = divided(both).expect_err("in both");
        assert!(said.contains("the image `heart--a` is in both `choose` and `test`"), "{said}");
        let apart = json!({ "choose": { "keys": ["*--a"] }, "test": { "keys": ["*--b"] } });
        assert_eq!(divided(apart).expect("two sides").test, [1, 3]);
        let none = divided(json!({ "choose": { "keys": ["*"] } })).expect_err("nothing is left");
        assert!(none.contains("all pictures of the data set"), "{none}");
    }

    #[test]
    fn a_hash_keeps_together_what_is_to_stay_together() {
        let mut apart = 0;
        for seed in 0..20 {
            let side = |by: Option<&str>| {
                let mut more = json!({ "held_out": 0.5, "seed": seed });
                if let Some(by) = by {
                    more["group_by"] = json!(by);
                }
                divided(more)
            };
            if let Ok(Divided { choose, test }) = side(Some("caption")) {
                assert_eq!(test.contains(&0), test.contains(&1), "{seed}");
                assert_eq!(choose.len() + test.len(), 5);
            }
            apart +=
                usize::from(side(None).is_ok_and(|x| x.test.contains(&0) != x.test.contains(&1)));
        }
        assert!(apart > 3, "{apart}");
    }

    #[test]
    fn categories_are_labels_captions_or_words() {
        let found = |more: Value| -> Vec<(String, Vec<usize>)> {
            let all = categories(&params(more), &samples()).expect("categories");
            all.into_iter().map(|category| (category.name, category.rows)).collect()
        };
        let is = |name: &str, rows: &[usize]| (name.to_owned(), rows.to_vec());
        assert_eq!(found(json!({})), [is("red", &[0, 1]), is("yellow", &[3])]);
        let class = |label: &str, names: &[&str]| json!({ "label": label, "names": names });
        let words = json!([class("hearts", &["heart"]), class("faces", &["FACE", "heart"])]);
        let of_words = json!({ "by": "word", "categories": words });
        assert_eq!(found(of_words), [is("hearts", &[0, 1, 2]), is("faces", &[0, 1, 2, 3])]);
        let captions = json!({ "by": "caption", "categories": [class("face", &["face", "Face"])] });
        assert_eq!(found(captions), [is("face", &[3])]);
        let lists = json!({ "by": "caption", "lists": [class("eyes", &["Face"])] });
        assert_eq!(found(lists), [is("eyes", &[3])]);
        let both =
            json!({ "categories": [class("reds", &["red"])], "lists": [class("none", &["a"])] });
        assert_eq!(found(both), [is("reds", &[0, 1]), is("none", &[])]);
        let silent = [Sample { key: "a".into(), label: None, caption: None }];
        assert!(categories(&params(json!({})), &silent).is_err());
    }
}
