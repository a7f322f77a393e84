//! Minifies CSS: removes comments and unnecessary white space. It only knows strings and comments.

use neuronotes_core::cut::Cut as _;

/// `css` without comments, and without white space around `{`, `}`, `;` and `,` or after `:`.
pub fn minified(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    let mut space = false;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '"' | '\'' => string(rest),
            '/' if rest.starts_with("/*") => {
                rest = rest.find("*/").map_or("", |end| rest.cut(end + 2..));
                space = true;
                continue;
            }
            _ if next.is_ascii_whitespace() => {
                rest = rest.trim_ascii_start();
                space = true;
                continue;
            }
            _ => next.len_utf8(),
        };
        let open = |c: char| matches!(c, '{' | '}' | ';' | ',' | '>');
        // Before a colon, white space may separate two selectors.
        let idle = out.is_empty() || out.ends_with(open) || out.ends_with(':') || open(next);
        if space && !idle {
            out.push(' ');
        }
        space = false;
        if next == '}' && out.ends_with(';') {
            out.pop();
        }
        out.push_str(rest.cut(..length));
        rest = rest.cut(length..);
    }
    out
}

/// Length of the string at the start of `rest`, including its quotation marks.
fn string(rest: &str) -> usize {
    let quote = rest.as_bytes()[0];
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        if byte == quote && !escaped {
            return at + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_idle_goes() {
        for (css, small) in [
            ("/* one */\na {\n  color: red;\n}\n", "a{color:red}"),
            ("a  b, c > d { x: y }", "a b,c>d{x:y}"),
            ("a::after { content: \"{ /* ; \\\" } \"; }", "a::after{content:\"{ /* ; \\\" } \"}"),
            ("@media (a) and (b) { c { d: e } }", "@media (a) and (b){c{d:e}}"),
            (".a :is(b) { c: d }", ".a :is(b){c:d}"),
            ("a /* open", "a"),
            ("a { b: 'c", "a{b:'c"),
            ("", ""),
        ] {
            assert_eq!(minified(css), small);
            assert_eq!(minified(small), small);
        }
    }
}
