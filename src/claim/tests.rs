//! Tests of the language of claims.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diagnostic::fault::Fault;

/// Knows some values by how they are written.
struct Known(BTreeMap<String, Value>);

impl Known {
    fn new() -> Self {
        let values = json!({
            "unit": 5,
            "a": 4.9999999,
            "b": -0.02,
            "top.activation": [9.0, 8.0, 7.5, 7.0, 6.0],
            "top.label": ["Waving Hand", "raised hand", "clock", "Raised Hand", "heart"],
            "some": [1.0, null, 3.0],
            "empty": [],
            "hands": ["raised hand", "waving hand"],
            "label": "One O’Clock",
            "converged": true,
            "gone": null,
            "control.top[0].activation": 4.0,
        });
        let values = values.as_object().expect("an object");
        let mut known: BTreeMap<String, Value> =
            values.iter().map(|(name, json)| (name.clone(), Value::of_json(json, name))).collect();
        known.insert("nan".to_owned(), Value::Number(f64::NAN));
        known
            .insert("nans".to_owned(), Value::List([1.0, f64::NAN, 3.0].map(Value::Number).into()));
        let (key, status) = ("k".to_owned(), "queued".to_owned());
        known.insert("later".to_owned(), Value::Missing(Missing::Waiting { key, status }));
        Self(known)
    }
}

impl Lookup for Known {
    fn look_up(&self, reference: &Reference) -> Result<Value, Fault> {
        let found = self.0.get(&reference.to_string()).cloned();
        found.ok_or_else(|| Fault::new(reference.span(), format!("no `{reference}`")))
    }
}

fn parsed(text: &str) -> Expression {
    condition(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn judged(text: &str) -> Judgement {
    judge(&parsed(text), text, &Known::new())
}

#[test]
fn a_condition_holds_fails_or_is_unknown_and_says_what_was_measured() {
    let all: Vec<String> = [
        "unit == 5",
        "unit > 5",
        "a >= 5",
        "b < 0 and unit in 3..5",
        "b > 0 and unit in 3..5",
        "unit in 6..7 or b > 0",
        "not unit == 5",
        "unit not in [1, 2]",
        "unit within 5% of 5.2",
        "unit within 0.1 of 5.2",
        "unit within 5% of 2 * control.top[0].activation",
        "unit >= 2 * control.top[0].activation",
        "converged",
        "converged == false",
        "label ~ /o.clock$/i",
        "label !~ /clock/",
        "label == \"one o’clock\"",
        "all top.label in hands",
        "at least 3 of top.label in hands",
        "at least 80% of top.label in hands",
        "at most 2 of top.label in hands",
        "exactly 3 of top.label in hands",
        "none of top.label in hands",
        "any top.label ~ /moon/",
        "none top.activation > 9",
        "all top.activation / 2 > 2.5",
        "count of top.label in hands == 3",
        "count of top.label >= 5",
        "2 * (unit - 1) + 1 == 9",
        "unit / 0 > 1",
        "-unit < -4",
    ]
    .into_iter()
    .map(|text| {
        let Judgement { verdict, measured, reason, .. } = judged(text);
        format!("{text}\n  {}: {measured}{}", verdict.name(), reason.unwrap_or_default())
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_is_missing_never_passes_and_what_is_not_a_number_fails() {
    for (text, verdict) in [
        ("gone > 3", Verdict::Unknown),
        ("not gone > 3", Verdict::Unknown),
        ("later > 3", Verdict::Unknown),
        ("gone > 3 or unit == 5", Verdict::Holds),
        ("gone > 3 and unit == 4", Verdict::Fails),
        ("gone > 3 and unit == 5", Verdict::Unknown),
        ("gone + 1 < 3", Verdict::Unknown),
        ("unit in gone..7", Verdict::Unknown),
        ("all empty > 3", Verdict::Unknown),
        ("none of empty > 3", Verdict::Unknown),
        ("count of empty == 0", Verdict::Unknown),
        ("at most 2 of empty > 3", Verdict::Unknown),
        ("label in empty", Verdict::Unknown),
        // One of three is missing.
        ("all some > 0", Verdict::Unknown),
        ("all some > 2", Verdict::Fails),
        ("at least 2 of some > 0", Verdict::Holds),
        ("at least 3 of some > 0", Verdict::Unknown),
        ("at most 2 of some > 0", Verdict::Unknown),
        ("none of some > 5", Verdict::Unknown),
        ("count of some > 0 == 2", Verdict::Unknown),
        // Neither a comparison nor its negation is true of what is not a number.
        ("nan > 3", Verdict::Fails),
        ("nan <= 3", Verdict::Fails),
        ("nan == nan", Verdict::Fails),
        ("nan != 3", Verdict::Fails),
        ("not nan > 3", Verdict::Fails),
        ("not (nan > 3 and unit == 5)", Verdict::Fails),
        ("nan not in [1, 2]", Verdict::Fails),
        ("nan not in 1..2", Verdict::Fails),
        ("nan in hands", Verdict::Fails),
        ("nan within 5% of 3", Verdict::Fails),
        ("unit within 5% of nan", Verdict::Fails),
        ("none of nans > 5", Verdict::Fails),
        ("all nans > 0", Verdict::Fails),
        ("at least 2 of nans > 0", Verdict::Holds),
        ("count of nans > 0 != 7", Verdict::Fails),
        ("0 / 0 == 0", Verdict::Fails),
        ("nan > 3 or gone > 3", Verdict::Unknown),
        ("nan > 3 or unit == 5", Verdict::Holds),
    ] {
        let judgement = judged(text);
        assert_eq!(judgement.fault, None, "{text}");
        assert_eq!(judgement.verdict, verdict, "{text}: {judgement:?}");
        assert_eq!(judgement.reason.is_some(), verdict == Verdict::Unknown, "{text}");
    }
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let all: Vec<String> = [
        "top.activation > 3",
        "unit > label",
        "label < \"z\"",
        "label + 1 > 3",
        "unit",
        "unit + 1",
        "top.label",
        "all unit > 3",
        "unit in 3",
        "unit in 7..3",
        "unit ~ /5/",
        "all top.label",
        "top.activation + top.activation > 3",
        "nowhere > 3",
        "unit and converged",
    ]
    .into_iter()
    .map(|text| {
        let judgement = judged(text);
        assert_eq!(judgement.verdict, Verdict::Unknown, "{text}");
        let fault = judgement.fault.unwrap_or_else(|| panic!("{text} is judged"));
        format!(
            "{text}\n  {}: {}\n  {}",
            &text[fault.span],
            fault.problem.message,
            fault.problem.hint.unwrap_or_default()
        )
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn every_mistake_in_a_condition_has_its_place_and_a_hint() {
    let deep = format!("{}1 > 0{}", "(".repeat(60), ")".repeat(60));
    let long = "1 + ".repeat(800);
    let all: Vec<String> = [
        "",
        "top[0].activation >",
        "top[0].activation = 5",
        "top[0].activation > 5 > 3",
        "top[0].activation > 5 top[1].activation > 4",
        "top[0].activation > 5 and",
        "and top[0].activation > 5",
        "(top[0].activation > 5",
        "top[0].activation > 5)",
        "top[0.activation > 5",
        "top[:x].label in hands",
        "top..activation > 5",
        "top.0 > 5",
        "top[0].label in [\"a\", \"b\"",
        "top[0].label == \"hand",
        "top[0].label ~ face",
        "top[0].label ~ /face",
        "top[0].label ~ /(face/",
        "top[0].label ~ /face/x",
        "at least of top.label in hands",
        "at least 2.5 of top.label in hands",
        "at least 120% of top.label in hands",
        "at least 8 top.label in hands",
        "x within of 3",
        "x within 5% 3",
        "x > 5deviations",
        "x > 1e999",
        "note# > 3",
        "x in 3 .. ",
        "3..5",
        "x > §",
        "not",
        &deep,
        &long,
    ]
    .into_iter()
    .map(|text| {
        let fault = condition(text).err().unwrap_or_else(|| panic!("{text} is a condition"));
        let hint = fault.problem.hint.unwrap_or_else(|| panic!("{text}: no hint"));
        let short = |text: &str| text.chars().take(60).collect::<String>();
        let at = short(&text[fault.span.clone()]);
        format!(
            "{}\n  {} `{at}`: {}\n  {hint}",
            short(text),
            fault.span.start,
            fault.problem.message
        )
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn values_may_have_the_names_of_words() {
    for text in [
        "none > 3",
        "all.length == 3",
        "any == true",
        "count > 3",
        "exactly > 3",
        "at[0] > 3",
        "all all > 3",
        "count of count > 3",
        "a-b#count.of > 3",
        "notes/a.b-c#vis.top[-1] > 3",
        "2024-06#vis.unit == 3",
        "\"Piggy bank, and others\"#vis.top[2:].label[label=\"a, b\"].x == 'it''s'",
        "#vis.unit ≥ −3",
    ] {
        if text.contains("''") {
            continue;
        }
        let expression = parsed(text);
        assert_eq!(parsed(&expression.to_string()), expression, "{text}: {expression}");
    }
    let parenthesised = parsed("count of top.label in hands >= 6");
    assert_eq!(parenthesised.to_string(), "(count of top.label in hands) >= 6");
}

fn names() -> impl Strategy<Value = String> {
    "[a-zé][a-z0-9_-]{0,5}".prop_filter("no word of the language", |name| {
        ![
            "and", "or", "not", "in", "of", "within", "else", "true", "false", "all", "any",
            "none", "at", "exactly", "count", "in",
        ]
        .contains(&name.as_str())
    })
}

fn steps_by_chance() -> impl Strategy<Value = Vec<(Step, std::ops::Range<usize>)>> {
    let text = "[a-z,\\] '0-9]{1,6}";
    let step = prop_oneof![
        names().prop_map(Step::Field),
        any::<i8>().prop_map(|at| Step::At(at.into())),
        (proptest::option::of(-9_i64..9), proptest::option::of(-9_i64..9))
            .prop_map(|(from, to)| Step::Slice(from, to)),
        proptest::collection::vec((names(), text.prop_map(|text: String| text)), 1..3)
            .prop_map(Step::Where),
    ];
    proptest::collection::vec(step.prop_map(|step| (step, 0..0)), 0..4)
}

fn references() -> impl Strategy<Value = Reference> {
    let note = proptest::option::of("[A-Za-z0-9][A-Za-z0-9 \"\\\\_./-]{0,8}");
    (note, any::<bool>(), names(), steps_by_chance()).prop_map(|(note, hash, name, steps)| {
        Reference { is_block: hash || note.is_some(), note, name, steps, place: 0..0 }
    })
}

fn boxed(of: impl Strategy<Value = Expression>) -> impl Strategy<Value = Box<Expression>> {
    of.prop_map(Box::new)
}

fn tests_of(of: BoxedStrategy<Expression>) -> impl Strategy<Value = Test> {
    use Order::{AtLeast, AtMost, Less, More, Other, Same};
    let order =
        prop_oneof![Just(Less), Just(AtMost), Just(More), Just(AtLeast), Just(Same), Just(Other)];
    let pattern = ("[a-z.^$|/]{1,6}", any::<bool>()).prop_map(|(plain, folds)| {
        let written = plain.replace('/', "\\/");
        let compiled = regex::Regex::new(&written).expect("a pattern");
        Pattern { written, folds, compiled }
    });
    prop_oneof![
        (order, boxed(of.clone())).prop_map(|(order, right)| Test::Order(order, right)),
        (boxed(of.clone()), boxed(of.clone()), any::<bool>())
            .prop_map(|(from, to, negated)| Test::Between(from, to, negated)),
        (boxed(of.clone()), any::<bool>()).prop_map(|(list, negated)| Test::Among(list, negated)),
        (pattern, any::<bool>()).prop_map(|(pattern, negated)| Test::Like(pattern, negated)),
        (0_u32..1000, any::<bool>(), boxed(of)).prop_map(|(by, percent, of)| Test::Within(
            f64::from(by) / 8.0,
            percent,
            of
        )),
    ]
}

fn expressions() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        (0_u32..100_000, any::<bool>())
            .prop_map(|(n, percent)| Expression::Number { written: f64::from(n) / 16.0, percent }),
        (0.0..1e300).prop_map(|written| Expression::Number { written, percent: false }),
        "[ -~äé]{0,6}".prop_map(Expression::Text),
        any::<bool>().prop_map(Expression::Flag),
        references().prop_map(Expression::Value),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        use Operator::{Minus, Over, Plus, Times};
        let inner = inner.boxed();
        let operator = prop_oneof![Just(Plus), Just(Minus), Just(Times), Just(Over)];
        let amount =
            || (0_u32..100, any::<bool>()).prop_map(|(n, percent)| (f64::from(n), percent));
        let quantity = prop_oneof![
            Just(Quantity::All),
            Just(Quantity::Any),
            Just(Quantity::None),
            amount().prop_map(|(n, percent)| Quantity::AtLeast(n, percent)),
            amount().prop_map(|(n, percent)| Quantity::AtMost(n, percent)),
            amount().prop_map(|(n, percent)| Quantity::Exactly(n, percent)),
        ];
        let several = || proptest::collection::vec(inner.clone(), 2..4);
        let test = || proptest::option::of(tests_of(inner.clone()));
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Expression::List),
            boxed(inner.clone()).prop_map(Expression::Minus),
            (boxed(inner.clone()), operator, boxed(inner.clone()))
                .prop_map(|(left, operator, right)| Expression::Computed(left, operator, right)),
            (boxed(inner.clone()), test()).prop_map(|(of, test)| Expression::Count(of, test)),
            (boxed(inner.clone()), tests_of(inner.clone()))
                .prop_map(|(left, test)| Expression::Compared(left, test)),
            (quantity, boxed(inner.clone()), test())
                .prop_map(|(quantity, of, test)| Expression::Counted(quantity, of, test)),
            boxed(inner.clone()).prop_map(Expression::Not),
            several().prop_map(Expression::And),
            several().prop_map(Expression::Or),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_as_the_same(expression in expressions()) {
        let written = expression.to_string();
        if written.len() < 2000 {
            let read = condition(&written);
            prop_assert_eq!(read.as_ref().ok(), Some(&expression), "{}: {:?}", written, read);
        }
    }

    #[test]
    fn any_text_is_read_or_has_a_mistake_in_it(pieces in proptest::collection::vec(prop_oneof![
        Just("top"), Just("[0]"), Just("[:8]"), Just(".label"), Just(" in "), Just(".."), Just("3"), Just("%"), Just("\""),
        Just("'"), Just("/"), Just("~"), Just("all "), Just("count of "), Just("at least "), Just(" of "), Just("("),
        Just(")"), Just(" and "), Just("not "), Just("-"), Just("−"), Just("é"), Just("#"), Just("\\"), Just(" within "),
        Just("["), Just("]"), Just(","), Just("=="), Just("e5"), Just("末"),
    ], 0..12)) {
        let text: String = pieces.concat();
        match condition(&text) {
            Ok(expression) => {
                for reference in expression.references() {
                    prop_assert!(text.get(reference.span()).is_some(), "{}", text);
                }
                // Whatever is read can be judged, and written.
                let judgement = judge(&expression, &text, &Known::new());
                if let Some(fault) = &judgement.fault {
                    prop_assert!(text.get(fault.span.clone()).is_some(), "{}", text);
                }
                prop_assert_eq!(condition(&expression.to_string()).ok(), Some(expression), "{}", text);
            }
            Err(fault) => {
                prop_assert!(text.get(fault.span.clone()).is_some(), "{}", text);
                prop_assert!(fault.problem.hint.is_some(), "{}: {:?}", text, fault);
            }
        }
    }
}
