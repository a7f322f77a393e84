//! Bibliographies made to cost time, memory or stack: correct entries are read, and each incorrect one gives one
//! problem.

use super::*;

/// The problems of a bibliography in which `text` is followed by the entry `ok`, which must be read whatever the text
/// is.
fn faults(text: &str) -> Vec<String> {
    let whole = format!("{text}\n@misc{{ok, title={{Right}}, year=2020}}\n");
    let (works, faults) = Bibliography::parse(&whole);
    assert!(works.has("ok"), "{:.200}", whole);
    for fault in &faults {
        assert!(whole.get(fault.span.clone()).is_some(), "{fault:?}");
    }
    let keys: Vec<Vec<Citation>> = works.keys().take(3).map(|key| vec![cite(key)]).collect();
    let shown = works.cited(&style("ieee").expect("a style"), &keys, &tex::plain);
    assert_eq!(shown.references.len(), keys.len());
    faults.into_iter().map(|fault| fault.problem.message).collect()
}

#[test]
fn loops_and_doubling_are_one_fault_each() {
    let back = |field: &str| {
        let text = format!("@misc{{a, title={{T}}, {field}={{b}}}}\n@misc{{b, {field}={{a}}}}");
        assert_eq!(faults(&text), [format!("`{field}` of `b` leads back to itself")]);
    };
    back("crossref");
    back("xdata");
    let own = faults("@string{s = s # s}\n@misc{a, title = s}");
    assert_eq!(own, ["`title` of `a` is left out: the abbreviation `s` is defined through itself"]);
    let mut doubled = "@string{s0 = {ha}}\n".to_owned();
    for at in 0..10 {
        let uses = vec![format!("s{at}"); 10].join(" # ");
        doubled.push_str(&format!("@string{{s{} = {uses}}}\n", at + 1));
    }
    let long = faults(&format!("{doubled}@misc{{a, title = s10}}"));
    assert_eq!(long, ["`title` of `a` is left out: an abbreviation exceeds 64 KiB"]);
}

#[test]
fn neither_depth_nor_length_costs_more_than_their_entry() {
    let many = 50_000;
    let pair = |open: &str, close: &str| format!("{}x{}", open.repeat(many), close.repeat(many));
    for title in [
        pair("{", "}"),
        pair("\\emph{", "}"),
        pair("$", "$"),
        "\\".repeat(2 * many),
        "\\'".repeat(many),
        "``''".repeat(many),
        "\\verb|x".repeat(many),
    ] {
        faults(&format!("@misc{{a, title={{{title}}}}}"));
    }
    assert_eq!(
        faults(&format!("@misc{{a, title={}", "{".repeat(many))),
        ["the entry `a` cannot be read: a brace is never closed"]
    );
    assert_eq!(faults(&format!("@misc{{a, title = {{x}}{}}}", " # {y}".repeat(many))).len(), 0);
    assert_eq!(faults(&format!("@misc{{{}, title={{T}}}}", "k".repeat(1_000_000))).len(), 0);
    assert_eq!(faults(&format!("@misc{{a, author={{{}others}}}}", "A and ".repeat(many))).len(), 0);
    faults(&"@a{".repeat(many));
    faults(&"@comment(".repeat(many));
}

#[test]
fn a_chain_of_ten_thousand_entries_is_followed_to_its_end() {
    for field in ["crossref", "xdata"] {
        let mut text: String =
            (0..10_000).map(|at| format!("@book{{k{at}, {field}={{k{}}}}}\n", at + 1)).collect();
        text.push_str("@book{k10000, title={End}, publisher={P}}\n");
        assert_eq!(faults(&text), Vec::<String>::new());
        let (works, _) = Bibliography::parse(&text);
        let shown = works.cited(&style("ieee").expect("a style"), &[[cite("k0")]], &tex::plain);
        assert!(shown.references[0].html.contains("P"), "{shown:?}");
    }
}

#[test]
fn no_date_and_no_key_ends_the_reading() {
    for date in [
        "99999999999999999999",
        "-99999",
        "0000-00-00",
        "2020-13",
        "2020-02-30",
        "2020-01-01/1900",
        "/",
        "..",
        "Y-17E7",
        "1e9",
        "2020-01-01T25:61:61Z",
        "2020?%",
        "32767-12-31",
        "-32768",
        "",
    ] {
        let said = faults(&format!("@misc{{a, title={{T}}, date={{{date}}}}}"));
        assert!(said.len() <= 1, "{date}: {said:?}");
        let said = faults(&format!(
            "@misc{{a, title={{T}}, year={{{date}}}, month={{{date}}}, day={{{date}}}}}"
        ));
        assert!(said.len() <= 3, "{date}: {said:?}");
    }
    faults("@misc{a\u{0}b\u{1b}[31m\u{202e}, title={x\u{0}\u{1b}[31my}}");
}
