//! Prepares a text with Liquid for the library: tells each of our own tags its position, the file that it includes
//! and its cost per iteration; reports tags that are invalid.
//!
//! The library parses recursively and aborts the program on deep nesting, so nesting is limited here.

use std::collections::BTreeMap;
use std::ops::Range;

use neuronotes_core::cut::Cut as _;

use super::budget::DEPTH;
use crate::diagnostic::fault::Fault;

/// Maximum length of a tag in bytes.
const LONGEST: usize = 16 << 10;
/// Maximum number of conditions in a tag.
const JOINED: usize = 200;
/// White space longer than this is put aside, because the library looks for a tag after each character of it.
const BLANK: usize = 200;
/// Encloses the number of a text that was put aside.
pub const ASIDE: [char; 2] = ['\u{10FFFC}', '\u{10FFFD}'];

/// Names that tags can refer to.
pub struct Names<'a> {
    /// Numbers of included files by name.
    pub files: &'a BTreeMap<String, usize>,
    /// Address of a note or page, by path.
    pub address: &'a dyn Fn(&str) -> Option<String>,
    /// Maps a position in the text to one in the note; `None` for an included file.
    pub place: Option<&'a dyn Fn(usize) -> usize>,
}

/// Texts that are put aside so that the library does not change them.
#[derive(Debug, Default)]
pub struct Aside<'a>(Vec<&'a str>);

impl<'a> Aside<'a> {
    /// Puts a text aside and returns its placeholder.
    pub fn put(&mut self, text: &'a str, out: &mut String) {
        out.push_str(&format!("{}{}{}", ASIDE[0], self.0.len(), ASIDE[1]));
        self.0.push(text);
    }

    /// Puts all texts back; `None` if the result exceeds so many bytes.
    pub fn back(&self, text: &str, most: usize) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut parts = text.split(ASIDE[0]);
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let numbered = part.split_once(ASIDE[1]);
            let found = numbered.and_then(|(number, rest)| {
                Some((*self.0.get(number.parse::<usize>().ok()?)?, rest))
            });
            match found {
                Some((aside, rest)) => {
                    out.push_str(aside);
                    out.push_str(rest);
                }
                None => {
                    out.push(ASIDE[0]);
                    out.push_str(part);
                }
            }
            if out.len() > most {
                return None;
            }
        }
        Some(out)
    }
}

/// A tag or expression in a text.
struct Piece<'a> {
    place: Range<usize>,
    /// The tag's name; empty for an expression.
    name: &'a str,
    rest: &'a str,
    /// Its opening and closing marks, with hyphens.
    marks: [&'a str; 2],
}

/// Prepares a text.
///
/// # Errors
/// The first invalid tag.
pub fn prepared<'a>(
    text: &'a str,
    names: &Names<'_>,
    aside: &mut Aside<'a>,
) -> Result<String, Fault> {
    let pieces = pieces(text)?;
    let costs = costs(&pieces)?;
    let mut out = String::with_capacity(text.len() + 16 * pieces.len());
    let mut copied = 0;
    for (piece, cost) in pieces.iter().zip(costs) {
        let trims = (piece.marks[0].ends_with('-'), piece.marks[1].starts_with('-'));
        copy(text.cut(copied..piece.place.start), trims.0, &mut out, aside);
        copied = piece.place.end;
        let at = names.place.map_or(0, |place| place(piece.place.start) + 1);
        let [open, close] = piece.marks;
        match piece.name {
            "for" | "tablerow" => {
                out.push_str(&format!("{open} {} {at} {cost} {} {close}", piece.name, piece.rest));
            }
            "assign" | "capture" | "ifchanged" => {
                out.push_str(&format!("{open} {} {at} {} {close}", piece.name, piece.rest));
            }
            "include" => {
                let file = piece.rest.split_whitespace().next().unwrap_or_default();
                let name = file.trim_matches(['"', '\'']);
                let number = names.files.get(name).ok_or_else(|| unknown(piece, name))?;
                let rest = piece.rest.cut(file.len()..);
                out.push_str(&format!("{open} include {at} {number}{rest} {close}"));
            }
            "link" => {
                let name = piece.rest.trim_matches(['"', '\'']);
                let address = (names.address)(name).ok_or_else(|| {
                    let message = format!("there is no note or page `{name}`");
                    let hint = "write its path: `{% link _notes/cats.md %}`";
                    Fault::new(piece.place.clone(), message).hint(hint)
                })?;
                out.push_str(&address);
            }
            _ => out.push_str(text.cut(piece.place.clone())),
        }
        if trims.1 {
            // White space that the tag removes.
            let rest = text.cut(copied..);
            copied += rest.len() - rest.trim_start().len();
        }
    }
    copy(text.cut(copied..), false, &mut out, aside);
    Ok(out)
}

/// Copies the text between tags.
fn copy<'a>(text: &'a str, is_trimmed: bool, out: &mut String, aside: &mut Aside<'a>) {
    let mut rest = if is_trimmed { text.trim_end() } else { text };
    while let Some((at, _)) = rest.match_indices(char::is_whitespace).next() {
        let blank = rest.cut(at..);
        let length = blank.len() - blank.trim_start().len();
        out.push_str(rest.cut(..at));
        match length > BLANK {
            true => aside.put(blank.cut(..length), out),
            false => out.push_str(blank.cut(..length)),
        }
        rest = blank.cut(length..);
    }
    out.push_str(rest);
}

fn unknown(piece: &Piece<'_>, name: &str) -> Fault {
    let message =
        format!("`{name}` cannot be included: it is not in `_includes`, or includes itself");
    Fault::new(piece.place.clone(), message).hint(AS_IT_IS)
}

/// Hint for text that looks like Liquid but is not.
pub const AS_IT_IS: &str = "put it between `{% raw %}` and `{% endraw %}` to show it as it is";

/// The tags and expressions of a text in order, without those in `raw` and `comment`.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Fault> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(found) = next(text, at) {
        let is_tag = text.cut(found..).starts_with("{%");
        let end = if is_tag { "%}" } else { "}}" };
        let wrong =
            |place: Range<usize>, message: String| Fault::new(place, message).hint(AS_IT_IS);
        let opened = text.cut(found..found + 2);
        let Some(end) = closed(text, found + 2, end) else {
            return Err(wrong(found..found + 2, format!("this `{opened}` is never closed")));
        };
        if end - found > LONGEST {
            let message = format!("this `{opened}` has more than {LONGEST} bytes");
            return Err(wrong(found..found + 2, message));
        }
        let trims = (text.cut(found + 2..).starts_with('-'), text.cut(..end - 2).ends_with('-'));
        let open = found..found + 2 + usize::from(trims.0);
        let inside = text.cut(open.end..end - 2 - usize::from(trims.1 && end - 2 > open.end));
        let close = end - 2 - usize::from(trims.1 && end - 2 > open.end)..end;
        let inner = inside.trim();
        let nested = nesting(inner);
        if nested > DEPTH {
            let message = format!("brackets are nested more than {DEPTH} deep here");
            return Err(wrong(found..end, message));
        }
        let (name, rest) = match is_tag {
            true => inner.split_once(char::is_whitespace).unwrap_or((inner, "")),
            false => ("", inner),
        };
        let joined = rest.split_whitespace().filter(|word| matches!(*word, "and" | "or")).count();
        if joined > JOINED {
            let message = format!("this tag has more than {JOINED} conditions");
            return Err(wrong(found..end, message));
        }
        at = end;
        if matches!(name, "raw" | "comment") {
            let ends = format!("end{name}");
            let Some(after) = behind(text, end, &ends) else {
                return Err(wrong(found..end, format!("this `{name}` is never closed")));
            };
            at = after;
            continue;
        }
        all.push(Piece {
            place: found..end,
            name,
            rest: rest.trim(),
            marks: [text.cut(open), text.cut(close)],
        });
    }
    Ok(all)
}

/// Number of tags and expressions in a text.
pub fn count(text: &str) -> usize {
    pieces(text).map_or(0, |pieces| pieces.len())
}

/// Lines with only tags that output nothing leave no empty line, which would end a block of HTML.
pub fn lone_tags(text: &str) -> String {
    const SAYING: [&str; 5] = ["include", "render", "cycle", "increment", "decrement"];
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let mut rest = bare;
        while let Some(inside) = rest.strip_prefix("{%")
            && let Some(end) = inside.find("%}")
        {
            let name = inside.cut(..end).trim_start_matches('-').split_whitespace().next();
            if name.is_some_and(|name| SAYING.contains(&name)) {
                break;
            }
            rest = inside.cut(end + 2..).trim_start();
        }
        out.push_str(if bare.starts_with("{%") && rest.is_empty() { bare } else { line });
    }
    out
}

/// The names of the files that a text includes, even if the text is invalid.
pub fn included(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let inside = rest.cut(rest.find("{%")? + 2..);
            let end = inside.find("%}")?;
            rest = inside.cut(end + 2..);
            let mut words = inside.cut(..end).trim_matches('-').split_whitespace();
            if words.next() == Some("include") {
                return Some(words.next().unwrap_or_default().trim_matches(['"', '\'', ',']));
            }
        }
    })
}

/// Start of the next tag or expression.
fn next(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes().get(from..)?;
    let pairs = bytes.windows(2);
    pairs.into_iter().position(|pair| pair == b"{{" || pair == b"{%").map(|at| from + at)
}

/// End of a tag: after its closing mark, ignoring closing marks inside quotes.
fn closed(text: &str, from: usize, mark: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let near = text.len().min(from + LONGEST + 2);
    let mut at = from;
    while at < near {
        let rest = bytes.get(at..)?;
        if rest.starts_with(mark.as_bytes()) {
            return Some(at + 2);
        }
        let quote = rest.first().filter(|byte| matches!(byte, b'"' | b'\''));
        let quoted = quote.and_then(|quote| {
            let inside = bytes.get(at + 1..near)?;
            let length = inside.iter().position(|byte| byte == quote)?;
            // An apostrophe without a partner inside the tag opens nothing.
            let tag = inside.get(..length)?;
            (!tag.contains(&b'\n')).then_some(length + 2)
        });
        at += quoted.unwrap_or(1);
    }
    text.get(from..)?.find(mark).map(|at| from + at + 2)
}

/// Where the text continues after the tag with that name.
fn behind(text: &str, from: usize, name: &str) -> Option<usize> {
    let mut at = from;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("{%")) {
        let start = at + found;
        let inside = text.cut(start + 2..);
        let inside = inside.strip_prefix('-').unwrap_or(inside).trim_start();
        let rest = inside.strip_prefix(name).map(str::trim_start);
        let rest = rest.map(|rest| rest.strip_prefix('-').unwrap_or(rest));
        if let Some(rest) = rest.and_then(|rest| rest.strip_prefix("%}")) {
            return Some(text.len() - rest.len());
        }
        at = start + 2;
    }
    None
}

/// Maximum number of brackets that are open at once.
fn nesting(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'(' => open += 1,
            b']' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// For each piece, the number of pieces inside it up to its end.
fn costs(pieces: &[Piece<'_>]) -> Result<Vec<usize>, Fault> {
    const BLOCKS: [&str; 7] = ["if", "unless", "case", "for", "tablerow", "capture", "ifchanged"];
    let mut costs = vec![0; pieces.len()];
    // Blocks that are open, each with how deep it makes the library go.
    let mut open: Vec<(usize, &str, usize)> = Vec::new();
    let mut depth = 0_usize;
    for (number, piece) in pieces.iter().enumerate() {
        let mut deeper = 0;
        if BLOCKS.contains(&piece.name) {
            open.push((number, piece.name, 1));
            deeper = 1;
        } else if piece.name == "elsif"
            && let Some((_, _, levels)) = open.last_mut()
        {
            // Parsed as a condition nested in the previous one.
            *levels += 1;
            deeper = 1;
        } else if let Some(ended) = piece.name.strip_prefix("end")
            && open.last().is_some_and(|(_, name, _)| *name == ended)
            && let Some((opened, _, levels)) = open.pop()
        {
            costs[opened] = number - opened;
            depth = depth.saturating_sub(levels);
        }
        depth += deeper;
        if depth > DEPTH {
            let message = format!("tags are nested more than {DEPTH} deep here");
            let hint = "move some of them to a file in `_includes`";
            return Err(Fault::new(piece.place.clone(), message).hint(hint));
        }
    }
    // A block that is never closed contains everything after it.
    for (opened, ..) in open {
        costs[opened] = pieces.len() - opened;
    }
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(text: &str) -> Result<String, Fault> {
        let files = [("a/b.html".to_owned(), 3)].into();
        let address = |path: &str| (path == "_notes/a.md").then(|| "/a".to_owned());
        let place = |at: usize| at + 100;
        let names = Names { files: &files, address: &address, place: Some(&place) };
        let mut aside = Aside::default();
        let out = prepared(text, &names, &mut aside)?;
        Ok(aside.back(&out, usize::MAX).expect("short"))
    }

    #[test]
    fn tags_are_told_where_they_stand_and_what_a_turn_costs() {
        for (text, made) in [
            ("a {{ b }} {% if c %}d{% endif %}", "a {{ b }} {% if c %}d{% endif %}"),
            ("{%for x in y%}{{x}}{%endfor%}", "{% for 101 2 x in y %}{{x}}{%endfor%}"),
            ("ü{%- assign a = '%}' -%}  b", "ü{%- assign 103 a = '%}' -%}b"),
            ("{% include a/b.html c=\"d e\" %}", "{% include 101 3 c=\"d e\" %}"),
            ("[a]({% link _notes/a.md %})", "[a](/a)"),
            ("{% raw %}{% for {{ {% endraw %}{{ a }}", "{% raw %}{% for {{ {% endraw %}{{ a }}"),
            ("{% comment %}{{ {%- endcomment -%}", "{% comment %}{{ {%- endcomment -%}"),
            ("{{ don't }} it's {{ x }}", "{{ don't }} it's {{ x }}"),
        ] {
            assert_eq!(ready(text).as_deref(), Ok(made), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_tag_is_said_at_its_place() {
        let deep = DEPTH + 1;
        let (ifs, elsifs) = ("{% if a %}".repeat(deep), "{% elsif a %}".repeat(deep));
        let (brackets, ors) = ("a[".repeat(deep), "a or ".repeat(JOINED + 1));
        let long = "a".repeat(LONGEST);
        for (text, place, message) in [
            ("a {{ b", 2, "never closed"),
            ("a {% b }}", 2, "never closed"),
            ("{% raw %}", 0, "never closed"),
            ("{% include c.html %}", 0, "`c.html` cannot be included"),
            ("{% include 3 %}", 0, "`3` cannot be included"),
            ("{% link b.md %}", 0, "there is no note or page `b.md`"),
            (&*ifs, 10 * DEPTH, "nested more than"),
            (&*format!("{{% if a %}}{elsifs}"), 10 + 13 * (DEPTH - 1), "nested more than"),
            (&*format!("{{{{ {brackets} }}}}"), 0, "brackets"),
            (&*format!("{{% if {ors} %}}"), 0, "conditions"),
            (&*format!("{{{{ {long} }}}}"), 0, "bytes"),
        ] {
            let fault = ready(text).expect_err(message);
            assert!(fault.problem.message.contains(message), "{fault:?}");
            assert_eq!(fault.span.start, place, "{fault:?}");
        }
    }

    #[test]
    fn a_text_is_read_once_however_many_tags_are_left_open_or_blanks_are_in_it() {
        // Each of these took minutes when every tag was looked for anew.
        for text in ["{% ".repeat(100_000), "{{ '".repeat(100_000), "{% raw %}{%".repeat(100_000)] {
            assert!(ready(&text).is_err());
        }
        let blank = format!("a{}{{{{ b }}}}{}\n", " ".repeat(1_000_000), "\n".repeat(1000));
        assert_eq!(ready(&blank), Ok(blank));
    }
}
