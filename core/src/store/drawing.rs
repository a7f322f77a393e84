//! Drawings under their figure keys. They can be made again from records.

use std::fs;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::disk::{LONGEST, Store};
use super::error::{StoreError, io_error};
use crate::digest::Digest;
use crate::{file, seal};

/// A file younger than this need not be marked as used again.
const MARKED: Duration = Duration::from_secs(12 * 60 * 60);

/// A drawing in its file, with its key, so that one under another key's name is noticed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bound<T> {
    key: Digest,
    drawing: T,
}

/// What a drawing's file holds.
pub(super) enum Kept<T> {
    /// The drawing of its key.
    Drawing(T),
    /// One of an earlier version or of another form, which has to be drawn again.
    Old,
    /// Damaged.
    Damaged,
    /// The drawing of another key.
    Swapped,
}

/// Reads what the file of a key holds.
pub(super) fn read<T: DeserializeOwned>(key: &Digest, bytes: &[u8]) -> Kept<T> {
    let Some(json) = seal::open(bytes).whole() else { return Kept::Damaged };
    match serde_json::from_slice::<Bound<T>>(&json) {
        Ok(bound) if bound.key == *key => Kept::Drawing(bound.drawing),
        Ok(_) => Kept::Swapped,
        Err(_) => Kept::Old,
    }
}

impl Store {
    /// The drawing under a figure key; it then counts as used. `None` if there is none, or if it is of another form, as
    /// those of earlier versions are.
    pub fn figure<T: DeserializeOwned>(&self, key: &Digest) -> Option<T> {
        let path = self.sharded("figures", key, ".json");
        let bytes = self.read(&path, LONGEST)?;
        let drawing = match read(key, &bytes) {
            Kept::Drawing(drawing) => drawing,
            Kept::Old => return None,
            Kept::Damaged | Kept::Swapped => {
                self.set_aside(&path);
                return None;
            }
        };
        let age = fs::metadata(&path).and_then(|meta| meta.modified()).ok();
        if age.and_then(|then| then.elapsed().ok()).is_some_and(|age| age > MARKED) {
            let _ = file::touch(&path);
        }
        Some(drawing)
    }

    /// Stores the drawing of a figure key. It does not wait for the disk: a page waits for it, and a drawing can be made
    /// again.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn put_figure(&self, key: &Digest, drawing: &impl Serialize) -> Result<(), StoreError> {
        let path = self.sharded("figures", key, ".json");
        let json = serde_json::to_vec(&Bound { key: *key, drawing });
        let json = json.map_err(|error| io_error("write", &path)(error.into()))?;
        self.write_unsynced(&path, &seal::seal(&json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_that_is_damaged_or_of_another_key_never_shows() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        let (key, other) = (Digest::of(b"key"), Digest::of(b"other"));
        let path = |key: &Digest| store.sharded("figures", key, ".json");
        let shown = |key: &Digest| store.figure::<String>(key);
        let put = || {
            store.put_figure(&key, &"5.25").expect("a drawing");
            store.put_figure(&other, &"7.75").expect("a drawing");
        };
        put();
        assert_eq!(
            (shown(&key).as_deref(), shown(&other).as_deref()),
            (Some("5.25"), Some("7.75"))
        );
        let text = fs::read_to_string(path(&key)).expect("a drawing").replace("5.25", "5.35");
        fs::write(path(&key), text).expect("damage");
        assert_eq!(shown(&key), None);
        assert!(!path(&key).exists() && store.damage() == 1, "it is set aside");

        put();
        let aside = dir.path().join("aside");
        fs::rename(path(&key), &aside).expect("moved");
        fs::rename(path(&other), path(&key)).expect("moved");
        fs::rename(&aside, path(&other)).expect("moved");
        assert_eq!((shown(&key), shown(&other), store.damage()), (None, None, 3));

        // A drawing of an earlier version names no key; it is replaced.
        fs::create_dir_all(path(&key).parent().expect("a folder")).expect("a folder");
        fs::write(path(&key), seal::seal(br#"{"type":"plot"}"#)).expect("an old one");
        assert_eq!((shown(&key), store.damage()), (None, 3));
        assert!(path(&key).exists());
        put();
        assert_eq!(shown(&key).as_deref(), Some("5.25"));
    }
}
