//! The files that notes may include, read on first use and prepared for evaluation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use liquid_core::runtime::PartialStore;
use liquid_core::{Error, Language, Renderable, Result, Template, parser};

use super::budget;
use crate::diagnostic::fault::Fault;

/// The prepared texts of files, by number.
#[derive(Debug, Default)]
pub struct Includes(pub Vec<Text>);

/// One file.
#[derive(Debug)]
pub struct Text {
    /// Path relative to the folder of includes.
    pub name: String,
    /// Its text, or an error.
    pub text: std::result::Result<String, Fault>,
    /// Number of its tags.
    pub tags: usize,
}

/// A file that was included.
type Known = Result<Arc<dyn Renderable>>;

/// The files, and those already read.
pub struct Store {
    includes: Includes,
    language: Arc<Language>,
    known: Mutex<HashMap<String, Known>>,
}

impl Store {
    /// Takes these files, in this language.
    pub fn new(includes: Includes, language: Arc<Language>) -> Self {
        Self { includes, language, known: Mutex::default() }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.includes).finish()
    }
}

impl PartialStore for Store {
    fn contains(&self, name: &str) -> bool {
        name.parse::<usize>().is_ok_and(|number| number < self.includes.0.len())
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn try_get(&self, name: &str) -> Option<Arc<dyn Renderable>> {
        self.get(name).ok()
    }

    fn get(&self, name: &str) -> Known {
        let file = name.parse::<usize>().ok().and_then(|number| self.includes.0.get(number));
        let file = file.ok_or_else(|| Error::with_msg("file not found"))?;
        budget::charge(1 + file.tags as u64)?;
        // Not held while the file is read, which may panic.
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(name) {
            return known.clone();
        }
        let read = match &file.text {
            Ok(text) => parser::parse(text, &self.language)
                .map(|parts| Arc::new(Template::new(parts)) as Arc<dyn Renderable>),
            Err(fault) => Err(Error::with_msg(fault.problem.message.clone())),
        };
        let read = read.map_err(|error| error.trace(format!("in `_includes/{}`", file.name)));
        known().insert(name.to_owned(), read.clone());
        read
    }
}
