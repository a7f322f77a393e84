//! The classes of a probe: its parameters and what its data set says in; their names out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::params::{Params, Strength, Truth};
use crate::dataset::Said;
use crate::kind::field::MOST_CLASSES;
use crate::kind::known::{Known, Misnamed};
use crate::problem::Problem;
use crate::request::Request;
use crate::suggest;

/// The place of a class among those of a probe: the one of that name, or else the first that differs from it in case only.
///
/// # Errors
/// If there is none: names the nearest ones.
pub fn class_named<S: AsRef<str>>(classes: &[S], name: &str) -> Result<usize, Problem> {
    let same = classes.iter().position(|class| class.as_ref() == name);
    let lower = name.to_lowercase();
    let alike = || classes.iter().position(|class| class.as_ref().to_lowercase() == lower);
    same.or_else(alike).ok_or_else(|| {
        let problem = Problem::new(format!("the probe has no class `{name}`"));
        problem.hint(suggest::hint(name, classes))
    })
}

/// The names of the classes: those that the block lists, or else all labels or captions of the data set, sorted; of those
/// that differ in case only, the first. `None` if that is not known.
///
/// # Errors
/// If there are fewer than two or too many, a listed one is repeated, or no image is of it.
pub fn classes(params: &Params, said: &Said) -> Result<Option<Vec<String>>, Misnamed> {
    let (texts, others) = match params.truth {
        Truth::Label => (&said.labels, &said.captions),
        Truth::Caption => (&said.captions, &said.labels),
    };
    let Some(texts) = texts else { return Ok(None) };
    let mut found: BTreeMap<String, (&str, u64)> = BTreeMap::new();
    for (text, count) in texts {
        found.entry(text.to_lowercase()).or_insert((text, 0)).1 += count;
    }
    let names: Vec<String> = match params.classes.is_empty() {
        true => all(params.truth, others.as_ref(), said, &found)?,
        false => {
            listed(params, &found)?;
            params.classes.clone()
        }
    };
    let most = names.iter().filter_map(|name| found.get(&name.to_lowercase()));
    if params.group_by.is_none() && most.map(|(_, count)| *count).max() == Some(1) {
        let problem = Problem::new("no image can be held out");
        let problem = problem.hint("at least one class needs two images");
        return Err(Misnamed::new("truth", problem));
    }
    Ok(Some(names))
}

/// Checks that each listed class is listed once and has an image.
fn listed(params: &Params, found: &BTreeMap<String, (&str, u64)>) -> Result<(), Misnamed> {
    let lower: Vec<String> = params.classes.iter().map(|label| label.to_lowercase()).collect();
    let word = params.truth.word();
    for (at, label) in params.classes.iter().enumerate() {
        let item = |problem: Problem| Misnamed::item("classes", at, problem);
        if lower[..at].contains(&lower[at]) {
            let problem = Problem::new(format!("the class `{label}` is listed more than once"));
            return Err(item(problem.hint("upper and lower case make no difference")));
        }
        if !found.contains_key(&lower[at]) {
            let message = format!("no image of the data set has the {word} `{label}`");
            let known = found.values().map(|(text, _)| *text);
            let near = suggest::hint(label, known.collect::<Vec<_>>());
            let hint = near.unwrap_or_else(|| "remove it from `classes`".to_owned());
            return Err(item(Problem::new(message).hint(hint)));
        }
    }
    Ok(())
}

/// All labels or captions.
fn all(
    truth: Truth,
    others: Option<&BTreeMap<String, u64>>,
    said: &Said,
    found: &BTreeMap<String, (&str, u64)>,
) -> Result<Vec<String>, Misnamed> {
    let (word, other) = match truth {
        Truth::Label => (truth.word(), Truth::Caption.word()),
        Truth::Caption => (truth.word(), Truth::Label.word()),
    };
    let problem = match found.len() {
        0 => {
            let hint = if others.is_some_and(|others| !others.is_empty()) {
                format!("it has {other}s: `truth: {other}`")
            } else if truth == Truth::Label {
                said.no_labels().to_owned()
            } else {
                said.no_captions().to_owned()
            };
            Problem::new(format!("no image of the data set has a {word}")).hint(hint)
        }
        1 => {
            let only = found.values().next().map_or("", |(text, _)| text);
            let message = format!("all images of the data set have the same {word}, `{only}`");
            Problem::new(message).hint("a probe tells at least two classes apart")
        }
        count if count > MOST_CLASSES => {
            let message = format!(
                "the data set has {count} different {word}s; at most {MOST_CLASSES} can be classes"
            );
            Problem::new(message).hint("list the `classes`")
        }
        _ => return Ok(found.values().map(|(text, _)| (*text).to_owned()).collect()),
    };
    Err(Misnamed::new("truth", problem))
}

/// Problems with what a probe's parameters name.
pub(super) fn naming(params: &Map<String, Value>, known: &mut dyn Known) -> Vec<Misnamed> {
    let Ok(params) = serde_json::from_value::<Params>(Value::Object(params.clone())) else {
        return vec![];
    };
    if let (Strength::Terms(terms), Some(units)) = (params.strength(), known.units())
        && terms > f64::from(units)
    {
        let problem = Problem::new(format!("`terms` is {terms}, but there are {units} units"));
        return vec![Misnamed::new("terms", problem.hint("ask for fewer terms"))];
    }
    let said = known.dataset().and_then(|dataset| known.said(&dataset));
    let problem = said.and_then(|said| classes(&params, &said).err());
    problem.into_iter().collect()
}

/// The parameters of the probe that a block uses as its `probe`, and the names of its classes, if they are known.
pub fn classes_used(known: &mut dyn Known) -> Option<(Params, Option<Vec<String>>)> {
    let Request { params, dataset, .. } = known.used("probe")?.clone();
    let params: Params = serde_json::from_value(Value::Object(params)).ok()?;
    if !params.classes.is_empty() {
        let classes = params.classes.clone();
        return Some((params, Some(classes)));
    }
    let said = dataset.and_then(|dataset| known.said(&dataset));
    let classes = said.and_then(|said| classes(&params, &said).ok().flatten());
    Some((params, classes))
}

#[cfg(test)]
mod tests {
    use super::super::params::{GroupBy, Penalty};
    use super::*;
    use crate::kind::scan::Pool;
    use crate::model::Place;

    fn params() -> Params {
        Params {
            layer: Place::Layer("a".into()),
            pool: Pool::Mean,
            truth: Truth::Label,
            classes: vec![],
            penalty: Penalty::L2,
            regularisation: None,
            terms: None,
            non_negative: false,
            held_out: 0.5,
            group_by: None,
            stratify: None,
            seed: 0,
        }
    }

    fn said(labels: &[(&str, u64)], captions: &[(&str, u64)]) -> Said {
        let counts = |of: &[(&str, u64)]| {
            Some(of.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect())
        };
        let images = labels.iter().chain(captions).map(|(_, count)| count).sum();
        Said {
            images,
            labels: counts(labels),
            captions: counts(captions),
            keys: None,
            in_folders: true,
        }
    }

    fn fails(params: &Params, said: &Said) -> (&'static str, String, String, String) {
        let Misnamed { field, pointer, problem } = classes(params, said).expect_err("a problem");
        (field, pointer, problem.message, problem.hint.expect("a hint"))
    }

    #[test]
    fn classes_are_found_by_name_and_an_unknown_one_is_an_error_with_the_nearest() {
        let classes = ["castle", "Cat", "cat"];
        assert_eq!(class_named(&classes, "cat"), Ok(2));
        assert_eq!(class_named(&classes, "CASTLE"), Ok(0));
        let problem = class_named(&classes, "castel").expect_err("unknown");
        assert_eq!(problem.message, "the probe has no class `castel`");
        assert!(problem.hint.is_some_and(|hint| hint.contains("`castle`")));
    }

    #[test]
    fn classes_are_all_labels_whatever_their_case_or_those_that_are_listed() {
        let said = said(&[("Animal", 1), ("animal", 3), ("thing", 2)], &[("a cat", 6)]);
        let all = classes(&params(), &said).expect("classes").expect("known");
        assert_eq!(all, ["Animal", "thing"]);
        let listed = Params { classes: vec!["THING".into(), "animal".into()], ..params() };
        assert_eq!(classes(&listed, &said), Ok(Some(listed.classes.clone())));
        let unknown = Said { labels: None, ..said };
        assert_eq!(classes(&params(), &unknown), Ok(None));
    }

    #[test]
    fn what_cannot_be_told_apart_is_an_error_with_a_hint() {
        let none = said(&[], &[("a", 1), ("b", 2)]);
        let (field, _, message, hint) = fails(&params(), &none);
        assert_eq!((field, &*hint), ("truth", "it has captions: `truth: caption`"));
        assert!(message.contains("no image of the data set has a label"), "{message}");
        assert!(fails(&params(), &said(&[], &[])).3.contains("labels: folders"));
        let same = said(&[("x", 3)], &[]);
        assert!(fails(&params(), &same).2.contains("the same label, `x`"));
        let alone = said(&[("x", 1), ("y", 1)], &[]);
        assert!(fails(&params(), &alone).2.contains("no image can be held out"));
        let grouped = Params { group_by: Some(GroupBy::Folder), ..params() };
        assert!(classes(&grouped, &alone).is_ok(), "folders are not known here");
        let of = said(&[("animal", 3), ("thing", 2)], &[]);
        let listed = |names: &[&str]| {
            let classes = names.iter().map(|name| (*name).to_owned()).collect();
            fails(&Params { classes, ..params() }, &of)
        };
        let (field, pointer, message, hint) = listed(&["animal", "things"]);
        assert_eq!((field, &*pointer, &*hint), ("classes", "/1", "did you mean `thing`?"));
        assert!(message.contains("the label `things`"), "{message}");
        assert!(listed(&["animal", "Animal"]).2.contains("more than once"));
        let many: Vec<(String, u64)> = (0..=MOST_CLASSES).map(|n| (n.to_string(), 2)).collect();
        let many: Vec<(&str, u64)> = many.iter().map(|(name, n)| (&**name, *n)).collect();
        assert!(fails(&params(), &said(&many, &[])).2.contains("at most 2000 can be classes"));
    }
}
