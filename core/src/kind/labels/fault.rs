//! Fields of `labels` that do not go together, and words that no image of the data set shows: a block's fields in; problems out.

use serde_json::{Map, Value};

use super::params::{Method, Params, Truth};
use crate::dataset::Said;
use crate::kind::entry::Fault;
use crate::kind::field::MOST_TEXTS;
use crate::kind::known::{Known, Misnamed};
use crate::kind::mention::Mentions;
use crate::problem::Problem;

/// Fields without effect where words are chosen by the AUC.
const OF_MODEL: [&str; 3] = ["templates", "truncate", "strongest"];
/// Fields without effect where words are chosen by the model's similarity.
const OF_FORMULAS: [&str; 3] = ["length", "beam", "widest"];

/// The first problem with a combination of fields, before defaults are filled in.
pub(super) fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let method = fields.get("method").and_then(Value::as_str);
    let (idle, hint) = match method == Some(Method::Invert.word()) {
        true => (&OF_MODEL, "remove it, or use `method: soft_wpmi`"),
        false => (&OF_FORMULAS, "remove it, or use `method: invert`"),
    };
    if let Some(name) = idle.iter().find(|name| fields.contains_key(**name)) {
        let method = method.unwrap_or(Method::SoftWpmi.word());
        let message = format!("`{name}` has no effect with `method: {method}`");
        return Some(Fault { field: name, message, hint });
    }
    let number = |name: &str| fields.get(name).and_then(Value::as_u64);
    let (top, beam) = (number("top").unwrap_or(3), number("beam").unwrap_or(5));
    (method == Some(Method::Invert.word()) && top > beam).then(|| Fault {
        field: "top",
        message: format!("`top` is {top}, but `beam` keeps {beam} formulas"),
        hint: "set a larger `beam`, or a smaller `top`",
    })
}

/// Removes parameters without effect.
pub(super) fn trim(params: &mut Map<String, Value>) {
    let invert = params.get("method").is_some_and(|method| method == Method::Invert.word());
    let idle = if invert { OF_MODEL } else { OF_FORMULAS };
    idle.iter().for_each(|name| drop(params.remove(*name)));
}

/// What a data set says of its images by labels or captions; `None` if that is not known.
pub fn said_by(said: &Said, truth: Truth) -> Option<Vec<&str>> {
    let counts = match truth {
        Truth::Label => said.labels.as_ref()?,
        Truth::Caption => said.captions.as_ref()?,
    };
    Some(counts.keys().map(String::as_str).collect())
}

/// The problem that there is no word to describe units by, as `texts` are left out and no image has a label or a caption.
pub fn no_texts(truth: Truth, said: &Said) -> Problem {
    let (word, other) = match truth {
        Truth::Label => (truth.word(), Truth::Caption),
        Truth::Caption => (truth.word(), Truth::Label),
    };
    let problem = Problem::new(format!("no image of the data set has a {word}"));
    let others = said_by(said, other).is_some_and(|others| !others.is_empty());
    problem.hint(match (others, truth) {
        (true, _) => format!("it has {0}s: `truth: {0}`", other.word()),
        (false, Truth::Label) => format!("list `texts`; or {}", said.no_labels()),
        (false, Truth::Caption) => format!("list `texts`; or {}", said.no_captions()),
    })
}

/// Problems with what the parameters name.
pub(super) fn naming(params: &Map<String, Value>, known: &mut dyn Known) -> Vec<Misnamed> {
    let Ok(params) = serde_json::from_value::<Params>(Value::Object(params.clone())) else {
        return vec![];
    };
    let said = known.dataset().and_then(|dataset| known.said(&dataset));
    let problem = said.and_then(|said| problem(&params, &said));
    problem.map(|(field, problem)| Misnamed::new(field, problem)).into_iter().collect()
}

fn problem(params: &Params, said: &Said) -> Option<(&'static str, Problem)> {
    let truth = params.truth();
    let there = said_by(said, truth)?;
    let Some(texts) = &params.texts else {
        if there.is_empty() {
            return Some(("truth", no_texts(truth, said)));
        }
        let problem = Problem::new(format!(
            "the data set has {} different {}s; at most {MOST_TEXTS} can be compared",
            there.len(),
            truth.word()
        ));
        return (there.len() > MOST_TEXTS).then(|| ("truth", problem.hint("list the `texts`")));
    };
    // The model knows words that no image shows; only the AUC needs images that show them.
    if params.method != Method::Invert {
        return None;
    }
    if there.is_empty() {
        return Some(("truth", no_texts(truth, said)));
    }
    let mentions = Mentions::of(truth, there.iter().copied());
    let any = texts.iter().any(|text| !mentions.places(text).is_empty());
    (!any).then(|| {
        let message = format!("none of the `texts` is in a {} of the data set", truth.word());
        let problem = Problem::new(message);
        let near = crate::suggest::hint(&texts[0], there.iter().copied());
        ("texts", problem.hint(near.or_else(|| Some("compare words that images show".to_owned()))))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn params(fields: Value) -> Params {
        let mut all = json!({
            "layer": "visual.layer4.0", "pool": "mean", "method": "soft_wpmi", "top": 3,
            "held_out": 0.3, "seed": 0,
        });
        let Value::Object(fields) = fields else { unreachable!() };
        fields.into_iter().for_each(|(name, value)| all[name] = value);
        serde_json::from_value(all).expect("parameters")
    }

    fn said(labels: &[&str], captions: &[&str]) -> Said {
        let counts = |of: &[&str]| Some(of.iter().map(|text| ((*text).to_owned(), 3)).collect());
        let (labels, captions) = (counts(labels), counts(captions));
        Said { images: 9, labels, captions, keys: None, in_folders: false }
    }

    #[test]
    fn a_method_has_its_own_fields() {
        let field = |block: Value| {
            let Value::Object(fields) = block else { unreachable!() };
            fault(&fields).map(|fault| fault.field)
        };
        assert_eq!(field(json!({ "strongest": 50 })), None);
        assert_eq!(field(json!({ "length": 2 })), Some("length"));
        assert_eq!(field(json!({ "method": "invert", "length": 2 })), None);
        assert_eq!(field(json!({ "method": "invert", "templates": ["a {}"] })), Some("templates"));
        assert_eq!(field(json!({ "method": "invert", "top": 6 })), Some("top"));
        assert_eq!(field(json!({ "method": "invert", "top": 6, "beam": 9 })), None);
    }

    #[test]
    fn words_come_from_captions_where_they_are_listed_and_else_from_labels() {
        let of = |fields: Value| params(fields).truth();
        assert_eq!(of(json!({})), Truth::Label);
        assert_eq!(of(json!({ "texts": ["a"] })), Truth::Caption);
        assert_eq!(of(json!({ "texts": ["a"], "truth": "label" })), Truth::Label);
    }

    #[test]
    fn words_that_nothing_shows_are_an_error_only_where_images_must_show_them() {
        let wrong = |fields: Value, said: &Said| problem(&params(fields), said);
        let both = said(&["animal"], &["a black cat"]);
        assert_eq!(wrong(json!({}), &both), None);
        assert_eq!(wrong(json!({ "texts": ["sun"] }), &both), None);
        let (field, problem) =
            wrong(json!({ "texts": ["cats"], "method": "invert" }), &both).expect("a problem");
        assert_eq!(field, "texts");
        assert!(problem.message.contains("is in a caption"), "{problem:?}");
        assert_eq!(wrong(json!({ "texts": ["sun", "cat"], "method": "invert" }), &both), None);
        let (field, problem) = wrong(json!({}), &said(&[], &["a cat"])).expect("a problem");
        assert_eq!((field, &*problem.message), ("truth", "no image of the data set has a label"));
        assert!(problem.hint.is_some_and(|hint| hint.contains("`truth: caption`")));
        let (_, problem) = wrong(json!({}), &said(&[], &[])).expect("a problem");
        assert!(problem.hint.is_some_and(|hint| hint.contains("`texts`")));
    }
}
