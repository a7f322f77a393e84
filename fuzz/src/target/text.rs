//! YAML files: configurations and any other.

use std::fmt::Write as _;
use std::path::Path;

use neuronotes::config;
use neuronotes::yaml::{self, Node, Value};

use super::text;
use crate::check;

pub const CONFIGURATION_WORDS: &[&str] = &[
    "title: ",
    "description: ",
    "language: ",
    "url: ",
    "https://a.org/g",
    "notes: ",
    "use_html_extension: ",
    "links: ",
    "strict",
    "lenient",
    "open_external_links_in_new_tab: ",
    "footer: ",
    "bibliography: ",
    "citation_style: ",
    "apa",
    "math: ",
    "macros: ",
    "{ R: \"\\\\mathbb{R}\" }",
    "models: ",
    "datasets: ",
    "{ path: ",
    "known: ",
    "sha256: ",
    "activation: ",
    "quick_gelu",
    "mean: [0, 0, 0]",
    "deviation: ",
    "labels: ",
    "shards: [",
    "format: tar",
    "defaults: ",
    "{ model: m, dataset: d, seed: 0, precision: bf16 }",
    "device: ",
    "cuda:0",
    "baseurl: /g\n",
    "permalink: ",
    "/:slug",
    "collections: { notes: {",
    "~",
    "null",
    "yes",
    "off",
    "007",
    "1.10",
    "1e3",
    "0x10",
    "2024-01-01",
    "1_000",
    ".5",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "- ",
    ": ",
    "\n",
    "  ",
    "# ",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "|\n  ",
    "../",
    "/etc",
    "\u{0}",
    "\u{feff}",
    "末",
];

pub fn configuration(input: &[u8]) {
    let text = text(input);
    let (config, problems) = config::parse(&text, Path::new("/garden"));
    check::problems(&text, &problems);
    let (again, _) = config::parse(&text, Path::new("/garden"));
    assert_eq!(again, config);
    // Reading the same configuration over itself changes nothing.
    let (over, _) = config::parse_over(config.clone(), &text, Path::new("/garden"));
    assert_eq!(over, config);
    assert!(config.base_path().starts_with('/') && config.base_path().ends_with('/'));
    let (_, problems) = config::parse_jekyll(&text);
    check::problems(&text, &problems);
}

pub const YAML_WORDS: &[&str] = &[
    "a: ",
    "- ",
    "? ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "\"",
    "'",
    "|\n  ",
    ">-\n  ",
    "|2+\n",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "!!int ",
    "!!binary ",
    "!<x> ",
    "%YAML 1.2\n",
    "---\n",
    "...\n",
    "# ",
    "\n",
    "  ",
    "\t",
    "\r\n",
    "~",
    "null",
    "true",
    "No",
    "007",
    "0o17",
    "0x1F",
    "0b1",
    "1_000",
    "1e3",
    "+.inf",
    ".nan",
    "-0",
    "9223372036854775808",
    "2024-01-01",
    "=",
    "<<",
    "\\x00",
    "\\u2028",
    "\\U0010FFFF",
    "\\N",
    "\\\n",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{0}",
    "末",
    "🐖",
];

pub fn yaml(input: &[u8]) {
    let text = text(input);
    let lines = text.split(['\n', '\r']).count() + 1;
    let node = match yaml::parse(&text) {
        Ok(node) => node,
        Err(error) => {
            assert!(error.line >= 1 && error.line <= lines, "{error:?} is on no line");
            let (line, _) = yaml::hint(&text, error.line, &|key| key == "title");
            assert!(line <= lines);
            return;
        }
    };
    placed(&node, lines);
    let mut flow = String::new();
    written(&node, &mut flow);
    match yaml::parse(&flow) {
        Ok(read) => {
            assert!(is_same(&node, &read), "{node:?}\nis read again as\n{read:?}\nout of {flow}")
        }
        Err(error) => panic!("{error:?} in {flow}"),
    }
}

fn placed(node: &Node, lines: usize) {
    assert!(node.line >= 1 && node.line <= lines && node.column >= 1, "{node:?} is on no line");
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| placed(item, lines)),
        Value::Map(entries) => entries.iter().for_each(|entry| placed(&entry.node, lines)),
        _ => {}
    }
}

/// The node as YAML in flow style.
fn written(node: &Node, out: &mut String) {
    let quoted = |text: &str| {
        let json = serde_json::to_string(text).expect("a text is plain data");
        // YAML does not allow these unescaped.
        let is_refused = |c: &char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}');
        let mut out = String::with_capacity(json.len());
        for c in json.chars() {
            match is_refused(&c) {
                true => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                false => out.push(c),
            }
        }
        out
    };
    match &node.value {
        Value::Null => out.push('~'),
        Value::Bool(flag) => drop(write!(out, "{flag}")),
        Value::Integer(number) => drop(write!(out, "{number}")),
        Value::Number(number) if number.is_nan() => out.push_str(".nan"),
        Value::Number(number) if number.is_infinite() => {
            out.push_str(if *number > 0.0 { ".inf" } else { "-.inf" })
        }
        Value::Number(number) => drop(write!(out, "{number:?}")),
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::List(items) => {
            out.push('[');
            for item in items {
                written(item, out);
                out.push_str(", ");
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for entry in entries {
                out.push_str(&quoted(&entry.key));
                out.push_str(": ");
                written(&entry.node, out);
                out.push_str(", ");
            }
            out.push('}');
        }
    }
}

fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.key == b.key && is_same(&a.node, &b.node))
        }
        (Value::Number(a), Value::Number(b)) => a == b || (a.is_nan() && b.is_nan()),
        // A whole number may be written with a point.
        (a, b) => a == b,
    }
}
