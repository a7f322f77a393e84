//! Reads TeX as a sequence of commands and arguments.

use neuronotes_core::cut::Cut as _;

/// A reader of TeX.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Reads a star, if one follows.
    pub(super) fn star(&mut self) -> bool {
        let star = self.rest().starts_with('*');
        self.at += usize::from(star);
        star
    }

    /// Reads the name of a command without `\`; empty if none begins here.
    pub(super) fn command(&mut self) -> &'t str {
        let Some(rest) = self.rest().strip_prefix('\\') else { return "" };
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let length =
            if letters > 0 { letters } else { rest.chars().next().map_or(0, char::len_utf8) };
        self.at += 1 + length;
        rest.cut(..length)
    }

    /// Reads the command that is being defined, with or without braces.
    pub(super) fn defined_name(&mut self) -> Option<&'t str> {
        let name = self.argument()?.trim().strip_prefix('\\')?;
        let letters = name.bytes().all(|b| b.is_ascii_alphabetic());
        (!name.is_empty() && (letters || name.chars().count() == 1)).then_some(name)
    }

    /// Reads an argument in brackets, if one follows.
    pub(super) fn optional(&mut self) -> Option<&'t str> {
        let from = self.at;
        self.space();
        let inner = self.rest().strip_prefix('[')?;
        let end = balanced(inner, b']');
        if end.is_none() {
            self.at = from;
        }
        let end = end?;
        self.at += end + 2;
        Some(inner.cut(..end))
    }

    /// Reads the next argument: braces, a command, or one character.
    pub(super) fn argument(&mut self) -> Option<&'t str> {
        self.space();
        let rest = self.rest();
        match rest.chars().next()? {
            '{' => {
                let end = balanced(rest.cut(1..), b'}')?;
                self.at += end + 2;
                Some(rest.cut(1..1 + end))
            }
            '}' => None,
            '\\' => {
                let start = self.at;
                self.command();
                self.text.get(start..self.at)
            }
            c => {
                self.at += c.len_utf8();
                Some(rest.cut(..c.len_utf8()))
            }
        }
    }
}

/// Position of the closing bracket `close`.
fn balanced(text: &str, close: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            byte if byte == close && depth == 0 => return Some(at),
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
    None
}
