//! Categories of pictures: labels or captions of a data set, or labels that raters gave, alone and in groups.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::class::Class;
use super::entry::Fault;
use super::field::{Field, Preset, Type};
use super::known::{Known, Misnamed, Rated};
use super::rating::{DECIDE, LABELS};
use super::words::words;
use crate::labelling;
use crate::problem::Problem;
use crate::suggest;

/// Most categories of a result.
pub const MOST_CATEGORIES: usize = 2_000;
/// Most labels that a labelling sheet offers: one for each key.
pub const MOST_ANSWERS: usize = labelling::KEYS.len();

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

/// Declares the parameters of a kind that sorts pictures into categories: as [`about`](super::about), with what categories are before
/// what else the kind takes.
macro_rules! sorting {
    ($(#[$about:meta])* pub struct $Name:ident { $($rest:tt)* }) => {
        $crate::kind::about::about! {
            $(#[$about])*
            pub struct $Name {
                /// The categories; each label is one if left out.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub categories: Option<Vec<$crate::kind::class::Class>>,
                /// What of the data set are categories.
                #[serde(default)]
                pub by: $crate::kind::category::By,
                /// Digests of files of labels, which are then used in place of the data set's; an empty list if none is there yet.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub labels: Option<Vec<String>>,
                /// Whose label counts.
                #[serde(default)]
                pub decide: $crate::kind::rating::Decide,
                $($rest)*
            }
        }
    };
}

pub(super) use sorting;

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
    if params.contains_key(LABELS.name) {
        problems.extend(unknown_pictures(known));
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
        let source = if by_caption { said.no_captions() } else { said.no_labels() };
        let sheet = "or let raters label the pictures: `labels` of the kind `conditional`";
        let problem = Problem::new(message).hint(format!("{source}; {sheet}"));
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

/// Why a file of labels may name pictures that the data set does not have.
const OTHER_SET: &str = "it was made for another data set, or the images have other names now";

/// Files of labels with pictures that the data set does not have.
fn unknown_pictures(known: &mut dyn Known) -> Vec<Misnamed> {
    if known.rated().is_empty() {
        return Vec::new();
    }
    let Some(said) = known.dataset().and_then(|dataset| known.said(&dataset)) else {
        return Vec::new();
    };
    let Some(keys) = &said.keys else { return Vec::new() };
    // A key of several shards has the number of its shard before it.
    let is_known = |name: &String| {
        let key = || name.split_once(':').map(|(_, key)| key);
        keys.contains_key(name) || key().is_some_and(|key| keys.contains_key(key))
    };
    let problem = |rated: &Rated| {
        let pictures = rated.pictures.iter();
        let unknown: Vec<&String> = pictures.filter(|name| !is_known(name)).collect();
        let one = unknown.first()?;
        let message = format!(
            "`{}` is about images that the data set does not have: {}",
            rated.file,
            suggest::first(&unknown)
        );
        let near = (unknown.len() == 1).then(|| suggest::hint(one, keys.keys())).flatten();
        let hint = near.unwrap_or_else(|| OTHER_SET.to_owned());
        Some(Misnamed::item(LABELS.name, rated.item, Problem::new(message).hint(hint)))
    };
    known.rated().iter().filter_map(problem).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::dataset::{DatasetRef, Labels, Said, Table, format};
    use crate::request::Request;

    #[derive(Default)]
    struct Plan(Said, Vec<Rated>);

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

        fn rated(&self) -> &[Rated] {
            &self.1
        }
    }

    fn wrong(labels: &[&str], params: Value) -> Vec<(String, String, Option<String>)> {
        let counts = labels.iter().map(|label| ((*label).to_owned(), 1)).collect();
        let labels = Some(counts);
        let said = Said { images: 4, labels, in_folders: true, ..Said::default() };
        let Value::Object(params) = params else { panic!("an object") };
        let found = misnamed(&params, &mut Plan(said, vec![]));
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
    fn pictures_of_a_file_that_the_data_set_does_not_have_are_named() {
        let key = |key: &str| (key.to_owned(), 1);
        let keys = Some(["cat-1", "cat-2", "7"].into_iter().map(key).collect());
        let said = Said { images: 4, keys, ..Said::default() };
        let Value::Object(params) = json!({ "labels": ["a digest"] }) else { panic!("an object") };
        let wrong = |said: &Said, pictures: &[&str]| {
            let pictures = pictures.iter().map(|name| (*name).to_owned()).collect();
            let rated = Rated { item: 1, file: "a.json".to_owned(), pictures };
            let found = misnamed(&params, &mut Plan(said.clone(), vec![rated]));
            found.into_iter().map(|m| (m.pointer, m.problem)).collect::<Vec<_>>()
        };
        assert_eq!(wrong(&said, &["cat-1", "2:7"]), []);
        let (pointer, problem) = wrong(&said, &["cat-1", "cta-2"]).remove(0);
        assert_eq!(pointer, "/1");
        assert_eq!(
            problem.message,
            "`a.json` is about images that the data set does not have: `cta-2`"
        );
        assert_eq!(problem.hint.as_deref(), Some("did you mean `cat-2` or `cat-1`?"));
        let (_, problem) = wrong(&said, &["a", "b", "c", "d"]).remove(0);
        assert!(
            problem.message.ends_with("have: `a`, `b`, `c`, and 1 more"),
            "{}",
            problem.message
        );
        assert_eq!(problem.hint.as_deref(), Some(OTHER_SET));
        // Too many keys to keep: the lab knows.
        assert_eq!(wrong(&Said { keys: None, ..said }, &["a"]), []);
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
