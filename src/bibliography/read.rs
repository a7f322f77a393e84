//! Reads the entries of a bibliography, and reports those that cannot be read.

use std::collections::{BTreeMap, HashMap};

use hayagriva::Entry;

use super::bibtex;
use super::entry::{Value, Work};
use super::inherit;
use super::strings::Abbreviations;
use super::work;

use crate::diagnostic::fault::Fault;
use neuronotes_core::cut::Cut as _;

/// All readable entries by key, and the alternative keys of some (`ids`).
pub(super) struct Read {
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) faults: Vec<Fault>,
}

/// Reads a bibliography.
pub(super) fn read(text: &str) -> Read {
    let outer = bibtex::outer(text);
    let mut faults = outer.faults;
    let mut abbreviations = Abbreviations::new(&outer.abbreviations);
    let mut works: Vec<Work> = Vec::new();
    let mut keys: HashMap<&str, usize> = HashMap::new();
    for record in &outer.records {
        if let Some(first) = keys.get(record.key) {
            let line = text.cut(..*first).matches('\n').count() + 1;
            let message =
                format!("the key `{}` is already used by the entry on line {line}", record.key);
            let hint = Some("give each work a key of its own; the first is cited".to_owned());
            faults.push(Fault::new(record.span.clone(), message).hint(hint));
            continue;
        }
        keys.insert(record.key, record.span.start);
        works.push(worked(record, &mut abbreviations, &mut faults));
    }
    inherit::inherit(&mut works, &mut faults);
    let mut entries = BTreeMap::new();
    let mut aliases = BTreeMap::new();
    for work in works.iter().filter(|work| work.kind != "xdata") {
        let Some(entry) = work::entry(work, &mut faults) else { continue };
        for alias in work.fields.get("ids").iter().flat_map(|ids| ids.text.split(',')) {
            aliases.insert(alias.trim().to_owned(), work.key.clone());
        }
        entries.insert(work.key.clone(), entry);
    }
    aliases.retain(|alias, _| !alias.is_empty() && !entries.contains_key(alias));
    faults.sort_by_key(|fault| fault.span.start);
    Read { entries, aliases, faults }
}

fn worked<'t>(
    record: &bibtex::Record<'t>,
    abbreviations: &mut Abbreviations<'t>,
    faults: &mut Vec<Fault>,
) -> Work {
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    for field in &record.fields {
        let name = field.name.to_ascii_lowercase();
        match abbreviations.text(&field.parts) {
            Ok(text) => {
                let value = Value { text, span: field.span.clone() };
                let twice = fields.get(&name).is_some_and(|known| known.text != value.text);
                if twice && work::is_shown(&name) {
                    let message =
                        format!("`{name}` of `{}` is given twice; the first is shown", record.key);
                    faults.push(Fault::new(field.span.clone(), message).minor());
                }
                fields.entry(name).or_insert(value);
            }
            Err(why) => {
                let message = format!("`{name}` of `{}` is left out: {why}", record.key);
                let hint = Some("put a text between braces".to_owned());
                faults.push(Fault::new(field.span.clone(), message).hint(hint));
            }
        }
    }
    Work {
        kind: record.kind.to_ascii_lowercase(),
        key: record.key.to_owned(),
        span: record.span.clone(),
        fields,
    }
}
