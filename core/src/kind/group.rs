//! A group of pictures, as in a block and in a request: by their labels or captions in the block's data set, or by themselves.

use serde::{Deserialize, Serialize};

/// A group of pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The pictures of the block's data set with one of these labels, as written there.
    Labels(Vec<String>),
    /// The pictures of the block's data set whose caption contains one of these, as whole words and in any case.
    Captions(Vec<String>),
    /// All pictures of a data set: its name in a block, the digest of its content in a request.
    Dataset(String),
    /// Pictures: their paths in a block, the digests of their bytes in a request.
    Images(Vec<String>),
    /// Words, each drawn as a picture.
    Words(Vec<String>),
}

/// The names of the forms of a group in a block.
pub const FORMS: [&str; 5] = ["labels", "captions", "dataset", "images", "words"];
/// Maximum number of labels, captions, pictures or words in a group.
pub const MOST_MEMBERS: usize = 1_000;

impl Group {
    /// The name of its form.
    pub const fn form(&self) -> &'static str {
        match self {
            Self::Labels(_) => "labels",
            Self::Captions(_) => "captions",
            Self::Dataset(_) => "dataset",
            Self::Images(_) => "images",
            Self::Words(_) => "words",
        }
    }

    /// Whether it is a part of the block's own data set.
    pub const fn is_of_own(&self) -> bool {
        matches!(self, Self::Labels(_) | Self::Captions(_))
    }

    /// Whether a picture of the block's data set with this label and this caption is in the group.
    pub fn holds(&self, label: Option<&str>, caption: Option<&str>) -> bool {
        match self {
            Self::Labels(labels) => label.is_some_and(|label| labels.iter().any(|l| l == label)),
            Self::Captions(captions) => caption.is_some_and(|caption| {
                let words = words(caption);
                captions.iter().any(|wanted| contains(&words, wanted))
            }),
            Self::Dataset(_) | Self::Images(_) | Self::Words(_) => false,
        }
    }
}

/// The words of a text, in lower case: runs of letters and digits.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Whether a text's words contain those of `wanted`, one after the other.
fn contains(text: &[String], wanted: &str) -> bool {
    let wanted = words(wanted);
    !wanted.is_empty() && text.windows(wanted.len()).any(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_hold_whole_words_in_any_case_and_in_order() {
        let cats = Group::Captions(vec!["Cat".to_owned(), "black dog".to_owned()]);
        let holds = |caption: &str| cats.holds(None, Some(caption));
        assert!(holds("a cat, asleep") && holds("CAT") && holds("two black-dog heads"));
        assert!(!holds("a category") && !holds("cats") && !holds("dog, black") && !holds(""));
        assert!(!cats.holds(Some("cat"), None), "a label is no caption");
        assert!(!Group::Captions(vec!["…".to_owned()]).holds(None, Some("…")), "no words");
    }

    #[test]
    fn labels_hold_what_is_equal() {
        let faces = Group::Labels(vec!["face".to_owned(), "cat face".to_owned()]);
        assert!(faces.holds(Some("cat face"), None) && faces.holds(Some("face"), Some("a dog")));
        assert!(!faces.holds(Some("Face"), None) && !faces.holds(None, Some("face")));
        assert!(!Group::Words(vec!["face".to_owned()]).holds(Some("face"), Some("face")));
    }

    #[test]
    fn a_form_has_the_name_that_json_has() {
        let one = |name: &str| match name {
            "dataset" => serde_json::json!({ name: "a" }),
            _ => serde_json::json!({ name: ["a"] }),
        };
        for name in FORMS {
            let group: Group = serde_json::from_value(one(name)).expect("a group");
            assert_eq!(group.form(), name);
            assert_eq!(serde_json::to_value(&group).expect("JSON"), one(name));
        }
    }
}
