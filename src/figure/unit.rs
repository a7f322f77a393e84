//! A unit that a drawing names: where it is, and its number. What it is called, and which page is about it, is not in a
//! stored drawing: pages say that when they are made. Knows no notes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use neuronotes_core::digest::Digest;
use neuronotes_core::model::Place;

/// A unit that a drawing names. In JSON it is a text, by which templates look its name up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UnitRef {
    /// Digest of the model's weights.
    pub model: Digest,
    /// The layer, or the dictionary over a layer.
    pub place: Place,
    /// Channel or feature, from 0.
    pub unit: u32,
}

impl UnitRef {
    /// A unit's name if no note declares one: `unit 5`, or `feature 5` of a dictionary.
    pub fn plain(place: &Place, unit: u32) -> String {
        format!("{} {unit}", place.noun())
    }
}

impl fmt::Display for UnitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.unit, self.place.layer())?;
        if let Some(dictionary) = self.place.dictionary() {
            write!(f, " {dictionary}")?;
        }
        write!(f, " {}", self.model)
    }
}

impl From<UnitRef> for String {
    fn from(unit: UnitRef) -> Self {
        unit.to_string()
    }
}

impl TryFrom<String> for UnitRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for UnitRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(' ').collect();
        let (unit, layer, dictionary, model) = match parts[..] {
            [unit, layer, model] => (unit, layer, None, model),
            [unit, layer, dictionary, model] => (unit, layer, Some(dictionary), model),
            _ => return Err(format!("`{text}` names no unit")),
        };
        let layer = layer.to_owned();
        Ok(Self {
            model: model.parse()?,
            place: match dictionary {
                None => Place::Layer(layer),
                Some(dictionary) => Place::Dictionary { layer, dictionary: dictionary.parse()? },
            },
            unit: unit.parse().map_err(|_| format!("`{text}` names no unit"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_written_as_a_text_and_read_back() {
        let (layer, dictionary) = ("visual.layer4.0.add".to_owned(), Digest::of(b"features"));
        for place in [Place::Layer(layer.clone()), Place::Dictionary { layer, dictionary }] {
            let unit = UnitRef { model: Digest::of(b"weights"), place, unit: 5 };
            let json = serde_json::to_value(&unit).expect("JSON");
            assert!(json.as_str().is_some_and(|text| text.starts_with("5 visual.layer4.0.add ")));
            let noun = if unit.place.dictionary().is_some() { "feature" } else { "unit" };
            assert_eq!(UnitRef::plain(&unit.place, 5), format!("{noun} 5"));
            assert_eq!(serde_json::from_value::<UnitRef>(json).expect("a unit"), unit);
        }
        for wrong in ["", "5", "5 layer", "x layer 00", "1 2 3 4 5"] {
            assert!(wrong.parse::<UnitRef>().is_err(), "{wrong}");
        }
    }
}
