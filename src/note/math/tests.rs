//! Formulas in, elements out.

use super::*;
use proptest::prelude::*;

#[test]
fn a_formula_is_an_element_that_keeps_its_tex() {
    let inline = mathml(r"\frac{1}{2} < x", false).expect("LaTeX");
    assert_eq!(
        inline,
        r#"<math><semantics><mrow><mfrac><mn>1</mn><mn>2</mn></mfrac><mo>&lt;</mo><mi>x</mi></mrow><annotation encoding="application/x-tex">\frac{1}{2} &lt; x</annotation></semantics></math>"#
    );
    let block = mathml("\n\\sum_i w_i\n", true).expect("LaTeX");
    assert!(block.starts_with(r#"<math display="block">"#), "{block}");
    assert!(block.contains(r">\sum_i w_i</annotation>"), "{block}");
}

#[test]
fn what_papers_use_is_known() {
    for tex in [
        r"\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}",
        r"\mathbb{E}_{x\sim p}\left[\log f_\theta(x)\right]",
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
        r"x = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}^\top",
        r"f(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
        r"\hat{y} = \operatorname*{arg\,max}_c \langle u, t_c \rangle, \quad \|u\|_2 = 1",
        r"\boldsymbol{w} \in \mathbb{R}^{n \times d}, \mathcal{L}(\bm{w})",
        r"\underbrace{a + b}_{\text{bias}} \xrightarrow{f} \overline{c} \cdot \sqrt[3]{d}",
    ] {
        assert!(mathml(tex, true).is_ok_and(|html| html.ends_with("</math>")), "{tex}");
    }
}

#[test]
fn an_error_says_where() {
    let said = |tex: &str| mathml(tex, false).expect_err(tex).to_string();
    assert_eq!(said(r" é + \nope x"), "unknown command `\\nope` (character 6 of the formula)");
    let wrong = mathml(r" é + \nope x", false).expect_err("an unknown command");
    assert_eq!(&r" é + \nope x"[wrong.span], r"\nope");
    insta::assert_snapshot!(said(r"\frac{1"), @"expected closing token `}`, but reached end of input (character 8 of the formula)");
    insta::assert_snapshot!(said("a & b"), @"found `&`, which may only appear in a table-like environment (character 3 of the formula)");
    insta::assert_snapshot!(said(r"\begin{nope}"), @"unknown environment `nope` (character 7 of the formula)");
    assert!(said(&"x".repeat(LONGEST + 1)).contains("longer than 16 KiB"));
}

#[test]
fn nothing_in_a_formula_is_markup() {
    let html = mathml(r"\text{<script>alert(1)</script>} a<b", true).expect("LaTeX");
    assert!(!html.contains("<script"), "{html}");
    let html = mathml(r"x % </annotation><script>", true).expect("LaTeX");
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn however_deep_it_is_there_is_room() {
    for (open, close) in [("{", "}"), (r"\sqrt ", ""), (r"\left(", r"\right)"), ("x^{", "}")] {
        let count = LONGEST / (open.len() + close.len()) - 1;
        let tex = open.repeat(count) + "x" + &close.repeat(count);
        assert!(mathml(&tex, true).is_ok(), "{open}");
        let _ = mathml(&open.repeat(LONGEST / open.len()), true);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_formula_or_an_error_in_it(
        parts in prop::collection::vec(prop_oneof![
            "[\\\\{}^_&%#~'$ x1é\u{301}<]{1,3}",
            r"\\[a-z]{1,8}",
            prop::sample::select(vec![
                r"\left", r"\right", "(", r"\frac", r"\begin{array}", "{c|c}", r"\end{array}", r"\\",
                r"\text", r"\color", "{red}", r"\tag", r"\operatorname", r"\big", r"\not", "\n",
            ]).prop_map(str::to_owned),
        ], 0..12),
    ) {
        let tex = parts.concat();
        match mathml(&tex, false) {
            Ok(html) => prop_assert!(html.is_empty() || html.starts_with("<math>")),
            Err(wrong) => prop_assert!(tex.get(wrong.span).is_some()),
        }
    }
}

/// One formula a line, of the kinds that notes have.
const FORMULAS: &str = include_str!("formulas.txt");

/// Kinds of formulas that are not supported, as `docs/writing.md` states.
const UNREAD: [&str; 4] = [r"\begin{CD}", r"\ce{", r"\verb|", r"\unicode{"];

#[test]
fn the_usual_formulas_are_read() {
    let unread: Vec<String> = FORMULAS
        .lines()
        .filter_map(|tex| mathml(tex, true).err().map(|fault| format!("{tex}\n  {fault}")))
        .collect();
    let limits: Vec<_> =
        unread.iter().filter(|line| !UNREAD.iter().any(|known| line.starts_with(known))).collect();
    assert!(limits.is_empty(), "{limits:#?}");
    assert_eq!(unread.len(), UNREAD.len(), "{unread:#?}");
    assert!(FORMULAS.lines().count() > 150);
}

#[test]
fn what_stands_for_a_command_means_what_it_does() {
    let shown = |tex: &str| mathml(tex, true).expect(tex);
    assert!(shown(r"x = y \tag{1.1}").contains("<mtext>(1.1)</mtext>"));
    assert!(
        shown(r"\textcolor{red}{x}y")
            .contains("<mrow style=\"color:#FF0000;\"><mi>x</mi></mrow><mi>y</mi>")
    );
    assert!(shown(r"\boxed{x}").contains("style=\"border:"));
    assert!(shown(r"\text{if $x$}").contains("<mi>x</mi>"));
    assert!(shown(r"\norm{x}").contains("‖"));
    assert_eq!(shown(r"\newcommand{\R}{\mathbb{R}}"), "", "definitions alone show nothing");
}

#[test]
fn equations_are_numbered_and_referred_to_through_a_note() {
    let mut formulas = Formulas::new(&Macros::default());
    for tex in [
        r"\eqref{eq:b}",
        r"\begin{equation}a\end{equation}",
        r"b \label{eq:b}",
        r"c \label{eq:b}",
        r"\eqref{eq:none}",
    ] {
        formulas.add(tex, true).expect(tex);
    }
    let (html, problems) = formulas.finish();
    let first = placed(&html[0], "e1:");
    assert!(first.contains("<a href=\"#e1:eq:eq:b\">(2)</a>"), "{first}");
    assert!(placed(&html[2], "e1:").contains(" id=\"e1:eq:eq:b\""), "{}", html[2]);
    assert!(!html[3].contains(" id="), "{}", html[3]);
    assert!(html[3].contains("(3)"), "{}", html[3]);
    let said: Vec<_> = problems.iter().map(|(at, message)| format!("{at} {message}")).collect();
    assert_eq!(
        said,
        [
            "3 the label `eq:b` is already used by another equation",
            "4 the formula refers to a `\\label` that no equation of this note has",
        ]
    );
}

#[test]
fn a_macro_of_one_formula_holds_in_the_next() {
    let mut formulas = Formulas::new(&Macros::default());
    formulas.add(r"\newcommand{\vx}{\mathbf{x}}", true).expect("a definition");
    let html = formulas.add(r"\vx + \vx", false).expect("a formula");
    assert!(html.contains("<mi>𝐱</mi><mo>+</mo><mi>𝐱</mi>"), "{html}");
    assert!(html.contains(r">\vx + \vx</annotation>"), "the source stays as it is written: {html}");
}
