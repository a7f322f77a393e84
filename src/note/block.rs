//! An analysis block: a fenced `yaml analysis` in, its typed fields with their places out.
//!
//! Checks what the registry knows: the kind, field names, types and bounds. Whether a model has the layer is checked by
//! the plan.

use std::collections::BTreeMap;
use std::ops::Range;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::kind::{COMMON, Field, KINDS, Kind, Preset, Role, Takes, Type, controlled};
use neuronotes_core::suggest;
use serde_json::Value as Json;

use super::fence::RawBlock;
use super::inline::InlineValue;
use super::math::Macros;
use super::outline::{self, Anchor, Link, Sentence};
use super::sweep::{self, Axis};
use crate::claim::{self, Claim};
use crate::diagnostic::{Diagnostic, Lines, Severity, SourceFile};
use crate::field::{self, FieldValue};
use crate::yaml::{Entry, Reader};

/// An analysis that a note requests.
#[derive(Debug, Clone)]
pub struct Block {
    /// Its id, unique in the note: given, or `figure-2`.
    pub id: String,
    /// The `id` field with its span.
    pub given_id: Option<(String, Range<usize>)>,
    /// Its number in the note, from 1.
    pub number: usize,
    /// Span of the whole block in the source, with its fences.
    pub span: Range<usize>,
    /// The text between the fences.
    pub yaml: String,
    /// The kind, if it is known.
    pub kind: Option<&'static Kind>,
    /// Its valid fields.
    pub fields: Fields,
    /// Swept fields with their values; if there are two, each value of the first has a row of the grid.
    pub sweep: Vec<Axis>,
    /// Its caption as plain text, with marks for values.
    pub caption_text: String,
    /// Links in its caption, each with the caption's span.
    pub caption_links: Vec<Link>,
    /// Names in its caption, `^id`, which name the figure.
    pub caption_anchors: Vec<Anchor>,
    /// HTML of the formulas in its caption.
    pub caption_formulas: Vec<String>,
    /// What it expects of measured values, as far as that could be read.
    pub claims: Vec<Claim>,
    /// The range of the note's values that are in its caption.
    pub caption_values: Range<usize>,
    /// Problems of its claims, which are the note's: the block is measured all the same.
    pub(super) claim_problems: Vec<Diagnostic>,
    /// Its problems; a block with an error is not measured.
    pub problems: Vec<Diagnostic>,
}

/// A block's fields by name.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    values: BTreeMap<&'static str, FieldValue>,
}

impl Fields {
    /// The field, if the block has it.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.values.get(name)
    }

    /// These fields with another value for one of them.
    pub(super) fn with(mut self, name: &'static str, value: FieldValue) -> Self {
        self.values.insert(name, value);
        self
    }

    /// All fields that the block has.
    pub fn all(&self) -> serde_json::Map<String, Json> {
        let given = self.values.iter();
        given.map(|(name, field)| ((*name).to_owned(), field.value.clone())).collect()
    }

    /// The field's text, if the block has it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.value.as_str()
    }
}

impl Block {
    /// A field or its default; `None` if it has neither, or if the configuration sets it.
    pub fn value(&self, field: &Field) -> Option<Json> {
        if let Some(found) = self.fields.get(field.name) {
            return Some(found.value.clone());
        }
        let kind = self.kind?;
        kind.default(field, kind.recipe_field().and_then(|picks| self.fields.text(picks.name)))
    }

    /// The presentation fields, defaults filled in.
    pub fn presentation(&self) -> serde_json::Map<String, Json> {
        let fields = self.kind.into_iter().flat_map(Kind::all_fields);
        fields
            .filter(|field| field.role == Role::Presentation)
            .filter_map(|field| Some((field.name.to_owned(), self.value(field)?)))
            .collect()
    }

    /// The block that asks another kind about the same target: it has the fields that decide a result and that the kind has
    /// too, and `more`, which stand where the block does. It has no caption and no number of its own.
    pub fn turned(
        &self,
        kind: &'static Kind,
        more: impl IntoIterator<Item = (&'static str, Json)>,
    ) -> Self {
        let decides = |field: &&Field| field.role != Role::Presentation;
        let mut values: BTreeMap<&'static str, FieldValue> = kind
            .all_fields()
            .filter(decides)
            .filter_map(|field| Some((field.name, self.fields.get(field.name)?.clone())))
            .collect();
        for (name, value) in more {
            let places = BTreeMap::new();
            values.insert(name, FieldValue { value, span: self.span.clone(), places });
        }
        let axis = |axis: &Axis| {
            let field = kind.all_fields().find(|field| field.name == axis.field.name)?;
            Some(Axis { field, values: axis.values.clone() })
        };
        Self {
            id: self.id.clone(),
            given_id: None,
            number: self.number,
            span: self.span.clone(),
            yaml: String::new(),
            kind: Some(kind),
            fields: Fields { values },
            sweep: self.sweep.iter().filter_map(axis).collect(),
            caption_text: String::new(),
            caption_links: Vec::new(),
            caption_anchors: Vec::new(),
            caption_formulas: Vec::new(),
            caption_values: 0..0,
            claims: Vec::new(),
            claim_problems: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The same block, which sweeps over another field too.
    pub fn swept_also(mut self, axis: Axis) -> Self {
        self.fields.values.remove(axis.field.name);
        self.sweep.push(axis);
        self
    }

    /// The names of all blocks whose results it uses, each with the blocks that its field takes.
    pub fn named_blocks(&self) -> Vec<(Takes, String)> {
        let given = self.kind.into_iter().flat_map(Kind::all_fields);
        let given = given.filter_map(|field| Some((field, self.fields.get(field.name)?)));
        let swept = self.sweep.iter().flat_map(|axis| axis.values.iter().map(|v| (axis.field, v)));
        given.chain(swept).flat_map(|(field, found)| field::blocks(field, &found.value)).collect()
    }

    /// Whether the kind is known and the block has no errors.
    pub fn is_sound(&self) -> bool {
        let wrong = |problem: &Diagnostic| problem.severity == Severity::Error;
        self.kind.is_some() && !self.problems.iter().any(wrong)
    }
}

/// Reads a block; `number` counts through the note from 1. Values of its caption are appended to the note's `values`.
pub fn parse(
    at: SourceFile<'_>,
    raw: RawBlock,
    number: usize,
    values: &mut Vec<InlineValue>,
    macros: &Macros,
) -> Block {
    let mut block = Block {
        id: String::new(),
        given_id: None,
        number,
        span: raw.span.clone(),
        yaml: raw.text.clone(),
        kind: None,
        fields: Fields::default(),
        sweep: Vec::new(),
        caption_text: String::new(),
        caption_links: Vec::new(),
        caption_anchors: Vec::new(),
        caption_formulas: Vec::new(),
        claims: Vec::new(),
        claim_problems: Vec::new(),
        caption_values: values.len()..values.len(),
        problems: Vec::new(),
    };
    let reader = Reader::of_pieces(at, &raw.text, raw.span.start, &raw.pieces);
    match reader.mapping("the block", "kind", &is_field) {
        Ok(entries) => fill(&reader, &mut block, &entries),
        Err(problem) => block.problems.push(problem),
    }
    read_caption(&mut block, values, at, macros);
    block
}

/// The block once for each combination of swept values, with these in its fields, the last axis changing fastest; the
/// block itself if it has no sweep.
pub fn points(block: &Block) -> Vec<Block> {
    let plain = Block { sweep: Vec::new(), ..block.clone() };
    block.sweep.iter().fold(vec![plain], |points, axis| {
        let with = |point: &Block, value: &FieldValue| Block {
            fields: point.fields.clone().with(axis.field.name, value.clone()),
            ..point.clone()
        };
        let each = points.iter().flat_map(|point| axis.values.iter().map(move |v| with(point, v)));
        each.collect()
    })
}

/// The field with a block's claims.
const EXPECT: &str = "expect";

/// Whether a block of some kind can have a field of that name.
fn is_field(name: &str) -> bool {
    name == "kind"
        || claim::is_known_key(name)
        || KINDS.iter().any(|kind| kind.all_fields().any(|field| field.name == name))
}

/// Reads a caption, which is Markdown. YAML may fold it, so its links and values have the caption's span.
fn read_caption(
    block: &mut Block,
    values: &mut Vec<InlineValue>,
    note: SourceFile<'_>,
    macros: &Macros,
) {
    let fields = &block.fields;
    let Some((caption, field)) = fields.text("caption").zip(fields.get("caption")) else { return };
    let lines = Lines::of(caption);
    let at = SourceFile { file: "", text: caption, lines: &lines };
    let found = outline::caption(at, values.len(), macros);
    let links = found.links.into_iter().map(|link| Link { span: field.span.clone(), ..link });
    let links = links.collect();
    values.extend(found.values.into_iter().map(|value| value.in_caption(field.span.clone())));
    let hinted =
        |problem: Diagnostic| note.warning(field.span.clone(), problem.message).hint(problem.hint);
    let warned: Vec<_> = found.problems.into_iter().map(hinted).collect();
    let cited = |sentence: Sentence| Sentence { span: field.span.clone(), ..sentence };
    let names = found.anchors.into_iter();
    let names = names.map(|name| Anchor {
        span: block.span.clone(),
        sentence: name.sentence.map(cited),
        ..name
    });
    block.caption_anchors = names.collect();
    block.caption_formulas = found.formulas;
    block.caption_text = found.texts.concat();
    block.caption_values.end = values.len();
    block.caption_links = links;
    block.problems.extend(warned);
}

fn fill(reader: &Reader<'_>, block: &mut Block, entries: &[Entry]) {
    // Links and ids remain valid even if nothing else of the block is.
    let id = COMMON.iter().find(|field| field.ty == Type::Id);
    let written = id.and_then(|field| entries.iter().find(|entry| entry.key == field.name));
    if let Some((field, entry)) = id.zip(written)
        && let Ok(FieldValue { value: Json::String(id), span, .. }) =
            field::read(reader, field, &entry.node)
    {
        block.given_id = Some((id, span));
    }
    let Some(kind) = kind_of(reader, block, entries) else {
        return;
    };
    block.kind = Some(kind);
    for entry in entries.iter().filter(|entry| entry.key != "kind") {
        if entry.key == "sweep" {
            let read = sweep::read(reader, kind, entry, entries);
            block.sweep = read.unwrap_or_else(|problems| {
                block.problems.extend(problems);
                Vec::new()
            });
            continue;
        }
        if entry.key == EXPECT {
            let (claims, problems) = claim::read(reader, entry);
            block.claims = claims;
            block.claim_problems = problems;
            continue;
        }
        let Some(field) = kind.all_fields().find(|field| field.name == entry.key) else {
            let known = kind.all_fields().map(|f| f.name).chain(["kind"]);
            block.problems.push(match entry.key == controlled::FIELD {
                true => without_controls(reader, kind, entry),
                false => reader.unknown(entry, &format!("`{}`", kind.name), known),
            });
            continue;
        };
        match field::read(reader, field, &entry.node) {
            Ok(value) => drop(block.fields.values.insert(field.name, value)),
            Err(problems) => block.problems.extend(problems),
        }
    }
    let swept = block.sweep.iter().map(|axis| axis.field.name);
    let given: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).chain(swept).collect();
    for field in kind.all_fields() {
        if field.default == Preset::Required && !given.contains(&field.name) {
            let message = format!("`{}` needs `{}`", kind.name, field.name);
            let problem = reader.at.error(reader.first_line(), message);
            block.problems.push(problem.hint(first_sentence(field.doc)));
        }
    }
    if block.problems.is_empty() {
        for point in points(block) {
            let Some(fault) = kind.faulty(&point.fields.all()) else { continue };
            let given = point.fields.get(fault.field).map(|field| field.span.clone());
            let span = given.unwrap_or_else(|| reader.first_line());
            let problem = reader.at.error(span, fault.message).hint(fault.hint);
            if !block.problems.contains(&problem) {
                block.problems.push(problem);
            }
        }
    }
}

/// The problem that a block asks for controls, which figures of its kind never have.
fn without_controls(reader: &Reader<'_>, kind: &Kind, entry: &Entry) -> Diagnostic {
    let have = KINDS.iter().filter(|kind| kind.has_controls());
    let have: Vec<String> = have.map(|kind| kind.name.to_owned()).collect();
    let problem = reader.at_key(entry, format!("figures of `{}` have no controls", kind.name));
    problem.hint(format!("{} have them; remove `{}`", suggest::quoted(&have, "and"), entry.key))
}

fn kind_of(reader: &Reader<'_>, block: &mut Block, entries: &[Entry]) -> Option<&'static Kind> {
    let names = KINDS.iter().map(|kind| kind.name);
    let Some(entry) = entries.iter().find(|entry| entry.key == "kind") else {
        let problem = reader.at.error(reader.first_line(), "the block has no `kind`");
        let names: Vec<String> = names.map(str::to_owned).collect();
        let hint = format!("known: {}", suggest::quoted(&names, "and"));
        block.problems.push(problem.hint(hint));
        return None;
    };
    let name = entry.node.text().unwrap_or_default();
    let kind = Kind::named(&name);
    if kind.is_none() {
        let message = format!("there is no kind `{name}`");
        let problem = reader.at.error(reader.value_span(&entry.node), message);
        block.problems.push(problem.hint(suggest::hint(&name, names)));
    }
    kind
}

fn first_sentence(doc: &str) -> String {
    let end = doc.find(". ").unwrap_or(doc.len());
    doc.cut(..end).trim_end_matches('.').to_owned()
}
