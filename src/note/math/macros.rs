//! Macros of formulas, defined in TeX or in the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dialect::{self, Builtin};
use super::reader::Reader;
use crate::diagnostic::fault::Fault;

use neuronotes_core::cut::Cut as _;

/// A macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Number of arguments, including the optional one.
    pub arguments: usize,
    /// Default of the first argument, if that is optional and given in `[]`.
    pub default: Option<String>,
    /// The body: TeX with `#1` … for the arguments.
    pub body: String,
}

/// Macros by command name without `\`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Macros {
    known: Arc<BTreeMap<String, Definition>>,
}

impl Macros {
    /// Adds or replaces a macro.
    pub fn define(&mut self, name: &str, definition: Definition) {
        Arc::make_mut(&mut self.known).insert(name.to_owned(), definition);
    }

    /// Adds a macro from the configuration: its name with or without `\`, its body, and the default of its first
    /// argument if that is optional.
    ///
    /// # Errors
    /// If the name is not a valid command name.
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

    /// Reads the definitions in a preamble and ignores everything else. Returns errors in definitions.
    pub fn read(&mut self, preamble: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut at = 0;
        while let Some(found) = preamble.cut(at..).find(['\\', '%']) {
            at += found;
            if preamble.cut(at..).starts_with('%') {
                at += preamble.cut(at..).find('\n').unwrap_or(preamble.len() - at);
                continue;
            }
            let mut reader = Reader { text: preamble, at };
            let name = reader.command();
            match self.defined(name, &mut reader) {
                Some(Err(message)) => {
                    let end = reader.at.max(at + 1 + name.len()).min(preamble.len());
                    faults.push(Fault::new(at..end, message));
                    at += 1 + name.len();
                }
                _ => at = reader.at.max(at + 1),
            }
        }
        faults
    }

    /// Reads the definition that the command `name` begins, just read by `reader`; `None` if it begins none.
    pub(super) fn defined(
        &mut self,
        name: &str,
        reader: &mut Reader<'_>,
    ) -> Option<Result<(), String>> {
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
        // The new name keeps the converter's meaning of the other command, even if that is redefined later.
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

    /// The macro of a command: the author's, or else that of [`dialect`].
    pub(super) fn find(&self, name: &str) -> Option<Definition> {
        let built_in = |built_in: &Builtin| Definition {
            arguments: highest(built_in.body),
            default: None,
            body: built_in.body.to_owned(),
        };
        self.known.get(name).cloned().or_else(|| dialect::command(name).map(built_in))
    }
}

/// Precedes a command that must not be expanded.
pub(super) const FROZEN: char = '\u{FDD3}';

fn unnamed(how: &str) -> String {
    format!("`\\{how}` does not say which command it defines")
}

/// The highest argument number in a body.
fn highest(body: &str) -> usize {
    let numbers = body.split('#').skip(1).filter_map(|rest| rest.chars().next()?.to_digit(10));
    numbers.max().unwrap_or(0) as usize
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
        // Definitions in a formula apply to the next one.
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
