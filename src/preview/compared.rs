//! What differs in a note since its last commit or an earlier one, as a page of the preview.

use std::path::Path;

use axum::http::StatusCode;
use neuronotes_core::digest::Digest;

use crate::diff::{self, End, report};
use crate::note::escape;

/// The page about the note whose page is at `address`, relative to the site's root, since a revision; with a status if there
/// is no such note.
pub fn page(root: &Path, address: &str, since: String) -> (StatusCode, String) {
    let options = diff::Options { drafts: true, frozen: false };
    let ends = (End::Revision(since), End::Worktree);
    let mut sides = match diff::open(root, (&ends.0, &ends.1), options) {
        Ok(sides) => sides,
        Err(problem) => {
            let hint = problem.hint.unwrap_or_default();
            return (StatusCode::OK, said(address, &problem.message, &hint));
        }
    };
    let site = &sides.b.site;
    let pages = &site.assembled().pages;
    let shown = |page: &String| *page == address || page.strip_suffix(".html") == Some(address);
    let Some(path) = pages.iter().position(shown).map(|at| site.read_notes()[at].path.clone())
    else {
        return (StatusCode::NOT_FOUND, said(address, "this page is of no note", ""));
    };
    let mut difference = diff::compare_note(&mut sides, &path);
    for picture in difference.figures.iter_mut().flat_map(|figure| &mut figure.change.pictures) {
        for shot in picture.before.iter_mut().chain(&mut picture.after) {
            let ending = shot.file.rsplit_once('.').map_or("png", |(_, ending)| ending);
            shot.file = format!("blob/{}.{ending}", shot.digest);
        }
    }
    (StatusCode::OK, framed(address, &report::page::body(&difference)))
}

/// The digest and the media type of a picture of such a page.
pub fn blob(name: &str) -> Option<(Digest, &'static str)> {
    let (digest, ending) = name.split_once('.')?;
    let media_type = match ending {
        "png" => "image/png",
        "webp" => "image/webp",
        "jpg" => "image/jpeg",
        "gif" => "image/gif",
        _ => return None,
    };
    Some((digest.parse().ok()?, media_type))
}

fn said(address: &str, message: &str, hint: &str) -> String {
    let hint =
        if hint.is_empty() { String::new() } else { format!("<p>hint: {}</p>", escape(hint)) };
    let body = format!("<main><h1>What differs</h1><p>{}</p>{hint}</main>\n", escape(message));
    framed(address, &body)
}

fn framed(address: &str, body: &str) -> String {
    let extra =
        format!("<script src=\"compared.js\" defer data-page=\"{}\"></script>\n", escape(address));
    let back = format!(
        "<nav><a href=\"../{}\">Back to the page</a> <kbd>d</kbd></nav>\n",
        escape(&encoded(address))
    );
    report::page::document(&format!("Changes in {address}"), &extra, &format!("{back}{body}"))
}

/// What a path in an address has to be written differently for.
const SET: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// A path as part of an address.
fn encoded(path: &str) -> String {
    let encoded = percent_encoding::utf8_percent_encode(path, SET);
    encoded.to_string()
}
