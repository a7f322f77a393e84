//! The entities of a crate: each once, in the order of their identifiers, so that equal gardens have equal metadata.

use std::collections::BTreeMap;

use jiff::civil::Date;
use neuronotes_core::store::Record;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::run::{self, named};
use super::stated::Needed;
use crate::claim::{Claim, Verdict};
use crate::config::{Config, Terms};
use crate::note::Note;
use crate::page::person;
use crate::page::value::Judged;

/// The file with the metadata.
pub(super) const METADATA: &str = "ro-crate-metadata.json";

const SPECIFICATION: &str = "https://w3id.org/ro/crate/1.1";
const CONTEXT: &str = "https://w3id.org/ro/crate/1.1/context";
const PROFILE: &str = "https://w3id.org/ro/wfrun/process/0.5";

/// Characters that no path of a URI has.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The identifier of a file of the crate.
pub(super) fn id(path: &str) -> String {
    utf8_percent_encode(path, IN_PATH).to_string()
}

/// A reference to an entity.
pub(super) fn reference(id: &str) -> Value {
    json!({ "@id": id })
}

/// All entities.
#[derive(Debug, Default)]
pub(super) struct Graph {
    entities: BTreeMap<String, Value>,
}

impl Graph {
    /// Adds an entity, unless it is there already, and returns a reference to it.
    pub(super) fn add(&mut self, entity: Value) -> Value {
        let id = entity["@id"].as_str().unwrap_or_default().to_owned();
        let refers = reference(&id);
        self.entities.entry(id).or_insert(entity);
        refers
    }

    /// Adds an author or the like, which gets an identifier if it has none.
    pub(super) fn described(&mut self, mut entity: Value, what: &str) -> Value {
        // An affiliation is an entity too.
        if let Some(affiliation) = entity.get("affiliation").cloned() {
            entity["affiliation"] = self.described(affiliation, "organization");
        }
        if entity.get("@id").is_none() {
            let name = entity["name"].as_str().unwrap_or_default().to_owned();
            entity["@id"] =
                id(&format!("#{what}-{}", name.replace(' ', "-"))).replacen("%23", "#", 1).into();
        }
        self.add(entity)
    }

    pub(super) fn license(&mut self, terms: &Terms) -> Value {
        let mut entity = json!({ "@id": terms.url, "@type": "CreativeWork", "name": terms.name, "url": terms.url });
        entity["description"] = match &terms.id {
            Some(id) => format!("{} (SPDX identifier {id})", terms.name).into(),
            None => format!("The terms at {}", terms.url).into(),
        };
        self.add(entity)
    }

    /// A file of the garden.
    pub(super) fn file(&mut self, path: &str, name: &str, bytes: usize) -> Value {
        let media = mime_guess::from_path(path).first_raw().unwrap_or("text/plain");
        let media = match path.rsplit_once('.') {
            Some((_, "yaml" | "cff")) => "application/yaml",
            Some((_, "bib")) => "application/x-bibtex",
            _ => media,
        };
        self.add(json!({
            "@id": id(path),
            "@type": "File",
            "name": name,
            "encodingFormat": media,
            "contentSize": bytes.to_string(),
        }))
    }

    /// A note with its figures.
    pub(super) fn note(
        &mut self,
        note: &Note,
        bytes: usize,
        (written, changed): &(Option<Date>, Option<Date>),
        figures: Vec<Value>,
    ) -> Value {
        let authors = note.front.authors.iter();
        let authors: Vec<Value> =
            authors.map(|author| self.described(person(author), "author")).collect();
        let mut file = json!({
            "@id": id(&note.file),
            "@type": "File",
            "name": note.title,
            "encodingFormat": "text/markdown",
            "contentSize": bytes.to_string(),
        });
        if let Some(day) = written {
            file["dateCreated"] = day.to_string().into();
        }
        if let Some(day) = changed {
            file["dateModified"] = day.to_string().into();
        }
        if !authors.is_empty() {
            file["author"] = authors.into();
        }
        if !figures.is_empty() {
            file["mentions"] = figures.into();
        }
        self.add(file)
    }

    /// An expectation of a figure, and whether it holds; its identifier is the figure's with the number `n`.
    pub(super) fn claim(&mut self, figure: &Value, n: usize, claim: &Claim, of: &Judged) -> Value {
        let about = figure["@id"].as_str().unwrap_or_default();
        let judgement = &of.judgement;
        let status = match judgement.verdict {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::Unknown => "unknown",
        };
        let mut entity = json!({
            "@id": format!("{about}:expectation-{n}"),
            "@type": "CreativeWork",
            "name": format!("Expectation of {}", figure["name"].as_str().unwrap_or_default()),
            "text": claim.text,
            "creativeWorkStatus": status,
            "description": format!("Expected: {}. Measured: {}.", judgement.expected, judgement.measured),
            "about": reference(about),
        });
        if let Some(because) = &claim.because {
            entity["abstract"] = because.clone().into();
        }
        if let Some(predicted) = &judgement.predicted {
            // The day of the commit that has it, before the result was first stored.
            entity["dateCreated"] = predicted.claimed.clone().into();
        }
        self.add(entity)
    }

    /// An output of a result.
    pub(super) fn result(&mut self, path: &str, media: &str, bytes: usize, of: &Record) -> Value {
        let file = path.rsplit('/').next().unwrap_or(path);
        self.add(json!({
            "@id": id(path),
            "@type": "File",
            "name": format!("{file} of {}", named(of)),
            "encodingFormat": media,
            "contentSize": bytes.to_string(),
        }))
    }

    /// References to all outputs of results.
    pub(super) fn results(&self) -> Vec<Value> {
        let ids = self.entities.keys().filter(|id| id.starts_with("results/"));
        ids.map(|id| reference(id)).collect()
    }

    /// The crate itself and its description.
    pub(super) fn root(
        &mut self,
        config: &Config,
        needed: &Needed,
        authors: Vec<Value>,
        terms: Vec<Value>,
        mut parts: Vec<Value>,
        mut runs: Vec<Value>,
    ) {
        self.add(json!({
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": reference("./"),
            "conformsTo": reference(SPECIFICATION),
        }));
        self.add(json!({
            "@id": PROFILE,
            "@type": ["CreativeWork", "Profile"],
            "name": "Process Run Crate",
            "version": "0.5",
        }));
        parts.sort_by_key(|part| part["@id"].as_str().map(str::to_owned));
        runs.sort_by_key(|run| run["@id"].as_str().map(str::to_owned));
        let mut root = json!({
            "@id": "./",
            "@type": "Dataset",
            "name": config.title,
            "description": needed.description,
            "datePublished": needed.date.to_string(),
            "inLanguage": config.language,
            "conformsTo": reference(PROFILE),
            // A list of one entry is frowned upon.
            "license": one_or_all(terms),
        });
        for (field, all) in [("author", authors), ("hasPart", parts), ("mentions", runs)] {
            if !all.is_empty() {
                root[field] = one_or_all(all);
            }
        }
        if let Some(url) = config.absolute("") {
            root["url"] = url.into();
        }
        self.add(root);
    }

    /// The metadata's text.
    pub(super) fn json(&self) -> String {
        let graph: Vec<&Value> = self.entities.values().collect();
        let all = json!({ "@context": CONTEXT, "@graph": graph });
        serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
    }
}

/// One value alone, or a list of several.
fn one_or_all(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { values.into() }
}

impl Graph {
    /// A run of the lab: with what it measured what, and the files that came out.
    pub(super) fn run(
        &mut self,
        request: &neuronotes_core::request::Request,
        record: &Record,
        results: Vec<Value>,
    ) -> Value {
        let mut objects = vec![self.add(run::model(&request.model))];
        let datasets = request.dataset.iter().chain(&request.inputs.datasets);
        objects.extend(datasets.map(|dataset| self.add(run::dataset(dataset))));
        let files = request.inputs.pictures.iter().chain(&request.inputs.files);
        let files = files.chain(&request.inputs.dictionaries);
        objects.extend(files.map(|file| self.add(run::input(file))));
        for (name, value) in &request.params {
            objects.push(self.add(run::parameter(&record.key, name, value)));
        }
        let instrument = self.add(run::lab(&record.provenance));
        self.add(run::action(record, instrument, objects, results))
    }
}
