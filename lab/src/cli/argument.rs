//! Parsers of arguments: units of layers, and words of the request format.

use neuronotes_core::model::{Activation, Precision};

/// Parses `LAYER:UNIT`.
pub(super) fn unit(text: &str) -> Result<(String, u32), String> {
    text.rsplit_once(':')
        .and_then(|(layer, unit)| Some((layer.to_owned(), unit.parse().ok()?)))
        .ok_or_else(|| "write it as `image_block_4/5/Add_6:89`".to_owned())
}

/// Parses a value by its name in JSON.
fn word<T: serde::de::DeserializeOwned>(text: &str, known: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|_| format!("known are {known}"))
}

pub(super) fn activation(text: &str) -> Result<Activation, String> {
    word(text, "gelu and quick_gelu")
}

pub(super) fn precision(text: &str) -> Result<Precision, String> {
    word(text, "f32, bf16 and f16")
}
