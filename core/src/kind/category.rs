//! Categories of pictures: labels or captions of a data set, or labels that raters gave, alone and in groups.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::class::Class;
use super::entry::Fault;
use super::field::{Field, Preset, Type};
use super::known::{Known, Misnamed};
use super::rating::{DECIDE, LABELS};
use super::words::words;
use crate::problem::Problem;
use crate::suggest;

/// Most categories of a result.
pub const MOST_CATEGORIES: usize = 2_000;
/// Most labels that a labelling sheet offers: one for each digit key.
pub const MOST_ANSWERS: usize = 9;

words! {
    /// What of a data set are categories.
    #[derive(Default)]
    pub enum By {
        /// The labels.
        #[default]
        Label = "label",
        /// The captions.
        Caption = "caption",
    }
}

/// The field with the categories.
pub(super) const CATEGORIES: Field = Field::compute(
    "categories",
    Type::Categories,
    "A list of labels, or a mapping of categories to the labels in each: `{ plants: [tree, flower], animals: [cat] }`. Without it, each label is a category.",
);
/// The field that says what of the data set is meant.
pub(super) const BY: Field = Field::compute(
    "by",
    Type::Choice(By::WORDS),
    "What the data set's categories are: its labels, or its whole captions.",
)
.or(Preset::Text(By::Label.word()));

/// The categories of a block, if it names some.
pub(super) fn of(params: &Map<String, Value>) -> Option<Vec<Class>> {
    serde_json::from_value(params.get(CATEGORIES.name)?.clone()).ok()
}

/// Removes what has no effect: with labels of raters what of the data set is meant, and without them whose label counts.
pub(super) fn trim(params: &mut Map<String, Value>) {
    let idle = if params.contains_key(LABELS.name) { BY } else { DECIDE };
    params.remove(idle.name);
}

/// The problem of a block with labels of raters that says what to take of the data set, too.
pub(super) fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    (fields.contains_key("labels") && fields.contains_key("by")).then(|| Fault {
        field: "by",
        message: "a block can have only one of `labels` and `by`".to_owned(),
        hint: "`by` is about the data set's own labels; remove it to use those in the files",
    })
}

/// Problems with categories: a label in two of them, and labels of the data set that no image has; or that none has any.
pub(super) fn misnamed(params: &Map<String, Value>, known: &mut dyn Known) -> Vec<Misnamed> {
    let classes = of(params);
    let mut problems = Vec::new();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let classes_of = classes.as_deref().unwrap_or_default();
    let names = || {
        classes_of.iter().enumerate().flat_map(|(index, class)| {
            let names = class.names.iter().enumerate();
            names.map(move |(at, name)| (format!("/{index}/names/{at}"), class, name))
        })
    };
    let mut wrong = |pointer: String, problem: Problem| {
        problems.push(Misnamed { field: CATEGORIES.name, pointer, problem });
    };
    for (pointer, class, name) in names() {
        if let Some(other) = seen.insert(name, &class.label) {
            let message = format!("the label `{name}` is in both `{other}` and `{}`", class.label);
            wrong(pointer, Problem::new(message).hint("a picture has one category"));
        }
    }
    if params.contains_key("labels") {
        return problems;
    }
    let Some(said) = known.dataset().and_then(|dataset| known.said(&dataset)) else {
        return problems;
    };
    let by_caption = params.get(BY.name).and_then(Value::as_str) == Some(By::Caption.word());
    let (found, what) = match by_caption {
        true => (&said.captions, "caption"),
        false => (&said.labels, "label"),
    };
    let Some(found) = found else { return problems };
    if found.is_empty() && said.images > 0 {
        let message = format!("no picture of the data set has a {what}");
        let sheet = "or let raters label pictures: `labels` of the kind `conditional`";
        let hint = match (by_caption, said.in_folders) {
            (false, true) => {
                format!("`labels: folders` in neuronotes.yaml makes labels of folders; {sheet}")
            }
            _ => format!("write each {what} into a file beside its picture; {sheet}"),
        };
        let problem = Problem::new(message).hint(hint);
        return vec![Misnamed { field: BY.name, pointer: String::new(), problem }];
    }
    for (pointer, _, name) in names() {
        if !found.contains_key(name) {
            let message = format!("no picture of the data set has the {what} `{name}`");
            wrong(pointer, Problem::new(message).hint(suggest::hint(name, found.keys())));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::dataset::{DatasetRef, Labels, Said, Table, format};
    use crate::request::Request;

    struct Plan(Said);

    impl Known for Plan {
        fn dataset(&self) -> Option<DatasetRef> {
            let format = &format::tar::FORMAT;
            let (name, labels) = ("pets".to_owned(), Labels::Files);
            let table = Table::default();
            Some(DatasetRef {
                name,
                format,
                captions: true,
                labels,
                table,
                draw: None,
                shards: vec![],
            })
        }

        fn said(&mut self, _: &DatasetRef) -> Option<Arc<Said>> {
            Some(Arc::new(self.0.clone()))
        }

        fn used(&self, _: &str) -> Option<&Request> {
            None
        }

        fn units(&self) -> Option<u32> {
            None
        }
    }

    fn wrong(labels: &[&str], params: Value) -> Vec<(String, String, Option<String>)> {
        let counts = labels.iter().map(|label| ((*label).to_owned(), 1)).collect();
        let labels = Some(counts);
        let said = Said { images: 4, labels, in_folders: true, ..Said::default() };
        let Value::Object(params) = params else { panic!("an object") };
        let found = misnamed(&params, &mut Plan(said));
        let one = |m: Misnamed| (m.pointer, m.problem.message, m.problem.hint);
        found.into_iter().map(one).collect()
    }

    fn class(label: &str, names: &[&str]) -> Value {
        json!({ "label": label, "names": names })
    }

    #[test]
    fn a_label_that_no_picture_has_and_one_in_two_categories_are_named() {
        let classes = [class("pets", &["cat", "dgo"]), class("wild", &["cat"])];
        let found = wrong(&["cat", "dog"], json!({ "categories": classes }));
        let both = "the label `cat` is in both `pets` and `wild`";
        assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("/1/names/0", both));
        assert_eq!(found[1].0, "/0/names/1");
        assert_eq!(found[1].1, "no picture of the data set has the label `dgo`");
        assert_eq!(found[1].2.as_deref(), Some("known: `cat` and `dog`"));
        assert_eq!(found.len(), 2);
        // Those of a sheet are no labels of the data set.
        let sheet = json!({ "categories": [class("dgo", &["dgo"])], "labels": [] });
        assert_eq!(wrong(&["cat"], sheet), []);
    }

    #[test]
    fn what_has_no_effect_is_no_parameter() {
        let trimmed = |params: Value| {
            let Value::Object(mut params) = params else { panic!("an object") };
            trim(&mut params);
            Value::Object(params)
        };
        let by = json!({ "by": "label", "decide": "first" });
        assert_eq!(trimmed(by), json!({ "by": "label" }));
        let labels = json!({ "by": "label", "decide": "first", "labels": [] });
        assert_eq!(trimmed(labels), json!({ "decide": "first", "labels": [] }));
    }

    #[test]
    fn without_labels_it_is_said_where_they_could_come_from() {
        let found = wrong(&[], json!({ "by": "label" }));
        assert_eq!(found[0].1, "no picture of the data set has a label");
        let hint = found[0].2.as_deref().expect("a hint");
        assert!(hint.contains("`labels: folders`") && hint.contains("`conditional`"), "{hint}");
        assert_eq!(wrong(&[], json!({ "labels": ["a digest"] })), []);
    }
}
