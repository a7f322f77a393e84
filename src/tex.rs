//! Converts a TeX formula or command to plain text.
//!
//! Used for descriptions, lists, feeds and the search index, which have no room for mathematics, and for
//! bibliographies, which are written in TeX.

mod symbols;

use symbols::SYMBOLS;

use neuronotes_core::cut::Cut as _;

/// The text of a command without arguments: `alpha` is α.
pub fn symbol(name: &str) -> Option<&'static str> {
    SYMBOLS.binary_search_by(|(known, _)| known.cmp(&name)).ok().map(|at| SYMBOLS[at].1)
}

/// A superscript character, if Unicode has one.
pub fn raised(c: char) -> Option<char> {
    paired(
        c,
        "0123456789+-=()niabcdefghjklmoprstuvwxyz",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵃᵇᶜᵈᵉᶠᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻ",
    )
}

/// A subscript character, if Unicode has one.
pub fn lowered(c: char) -> Option<char> {
    paired(c, "0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
}

fn paired(c: char, from: &str, to: &str) -> Option<char> {
    from.chars().zip(to.chars()).find(|(plain, _)| *plain == c).map(|(_, other)| other)
}

/// Maximum length of a formula in bytes; a longer one is left as written.
const LONGEST: usize = 16 << 10;

/// A formula as text: `x^2 \le \frac{1}{2}` becomes `x² ≤ 1/2`. What has no such form is left as written.
pub fn plain(tex: &str) -> String {
    if tex.len() > LONGEST {
        return tex.to_owned();
    }
    let mut out = Plain { out: String::with_capacity(tex.len()), open: Vec::new() };
    let mut rest = tex;
    while let Some(c) = rest.chars().next() {
        let after = rest.cut(c.len_utf8()..);
        rest = match c {
            '\\' => out.command(after),
            '{' => {
                out.open.push(Group { start: out.out.len(), kind: Kind::Plain });
                after
            }
            '}' => {
                out.close();
                after
            }
            '^' | '_' => out.script(c, after),
            '~' => {
                out.out.push(' ');
                after
            }
            '&' => after,
            c => {
                out.out.push(c);
                after
            }
        };
    }
    while !out.open.is_empty() {
        out.close();
    }
    let words: Vec<&str> = out.out.split_whitespace().collect();
    words.join(" ")
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    /// A superscript or subscript.
    Script(char),
    /// The numerator of a fraction, then the denominator.
    Over,
    Under,
    Root,
    /// The name of an environment, which is not shown.
    Hidden,
}

struct Group {
    start: usize,
    kind: Kind,
}

struct Plain {
    out: String,
    open: Vec<Group>,
}

impl Plain {
    /// Reads what follows a backslash; returns the rest after the command.
    fn command<'t>(&mut self, rest: &'t str) -> &'t str {
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        if length == 0 {
            let Some(c) = rest.chars().next() else { return rest };
            match c {
                ',' | ';' | ':' | ' ' | '\\' => self.out.push(' '),
                '!' | '(' | ')' | '[' | ']' => {}
                '|' => self.out.push('‖'),
                c => self.out.push(c),
            }
            return rest.cut(c.len_utf8()..);
        }
        let (name, after) = rest.split_at(length);
        let opens = after.trim_start().strip_prefix('{');
        let kind = match name {
            "frac" | "dfrac" | "tfrac" | "cfrac" => Kind::Over,
            "sqrt" => Kind::Root,
            "begin" | "end" | "label" | "tag" | "hspace" | "vspace" => Kind::Hidden,
            _ => Kind::Plain,
        };
        if let (true, Some(inner)) = (kind != Kind::Plain, opens) {
            if kind == Kind::Root {
                self.out.push('√');
            }
            self.open.push(Group { start: self.out.len(), kind });
            return inner;
        }
        match symbol(name) {
            Some(text) => {
                self.out.push_str(text);
                after
            }
            None if SILENT.contains(&name) => after,
            // A name such as `log` or `max`, or an unknown command.
            None if opens.is_some() => after,
            None => {
                if self.out.ends_with(|c: char| c.is_alphanumeric()) {
                    self.out.push(' ');
                }
                self.out.push_str(name);
                after
            }
        }
    }

    /// Reads `^` or `_`, whose argument is a group, a command or a character.
    fn script<'t>(&mut self, sign: char, rest: &'t str) -> &'t str {
        let rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('{') {
            self.open.push(Group { start: self.out.len(), kind: Kind::Script(sign) });
            return inner;
        }
        self.open.push(Group { start: self.out.len(), kind: Kind::Script(sign) });
        let rest = match rest.strip_prefix('\\') {
            Some(rest) => self.command(rest),
            None => match rest.chars().next() {
                Some(c) => {
                    self.out.push(c);
                    rest.cut(c.len_utf8()..)
                }
                None => rest,
            },
        };
        self.close();
        rest
    }

    fn close(&mut self) {
        let Some(Group { start, kind }) = self.open.pop() else { return };
        match kind {
            Kind::Plain => {}
            Kind::Hidden => self.out.truncate(start),
            Kind::Root if self.out.cut(start..).chars().nth(1).is_some() => {
                self.out.insert(start, '(');
                self.out.push(')');
            }
            Kind::Root => {}
            Kind::Over => {
                self.bracket(start);
                self.out.push('/');
                self.open.push(Group { start: self.out.len(), kind: Kind::Under });
            }
            Kind::Under => self.bracket(start),
            Kind::Script(sign) => {
                let inner = self.out.cut(start..).trim();
                let form = if sign == '^' { raised } else { lowered };
                let shifted: Option<String> = inner.chars().map(form).collect();
                let shown = match shifted {
                    Some(shifted) => shifted,
                    None if matches!(inner, "′" | "″" | "∘" | "°" | "*" | "†") && sign == '^' => {
                        inner.replace('∘', "°")
                    }
                    None if inner.chars().nth(1).is_none() => format!("{sign}{inner}"),
                    None => format!("{sign}({inner})"),
                };
                self.out.truncate(start);
                self.out.push_str(&shown);
            }
        }
    }

    /// Puts parentheses around a numerator or denominator longer than a word.
    fn bracket(&mut self, start: usize) {
        let is_word = |c: char| c.is_alphanumeric() || c == '.';
        if !self.out.cut(start..).trim().chars().all(is_word) {
            self.out.insert(start, '(');
            self.out.push(')');
        }
    }
}

/// Commands that only set the formatting.
const SILENT: &[&str] = &[
    "Big",
    "Bigg",
    "Bigl",
    "Bigr",
    "big",
    "bigg",
    "bigl",
    "bigr",
    "displaystyle",
    "left",
    "limits",
    "middle",
    "nolimits",
    "nonumber",
    "right",
    "scriptstyle",
    "textstyle",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_is_found() {
        for (name, text) in SYMBOLS {
            assert_eq!(symbol(name), Some(*text), "{name}");
        }
        assert_eq!(symbol("nope"), None);
    }

    #[test]
    fn formulas_are_read_as_a_person_would_write_them_in_a_line() {
        for (tex, text) in [
            (r"x^2 + y_{ij}", "x² + yᵢⱼ"),
            (r"\alpha \le \frac{1}{2}", "α ≤ 1/2"),
            (r"\frac{a+b}{2}", "(a+b)/2"),
            (r"\sqrt{2} \approx 1.41", "√2 ≈ 1.41"),
            (r"\sqrt{a+b}", "√(a+b)"),
            (r"90^\circ", "90°"),
            (r"f'(x) = \operatorname{softmax}(z)", "f'(x) = softmax(z)"),
            (r"\mathbb{R}^{n \times d}", "R^(n × d)"),
            (r"\log p(x), \max_c", "log p(x), max_c"),
            (r"\left( a \right)", "( a )"),
            (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "a = b c = d"),
            (r"10^{-3}\,\text{m}", "10⁻³ m"),
            (r"\%, \{x\}, \nope", "%, {x}, nope"),
            (r"\frac{1", "1/"),
        ] {
            assert_eq!(plain(tex), text, "{tex}");
        }
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(plain(&long), long);
    }

    #[test]
    fn however_it_is_nested_it_is_read() {
        for unit in ["{", "^{", r"\frac{", "}", "^", "_", r"\", r"\sqrt{"] {
            plain(&unit.repeat(LONGEST / unit.len()));
        }
    }
}
