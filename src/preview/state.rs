//! What all requests to the preview share.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use neuronotes_core::digest::Digest;
use neuronotes_core::say;
use neuronotes_core::store::Store;

use super::base::Base;
use super::guard::Guard;
use super::message::{Message, Question};

/// The server's state.
#[derive(Debug)]
pub struct ServerState {
    /// Access control.
    pub guard: Guard,
    /// The URL with the token.
    pub with_token: String,
    /// Other users of this machine whose requests were refused.
    pub refused_users: Mutex<BTreeSet<u32>>,
    /// The path below which a proxy serves the preview.
    pub base: Base,
    /// The garden's folder.
    pub root: PathBuf,
    /// Held while a note is compared with its last commit.
    pub comparing: tokio::sync::Mutex<()>,
    /// Folder of the site's images.
    pub store: Store,
    /// Channel to the garden's owner.
    pub sender: Sender<Message>,
    /// Number of connections so far.
    pub tabs: AtomicU64,
    /// Blobs that were verified, with their files' tags.
    pub checked: Mutex<HashMap<Digest, String>>,
}

impl ServerState {
    /// Sends a message to the garden's owner; the program ends if the owner is gone.
    pub(super) fn told(&self, question: Question) {
        let _ = self.sender.send(Message::Browser(question));
    }

    /// Reports once for each other user that it was refused.
    pub(super) fn refused(&self, user: u32) {
        let is_new = self.refused_users.lock().unwrap_or_else(PoisonError::into_inner).insert(user);
        if is_new {
            say::err(format_args!(
                "warning: a request from another user of this machine (user id {user}) was refused\nhint: if that is your browser or proxy, first open {}",
                self.with_token
            ));
        }
    }
}
