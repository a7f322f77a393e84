//! Expands the abbreviations that `@string` defines.
//!
//! One that is defined through itself or grows too long is reported and not expanded: thirty lines suffice to double
//! a text thirty times.

use std::collections::HashMap;
use std::rc::Rc;

use super::bibtex::{Field, Part};

use neuronotes_core::cut::Cut as _;

/// Maximum number of bytes of one abbreviation, and of all uses of abbreviations.
const LONGEST: usize = 64 << 10;
const MOST: usize = 32 << 20;
/// Maximum depth of abbreviations defined through others.
const DEEPEST: usize = 50;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The number of a month, from 1, from its name or its first three or more letters.
pub(super) fn month(name: &str) -> Option<u8> {
    let name = name.trim_end_matches('.').to_lowercase();
    let name = if name == "sept" { "sep" } else { &name };
    let is_it = |month: &&str| name.len() >= 3 && month.to_lowercase().starts_with(name);
    let at = MONTHS.iter().position(is_it)?;
    u8::try_from(at + 1).ok()
}

enum State<'t> {
    Defined(Vec<Part<'t>>),
    /// It is being expanded.
    Open,
    Made(Result<Rc<str>, String>),
}

/// The abbreviations of a bibliography.
pub(super) struct Abbreviations<'t> {
    states: HashMap<String, State<'t>>,
    /// Number of bytes that may still be used.
    left: usize,
}

impl<'t> Abbreviations<'t> {
    /// A later definition replaces an earlier one.
    pub(super) fn new(defined: &[Field<'t>]) -> Self {
        let states = defined
            .iter()
            .map(|field| (field.name.to_lowercase(), State::Defined(field.parts.clone())));
        let mut all = Self { states: states.collect(), left: MOST };
        // In order, so that most abbreviations use others that are already expanded.
        for field in defined {
            let _ = all.named(field.name, 0);
        }
        all
    }

    /// The LaTeX of a field.
    ///
    /// # Errors
    /// If it uses an undefined abbreviation; returns the reason in lower case.
    pub(super) fn text(&mut self, parts: &[Part<'t>]) -> Result<Rc<str>, String> {
        if let [Part::Text(text)] = parts {
            return Ok((*text).into());
        }
        let text = self.joined(parts, 0, usize::MAX)?;
        match self.left.checked_sub(text.len()) {
            Some(left) => self.left = left,
            None => {
                return Err("the bibliography's abbreviations exceed 32 MiB".to_owned());
            }
        }
        Ok(text.into())
    }

    fn joined(&mut self, parts: &[Part<'t>], depth: usize, most: usize) -> Result<String, String> {
        let mut out = String::new();
        for part in parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) => out.push_str(&self.named(name, depth)?),
            }
            if out.len() > most {
                return Err("an abbreviation exceeds 64 KiB".to_owned());
            }
        }
        Ok(out)
    }

    fn named(&mut self, name: &str, depth: usize) -> Result<Rc<str>, String> {
        let known = name.to_lowercase();
        let Some(state) = self.states.get_mut(&known) else {
            let number = MONTHS.iter().position(|month| month.to_lowercase().cut(..3) == known);
            let month = number.map(|at| MONTHS[at].into());
            return month.ok_or_else(|| format!("`{name}` is not defined by any `@string`"));
        };
        let parts = match state {
            State::Made(made) => return made.clone(),
            State::Open => {
                return Err(format!("the abbreviation `{name}` is defined through itself"));
            }
            State::Defined(_) if depth >= DEEPEST => {
                return Err(format!(
                    "the abbreviation `{name}` is defined through more than {DEEPEST} others"
                ));
            }
            State::Defined(parts) => std::mem::take(parts),
        };
        *state = State::Open;
        let made = self.joined(&parts, depth + 1, LONGEST).map(Rc::from);
        self.states.insert(known, State::Made(made.clone()));
        made
    }
}
