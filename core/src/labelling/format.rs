//! What files of labels and labelling sheets are recognised by.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The first member of such a file.
pub const FORMAT: &str = "neuronotes labels 1";
/// Maximum size of such a file in bytes.
pub const LARGEST: u64 = 4 << 20;

/// Reads [`FORMAT`] and nothing else.
pub(super) fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let found = String::deserialize(deserializer)?;
    match found == FORMAT {
        true => Ok(found),
        false => Err(D::Error::custom(format!("the format is `{found}`, not `{FORMAT}`"))),
    }
}
