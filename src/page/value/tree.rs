//! The data of a measurement as a tree of names: follows a value's steps.

use std::cell::OnceCell;
use std::ops::Range;

use neuronotes_core::kind::controlled;
use neuronotes_core::kind::term::DIRECTION;
use neuronotes_core::kind::{Kind, Named, PROVENANCE, Role, Type};
use neuronotes_core::suggest;
use serde_json::{Map, Value};

use super::place::{beyond, place, slice};
use crate::claim::{self, Missing, Step};
use crate::diagnostic::fault::Fault;
use crate::field::quoted;
use crate::note::Block;
use crate::plan::Measurement;

/// The name of a list's length.
pub(super) const COUNT: [&str; 2] = ["length", "count"];

/// The data of a measurement.
pub(super) struct Tree<'t> {
    kind: &'static Kind,
    /// The block and its measurement; `None` if the block is not measured.
    of: Option<(&'t Block, &'t Measurement)>,
    /// Its parameters, known before anything is measured; most values are not among them.
    asked: OnceCell<Map<String, Value>>,
}

type At = (Step, Range<usize>);

impl<'t> Tree<'t> {
    /// The values of a block, or of one measurement of a sweep.
    pub(super) fn of(kind: &'static Kind, block: &'t Block, measurement: &'t Measurement) -> Self {
        Self { kind, of: Some((block, measurement)), asked: OnceCell::new() }
    }

    /// The values of a kind and the names of its parameters, for a block that is not measured.
    pub(super) fn unasked(kind: &'static Kind) -> Self {
        Self { kind, of: None, asked: OnceCell::new() }
    }

    /// The parameters, as far as no value of the result has the same name.
    fn asked(&self) -> &Map<String, Value> {
        self.asked.get_or_init(|| {
            let Some((block, measurement)) = self.of else {
                let fields =
                    self.kind.all_fields().filter(|field| field.role != Role::Presentation);
                let names = fields.map(|field| field.name).chain(["kind", "layer", "unit"]);
                return names.map(|name| (name.to_owned(), Value::Null)).collect();
            };
            let mut asked = parameters(self.kind, block, measurement);
            asked.retain(|name, _| !self.is_result(name));
            asked
        })
    }

    /// A parameter, unless a value of the result has the same name.
    pub(super) fn parameter(&self, name: &str) -> Option<&Value> {
        if self.is_result(name) { None } else { self.asked().get(name) }
    }

    /// Whether the paths of results begin with a name, or began.
    fn is_result(&self, name: &str) -> bool {
        self.follows(&[], name) || self.kind.values.renamed(&[], name).is_some()
    }

    /// Whether a name may come after `path` in a result.
    fn follows(&self, path: &[&str], name: &str) -> bool {
        self.after(path).any(|next| next == name)
    }

    /// The names that may come after `path` in a result, possibly repeated.
    fn after(&self, path: &[&str]) -> impl Iterator<Item = &'static str> {
        self.named().filter_map(move |named| {
            let mut names = named.names();
            path.iter().all(|known| names.next() == Some(*known)).then(|| names.next())?
        })
    }

    fn named(&self) -> impl Iterator<Item = &'static Named> {
        self.kind.values.named.iter().chain(PROVENANCE)
    }

    /// Names that may follow `path`, each once, in the order of the documentation.
    fn names_after(&self, path: &[&str]) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for next in self.after(path) {
            if !out.iter().any(|known| known == next) {
                out.push(next.to_owned());
            }
        }
        if path.is_empty() {
            out.extend(self.asked().keys().cloned());
            out.extend(self.kind.has_controls().then(|| controlled::FIELD.to_owned()));
        }
        out
    }

    /// The kind of figure, with its article.
    fn noun(&self) -> String {
        let name = self.kind.name;
        format!("{} `{name}`", suggest::article(name))
    }

    /// The name of a value as the next one after the names of `path`, if a former one was written.
    fn current<'n>(&self, path: &[&str], name: &'n str) -> &'n str {
        self.kind.values.renamed(path, name).unwrap_or(name)
    }

    /// The same of the names in a step into `value`.
    fn current_step(&self, value: &Value, path: &[&str], step: &Step) -> Step {
        match step {
            // The length of a list, whose items may have a value that was called so.
            Step::Field(name) if value.is_array() && COUNT.contains(&name.as_str()) => step.clone(),
            Step::Field(name) => Step::Field(self.current(path, name).to_owned()),
            Step::Where(pairs) => {
                let current = |(name, value): &(String, String)| {
                    (self.current(path, name).to_owned(), value.clone())
                };
                Step::Where(pairs.iter().map(current).collect())
            }
            other => other.clone(),
        }
    }

    /// The first name, if the whole path is documented.
    pub(super) fn first<'s>(&self, steps: &'s [At]) -> Result<&'s str, Fault> {
        let (first, place) = match steps {
            [(Step::Field(name), place), ..] => (self.current(&[], name), place),
            [] => {
                let hint = list(&self.names_after(&[]));
                let message = "this is a whole figure, not one of its values";
                return Err(Fault::new(0..0, message).hint(hint));
            }
            [(_, place), ..] => {
                let hint = list(&self.names_after(&[]));
                let message = format!("{} is not a list", self.noun());
                return Err(Fault::new(place.clone(), message).hint(hint));
            }
        };
        if !self.has(first) {
            let message = format!("{} has no value `{first}`", self.noun());
            let hint = near(first, &self.names_after(&[]));
            return Err(Fault::new(place.clone(), message).hint(hint));
        }
        if self.parameter(first).is_some() {
            return Ok(first);
        }
        let mut path: Vec<&str> = vec![first];
        for (step, place) in &steps[1..] {
            let Step::Field(name) = step else { continue };
            let name = self.current(&path, name);
            if !self.follows(&path, name) && !COUNT.contains(&name) {
                let next = self.names_after(&path);
                let message = match next.is_empty() {
                    true => format!("`{}` is a value and has no `{name}`", path.join(".")),
                    false => format!("`{}` has no `{name}`", path.join(".")),
                };
                let hint = match next.is_empty() {
                    true => Some(format!("remove `.{name}`")),
                    false => near(name, &next),
                };
                return Err(Fault::new(place.clone(), message).hint(hint));
            }
            path.push(name);
        }
        Ok(first)
    }

    /// The same as in claims: an item that a list does not have is missing.
    ///
    /// # Errors
    /// If the path can lead to no single value or list, whatever is measured.
    pub(super) fn find(
        &self,
        value: &Value,
        first: &str,
        steps: &[At],
    ) -> Result<claim::Value, Fault> {
        let path = self.path(first, steps);
        let counts = path.last().is_some_and(|last| COUNT.contains(last));
        let name = path.join(".");
        if !counts && self.after(&path).next().is_some() {
            let next = self.names_after(&path);
            let place = steps.last().map_or(0..0, |(_, place)| place.clone());
            let message = format!("`{name}` is several values");
            let next: Vec<String> = next.iter().map(|next| format!("{name}.{next}")).collect();
            return Err(Fault::new(place, message).hint(list(&next)));
        }
        let mut value = value.clone();
        let mut path = vec![first];
        for (step, _) in steps {
            let current = self.current_step(&value, &path, step);
            value = match follow(&value, &current, &path.join(".")) {
                Ok(value) => value,
                Err((message, _)) => return Ok(claim::Value::Missing(Missing::Absent(message))),
            };
            if let Step::Field(name) = step {
                path.push(self.current(&path, name));
            }
        }
        Ok(claim::Value::of_json(&value, &name))
    }

    /// The names of a path, up to date.
    fn path<'s>(&self, first: &'s str, steps: &'s [At]) -> Vec<&'s str> {
        let mut path = vec![first];
        for (step, _) in steps {
            if let Step::Field(name) = step {
                path.push(self.current(&path, name));
            }
        }
        path
    }

    /// Whether the kind has a value of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        let controls = || self.kind.has_controls() && name == controlled::FIELD;
        self.is_result(name) || controls() || self.asked().contains_key(name)
    }

    /// The names of all its values.
    pub(super) fn all_names(&self) -> Vec<String> {
        self.names_after(&[])
    }

    /// What a number counts, or the unit that it is measured in, with its description: `images: Number of images in the data
    /// set`. `None` for a plain number or text.
    pub(super) fn counts(&self, first: &str, steps: &[At]) -> Option<String> {
        let path = self.path(first, steps);
        let named = self.named().find(|named| named.names().eq(path.iter().copied()))?;
        let doc = named.doc.trim_end_matches('.');
        (!named.unit.is_empty()).then(|| format!("{}: {doc}", named.unit))
    }

    /// Follows steps into a value with the name `first`.
    pub(super) fn walk(&self, value: &Value, first: &str, steps: &[At]) -> Result<Value, Fault> {
        let mut value = value.clone();
        let mut path = vec![first];
        let mut written = first.to_owned();
        let mut last = 0..0;
        for (step, place) in steps {
            let name = path.join(".");
            value = follow(&value, &self.current_step(&value, &path, step), &name)
                .map_err(|(message, hint)| Fault::new(place.clone(), message).hint(hint))?;
            match step {
                Step::Field(name) => {
                    path.push(self.current(&path, name));
                    written.push_str(&format!(".{name}"));
                }
                Step::At(_) | Step::Slice(..) => written.push_str(&step.to_string()),
                Step::Where(pairs) => {
                    let all: Vec<String> = pairs.iter().map(|(a, b)| format!("{a}={b}")).collect();
                    written.push_str(&format!("[{}]", all.join(", ")));
                }
            }
            last = place.clone();
        }
        let name = path.join(".");
        let items = value.as_array().map_or(std::slice::from_ref(&value), Vec::as_slice);
        if items.iter().any(|item| item.is_object() || item.is_array()) {
            let message = match value.is_array() {
                true => format!("`{name}` is a list of several values each"),
                false => format!("`{name}` is several values"),
            };
            let place = if value.is_array() { "[0]" } else { "" };
            let next: Vec<String> = self
                .names_after(&path)
                .iter()
                .map(|next| format!("{written}{place}.{next}"))
                .collect();
            let hint = list(&next);
            return Err(Fault::new(last, message).hint(hint));
        }
        if items.iter().any(Value::is_null) {
            let message = format!("there is no `{name}` here");
            let hint = "this result does not have it; use another value";
            return Err(Fault::new(last, message).hint(hint));
        }
        Ok(value)
    }
}

/// Follows one step into a value with a name.
fn follow(value: &Value, step: &Step, name: &str) -> Result<Value, (String, String)> {
    match (value, step) {
        (Value::Array(items), Step::Field(field)) if COUNT.contains(&field.as_str()) => {
            Ok(items.len().into())
        }
        (Value::Array(items), Step::Field(field)) => {
            items.iter().map(|item| follow(item, &Step::Field(field.clone()), name)).collect()
        }
        (Value::Array(items), Step::At(at)) => match place(*at, items.len()) {
            Some(at) => Ok(items[at].clone()),
            None => Err(beyond(name, *at, items.len())),
        },
        (Value::Array(items), Step::Slice(from, to)) => {
            let range = slice(name, *from, *to, items.len())?;
            Ok(Value::Array(items.get(range).unwrap_or_default().to_vec()))
        }
        (Value::Array(items), Step::Where(pairs)) => {
            let field = |item: &Value, field: &str| item.get(field).map(as_text);
            let holds = |item: &&Value| {
                pairs
                    .iter()
                    .all(|(name, wanted)| field(item, name).is_some_and(|own| own == *wanted))
            };
            items.iter().find(holds).cloned().ok_or_else(|| {
                let (first, wanted) = pairs.first().cloned().unwrap_or_default();
                let known: Vec<String> =
                    items.iter().filter_map(|item| field(item, &first)).collect();
                let hint = near(&wanted, &known)
                    .unwrap_or_else(|| format!("none of the {} items has it", items.len()));
                let all: Vec<String> = pairs.iter().map(|(a, b)| format!("{a}={b}")).collect();
                (format!("no item of `{name}` has `{}`", all.join(", ")), hint)
            })
        }
        (Value::Object(map), Step::Field(field)) => {
            Ok(map.get(field).cloned().unwrap_or(Value::Null))
        }
        (Value::Null, Step::Field(_)) => Ok(Value::Null),
        (_, Step::Field(field)) => {
            Err((format!("`{name}` is a value and has no `{field}`"), format!("remove `.{field}`")))
        }
        _ => Err((format!("`{name}` is not a list"), "remove the brackets".to_owned())),
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn near(name: &str, known: &[String]) -> Option<String> {
    let near = suggest::nearest(name, known, 3);
    match near.is_empty() {
        true => list(known),
        false => Some(format!("did you mean {}?", suggest::quoted(&near, "or"))),
    }
}

/// All known names, up to a limit.
fn list(known: &[String]) -> Option<String> {
    const MOST: usize = 40;
    let shown = &known[..known.len().min(MOST)];
    let more = known.len() - shown.len();
    let more = if more > 0 { format!(" … ({more} more)") } else { String::new() };
    (!shown.is_empty()).then(|| format!("known: {}{more}", suggest::quoted(shown, "and")))
}

/// A measurement's parameters as a note would write them, with defaults filled in.
fn parameters(kind: &Kind, block: &Block, measurement: &Measurement) -> Map<String, Value> {
    let request = &measurement.request;
    let mut out = Map::new();
    let mut add = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
    add("kind", kind.name.into());
    add("model", request.model.name.clone().into());
    if let Some(dataset) = &request.dataset {
        add("dataset", dataset.name.clone().into());
    }
    add("precision", request.precision.name().into());
    if let Some(target) = &measurement.target {
        add("layer", target.shown.clone().into());
        if let Some(unit) = target.unit {
            add("unit", unit.into());
        }
    }
    for field in kind.all_fields() {
        let Some(value) = request.params.get(field.name) else {
            // A recipe is not in the request, but the fields that it sets are.
            if field.role == Role::Recipe {
                let recipe = block.value(field).unwrap_or_default();
                add(field.name, recipe);
            }
            continue;
        };
        if field.role != Role::Compute || matches!(field.ty, Type::Layer | Type::Unit) {
            continue;
        }
        add(field.name, quoted(field, value, &request.inputs));
    }
    if let Some(terms) = request.params.get(DIRECTION) {
        let shown = crate::field::direction_shown(terms, &request.inputs);
        out.insert(DIRECTION.to_owned(), shown.into());
    }
    out
}
