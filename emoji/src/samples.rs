//! The JSON descriptions of pictures and words in `train.tar`, and their keys.

use serde::{Deserialize, Serialize};

/// A sample's description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Description {
    /// A drawing with straight alpha.
    Picture {
        /// The concept.
        name: String,
        /// Style of the drawing: `noto`.
        style: String,
        /// Whether it is held out from training.
        held_out: bool,
    },
    /// A mask of text.
    Word {
        /// The concept.
        name: String,
        /// The font face: `Roboto 400`.
        style: String,
        /// The text as drawn.
        text: String,
        /// Whether it is held out from training.
        held_out: bool,
    },
}

/// A name, style or font face as part of a key: `red-apple`.
pub fn slug(text: &str) -> String {
    text.to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_as_the_readme_has_them() -> serde_json::Result<()> {
        let word = Description::Word {
            name: "red apple".to_owned(),
            style: "Roboto 400".to_owned(),
            text: "RED APPLE".to_owned(),
            held_out: false,
        };
        assert_eq!(
            serde_json::to_string(&word)?,
            r#"{"kind":"word","name":"red apple","style":"Roboto 400","text":"RED APPLE","held_out":false}"#
        );
        let picture = Description::Picture {
            name: "red apple".to_owned(),
            style: "noto".to_owned(),
            held_out: true,
        };
        assert_eq!(
            serde_json::to_string(&picture)?,
            r#"{"kind":"picture","name":"red apple","style":"noto","held_out":true}"#
        );
        Ok(())
    }
}
