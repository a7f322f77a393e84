//! Truncates a piece of a page's HTML to what a reader can take in at a glance.

use neuronotes_core::cut::Cut as _;

/// Number of characters of text, about sixty words.
const MOST: usize = 300;

/// The piece truncated at the end of a sentence or word, with open elements closed; `None` if it is short enough.
pub(super) fn first(html: &str) -> String {
    let mut counted = 0;
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let at = html.len() - rest.len();
        if rest.starts_with('<') {
            let length = super::rebase::tag_end(rest);
            let tag = rest.cut(..length);
            // Formulas, figures and the like are not truncated.
            if let Some(whole) = ["math", "figure", "svg", "pre", "table", "video", "audio"]
                .into_iter()
                .find(|name| opens(tag) == Some(name))
            {
                let end = format!("</{whole}>");
                let Some(close) = rest.find(&end) else { return html.to_owned() };
                counted += if whole == "math" { 10 } else { 60 };
                rest = rest.cut(close + end.len()..);
                continue;
            }
            match opens(tag) {
                Some(name) if !is_empty(name) && !tag.ends_with("/>") => open.push(name),
                None if tag.starts_with("</") => drop(open.pop()),
                _ => {}
            }
            rest = rest.cut(length..);
            continue;
        }
        let length = rest.find('<').unwrap_or(rest.len());
        let text = rest.cut(..length);
        let characters = text.chars().count();
        if counted + characters > MOST {
            let cut = at + cut(text, MOST.saturating_sub(counted));
            return closed(html.cut(..cut).trim_end(), &open);
        }
        counted += characters;
        rest = rest.cut(length..);
    }
    html.to_owned()
}

/// Approximate number of characters of text in a piece.
pub(super) fn length(html: &str) -> usize {
    let mut count = 0;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        count += rest.cut(..at).chars().count();
        rest = rest.cut(at + super::rebase::tag_end(rest.cut(at..))..);
    }
    count + rest.chars().count()
}

/// Whether a piece has enough text.
pub(super) fn suffices(html: &str) -> bool {
    length(html) >= MOST / 2
}

/// Name of the element that a tag opens.
fn opens(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix('<')?;
    let length = inner.bytes().take_while(u8::is_ascii_alphanumeric).count();
    (length > 0).then(|| inner.cut(..length))
}

fn is_empty(name: &str) -> bool {
    matches!(name, "br" | "hr" | "img" | "input" | "wbr" | "source" | "col" | "track" | "embed")
}

/// Where to truncate a text to so many characters: after its last sentence if most of it remains, or else before a
/// word, and never within a character reference.
fn cut(text: &str, characters: usize) -> usize {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    let kept = text.cut(..end);
    let sentence = [". ", "! ", "? ", "。"].iter().filter_map(|sign| kept.rfind(sign)).max();
    if let Some(at) = sentence.filter(|at| 2 * at >= kept.len()) {
        return at + text.cut(at..).chars().next().map_or(1, char::len_utf8);
    }
    kept.rfind(char::is_whitespace).unwrap_or(0)
}

fn closed(html: &str, open: &[&str]) -> String {
    let mut out = html.to_owned();
    if !out.ends_with(['.', '!', '?', '。']) {
        out.push('…');
    }
    for name in open.iter().rev() {
        out.extend(["</", name, ">"]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_piece_is_cut_behind_a_sentence_or_a_word_and_closed() {
        assert_eq!(first("<p>Short <em>one</em>.</p>"), "<p>Short <em>one</em>.</p>");
        let words = "word ".repeat(80);
        let cut = first(&format!("<p>So <a href=\"x\">{words}</a> on.</p><p>More.</p>"));
        assert!(cut.ends_with("word…</a></p>") && length(&cut) <= MOST + 1, "{cut}");
        let sentences = "Twenty characters ab. ".repeat(20);
        let cut = first(&format!("<ul><li>{sentences}</li></ul>"));
        assert!(cut.ends_with("ab.</li></ul>") && !suffices("<p>x</p>") && suffices(&cut), "{cut}");
        let formula = format!("<p>{}<math><mi>x</mi></math> end</p>", "a ".repeat(120));
        assert_eq!(first(&formula), formula);
        assert_eq!(first(&"é".repeat(400)), "…");
    }
}
