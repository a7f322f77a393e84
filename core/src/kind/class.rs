//! Classes of a classification, as in a block and in a request.

use serde::{Deserialize, Serialize};

/// One class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its name in the figure, with which an image's label is compared.
    pub label: String,
    /// Its names in prompts: each is inserted into each template, and all embeddings are averaged.
    pub names: Vec<String>,
}

impl Class {
    /// The prompts of this class: each name in each template.
    pub fn prompts<'a>(&'a self, templates: &'a [String]) -> impl Iterator<Item = String> + 'a {
        self.names.iter().flat_map(|name| filled(name, templates))
    }
}

/// The placeholder for a text in a template.
pub const PLACE: &str = "{}";

/// A text inserted into each template.
pub fn filled<'a>(text: &'a str, templates: &'a [String]) -> impl Iterator<Item = String> + 'a {
    templates.iter().map(move |template| template.replace(PLACE, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_meets_every_template() {
        let class = Class { label: "cat".into(), names: vec!["cat".into(), "kitten".into()] };
        let templates = ["a {}.".to_owned(), "{}".to_owned()];
        let prompts: Vec<String> = class.prompts(&templates).collect();
        assert_eq!(prompts, ["a cat.", "cat", "a kitten.", "kitten"]);
    }
}
