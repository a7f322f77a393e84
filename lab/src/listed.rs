//! A shard, listed or opened by its index: a shard with its digest in; the shard, and the index that the store does not have yet,
//! out.
//!
//! The first look at a shard, which is usually its scan, leaves the index. One that is missing or damaged costs time only.

use neuronotes_core::dataset::{self, DatasetRef, ShardError, ShardRef, index};
use neuronotes_core::digest::Digest;
use neuronotes_core::store::Store;

use crate::dataset::{Shard, of_listing};

/// A shard that is open.
#[derive(Debug)]
pub(crate) struct Listed {
    shard: Box<dyn Shard>,
    /// Its index under the index's key, if the store has none yet.
    new: Option<(Digest, Vec<u8>)>,
}

impl Listed {
    /// Opens a shard whose digest has just been compared. `side` is the side of drawn pictures, in pixels.
    ///
    /// # Errors
    /// If the file or folder cannot be read or is of another format.
    pub(crate) fn open(
        store: &Store,
        dataset: &DatasetRef,
        shard: &ShardRef,
        side: u32,
    ) -> Result<Self, ShardError> {
        let (format, reading) = (dataset.format, dataset.reading());
        let key = index::key(format, &reading, &shard.digest);
        let stored = key.and_then(|key| store.index(&key));
        if let Some(listing) = stored.and_then(|bytes| index::open(&shard.path, &bytes)) {
            return Ok(Self { shard: of_listing(listing, format, side), new: None });
        }
        let listing = dataset::list(&shard.path, format, &reading)?;
        let new = key.and_then(|key| Some((key, index::written(&listing)?)));
        Ok(Self { shard: of_listing(listing, format, side), new })
    }

    /// The shard. Its index is stored if `is_same` says, after the shard was listed, that it has not changed since its digest was
    /// compared.
    pub(crate) fn kept(self, store: &Store, is_same: impl FnOnce() -> bool) -> Box<dyn Shard> {
        if let Some((key, bytes)) = self.new
            && is_same()
        {
            // Without it the shard is listed again.
            let _ = store.put_index(&key, bytes);
        }
        self.shard
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use neuronotes_core::dataset::{Labels, Table, format};
    use neuronotes_core::files::FileDigests;

    use super::*;

    fn archive(path: &Path, labels: &[&str]) {
        let mut builder = tar::Builder::new(File::create(path).expect("a file"));
        for (at, label) in labels.iter().enumerate() {
            for (ending, bytes) in [("png", "picture"), ("cls", label)] {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                let name = format!("{at}.{ending}");
                builder.append_data(&mut header, name, bytes.as_bytes()).expect("an entry");
            }
        }
        builder.finish().expect("an archive");
    }

    #[test]
    fn a_shard_is_listed_once_and_never_by_an_index_of_other_content() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("store")).expect("a store");
        let path = dir.path().join("a.tar");
        archive(&path, &["a", "b"]);
        let reference = || {
            let digest = FileDigests::default().digest(&path).expect("a digest");
            let shard = ShardRef::new(path.clone(), digest);
            let dataset = DatasetRef {
                name: "data".into(),
                format: &format::tar::FORMAT,
                captions: true,
                labels: Labels::Files,
                table: Table::default(),
                draw: None,
                shards: vec![shard.clone()],
            };
            (dataset, shard)
        };
        let open = |(dataset, shard): &(DatasetRef, ShardRef)| {
            Listed::open(&store, dataset, shard, 0).expect("a shard")
        };
        let labels = |shard: &dyn Shard| {
            let samples = shard.samples().iter().map(|sample| sample.label.clone());
            samples.collect::<Option<Vec<String>>>().expect("labels").join("")
        };
        let first = reference();
        let listed = open(&first);
        assert!(listed.new.is_some());
        let before = labels(&*listed.kept(&store, || false));
        assert!(open(&first).new.is_some(), "one that has changed meanwhile has no index");
        open(&first).kept(&store, || true);
        let again = open(&first);
        assert!(again.new.is_none(), "it is indexed");
        let again = again.kept(&store, || panic!("there is nothing new"));
        assert_eq!((labels(&*again), before.as_str()), ("ab".to_owned(), "ab"));
        assert_eq!(again.samples().len(), 2);
        // Other content has another index; a damaged one is made again.
        archive(&path, &["c", "d"]);
        let second = reference();
        assert_eq!(labels(&*open(&second).kept(&store, || true)), "cd");
        assert_eq!(labels(&*open(&first).kept(&store, || true)), "ab", "as of the older digest");
        let key = index::key(second.0.format, &second.0.reading(), &second.1.digest);
        let hex = key.expect("a key").hex();
        let file = dir.path().join("store/v1/indexes").join(&hex[..2]).join(&hex);
        let mut bytes = fs::read(&file).expect("an index");
        bytes[40] ^= 1;
        fs::write(&file, bytes).expect("damage");
        let listed = open(&second);
        assert!(listed.new.is_some());
        assert_eq!(labels(&*listed.kept(&store, || true)), "cd");
        assert!(open(&second).new.is_none());
    }
}
