//! Reads the header of a safetensors file. Input: its JSON. Output: the types, shapes and places of its tensors.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::tensor::{TensorInfo, width};

/// Most bytes of a header: more than any CLIP's. A file that claims more is not a safetensors file.
pub const LONGEST: u64 = 16 << 20;

/// An entry of a safetensors header.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    /// Offsets from the end of the header.
    data_offsets: [u64; 2],
}

/// The tensors of a safetensors file of `size` bytes whose data begin at byte `start`.
///
/// # Errors
/// Says what is wrong with the header.
pub fn read(json: &[u8], start: u64, size: u64) -> Result<BTreeMap<String, TensorInfo>, String> {
    let mut entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(json).map_err(|error| format!("its header is not JSON: {error}"))?;
    entries.remove("__metadata__");
    let mut tensors = BTreeMap::new();
    for (name, value) in entries {
        let entry: Entry = serde_json::from_value(value)
            .map_err(|error| format!("its entry `{name}` is malformed: {error}"))?;
        let [from, to] = entry.data_offsets.map(|offset| offset.checked_add(start));
        let data = match (from, to) {
            (Some(from), Some(to)) if from <= to && to <= size => from..to,
            _ => return Err(format!("its tensor `{name}` reaches beyond the end of the file")),
        };
        if let Some(width) = width(&entry.dtype) {
            let bytes = entry.shape.iter().try_fold(width, |all, &size| all.checked_mul(size));
            if bytes != Some(data.end - data.start) {
                return Err(format!(
                    "its tensor `{name}` has a number of bytes that does not match its shape"
                ));
            }
        }
        tensors.insert(name, TensorInfo { dtype: entry.dtype, shape: entry.shape, file: 0, data });
    }
    Ok(tensors)
}
