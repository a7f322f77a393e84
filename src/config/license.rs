//! `license:` of the configuration: under which terms the garden may be used.

use super::settings::Settings;
use super::url::absolute_url;
use crate::yaml::Entry;
use neuronotes_core::suggest;

/// A licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// As written: `CC-BY-4.0`, `MIT OR Apache-2.0`, or an address.
    pub written: String,
    /// Each licence that it names.
    pub terms: Vec<Terms>,
    /// Whether readers may choose one of them, which is also said of a single one.
    pub is_choice: bool,
}

/// The terms of one licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Its identifier in the SPDX list; `None` for an address.
    pub id: Option<String>,
    /// Its full name; the address if it is known by that alone.
    pub name: String,
    /// The address of its text.
    pub url: String,
}

impl License {
    /// Reads an SPDX expression or an address; `None` if it is neither.
    fn read(written: &str) -> Option<Self> {
        let written = written.trim();
        if let Some(url) = absolute_url(written) {
            // The canonical addresses of Creative Commons end in a slash.
            let url = if written.ends_with('/') { format!("{url}/") } else { url };
            let terms = vec![Terms { id: None, name: url.clone(), url }];
            return Some(Self { written: written.to_owned(), terms, is_choice: true });
        }
        let expression = spdx::Expression::parse(written).ok()?;
        let mut terms = Vec::new();
        for named in expression.requirements() {
            let spdx::LicenseItem::Spdx { id, .. } = named.req.license else { return None };
            terms.push(Terms {
                id: Some(id.name.to_owned()),
                name: id.full_name.to_owned(),
                url: address(id.name),
            });
        }
        let is_choice = expression.iter().all(|node| match node {
            spdx::expression::ExprNode::Op(op) => *op == spdx::expression::Operator::Or,
            spdx::expression::ExprNode::Req(named) => named.req.addition.is_none(),
        });
        Some(Self { written: written.to_owned(), terms, is_choice })
    }
}

/// The address of a licence: Creative Commons' own, or else that in the SPDX list.
fn address(id: &str) -> String {
    let creative = id.strip_prefix("CC-").and_then(|rest| rest.rsplit_once('-'));
    match creative {
        Some((terms, version)) if terms.starts_with("BY") => {
            format!("https://creativecommons.org/licenses/{}/{version}/", terms.to_lowercase())
        }
        _ if id == "CC0-1.0" => "https://creativecommons.org/publicdomain/zero/1.0/".to_owned(),
        _ => format!("https://spdx.org/licenses/{id}"),
    }
}

impl Settings<'_> {
    pub(super) fn license(&mut self, entry: &Entry) -> Option<License> {
        let written = self.text(entry)?;
        let read = License::read(&written);
        if read.is_none() {
            let message = format!(
                "`{}` must be an SPDX identifier or an address, not `{written}`",
                entry.key
            );
            let names = spdx::identifiers::LICENSES.iter().map(|known| known.name);
            // `CC-BY` lacks its version: the newest one.
            let is_version =
                |name: &&str| name.starts_with(&*written) && name.len() == written.len() + 4;
            let newest = names.clone().rfind(is_version);
            let near = suggest::nearest(&written, names, 1).into_iter().next();
            let near = newest.map(str::to_owned).filter(|_| !written.is_empty()).or(near);
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "write it as `CC-BY-4.0`, as `MIT OR Apache-2.0`, or as the address of its text"
                        .to_owned()
                }
            };
            self.problems.push(self.reader.at_value(&entry.node, message).hint(hint));
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(written: &str) -> Vec<String> {
        let read = License::read(written).unwrap_or_else(|| panic!("{written} is a licence"));
        read.terms.into_iter().map(|terms| terms.url).collect()
    }

    #[test]
    fn identifiers_expressions_and_addresses_are_read() {
        assert_eq!(urls("CC-BY-4.0"), ["https://creativecommons.org/licenses/by/4.0/"]);
        assert_eq!(urls("CC-BY-NC-SA-4.0"), ["https://creativecommons.org/licenses/by-nc-sa/4.0/"]);
        assert_eq!(urls("CC0-1.0"), ["https://creativecommons.org/publicdomain/zero/1.0/"]);
        assert_eq!(
            urls("MIT OR Apache-2.0"),
            ["https://spdx.org/licenses/MIT", "https://spdx.org/licenses/Apache-2.0"]
        );
        assert_eq!(urls("https://a.org/terms/"), ["https://a.org/terms/"]);
        let is_choice = |written: &str| License::read(written).map(|read| read.is_choice);
        assert_eq!(is_choice("MIT OR Apache-2.0"), Some(true));
        assert_eq!(is_choice("MIT AND Apache-2.0"), Some(false));
        assert_eq!(is_choice("GPL-2.0-only WITH Classpath-exception-2.0"), Some(false));
        for wrong in ["", "CC-BY", "free", "MIT OR", "LicenseRef-own"] {
            assert_eq!(License::read(wrong), None, "{wrong}");
        }
    }
}
