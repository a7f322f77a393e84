//! What a reviewer saw of a note: digests of its text, its figures and its claims.

use std::collections::BTreeMap;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;

/// Digits of a digest in a stamp.
const DIGITS: usize = 16;

/// A note as it was read, by digests. Of a stamp about one figure, there is only that figure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The text as read, with its values.
    pub text: Option<String>,
    /// The result of each figure by the block's id; `None` for a figure without a result.
    pub figures: BTreeMap<String, Option<String>>,
    /// The claims, each with whether it held; `None` if there are none.
    pub claims: Option<String>,
}

impl Seen {
    /// A digest of all of it.
    pub fn digest(&self) -> String {
        let Self { text, figures, claims } = self;
        short(format!("{text:?} {figures:?} {claims:?}").as_bytes())
    }
}

/// The first digits of the digest of some bytes.
pub fn short(bytes: &[u8]) -> String {
    Digest::of(bytes).hex().cut(..DIGITS).to_owned()
}
