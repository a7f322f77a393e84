//! Names the tensors of a pickle. Input: its values. Output: names, each with its tensor.
//!
//! | the value is | the tensors are |
//! |---|---|
//! | a TorchScript | those of its modules and of the modules in them |
//! | a dictionary | those of the state dict in it: see [`state_dict`] |
//!
//! A checkpoint has more than weights: the optimizer's state, epochs, arguments, running averages. The
//! largest dictionary is the model's; among those of about the same size, the one with the most usual name. If neither
//! tells, reading fails.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::error::printable;
use super::pickle::{Heap, Value};

use crate::cut::Cut as _;

/// Most tensors: more than any checkpoint has.
const TENSORS: usize = 1 << 16;
/// Most attributes: more than the modules of any network have.
const ATTRIBUTES: usize = 1 << 20;
/// Deepest nesting of modules.
const DEPTH: usize = 32;
/// Most bytes of a name: more than any tensor's has.
const LONGEST_NAME: usize = 512;
/// Deepest nesting of a checkpoint's dictionaries.
const LEVELS: usize = 4;
/// Usual names of a model's weights in checkpoints; earlier names take precedence.
const USUAL: [&str; 11] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "module",
    "net",
    "network",
    "weights",
    "clip",
    "params",
    "parameters",
];

/// Why no tensors are found.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error("it holds no tensors by name; save the model's state_dict() or a TorchScript archive")]
    NoTensors,
    #[error(
        "it holds an object of Python's class `{0}`, and classes are not run; save the model's state_dict() or a TorchScript archive"
    )]
    Object(String),
    #[error(
        "it holds several state dicts ({0}), and nothing tells which one is meant; save that one in a file of its own"
    )]
    Several(String),
    #[error("it holds more than {TENSORS} tensors, or names longer than {LONGEST_NAME} bytes")]
    Many,
    #[error("its modules are nested too deeply, or there are too many of them")]
    Tangled,
}

/// The tensors by name, each an index into the heap.
///
/// # Errors
/// Fails if there are none or too many, or if nothing tells which of several dictionaries is meant.
pub fn names(root: Value<'_>, heap: &Heap<'_>) -> Result<BTreeMap<String, usize>, TreeError> {
    let mut walk = Walk { heap, found: BTreeMap::new(), attributes: 0 };
    match root {
        Value::Object(object) => walk.module("", object, 0)?,
        _ => {
            for (name, tensor) in state_dict(root, heap)? {
                walk.add(String::new(), name, tensor)?;
            }
        }
    }
    if walk.found.is_empty() {
        return Err(TreeError::NoTensors);
    }
    // Training on several devices wraps the model in a module of this name.
    match walk.found.keys().all(|name| name.starts_with("module.")) {
        true => Ok(walk
            .found
            .into_iter()
            .map(|(name, at)| (name.cut("module.".len()..).into(), at))
            .collect()),
        false => Ok(walk.found),
    }
}

/// A dictionary with tensors by name.
struct Candidate<'a> {
    path: Vec<&'a str>,
    tensors: Vec<(&'a str, usize)>,
}

impl Candidate<'_> {
    /// Lower for more usual names; a whole checkpoint comes after those, and other names have none.
    fn rank(&self) -> Option<usize> {
        match self.path.last() {
            None => Some(USUAL.len()),
            Some(last) => USUAL.iter().position(|usual| usual == last),
        }
    }

    fn shown(&self) -> String {
        match self.path.is_empty() {
            true => "the whole".to_owned(),
            false => format!("`{}`", printable(&self.path.join("."))),
        }
    }
}

/// The tensors of the dictionary that is the model's: the largest, or the one with the most usual name among those that
/// have at least half as many tensors.
fn state_dict<'a>(root: Value<'a>, heap: &Heap<'a>) -> Result<Vec<(&'a str, usize)>, TreeError> {
    let candidates = candidates(root, heap)?;
    let most = candidates.iter().map(|candidate| candidate.tensors.len()).max().unwrap_or(0);
    let large = candidates.into_iter().filter(|candidate| candidate.tensors.len() * 2 >= most);
    let (usual, other): (Vec<_>, Vec<_>) = large.partition(|candidate| candidate.rank().is_some());
    let best = usual.into_iter().min_by_key(Candidate::rank);
    match (best, &*other) {
        (Some(best), _) => Ok(best.tensors),
        (None, [only]) => Ok(only.tensors.clone()),
        (None, []) => Err(nothing(root, heap)),
        (None, several) => {
            let names: Vec<String> = several.iter().take(3).map(Candidate::shown).collect();
            Err(TreeError::Several(names.join(", ")))
        }
    }
}

/// Every dictionary with tensors by name, from the outermost inwards.
fn candidates<'a>(root: Value<'a>, heap: &Heap<'a>) -> Result<Vec<Candidate<'a>>, TreeError> {
    let mut found = Vec::new();
    let mut known = HashSet::new();
    let mut next = VecDeque::from([(Vec::new(), root)]);
    let mut attributes = 0usize;
    while let Some((path, value)) = next.pop_front() {
        let pairs = match value {
            Value::Dict(dict) if known.insert((0, dict)) => &heap.dicts[dict],
            Value::Foreign(foreign) if known.insert((1, foreign)) => {
                // The object's attributes, such as those of a Namespace.
                next.push_back((path.clone(), heap.foreign[foreign].state));
                &heap.foreign[foreign].items
            }
            _ => continue,
        };
        attributes += pairs.len();
        if attributes > ATTRIBUTES {
            return Err(TreeError::Tangled);
        }
        let mut tensors = Vec::new();
        for (key, value) in pairs {
            let Value::Text(key) = *key else { continue };
            match *value {
                Value::Tensor(tensor) => tensors.push((key, tensor)),
                value @ (Value::Dict(_) | Value::Foreign(_)) if path.len() < LEVELS => {
                    next.push_back((path.iter().copied().chain([key]).collect(), value));
                }
                _ => {}
            }
        }
        if !tensors.is_empty() {
            found.push(Candidate { path, tensors });
        }
    }
    Ok(found)
}

/// Why there are no tensors: often a whole model was saved, which is an object of its own class.
fn nothing(root: Value<'_>, heap: &Heap<'_>) -> TreeError {
    let class = |value: Value<'_>| match value {
        Value::Foreign(at) if matches!(heap.foreign[at].state, Value::Dict(_)) => {
            let foreign = &heap.foreign[at];
            Some(printable(&format!("{}.{}", foreign.module, foreign.name)))
        }
        _ => None,
    };
    let inside = match root {
        Value::Dict(dict) => heap.dicts[dict].iter().find_map(|(key, value)| match key {
            Value::Text(key) if USUAL.contains(key) => class(*value),
            _ => None,
        }),
        root => class(root),
    };
    inside.map_or(TreeError::NoTensors, TreeError::Object)
}

/// Walks through a TorchScript's modules. The same module may occur in several places, so a small file can describe a
/// large tree: everything is counted.
struct Walk<'a> {
    heap: &'a Heap<'a>,
    found: BTreeMap<String, usize>,
    attributes: usize,
}

impl Walk<'_> {
    fn module(&mut self, path: &str, object: usize, depth: usize) -> Result<(), TreeError> {
        let heap = self.heap;
        let Value::Dict(state) = heap.objects[object] else { return Ok(()) };
        if depth > DEPTH {
            return Err(TreeError::Tangled);
        }
        for (key, value) in &heap.dicts[state] {
            self.attributes += 1;
            if self.attributes > ATTRIBUTES {
                return Err(TreeError::Tangled);
            }
            let Value::Text(name) = *key else { continue };
            match *value {
                Value::Tensor(tensor) => self.add(path.to_owned(), name, tensor)?,
                Value::Object(inner) => {
                    if path.len() + name.len() > LONGEST_NAME {
                        return Err(TreeError::Many);
                    }
                    self.module(&format!("{path}{name}."), inner, depth + 1)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, name: &str, tensor: usize) -> Result<(), TreeError> {
        if self.found.len() >= TENSORS || path.len() + name.len() > LONGEST_NAME {
            return Err(TreeError::Many);
        }
        self.found.insert(path + name, tensor);
        Ok(())
    }
}
