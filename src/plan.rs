//! Notes in, requests out: what each block wants measured, under which key, and each request once.
//!
//! Incremental: a block is a function of its note, the configuration, and the digests of the weights and
//! data that it names; only those decide a request key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::analysis::{Default, Field, Role, Type, scan};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::digest::{Digest, FileDigests};
use crate::note::{Block, Note};
use crate::request::{Precision, Request};
use crate::resource::{Model, ResourceError, Resources};
use crate::suggest;

/// What all notes want.
#[derive(Debug, Default)]
pub struct Plan {
    /// For each note, for each of its blocks.
    pub wanted: Vec<Vec<Wanted>>,
    /// Each request once, in the order of the notes and their blocks.
    pub requests: Vec<(Digest, Request)>,
    /// Names of units, out of the notes' front matter, by model digest, layer and unit.
    pub names: BTreeMap<(Digest, String, u32), String>,
    /// What is wrong with the notes' lists of units, by note.
    pub unit_problems: Vec<Vec<Diagnostic>>,
}

/// What one block wants.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// This measurement.
    Measurement(Box<Measurement>),
    /// Nothing: the block is faulty, and this is why.
    Nothing(Vec<Diagnostic>),
}

/// A measurement that a block wants.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// The request key.
    pub key: Digest,
    /// The request.
    pub request: Request,
    /// The layer as a reader of the article expects it.
    pub layer_shown: String,
    /// Channel, from 0.
    pub unit: u32,
}

/// Plans all notes.
pub fn plan<'a>(
    notes: impl IntoIterator<Item = &'a Note>,
    config: &Config,
    resources: &mut Resources,
    digests: &mut FileDigests,
) -> Plan {
    let mut planner = Planner { config, resources, digests };
    let mut plan = Plan::default();
    let mut seen = std::collections::BTreeSet::new();
    for note in notes {
        let wanted: Vec<Wanted> = note
            .blocks
            .iter()
            .map(|block| match planner.measurement(note, block) {
                Ok(measurement) => Wanted::Measurement(Box::new(measurement)),
                Err(problems) => Wanted::Nothing(problems),
            })
            .collect();
        for measurement in wanted.iter().filter_map(Wanted::measurement) {
            if seen.insert(measurement.key) {
                plan.requests.push((measurement.key, measurement.request.clone()));
            }
        }
        plan.wanted.push(wanted);
        let problems = planner.units(note, &mut plan.names);
        plan.unit_problems.push(problems);
    }
    plan
}

impl Wanted {
    /// The measurement, where there is one.
    pub fn measurement(&self) -> Option<&Measurement> {
        match self {
            Self::Measurement(measurement) => Some(measurement),
            Self::Nothing(_) => None,
        }
    }
}

struct Planner<'a> {
    config: &'a Config,
    resources: &'a mut Resources,
    digests: &'a mut FileDigests,
}

impl Planner<'_> {
    fn measurement(&mut self, note: &Note, block: &Block) -> Result<Measurement, Vec<Diagnostic>> {
        if let (false, _) | (_, None) = (block.is_sound(), block.kind) {
            return Err(block.problems.clone());
        }
        self.sound(note, block).map_err(|problem| vec![*problem])
    }

    fn sound(&mut self, note: &Note, block: &Block) -> Result<Measurement, Box<Diagnostic>> {
        let Some(kind) = block.kind else { unreachable!("a sound block has a kind") };
        let model = self.model(note, block)?;
        let mut params = Map::new();
        let mut layer_shown = String::new();
        let mut unit = 0;
        for field in kind.all_fields().filter(|field| field.role == Role::Compute) {
            match field.ty {
                Type::Model | Type::Dataset | Type::Unit => {}
                Type::Layer => {
                    let name = block.fields.text(field.name).unwrap_or_default();
                    let layer = model.architecture.layer(name).map_err(|nearest| {
                        let message =
                            format!("the model `{}` has no layer `{name}`", model.reference.name);
                        let hint = (!nearest.is_empty())
                            .then(|| format!("did you mean {}?", suggest::quoted(&nearest, "or")));
                        Box::new(at_field(note, block, field.name, message).hint(hint))
                    })?;
                    layer_shown = layer.name.shown().to_owned();
                    params.insert(field.name.into(), layer.name.canonical.clone().into());
                    unit = block
                        .fields
                        .get("unit")
                        .and_then(|value| value.value.as_u64())
                        .and_then(|unit| u32::try_from(unit).ok())
                        .unwrap_or_default();
                    if unit >= layer.units {
                        let message = format!(
                            "unit {unit} is out of range: the layer `{name}` has {} units",
                            layer.units
                        );
                        let hint = format!("count from 0 to {}", layer.units - 1);
                        return Err(Box::new(at_field(note, block, "unit", message).hint(hint)));
                    }
                    params.insert("unit".into(), unit.into());
                }
                _ => {
                    if let Some(value) = self.parameter(block, field) {
                        params.insert(field.name.into(), value);
                    }
                }
            }
        }
        let dataset = match kind.dataset {
            false => None,
            true => Some(self.dataset(note, block)?),
        };
        let layer = params.get("layer").and_then(Value::as_str).unwrap_or_default();
        let uses = match &dataset {
            Some(dataset) if kind.scan => scan::requests(&model.reference, dataset, layer),
            _ => Vec::new(),
        };
        let request = Request {
            kind: kind.name.to_owned(),
            impl_version: kind.impl_version,
            params,
            model: model.reference,
            dataset,
            uses,
            precision: Precision::F32,
        };
        Ok(Measurement { key: request.key(), request, layer_shown, unit })
    }

    /// A parameter with its default: the kind's, or the configuration's.
    fn parameter(&self, block: &Block, field: &Field) -> Option<Value> {
        let configured = || match (field.default, field.name) {
            (Default::Configured, "seed") => Some(self.config.defaults.seed.into()),
            _ => None,
        };
        block.value(field).or_else(configured)
    }

    fn model(&mut self, note: &Note, block: &Block) -> Result<Model, Box<Diagnostic>> {
        let name = block.fields.text("model").or(self.config.defaults.model.as_deref());
        let Some(name) = name else {
            return Err(Box::new(unnamed(note, block, "model")));
        };
        self.resources
            .model(self.config, self.digests, name)
            .map_err(|error| Box::new(unusable(note, block, "model", error)))
    }

    fn dataset(
        &mut self,
        note: &Note,
        block: &Block,
    ) -> Result<crate::request::DatasetRef, Box<Diagnostic>> {
        let name = block.fields.text("dataset").or(self.config.defaults.dataset.as_deref());
        let Some(name) = name else {
            return Err(Box::new(unnamed(note, block, "dataset")));
        };
        self.resources
            .dataset(self.config, self.digests, name)
            .map_err(|error| Box::new(unusable(note, block, "dataset", error)))
    }

    /// Takes in what the note calls its units.
    fn units(
        &mut self,
        note: &Note,
        names: &mut BTreeMap<(Digest, String, u32), String>,
    ) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for named in &note.front.units {
            let Some(model) = named.model.as_deref().or(self.config.defaults.model.as_deref())
            else {
                problems
                    .push(note.at().error(named.span.clone(), "the unit does not say its model"));
                continue;
            };
            let model = match self.resources.model(self.config, self.digests, model) {
                Ok(model) => model,
                Err(error) => {
                    let problem = note.at().error(named.span.clone(), error.message);
                    problems.push(problem.hint(error.hint));
                    continue;
                }
            };
            match model.architecture.layer(&named.layer) {
                Ok(layer) => {
                    let key = (model.reference.digest, layer.name.canonical, named.unit);
                    names.entry(key).or_insert_with(|| named.name.clone());
                }
                Err(nearest) => {
                    let message = format!("the model has no layer `{}`", named.layer);
                    let hint = (!nearest.is_empty())
                        .then(|| format!("did you mean {}?", suggest::quoted(&nearest, "or")));
                    problems.push(note.at().error(named.span.clone(), message).hint(hint));
                }
            }
        }
        problems
    }
}

/// An error at a field, or at the block's first line where it is left out.
fn at_field(note: &Note, block: &Block, field: &str, message: String) -> Diagnostic {
    let span = match block.fields.get(field) {
        Some(value) => value.span.clone(),
        None => {
            let text = &note.source[block.span.clone()];
            block.span.start..block.span.start + text.lines().next().unwrap_or("").trim_end().len()
        }
    };
    note.at().error(span, message)
}

fn unnamed(note: &Note, block: &Block, what: &str) -> Diagnostic {
    at_field(note, block, what, format!("the block does not say its `{what}`"))
        .hint(format!("name one, or set `defaults: {{ {what}: … }}` in {}", crate::config::FILE))
}

fn unusable(note: &Note, block: &Block, field: &str, error: ResourceError) -> Diagnostic {
    at_field(note, block, field, error.message).hint(error.hint)
}
