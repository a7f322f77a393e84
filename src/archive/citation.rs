//! `CITATION.cff`: how to cite the garden, in the Citation File Format 1.2.0.

use std::fmt::Write as _;

use jiff::civil::Date;

use crate::author::Author;
use crate::config::{Config, License};

/// The file's name.
pub(super) const FILE: &str = "CITATION.cff";

/// A text in double quotes, which YAML reads as JSON does.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn author(author: &Author) -> String {
    let mut fields = Vec::new();
    match author.parts() {
        // An entity has no affiliation in this format.
        (_, name) if author.is_organization => fields.push(("name", name.to_owned())),
        (given, family) => {
            fields.push(("family-names", family.to_owned()));
            if !given.is_empty() {
                fields.push(("given-names", given.to_owned()));
            }
            fields.extend(author.affiliation.clone().map(|of| ("affiliation", of)));
        }
    }
    fields.extend(author.orcid_url().map(|url| ("orcid", url)));
    fields.extend(author.url.clone().map(|url| ("website", url)));
    let lines = fields.iter().map(|(name, value)| format!("{name}: {}\n", quoted(value)));
    let lines: Vec<String> = lines.collect();
    format!("  - {}", lines.join("    "))
}

/// The file's text; `None` if the garden names no authors, whom the format demands.
pub(super) fn cff(config: &Config, date: Date, license: &License) -> Option<String> {
    if config.authors.is_empty() {
        return None;
    }
    let mut out = String::from("cff-version: 1.2.0\n");
    let message = "If you use these notes or their figures, please cite them as below.";
    let _ = writeln!(out, "message: {}", quoted(message));
    let _ = writeln!(out, "type: dataset\ntitle: {}", quoted(&config.title));
    if let Some(description) = &config.description {
        let _ = writeln!(out, "abstract: {}", quoted(description));
    }
    out.push_str("authors:\n");
    config.authors.iter().for_each(|one| out.push_str(&author(one)));
    let _ = writeln!(out, "date-released: {date}");
    let ids: Option<Vec<&str>> = license.terms.iter().map(|terms| terms.id.as_deref()).collect();
    match (ids.as_deref(), &license.terms[..]) {
        (Some([one]), _) if license.is_choice => {
            let _ = writeln!(out, "license: {one}");
        }
        // A list means any of them.
        (Some(all), _) if license.is_choice => {
            out.push_str("license:\n");
            all.iter().for_each(|id| out.push_str(&format!("  - {id}\n")));
        }
        (None, [terms]) => {
            let _ = writeln!(out, "license-url: {}", quoted(&terms.url));
        }
        // Terms that all apply, or with an exception, cannot be stated in this format.
        _ => {}
    }
    if let Some(url) = config.absolute("") {
        let _ = writeln!(out, "url: {}", quoted(&url));
    }
    Some(out)
}
