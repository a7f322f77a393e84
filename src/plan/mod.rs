//! Notes in, requests out: what each block wants measured, under which key, and each request once.
//!
//! A block that sweeps over values is planned once for each of them, as if it were written so.
//!
//! Incremental: a block is a function of its note, the configuration, and the digests of the weights and
//! data that it names; only those decide a request key.

mod baseline;
mod parameter;
mod prompt;
mod reference;
mod target;
mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use crate::analysis::{Data, Field, Kind, Scan, scan, shown};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::digest::{Digest, FileDigests};
use crate::note::{self, Axis, Block, FieldValue, Note};
use crate::request::{DatasetRef, Inputs, Precision, Request};
use crate::resource::{Model, ResourceError, Resources};
use parameter::Asked;

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
    /// Folders, relative to the garden, that hold pictures which blocks name, or would hold them.
    pub folders: BTreeSet<String>,
}

/// What one block wants.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// This measurement.
    Measurement(Box<Measurement>),
    /// These, in one grid.
    Sweep(Sweep),
    /// Nothing: the block is faulty, and this is why.
    Nothing(Vec<Diagnostic>),
}

/// The measurements of a block that sweeps over values.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// In the grid's order.
    pub cells: Vec<Cell>,
    /// How many values each field has that is swept over, one or two.
    pub axes: Vec<usize>,
}

/// One measurement of a sweep.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The fields that are swept over and their values here, for a reader.
    pub values: Vec<(&'static str, String)>,
    /// Where the first of the values stands in the note.
    pub span: Range<usize>,
    /// What is measured.
    pub measurement: Measurement,
}

impl Cell {
    /// `unit 89, recipe maco`.
    pub fn caption(&self) -> String {
        let one = |(name, value): &(&str, String)| match *name {
            // A layer's name and a list of units say themselves what they are.
            "layer" | "units" => value.clone(),
            name => format!("{} {value}", name.replace('_', " ")),
        };
        self.values.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// A measurement that a block wants.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// The request key.
    pub key: Digest,
    /// The request.
    pub request: Request,
    /// What it is about, for kinds that are about a layer.
    pub target: Option<Target>,
    /// The facet that it leans on, as the block names it.
    pub facet: Option<String>,
    /// A scan of the same layer that the garden asks for elsewhere, to compare a unit with: what its data set is
    /// called, and the scan's key.
    pub baseline: Option<(String, Digest)>,
}

/// A layer, or a unit of it, for a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The layer as a reader of the article expects it.
    pub shown: String,
    /// The layer's canonical spelling.
    pub layer: String,
    /// Channel, from 0, where it is about one.
    pub unit: Option<u32>,
}

/// Plans all notes of the garden in `root`, an absolute path without links.
pub fn plan<'a>(
    notes: impl IntoIterator<Item = &'a Note>,
    root: &Path,
    config: &Config,
    resources: &mut Resources,
    digests: &mut FileDigests,
) -> Plan {
    let notes: Vec<&Note> = notes.into_iter().collect();
    let mut planner = Planner {
        notes: &notes,
        root,
        config,
        resources,
        digests,
        folders: BTreeSet::new(),
        used: BTreeMap::new(),
    };
    let mut plan = Plan::default();
    let mut seen = BTreeSet::new();
    for note in &notes {
        let wanted: Vec<Wanted> = note
            .blocks
            .iter()
            .map(|block| planner.wanted(note, block).unwrap_or_else(Wanted::Nothing))
            .collect();
        for measurement in wanted.iter().flat_map(Wanted::measurements) {
            if seen.insert(measurement.key) {
                plan.requests.push((measurement.key, measurement.request.clone()));
            }
        }
        plan.wanted.push(wanted);
        let problems = planner.units(note, &mut plan.names);
        plan.unit_problems.push(problems);
    }
    plan.folders = planner.folders;
    plan.name_cells();
    plan.set_baselines(config.defaults.dataset.as_deref());
    plan
}

impl Wanted {
    /// Every measurement, in the grid's order where there are several.
    pub fn measurements(&self) -> Vec<&Measurement> {
        match self {
            Self::Measurement(measurement) => vec![measurement],
            Self::Sweep(sweep) => sweep.cells.iter().map(|cell| &cell.measurement).collect(),
            Self::Nothing(_) => vec![],
        }
    }
}

impl Plan {
    /// Puts the notes' names of units beside those that are swept over.
    fn name_cells(&mut self) {
        let sweeps = self.wanted.iter_mut().flatten().filter_map(|wanted| match wanted {
            Wanted::Sweep(sweep) => Some(sweep),
            _ => None,
        });
        for cell in sweeps.flat_map(|sweep| &mut sweep.cells) {
            let measurement = &cell.measurement;
            let Some(target) = &measurement.target else { continue };
            let Some(unit) = target.unit else { continue };
            let unit = (measurement.request.model.digest, target.layer.clone(), unit);
            let value = cell.values.iter_mut().find(|(field, _)| *field == "unit");
            if let (Some(name), Some((_, value))) = (self.names.get(&unit), value) {
                value.push_str(&format!(" · {name}"));
            }
        }
    }
}

impl Measurement {
    /// The layer as a reader expects it; empty where the kind is about none.
    pub fn layer_shown(&self) -> &str {
        self.target.as_ref().map_or("", |target| &target.shown)
    }
}

/// A block that is being planned, as far as it needs no planner.
#[derive(Clone, Copy)]
struct Asking<'a> {
    note: &'a Note,
    block: &'a Block,
    kind: &'static Kind,
    model: &'a Model,
}

impl Asking<'_> {
    /// An error at a place of a field, or at the block's first line where the block does not have the field.
    fn at(self, field: &str, pointer: &str, message: String) -> Diagnostic {
        match self.block.fields.get(field) {
            Some(value) => self.note.at().error(value.place(pointer), message),
            None => at_field(self.note, self.block, field, message),
        }
    }

    fn unusable(self, field: &str, pointer: &str, error: ResourceError) -> Diagnostic {
        self.at(field, pointer, error.message).hint(error.hint)
    }
}

struct Planner<'a> {
    notes: &'a [&'a Note],
    root: &'a Path,
    config: &'a Config,
    resources: &'a mut Resources,
    digests: &'a mut FileDigests,
    folders: BTreeSet<String>,
    /// Blocks that others use, by note and id, planned once.
    used: BTreeMap<(String, String), Result<Wanted, Vec<Diagnostic>>>,
}

impl Planner<'_> {
    fn wanted(&mut self, note: &Note, block: &Block) -> Result<Wanted, Vec<Diagnostic>> {
        if block.sweep.is_empty() {
            return Ok(Wanted::Measurement(Box::new(self.measurement(note, block)?)));
        }
        let mut cells = Vec::new();
        let mut problems: Vec<Diagnostic> = Vec::new();
        for point in note::points(block) {
            match self.measurement(note, &point) {
                Ok(measurement) => {
                    let given =
                        |axis: &Axis| Some((axis.field, point.fields.get(axis.field.name)?));
                    let given: Vec<_> = block.sweep.iter().filter_map(given).collect();
                    let inputs = Inputs::default();
                    let value = |(field, value): &(&'static Field, &FieldValue)| {
                        (field.name, shown(field, &value.value, &inputs))
                    };
                    let span = given.first().map_or(block.span.clone(), |(_, v)| v.span.clone());
                    let values = given.iter().map(value).collect();
                    cells.push(Cell { values, span, measurement });
                }
                // What is wrong with a value is wrong with it in every combination.
                Err(found) => {
                    for problem in found {
                        if !problems.contains(&problem) {
                            problems.push(problem);
                        }
                    }
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let axes = block.sweep.iter().map(|axis| axis.values.len()).collect();
        Ok(Wanted::Sweep(Sweep { cells, axes }))
    }

    fn measurement(&mut self, note: &Note, block: &Block) -> Result<Measurement, Vec<Diagnostic>> {
        match block.kind {
            Some(kind) if block.is_sound() => self.sound(note, block, kind),
            _ => Err(block.problems.clone()),
        }
    }

    fn sound(
        &mut self,
        note: &Note,
        block: &Block,
        kind: &'static Kind,
    ) -> Result<Measurement, Vec<Diagnostic>> {
        let model = self.model(note, block).map_err(|problem| vec![*problem])?;
        let at = Asking { note, block, kind, model: &model };
        if kind.text && model.architecture.text.is_none() {
            let message = format!("the model `{}` has no text tower", model.reference.name);
            let hint = format!("`{}` compares with texts; name a whole CLIP", kind.name);
            return Err(vec![at.at("model", "", message).hint(hint)]);
        }
        let mut asked = Asked::default();
        let mut problems = Vec::new();
        match at.target() {
            Ok(target) => (asked.target, asked.layer) = target.unzip(),
            Err(problem) => return Err(vec![*problem]),
        }
        for field in kind.all_fields() {
            if let Err(found) = self.parameter(&mut asked, at, field) {
                problems.extend(found);
            }
        }
        if let (true, Some(text)) = (problems.is_empty(), &model.architecture.text) {
            problems.extend(prompt::too_long(at, &asked.params, text.context));
        }
        let reads = match kind.data {
            Data::Never => false,
            Data::Always => true,
            Data::Unless(fields) => fields.iter().all(|field| block.fields.get(field).is_none()),
        };
        let dataset = match reads.then(|| self.dataset(note, block)).transpose() {
            Ok(dataset) => dataset,
            Err(problem) => {
                problems.push(*problem);
                None
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let precision = block.fields.text("precision").and_then(Precision::named);
        let precision = precision.unwrap_or(self.config.defaults.precision);
        let embedding = model.architecture.embedding_layer().name.canonical;
        let layer = match kind.scan {
            Scan::None => None,
            Scan::Layer => asked.params.get("layer").and_then(Value::as_str),
            Scan::Embedding => Some(embedding.as_str()),
        };
        let own = dataset.iter().zip(layer);
        // A direction's data sets are averaged where the direction is.
        let there = asked.layer.as_ref().map_or(&*embedding, |layer| &layer.name.canonical);
        let others = asked.scanned.iter().map(|dataset| (dataset, there));
        let uses = own
            .chain(others)
            .flat_map(|(dataset, layer)| {
                scan::requests(&model.reference, dataset, layer, precision)
            })
            .chain(asked.uses)
            .collect();
        let request = Request {
            kind: kind.name.to_owned(),
            impl_version: kind.impl_version,
            params: asked.params,
            model: model.reference,
            dataset,
            inputs: asked.inputs,
            uses,
            precision,
        };
        let (target, facet) = (asked.target, asked.facet);
        Ok(Measurement { key: request.key(), request, target, facet, baseline: None })
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

    fn dataset(&mut self, note: &Note, block: &Block) -> Result<DatasetRef, Box<Diagnostic>> {
        let name = block.fields.text("dataset").or(self.config.defaults.dataset.as_deref());
        let Some(name) = name else {
            return Err(Box::new(unnamed(note, block, "dataset")));
        };
        self.resources
            .dataset(self.config, self.digests, name)
            .map_err(|error| Box::new(unusable(note, block, "dataset", error)))
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
