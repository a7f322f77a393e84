//! The keys of a scan's images: JSON in; each key by its row out. All lie in one text, since a hundred thousand texts of their own
//! take longer to make than a question to answer.

use std::fmt;

use neuronotes_core::dataset::Sample;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// A key for each row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    text: String,
    /// Where each key ends.
    ends: Vec<usize>,
}

impl Keys {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The key of a row, which must exist.
    pub fn key(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }

    /// All keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.key(row))
    }

    /// A sample for each row, without caption and label.
    pub fn samples(&self) -> impl Iterator<Item = Sample> {
        self.iter().map(|key| Sample { key: key.to_owned(), caption: None, label: None })
    }

    fn push(&mut self, key: &str) {
        self.text.push_str(key);
        self.ends.push(self.text.len());
    }
}

impl<'k> FromIterator<&'k str> for Keys {
    fn from_iter<I: IntoIterator<Item = &'k str>>(keys: I) -> Self {
        let mut all = Self::default();
        keys.into_iter().for_each(|key| all.push(key));
        all
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List)
    }
}

/// Reads a list of keys.
struct List;

impl<'de> Visitor<'de> for List {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
        let mut keys = Keys::default();
        while list.next_element_seed(Next(&mut keys))?.is_some() {}
        Ok(keys)
    }
}

/// Reads one more key.
struct Next<'k>(&'k mut Keys);

impl<'de> de::DeserializeSeed<'de> for Next<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Next<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<(), E> {
        self.0.push(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_list_whatever_is_in_them() {
        let all = ["a", "", "in/ü \"b\"\n", "c"];
        let json = serde_json::to_vec(&all).expect("JSON");
        let keys: Keys = serde_json::from_slice(&json).expect("keys");
        assert_eq!(keys.iter().collect::<Vec<_>>(), all);
        assert_eq!((keys.len(), keys.key(2)), (4, all[2]));
        assert_eq!(keys, all.into_iter().collect());
        assert_eq!(keys.samples().nth(2).expect("a sample").key, all[2]);
        for wrong in ["{}", "[1]", "[\"a\", null]", "[\"a\""] {
            assert!(serde_json::from_str::<Keys>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::from_str::<Keys>("[]").expect("no keys").len(), 0);
    }
}
