//! The macros of formulas: definitions in TeX and in the configuration in; a formula without a macro in it out.
//!
//! The converter reads no definitions, so that macros are replaced here, in its text, before it sees a formula. What
//! comes out is bounded, in its length and in how often a macro is replaced: a definition may use itself.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::dialect::{self, Builtin};

/// Most bytes that a formula has once its macros are replaced.
const LONGEST: usize = 64 << 10;
/// How often macros are replaced in one formula.
const MOST: usize = 1000;
/// How deep a macro's replacement may lie in that of others.
const DEEPEST: usize = 48;

/// What a command stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// How many arguments it takes, the optional one among them.
    pub arguments: usize,
    /// What stands for the first argument where it is not given; then it is given in `[]`.
    pub default: Option<String>,
    /// TeX with `#1` … for the arguments.
    pub body: String,
}

/// What the commands that an author defined stand for, by their names without `\`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Macros {
    known: Arc<BTreeMap<String, Definition>>,
}

/// What is wrong with a formula or a definition before it is converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the TeX.
    pub span: Range<usize>,
    /// Lower case.
    pub message: String,
}

impl Macros {
    /// Adds a command, or replaces what it stands for.
    pub fn define(&mut self, name: &str, definition: Definition) {
        Arc::make_mut(&mut self.known).insert(name.to_owned(), definition);
    }

    /// Adds a command as the configuration has it: its name with or without `\`, its body, and what stands for its first
    /// argument where that is not given.
    ///
    /// # Errors
    /// Where that is no name of a command.
    pub fn configure(
        &mut self,
        name: &str,
        body: &str,
        default: Option<&str>,
    ) -> Result<(), String> {
        let bare = name.trim().strip_prefix('\\').unwrap_or(name.trim());
        let letters = bare.strip_suffix('*').unwrap_or(bare);
        let one = letters.chars().count() == 1;
        if letters.is_empty() || !(one || letters.bytes().all(|b| b.is_ascii_alphabetic())) {
            return Err(format!("`{name}` is not the name of a command"));
        }
        let arguments = highest(body);
        let default = default.map(str::to_owned);
        self.define(bare, Definition { arguments, default, body: body.to_owned() });
        Ok(())
    }

    /// Reads the definitions in a preamble; all else in it is left alone. What is wrong with a definition is returned.
    pub fn read(&mut self, preamble: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut at = 0;
        while let Some(found) = preamble[at..].find(['\\', '%']) {
            at += found;
            if preamble[at..].starts_with('%') {
                at += preamble[at..].find('\n').unwrap_or(preamble.len() - at);
                continue;
            }
            let mut reader = Reader { text: preamble, at };
            let name = reader.command();
            match self.defined(name, &mut reader) {
                Some(Err(message)) => {
                    let end = reader.at.max(at + 1 + name.len()).min(preamble.len());
                    faults.push(Fault { span: at..end, message });
                    at += 1 + name.len();
                }
                _ => at = reader.at.max(at + 1),
            }
        }
        faults
    }

    /// The formula `tex` without macros; its definitions come to these and hold from there on.
    ///
    /// # Errors
    /// Where a definition or a macro's arguments cannot be read, or where macros are replaced without end.
    pub fn expand(&mut self, tex: &str) -> Result<Expanded, Fault> {
        let mut out = Expander { macros: self, out: Expanded::default(), count: 0, place: 0..0 };
        out.run(tex, Some(0), 0)?;
        Ok(out.out)
    }

    /// Reads the definition that the command `name` begins, which stands before `reader`; none where it begins none.
    fn defined(&mut self, name: &str, reader: &mut Reader<'_>) -> Option<Result<(), String>> {
        Some(match name {
            "newcommand" | "renewcommand" | "providecommand" | "DeclareRobustCommand" => {
                self.new_command(name, reader)
            }
            "def" | "gdef" | "edef" | "xdef" => self.def(reader),
            "let" => self.alias(reader),
            "DeclareMathOperator" => self.operator(reader),
            "DeclarePairedDelimiter" => self.delimiters(reader),
            _ => return None,
        })
    }

    /// `\newcommand{\name}[2][default]{body}`
    fn new_command(&mut self, how: &str, reader: &mut Reader<'_>) -> Result<(), String> {
        reader.star();
        let name = reader.defined_name().ok_or_else(|| unnamed(how))?;
        let count = reader.optional();
        let arguments = match count {
            None => 0,
            Some(count) => count.trim().parse().ok().filter(|n| *n <= 9).ok_or_else(|| {
                format!(
                    "`\\{name}` takes `{}` arguments, which is not a number up to 9",
                    count.trim()
                )
            })?,
        };
        let default = count.and_then(|_| reader.optional()).map(str::to_owned);
        let body = reader.argument().ok_or_else(|| format!("`\\{how}` has no definition"))?;
        if how != "providecommand" || !self.known.contains_key(name) {
            let definition = Definition { arguments, default, body: body.to_owned() };
            self.define(name, definition);
        }
        Ok(())
    }

    /// `\def\name#1#2{body}`
    fn def(&mut self, reader: &mut Reader<'_>) -> Result<(), String> {
        let name = reader.defined_name().ok_or_else(|| unnamed("def"))?;
        let mut arguments = 0;
        loop {
            reader.space();
            let rest = reader.rest();
            let next = rest.strip_prefix('#').and_then(|rest| rest.bytes().next());
            match next {
                Some(digit) if digit == b'1' + arguments as u8 && arguments < 9 => {
                    arguments += 1;
                    reader.at += 2;
                }
                _ if rest.starts_with('{') => break,
                _ => {
                    return Err(format!("`\\def\\{name}` has arguments other than `#1#2…`"));
                }
            }
        }
        let body = reader.argument().unwrap_or_default().to_owned();
        self.define(name, Definition { arguments, default: None, body });
        Ok(())
    }

    /// `\let\name=\other`
    fn alias(&mut self, reader: &mut Reader<'_>) -> Result<(), String> {
        let name = reader.defined_name().ok_or_else(|| unnamed("let"))?;
        reader.space();
        if reader.rest().starts_with('=') {
            reader.at += 1;
        }
        let other = reader.argument().ok_or_else(|| format!("`\\let\\{name}` has no meaning"))?;
        let known = other.strip_prefix('\\').and_then(|other| self.find(other));
        // What the converter itself knows keeps its meaning, should the other be defined anew.
        let plain = || Definition { arguments: 0, default: None, body: format!("{FROZEN}{other}") };
        let definition = known.unwrap_or_else(plain);
        self.define(name, definition);
        Ok(())
    }

    /// `\DeclareMathOperator*{\name}{text}`
    fn operator(&mut self, reader: &mut Reader<'_>) -> Result<(), String> {
        let star = if reader.star() { "*" } else { "" };
        let name = reader.defined_name().ok_or_else(|| unnamed("DeclareMathOperator"))?;
        let text =
            reader.argument().ok_or_else(|| format!("the operator `\\{name}` has no text"))?;
        let body = format!("\\operatorname{star}{{{text}}}");
        self.define(name, Definition { arguments: 0, default: None, body });
        Ok(())
    }

    /// `\DeclarePairedDelimiter{\name}{left}{right}`
    fn delimiters(&mut self, reader: &mut Reader<'_>) -> Result<(), String> {
        let name = reader.defined_name().ok_or_else(|| unnamed("DeclarePairedDelimiter"))?;
        let both = reader.argument().zip(reader.argument());
        let (left, right) = both.ok_or_else(|| format!("`\\{name}` needs two delimiters"))?;
        let plain = Definition { arguments: 1, default: None, body: format!("{left} #1 {right}") };
        let tall = format!("\\left{left} #1 \\right{right}");
        self.define(name, plain);
        self.define(&format!("{name}*"), Definition { arguments: 1, default: None, body: tall });
        Ok(())
    }

    /// What a command stands for: as the author defined it, else as [`dialect`] has it.
    fn find(&self, name: &str) -> Option<Definition> {
        let built_in = |built_in: &Builtin| Definition {
            arguments: highest(built_in.body),
            default: None,
            body: built_in.body.to_owned(),
        };
        self.known.get(name).cloned().or_else(|| dialect::command(name).map(built_in))
    }
}

/// Before a command that is to be left as it is.
const FROZEN: char = '\u{FDD3}';

fn unnamed(how: &str) -> String {
    format!("`\\{how}` does not say which command it defines")
}

/// The highest number of an argument in a body.
fn highest(body: &str) -> usize {
    let numbers = body.split('#').skip(1).filter_map(|rest| rest.chars().next()?.to_digit(10));
    numbers.max().unwrap_or(0) as usize
}

/// A formula without macros, and where it is from.
#[derive(Debug, Default)]
pub struct Expanded {
    /// The TeX that the converter reads.
    pub text: String,
    /// For pieces of it, where they begin and which bytes of the formula as written they are from; whether each is as written.
    pieces: Vec<(usize, Range<usize>, bool)>,
    /// Whether the text ends with a command's name, so that a letter would be part of it.
    open_name: bool,
}

impl Expanded {
    /// Where a part of the text stands in the formula as it is written.
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
    /// The macro of the formula that is being replaced.
    place: Range<usize>,
}

impl Expander<'_> {
    /// Replaces macros in `text`, which begins at `from` of the formula, or is a macro's body.
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
            Fault { span, message }
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
            let message = format!("`\\{name}` is replaced without end");
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
        // As an index it is one thing.
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

    /// `\begin{name}` under the name that the converter knows.
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

    /// Words within a formula, which may have formulas in them: `\text{for $x > 0$}`.
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

    /// Copies a part of a text that stands in the formula where `from` says, or in a macro.
    fn copy(&mut self, text: &str, part: Range<usize>, from: Option<usize>) -> Result<(), Fault> {
        let piece = &text[part.clone()];
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

    /// Writes what stands for the macro that is being replaced.
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

    /// Keeps a letter from becoming part of a command's name.
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
            true => Err(Fault {
                span: self.place.clone(),
                message: "the macros make the formula too long".to_owned(),
            }),
            false => Ok(()),
        }
    }
}

/// A macro's body with its arguments in their places.
fn filled(body: &str, arguments: &[String]) -> String {
    let mut parts = body.split('#');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.chars().next().and_then(|c| c.to_digit(10)).unwrap_or(0) as usize;
        match number.checked_sub(1).and_then(|index| arguments.get(index)) {
            Some(argument) => {
                // A name before it ends there.
                let letters = out.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                if letters.ends_with('\\') && letters.len() < out.len() {
                    out.push(' ');
                }
                out.push_str(argument);
                out.push_str(&part[1..]);
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

/// A text at the dollar signs in it that are not `\$`.
fn unescaped_dollars(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices('$') {
        let backslashes = text[..at].len() - text[..at].trim_end_matches('\\').len();
        if backslashes % 2 == 0 {
            parts.push(&text[from..at]);
            from = at + 1;
        }
    }
    parts.push(&text[from..]);
    parts
}

/// Reads TeX.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Whether a star follows.
    fn star(&mut self) -> bool {
        let star = self.rest().starts_with('*');
        self.at += usize::from(star);
        star
    }

    /// The name of the command that begins here, without `\`; empty where none does.
    fn command(&mut self) -> &'t str {
        let Some(rest) = self.rest().strip_prefix('\\') else { return "" };
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let length =
            if letters > 0 { letters } else { rest.chars().next().map_or(0, char::len_utf8) };
        self.at += 1 + length;
        &rest[..length]
    }

    /// The command that is being defined, in braces or not.
    fn defined_name(&mut self) -> Option<&'t str> {
        let name = self.argument()?.trim().strip_prefix('\\')?;
        let letters = name.bytes().all(|b| b.is_ascii_alphabetic());
        (!name.is_empty() && (letters || name.chars().count() == 1)).then_some(name)
    }

    /// What stands in brackets, if they follow.
    fn optional(&mut self) -> Option<&'t str> {
        let from = self.at;
        self.space();
        let inner = self.rest().strip_prefix('[')?;
        let end = balanced(inner, b']');
        if end.is_none() {
            self.at = from;
        }
        let end = end?;
        self.at += end + 2;
        Some(&inner[..end])
    }

    /// The next argument: what stands in braces, a command, or one character.
    fn argument(&mut self) -> Option<&'t str> {
        self.space();
        let rest = self.rest();
        match rest.chars().next()? {
            '{' => {
                let end = balanced(&rest[1..], b'}')?;
                self.at += end + 2;
                Some(&rest[1..1 + end])
            }
            '}' => None,
            '\\' => {
                let start = self.at;
                self.command();
                self.text.get(start..self.at)
            }
            c => {
                self.at += c.len_utf8();
                Some(&rest[..c.len_utf8()])
            }
        }
    }
}

/// Where the bracket `close` stands that ends what `text` begins in.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(tex: &str) -> String {
        Macros::default().expand(tex).unwrap_or_else(|fault| panic!("{tex}: {fault:?}")).text
    }

    #[test]
    fn every_form_of_definition_is_read() {
        for (tex, expected) in [
            (r"\newcommand{\pd}[2]{\frac{#1}{#2}}\pd{a}{b}", r"\frac{a}{b}"),
            (r"\newcommand\vv[1]{\mathbf{#1}}\vv x+\vv{yz}", r"\mathbf{x}+\mathbf{yz}"),
            (r"\newcommand{\pow}[2][2]{#2^{#1}}\pow{x}\pow[n]{y}", r"x^{2}y^{n}"),
            (r"\renewcommand*{\phi}{\varphi}\phi x", r"\varphi x"),
            (r"\def\a#1#2{#2#1}\a xy", "yx"),
            (r"\let\eps=\varepsilon\eps x", r"\varepsilon x"),
            (r"\let\old\phi\renewcommand{\phi}{\old'}\phi", r"\phi'"),
            (r"\DeclareMathOperator{\rank}{rank}\rank A", r"\operatorname{rank} A"),
            (r"\DeclareMathOperator*{\sup}{sup}\sup", r"\operatorname*{sup}"),
            (
                r"\DeclarePairedDelimiter{\len}{\lvert}{\rvert}\len{w}\len*{v}",
                r"\lvert w \rvert\left\lvert v \right\rvert",
            ),
            (r"\newcommand{\al}{\alpha}\al b x_\al", r"\alpha b x_{\alpha}"),
            (r"\newcommand{\al}{\alpha}\al{}b", r"\alpha{}b"),
            ("a % no \\macro\nb \\% c", "a b \\% c"),
            (r"\text{if $x_\R > 0$ or \$5}", r"{\text{if }{x_{\mathbb{R}} > 0}\text{ or \$5}}"),
        ] {
            assert_eq!(expanded(tex).trim(), expected, "{tex}");
        }
    }

    #[test]
    fn macros_come_from_a_preamble_and_the_configuration() {
        let mut macros = Macros::default();
        let preamble = "\\documentclass{article}\n% \\newcommand{\\no}{x}\n\\newcommand{\\R}{\\mathbb{R}}\n\\def\\bad[#1]{x}\n";
        let faults = macros.read(preamble);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(preamble[faults[0].span.clone()].starts_with("\\def\\bad"), "{faults:?}");
        assert_eq!(macros.configure("\\norm", "\\lVert #1 \\rVert", None), Ok(()));
        assert!(macros.configure("a b", "x", None).is_err());
        assert_eq!(
            macros.expand("\\norm{x}\\in\\R").expect("TeX").text,
            "\\lVert x \\rVert\\in\\mathbb{R}"
        );
        // What a formula defines holds in the next.
        macros.expand("\\def\\x{y}").expect("TeX");
        assert_eq!(macros.expand("\\x").expect("TeX").text, "y");
    }

    #[test]
    fn what_never_ends_or_grows_without_bound_is_a_fault() {
        for tex in [
            r"\def\a{\a}\a",
            r"\def\a{\b}\def\b{\a}\a",
            r"\def\a#1{\b{#1#1}}\def\b#1{\a{#1#1}}\a{xxxxxxxx}",
            r"\def\a{xx\b\b}\def\b{yy\c\c}\def\c{\d\d}\def\d{\e\e}\def\e{\f\f}\def\f{\g\g}\def\g{\h\h}\def\h{\i\i}\def\i{\j\j}\def\j{\k\k}\def\k{z}\a",
            r"\newcommand{\f}[2]{#1#2}\f{x}",
            r"\newcommand{x}{y}",
            r"\def\a#2{x}",
        ] {
            let fault = Macros::default().expand(tex).expect_err(tex);
            assert!(tex.get(fault.span.clone()).is_some(), "{tex}: {fault:?}");
        }
    }

    #[test]
    fn places_lead_back_to_what_is_written() {
        let tex = r"\def\a{\nope}x+\a+\wrong";
        let expanded = Macros::default().expand(tex).expect("TeX");
        let at = |part: &str| {
            let start = expanded.text.find(part).expect(part);
            &tex[expanded.written(&(start..start + part.len()))]
        };
        assert_eq!((at(r"\nope"), at(r"\wrong"), at("x+")), (r"\a", r"\wrong", "x+"));
    }
}
