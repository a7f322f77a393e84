//! Syntax highlighting at build time: a listing and the name of its language in, HTML with classes out.
//!
//! Classes name what a part is, not its colour: `hl-k` keyword, `hl-s` string or inserted line, `hl-c` comment,
//! `hl-n` number, constant or escape, `hl-f` function, `hl-t` type, `hl-v` variable, key or property, `hl-a`
//! attribute or tag, `hl-m` heading or other markup, `hl-d` deleted line. Punctuation and operators have no class.
//!
//! Cost: the grammars are 1 MB of the program and take 4 ms to load at the first listing. The first listing of a
//! language takes up to 100 ms more for its regular expressions. After that, speed is about 100 kB a second (Python
//! 70, YAML 300), so callers that render many pages should cache the result by the input's digest. The result depends
//! on the text only, never on time.

mod parse;

use std::collections::HashMap;
use std::sync::OnceLock;

use syntect::parsing::{Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::escape;
use parse::Parser;

/// Maximum size of a highlighted listing in bytes.
const LONGEST: usize = 32 << 10;
/// Maximum length of a line in bytes: grammars' rules look back and forth in a line, and longer ones are not meant to
/// be read.
const LONGEST_LINE: usize = 2 << 10;

/// Language names that people use and the grammars lack.
const ALIASES: &[(&str, &str)] = &[
    ("golang", "go"),
    ("ipython", "python"),
    ("json5", "json"),
    ("jsonc", "json"),
    ("jsx", "javascript"),
    ("make", "makefile"),
    ("python3", "python"),
    ("shell", "sh"),
    ("yaml-analysis", "yaml"),
    ("docker", "dockerfile"),
];

/// The role of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Highlighted with this class letter.
    Marked(char),
    /// Highlighted if it is a word: `and`, but not `&&`.
    Word,
    /// Not highlighted, whatever encloses it.
    Bare,
    /// A string, unless it is a key.
    String,
}

use Role::{Bare, Marked, String as Text, Word};

use neuronotes_core::cut::Cut as _;

/// The roles of scopes of TextMate and Sublime Text grammars; the longest matching prefix counts. A scope without a
/// match has the role of the enclosing one.
const ROLES: &[(&str, Role)] = &[
    ("comment", Marked('c')),
    ("constant", Marked('n')),
    ("entity.name", Marked('t')),
    ("entity.name.constant", Marked('n')),
    ("entity.name.function", Marked('f')),
    ("entity.name.label", Marked('v')),
    ("entity.name.section", Marked('m')),
    ("entity.name.tag", Marked('a')),
    ("entity.name.tag.toml", Marked('v')),
    ("entity.name.tag.yaml", Marked('v')),
    ("entity.other.attribute-name", Marked('a')),
    ("entity.other.inherited-class", Marked('t')),
    ("keyword", Marked('k')),
    ("keyword.operator", Word),
    ("markup", Marked('m')),
    ("markup.deleted", Marked('d')),
    ("markup.inserted", Marked('s')),
    ("markup.raw", Text),
    ("meta.diff.header", Marked('m')),
    ("meta.diff.range", Marked('m')),
    ("meta.interpolation", Bare),
    ("meta.mapping.key", Marked('v')),
    ("meta.structure.dictionary.key", Marked('v')),
    ("punctuation", Bare),
    ("punctuation.definition.variable", Marked('v')),
    ("source", Bare),
    ("storage", Marked('k')),
    ("string", Text),
    ("support.class", Marked('t')),
    ("support.constant", Marked('n')),
    ("support.function", Marked('f')),
    ("support.macro", Marked('f')),
    ("support.type", Marked('t')),
    ("support.type.property-name", Marked('v')),
    ("variable", Marked('v')),
    ("variable.annotation", Marked('a')),
    ("variable.function", Marked('f')),
    ("variable.language", Marked('k')),
];

/// Punctuation that belongs to the part that it encloses.
const FENCES: &[&str] =
    &["punctuation.definition", "punctuation.separator.decimal", "punctuation.terminator.entity"];

/// The inside of a listing's `<code>`; `None` if the language is unknown, or if the listing is too long, has too long
/// lines, or does not parse.
pub fn highlighted(code: &str, language: &str) -> Option<String> {
    if code.len() > LONGEST || code.lines().any(|line| line.len() > LONGEST_LINE) {
        return None;
    }
    let grammars = grammars();
    let mut parser = Parser::new(grammars, grammar(grammars, language)?)?;
    let mut stack = ScopeStack::new();
    let mut roles = Roles::default();
    let mut out = Marks { html: String::with_capacity(2 * code.len()), open: None };
    let mut line_with_end = String::new();
    for line in code.split_inclusive('\n') {
        // Grammars expect each line to have an end, which the last one may lack.
        line_with_end.clear();
        line_with_end.push_str(line.trim_end_matches(['\r', '\n']));
        line_with_end.push('\n');
        let ends = line.ends_with('\n');
        let text = if ends { line_with_end.cut(..) } else { line };
        let mut from = 0;
        for (at, change) in parser.line(&line_with_end)? {
            let at = at.min(text.len());
            if at > from {
                out.push(text.cut(from..at), roles.of(stack.as_slice(), text.cut(from..at)));
                from = at;
            }
            stack.apply(&change).ok()?;
        }
        out.push(text.cut(from..), roles.of(stack.as_slice(), text.cut(from..)));
    }
    Some(out.finish())
}

fn grammars() -> &'static SyntaxSet {
    static GRAMMARS: OnceLock<SyntaxSet> = OnceLock::new();
    GRAMMARS.get_or_init(two_face::syntax::extra_newlines)
}

/// Finds a language by name or file extension, ignoring case; `None` for plain text.
fn grammar<'g>(grammars: &'g SyntaxSet, language: &str) -> Option<&'g SyntaxReference> {
    let language = language.trim().trim_start_matches('.').to_lowercase();
    let alias = ALIASES.iter().find(|(name, _)| *name == language);
    let found = grammars.find_syntax_by_token(alias.map_or(&language, |(_, known)| known))?;
    (found.name != "Plain Text").then_some(found)
}

/// Roles of scopes, each looked up once.
#[derive(Default)]
struct Roles {
    known: HashMap<Scope, Option<Role>>,
}

impl Roles {
    /// The class letter of a part with all these scopes, the innermost last.
    fn of(&mut self, stack: &[Scope], text: &str) -> Option<char> {
        let mut inner = stack.iter().rev();
        while let Some(scope) = inner.next() {
            match self.role(*scope) {
                None => {}
                Some(Marked(letter)) => return Some(letter),
                Some(Word) => return text.contains(char::is_alphabetic).then_some('k'),
                Some(Bare) => return None,
                Some(Text) => {
                    let around = inner.find_map(|scope| self.role(*scope));
                    return Some(if around == Some(Marked('v')) { 'v' } else { 's' });
                }
            }
        }
        None
    }

    fn role(&mut self, scope: Scope) -> Option<Role> {
        *self.known.entry(scope).or_insert_with(|| role(&scope.build_string()))
    }
}

/// The role of a scope by name.
fn role(name: &str) -> Option<Role> {
    let begins = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let fitting = ROLES.iter().filter(|(prefix, _)| begins(prefix));
    let (prefix, role) = fitting.max_by_key(|(prefix, _)| prefix.len())?;
    let fence = *prefix == "punctuation" && FENCES.iter().any(|fence| begins(fence));
    (!fence).then_some(*role)
}

/// HTML in which neighbouring parts of the same class share an element.
struct Marks {
    html: String,
    open: Option<char>,
}

impl Marks {
    fn push(&mut self, text: &str, class: Option<char>) {
        if text.is_empty() {
            return;
        }
        // White space looks the same in any class, so it does not end an element.
        if class != self.open && !text.trim().is_empty() {
            self.close();
            if let Some(letter) = class {
                self.html.push_str("<span class=\"hl-");
                self.html.push(letter);
                self.html.push_str("\">");
            }
            self.open = class;
        }
        self.html.push_str(&escape(text));
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            // Spaces and line ends at the end belong to no part.
            let end = self.html.trim_end().len();
            self.html.insert_str(end, "</span>");
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.html
    }
}

#[cfg(test)]
mod tests;
