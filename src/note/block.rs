//! An analysis block: a fenced `yaml analysis` in, its typed fields with their places out.
//!
//! Checks what the registry knows: the kind, field names, types and bounds. Whether a model has the layer
//! is the plan's to say.

use std::collections::BTreeMap;
use std::ops::Range;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::kind::{COMMON, Default, Field, KINDS, Kind, Role, Type};
use neuronotes_core::suggest;
use serde_json::Value as Json;

use super::inline::InlineValue;
use super::math::Macros;
use super::outline::{self, Link};
use super::sweep::{self, Axis};
use super::value;
use crate::diagnostic::{Diagnostic, Lines, Severity, SourceFile};
use crate::yaml::{self, Entry, Node};

/// A fenced block as the outline finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawBlock {
    /// The whole block in the source, fences included.
    pub span: Range<usize>,
    /// The text between the fences.
    pub text: String,
    /// Where pieces of `text` stand in the source: offset in `text`, offset in the source.
    pub pieces: Vec<(usize, usize)>,
}

/// One analysis that a note asks for.
#[derive(Debug, Clone)]
pub struct Block {
    /// Unique in the note: given, or `figure-2`.
    pub id: String,
    /// The `id` field and its place.
    pub given_id: Option<(String, Range<usize>)>,
    /// Counted through the note, from 1.
    pub number: usize,
    /// The whole block in the source, fences included.
    pub span: Range<usize>,
    /// The text between the fences.
    pub yaml: String,
    /// The kind, where it is known.
    pub kind: Option<&'static Kind>,
    /// Its fields, as far as they are right.
    pub fields: Fields,
    /// Fields that it asks for several values of; a row of a grid for each of the first of two.
    pub sweep: Vec<Axis>,
    /// Its caption as plain text, with marks for values.
    pub caption_text: String,
    /// Links in its caption, each with the caption's place.
    pub caption_links: Vec<Link>,
    /// HTML of the formulas in its caption.
    pub caption_formulas: Vec<String>,
    /// Which of the note's values stand in its caption.
    pub caption_values: Range<usize>,
    /// What is wrong with it; a block with an error is not measured.
    pub problems: Vec<Diagnostic>,
}

/// A block's fields by name.
#[derive(Debug, Clone, std::default::Default)]
pub struct Fields {
    values: BTreeMap<&'static str, FieldValue>,
}

/// A field's value and its place in the source.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldValue {
    /// Of the field's type.
    pub value: Json,
    /// Of the value.
    pub span: Range<usize>,
    /// Of what is in it, by its JSON pointer in `value`.
    pub places: BTreeMap<String, Range<usize>>,
}

impl FieldValue {
    /// Where a part of the value stands, by its JSON pointer; the whole value where that is not known.
    pub fn place(&self, pointer: &str) -> Range<usize> {
        self.places.get(pointer).unwrap_or(&self.span).clone()
    }
}

impl Fields {
    /// The field, where the block has it.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.values.get(name)
    }

    /// The same with a field of another value.
    pub(super) fn with(mut self, name: &'static str, value: FieldValue) -> Self {
        self.values.insert(name, value);
        self
    }

    /// All fields that the block has.
    pub fn all(&self) -> serde_json::Map<String, Json> {
        let given = self.values.iter();
        given.map(|(name, field)| ((*name).to_owned(), field.value.clone())).collect()
    }

    /// The field's text, where the block has it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.value.as_str()
    }
}

impl Block {
    /// A field, or its default; `None` where it has neither, or where the configuration decides.
    pub fn value(&self, field: &Field) -> Option<Json> {
        if let Some(found) = self.fields.get(field.name) {
            return Some(found.value.clone());
        }
        self.kind?.default(field, self.fields.text("recipe"))
    }

    /// The presentation fields, defaults filled in.
    pub fn presentation(&self) -> serde_json::Map<String, Json> {
        let fields = self.kind.into_iter().flat_map(Kind::all_fields);
        fields
            .filter(|field| field.role == Role::Presentation)
            .filter_map(|field| Some((field.name.to_owned(), self.value(field)?)))
            .collect()
    }

    /// The names of all blocks whose results this one is made of: facets, and figures whose pictures it uses.
    pub fn named_blocks(&self) -> Vec<String> {
        let given = self.kind.into_iter().flat_map(Kind::all_fields);
        let given = given.filter_map(|field| Some((field, self.fields.get(field.name)?)));
        let swept = self.sweep.iter().flat_map(|axis| axis.values.iter().map(|v| (axis.field, v)));
        let mut names = Vec::new();
        for (field, FieldValue { value, .. }) in given.chain(swept) {
            let list = |value: &Json| serde_json::from_value::<Vec<String>>(value.clone()).ok();
            match field.ty {
                Type::Block(_) => names.extend(value.as_str().map(str::to_owned)),
                Type::Figures => names.extend(list(value).into_iter().flatten()),
                Type::Direction => {
                    let terms = value.as_array().into_iter().flatten();
                    let used = terms.filter_map(|term| list(&term["of"]["use"]));
                    names.extend(used.flatten());
                }
                _ => {}
            }
        }
        names
    }

    /// Whether it can be measured as far as the block itself goes.
    pub fn is_sound(&self) -> bool {
        let wrong = |problem: &Diagnostic| problem.severity == Severity::Error;
        self.kind.is_some() && !self.problems.iter().any(wrong)
    }
}

/// Reads a block; `number` counts through the note from 1. Values of its caption come to `values`, those of the note.
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
        caption_formulas: Vec::new(),
        caption_values: values.len()..values.len(),
        problems: Vec::new(),
    };
    let reader = Reader { at, lines: Lines::of(&raw.text), raw };
    match yaml::parse(&reader.raw.text) {
        Err(error) => {
            let (line, hint) = yaml::hint(&reader.raw.text, error.line, &is_field);
            let column = if line == error.line { error.column } else { 1 };
            let offset = reader.offset((line, column));
            let message = format!("the block is not YAML: {}", error.message);
            block.problems.push(at.error(reader.line_from(offset), message).hint(hint));
        }
        Ok(node) => match node.entries() {
            Some(entries) => reader.fill(&mut block, entries),
            None => {
                let message = format!(
                    "the block must be a mapping such as `kind: …`, not {}",
                    node.describe()
                );
                let hint = yaml::colon_hint(&reader.raw.text, usize::MAX, &is_field);
                let problem = at.error(reader.first_line(), message);
                block.problems.push(problem.hint(hint.map(|(_, hint)| hint)));
            }
        },
    }
    read_caption(&mut block, values, at, macros);
    block
}

/// Whether a block of some kind may have such a field.
fn is_field(name: &str) -> bool {
    name == "kind" || KINDS.iter().any(|kind| kind.all_fields().any(|field| field.name == name))
}

/// A caption is Markdown of its own; YAML may fold it, so its links and values stand where the caption does.
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
    block.caption_formulas = found.formulas;
    block.caption_text = found.texts.concat();
    block.caption_values.end = values.len();
    block.caption_links = links;
    block.problems.extend(warned);
}

/// What reads a block's YAML, and knows where all of it stands in the source.
pub(super) struct Reader<'a> {
    pub(super) at: SourceFile<'a>,
    raw: RawBlock,
    lines: Lines,
}

impl Reader<'_> {
    /// Where a place in the YAML, line and column from 1, stands in the source.
    fn offset(&self, (line, column): (usize, usize)) -> usize {
        let inner = self.lines.offset(&self.raw.text, line, column);
        let index = self.raw.pieces.partition_point(|(start, _)| *start <= inner);
        match index.checked_sub(1).map(|i| self.raw.pieces[i]) {
            Some((start, source)) => source + (inner - start),
            None => self.raw.span.start,
        }
    }

    fn line_from(&self, offset: usize) -> Range<usize> {
        let offset = offset.min(self.at.text.len());
        let rest = self.at.text.cut(offset..).lines().next().unwrap_or("").trim_end();
        offset..offset + rest.len()
    }

    fn first_line(&self) -> Range<usize> {
        self.line_from(self.raw.span.start)
    }

    pub(super) fn key_span(&self, entry: &Entry) -> Range<usize> {
        self.at.extent(self.offset(entry.at), entry.key.len())
    }

    /// Of a value: to the end of its line, a comment left out.
    pub(super) fn value_span(&self, node: &Node) -> Range<usize> {
        let line = self.line_from(self.offset((node.line, node.column)));
        let text = self.at.text.cut(line.clone());
        let length = text.find(" #").map_or(text.len(), |i| text.cut(..i).trim_end().len());
        line.start..line.start + length.max(usize::from(!text.is_empty()))
    }

    /// Of an item of a list: of its text where that stands as it is, else to the end of its line.
    pub(super) fn item_span(&self, node: &Node) -> Range<usize> {
        let span = self.value_span(node);
        let written = self.at.text.cut(span.clone());
        let quoted = ["", "\"", "'"].iter().find_map(|quote| {
            let text = format!("{quote}{}{quote}", node.text()?);
            written.starts_with(&text).then_some(text.len())
        });
        match quoted {
            Some(length) if length > 0 => span.start..span.start + length,
            _ => span,
        }
    }

    fn fill(&self, block: &mut Block, entries: &[Entry]) {
        // Links and the page's addresses hold even where nothing else of the block does.
        let id = COMMON.iter().find(|field| field.name == "id");
        let written = entries.iter().find(|entry| entry.key == "id");
        if let Some((field, entry)) = id.zip(written)
            && let Ok(FieldValue { value: Json::String(id), span, .. }) =
                value::read(self, field, &entry.node)
        {
            block.given_id = Some((id, span));
        }
        let Some(kind) = self.kind(block, entries) else {
            return;
        };
        block.kind = Some(kind);
        for entry in entries.iter().filter(|entry| entry.key != "kind") {
            if entry.key == "sweep" {
                let read = sweep::read(self, kind, entry, entries);
                block.sweep = read.unwrap_or_else(|problems| {
                    block.problems.extend(problems);
                    Vec::new()
                });
                continue;
            }
            let Some(field) = kind.all_fields().find(|field| field.name == entry.key) else {
                let known = kind.all_fields().map(|f| f.name).chain(["kind"]);
                let message = format!("`{}` has no field `{}`", kind.name, entry.key);
                let problem = self.at.error(self.key_span(entry), message);
                block.problems.push(problem.hint(suggest::hint(&entry.key, known)));
                continue;
            };
            match value::read(self, field, &entry.node) {
                Ok(value) => drop(block.fields.values.insert(field.name, value)),
                Err(problems) => block.problems.extend(problems),
            }
        }
        let swept = block.sweep.iter().map(|axis| axis.field.name);
        let given: Vec<&str> =
            entries.iter().map(|entry| entry.key.as_str()).chain(swept).collect();
        for field in kind.all_fields() {
            if field.default == Default::Required && !given.contains(&field.name) {
                let message = format!("`{}` needs `{}`", kind.name, field.name);
                let problem = self.at.error(self.first_line(), message);
                block.problems.push(problem.hint(first_sentence(field.doc)));
            }
        }
        if block.problems.is_empty() {
            for point in sweep::points(block) {
                let Some(fault) = (kind.fault)(&point.fields.all()) else { continue };
                let given = point.fields.get(fault.field).map(|field| field.span.clone());
                let span = given.unwrap_or_else(|| self.first_line());
                let problem = self.at.error(span, fault.message).hint(fault.hint.to_owned());
                if !block.problems.contains(&problem) {
                    block.problems.push(problem);
                }
            }
        }
    }

    fn kind(&self, block: &mut Block, entries: &[Entry]) -> Option<&'static Kind> {
        let names = KINDS.iter().map(|kind| kind.name);
        let Some(entry) = entries.iter().find(|entry| entry.key == "kind") else {
            let problem = self.at.error(self.first_line(), "the block does not say its `kind`");
            let names: Vec<String> = names.map(str::to_owned).collect();
            let hint = format!("known: {}", suggest::quoted(&names, "and"));
            block.problems.push(problem.hint(hint));
            return None;
        };
        let name = entry.node.text().unwrap_or_default();
        let kind = Kind::named(&name);
        if kind.is_none() {
            let message = format!("there is no kind `{name}`");
            let problem = self.at.error(self.value_span(&entry.node), message);
            block.problems.push(problem.hint(suggest::hint(&name, names)));
        }
        kind
    }
}

fn first_sentence(doc: &str) -> String {
    let end = doc.find(". ").unwrap_or(doc.len());
    doc.cut(..end).trim_end_matches('.').to_owned()
}
