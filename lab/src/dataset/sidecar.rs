//! What lies beside a picture: a `.json` or `.txt` file in; a caption and a label out.

use neuronotes::analysis::scan::Sample;
use serde_json::Value;

/// Most bytes of a file beside a picture.
pub const LARGEST: u64 = 1 << 20;

/// Whether a file with this ending, in lower case and without its dot, may lie beside a picture.
pub fn is_sidecar(ending: &str) -> bool {
    matches!(ending, "json" | "txt")
}

/// Adds what a file says to a sample. A caption in JSON goes before one in a text file.
///
/// # Errors
/// Why the file says nothing; the picture is as good without it.
pub fn read(sample: &mut Sample, ending: &str, bytes: &[u8]) -> Result<(), String> {
    match ending {
        "json" => {
            let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
            let text = |name: &str| match value.get(name)? {
                Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            };
            sample.caption = text("caption").or(sample.caption.take());
            sample.label = text("label").or_else(|| text("group"));
        }
        _ => {
            let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
            let text = text.trim();
            if sample.caption.is_none() && !text.is_empty() {
                sample.caption = Some(text.to_owned());
            }
        }
    }
    Ok(())
}
