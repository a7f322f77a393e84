//! Fields of a `direction` that do not go together, and names in them that nothing has: a block's fields in; problems out.

use serde_json::{Map, Value};

use super::params::Method;
use crate::kind::entry::Fault;
use crate::kind::known::{Known, Misnamed};
use crate::kind::naming::two;
use crate::kind::probe::{class_named, classes_used};
use crate::kind::scan::Pool;
use crate::kind::target;
use crate::problem::Problem;

/// Fields about groups, without effect where there are none.
const OF_GROUPS: [&str; 6] =
    ["negative", "method", "regularisation", "group_by", "held_out", "seed"];
/// Fields about a line of a probe.
const OF_PROBE: [&str; 2] = ["class", "against"];

/// The first problem with a combination of fields, before defaults are filled in.
pub(super) fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let has = |name: &str| fields.contains_key(name);
    let wrong = |field, message: String, hint| Some(Fault { field, message, hint });
    let sources = ["positive", "probe"].into_iter().filter(|name| has(name));
    let sources: Vec<&'static str> = sources.chain(target::given(fields)).collect();
    match sources[..] {
        [] => {
            if let Some(wrong) = alone(fields) {
                return Some(wrong);
            }
            let one_of = target::ONE_OF;
            let message = format!("`direction` needs `positive`, `probe`, or {one_of}");
            return wrong("kind", message, "`positive: { captions: [cat] }` are pictures of cats");
        }
        [_] => {}
        // Both are fields that several kinds have.
        [first, _, ..] if !["positive", "probe"].contains(&first) => {
            return target::several(fields);
        }
        [first, second, ..] => {
            let message = format!("a direction can have only one of `{first}` and `{second}`");
            return wrong(second, message, "give each a block of its own, and add them in a `sum`");
        }
    }
    if has("positive") {
        if fields.get("positive") == fields.get("negative") {
            let message = "`positive` and `negative` must be different groups".to_owned();
            return wrong("negative", message, "leave `negative` out for all other pictures");
        }
        let logistic = fields.get("method").is_some_and(|m| m == Method::Logistic.word());
        if has("regularisation") && !logistic {
            let message = "only a logistic regression has a `regularisation`".to_owned();
            return wrong("regularisation", message, "remove it, or add `method: logistic`");
        }
    }
    alone(fields).or_else(|| line(fields)).or_else(|| target::without_layer(fields))
}

/// The error that a field has no effect without the one that it belongs to.
fn alone(fields: &Map<String, Value>) -> Option<Fault> {
    let of = |names: &'static [&'static str], owner: &str, hint| {
        let name = names.iter().copied().find(|name| fields.contains_key(*name))?;
        let message = format!("`{name}` needs a `{owner}`");
        (!fields.contains_key(owner)).then_some(Fault { field: name, message, hint })
    };
    let groups = of(&OF_GROUPS, "positive", "it is about groups of pictures");
    groups.or_else(|| of(&OF_PROBE, "probe", "it names a class of a `probe`"))
}

/// What is wrong with the classes of a line of a probe.
fn line(fields: &Map<String, Value>) -> Option<Fault> {
    let has = |name: &str| fields.contains_key(name);
    let wrong = |field, message: String, hint| Some(Fault { field, message, hint });
    if !has("probe") {
        return None;
    }
    if !has("class") {
        let message = "`probe` needs the `class` whose line is the direction".to_owned();
        return wrong("probe", message, "add `class: …`, the name of one of its classes");
    }
    let lower = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_lowercase);
    if lower("class") == lower("against") {
        let message = "`class` and `against` must be different classes".to_owned();
        return wrong("against", message, "leave `against` out for the line of `class` alone");
    }
    None
}

/// Problems with what a direction's parameters name.
pub(super) fn naming(params: &Map<String, Value>, known: &mut dyn Known) -> Vec<Misnamed> {
    if let Some(problem) = two(params, known) {
        return vec![problem];
    }
    let Some((probe, classes)) = classes_used(known) else { return vec![] };
    if probe.pool == Pool::Max {
        return vec![Misnamed::new("probe", pooled())];
    }
    let unknown = |name: &'static str| {
        let class = params.get(name)?.as_str()?;
        Some(Misnamed::new(name, class_named(classes.as_ref()?, class).err()?))
    };
    OF_PROBE.into_iter().filter_map(unknown).collect()
}

/// The problem that a probe reads the maximum over positions.
pub fn pooled() -> Problem {
    let message =
        "the probe has `pool: max`, and a direction is of activations averaged over positions";
    Problem::new(message).hint("give the probe `pool: mean`")
}

/// Removes parameters without effect.
pub(super) fn trim(params: &mut Map<String, Value>) {
    if !params.contains_key("positive") {
        OF_GROUPS.iter().for_each(|name| drop(params.remove(*name)));
    }
    if params.get("method").is_none_or(|method| method != Method::Logistic.word()) {
        params.remove("regularisation");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::KIND;
    use super::*;

    fn fields(pairs: &[(&str, Value)]) -> Map<String, Value> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_direction_is_of_groups_or_of_terms_and_not_of_both() {
        let wrong = |pairs: &[(&str, Value)]| KIND.faulty(&fields(pairs)).map(|f| f.message);
        let cats = json!({ "captions": ["cat"] });
        assert_eq!(wrong(&[("positive", cats.clone())]), None);
        assert_eq!(wrong(&[("target", json!("a"))]), None);
        assert!(wrong(&[]).is_some_and(|m| m.starts_with("`direction` needs `positive`")));
        let both = [("positive", cats.clone()), ("target", json!("a"))];
        assert!(wrong(&both).is_some_and(|m| m.contains("one of `positive` and `target`")));
        let units = [("layer", json!("a")), ("unit", json!(1)), ("target", json!("a"))];
        assert!(wrong(&units).is_some_and(|m| m.contains("one of `unit` and `target`")));
        let same = [("positive", cats.clone()), ("negative", cats.clone())];
        assert!(wrong(&same).is_some_and(|m| m.contains("different groups")));
        let alone = [("target", json!("a")), ("held_out", json!(0.5))];
        assert_eq!(wrong(&alone), Some("`held_out` needs a `positive`".to_owned()));
        let means = [("positive", cats), ("regularisation", json!(1.0))];
        assert!(wrong(&means).is_some_and(|m| m.contains("only a logistic regression")));
    }

    #[test]
    fn a_line_of_a_probe_needs_its_class_and_another_one_to_be_against() {
        let wrong = |pairs: &[(&str, &str)]| {
            let pairs: Vec<(&str, Value)> =
                pairs.iter().map(|(name, value)| (*name, json!(value))).collect();
            KIND.faulty(&fields(&pairs)).map(|fault| (fault.field, fault.message))
        };
        let line = [("probe", "groups"), ("class", "food")];
        assert_eq!(wrong(&line), None);
        assert_eq!(wrong(&[line[0], line[1], ("against", "animal")]), None);
        let (at, message) = wrong(&line[..1]).expect("a fault");
        assert!(at == "probe" && message.contains("needs the `class`"), "{message}");
        let (at, message) = wrong(&[line[0], line[1], ("against", "Food")]).expect("a fault");
        assert!(at == "against" && message.contains("different classes"), "{message}");
        let (at, message) = wrong(&line[1..]).expect("a fault");
        assert!(at == "class" && message == "`class` needs a `probe`", "{message}");
        let (at, message) = wrong(&[line[0], line[1], ("target", "a")]).expect("a fault");
        assert!(at == "target" && message.contains("one of `probe` and `target`"), "{message}");
        let (at, message) = wrong(&[line[0], line[1], ("seed", "0")]).expect("a fault");
        assert!(at == "seed" && message == "`seed` needs a `positive`", "{message}");
    }

    #[test]
    fn a_request_holds_only_what_decides_its_result() {
        let all = || {
            fields(&[
                ("method", json!("logistic")),
                ("regularisation", json!(0.01)),
                ("held_out", json!(0.3)),
                ("seed", json!(0)),
                ("largest", json!(10)),
            ])
        };
        let mut of_terms = all();
        trim(&mut of_terms);
        assert_eq!(of_terms.keys().collect::<Vec<_>>(), ["largest"]);
        let mut of_groups = all();
        of_groups.insert("positive".to_owned(), json!({ "labels": ["a"] }));
        let mut of_means = of_groups.clone();
        trim(&mut of_groups);
        assert_eq!(of_groups.len(), 6);
        of_means["method"] = Method::MeanDifference.word().into();
        trim(&mut of_means);
        assert!(of_means.len() == 5 && !of_means.contains_key("regularisation"));
    }
}
