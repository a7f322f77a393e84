//! The page of a difference, as HTML.

use std::fmt::Write as _;

use super::shared::{
    claim, count, histogram, link, list, number, picture, same, summary, text, word,
};
use crate::diff::difference::Difference;
use crate::diff::figure::FigureChange;
use crate::diff::histogram::svg;
use crate::diff::number::MOST;
use crate::diff::picture::{PictureChange, Shot};
use crate::diff::text::TextChange;
use crate::note::escape;

/// The whole page.
pub fn page(difference: &Difference) -> String {
    let title = format!("{} → {}", difference.a.text(), difference.b.text());
    document(&title, "", &body(difference))
}

/// A document with this title, more in its head, and a body.
pub fn document(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<link rel=\"stylesheet\" href=\"diff.css\">\n<script src=\"diff.js\" defer></script>\n{head}</head>\n<body>\n\
         {body}</body>\n</html>\n",
        escape(title),
    )
}

/// The content of the page.
pub fn body(difference: &Difference) -> String {
    let mut out = String::new();
    let (a, b) = (escape(&difference.a.text()), escape(&difference.b.text()));
    let _ = write!(
        out,
        "<main>\n<h1>What differs</h1>\n<p class=\"ends\"><span class=\"end\">{a}</span> → <span class=\"end\">{b}</span></p>\n<p>{}</p>\n",
        escape(&sentence(&summary(difference)))
    );
    for remark in &difference.remarks {
        let _ = writeln!(out, "<p class=\"remark\">{}</p>", code(remark));
    }
    let claims = difference.claims.iter().map(|change| {
        let (place, written) = (escape(&change.place), escape(&change.claim));
        let said = escape(&claim(change));
        format!(
            "<li class=\"{}\"><p class=\"place\">{place}</p><code>{written}</code>: {said}</li>",
            change.after
        )
    });
    section(&mut out, "claims", "Claims that changed sides", claims);
    section(
        &mut out,
        "sentences",
        "Sentences that read differently, though nobody edited them",
        difference.sentences.iter().map(|change| {
            format!(
                "<li><p class=\"place\">{}</p><p><del>{}</del></p><p><ins>{}</ins></p></li>",
                escape(&change.place),
                escape(&change.before),
                escape(&change.after)
            )
        }),
    );
    section(
        &mut out,
        "causes",
        "Why figures differ",
        difference.causes.iter().map(|group| {
            let causes: Vec<String> = group.causes.iter().map(|cause| code(cause)).collect();
            let figures = group
                .figures
                .iter()
                .map(|name| format!("<a href=\"#{}\">{}</a>", anchor(name), escape(name)));
            format!(
                "<li><details><summary>{}: {}</summary><p>{}</p></details></li>",
                count(group.figures.len(), "figure"),
                causes.join("; "),
                figures.collect::<Vec<_>>().join(", ")
            )
        }),
    );
    if !difference.figures.is_empty() {
        out.push_str("<section id=\"figures\"><h2>Figures, the largest change first</h2>\n");
        if difference.figures.iter().any(|figure| figure.change.pictures.iter().any(is_pair)) {
            out.push_str(
                "<p class=\"keys\">Pictures: <kbd>1</kbd> side by side, <kbd>2</kbd> swipe, <kbd>3</kbd> onion skin, <kbd>b</kbd> blink, \
                 <kbd>+</kbd> <kbd>−</kbd> zoom both; with a picture in focus.</p>\n",
            );
        }
        difference.figures.iter().for_each(|one| out.push_str(&figure(one)));
        out.push_str("</section>\n");
    }
    section(
        &mut out,
        "missing",
        "Missing results",
        difference.missing.iter().map(|missing| {
            let side = if missing.side == "a" { &difference.a } else { &difference.b };
            let hint = if missing.hint.is_empty() {
                String::new()
            } else {
                format!("<p class=\"hint\">{}</p>", code(&missing.hint))
            };
            format!(
                "<li><code>{}</code> in {}: {}{hint}</li>",
                escape(&missing.figure),
                escape(&side.text()),
                code(&missing.why)
            )
        }),
    );
    section(&mut out, "text", "Text", difference.notes.iter().map(note));
    section(
        &mut out,
        "links",
        "Links",
        difference.links.iter().map(|change| {
            let more = link(change);
            let said = if change.sentence.is_empty() {
                String::new()
            } else {
                format!("<p class=\"said\">{}</p>", escape(&change.sentence))
            };
            format!(
                "<li class=\"{0}\">{0}: <code>{1}</code> → <code>{2}</code>{more}{said}</li>",
                change.is,
                escape(&change.note),
                escape(&change.to)
            )
        }),
    );
    let _ =
        writeln!(out, "<p class=\"same\">{}</p>\n</main>", escape(&sentence(&same(difference))));
    out
}

fn section(out: &mut String, id: &str, title: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "<section id=\"{id}\"><h2>{title}</h2>\n<ul>");
    for item in items {
        let _ = writeln!(out, "{item}");
    }
    out.push_str("</ul></section>\n");
}

/// A text with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// Text in which what stands between backticks is code.
fn code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let whole = parts.len() % 2 == 1;
    let part = |(at, part): (usize, &&str)| match at % 2 == 1 && whole {
        true => format!("<code>{}</code>", escape(part)),
        false => escape(part),
    };
    parts.iter().enumerate().map(part).collect()
}

fn anchor(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("f-{}", name.chars().map(plain).collect::<String>())
}

fn is_pair(change: &PictureChange) -> bool {
    change.before.is_some() && change.after.is_some()
}

fn figure(figure: &FigureChange) -> String {
    let name = figure.name();
    let is = if figure.is == "changed" { "" } else { figure.is };
    let mut out = format!(
        "<article id=\"{}\"><h3><code>{}</code> <span class=\"kind\">{} {is}</span></h3><p class=\"place\">{}</p>\n",
        anchor(&name),
        escape(&name),
        escape(&figure.kind),
        escape(&figure.place)
    );
    if !figure.causes.is_empty() {
        let causes: Vec<String> = figure.causes.iter().map(|cause| code(cause)).collect();
        let _ = writeln!(out, "<p>Because of {}.</p>", causes.join("; "));
    }
    let change = &figure.change;
    let (pairs, alone): (Vec<_>, Vec<_>) =
        change.pictures.iter().partition(|change| is_pair(change));
    pairs.iter().for_each(|pair| out.push_str(&pictures(pair)));
    for (what, is) in [("Pictures that came", "new"), ("Pictures that went", "gone")] {
        let some: Vec<_> = alone.iter().filter(|change| change.is == is).collect();
        if !some.is_empty() {
            let shown: String = some
                .iter()
                .filter_map(|one| {
                    one.after.as_ref().or(one.before.as_ref()).map(|shot| image(shot, &one.alt))
                })
                .collect();
            let _ = writeln!(out, "<p>{what}</p><div class=\"strip\">{shown}</div>");
        }
    }
    for one in &change.histograms {
        let _ = writeln!(
            out,
            "<figure>{}<figcaption><span class=\"before\">before</span>, <span class=\"after\">after</span>: {}</figcaption></figure>",
            svg(one),
            escape(&histogram(one))
        );
    }
    let mut rows = String::new();
    let mut row = |path: &str, text: &str| {
        let _ = write!(
            rows,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td></tr>",
            escape(path),
            escape(text)
        );
    };
    change.words.iter().take(MOST).for_each(|one| row(&one.path, &word(one)));
    change.lists.iter().for_each(|one| row(&one.path, &list(one)));
    change.numbers.iter().take(MOST).for_each(|one| row(&one.path, &number(one)));
    if !rows.is_empty() {
        let _ = writeln!(out, "<div class=\"wide\"><table><tbody>{rows}</tbody></table></div>");
    }
    if let more @ 1.. = change.numbers.len().saturating_sub(MOST) {
        let _ = writeln!(
            out,
            "<p>{} more, which <code>--format json</code> lists.</p>",
            count(more, "number")
        );
    }
    if let Some(noise) = &figure.noise {
        let _ = writeln!(
            out,
            "<p class=\"remark\">Distance of the pictures: {}.</p>",
            code(&noise.said)
        );
    }
    out + "</article>\n"
}

fn image(shot: &Shot, alt: &str) -> String {
    format!(
        "<img src=\"{}\" alt=\"{}\" width=\"{}\" height=\"{}\" loading=\"lazy\">",
        escape(&shot.file),
        escape(alt),
        shot.width,
        shot.height
    )
}

/// Two pictures, which the script shows in several ways; without it, side by side.
fn pictures(change: &PictureChange) -> String {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return String::new() };
    let alt = |when: &str| format!("{when}: {}", change.alt);
    format!(
        "<div class=\"compare side\" tabindex=\"0\" role=\"group\" aria-label=\"Picture {} before and after\">\
         <div class=\"pair\"><div class=\"a\">{}</div><div class=\"b\">{}</div></div><p class=\"says\">{}</p></div>\n",
        change.at + 1,
        image(before, &alt("Before")),
        image(after, &alt("After")),
        escape(&sentence(&picture(change))),
    )
}

fn note(change: &TextChange) -> String {
    let mut out = format!("<li><code>{}</code>: {}", escape(&change.note), escape(&text(change)));
    for passage in &change.passages {
        if change.rewritten {
            let columns =
                passage.pieces.iter().map(|piece| format!("<pre>{}</pre>", escape(&piece.text)));
            let _ = write!(
                out,
                "<details><summary>before and after</summary><div class=\"columns\">{}</div></details>",
                columns.collect::<String>()
            );
            continue;
        }
        let pieces = passage.pieces.iter().map(|piece| match piece.is {
            "gone" => format!("<del>{}</del>", escape(&piece.text)),
            "new" => format!("<ins>{}</ins>", escape(&piece.text)),
            _ => escape(&piece.text),
        });
        let _ = write!(
            out,
            "<p class=\"passage\"><span class=\"place\">line {}</span> {}</p>",
            passage.line,
            pieces.collect::<String>()
        );
    }
    out + "</li>"
}
