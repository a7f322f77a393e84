//! Failures worth remembering: of requests that would fail again.
//!
//! A failure is kept under its request key, so it is forgotten as soon as anything changes that the key covers. It counts
//! only for the version of the lab that failed.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::disk::{LONGEST, Store};
use super::error::StoreError;
use crate::digest::Digest;
use crate::{place, seal};

/// Why a request fails every time it is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// The request key.
    pub key: Digest,
    /// The kind of analysis.
    pub kind: String,
    /// The kind's version that failed.
    pub impl_version: u32,
    /// The lab's version that failed.
    pub lab: String,
    /// When it failed, RFC 3339, UTC.
    pub time: String,
    /// What is wrong.
    pub message: String,
    /// What to do, if that is known.
    pub hint: Option<String>,
}

impl Store {
    fn failure_path(&self, key: &Digest) -> PathBuf {
        self.root.join("failures").join(format!("{key}.json"))
    }

    /// The failure remembered under a request key. A file that holds no failure is removed.
    pub fn failure(&self, key: &Digest) -> Option<Remembered> {
        let path = self.failure_path(key);
        let bytes = match place::read(&path, LONGEST) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            bytes => bytes.unwrap_or_default(),
        };
        // A failure without a checksum is from an earlier version. If it still applies, it will be reported again.
        let json = seal::open(&bytes).whole();
        match json.and_then(|json| serde_json::from_slice::<Remembered>(&json).ok()) {
            Some(failure) if failure.key == *key => Some(failure),
            _ => {
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Remembers a failure.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn put_failure(&self, failure: &Remembered) -> Result<(), StoreError> {
        let json = serde_json::to_vec_pretty(failure).expect("a failure is plain data");
        self.write(&self.failure_path(&failure.key), &seal::seal(&json))
    }

    /// Forgets the failure under a request key.
    pub fn forget_failure(&self, key: &Digest) {
        let _ = fs::remove_file(self.failure_path(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_remembered_by_its_key_and_damage_is_no_failure() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        let key = Digest::of(b"key");
        let failure = Remembered {
            key,
            kind: "feature_vis".into(),
            impl_version: 2,
            lab: "0.1.0".into(),
            time: "2026-01-01T00:00:00Z".into(),
            message: "the lab crashed (signal 11)".into(),
            hint: None,
        };
        store.put_failure(&failure).expect("written");
        assert_eq!(store.failure(&key), Some(failure.clone()));
        store.forget_failure(&key);
        assert_eq!(store.failure(&key), None);

        // Another's failure under this name, and half a file.
        store.put_failure(&failure).expect("written");
        let other = Digest::of(b"other");
        fs::copy(store.failure_path(&key), store.failure_path(&other)).expect("a copy");
        fs::write(store.failure_path(&key), b"{\"key\": \"").expect("cut");
        assert_eq!((store.failure(&key), store.failure(&other)), (None, None));
        assert!(!store.failure_path(&key).exists());

        // A flipped bit in what it says.
        store.put_failure(&failure).expect("written");
        let text = fs::read_to_string(store.failure_path(&key)).expect("text");
        fs::write(store.failure_path(&key), text.replace("signal 11", "signal 15"))
            .expect("damage");
        assert_eq!(store.failure(&key), None);
    }
}
