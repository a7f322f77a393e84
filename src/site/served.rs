//! Pages and files of a site, as they are served.

use std::path::PathBuf;
use std::sync::Arc;

use neuronotes_core::digest::Digest;

/// The last rendering of a page.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The page key.
    pub key: Digest,
    /// Its HTML.
    pub html: Arc<str>,
    /// The digest of the HTML.
    pub digest: Digest,
}

/// A file of the site other than a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// The content of this file of the garden.
    File(PathBuf),
    /// A blob of the store, which must be verified.
    Blob(Digest),
}
