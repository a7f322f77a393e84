//! Tests of highlighting: what is marked, that nothing is lost, and that every listing ends.

use super::*;
use proptest::prelude::*;

/// What rules of grammars begin and end with.
const PARTS: &[&str] = &[
    "/*",
    "*/",
    "//",
    "#",
    "\"",
    "'",
    "`",
    "<",
    "</",
    "/>",
    ">",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "${",
    "=",
    "==",
    "=>",
    "->",
    ":",
    "::",
    ";",
    ",",
    ".",
    "\\",
    "\\n",
    "$",
    "@",
    "%",
    "&",
    "|",
    "!",
    "?",
    "+",
    "--",
    "~",
    "^",
    "_",
    "é",
    "神",
    "\t",
    " ",
    " ",
    "\n",
    "\n",
    "x",
    "foo ",
    "if ",
    "else ",
    "for ",
    "end",
    "def ",
    "class ",
    "fn ",
    "let ",
    "function ",
    "import ",
    "case ",
    "struct ",
    "template",
    "1",
    "0x1f",
    "<<EOF",
    "EOF",
    "<?php ",
    "<!--",
    "-->",
    "{%",
    "%}",
    "{{",
    "}}",
    "---",
    "```",
    "r#\"",
    "\"\"\"",
    "[[",
    "]]",
    "- ",
    "a: ",
];

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
fn a_circle_of_rules_ends() {
    // syntect's own parser never returns from the last line of any of these.
    for code in ["x /*", "a = b /*\n c */ + d\n", "\t;b\n\t/*é >;/\n};c@ //\n"] {
        for language in ["js", "jsx", "html", "markdown"] {
            shown(code, language);
        }
    }
    assert_eq!(
        shown("x /*\n y */ 1\n", "js"),
        "<span class=\"hl-v\">x</span> <span class=\"hl-c\">/*\n y */</span> <span class=\"hl-n\">1</span>\n"
    );
}

#[test]
fn changes_of_scopes_are_those_of_syntects_own_parser() {
    let code = "<a b='c'>\n/* x */ \"s\\n\" 1.5 # y\n// z\n@def f(x): [k] = {\"v\": &t}; $u `w` --v\n\n\tend\n";
    let more = "---\nname: [a, \"b\"]\n<<EOF\nx $y\nEOF\nfn f<T>(a: &T) -> R { if a { b } else { c!() } }\n<?php echo 1 ?>\n```rust\nlet x = r#\"y\"#;\n```\n";
    for grammar in grammars().syntaxes() {
        let mut theirs = syntect::parsing::ParseState::new(grammar);
        let mut ours = Parser::new(grammars(), grammar).expect(&grammar.name);
        for line in code.split_inclusive('\n').chain(more.split_inclusive('\n')) {
            let expected = theirs.parse_line(line, grammars()).expect("a sound grammar");
            assert_eq!(ours.line(line), Some(expected), "{}: {line}", grammar.name);
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

    // With PROPTEST_CASES=100000 it runs for minutes.
    #[test]
    fn every_listing_ends_in_every_language(
        parts in prop::collection::vec(prop::sample::select(PARTS), 1..60),
        grammar in 0..grammars().syntaxes().len(),
    ) {
        let code = parts.concat();
        if let Some(html) = highlighted(&code, &grammars().syntaxes()[grammar].name) {
            prop_assert_eq!(plain(&html), code);
        }
    }
}
