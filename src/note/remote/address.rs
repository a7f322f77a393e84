//! Decides whether a browser would load an address from another host or run it.
//!
//! Addresses are parsed as browsers do (<https://url.spec.whatwg.org/>): surrounding spaces, tabs and line breaks,
//! upper case, and `\` for `/` make no difference.

use neuronotes_core::cut::Cut as _;

/// Effects of an address that must not happen unannounced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It loads from another host.
    Remote,
    /// It runs a script.
    Script,
}

/// Schemes that reach other hosts. On some systems `file:` does so too.
const HOSTS: [&str; 7] = ["http", "https", "ws", "wss", "ftp", "ftps", "file"];

/// The effect when a browser loads the address.
pub fn loaded(address: &str) -> Option<Reach> {
    let address = plain(address);
    match scheme(&address) {
        Some(scheme) if HOSTS.contains(&scheme) => Some(Reach::Remote),
        Some("javascript" | "vbscript" | "livescript") => Some(Reach::Script),
        Some(_) => None,
        None => address.starts_with("//").then_some(Reach::Remote),
    }
}

/// The effect when a person follows the address, or when it is shown as a page of its own.
pub fn followed(address: &str) -> Option<Reach> {
    let address = plain(address);
    let is_page = |rest: &str| {
        let kind = rest.split([',', ';']).next().unwrap_or_default().trim();
        kind.ends_with("html") || kind.ends_with("xml") || kind.contains("javascript")
    };
    match (scheme(&address)?, address.split_once(':')) {
        ("javascript" | "vbscript" | "livescript", _) => Some(Reach::Script),
        ("data", Some((_, rest))) if is_page(rest) => Some(Reach::Script),
        _ => None,
    }
}

/// Length of an address in CSS that decides, after tabs and line breaks were removed.
const SCHEME: usize = 64;
/// Length of an address that decides.
const LONGEST: usize = 1024;

/// The beginning of an address as a browser reads it.
fn plain(address: &str) -> String {
    let address = address.trim_start_matches(|c: char| c <= ' ');
    let kept = address.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r'));
    let kept = kept.take(LONGEST);
    kept.map(|c| if c == '\\' { '/' } else { c.to_ascii_lowercase() }).collect()
}

fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once(':')?;
    let named = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(named))
        .then_some(scheme)
}

/// The addresses in a `srcset`, as written.
pub fn of_set(set: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = set;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            return all;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let address = rest.cut(..end);
        rest = rest.cut(end..);
        all.push(address.trim_end_matches(','));
        if !address.ends_with(',') {
            rest = rest.split_once(',').map_or("", |(_, rest)| rest);
        }
    }
}

/// The addresses that CSS loads.
pub fn of_style(css: &str) -> Option<(Reach, String)> {
    let css = without_escapes(css);
    let css = css.as_str();
    let low = css.to_ascii_lowercase();
    let load = |address: &str| Some((loaded(address)?, address.trim().to_owned()));
    let mut found = None;
    for name in ["url(", "src("] {
        for (at, _) in low.match_indices(name) {
            let inside = css.cut(at + name.len()..);
            let inside = start(inside.trim_start().trim_start_matches(['"', '\'']));
            let end = inside.find(['"', '\'', ')']).unwrap_or(inside.len());
            found = found.or_else(|| load(inside.cut(..end)));
        }
    }
    if ["@import", "image-set(", "image("].into_iter().any(|name| low.contains(name)) {
        // Addresses may stand in quotes alone.
        for (at, quote) in css.match_indices(['"', '\'']) {
            let inside = start(css.cut(at + 1..));
            let end = inside.find(quote).unwrap_or(inside.len());
            found = found.or_else(|| load(inside.cut(..end)));
        }
    }
    found
}

/// The beginning of a text, which decides where an address leads.
fn start(text: &str) -> &str {
    let text = text.trim_start();
    let end = (0..=SCHEME.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.cut(..end.unwrap_or(0))
}

/// CSS with escapes such as `\75` for `u` resolved.
fn without_escapes(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            // Browsers ignore tabs in addresses.
            out.extend(Some(c).filter(|c| *c != '\t'));
            continue;
        }
        let mut code = String::new();
        while let Some(digit) = rest.next_if(|c| code.len() < 6 && c.is_ascii_hexdigit()) {
            code.push(digit);
        }
        if code.is_empty() {
            out.extend(rest.next().filter(|c| *c != '\n'));
        } else {
            rest.next_if(|c| c.is_whitespace());
            let c = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
            out.extend(c.filter(|c| !matches!(c, '\t' | '\n' | '\r')));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_browsers_read_them() {
        for remote in [
            "https://a.org/x.png",
            "HTTP://a.org",
            " \u{1}\thttps://a.org",
            "ht\ntps:\t//a.org",
            "//a.org/x",
            "\\\\a.org\\x",
            "/\t/a.org",
            "/\\a.org",
            "https:a.org",
            "wss://a.org",
            "file://a/x",
        ] {
            assert_eq!(loaded(remote), Some(Reach::Remote), "{remote:?}");
            assert_eq!(followed(remote), None, "a link to another site is one");
        }
        for script in ["javascript:alert(1)", " JaVa\nscript:x", "vbscript:x", "\u{1}javascript:"] {
            assert_eq!(
                (loaded(script), followed(script)),
                (Some(Reach::Script), Some(Reach::Script))
            );
        }
        for page in ["data:text/html,<b>", "DATA:Text/HTML;base64,xx", "data:image/svg+xml,<svg>"] {
            assert_eq!((loaded(page), followed(page)), (None, Some(Reach::Script)), "{page}");
        }
        for own in [
            "a.png",
            "/a//b.png",
            "a/b:c",
            "data:image/png;base64,//8A",
            "#x",
            "",
            "mailto:a@b",
            "./http:x",
        ] {
            assert_eq!((loaded(own), followed(own)), (None, None), "{own}");
        }
    }

    #[test]
    fn every_address_of_a_set_is_found() {
        assert_eq!(
            of_set("a.png, https://b/c,d.png 2x , data:image/png;base64,//x 3x,e"),
            ["a.png", "https://b/c,d.png", "data:image/png;base64,//x", "e"]
        );
        assert_eq!(of_set(" , "), [""; 0]);
    }

    #[test]
    fn styles_load_what_they_name_however_it_is_written() {
        for css in [
            "background: url(https://a.org/x)",
            "background:URL( '//a.org/x' )",
            "a{b:\\75 rl(\"ht\\74ps://a.org\")}",
            "@import 'https://a.org/x.css';",
            "@import url(//a.org);",
            "background: image-set(\"a.png\" 1x, \"https://a.org/x\" 2x)",
            "background: url(h\\9 \\a ttps://a.org)",
            "background: url( \"\tht\t\ttps://a.org\")",
            "url(\"/*\") url(https://a.org) \"*/\"",
        ] {
            assert_eq!(of_style(css).map(|found| found.0), Some(Reach::Remote), "{css}");
        }
        for css in [
            "color: red",
            "background: url(a.png)",
            "url(data:image/png;base64,//8)",
            "content: 'https://a'",
            "\\",
        ] {
            assert_eq!(of_style(css), None, "{css}");
        }
    }
}
