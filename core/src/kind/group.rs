//! A group of pictures, as in a block and in a request: by their labels or captions in the block's data set, or by themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cut::Cut as _;
use crate::dataset::{Said, Sample};
use crate::problem::Problem;
use crate::suggest;

/// A group of pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The pictures of the block's data set with one of these labels, as written there.
    Labels(Vec<String>),
    /// The pictures of the block's data set whose caption contains one of these, as whole words and in any case.
    Captions(Vec<String>),
    /// The pictures of the block's data set with these keys, as figures name them; `*` stands for any text.
    Keys(Vec<String>),
    /// All pictures of a data set: its name in a block, the digest of its content in a request.
    Dataset(String),
    /// Pictures: their paths in a block, the digests of their bytes in a request.
    Images(Vec<String>),
    /// Words, each drawn as a picture.
    Words(Vec<String>),
}

/// The names of the forms of a group in a block.
pub const FORMS: [&str; 6] = ["labels", "captions", "keys", "dataset", "images", "words"];
/// Maximum number of labels, captions, keys, pictures or words in a group.
pub const MOST_MEMBERS: usize = 1_000;

impl Group {
    /// The name of its form.
    pub const fn form(&self) -> &'static str {
        match self {
            Self::Labels(_) => "labels",
            Self::Captions(_) => "captions",
            Self::Keys(_) => "keys",
            Self::Dataset(_) => "dataset",
            Self::Images(_) => "images",
            Self::Words(_) => "words",
        }
    }

    /// Whether it is a part of the block's own data set.
    pub const fn is_of_own(&self) -> bool {
        matches!(self, Self::Labels(_) | Self::Captions(_) | Self::Keys(_))
    }

    /// Whether a picture of the block's data set is in the group.
    pub fn holds(&self, sample: &Sample) -> bool {
        let text = match self {
            Self::Labels(_) => sample.label.as_deref(),
            Self::Captions(_) => sample.caption.as_deref(),
            Self::Keys(_) => Some(&*sample.key),
            Self::Dataset(_) | Self::Images(_) | Self::Words(_) => None,
        };
        text.is_some_and(|text| self.holds_text(text))
    }

    /// Whether pictures with this label, this caption or this key, whichever the group is of, are in it.
    fn holds_text(&self, text: &str) -> bool {
        match self {
            Self::Labels(all) => all.iter().any(|one| one == text),
            Self::Keys(all) => all.iter().any(|one| one == text || is_like(text, one)),
            Self::Captions(captions) => {
                let words = words(text);
                captions.iter().any(|wanted| contains(&words, wanted))
            }
            Self::Dataset(_) | Self::Images(_) | Self::Words(_) => false,
        }
    }

    /// The places of labels, captions or keys that no image of the data set has, each with the problem.
    pub fn missing(&self, said: &Said) -> Vec<(usize, Problem)> {
        let (items, known, what, none) = match self {
            Self::Labels(items) => (items, &said.labels, "the label", said.no_labels()),
            Self::Captions(items) => {
                (items, &said.captions, "a caption with the words", said.no_captions())
            }
            Self::Keys(items) => (items, &said.keys, "the key", NO_IMAGES),
            Self::Dataset(_) | Self::Images(_) | Self::Words(_) => return vec![],
        };
        let Some(known) = known else { return vec![] };
        let problem = |item: &String| {
            let problem = Problem::new(format!("no picture of the data set has {what} `{item}`"));
            match known.is_empty() {
                true => problem.hint(match self {
                    Self::Labels(_) => format!("the data set has no labels: {none}"),
                    Self::Captions(_) => format!("the data set has no captions: {none}"),
                    _ => none.to_owned(),
                }),
                false => problem.hint(suggest::hint(item, known.keys())),
            }
        };
        let items = items.iter().enumerate();
        let missing = items.filter(|(_, item)| {
            let alone = match self {
                Self::Labels(_) => Self::Labels(vec![(*item).clone()]),
                Self::Keys(_) => Self::Keys(vec![(*item).clone()]),
                _ => Self::Captions(vec![(*item).clone()]),
            };
            alone.counted(said) == Some(0)
        });
        missing.map(|(index, item)| (index, problem(item))).collect()
    }

    /// Number of images of the data set that are not in the group; `None` if the group is no part of it or that is unknown.
    pub fn others(&self, said: &Said) -> Option<u64> {
        Some(said.images.saturating_sub(self.counted(said)?))
    }

    /// The problem that two groups of the same form have images in common, if they do.
    pub fn common(&self, other: &Self, said: &Said) -> Option<Problem> {
        let (known, what) = match (self, other) {
            (Self::Labels(_), Self::Labels(_)) => (said.labels.as_ref()?, "labelled"),
            (Self::Captions(_), Self::Captions(_)) => (said.captions.as_ref()?, "whose caption is"),
            (Self::Keys(_), Self::Keys(_)) => (said.keys.as_ref()?, "with the key"),
            _ => return None,
        };
        let mut both = known.keys().filter(|text| self.holds_text(text) && other.holds_text(text));
        let first = both.next()?;
        let message = format!("pictures {what} `{first}` are in both groups");
        Some(Problem::new(message).hint(APART))
    }

    /// Number of images of the data set in the group; `None` if the group is no part of it or that is unknown.
    fn counted(&self, said: &Said) -> Option<u64> {
        let known: &BTreeMap<String, u64> = match self {
            Self::Labels(_) => said.labels.as_ref()?,
            Self::Captions(_) => said.captions.as_ref()?,
            Self::Keys(_) => said.keys.as_ref()?,
            Self::Dataset(_) | Self::Images(_) | Self::Words(_) => return None,
        };
        let held = known.iter().filter(|(text, _)| self.holds_text(text));
        Some(held.map(|(_, count)| count).sum())
    }
}

/// What to do about groups with common pictures.
pub const APART: &str = "`positive` and `negative` must have no picture in common";
const NO_IMAGES: &str = "the data set has no pictures";

/// The problem that a block without `negative` has no data set.
pub fn no_others() -> Problem {
    let message = "without `negative` it is all other pictures of the data set, but there are none";
    Problem::new(message).hint("add `negative`, or a `dataset`")
}

/// The problem that a block without `negative` has all pictures in `positive`.
pub fn all_of_it() -> Problem {
    Problem::new("the group has all pictures of the data set").hint("give the other group, too")
}

/// The words of a text, in lower case: runs of letters and digits.
pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Whether a text is like a pattern, in which each `*` stands for any text.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = text.cut(at + part.len()..);
    }
    text.ends_with(last)
}

/// Whether a text's words contain those of `wanted`, one after the other.
fn contains(text: &[String], wanted: &str) -> bool {
    has(text, &words(wanted))
}

/// Whether these words stand in a text, one after the other; never if there are none.
pub fn has(text: &[String], wanted: &[String]) -> bool {
    !wanted.is_empty() && text.windows(wanted.len()).any(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_hold_whole_words_in_any_case_and_in_order() {
        let cats = Group::Captions(vec!["Cat".to_owned(), "black dog".to_owned()]);
        let sample = |label: Option<&str>, caption: Option<&str>| Sample {
            key: "cat".to_owned(),
            label: label.map(str::to_owned),
            caption: caption.map(str::to_owned),
        };
        let holds = |caption: &str| cats.holds(&sample(None, Some(caption)));
        assert!(holds("a cat, asleep") && holds("CAT") && holds("two black-dog heads"));
        assert!(!holds("a category") && !holds("cats") && !holds("dog, black") && !holds(""));
        assert!(!cats.holds(&sample(Some("cat"), None)), "a label is no caption, nor is a key");
        let none = Group::Captions(vec!["…".to_owned()]);
        assert!(!none.holds(&sample(None, Some("…"))), "no words");
    }

    #[test]
    fn labels_and_keys_hold_what_is_equal() {
        let sample = |label: Option<&str>, caption: Option<&str>| Sample {
            key: "a/face".to_owned(),
            label: label.map(str::to_owned),
            caption: caption.map(str::to_owned),
        };
        let (both, none) = (sample(Some("face"), Some("face")), sample(None, Some("face")));
        let faces = Group::Labels(vec!["face".to_owned(), "cat face".to_owned()]);
        assert!(faces.holds(&sample(Some("cat face"), None)) && faces.holds(&both));
        assert!(!faces.holds(&sample(Some("Face"), None)) && !faces.holds(&none));
        assert!(!Group::Words(vec!["face".to_owned()]).holds(&both));
        assert!(Group::Keys(vec!["a/face".to_owned()]).holds(&none));
        assert!(!Group::Keys(vec!["face".to_owned()]).holds(&both));
    }

    #[test]
    fn a_star_in_a_key_stands_for_any_text() {
        let all = [
            ("*--noto", "face--noto", true),
            ("*--noto", "face--noto-2", false),
            ("face*", "face", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("**", "é", true),
            ("*é*", "né", true),
            ("face", "faces", false),
        ];
        for (pattern, text, expected) in all {
            assert_eq!(is_like(text, pattern), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_no_image_has_and_what_groups_share_is_found_in_what_a_data_set_says() {
        let counts = |of: &[(&str, u64)]| {
            Some(of.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect())
        };
        let said = Said {
            images: 6,
            labels: counts(&[("animal", 3), ("plant", 2)]),
            captions: counts(&[("a black cat", 2), ("a cat", 1), ("a tree", 3)]),
            keys: counts(&[("1", 1), ("2", 1), ("3", 1), ("4", 2), ("5", 1)]),
            in_folders: false,
        };
        let labels = |of: &[&str]| Group::Labels(of.iter().map(|x| (*x).to_owned()).collect());
        let captions = |of: &[&str]| Group::Captions(of.iter().map(|x| (*x).to_owned()).collect());
        let [(1, problem)] = &labels(&["animal", "plants"]).missing(&said)[..] else {
            panic!("one problem")
        };
        assert_eq!(problem.message, "no picture of the data set has the label `plants`");
        assert_eq!(problem.hint.as_deref(), Some("did you mean `plant`?"));
        let missing = captions(&["Cat", "house"]).missing(&said);
        assert!(missing.len() == 1 && missing[0].1.message.contains("the words `house`"));
        assert_eq!(captions(&["cat", "tree"]).others(&said), Some(0));
        assert_eq!(labels(&["animal", "plant"]).others(&said), Some(1));
        let keys = |of: &[&str]| Group::Keys(of.iter().map(|x| (*x).to_owned()).collect());
        assert_eq!(keys(&["4", "5"]).others(&said), Some(3), "one key is in two shards");
        let [(0, problem)] = &keys(&["6"]).missing(&said)[..] else { panic!("one problem") };
        assert_eq!(problem.message, "no picture of the data set has the key `6`");
        assert_eq!(Group::Words(vec!["cat".to_owned()]).others(&said), None);
        let common = |a: &Group, b: &Group| a.common(b, &said).map(|problem| problem.message);
        let both = "pictures whose caption is `a black cat` are in both groups";
        assert_eq!(common(&captions(&["cat"]), &captions(&["black"])).as_deref(), Some(both));
        assert_eq!(common(&captions(&["cat"]), &captions(&["tree"])), None);
        assert!(common(&labels(&["plant"]), &labels(&["animal", "plant"])).is_some());
        let both = "pictures with the key `2` are in both groups";
        assert_eq!(common(&keys(&["1", "2"]), &keys(&["2"])).as_deref(), Some(both));
        let mut silent = Said { labels: counts(&[]), captions: None, ..said };
        for (in_folders, could_come_from) in [(true, "labels: folders"), (false, "`cat.cls`")] {
            silent.in_folders = in_folders;
            let missing = labels(&["animal"]).missing(&silent);
            let hint = missing[0].1.hint.as_ref();
            assert!(hint.is_some_and(|hint| hint.contains(could_come_from)), "{hint:?}");
        }
        assert!(captions(&["cat"]).missing(&silent).is_empty(), "nothing is known of captions");
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
