//! What a data set says of its images: samples in; each label and caption with the number of its images out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sample::Sample;

/// Most different labels, or captions, that [`Said::limited`] keeps.
const MOST: usize = 20_000;
/// Most bytes of these together.
const LONGEST: usize = 1 << 20;

/// What a data set says of its images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Number of images.
    pub images: u64,
    /// The labels, each with the number of its images; `None` if they were too many to keep.
    pub labels: Option<BTreeMap<String, u64>>,
    /// The captions in the same way.
    pub captions: Option<BTreeMap<String, u64>>,
    /// The keys in the same way; a key is in a shard once.
    #[serde(default)]
    pub keys: Option<BTreeMap<String, u64>>,
    /// Whether an image is in a folder.
    pub in_folders: bool,
}

impl Said {
    /// Where labels could come from, if there are none.
    pub fn no_labels(&self) -> &'static str {
        match self.in_folders {
            true => "`labels: folders` in neuronotes.yaml uses the folders' names as labels",
            false => {
                "write each label into a file beside its picture (`cat.cls`), or name the table's column of labels \
                 (`columns: { label: … }`)"
            }
        }
    }

    /// Where captions could come from, if there are none.
    pub fn no_captions(&self) -> &'static str {
        "write each caption into a file beside its picture (`cat.txt`), or name the table's column of captions \
         (`columns: { caption: … }`)"
    }

    /// What samples say.
    pub fn of(samples: &[Sample]) -> Self {
        let counted = |text: fn(&Sample) -> Option<&String>| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for text in samples.iter().filter_map(text) {
                match counts.get_mut(text) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(text.clone(), 1)),
                }
            }
            Some(counts)
        };
        Self {
            images: samples.len() as u64,
            labels: counted(|sample| sample.label.as_ref()),
            captions: counted(|sample| sample.caption.as_ref()),
            keys: counted(|sample| Some(&sample.key)),
            in_folders: samples.iter().any(|sample| sample.key.contains('/')),
        }
    }

    /// The same without lists that are too long to keep.
    #[must_use]
    pub fn limited(self) -> Self {
        let short = |counts: &BTreeMap<String, u64>| {
            counts.len() <= MOST && counts.keys().map(String::len).sum::<usize>() <= LONGEST
        };
        Self {
            labels: self.labels.filter(short),
            captions: self.captions.filter(short),
            keys: self.keys.filter(short),
            ..self
        }
    }

    /// Adds what another shard says.
    pub fn merge(&mut self, other: &Self) {
        let both = |ours: &mut Option<BTreeMap<String, u64>>, theirs: &Option<_>| match theirs {
            None => *ours = None,
            Some(theirs) => {
                let theirs: &BTreeMap<String, u64> = theirs;
                for (text, count) in theirs {
                    if let Some(ours) = ours {
                        *ours.entry(text.clone()).or_default() += count;
                    }
                }
            }
        };
        self.images += other.images;
        self.in_folders |= other.in_folders;
        both(&mut self.labels, &other.labels);
        both(&mut self.captions, &other.captions);
        both(&mut self.keys, &other.keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(key: &str, label: Option<&str>, caption: Option<&str>) -> Sample {
        Sample {
            key: key.to_owned(),
            caption: caption.map(str::to_owned),
            label: label.map(str::to_owned),
        }
    }

    #[test]
    fn labels_and_captions_are_counted_over_shards() {
        let mut said = Said::of(&[sample("1", Some("a"), Some("x")), sample("2", Some("a"), None)]);
        assert!(!said.in_folders);
        said.merge(&Said::of(&[sample("b/3", Some("b"), Some("x"))]).limited());
        assert_eq!((said.images, said.in_folders), (3, true));
        let counts = |of: &[(&str, u64)]| {
            Some(of.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect())
        };
        assert_eq!(said.labels, counts(&[("a", 2), ("b", 1)]));
        assert_eq!(said.captions, counts(&[("x", 2)]));
        assert_eq!(said.keys, counts(&[("1", 1), ("2", 1), ("b/3", 1)]));
    }

    #[test]
    fn lists_that_are_too_long_are_unknown_and_stay_so() {
        let long = sample("1", Some("a"), Some(&"x".repeat(LONGEST + 1)));
        let mut said = Said::of(&[sample("1", Some("b"), Some("y"))]);
        said.merge(&Said::of(&[long]).limited());
        assert_eq!(said.captions, None);
        assert_eq!(said.labels.map(|labels| labels.len()), Some(2));
    }
}
