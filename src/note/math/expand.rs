//! Expands the macros in a formula, and maps each part of the result to its source.
//!
//! The converter knows no definitions, so macros are expanded before it sees a formula. The length of the result and
//! the number of expansions are limited, because a definition may use itself.

use std::ops::Range;

use super::dialect;
use super::macros::{FROZEN, Macros};
use super::reader::Reader;
use crate::diagnostic::fault::Fault;

use neuronotes_core::cut::Cut as _;

/// Maximum length of an expanded formula in bytes.
const LONGEST: usize = 64 << 10;
/// Maximum number of expansions in a formula.
const MOST: usize = 1000;
/// Maximum nesting depth of expansions.
const DEEPEST: usize = 48;

impl Macros {
    /// The formula `tex` without macros. Its definitions are added to the given ones and stay in effect.
    ///
    /// # Errors
    /// If a definition or a macro's arguments cannot be parsed, or if expansion does not end.
    pub fn expand(&mut self, tex: &str) -> Result<Expanded, Fault> {
        let mut out = Expander { macros: self, out: Expanded::default(), count: 0, place: 0..0 };
        out.run(tex, Some(0), 0)?;
        Ok(out.out)
    }
}

/// A formula without macros, with a map to its source.
#[derive(Debug, Default)]
pub struct Expanded {
    /// The TeX for the converter.
    pub text: String,
    /// For pieces of it, their boundaries and the bytes of the original formula that they come from; and whether each
    /// is verbatim.
    pieces: Vec<(usize, Range<usize>, bool)>,
    /// Whether the text ends with a command's name, which a following letter would extend.
    open_name: bool,
}

impl Expanded {
    /// Position of a part of the text in the original formula.
    pub fn written(&self, span: &Range<usize>) -> Range<usize> {
        let place = |at: usize, end: bool| {
            let index = self.pieces.partition_point(|(start, ..)| *start < at + usize::from(!end));
            let Some((start, from, same)) = index.checked_sub(1).map(|i| self.pieces[i].clone())
            else {
                return 0;
            };
            match (same, end) {
                (true, _) => (from.start + (at - start)).min(from.end),
                (false, false) => from.start,
                (false, true) => from.end,
            }
        };
        let start = place(span.start, false);
        start..place(span.end, true).max(start)
    }
}

struct Expander<'m> {
    macros: &'m mut Macros,
    out: Expanded,
    count: usize,
    /// The macro of the formula that is being expanded.
    place: Range<usize>,
}

impl Expander<'_> {
    /// Expands macros in `text`, which begins at `from` of the formula or is a macro's body.
    fn run(&mut self, text: &str, from: Option<usize>, depth: usize) -> Result<(), Fault> {
        let mut reader = Reader { text, at: 0 };
        while let Some(found) = reader.rest().find(['\\', '%', FROZEN]) {
            let at = reader.at + found;
            self.copy(text, reader.at..at, from)?;
            reader.at = at;
            if reader.rest().starts_with('%') {
                // A comment, with the line's end.
                let rest = reader.rest();
                reader.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
                continue;
            }
            let frozen = reader.rest().starts_with(FROZEN);
            reader.at += if frozen { FROZEN.len_utf8() } else { 0 };
            let start = reader.at;
            let name = reader.command();
            if frozen || name.is_empty() {
                self.copy(text, start..reader.at.max(start), from)?;
                self.out.open_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
                if name.is_empty() {
                    // Nothing follows the backslash.
                    reader.at = reader.at.max(at + 1);
                }
                continue;
            }
            self.command(name, at, &mut reader, from, depth)?;
        }
        self.copy(text, reader.at..text.len(), from)
    }

    fn command(
        &mut self,
        name: &str,
        at: usize,
        reader: &mut Reader<'_>,
        from: Option<usize>,
        depth: usize,
    ) -> Result<(), Fault> {
        let fault = |this: &Self, end: usize, message: String| {
            let span = from.map_or_else(|| this.place.clone(), |from| from + at..from + end);
            Fault::new(span, message)
        };
        if let Some(defined) = self.macros.defined(name, reader) {
            return defined.map_err(|message| fault(self, at + 1 + name.len(), message));
        }
        if matches!(name, "begin" | "end") {
            return self.environment(name, at, reader, from);
        }
        if name == "color" && reader.rest().trim_start().starts_with("{#") {
            let written = reader.argument().unwrap_or_default();
            if let Some(from) = from {
                self.place = from + at..from + reader.at;
            }
            return self.write(&dialect::colour(written));
        }
        if dialect::is_text(name) {
            let argument = reader.argument().unwrap_or_default().to_owned();
            return self.prose(name, &argument, at..reader.at, from, depth);
        }
        let starred = format!("{name}*");
        let after = reader.rest();
        let has_star = after.starts_with('*') && self.macros.find(&starred).is_some();
        let name = if has_star { starred.as_str() } else { name };
        let Some(definition) = self.macros.find(name) else {
            self.copy(reader.text, at..reader.at, from)?;
            self.out.open_name = name.ends_with(|c: char| c.is_ascii_alphabetic());
            return Ok(());
        };
        reader.at += usize::from(has_star);
        self.count += 1;
        if self.count > MOST || depth >= DEEPEST {
            let message = format!("the macro `\\{name}` expands endlessly");
            return Err(fault(self, reader.at, message));
        }
        let mut arguments = Vec::with_capacity(definition.arguments);
        if let (Some(default), true) = (&definition.default, definition.arguments > 0) {
            arguments.push(reader.optional().unwrap_or(default).to_owned());
        }
        while arguments.len() < definition.arguments {
            let Some(argument) = reader.argument() else {
                let needed = definition.arguments;
                let s = if needed == 1 { "" } else { "s" };
                let message = format!("`\\{name}` needs {needed} argument{s}");
                return Err(fault(self, reader.at, message));
            };
            arguments.push(argument.to_owned());
        }
        if let Some(from) = from {
            self.place = from + at..from + reader.at;
        }
        let body = filled(&definition.body, &arguments);
        if body.len() + self.out.text.len() > LONGEST {
            return Err(fault(self, reader.at, "the macros make the formula too long".to_owned()));
        }
        // An index must be a single group.
        let index = self.out.text.trim_end().ends_with(['_', '^']);
        if index {
            self.write("{")?;
        }
        self.run(&body, None, depth + 1)?;
        if index {
            self.write("}")?;
        }
        Ok(())
    }

    /// `\begin{name}` with the name that the converter knows.
    fn environment(
        &mut self,
        command: &str,
        at: usize,
        reader: &mut Reader<'_>,
        from: Option<usize>,
    ) -> Result<(), Fault> {
        let Some(name) = reader.argument() else {
            return self.copy(reader.text, at..reader.at, from);
        };
        let Some(known) = dialect::environment(name) else {
            self.copy(reader.text, at..reader.at, from)?;
            if command == "begin" && matches!(name, "array" | "darray") {
                reader.space();
                if let Some(columns) =
                    reader.rest().starts_with('{').then(|| reader.argument()).flatten()
                {
                    let columns = dialect::columns(columns);
                    self.write(&format!("{{{columns}}}"))?;
                }
            }
            return Ok(());
        };
        let mut columns = String::new();
        if command == "begin" {
            if known.takes_count {
                reader.argument();
            }
            if known.takes_option {
                let given = reader.optional().unwrap_or("c");
                columns = dialect::columns(given).repeat(dialect::MOST_COLUMNS);
            }
        }
        if let Some(from) = from {
            self.place = from + at..from + reader.at;
        }
        let text = if command == "begin" { known.begin } else { known.end };
        self.write(&text.replace("COLUMNS", &columns))
    }

    /// Text in a formula, which may contain formulas: `\text{for $x > 0$}`.
    fn prose(
        &mut self,
        name: &str,
        text: &str,
        place: Range<usize>,
        from: Option<usize>,
        depth: usize,
    ) -> Result<(), Fault> {
        if let Some(from) = from {
            self.place = from + place.start..from + place.end;
        }
        let command = dialect::text_command(name);
        let mut inside = false;
        self.write("{")?;
        for part in unescaped_dollars(text) {
            match inside {
                true => {
                    self.write("{")?;
                    self.run(part, None, depth + 1)?;
                    self.write("}")?;
                }
                false if part.is_empty() => {}
                false => self.write(&format!("\\{command}{{{part}}}"))?,
            }
            inside = !inside;
        }
        self.write("}")
    }

    /// Copies a part of a text that is at `from` in the formula or in a macro.
    fn copy(&mut self, text: &str, part: Range<usize>, from: Option<usize>) -> Result<(), Fault> {
        let piece = text.cut(part.clone());
        match from {
            None => self.write(piece),
            Some(_) if piece.is_empty() => Ok(()),
            Some(from) => {
                self.apart(piece);
                let written = from + part.start..from + part.end;
                self.out.pieces.push((self.out.text.len(), written, true));
                self.append(piece)
            }
        }
    }

    /// Writes the replacement of the macro that is being expanded.
    fn write(&mut self, piece: &str) -> Result<(), Fault> {
        if piece.is_empty() {
            return Ok(());
        }
        self.apart(piece);
        let same =
            self.out.pieces.last().is_some_and(|(_, place, same)| !same && *place == self.place);
        if !same {
            self.out.pieces.push((self.out.text.len(), self.place.clone(), false));
        }
        self.append(piece)
    }

    /// Keeps a following letter from extending a command's name.
    fn apart(&mut self, piece: &str) {
        if self.out.open_name && piece.starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.out.text.push(' ');
        }
    }

    fn append(&mut self, piece: &str) -> Result<(), Fault> {
        self.out.text.push_str(piece);
        let tail = piece.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        self.out.open_name = tail.ends_with('\\') && tail.len() < piece.len();
        match self.out.text.len() > LONGEST {
            true => Err(Fault::new(self.place.clone(), "the macros make the formula too long")),
            false => Ok(()),
        }
    }
}

/// A macro's body with its arguments inserted.
fn filled(body: &str, arguments: &[String]) -> String {
    let mut parts = body.split('#');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.chars().next().and_then(|c| c.to_digit(10)).unwrap_or(0) as usize;
        match number.checked_sub(1).and_then(|index| arguments.get(index)) {
            Some(argument) => {
                // The name of a command before the argument ends here.
                let letters = out.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                if letters.ends_with('\\') && letters.len() < out.len() {
                    out.push(' ');
                }
                out.push_str(argument);
                out.push_str(part.cut(1..));
            }
            None => {
                out.push('#');
                out.push_str(part);
            }
        }
        if out.len() > LONGEST {
            break;
        }
    }
    out
}

/// Splits a text at dollar signs other than `\$`.
fn unescaped_dollars(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices('$') {
        let backslashes = text.cut(..at).len() - text.cut(..at).trim_end_matches('\\').len();
        if backslashes.is_multiple_of(2) {
            parts.push(text.cut(from..at));
            from = at + 1;
        }
    }
    parts.push(text.cut(from..));
    parts
}
