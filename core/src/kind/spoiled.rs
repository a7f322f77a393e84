//! Units that are left out because an activation of theirs is NaN or infinite: which, and for which picture. The other units of
//! the layer are compared without them.

use serde::{Deserialize, Serialize};

use super::words::words;

words! {
    /// What an activation is that is no finite number.
    pub enum Odd {
        /// Not a number.
        Nan = "NaN",
        /// Infinite, or too large for half precision (65504), in which scans are stored.
        Infinite = "infinite",
    }
}

/// A unit with an activation that is NaN or infinite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoiled {
    /// Channel, from 0.
    pub unit: u32,
    /// The key of the first such picture.
    pub key: String,
    /// What its activation is for that picture; results of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Odd>,
}

impl Odd {
    /// What a number is; `None` if it is finite.
    pub fn of(number: f64) -> Option<Self> {
        match number {
            number if number.is_nan() => Some(Self::Nan),
            number if number.is_infinite() => Some(Self::Infinite),
            _ => None,
        }
    }
}

impl Spoiled {
    /// What its activation is, in words.
    pub fn said(&self) -> &'static str {
        self.is.map_or("NaN or infinite", Odd::word)
    }
}

/// The spoiled units of several groups of pictures, each once and in order; of one unit the first picture is named.
pub fn together<'a>(groups: impl IntoIterator<Item = &'a [Spoiled]>) -> Vec<Spoiled> {
    let mut all: Vec<Spoiled> = groups.into_iter().flatten().cloned().collect();
    // A stable sort.
    all.sort_by_key(|spoiled| spoiled.unit);
    all.dedup_by_key(|spoiled| spoiled.unit);
    all
}

/// A made-up list of this unit.
pub(super) fn sample(unit: u32) -> Vec<Spoiled> {
    vec![Spoiled { unit, key: "broken".to_owned(), is: Some(Odd::Nan) }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_there_once_with_its_first_picture() {
        let of = |unit, key: &str| Spoiled { unit, key: key.to_owned(), is: Odd::of(f64::NAN) };
        let (one, two) = (vec![of(7, "a"), of(9, "b")], vec![of(2, "c"), of(7, "d")]);
        assert_eq!(together([&*one, &*two]), [of(2, "c"), of(7, "a"), of(9, "b")]);
        assert_eq!(together([]), []);
    }

    #[test]
    fn what_an_earlier_version_stored_is_read_and_written_as_it_was() {
        let before = r#"{"unit":5,"key":"broken"}"#;
        let read: Spoiled = serde_json::from_str(before).expect("a unit");
        assert_eq!(
            (read.said(), &*serde_json::to_string(&read).expect("JSON")),
            ("NaN or infinite", before)
        );
        let now = Spoiled { is: Odd::of(f64::NEG_INFINITY), ..read };
        assert_eq!(
            serde_json::to_string(&now).expect("JSON"),
            r#"{"unit":5,"key":"broken","is":"infinite"}"#
        );
        assert_eq!((now.said(), Odd::of(1e300)), ("infinite", None));
    }
}
