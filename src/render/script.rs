//! Minifies JavaScript: removes whole-line comments, indentation and empty lines. It knows nothing else of
//! JavaScript: comments after code stay, and so do lines in template literals.

/// `script` without comment lines and indentation.
pub fn minified(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut literal = false;
    let mut comment = false;
    for line in script.lines() {
        let text = line.trim();
        if literal {
            out.push_str(line);
            out.push('\n');
        } else if comment || text.starts_with("/*") {
            comment = !text.contains("*/");
            continue;
        } else if !(text.is_empty() || text.starts_with("//")) {
            out.push_str(text);
            out.push('\n');
        }
        // An odd number of backticks opens a literal, or closes one.
        literal ^= line.matches('`').count() % 2 == 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_and_indents_go() {
        let script = "// one\n/* two\n three */\n  const a = 1; // stays\n\n    f(`x\n  // y\n`);\n  /* z */\n  g();\n";
        let small = "const a = 1; // stays\nf(`x\n  // y\n`);\ng();\n";
        assert_eq!(minified(script), small);
        assert_eq!(minified(small), small);
    }
}
