//! `authors:` of the configuration: who wrote the notes that do not say it themselves.

use super::settings::Settings;
use super::url::absolute_url;
use crate::author::{Author, orcid};
use crate::yaml::{Entry, Node, Value};

const FIELDS: [&str; 5] = ["name", "organization", "orcid", "affiliation", "url"];

impl Settings<'_> {
    /// A list of authors, or one.
    pub(super) fn authors(&mut self, entry: &Entry) -> Vec<Author> {
        let one = std::slice::from_ref(&entry.node);
        let nodes = match &entry.node.value {
            Value::Null => return Vec::new(),
            Value::List(items) => items.as_slice(),
            _ => one,
        };
        nodes.iter().filter_map(|node| self.author(node, &entry.key)).collect()
    }

    /// A name, or a mapping with one.
    fn author(&mut self, node: &Node, field: &str) -> Option<Author> {
        let mut author = Author::default();
        let Some(entries) = node.entries() else {
            author.name = node.text().unwrap_or_default().trim().to_owned();
            if author.name.is_empty() {
                self.wrong(node, field, "a list of names, or of mappings with `name`");
            }
            return Some(author).filter(|author| !author.name.is_empty());
        };
        for entry in entries {
            let text = self.text(entry).map(|text| text.trim().to_owned());
            let text = text.filter(|text| !text.is_empty());
            match entry.key.as_str() {
                "name" => author.name = text.unwrap_or_default(),
                "organization" => {
                    author.name = text.unwrap_or_default();
                    author.is_organization = true;
                }
                "affiliation" => author.affiliation = text,
                "orcid" => {
                    if let Some(written) = text {
                        author.orcid = orcid(&written);
                        if author.orcid.is_none() {
                            let message = format!("`{written}` is not an ORCID iD");
                            let hint = "write 16 digits as 0000-0002-1825-0097; the last one is a check digit";
                            let problem = self.reader.at_value(&entry.node, message);
                            self.problems.push(problem.hint(hint));
                        }
                    }
                }
                "url" => {
                    if let Some(written) = text {
                        author.url = absolute_url(&written);
                        if author.url.is_none() {
                            self.no_url(entry, &written);
                        }
                    }
                }
                _ => self.unknown(entry, "an author", &FIELDS),
            }
        }
        if author.name.is_empty() {
            let problem = self.reader.at_value(node, "an author has no `name`");
            self.problems.push(problem.hint("write it as { name: Ada Lovelace }"));
            return None;
        }
        Some(author)
    }
}
