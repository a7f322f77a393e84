//! The page shown instead of one that cannot be rendered because of an error in a template or in the program. It uses
//! no template, only the garden's style sheet, and reloads once the error is fixed.

use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::note::escape;

/// The page, for a request so many folders deep; `stylesheet` is relative to the site's root.
pub fn page(problem: &Diagnostic, depth: usize, stylesheet: &str) -> String {
    let root = "../".repeat(depth);
    let hint = problem
        .hint
        .as_ref()
        .map(|hint| format!("<p class=\"problem-hint\"><b>hint:</b> {}</p>\n", escape(hint)));
    let (title, until) = match problem.hint.as_deref() {
        Some(guard::HINT) => ("Internal error", "its cause is fixed"),
        _ => ("Template error", "the template is fixed"),
    };
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="{root}{style}">
<script src="{root}-/preview.js" defer></script>
</head>
<body>
<main id="main" class="page">
<header class="opening"><h1>{title}</h1></header>
<article class="note">
<div class="problem problem-error">
<p class="problem-head"><b>error</b> <code>{place}</code></p>
<p class="problem-message">{message}</p>
{hint}</div>
<p>This page appears as soon as {until}.</p>
</article>
</main>
</body>
</html>
"#,
        style = escape(stylesheet),
        place = escape(&problem.place()),
        message = escape(&problem.message),
        hint = hint.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_wrong_and_finds_its_style_from_any_folder() {
        let problem = Diagnostic::of_file("templates/a.html", "no <b> here");
        let page = page(&problem.hint("try `<i>`".to_owned()), 2, "style-1.css");
        for part in [
            "href=\"../../style-1.css\"",
            "src=\"../../-/preview.js\"",
            "<code>templates/a.html:1:1</code>",
            "no &lt;b&gt; here",
            "<b>hint:</b> try `&lt;i&gt;`",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }
}
