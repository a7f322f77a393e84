//! Converts the LaTeX of a bibliography's field to characters with formatting.
//!
//! biblatex reads few of LaTeX's ways to write a letter and none of its formatting commands, and takes any dollar
//! sign for mathematics; so it gets this module's output. Formatted text is put between two marks, each a piece of
//! mathematics for the style processor, which leaves it unchanged. Takes time linear in the text's length.

mod accent;
mod command;
mod formula;

use biblatex::Chunk;

use command::{braced, declared, is_known_in_address, set};
use neuronotes_core::cut::Cut as _;

use super::look::Look;
use crate::tex;

/// How a field is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Text that is shown.
    Text,
    /// Names, numbers and the like, without formatting.
    Plain,
    /// A URL or identifier, in which every character matters.
    Address,
}

/// The converted field.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) chunks: Vec<Chunk>,
    /// The first unknown command, if any; it is left as written.
    pub(super) unknown: Option<String>,
}

/// The text of a field.
pub(super) fn decode(text: &str, purpose: Use) -> Decoded {
    let mut reader = Reader {
        purpose,
        out: Decoded::default(),
        groups: Vec::new(),
        protecting: 0,
        accents: Vec::new(),
        no_display: false,
        no_end: Vec::new(),
    };
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        rest = reader.step(c, rest);
    }
    while !reader.groups.is_empty() {
        reader.close();
    }
    reader.lone_accents();
    if let Some(Chunk::Normal(last) | Chunk::Verbatim(last)) = reader.out.chunks.last_mut() {
        last.truncate(last.trim_end_matches(' ').len());
    }
    reader.out
}

/// Braces that are open.
struct Group {
    /// Whether they protect the case of their content.
    protects: bool,
    /// The text that follows their end.
    end: &'static str,
    /// Formats that end with them.
    looks: Vec<Look>,
}

struct Reader {
    purpose: Use,
    out: Decoded,
    groups: Vec<Group>,
    /// Number of open groups that protect the case.
    protecting: usize,
    /// Accents that wait for their letter, the innermost last.
    accents: Vec<char>,
    /// Whether no further `$$` follows.
    no_display: bool,
    /// The opening marks of formulas, `\(` and `\[`, whose end does not follow.
    no_end: Vec<char>,
}

impl Reader {
    /// Reads the beginning of `rest`, and returns what follows.
    fn step<'t>(&mut self, c: char, rest: &'t str) -> &'t str {
        let after = rest.cut(c.len_utf8()..);
        let is_address = self.purpose == Use::Address;
        match c {
            '\\' => return self.command(after),
            '{' => {
                let is_letter = self.groups.is_empty() && accent::begins_letter(after);
                let protects = self.accents.is_empty() && !is_letter && !is_address;
                self.open(protects, "", None);
            }
            '}' => self.close(),
            '$' if !is_address => return self.dollar(after),
            '~' if !is_address => self.push("\u{a0}"),
            '-' if !is_address => {
                let count = rest.bytes().take(3).take_while(|byte| *byte == b'-').count();
                self.push(["-", "–", "—"][count - 1]);
                return rest.cut(count..);
            }
            '`' | '\'' if !is_address => {
                let double = after.starts_with(c);
                self.push(match (c, double) {
                    ('`', true) => "“",
                    ('`', false) => "‘",
                    (_, true) => "”",
                    // An apostrophe; names keep theirs.
                    (_, false) if self.purpose == Use::Text => "’",
                    (_, false) => "'",
                });
                return if double { after.cut(1..) } else { after };
            }
            _ if c.is_whitespace() => {
                if self.accents.is_empty() {
                    self.push(" ");
                }
                return rest.trim_start();
            }
            // What would be taken for a mark.
            '\u{fdd0}'..='\u{fdef}' => self.push("\u{fffd}"),
            c => {
                let mut utf8 = [0; 4];
                self.push(c.encode_utf8(&mut utf8));
            }
        }
        after
    }

    fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let accented;
        let text = match self.accents.is_empty() {
            true => text,
            false => {
                accented = accent::accented(text, &std::mem::take(&mut self.accents));
                &accented
            }
        };
        match (self.out.chunks.last_mut(), self.protecting > 0) {
            (Some(Chunk::Normal(last)), false) | (Some(Chunk::Verbatim(last)), true) => {
                last.push_str(text);
            }
            (_, false) => self.out.chunks.push(Chunk::Normal(text.to_owned())),
            (_, true) => self.out.chunks.push(Chunk::Verbatim(text.to_owned())),
        }
    }

    fn open(&mut self, protects: bool, end: &'static str, look: Option<Look>) {
        self.protecting += usize::from(protects);
        self.groups.push(Group { protects, end, looks: Vec::new() });
        if let Some(look) = look {
            self.look(look);
        }
    }

    /// Formats everything from here to the end of the group.
    fn look(&mut self, look: Look) {
        if self.purpose != Use::Text {
            return;
        }
        let Some(group) = self.groups.last_mut().filter(|group| !group.looks.contains(&look))
        else {
            return;
        };
        group.looks.push(look);
        self.out.chunks.extend(look.mark(true).map(|mark| Chunk::Math(mark.into())));
    }

    fn close(&mut self) {
        // A brace too many is left out.
        let Some(group) = self.groups.pop() else { return };
        self.lone_accents();
        self.push(group.end);
        self.protecting -= usize::from(group.protects);
        let marks = group.looks.iter().rev().filter_map(|look| look.mark(false));
        self.out.chunks.extend(marks.map(|mark| Chunk::Math(mark.into())));
    }

    /// Turns accents without a letter into characters.
    fn lone_accents(&mut self) {
        for accent in std::mem::take(&mut self.accents) {
            self.push(accent::alone(accent));
        }
    }

    /// Reads what follows a backslash.
    fn command<'t>(&mut self, rest: &'t str) -> &'t str {
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        if length == 0 {
            let Some(c) = rest.chars().next() else {
                self.push("\\");
                return rest;
            };
            return self.sign(c, rest.cut(c.len_utf8()..), rest);
        }
        if self.purpose == Use::Address && !is_known_in_address(rest.cut(..length)) {
            // A folder of Windows, say.
            self.push("\\");
            return rest;
        }
        let (name, after) = rest.split_at(length);
        let argument = after.trim_start();
        if let Some(accent) = accent::named(name) {
            self.accents.push(accent);
            return argument;
        }
        if let Some(text) = tex::symbol(name) {
            self.push(text);
            return argument;
        }
        if let Some(look) = declared(name) {
            if let Some(look) = look {
                self.look(look);
            }
            return argument;
        }
        let inner = argument.strip_prefix('{');
        match (name, inner) {
            ("url" | "path" | "nolinkurl" | "href", Some(inner))
                if self.purpose == Use::Address =>
            {
                self.open(false, "", None);
                inner
            }
            ("url" | "path" | "nolinkurl", Some(inner)) => self.address(inner),
            ("href" | "textcolor" | "color", Some(inner)) => {
                let (_, behind) = braced(inner);
                behind.trim_start()
            }
            ("noopsort" | "SortNoop" | "sortnoop" | "noop" | "nocite" | "label", Some(inner)) => {
                braced(inner).1
            }
            ("ensuremath", Some(inner)) => {
                let (formula, behind) = braced(inner);
                self.formula(formula);
                behind
            }
            ("enquote" | "mkbibquote" | "textquote", Some(inner)) => {
                self.push("“");
                self.open(false, "”", None);
                inner
            }
            (name, Some(inner)) => match set(name) {
                Some(look) => {
                    self.open(true, "", look);
                    inner
                }
                None => {
                    self.unknown(name);
                    self.push("{");
                    self.open(false, "}", None);
                    inner
                }
            },
            (name, None) => {
                if set(name).is_none() {
                    self.unknown(name);
                }
                after
            }
        }
    }

    fn unknown(&mut self, name: &str) {
        self.push("\\");
        self.push(name);
        self.out.unknown.get_or_insert_with(|| name.to_owned());
    }

    /// A command that is a single character.
    fn sign<'t>(&mut self, c: char, after: &'t str, rest: &'t str) -> &'t str {
        if self.purpose == Use::Address && !"{}_%&#$~^".contains(c) {
            self.push("\\");
            return rest;
        }
        match c {
            '(' | '[' => {
                let end = if c == '(' { "\\)" } else { "\\]" };
                let at = if self.no_end.contains(&c) { None } else { after.find(end) };
                if let Some(at) = at {
                    self.formula(after.cut(..at));
                    return after.cut(at + 2..);
                }
                if !self.no_end.contains(&c) {
                    self.no_end.push(c);
                }
                self.push(if c == '(' { "(" } else { "[" });
            }
            '-' | '/' | '!' | '@' | '*' => {}
            ',' => self.push("\u{2009}"),
            ';' | ':' | '\\' => self.push(" "),
            '^' | '~' | '"' | '\'' | '`' | '=' | '.' | '´' if self.purpose != Use::Address => {
                self.accents.extend(accent::signed(c));
                return after.trim_start();
            }
            c if c.is_whitespace() => self.push(" "),
            c => {
                let mut utf8 = [0; 4];
                self.push(c.encode_utf8(&mut utf8));
            }
        }
        after
    }

    /// A URL between braces, up to the matching brace.
    fn address<'t>(&mut self, inner: &'t str) -> &'t str {
        let (address, behind) = braced(inner);
        for chunk in decode(address, Use::Address).chunks {
            self.push(chunk.get());
        }
        behind
    }

    /// Reads what follows a dollar sign: a formula, or an amount of money.
    fn dollar<'t>(&mut self, rest: &'t str) -> &'t str {
        if let Some(inner) = rest.strip_prefix('$').filter(|_| !self.no_display) {
            if let Some(end) = inner.find("$$") {
                self.formula(inner.cut(..end));
                return inner.cut(end + 2..);
            }
            self.no_display = true;
        }
        match formula::inner(rest) {
            Some(inner) => {
                self.formula(inner);
                rest.cut(inner.len() + 1..)
            }
            None => {
                self.push("$");
                rest
            }
        }
    }

    /// A formula, as characters if possible.
    fn formula(&mut self, formula: &str) {
        match (self.purpose, formula::simple(formula)) {
            (Use::Text, None) => {
                let formula = formula.trim().replace(is_mark, "\u{fffd}");
                self.out.chunks.push(Chunk::Math(formula));
            }
            (Use::Text, Some(parts)) => {
                self.open(true, "", None);
                for (look, text) in parts {
                    self.open(false, "", look);
                    self.push(&text);
                    self.close();
                }
                self.close();
            }
            _ => self.push(&tex::plain(formula).replace(is_mark, "\u{fffd}")),
        }
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}')
}

#[cfg(test)]
mod tests;
