//! The outer syntax of a bibliography: splits its text into entries and abbreviations with their positions, and
//! reports errors.
//!
//! An entry ends at the latest at the next line that begins one, so an unclosed brace affects only its own entry. Any
//! other text is a comment, as in BibTeX. Takes time linear in the text's length.

use std::ops::Range;

use crate::diagnostic::fault::Fault;
use neuronotes_core::cut::Cut as _;

/// The parts of a bibliography.
#[derive(Debug, Default)]
pub(super) struct Outer<'t> {
    pub(super) records: Vec<Record<'t>>,
    /// The definitions of `@string`: names and their values.
    pub(super) abbreviations: Vec<Field<'t>>,
    pub(super) faults: Vec<Fault>,
}

/// An entry.
#[derive(Debug)]
pub(super) struct Record<'t> {
    /// The type as written, such as `article`.
    pub(super) kind: &'t str,
    pub(super) key: &'t str,
    /// Span of the key.
    pub(super) span: Range<usize>,
    pub(super) fields: Vec<Field<'t>>,
}

/// A field or an abbreviation.
#[derive(Debug)]
pub(super) struct Field<'t> {
    pub(super) name: &'t str,
    /// Span of the value.
    pub(super) span: Range<usize>,
    pub(super) parts: Vec<Part<'t>>,
}

/// A part of a value, between two `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// LaTeX.
    Text(&'t str),
    /// The name of an abbreviation.
    Name(&'t str),
}

/// Reads a whole bibliography.
pub(super) fn outer(text: &str) -> Outer<'_> {
    let mut out = Outer::default();
    let mut skip = 0;
    // If a comment is never closed, only its first line is left out; later comments end before the next entry.
    let mut are_comments_closed = true;
    let starts = starts(text);
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(text.len());
        if *start < skip {
            continue;
        }
        let mut at = *start;
        while let Some(sign) = next_entry(text, at, end) {
            let mut reader = Reader { text, at: sign + 1, end, escapes: true };
            let kind = reader.word();
            reader.space();
            at = match kind.to_ascii_lowercase().as_str() {
                "comment" | "preamble" => {
                    let reach = if are_comments_closed { text.len() } else { end };
                    let closed = Reader { end: reach, ..reader }.balanced();
                    are_comments_closed &= closed.is_some();
                    let line = || text.cut(sign..end).find('\n').map_or(end, |line| sign + line);
                    closed.unwrap_or_else(line)
                }
                _ => read(&mut out, reader, kind, sign),
            };
        }
        skip = at;
    }
    out
}

/// The positions at which a line begins an entry.
fn starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if next_entry(text, at + indent, at + line.len()) == Some(at + indent) {
            starts.push(at + indent);
        }
        at += line.len();
    }
    starts.dedup();
    starts
}

/// The next `@word{` or `@word(` that is not commented out by `%`.
fn next_entry(text: &str, from: usize, end: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = text.get(at..end)?.find('@') {
        let sign = at + found;
        let line = text.cut(at..sign).rfind('\n').map_or(at, |line| at + line + 1);
        let mut reader = Reader { text, at: sign + 1, end: text.len(), escapes: true };
        let is_word = !reader.word().is_empty();
        reader.space();
        if is_word
            && matches!(reader.peek(), Some(b'{' | b'('))
            && !text.cut(line..sign).contains('%')
        {
            return Some(sign);
        }
        at = sign + 1;
    }
    None
}

/// Reads an entry or abbreviations; returns where the rest begins.
fn read<'t>(out: &mut Outer<'t>, reader: Reader<'t>, kind: &'t str, sign: usize) -> usize {
    // BibTeX counts every brace; some programs write `\{` for one that does not count. What closes the entry is right.
    let escaped = reader.entry(kind, sign);
    let entry = match escaped {
        Err(ref wrong) if wrong.is_open => reader.counting_all().entry(kind, sign).or(escaped),
        other => other,
    };
    match entry {
        Ok(Entry { record, faults, after }) => {
            out.faults.extend(faults);
            if kind.eq_ignore_ascii_case("string") {
                out.abbreviations.extend(record.fields);
            } else {
                out.records.push(record);
            }
            after
        }
        Err(wrong) => {
            out.faults.push(wrong.fault);
            reader.end
        }
    }
}

struct Entry<'t> {
    record: Record<'t>,
    faults: Vec<Fault>,
    after: usize,
}

struct Wrong {
    fault: Fault,
    /// Whether the text ended first.
    is_open: bool,
}

/// A position in the text.
#[derive(Clone, Copy)]
struct Reader<'t> {
    text: &'t str,
    at: usize,
    end: usize,
    /// Whether the brace here is escaped by a backslash.
    escapes: bool,
}

impl<'t> Reader<'t> {
    fn counting_all(self) -> Self {
        Self { escapes: false, ..self }
    }

    fn peek(&self) -> Option<u8> {
        (self.at < self.end).then(|| self.text.as_bytes()[self.at])
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn take_while(&mut self, holds: impl Fn(char) -> bool) -> &'t str {
        let rest = self.text.cut(self.at..self.end);
        let length = rest.find(|c: char| !holds(c)).unwrap_or(rest.len());
        self.at += length;
        rest.cut(..length)
    }

    fn space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Skips white space and comments from `%` to the end of the line.
    fn gap(&mut self) {
        self.space();
        while self.peek() == Some(b'%') {
            self.take_while(|c| c != '\n');
            self.space();
        }
    }

    /// Reads the name of a field, an abbreviation or a type of entry.
    fn word(&mut self) -> &'t str {
        self.take_while(|c| !c.is_whitespace() && !c.is_control() && !"@{}()\"#',=%\\~".contains(c))
    }

    /// Finds the end of the group that begins here.
    fn balanced(mut self) -> Option<usize> {
        let (open, close) = if self.peek()? == b'(' { (b'(', b')') } else { (b'{', b'}') };
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == open {
                depth += 1;
            } else if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Some(self.at);
                }
            }
        }
        None
    }

    fn entry(mut self, kind: &'t str, sign: usize) -> Result<Entry<'t>, Wrong> {
        let close = if self.peek() == Some(b'(') { b')' } else { b'}' };
        self.at += 1;
        self.gap();
        let is_string = kind.eq_ignore_ascii_case("string");
        let mut record = Record { kind, key: "", span: sign..self.at, fields: Vec::new() };
        let mut faults = Vec::new();
        if !is_string {
            let from = self.at;
            let close = char::from(close);
            let key = self.take_while(|c| c != ',' && c != close && c != '=' && c != '\n');
            let key = key.split('%').next().unwrap_or(key).trim();
            record.key = key;
            record.span = from..from + key.len();
            self.gap();
            if self.peek() == Some(b'=') || key.is_empty() {
                let hint = "an entry begins with its key: `@article{goh2021, title = {…}}`";
                return Err(self.wrong(sign..self.at, "an entry has no key", hint));
            }
            if !self.take(b',') && self.peek() != u8::try_from(close).ok() {
                return Err(self.expected(&record, "a comma after the key"));
            }
        }
        loop {
            self.gap();
            if self.take(close) {
                return Ok(Entry { record, faults, after: self.at });
            }
            if self.take(b',') {
                continue;
            }
            let from = self.at;
            let name = self.word();
            self.gap();
            if name.is_empty() || !self.take(b'=') {
                self.at = from;
                let what = if name.is_empty() { "a field" } else { "`=` after the field's name" };
                return Err(self.expected(&record, what));
            }
            let field = self.field(name, &record)?;
            record.fields.push(field);
            self.gap();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {}
                Some(_) => {
                    let here = self.at;
                    let next = self.word();
                    self.gap();
                    if next.is_empty() || self.peek() != Some(b'=') {
                        self.at = here;
                        return Err(self.expected(&record, "a comma"));
                    }
                    self.at = here;
                    let what = if is_string {
                        "`@string`".to_owned()
                    } else {
                        format!("the entry `{}`", record.key)
                    };
                    let message = format!("a comma is missing before `{next}` in {what}");
                    let hint = Some("put a comma between two fields".to_owned());
                    faults.push(Fault::new(here..here + next.len(), message).hint(hint));
                }
                None => return Err(self.expected(&record, "a comma")),
            }
        }
    }

    /// Reads a value: texts and names joined by `#`.
    fn field(&mut self, name: &'t str, record: &Record<'t>) -> Result<Field<'t>, Wrong> {
        let mut parts = Vec::new();
        self.gap();
        let from = self.at;
        loop {
            self.gap();
            parts.push(match self.peek() {
                Some(b'{') => Part::Text(self.group(record)?),
                Some(b'"') => Part::Text(self.quoted(record)?),
                _ => {
                    let word = self.word();
                    if word.is_empty() {
                        return Err(self.expected(record, &format!("the value of `{name}`")));
                    }
                    match word.starts_with(|c: char| c.is_ascii_digit()) {
                        true => Part::Text(word),
                        false => Part::Name(word),
                    }
                }
            });
            let span = from..self.at;
            self.gap();
            if !self.take(b'#') {
                return Ok(Field { name, span, parts });
            }
        }
    }

    /// Reads `{…}`; returns it without its braces.
    fn group(&mut self, record: &Record<'t>) -> Result<&'t str, Wrong> {
        let from = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' if self.escapes => self.at += self.char_length(),
                b'{' => depth += 1,
                b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(self.text.cut(from + 1..self.at - 1));
                    }
                }
                _ => {}
            }
        }
        Err(self.open(from, record, "brace"))
    }

    /// Reads `"…"`; returns it without its quotation marks. A quotation mark inside braces does not end it.
    fn quoted(&mut self, record: &Record<'t>) -> Result<&'t str, Wrong> {
        let from = self.at;
        self.at += 1;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' if self.escapes => self.at += self.char_length(),
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                b'"' if depth == 0 => return Ok(self.text.cut(from + 1..self.at - 1)),
                _ => {}
            }
        }
        Err(self.open(from, record, "quotation mark"))
    }

    fn char_length(&self) -> usize {
        self.text.cut(self.at..self.end).chars().next().map_or(0, char::len_utf8)
    }

    fn open(&self, from: usize, record: &Record<'_>, what: &str) -> Wrong {
        let message = format!("{} cannot be read: a {what} is never closed", named(record));
        let hint = Some(format!("close the {what} before the next entry"));
        Wrong { fault: Fault::new(from..from + 1, message).hint(hint), is_open: true }
    }

    fn expected(&self, record: &Record<'_>, what: &str) -> Wrong {
        if self.at >= self.end {
            let message = format!("{} cannot be read: it is never closed", named(record));
            let hint = "look for an unclosed brace or quotation mark".to_owned();
            let span = record.span.clone();
            return Wrong { fault: Fault::new(span, message).hint(hint), is_open: true };
        }
        let found = self.text.cut(self.at..self.end).chars().next().unwrap_or(' ');
        let message = format!("{} cannot be read: expected {what}, found `{found}`", named(record));
        let span = self.at..self.at + found.len_utf8();
        let hint = "a field is `title = {…},`".to_owned();
        Wrong { fault: Fault::new(span, message).hint(hint), is_open: false }
    }

    fn wrong(&self, span: Range<usize>, message: &str, hint: &str) -> Wrong {
        let fault = Fault::new(span, message).hint(hint);
        Wrong { fault, is_open: false }
    }
}

fn named(record: &Record<'_>) -> String {
    match record.key {
        "" => format!("`@{}`", record.kind),
        key => format!("the entry `{key}`"),
    }
}
