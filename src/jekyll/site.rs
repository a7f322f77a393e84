//! The garden as Liquid sees it: the objects `site` and `page`.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use liquid_core::model::{KString, Object, Value};
use neuronotes_core::cut::Cut as _;

use crate::config::Config;
use crate::garden::Routes;
use crate::garden::dates::{self, GitDates};
use crate::note::{Note, fill, fill_citations};
use crate::yaml;

/// The garden's data for Liquid.
#[derive(Debug)]
pub struct Site {
    /// `site`.
    pub object: Value,
    /// Addresses of notes and pages, by path.
    addresses: HashMap<String, String>,
    /// Names that templates use; each is empty if nothing else has it.
    pub words: BTreeSet<String>,
}

impl Site {
    /// Collects the published notes. `words` are the names that all templates use.
    pub fn of(
        notes: &[&Note],
        words: BTreeSet<String>,
        config: &Config,
        routes: &Routes,
        git: &GitDates,
    ) -> Self {
        let time = notes.iter().filter_map(|note| dates::of(note, git).1).max();
        let each = |aside: bool| {
            let of_kind = notes.iter().filter(|note| routes.is_aside(note) == aside);
            Value::Array(
                of_kind.map(|note| Value::Object(about(note, &words, routes, git))).collect(),
            )
        };
        let mut object = nothing(&words);
        let text = |text: &Option<String>| text.clone().map_or(Value::Nil, Value::scalar);
        object.insert("title".into(), Value::scalar(config.title.clone()));
        object.insert("description".into(), text(&config.description));
        // Addresses are made relative to each page, wherever the site is published.
        object.insert("baseurl".into(), Value::scalar(""));
        let host = config.url.as_ref().map(|url| url.trim_end_matches(routes.base()).to_owned());
        object.insert("url".into(), Value::scalar(host.unwrap_or_default()));
        object.insert("lang".into(), Value::scalar(config.language.clone()));
        object.insert("notes".into(), each(false));
        object.insert("pages".into(), each(true));
        object.insert("posts".into(), Value::Array(Vec::new()));
        object.insert("time".into(), time.map_or(Value::Nil, |day| Value::scalar(moment(day))));
        let addresses = notes.iter().map(|note| (note.path.clone(), routes.url(note))).collect();
        Self { object: Value::Object(object), addresses, words }
    }

    /// Address of the note or page at a path.
    pub fn address(&self, path: &str) -> Option<String> {
        self.addresses.get(path).cloned()
    }

    /// `page`: a note's front matter and other data about it.
    pub fn page(&self, note: &Note, routes: &Routes, git: &GitDates) -> Value {
        let known = about(note, &self.words, routes, git);
        let yaml =
            note.source.cut(..note.body).trim_start_matches('\u{feff}').trim_start_matches("---");
        let yaml = yaml.trim_end().trim_end_matches(['-', '.']);
        let mut object = nothing(&self.words);
        if let Ok(node) = yaml::parse(yaml) {
            for entry in node.entries().unwrap_or_default() {
                object.insert(entry.key.clone().into(), value(&entry.node));
            }
        }
        object.extend(known.into_iter().filter(|(_, value)| *value != Value::Nil));
        Value::Object(object)
    }
}

/// Data about a note.
fn about(note: &Note, words: &BTreeSet<String>, routes: &Routes, git: &GitDates) -> Object {
    let mut object = nothing(words);
    let (written, changed) = dates::of(note, git);
    let mut put = |name: &'static str, value: Option<String>| {
        object.insert(KString::from_static(name), value.map_or(Value::Nil, Value::scalar));
    };
    put("title", Some(note.title.clone()));
    put("url", Some(routes.url(note)));
    put("path", Some(note.path.clone()));
    put("description", note.front.description.clone());
    put("excerpt", Some(fill(&fill_citations(&note.excerpt, |_| None), |_| None)));
    put("date", written.map(moment));
    put("last_modified_at", changed.map(moment));
    // A note without a date counts as the earliest, since lists show the latest first.
    let timestamp = changed.map(|day| format!("{day}T00:00:00+00:00"));
    put("last_modified_at_timestamp", Some(timestamp.unwrap_or_default()));
    let tags = note.front.tags.iter().cloned().map(Value::scalar).collect();
    object.insert("tags".into(), Value::Array(tags));
    object
}

/// An empty value for each of these names.
fn nothing(words: &BTreeSet<String>) -> Object {
    words.iter().map(|word| (KString::from_ref(word), Value::Nil)).collect()
}

/// A date in the form of Jekyll's times.
fn moment(day: Date) -> String {
    format!("{day} 00:00:00 +0000")
}

fn value(node: &yaml::Node) -> Value {
    match &node.value {
        yaml::Value::Null => Value::Nil,
        yaml::Value::Bool(flag) => Value::scalar(*flag),
        yaml::Value::Integer(number) => Value::scalar(*number),
        yaml::Value::Number(number) => Value::scalar(*number),
        yaml::Value::Text(text) => Value::scalar(text.clone()),
        yaml::Value::List(items) => Value::Array(items.iter().map(value).collect()),
        yaml::Value::Map(entries) => {
            let each = entries.iter().map(|entry| (entry.key.clone().into(), value(&entry.node)));
            Value::Object(each.collect())
        }
    }
}
