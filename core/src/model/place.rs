//! A place: where a unit is. Code that would take a layer and a unit takes a place and a unit.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;

/// Where a unit is. In JSON it is a text for a layer, and a mapping for a dictionary, so that the key of a request about a
/// layer does not depend on what dictionaries are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Place {
    /// A layer, in its canonical spelling. Its units are the layer's channels.
    Layer(String),
    /// A dictionary over a layer. Its units are the dictionary's features.
    Dictionary {
        /// The layer, in its canonical spelling.
        layer: String,
        /// The digest of the dictionary's file.
        dictionary: Digest,
    },
}

impl Place {
    /// The place that a request's parameters name; `None` if they name none.
    pub fn of(params: &Map<String, Value>) -> Option<Self> {
        serde_json::from_value(params.get("layer")?.clone()).ok()
    }

    /// The layer itself, or the layer that the dictionary is over.
    pub fn layer(&self) -> &str {
        match self {
            Self::Layer(layer) | Self::Dictionary { layer, .. } => layer,
        }
    }

    /// The digest of the dictionary's file; `None` for a layer.
    pub fn dictionary(&self) -> Option<Digest> {
        match self {
            Self::Layer(_) => None,
            Self::Dictionary { dictionary, .. } => Some(*dictionary),
        }
    }

    /// What one of its units is called: a layer has units, a dictionary has features.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Layer(_) => "unit",
            Self::Dictionary { .. } => "feature",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_a_text_and_a_dictionary_a_mapping_with_its_digest() {
        let digest = Digest::of(b"a dictionary");
        for (json, place) in [
            (serde_json::json!("visual.layer4.0"), Place::Layer("visual.layer4.0".to_owned())),
            (
                serde_json::json!({ "layer": "visual.layer4.0", "dictionary": digest.hex() }),
                Place::Dictionary { layer: "visual.layer4.0".to_owned(), dictionary: digest },
            ),
        ] {
            assert_eq!(serde_json::to_value(&place).expect("JSON"), json);
            let params = Map::from_iter([("layer".to_owned(), json)]);
            assert_eq!(Place::of(&params), Some(place.clone()));
            assert_eq!(place.layer(), "visual.layer4.0");
            assert_eq!(place.noun() == "feature", place.dictionary().is_some());
        }
        let more = serde_json::json!({ "layer": "a", "dictionary": digest.hex(), "more": 1 });
        assert!(serde_json::from_value::<Place>(more).is_err());
        assert_eq!(Place::of(&Map::new()), None);
    }
}
