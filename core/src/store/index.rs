//! Indexes of shards: what listing a shard found, under a key that covers the shard's content and how it is read. They can be
//! made again from the shard.

use std::fs;
use std::time::Duration;

use super::disk::Store;
use super::error::StoreError;
use crate::digest::Digest;
use crate::file;

/// A file younger than this need not be marked as used again.
const MARKED: Duration = Duration::from_secs(12 * 60 * 60);
/// Most bytes of an index.
pub(super) const LONGEST_INDEX: u64 = 4 << 30;
/// Bytes of the digest at its end.
const SEAL: usize = 32;

/// The digest at the end of an index covers its key too, so that one under another key's name is noticed.
fn sealed(key: &Digest, bytes: &[u8]) -> [u8; SEAL] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key.bytes()).update(bytes);
    *hasher.finalize().as_bytes()
}

/// What the file of a key holds; `None` if it is damaged, or that of another key.
pub(super) fn read(key: &Digest, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let (body, seal) = bytes.split_last_chunk::<SEAL>()?;
    let length = body.len();
    if sealed(key, body) != *seal {
        return None;
    }
    bytes.truncate(length);
    Some(bytes)
}

impl Store {
    /// The index under a key; it then counts as used. `None` if there is none, or if it is damaged; a damaged one is set aside.
    pub fn index(&self, key: &Digest) -> Option<Vec<u8>> {
        let path = self.sharded("indexes", key, "");
        let bytes = self.read(&path, LONGEST_INDEX)?;
        let Some(index) = read(key, bytes) else {
            self.set_aside(&path);
            return None;
        };
        let age = fs::metadata(&path).and_then(|meta| meta.modified()).ok();
        if age.and_then(|then| then.elapsed().ok()).is_some_and(|age| age > MARKED) {
            let _ = file::touch(&path);
        }
        Some(index)
    }

    /// Stores an index. It does not wait for the disk: an index can be made again.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn put_index(&self, key: &Digest, mut bytes: Vec<u8>) -> Result<(), StoreError> {
        let seal = sealed(key, &bytes);
        bytes.extend_from_slice(&seal);
        self.write_unsynced(&self.sharded("indexes", key, ""), &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_is_damaged_or_of_another_key_is_set_aside() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        let (key, other) = (Digest::of(b"key"), Digest::of(b"other"));
        let path = |key: &Digest| store.sharded("indexes", key, "");
        assert_eq!((store.index(&key), store.damage()), (None, 0));
        for (key, bytes) in [(&key, &b"list"[..]), (&other, b"")] {
            store.put_index(key, bytes.to_vec()).expect("an index");
            assert_eq!(store.index(key).as_deref(), Some(bytes));
        }
        let verified = store.verify(&mut |_, _| {}).expect("verified");
        assert_eq!((verified.indexes, verified.wrong.len()), (2, 0));
        fs::rename(path(&other), path(&key)).expect("moved");
        assert_eq!((store.index(&key), store.damage()), (None, 1));
        assert!(!path(&key).exists(), "it is set aside");
        store.put_index(&key, b"list".to_vec()).expect("an index");
        let mut bytes = fs::read(path(&key)).expect("a file");
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!((read(&key, bytes.clone()), read(&key, bytes[..at].to_vec())), (None, None));
            bytes[at] ^= 1;
        }
        bytes[1] ^= 1;
        fs::write(path(&key), bytes).expect("damage");
        let verified = store.verify(&mut |_, _| {}).expect("verified");
        assert_eq!((verified.indexes, verified.wrong.len()), (0, 1));
        assert_eq!(
            verified.wrong[0].message,
            "the index of a shard is damaged; it will be made again"
        );
    }
}
