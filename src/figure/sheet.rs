//! Labelling sheets and quizzes of a figure that readers can open: a blob in the store, and what the link says. Knows nothing of any kind.

use serde::{Deserialize, Serialize};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;

/// A link to the page of a labelling sheet or a quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetLink {
    /// The blob with its [`Sheet`](neuronotes_core::labelling::Sheet) or [`Quiz`](neuronotes_core::kind::quiz::Quiz).
    pub digest: Digest,
    /// The path of the page in the site, relative to the site's root.
    pub path: String,
    /// The link's text.
    pub text: String,
    /// Plain text after it.
    pub note: String,
}

impl SheetLink {
    /// A link to the page of what is in a blob.
    pub(super) fn to(digest: Digest, text: impl Into<String>, note: impl Into<String>) -> Self {
        let path = format!("figures/{}.html", digest.hex().cut(..20));
        Self { digest, path, text: text.into(), note: note.into() }
    }
}
