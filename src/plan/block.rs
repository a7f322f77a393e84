//! Plans one block: reads its fields, and makes its requests.

use std::sync::Arc;

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::term::DIRECTION;
use neuronotes_core::kind::{Data, Field, Kind, Role, Scan, Type, scan};
use neuronotes_core::model::{Place, Precision};
use neuronotes_core::request::{Inputs, Request};
use serde_json::{Map, Value};

use super::asking::{Asking, unnamed, unusable};
use super::control::{Control, Draft, Lacking, Subject, drafts};
use super::known::{Facts, wrong};
use super::planned::Planned;
use super::planner::Planner;
use super::sources::Known;
use super::wanted::{Cell, Measurement, Sweep, Target, Wanted};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::field::{self, Asked, FieldValue, ResolvedPlace, shown};
use crate::guard;
use crate::note::{self, Axis, Block, Note};
use crate::resource::Model;

impl Planner<'_> {
    /// The plan of a note.
    pub(super) fn note(&mut self, note: &Note) -> Planned {
        let planned = guard::run("planning the figures of the note", &note.path, || self.all(note));
        planned.unwrap_or_else(|panicked| {
            self.folders.clear();
            let problem = Diagnostic::of_panic(&*note.file, &panicked);
            let wanted = note.blocks.iter().map(|_| Wanted::Nothing(vec![problem.clone()]));
            let unit_problems = if note.blocks.is_empty() { vec![problem.clone()] } else { vec![] };
            Planned { wanted: wanted.collect(), unit_problems, ..Planned::default() }
        })
    }

    fn all(&mut self, note: &Note) -> Planned {
        let wanted = |block| self.wanted(note, block).unwrap_or_else(Wanted::Nothing);
        let wanted: Vec<Wanted> = note.blocks.iter().map(wanted).collect();
        let planned = note.blocks.iter().zip(&wanted);
        let controls = planned.map(|(block, wanted)| match wanted {
            // Its error is reported once.
            Wanted::Nothing(_) => (vec![], vec![]),
            _ => self.controls(note, block, wanted),
        });
        let (controls, lacking) = controls.unzip();
        let folders = std::mem::take(&mut self.folders);
        let (names, unit_problems) = self.units(note);
        Planned { wanted, controls, lacking, names, unit_problems, folders }
    }

    fn controls(
        &mut self,
        note: &Note,
        block: &Block,
        wanted: &Wanted,
    ) -> (Vec<Arc<Control>>, Vec<Lacking>) {
        let subject = self.subject(note, block, wanted);
        let (drafts, lacking) = drafts(self.config, block, subject);
        let plan = |Draft { name, title, if_scanned, block }| {
            let wanted = self.wanted(note, &block).unwrap_or_else(Wanted::Nothing);
            Arc::new(Control { name, title, if_scanned, block, wanted })
        };
        (drafts.into_iter().map(plan).collect(), lacking)
    }

    fn subject(&mut self, note: &Note, block: &Block, wanted: &Wanted) -> Subject {
        let all = wanted.measurements();
        let Some(target) = all.first().and_then(|one| one.target.as_ref()) else {
            return Subject::default();
        };
        let embedding = self.model(note, block).ok().map(|it| it.architecture.embedding_layer());
        Subject {
            of_dictionary: target.over.is_some(),
            at_embedding: embedding.is_some_and(|it| it.name.canonical == target.place.layer()),
        }
    }

    pub(super) fn wanted(&mut self, note: &Note, block: &Block) -> Result<Wanted, Vec<Diagnostic>> {
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
                // A problem with a value occurs in every combination.
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
        let mut silent = kind.text_unless.into_iter();
        let reads_texts = !silent.any(|(field, word)| block.fields.text(field) == Some(word));
        if kind.text && reads_texts && model.architecture.text.is_none() {
            let message = format!("the model `{}` has no text tower", model.reference.name);
            let hint = format!("`{}` compares with texts; use a CLIP with both towers", kind.name);
            return Err(vec![at.at("model", "", message).hint(hint)]);
        }
        let mut asked = Asked::default();
        let mut problems = Vec::new();
        let place = self.place_of(at);
        let place = place.map_err(|problem| vec![at.unusable("layer", "", problem)])?;
        for field in kind.all_fields().filter(|field| field.role == Role::Compute) {
            let value = block.value(field).or_else(|| self.configured(field));
            let mut sources =
                Known { planner: &mut *self, at, place: place.as_ref(), field: field.name };
            let resolved = field::resolve(field, value, &mut asked, &mut sources);
            problems.extend(at.diagnostics(field.name, resolved.err().unwrap_or_default()));
        }
        if let (true, Some(text)) = (problems.is_empty(), &model.architecture.text) {
            let long = field::prompt::too_long(kind, &asked.params, text.context);
            problems.extend(at.diagnostics("", long));
        }
        if problems.is_empty()
            && let Some(fault) = (kind.misfit)(&asked.params, &model.architecture)
        {
            problems.push(at.at(fault.field, "", fault.message).hint(fault.hint));
        }
        let reads = match kind.data {
            Data::Never => false,
            Data::Always => true,
            Data::Unless(fields) => fields.iter().all(|field| block.fields.get(field).is_none()),
            Data::Optional => asked.needs_dataset || dataset_name(self.config, block).is_some(),
        };
        let dataset = match reads.then(|| self.dataset(note, block)).transpose() {
            Ok(dataset) => dataset,
            Err(problem) => {
                problems.push(*problem);
                None
            }
        };
        if problems.is_empty() {
            let (dataset, place) = (dataset.as_ref(), place.as_ref());
            let mut known = Facts { planner: &mut *self, asked: &asked, dataset, place };
            let misnamed = kind.misnamed(&asked.params, &mut known);
            problems.extend(at.diagnostics("", misnamed.into_iter().map(wrong).collect()));
        }
        // A scan of a dictionary has all its features, and a direction is a sum of them.
        let whole =
            kind.features || kind.scan == Scan::Layer || asked.params.contains_key(DIRECTION);
        let dictionary = place.as_ref().filter(|place| place.dictionary.is_some() && !whole);
        if let (Some(dictionary), true, true) =
            (dictionary, problems.is_empty(), unit(kind, &asked.params).is_none())
        {
            let message = format!(
                "`{}` is a dictionary, and the block names no `unit` of it",
                dictionary.shown()
            );
            let hint = "what is about a whole layer needs a layer";
            problems.push(at.at("layer", "", message).hint(hint));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let captions = kind.captions || asked.needs_dataset;
        let dataset = dataset.map(|set| DatasetRef { captions, ..set });
        let precision = block.fields.text("precision").and_then(Precision::named);
        let precision = precision.unwrap_or(self.config.defaults.precision);
        let embedding = Place::Layer(model.architecture.embedding_layer().name.canonical);
        let about = place.as_ref().map(ResolvedPlace::place);
        let scanned = match kind.scan {
            Scan::None => None,
            Scan::LayerUnless(field) if block.fields.get(field).is_some() => None,
            Scan::Layer | Scan::LayerUnless(_) => about.as_ref(),
            Scan::Embedding => Some(&embedding),
        };
        let own = dataset.iter().zip(scanned);
        // Data sets in a direction are averaged at the direction's layer.
        let there = about.as_ref().unwrap_or(&embedding);
        let others = asked.scanned.iter().map(|dataset| (dataset, there));
        let mut uses: Vec<Request> = Vec::new();
        for (dataset, place) in own.chain(others) {
            let scans = scan::requests(&model.reference, dataset, place, &asked.inputs, precision);
            // A direction may be a mean of the block's own data set.
            uses.extend(scans.into_iter().filter(|scan| !uses.contains(scan)).collect::<Vec<_>>());
        }
        uses.extend(asked.uses);
        (kind.trim)(&mut asked.params);
        let request = Arc::new(Request {
            kind: kind.name.to_owned(),
            impl_version: kind.impl_version,
            params: asked.params,
            model: model.reference,
            dataset,
            inputs: asked.inputs,
            uses,
            precision,
        });
        let target = place.map(|place| Target {
            shown: place.shown().to_owned(),
            place: place.place(),
            over: place.dictionary.is_some().then(|| place.layer.name.shown().to_owned()),
            unit: unit(kind, &request.params),
        });
        let scans = request.uses.iter().filter(|used| used.kind == scan::NAME);
        let scans = scans.map(Request::key).collect();
        Ok(Measurement { key: request.key(), request, target, scans })
    }

    /// The configuration's default for a field.
    fn configured(&self, field: &Field) -> Option<Value> {
        (field.ty == Type::Seed).then(|| self.config.defaults.seed.into())
    }

    pub(super) fn model(&mut self, note: &Note, block: &Block) -> Result<Model, Box<Diagnostic>> {
        let name = block.fields.text("model").or(self.config.defaults.model.as_deref());
        let Some(name) = name else {
            let none = self.config.models.is_empty();
            return Err(Box::new(unnamed(note, block, "model", none)));
        };
        self.resources
            .model(self.config, self.digests, name)
            .map_err(|error| Box::new(unusable(note, block, "model", error)))
    }

    fn dataset(&mut self, note: &Note, block: &Block) -> Result<DatasetRef, Box<Diagnostic>> {
        let Some(name) = dataset_name(self.config, block) else {
            let none = self.config.datasets.is_empty();
            return Err(Box::new(unnamed(note, block, "dataset", none)));
        };
        self.resources
            .dataset(self.config, self.digests, name)
            .map_err(|error| Box::new(unusable(note, block, "dataset", error)))
    }
}

/// The name of a block's data set; `None` if neither the block nor the configuration names one.
fn dataset_name<'n>(config: &'n Config, block: &'n Block) -> Option<&'n str> {
    block.fields.text("dataset").or(config.defaults.dataset.as_deref())
}

/// The unit of a measurement, if it is about one.
fn unit(kind: &Kind, params: &Map<String, Value>) -> Option<u32> {
    let field = kind.all_fields().find(|field| field.ty == Type::Unit)?;
    u32::try_from(params.get(field.name)?.as_u64()?).ok()
}
