//! Rewrites a piece of a page's HTML for use on any page: addresses relative to the site's root, no ids, no folds.

use neuronotes_core::cut::Cut as _;

use crate::page::scene::HOME;

/// Rewrites the piece `html` of a page, whose path is relative to the site's root.
pub(super) fn rebased(html: &str, page: &str) -> String {
    let html = without_folds(html);
    let mut out = String::with_capacity(html.len());
    let mut rest = &*html;
    while let Some(open) = rest.find('<') {
        out.push_str(rest.cut(..open));
        rest = rest.cut(open..);
        let end = tag_end(rest);
        tag(rest.cut(..end), page, &mut out);
        rest = rest.cut(end..);
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// Removes provenance, data, and the marks beside headings.
fn without_folds(html: &str) -> String {
    let mut text = html.to_owned();
    for (from, to) in [
        ("<details class=\"fold", "</details>"),
        (" <a class=\"anchor\"", "</a>"),
        ("<p class=\"mentions\">", "</p>"),
        ("<small class=\"sidenote\"", "</small>"),
    ] {
        let mut out = String::with_capacity(text.len());
        let mut rest = &*text;
        while let Some((before, inner)) = rest.split_once(from) {
            let Some((_, after)) = inner.split_once(to) else { break };
            out.push_str(before);
            rest = after;
        }
        out.push_str(rest);
        text = out;
    }
    text
}

/// Length of the tag at the start of `rest`.
pub(super) fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'>', None) => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Writes a tag without its id, and with addresses relative to the site's root.
fn tag(tag: &str, page: &str, out: &mut String) {
    let mut rest = tag;
    loop {
        let found =
            [" id=\"", " href=\"", " src=\"", " srcset=\"", " data-block=\"", " data-key=\""]
                .into_iter()
                .filter_map(|name| Some((rest.find(name)?, name)))
                .min();
        let Some((at, name)) = found else {
            out.push_str(rest);
            return;
        };
        out.push_str(rest.cut(..at));
        let value = rest.cut(at + name.len()..);
        let Some(end) = value.find('"') else {
            out.push_str(rest.cut(at..));
            return;
        };
        let (value, after) = (value.cut(..end), value.cut(end + 1..));
        match name {
            " href=\"" | " src=\"" => {
                out.push_str(name);
                out.push_str(&rooted(value, page));
                out.push('"');
            }
            " srcset=\"" => {
                let all: Vec<String> =
                    value.split(", ").map(|source| rooted(source, page)).collect();
                out.push_str(name);
                out.push_str(&all.join(", "));
                out.push('"');
            }
            _ => {}
        }
        rest = after;
    }
}

/// Converts an address relative to a page to one relative to the site's root.
fn rooted(address: &str, page: &str) -> String {
    let is_absolute = address.starts_with('/')
        || address.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'));
    if is_absolute {
        return address.to_owned();
    }
    if address.is_empty() || address.starts_with(['#', '?']) {
        return crate::garden::href(HOME, page, None) + address;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    let mut path = address;
    while let Some(rest) = path.strip_prefix("../") {
        parts.pop();
        path = rest;
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    parts.push(path);
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_from_the_sites_root_and_ids_are_gone() {
        let html = "<p id=\"x\"><a class=\"internal\" href=\"../b.html#c\" id=\"link-1\">b</a> <a href=\"#here\">h</a> \
                    <a href=\"https://x.org/?a=>\">x</a><img src=\"y.png\" srcset=\"y-1.png 480w, ../y.png 960w\" alt=\"a > b\"></p>";
        assert_eq!(
            rebased(html, "people/a.html"),
            "<p><a class=\"internal\" href=\"b.html#c\">b</a> <a href=\"people/a.html#here\">h</a> \
             <a href=\"https://x.org/?a=>\">x</a><img src=\"people/y.png\" srcset=\"people/y-1.png 480w, y.png 960w\" alt=\"a > b\"></p>"
        );
        assert_eq!(
            rebased("<details class=\"fold data\"><p>x</p></details><b>y</b>", "a.html"),
            "<b>y</b>"
        );
    }
}
