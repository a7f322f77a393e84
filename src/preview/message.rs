//! What the threads of the preview tell each other.

use std::path::PathBuf;
use std::sync::Arc;

use neuronotes_core::digest::Digest;
use tokio::sync::{mpsc, oneshot};

use crate::measure::measurer::News;
use crate::watch::Change;

/// A message to the garden's owner.
#[derive(Debug)]
pub(super) enum Message {
    /// Something may have changed on disk.
    Changed(Change),
    /// News of what measures.
    Measured(News),
    /// A request from a browser.
    Browser(Question),
}

/// A browser's request.
#[derive(Debug)]
pub(super) enum Question {
    /// A page or file of the site.
    Page {
        /// Path relative to the site's root.
        path: String,
        /// Number of folders in the requested path.
        depth: usize,
        /// Receives the response.
        answer: oneshot::Sender<Answer>,
    },
    /// Subscribe to updates.
    Open(Tab),
    /// Unsubscribe.
    Close(u64),
    /// Measure these figures first: they are visible.
    Seen(u64, Vec<Digest>),
    /// Retry this measurement.
    Retry(Digest),
    /// An image that is missing from the store.
    Lost,
}

/// A response to a browser.
#[derive(Debug)]
pub enum Answer {
    /// A page and its digest.
    Page(Arc<str>, Digest),
    /// These bytes.
    Bytes(Vec<u8>),
    /// The content of this file.
    File(PathBuf),
    /// The store's blob.
    Blob(Digest),
    /// This is a folder; its page is at the same address with a final slash.
    Moved,
    /// An error page.
    Broken(String),
    /// The page for missing pages and files.
    Missing(String),
}

/// An open page.
#[derive(Debug)]
pub struct Tab {
    /// Unique among all pages that were ever open.
    pub id: u64,
    /// Address relative to the site's root.
    pub page: String,
    /// Its updates.
    pub news: mpsc::Sender<String>,
}
