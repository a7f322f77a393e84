//! Parses YAML to a tree of [`Node`]s with the position of every key and value, or to a [`YamlError`].
//!
//! Aliases are limited by the parser's budget, and duplicate keys are errors.

use super::hint::open_bracket;
use super::node::Node;

/// Why a text is not YAML.
#[derive(Debug, Clone, PartialEq)]
pub struct YamlError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The parser's message.
    pub message: String,
}

/// Parses one document.
///
/// # Errors
/// Fails if the text is not YAML, or is more than one document.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    let node: Result<Node, _> = serde_yaml::from_str_with_options(text, options());
    let node = node.map(|mut node| {
        node.read_written(text);
        node
    });
    node.map_err(|error| {
        let location = error.location();
        let full = error.without_snippet().to_string();
        // The position is reported separately, and the parser's advice about its options is left out.
        let message = full.split(" at line ").next().unwrap_or(&full);
        let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or(message);
        let message = plainly(message).unwrap_or(message);
        let position = |n: u64| usize::try_from(n).unwrap_or(1).max(1);
        let line = location.map_or(1, |l| position(l.line()));
        if let Some((line, column, bracket)) = open_bracket(text, line) {
            let message = format!("this `{bracket}` is never closed");
            return YamlError { line, column, message };
        }
        let column = location.map_or(1, |l| position(l.column()));
        YamlError { line, column, message: message.to_owned() }
    })
}

/// Maximum nesting depth; a level takes a few KiB of the stack, and ten times that in an unoptimised build.
const DEEPEST: usize = 32;
/// Maximum number of values that all aliases of a text stand for; each takes some 80 bytes.
const REPLAYED: usize = 20_000;

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! { max_depth: DEEPEST },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: REPLAYED },
        // `.inf` may be a text; as a number it is out of bounds.
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::PassThrough,
    }
}

/// The message for a text that exceeds the budget.
fn plainly(message: &str) -> Option<&'static str> {
    let is = |begins: &[&str]| begins.iter().any(|words| message.contains(words));
    if is(&["recursion limit exceeded", "nesting depth", "nesting limit", "Depth"]) {
        Some("lists and mappings nest more than 32 levels deep")
    } else if is(&["alias replay limit exceeded"]) {
        Some("its aliases stand for more than 20,000 values")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::Value;
    use super::*;

    #[test]
    fn every_key_and_value_has_its_place() {
        let node = parse("kind: feature_vis\nunit: 89\nsweep:\n  unit: [1, 2.5]\n").expect("YAML");
        let entries = node.entries().expect("a mapping");
        assert_eq!((entries[1].key.as_str(), entries[1].at), ("unit", (2, 1)));
        assert_eq!((entries[1].node.line, entries[1].node.column), (2, 7));
        assert_eq!(entries[1].node.value, Value::Integer(89));
        let sweep = entries[2].node.entries().expect("a mapping");
        let Value::List(items) = &sweep[0].node.value else { panic!("a list") };
        assert_eq!((items[1].line, items[1].column, &items[1].value), (4, 13, &Value::Number(2.5)));
    }

    #[test]
    fn errors_have_a_place_and_no_word_of_the_parsers_options() {
        let error = parse("unit: 1\nunit: 2\n").expect_err("twice");
        assert_eq!((error.line, error.column), (2, 1));
        assert_eq!(error.message, "duplicate mapping key: unit");
        let error = parse("c: 1\na: [1, 2\nb: 3").expect_err("open");
        assert_eq!((error.line, error.column), (2, 4));
        assert_eq!(error.message, "this `[` is never closed");
        let error = parse("title: {Faces, drawn\ntags: [a, b]\nx: y").expect_err("open");
        assert_eq!((error.line, error.column), (1, 8));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..12 {
            let item = format!("*a{}", i - 1);
            text.push_str(&format!("a{i}: &a{i} [{}]\n", [item.as_str(); 9].join(",")));
        }
        let error = parse(&text).expect_err("a bomb");
        assert_eq!(error.message, "its aliases stand for more than 20,000 values");
    }

    #[test]
    fn what_nests_too_deep_is_refused_in_both_styles() {
        let flow = |depth: usize| format!("a: {}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&flow(DEEPEST - 1)).is_ok());
        let block: String = (0..40).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        for text in [flow(DEEPEST), flow(100_000), block, "- ".repeat(100_000), "{a: ".repeat(5000)]
        {
            let error = parse(&text).expect_err("too deep");
            assert!(error.message.contains("32 levels deep"), "{error:?}");
        }
    }
}
