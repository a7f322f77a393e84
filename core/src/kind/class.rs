//! Classes: what an image is told apart by, as a block names them and as the lab gets them.

use serde::{Deserialize, Serialize};

/// One class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// What it is called in the figure, and what an image's label is compared with.
    pub label: String,
    /// What prompts call it: each is put into each template, and all the embeddings are averaged.
    pub names: Vec<String>,
}

impl Class {
    /// The prompts of this class: each name in each template, in this order.
    pub fn prompts<'a>(&'a self, templates: &'a [String]) -> impl Iterator<Item = String> + 'a {
        self.names.iter().flat_map(|name| filled(name, templates))
    }
}

/// The place in a template that a text is put into.
pub const PLACE: &str = "{}";

/// A text in each template.
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
