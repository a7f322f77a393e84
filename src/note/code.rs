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

use std::collections::HashMap;
use std::sync::OnceLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::escape;

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
    let mut state = ParseState::new(grammar(grammars, language)?);
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
        for (at, change) in state.parse_line(&line_with_end, grammars).ok()? {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text without tags and escapes.
    fn plain(html: &str) -> String {
        let mut text = String::new();
        for part in html.split('<') {
            text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        }
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        text.replace("&#39;", "'").replace("&#x27;", "'").replace("&amp;", "&")
    }

    fn shown(code: &str, language: &str) -> String {
        let html = highlighted(code, language).expect(language);
        assert_eq!(plain(&html), code, "{html}");
        html
    }

    #[test]
    fn parts_are_marked_by_what_they_are() {
        insta::assert_snapshot!(shown(
            "# Units\ndef top(unit: int = 89, *names) -> str:\n    if not unit and names:\n        return f\"a\\n{unit}\" + self.x(1.5)\n", "python"), @r#"
        <span class="hl-c"># Units</span>
        <span class="hl-k">def</span> <span class="hl-f">top</span>(<span class="hl-v">unit</span>: <span class="hl-t">int</span> = <span class="hl-n">89</span>, *<span class="hl-v">names</span>) -&gt; <span class="hl-t">str</span>:
            <span class="hl-k">if not</span> unit <span class="hl-k">and</span> names:
                <span class="hl-k">return f</span><span class="hl-s">&quot;a</span><span class="hl-n">\n</span>{unit}<span class="hl-s">&quot;</span> + <span class="hl-k">self</span>.<span class="hl-f">x</span>(<span class="hl-n">1.5</span>)
        "#);
        insta::assert_snapshot!(shown(
            "/// Doc.\npub fn top<T: Ord>(units: &[T]) -> Option<&T> {\n    let n = 0x1f; // hex\n    units.iter().max() && println!(\"{}\", 'a')\n}", "rust"), @r#"
        <span class="hl-c">/// Doc.</span>
        <span class="hl-k">pub fn</span> <span class="hl-f">top</span>&lt;T: <span class="hl-t">Ord</span>&gt;(<span class="hl-v">units</span>: &amp;[T]) -&gt; <span class="hl-t">Option</span>&lt;&amp;T&gt; {
            <span class="hl-k">let</span> n = <span class="hl-n">0x1f</span>; <span class="hl-c">// hex</span>
            units.<span class="hl-f">iter</span>().<span class="hl-f">max</span>() &amp;&amp; <span class="hl-f">println!</span>(<span class="hl-s">&quot;</span><span class="hl-n">{}</span><span class="hl-s">&quot;</span>, <span class="hl-s">&#39;a&#39;</span>)
        }
        "#);
        insta::assert_snapshot!(shown(
            "id: vis\nkind: feature_vis # what\nunit: 1330\nnames: [a, \"b\"]\nopen: true\n", "yaml"), @r#"
        <span class="hl-v">id</span>: <span class="hl-s">vis</span>
        <span class="hl-v">kind</span>: <span class="hl-s">feature_vis</span> <span class="hl-c"># what</span>
        <span class="hl-v">unit</span>: <span class="hl-n">1330</span>
        <span class="hl-v">names</span>: [<span class="hl-s">a</span>, <span class="hl-s">&quot;b&quot;</span>]
        <span class="hl-v">open</span>: <span class="hl-n">true</span>
        "#);
        insta::assert_snapshot!(shown("{\"a\": [1, null, \"b\\n\"]}", "json"), @r#"{<span class="hl-v">&quot;a&quot;</span>: [<span class="hl-n">1</span>, <span class="hl-n">null</span>, <span class="hl-s">&quot;b</span><span class="hl-n">\n</span><span class="hl-s">&quot;</span>]}"#);
        insta::assert_snapshot!(shown("[package]\nname = \"x\"\nn = 1 # c\n", "toml"), @r#"
        [<span class="hl-t">package</span>]
        <span class="hl-v">name</span> = <span class="hl-s">&quot;x&quot;</span>
        <span class="hl-v">n</span> = <span class="hl-n">1</span> <span class="hl-c"># c</span>
        "#);
        insta::assert_snapshot!(shown("<a href=\"x\">y &amp; z</a><!-- c -->", "html"), @r#"&lt;<span class="hl-a">a href</span>=<span class="hl-s">&quot;x&quot;</span>&gt;y <span class="hl-n">&amp;amp;</span> z&lt;/<span class="hl-a">a</span>&gt;<span class="hl-c">&lt;!-- c --&gt;</span>"#);
        insta::assert_snapshot!(shown("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z\n", "diff"), @r#"
        <span class="hl-m">--- a
        +++ b
        @@ -1 +1 @@</span>
        <span class="hl-d">-x</span>
        <span class="hl-s">+y</span>
         z
        "#);
        insta::assert_snapshot!(shown("for f in *.md; do echo \"$f\" | grep -v 'x'; done # all\n", "sh"), @r#"<span class="hl-k">for</span> f <span class="hl-k">in</span> *.md; <span class="hl-k">do</span> <span class="hl-f">echo</span> <span class="hl-s">&quot;</span><span class="hl-v">$f</span><span class="hl-s">&quot;</span> | <span class="hl-f">grep</span><span class="hl-v"> -v</span> <span class="hl-s">&#39;x&#39;</span>; <span class="hl-k">done</span> <span class="hl-c"># all</span>"#);
        insta::assert_snapshot!(shown("const f = async (x: number): Promise<T> => `a${x}`;\n", "ts"), @r#"<span class="hl-k">const</span> <span class="hl-f">f</span> = <span class="hl-k">async</span> (<span class="hl-v">x</span>: <span class="hl-t">number</span>): <span class="hl-t">Promise</span>&lt;<span class="hl-t">T</span>&gt; <span class="hl-k">=&gt;</span> <span class="hl-s">`a${</span><span class="hl-v">x</span><span class="hl-s">}`</span>;"#);
        insta::assert_snapshot!(shown("a { color: #fff; margin: 0 1em }\n", "css"), @r#"<span class="hl-a">a</span> { <span class="hl-v">color</span>: <span class="hl-n">#fff</span>; <span class="hl-v">margin</span>: <span class="hl-n">0 1</span><span class="hl-k">em</span> }"#);
        insta::assert_snapshot!(shown("# Title\n\nSome *words* and `code`.\n", "markdown"), @r#"
        <span class="hl-m"># Title</span>

        Some <span class="hl-m">*words*</span> and <span class="hl-s">`code`</span>.
        "#);
    }

    #[test]
    fn languages_go_by_what_people_call_them() {
        for name in [
            "rust",
            "rs",
            "Python",
            "py",
            "python3",
            "javascript",
            "js",
            "jsx",
            "typescript",
            "ts",
            "tsx",
            "yaml",
            "yml",
            "json",
            "jsonc",
            "toml",
            "sh",
            "bash",
            "shell",
            "zsh",
            "c",
            "cpp",
            "c++",
            "cs",
            "java",
            "kotlin",
            "swift",
            "go",
            "golang",
            "ruby",
            "php",
            "perl",
            "lua",
            "r",
            "julia",
            "haskell",
            "hs",
            "scala",
            "sql",
            "html",
            "xml",
            "css",
            "scss",
            "markdown",
            "md",
            "latex",
            "tex",
            "bibtex",
            "makefile",
            "make",
            "cmake",
            "dockerfile",
            "diff",
            "ini",
            "nix",
            "zig",
            "ocaml",
            "elixir",
            "clojure",
            "lisp",
            "graphql",
            "proto",
            "matlab",
        ] {
            assert!(highlighted("x", name).is_some(), "{name}");
        }
        for name in ["", "text", "txt", "plain text", "no such language"] {
            assert_eq!(highlighted("x", name), None, "{name}");
        }
    }

    #[test]
    fn every_grammar_can_be_used_and_loses_nothing() {
        let code = "<a b='c'>\n/* x */ \"s\\n\" 1.5 # y\n// z\n@def f(x): [k] = {\"v\": &t}; $u `w` --v\n\n\tend\n";
        for grammar in grammars().syntaxes() {
            if grammar.name != "Plain Text" && !grammar.hidden {
                shown(code, &grammar.name);
            }
        }
    }

    #[test]
    fn what_is_too_long_is_left_alone() {
        assert_eq!(highlighted(&"x = 1\n".repeat(LONGEST / 6 + 1), "python"), None);
        assert_eq!(highlighted(&"(".repeat(LONGEST_LINE + 1), "python"), None);
        assert!(highlighted(&"(".repeat(LONGEST_LINE), "python").is_some());
    }

    #[test]
    fn line_ends_of_windows_are_ends_of_lines() {
        assert_eq!(highlighted("a = 1\r\nb\r\n", "python"), highlighted("a = 1\nb\n", "python"));
    }

    proptest! {
        #[test]
        fn no_text_is_lost_and_none_becomes_markup(
            code in "([a-z<>&\"'/*#{}()=:;\\\\$@ é神\t]{0,12}\n?){0,6}",
            language in prop::sample::select(vec!["python", "rust", "html", "js", "sh", "markdown", "yaml", "c", "tex"]),
        ) {
            let html = highlighted(&code, language).expect("a known language");
            prop_assert_eq!(plain(&html), code);
            let tags = html.matches('<').count();
            prop_assert_eq!(tags, html.matches("<span class=\"hl-").count() + html.matches("</span>").count());
        }
    }
}
