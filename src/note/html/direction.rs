//! Adds `dir="auto"` to a block's HTML, so that each paragraph has the direction of its own text. Used only for notes
//! with right-to-left text and on pages in such languages.

use neuronotes_core::cut::Cut as _;

use super::renderer::Renderer;

/// Elements whose direction follows from their text. Only the outermost of nested ones gets it, since text of inner
/// elements with a direction does not count for the outer one.
const OUTERMOST: [&str; 15] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "dl",
    "blockquote",
    "td",
    "th",
    "summary",
    "figcaption",
];

impl Renderer<'_, '_> {
    /// Adds directions to what was written from `start` on.
    pub(super) fn direct(&mut self, start: usize) {
        if self.parts.directed {
            let directed = directed(self.done.html.cut(start..));
            self.done.html.truncate(start);
            self.done.html.push_str(&directed);
        }
    }
}

/// `html` with `dir="auto"` on its outermost text elements; existing directions are kept.
fn directed(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 16);
    let mut rest = html;
    // The open element that has a direction, and how many of its name are open within.
    let mut open: Option<(&str, usize)> = None;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let closing = tag.starts_with("</");
        let start = if closing { 2 } else { 1 };
        let length = tag.cut(start..).bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = tag.cut(start..start + length);
        let end = end_of_tag(tag);
        match open {
            Some((own, count)) if own == name => {
                open = match (closing, count) {
                    (true, 0) => None,
                    (true, count) => Some((own, count - 1)),
                    (false, count) => Some((own, count + 1)),
                };
                out.push_str(tag.cut(..end));
            }
            None if !closing && OUTERMOST.contains(&name) => {
                open = Some((name, 0));
                out.push_str(tag.cut(..start + length));
                if !tag.cut(..end).contains(" dir=") {
                    out.push_str(" dir=\"auto\"");
                }
                out.push_str(tag.cut(start + length..end));
            }
            _ => out.push_str(tag.cut(..end)),
        }
        rest = tag.cut(end..);
    }
    out.push_str(rest);
    out
}

/// End of the tag at the start of a text; a `>` in quotes does not count.
fn end_of_tag(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (byte, quote) {
            (b'>', None) => return at + 1,
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    tag.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_elements_of_text_have_it() {
        for (html, shown) in [
            ("<p>a <em>b</em></p>", "<p dir=\"auto\">a <em>b</em></p>"),
            ("<h2 id=\"x\">a</h2>", "<h2 dir=\"auto\" id=\"x\">a</h2>"),
            (
                "<ul>\n<li><p>a</p><ul><li>b</li></ul></li>\n</ul><p>c</p>",
                "<ul dir=\"auto\">\n<li><p>a</p><ul><li>b</li></ul></li>\n</ul><p dir=\"auto\">c</p>",
            ),
            ("<blockquote><p>a</p></blockquote>", "<blockquote dir=\"auto\"><p>a</p></blockquote>"),
            (
                "<div class=\"table\"><table><tr><td>a</td><td>b</td></tr></table></div>",
                "<div class=\"table\"><table><tr><td dir=\"auto\">a</td><td dir=\"auto\">b</td></tr></table></div>",
            ),
            (
                "<p dir=\"ltr\">a</p><pre><code>b</code></pre>",
                "<p dir=\"ltr\">a</p><pre><code>b</code></pre>",
            ),
            ("<img alt=\"a > <p>\"><p>b", "<img alt=\"a > <p>\"><p dir=\"auto\">b"),
            ("a < b <", "a < b <"),
            ("", ""),
        ] {
            assert_eq!(directed(html), shown);
        }
    }
}
