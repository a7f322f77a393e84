//! Mathematics: LaTeX in, an element of MathML Core out, made when the site is built, so that a page needs no script and no
//! font for it. The TeX stays in it as an annotation, which is what copying and feeds take.
//!
//! A formula is a function of its text alone: environments that number their equations begin at 1 in each.
//! `\cancel` and its kin need rules for `.menclose-…` in the style sheet, since MathML Core has no element for them.

use std::fmt;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::OnceLock;
use std::thread;

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use super::escape;

/// Most bytes of one formula.
const LONGEST: usize = 16 << 10;
/// Most nested parts that a thread of any size has room for; the converter takes about 1 kB for each.
const SHALLOW: usize = 400;
/// Bytes of stack that suffice for the longest formula, however it is nested.
const DEEP_STACK: usize = 64 << 20;

/// What is wrong with a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MathError {
    /// Bytes of the TeX.
    pub span: Range<usize>,
    /// Lower case.
    pub message: String,
    /// Which character of the TeX it begins with, from 1.
    character: usize,
}

impl fmt::Display for MathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (character {} of the formula)", self.message, self.character)
    }
}

/// The `<math>` element of a formula; `display`: one that stands by itself.
///
/// # Errors
/// Where it is not LaTeX that the converter knows, and where it is longer than 16 KiB.
pub fn mathml(tex: &str, display: bool) -> Result<String, MathError> {
    if tex.len() > LONGEST {
        return Err(error(tex, LONGEST..tex.len(), "a formula has at most 16 KiB".into()));
    }
    // Every level takes at least one of these, so that this many levels are the most there can be.
    let opening = |c: &u8| matches!(c, b'\\' | b'{' | b'[' | b'^' | b'_');
    if tex.bytes().filter(|c| opening(c)).count() <= SHALLOW {
        return converted(tex, display);
    }
    let deep = thread::Builder::new().stack_size(DEEP_STACK);
    let result = thread::scope(|scope| {
        deep.spawn_scoped(scope, || converted(tex, display))
            .ok()
            .and_then(|thread| thread.join().ok())
    });
    result.unwrap_or_else(|| Err(unconvertible(tex)))
}

fn unconvertible(tex: &str) -> MathError {
    error(tex, 0..tex.len(), "the formula cannot be converted".into())
}

fn converted(tex: &str, display: bool) -> Result<String, MathError> {
    static CONVERTER: OnceLock<LatexToMathML> = OnceLock::new();
    // Only macros of our own could be wrong, and there are none.
    let made = || LatexToMathML::new(MathCoreConfig::default()).unwrap_or_default();
    let converter = CONVERTER.get_or_init(made);
    let display = if display { MathDisplay::Block } else { MathDisplay::Inline };
    let start = tex.len() - tex.trim_start().len();
    // The converter asserts things about itself that do not hold for every wrong formula.
    let convert = || converter.convert_with_local_counter(tex.trim(), display);
    let result = panic::catch_unwind(AssertUnwindSafe(convert));
    let html = result.map_err(|_| unconvertible(tex))?.map_err(|cause| {
        let span = start + cause.0.start..start + cause.0.end;
        error(tex, span, in_our_words(&cause.error_message()))
    })?;
    Ok(annotated(&html, tex.trim()))
}

/// Puts the TeX beside what it means. The converter can do so too, but then breaks the formula into lines.
fn annotated(html: &str, tex: &str) -> String {
    let Some((tag, rest)) = html.split_once('>') else { return html.to_owned() };
    let formula = rest.strip_suffix("</math>").unwrap_or(rest);
    let tex = escape(tex);
    format!(
        "{tag}><semantics><mrow>{formula}</mrow><annotation encoding=\"application/x-tex\">{tex}</annotation></semantics></math>"
    )
}

/// An error about a part of the TeX, which is brought to whole characters inside it.
fn error(tex: &str, span: Range<usize>, message: String) -> MathError {
    let whole = |at: usize| (0..=at.min(tex.len())).rev().find(|at| tex.is_char_boundary(*at));
    let start = whole(span.start).unwrap_or(0);
    let end = whole(span.end).unwrap_or(0).max(start);
    MathError { span: start..end, message, character: tex[..start].chars().count() + 1 }
}

/// `Unknown command "\x".` as our messages are written: lower case, names between backticks, no full stop.
fn in_our_words(message: &str) -> String {
    let message = message.trim_end_matches('.').replace('"', "`");
    let mut letters = message.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
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
        insta::assert_snapshot!(said(r"\frac{1"), @"expected token `}`, but not found (character 8 of the formula)");
        insta::assert_snapshot!(said("a & b"), @"got `&`, which may only appear in a table-like environment (character 3 of the formula)");
        insta::assert_snapshot!(said(r"\begin{nope}"), @"unknown environment `nope` (character 7 of the formula)");
        assert!(said(&"x".repeat(LONGEST + 1)).contains("at most 16 KiB"));
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
                Ok(html) => prop_assert!(html.starts_with("<math>")),
                Err(wrong) => prop_assert!(tex.get(wrong.span).is_some()),
            }
        }
    }
}
