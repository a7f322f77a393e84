//! Values in prose: what is one, and what is wrong with how one is written.

use super::*;
use crate::claim::Step;

fn headed(text: &str) -> Head {
    head(text).unwrap_or_else(|| panic!("{text} begins with no figure"))
}

fn asked(text: &str) -> Query {
    parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn steps(text: &str) -> Vec<Step> {
    let query = asked(text);
    let Expression::Value(reference) = query.expression else { panic!("{text} is no path") };
    reference.steps.into_iter().map(|(step, _)| step).collect()
}

#[test]
fn a_value_names_a_note_a_block_a_path_and_a_format() {
    let query = asked("Piggy bank v1.2#vis.images[-1].activation | .2f");
    let named = headed("Piggy bank v1.2#vis.images[-1].activation | .2f");
    assert_eq!((named.note.as_deref(), &*named.id), (Some("Piggy bank v1.2"), "vis"));
    let field = |name: &str| Step::Field(name.to_owned());
    assert_eq!(
        steps("Piggy bank v1.2#vis.images[-1].activation | .2f"),
        [field("images"), Step::At(-1), field("activation")]
    );
    assert_eq!(query.format.map(|(format, _)| format), Format::read(".2f"));
    assert_eq!(headed("#vis.unit").note, None);
    assert_eq!(headed(" vis . unit ").id, "vis");
    assert_eq!(steps("grid.cells[ 2 ]"), [field("cells"), Step::At(2)]);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        steps("grid[unit=4, recipe = draft].activation")[0],
        Step::Where(vec![pair("unit", "4"), pair("recipe", "draft")])
    );
    let title = headed("Cats, dogs - and more#vis.x");
    assert_eq!((title.note.as_deref(), &*title.id), (Some("Cats, dogs - and more"), "vis"));
    let title = headed("What is this?#vis.x ? > 3");
    assert_eq!((title.note.as_deref(), &*title.id), (Some("What is this?"), "vis"));
    assert_eq!(
        steps("r.ranked[text=\"a, b] c\"].cosine")[1],
        Step::Where(vec![pair("text", "a, b] c")])
    );
}

#[test]
fn a_value_may_be_computed_and_have_a_condition() {
    for (text, head, expression, format, test) in [
        ("vis.a | .1f ? > 3", "vis", "vis.a", true, Some("> 3")),
        ("vis.a ? in 3..b#c.d", "vis", "vis.a", false, Some("in 3..b#c.d")),
        ("vis.a - vis.b | +.1f", "vis", "vis.a - vis.b", true, None),
        ("(1 + vis.a) / 2", "vis", "(1 + vis.a) / 2", false, None),
        (
            "count of vis.top[:8].label in hands",
            "vis",
            "count of vis.top[:8].label in hands",
            false,
            None,
        ),
        ("all hands#x.top.label in hands", "x", "all of hands#x.top.label in hands", false, None),
        (
            "count of vis.top.label ~ /a|b/ | d ? >= 6",
            "vis",
            "count of vis.top.label ~ /a|b/",
            true,
            Some(">= 6"),
        ),
    ] {
        let query = asked(text);
        assert_eq!(headed(text).id, head, "{text}");
        assert_eq!(query.expression.to_string(), expression, "{text}");
        assert_eq!(query.format.is_some(), format, "{text}");
        assert_eq!(query.test.map(|test| test.written).as_deref(), test, "{text}");
    }
}

#[test]
fn only_code_that_begins_with_the_sign_and_a_space_is_a_value() {
    assert_eq!(of_code("`= vis.unit`", "= vis.unit"), Some("vis.unit"));
    assert_eq!(of_code("``= a.b``", "= a.b"), Some("a.b"));
    for (source, text) in [
        ("` = vis.unit `", "= vis.unit"),
        ("`=`", "="),
        ("`= `", "= "),
        ("`=  `", "=  "),
        ("`=> x`", "=> x"),
        ("`=x`", "=x"),
        ("`== x`", "== x"),
        ("`a = b`", "a = b"),
        ("`= 0`", "= 0"),
        ("`= (len l2)`", "= (len l2)"),
        ("`= 5 + 3`", "= 5 + 3"),
        ("`= Note#`", "= Note#"),
        ("`= #.activation`", "= #.activation"),
        ("`= .activation`", "= .activation"),
        ("`= \"text\"`", "= \"text\""),
    ] {
        assert_eq!(of_code(source, text), None, "{source}");
    }
}

#[test]
fn every_mistake_in_how_a_value_is_written_has_its_place_and_a_hint() {
    let all: Vec<String> = [
        "vis.activation | .1x",
        "vis.activation |",
        "vis.",
        "vis.top.0",
        "vis.a b",
        "vis +",
        "vis.unit / (vis.top[0].activation",
        "vis.unit ?",
        "vis.unit ? 3",
        "vis.unit | .1f ? > ",
        "vis.unit ? > 3 | .1f",
        "count of vis.top.label inn hands",
        "vis.top[one]",
        "vis.top[",
        "vis.top[0",
        "vis.top[unit=3",
        "vis.top[9999999999999999999999]",
    ]
    .iter()
    .map(|text| match parse(text) {
        Ok(query) => panic!("{text}: {query:?}"),
        Err(fault) => {
            let hint = fault.problem.hint.unwrap_or_default();
            format!("{text}\n  {}: {}\n  {hint}", &text[fault.span], fault.problem.message)
        }
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn no_text_whatever_makes_the_reader_panic() {
    let pieces = [
        "vis",
        ".",
        "[",
        "]",
        "#",
        "|",
        "=",
        ",",
        "\"",
        "'",
        "-",
        "−",
        "0",
        "é",
        "末",
        " ",
        "?",
        "> 3",
        " in ",
        "count of ",
        "(",
        ")",
        "~ /a/",
        "..",
        ":",
        " within 5% of ",
        "\u{fdd0}",
        "\n",
        ".1f",
        "%",
        "\\",
        "[0]",
        "top",
        "\u{301}",
        "🐖",
    ];
    // Every text of up to four pieces, and longer ones picked by a generator that is the same each time.
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    for _ in 0..60_000 {
        let count = 1 + next(12);
        let text: String = (0..count).map(|_| pieces[next(pieces.len())]).collect();
        let (whole, source) = (format!("= {text}"), format!("`= {text}`"));
        let Some(text) = of_code(&source, &whole) else { continue };
        let value = InlineValue::parse(&source, 0..source.len(), text);
        match &value.asked {
            Err(fault) => {
                assert!(text.get(fault.span.clone()).is_some(), "{text:?} {fault:?}");
                assert!(source.get(value.place(&fault.span)).is_some(), "{text:?}");
                assert!(fault.problem.hint.is_some(), "{text:?}");
            }
            Ok(query) => {
                for reference in query.expression.references() {
                    assert!(text.get(reference.span()).is_some(), "{text:?} {reference:?}");
                }
                assert!(text.get(value.head.place.clone()).is_some(), "{text:?}");
            }
        }
    }
}
