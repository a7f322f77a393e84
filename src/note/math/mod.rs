//! Mathematics: converts LaTeX to MathML Core at build time, so that pages need no script or font for it. The TeX is
//! kept as an annotation, for copying and feeds.
//!
//! The formulas of a note are converted together: definitions apply to later formulas, equations are numbered through
//! the note, and `\eqref` refers to any of them. What the converter does not know is replaced first: macros of the
//! garden and the note in [`macros`], other programs' commands in [`dialect`].

mod dialect;
mod expand;
mod macros;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use super::escape;
use expand::Expanded;

pub use macros::Macros;
use neuronotes_core::cut::Cut as _;

/// Maximum length of a formula in bytes.
const LONGEST: usize = 16 << 10;
/// Maximum nesting depth that fits any thread's stack; the converter takes about 1 kB per level.
const SHALLOW: usize = 400;
/// Stack size in bytes that suffices for the longest formula with any nesting.
const DEEP_STACK: usize = 256 << 20;
/// Placeholder in a formula's HTML for the prefix of ids on the page.
const ID: &str = "\u{FDD4}";

/// An error in a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MathError {
    /// Span in the TeX, in bytes.
    pub span: Range<usize>,
    /// The message, in lower case.
    pub message: String,
    /// Its character position in the TeX, from 1.
    character: usize,
}

impl fmt::Display for MathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (character {} of the formula)", self.message, self.character)
    }
}

/// The `<math>` element of a single formula; `display` for one on its own line.
///
/// # Errors
/// If it is not LaTeX that the converter knows, or longer than 16 KiB.
pub fn mathml(tex: &str, display: bool) -> Result<String, MathError> {
    let mut formulas = Formulas::new(&Macros::default());
    formulas.add(tex, display).map(|html| placed(&html, ""))
}

/// A formula's HTML for a part of a page whose ids begin with `prefix`.
pub fn placed(html: &str, prefix: &str) -> String {
    html.replace(ID, &format!("{}eq:", escape(prefix)))
}

/// The HTML of a formula that cannot be converted: its source and the error.
pub fn unread(tex: &str, fault: &MathError) -> String {
    format!(
        "<code class=\"bad-math\" title=\"{}\">{}</code>",
        escape(&fault.to_string()),
        escape(tex)
    )
}

/// The formulas of one note, in order.
#[derive(Debug)]
pub struct Formulas {
    macros: Macros,
    converter: LatexToMathML,
    all: Vec<Formula>,
    labels: BTreeSet<String>,
    /// Errors in references between formulas: each formula's number, and a message.
    problems: Vec<(usize, String)>,
}

#[derive(Debug)]
struct Formula {
    tex: String,
    ready: String,
    display: bool,
    html: String,
    sound: bool,
}

impl Formulas {
    /// No formulas yet; `macros` are those of the garden.
    pub fn new(macros: &Macros) -> Self {
        // This fails only for invalid macros, and none are given.
        let converter = LatexToMathML::new(MathCoreConfig::default()).unwrap_or_default();
        Self {
            macros: macros.clone(),
            converter,
            all: Vec::new(),
            labels: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Converts the next formula. If it refers to a later equation, [`Self::finish`] resolves that.
    ///
    /// # Errors
    /// If it is not LaTeX that the converter knows, or longer than 16 KiB.
    pub fn add(&mut self, tex: &str, display: bool) -> Result<String, MathError> {
        let made = self.made(tex, display);
        let (ready, result) = match made {
            Ok((ready, html)) => (ready, Ok(html)),
            Err(fault) => (String::new(), Err(fault)),
        };
        let html = result.as_ref().map_or_else(|fault| unread(tex, fault), Clone::clone);
        let sound = result.is_ok();
        self.all.push(Formula { tex: tex.to_owned(), ready, display, html, sound });
        result
    }

    fn made(&mut self, tex: &str, display: bool) -> Result<(String, String), MathError> {
        if tex.len() > LONGEST {
            return Err(error(tex, LONGEST..tex.len(), "the formula is longer than 16 KiB".into()));
        }
        let expanded = self
            .macros
            .expand(tex)
            .map_err(|fault| error(tex, fault.span, fault.problem.message))?;
        let (before, after) = frame(&expanded.text);
        let ready = self.labelled(format!("{before}{}{after}", expanded.text));
        if ready.trim().is_empty() {
            // Definitions alone, or nothing.
            return Ok((String::new(), String::new()));
        }
        let html = self.converted(tex, &ready, before.len(), &expanded, display)?;
        Ok((ready, finished(&html, tex.trim())))
    }

    /// A formula without labels that are already in use.
    fn labelled(&mut self, mut ready: String) -> String {
        const LABEL: &str = "\\label{";
        let mut at = 0;
        while let Some(found) = ready.cut(at..).find(LABEL) {
            let start = at + found;
            let inner = start + LABEL.len();
            let Some(length) = ready.cut(inner..).find('}') else { break };
            let label = ready.cut(inner..inner + length).trim().to_owned();
            at = inner + length;
            if self.labels.contains(&label) {
                let message = format!("the label `{label}` is already used by another equation");
                self.problems.push((self.all.len(), message));
                ready.replace_range(start..=at, "");
                at = start;
            } else {
                self.labels.insert(label);
            }
        }
        ready
    }

    fn converted(
        &mut self,
        tex: &str,
        ready: &str,
        shift: usize,
        expanded: &Expanded,
        display: bool,
    ) -> Result<String, MathError> {
        let converter = &mut self.converter;
        let result = with_room([ready], || {
            // The converter panics on some invalid formulas.
            let convert = || converter.convert_with_global_state(ready, style(display));
            panic::catch_unwind(AssertUnwindSafe(convert)).map_err(|_| ())
        });
        let result = result.unwrap_or(Err(())).map_err(|()| unconvertible(tex))?;
        let made = result.map_err(|cause| {
            let inside = |at: usize| at.saturating_sub(shift).min(expanded.text.len());
            let span = expanded.written(&(inside(cause.0.start)..inside(cause.0.end)));
            error(tex, span, in_our_words(&cause.error_message()))
        })?;
        Ok(made.mathml)
    }

    /// The HTML of all formulas, and errors in references: each formula's number, and a message.
    pub fn finish(mut self) -> (Vec<String>, Vec<(usize, String)>) {
        let refers = |formula: &Formula| formula.ready.contains("\\eqref");
        let mut problems = std::mem::take(&mut self.problems);
        if self.all.iter().any(refers) {
            // All labels are known now.
            let sound: Vec<usize> = (0..self.all.len())
                .filter(|at| self.all[*at].sound && !self.all[*at].ready.is_empty())
                .collect();
            let snippets: Vec<(&str, MathDisplay)> = sound
                .iter()
                .map(|at| (&*self.all[*at].ready, style(self.all[*at].display)))
                .collect();
            let converter = &self.converter;
            let results = with_room(snippets.iter().map(|(tex, _)| *tex), || {
                panic::catch_unwind(AssertUnwindSafe(|| converter.convert_all(&snippets))).ok()
            });
            let made: Vec<Option<(String, bool)>> = results
                .flatten()
                .unwrap_or_default()
                .into_iter()
                .map(|result| {
                    result.ok().map(|made| (made.mathml, made.warnings.has_undefined_references()))
                })
                .collect();
            for (at, made) in sound.into_iter().zip(made) {
                let Some((html, undefined)) = made else { continue };
                let html = finished(&html, self.all[at].tex.trim());
                self.all[at].html = html;
                if undefined {
                    problems.push((
                        at,
                        "the formula refers to a `\\label` that no equation of this note has"
                            .to_owned(),
                    ));
                }
            }
        }
        (self.all.into_iter().map(|formula| formula.html).collect(), problems)
    }
}

fn style(display: bool) -> MathDisplay {
    if display { MathDisplay::Block } else { MathDisplay::Inline }
}

/// Runs `work` with enough stack for formulas of the maximum nesting; `None` if no such thread can be started.
fn with_room<'t, T: Send>(
    formulas: impl IntoIterator<Item = &'t str>,
    work: impl FnOnce() -> T + Send,
) -> Option<T> {
    // Every level takes at least one of these, so that this many levels are the most there can be.
    let opening = |c: &u8| matches!(c, b'\\' | b'{' | b'[' | b'^' | b'_');
    let deepest = formulas.into_iter().map(|tex| tex.bytes().filter(|c| opening(c)).count()).max();
    if deepest.unwrap_or(0) <= SHALLOW {
        return Some(work());
    }
    let deep = thread::Builder::new().stack_size(DEEP_STACK);
    thread::scope(|scope| deep.spawn_scoped(scope, work).ok().and_then(|thread| thread.join().ok()))
}

/// The environment that a formula needs for its own `\tag` or `\label`; other programs do without it.
fn frame(tex: &str) -> (&'static str, &'static str) {
    let (mut tag, mut label, mut column, mut row) = (false, false, false, false);
    let (mut braces, mut environments) = (0_i32, 0_i32);
    let mut rest = tex;
    while let Some(at) = rest.find(['\\', '{', '}', '&']) {
        let after = rest.cut(at + 1..);
        let outside = braces == 0 && environments == 0;
        match rest.as_bytes()[at] {
            b'{' => braces += 1,
            b'}' => braces -= 1,
            b'&' => column |= outside,
            _ => {
                let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
                match after.cut(..letters) {
                    "begin" => environments += 1,
                    "end" => environments -= 1,
                    "tag" => tag |= outside,
                    "label" => label |= outside,
                    "" => row |= outside && after.starts_with('\\'),
                    _ => {}
                }
                let first = after.chars().next().map_or(0, char::len_utf8);
                rest = after.cut(letters.max(first)..);
                continue;
            }
        }
        rest = after;
    }
    match (tag, label, column, row) {
        (false, false, ..) => ("", ""),
        (true, _, true, _) => ("\\begin{align*}", "\\end{align*}"),
        (true, _, _, true) => ("\\begin{gather*}", "\\end{gather*}"),
        (true, ..) => ("\\begin{equation*}", "\\end{equation*}"),
        (_, _, true, _) => ("\\begin{align}", "\\end{align}"),
        (_, _, _, true) => ("\\begin{gather}", "\\end{gather}"),
        _ => ("\\begin{equation}", "\\end{equation}"),
    }
}

fn unconvertible(tex: &str) -> MathError {
    error(tex, 0..tex.len(), "the formula cannot be converted".into())
}

/// A formula as in a page, except for the prefix of its ids: with the TeX as an annotation. The converter can add
/// that too, but then breaks the formula into lines.
fn finished(html: &str, tex: &str) -> String {
    let (box_mark, box_style) = dialect::FRAME;
    let html = html
        .replace(box_mark, box_style)
        .replace(" id=\"", &format!(" id=\"{ID}"))
        .replace("<a href=\"#", &format!("<a href=\"#{ID}"));
    let Some((tag, rest)) = html.split_once('>') else { return html };
    let formula = rest.strip_suffix("</math>").unwrap_or(rest);
    let tex = escape(tex);
    format!(
        "{tag}><semantics><mrow>{formula}</mrow><annotation encoding=\"application/x-tex\">{tex}</annotation></semantics></math>"
    )
}

/// A formula's HTML without ids, for a repetition.
pub fn without_ids(html: &str) -> String {
    let mark = format!(" id=\"{ID}");
    let mut parts = html.split(mark.as_str());
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('"').map_or("", |(_, rest)| rest))
}

/// An error about a part of the TeX, with its span adjusted to character boundaries.
fn error(tex: &str, span: Range<usize>, message: String) -> MathError {
    let whole = |at: usize| (0..=at.min(tex.len())).rev().find(|at| tex.is_char_boundary(*at));
    let start = whole(span.start).unwrap_or(0);
    let end = whole(span.end).unwrap_or(0).max(start);
    MathError { span: start..end, message, character: tex.cut(..start).chars().count() + 1 }
}

/// Converts the library's message `Unknown command "\x".` to our style: lower case, backticks, no full stop.
fn in_our_words(message: &str) -> String {
    let message = message.trim_end_matches('.').replace('"', "`");
    let mut letters = message.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}
