//! A tensor of a weights file: its type, its shape, and where its bytes are.

use std::ops::Range;

/// One tensor's type, shape and place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TensorInfo {
    /// As safetensors spells it: `F16`, `F32`, …
    pub dtype: String,
    /// Its sizes.
    pub shape: Vec<u64>,
    /// Which of [`Header::files`] it lies in.
    pub file: usize,
    /// Which of the file's bytes are its elements, row by row and little-endian; within the file, and as
    /// many as type and shape ask for.
    pub data: Range<u64>,
}

/// Bytes of an element, for types that are known.
pub(super) fn width(dtype: &str) -> Option<u64> {
    match dtype {
        "F64" | "I64" | "U64" => Some(8),
        "F32" | "I32" | "U32" => Some(4),
        "F16" | "BF16" | "I16" | "U16" => Some(2),
        "I8" | "U8" | "BOOL" => Some(1),
        _ => None,
    }
}
