//! Rewrites kramdown syntax that CommonMark reads differently.

use neuronotes_core::cut::Cut as _;

/// Elements that begin a block of HTML and that kramdown reads up to their end tag.
const BLOCKS: [&str; 22] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "div",
    "dl",
    "fieldset",
    "figure",
    "footer",
    "form",
    "header",
    "main",
    "nav",
    "ol",
    "p",
    "section",
    "table",
    "ul",
    "iframe",
    "video",
];

/// Whether a text has a block of HTML with empty lines in it, or with text directly after it.
pub fn is_loose(text: &str) -> bool {
    tight(text) != text
}

/// Removes empty lines from blocks of HTML, where CommonMark would end the block, and adds one after each block.
pub fn tight(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<(&str, i64)> = None;
    let mut ended = false;
    for line in text.split_inclusive('\n') {
        let name = open.map(|(name, _)| name).or_else(|| opening(line));
        let Some(name) = name else {
            let bare = line.trim();
            if std::mem::take(&mut ended) && !bare.is_empty() && !bare.starts_with('<') {
                out.push('\n');
            }
            out.push_str(line);
            continue;
        };
        ended = false;
        let depth = open.map_or(0, |(_, depth)| depth) + balance(line, name);
        if !line.trim().is_empty() {
            out.push_str(line);
        }
        open = (depth > 0).then_some((name, depth));
        ended |= open.is_none();
    }
    // An unclosed element is not such a block.
    if open.is_some() { text.to_owned() } else { out }
}

/// The element that opens a block of HTML on a line.
fn opening(line: &str) -> Option<&'static str> {
    let rest = line.trim_end().strip_prefix('<')?;
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?.to_ascii_lowercase();
    let is_markdown = rest.split('>').next().is_some_and(|tag| tag.contains("markdown="));
    BLOCKS.into_iter().find(|block| *block == name && !is_markdown)
}

/// The number of opening minus closing tags of that name on a line.
fn balance(line: &str, name: &str) -> i64 {
    let line = line.to_ascii_lowercase();
    let count = |before: &str| {
        let tag = format!("{before}{name}");
        let ends =
            line.match_indices(&tag).map(|(at, _)| line.cut(at + tag.len()..).chars().next());
        let tags = ends.filter(|next| next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-'));
        i64::try_from(tags.count()).unwrap_or(0)
    };
    count("<") - count("</")
}

/// Removes kramdown's attribute lists: `{: .internal-link}` after a link or on a line of its own, and a list item
/// that stands for a table of contents.
pub fn without_lists(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if bare.starts_with("{:")
            && bare.ends_with('}')
            && !bare.cut(2..bare.len() - 1).contains('}')
        {
            if bare == "{:toc}" && lines.last().is_some_and(|line| is_item(line)) {
                lines.pop();
            }
            continue;
        }
        lines.push(without_list(line));
    }
    lines.concat()
}

fn without_list(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut ticks = 0;
    while let Some(at) = rest.find("{:") {
        // If this list is not closed, no later one is.
        let Some(end) = rest.cut(at..).find('}').map(|end| at + end + 1) else { break };
        let before = rest.cut(..at);
        let follows = before.ends_with([')', ']', '*', '_', '`', '>']);
        ticks += before.matches('`').count();
        let in_code = ticks % 2 == 1;
        let kept = if follows && !in_code { at } else { at + 2 };
        out.push_str(rest.cut(..kept));
        rest = rest.cut(if kept == at { end } else { kept }..);
    }
    out.push_str(rest);
    out
}

fn is_item(line: &str) -> bool {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.starts_with("* ")
        || line.starts_with("- ")
        || digits.len() < line.len() && digits.starts_with(". ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_html_is_one_up_to_its_end() {
        assert_eq!(
            tight("<ul>\n\n    <li>a</li>\n  \n</ul>\nText\n"),
            "<ul>\n    <li>a</li>\n</ul>\n\nText\n"
        );
        assert_eq!(
            tight("<div>\n\n<div>\n\n</div>\n\n</div>\n\nText\n"),
            "<div>\n<div>\n</div>\n</div>\n\nText\n"
        );
        for kept in [
            "<b>a</b>\n\nText\n",
            "<p>a</p>\n\n<p>b</p>\n",
            "a <div>\n\n</div>\n",
            "<div>\n\nnever closed\n",
            "<div markdown=\"1\">\n\n*a*\n\n</div>\n",
        ] {
            assert_eq!(tight(kept), kept);
        }
    }

    #[test]
    fn lists_of_attributes_are_left_out() {
        assert_eq!(
            without_lists("[a](/b){: .internal-link}. ![c](d){:width=\"3\"}\n"),
            "[a](/b). ![c](d)\n"
        );
        assert_eq!(without_lists("# A\n{: .x #y}\n\n* TOC\n{:toc}\n\nB\n"), "# A\n\n\nB\n");
        for kept in ["`[a](b){: .c}`\n", "a {: b }\n", "{: open\n"] {
            assert_eq!(without_lists(kept), kept);
        }
    }
}
