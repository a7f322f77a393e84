//! A tensor of a weights file: its type, its shape, and where its bytes are.

use std::ops::Range;

/// One tensor's type, shape and place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TensorInfo {
    /// Its type, as safetensors spells it: `F16`, `F32`, …
    pub dtype: String,
    /// Its sizes.
    pub shape: Vec<u64>,
    /// The index of its file in [`Header::files`](super::Header::files).
    pub file: usize,
    /// The range of the file's bytes with its elements, row by row and little-endian. It is within the file, and as long
    /// as type and shape require.
    pub data: Range<u64>,
}

/// Bytes of an element, if the type is known.
pub(super) fn width(dtype: &str) -> Option<u64> {
    match dtype {
        "F64" | "I64" | "U64" => Some(8),
        "F32" | "I32" | "U32" => Some(4),
        "F16" | "BF16" | "I16" | "U16" => Some(2),
        "I8" | "U8" | "BOOL" => Some(1),
        _ => None,
    }
}
