//! Abbreviations: what `@string` defines in, the texts of fields out.
//!
//! One that is defined through itself, or that grows too long, is said and not followed: doubling a text thirty times takes thirty lines.

use std::collections::HashMap;
use std::rc::Rc;

use super::bibtex::{Field, Part};

use neuronotes_core::cut::Cut as _;

/// Most bytes that one abbreviation stands for, and that all uses of abbreviations come to.
const LONGEST: usize = 64 << 10;
const MOST: usize = 32 << 20;
/// Most abbreviations through which one is defined, one through another.
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

/// The number of a month, from 1, by its name or by its first three letters or more.
pub(super) fn month(name: &str) -> Option<u8> {
    let name = name.trim_end_matches('.').to_lowercase();
    let name = if name == "sept" { "sep" } else { &name };
    let is_it = |month: &&str| name.len() >= 3 && month.to_lowercase().starts_with(name);
    let at = MONTHS.iter().position(is_it)?;
    u8::try_from(at + 1).ok()
}

enum State<'t> {
    Defined(Vec<Part<'t>>),
    /// It is being made.
    Open,
    Made(Result<Rc<str>, String>),
}

/// What a bibliography abbreviates.
pub(super) struct Abbreviations<'t> {
    states: HashMap<String, State<'t>>,
    /// Bytes that may yet be used.
    left: usize,
}

impl<'t> Abbreviations<'t> {
    /// The later of two definitions holds.
    pub(super) fn new(defined: &[Field<'t>]) -> Self {
        let states = defined
            .iter()
            .map(|field| (field.name.to_lowercase(), State::Defined(field.parts.clone())));
        let mut all = Self { states: states.collect(), left: MOST };
        // In their order, so that each is mostly made of what is made already.
        for field in defined {
            let _ = all.named(field.name, 0);
        }
        all
    }

    /// The LaTeX of a field.
    ///
    /// # Errors
    /// Where it has an abbreviation that stands for nothing; says why, in lower case.
    pub(super) fn text(&mut self, parts: &[Part<'t>]) -> Result<Rc<str>, String> {
        if let [Part::Text(text)] = parts {
            return Ok((*text).into());
        }
        let text = self.joined(parts, 0, usize::MAX)?;
        match self.left.checked_sub(text.len()) {
            Some(left) => self.left = left,
            None => {
                return Err("the bibliography's abbreviations come to more than 32 MiB".to_owned());
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
                return Err("an abbreviation comes to more than 64 KiB".to_owned());
            }
        }
        Ok(out)
    }

    fn named(&mut self, name: &str, depth: usize) -> Result<Rc<str>, String> {
        let known = name.to_lowercase();
        let Some(state) = self.states.get_mut(&known) else {
            let number = MONTHS.iter().position(|month| month.to_lowercase().cut(..3) == known);
            let month = number.map(|at| MONTHS[at].into());
            return month.ok_or_else(|| format!("no `@string` defines `{name}`"));
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
