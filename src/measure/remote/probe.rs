//! What the first worker must check: the files that the open requests name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use neuronotes_core::dataset::{DatasetRef, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::pool::{Probe, Probed};
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

use super::group::Open;
use super::paths::Paths;

/// Most files of a probe.
const MOST: usize = 2000;
/// Most bytes of a data set's file whose digest is taken. Of weights it always is.
const LARGE: u64 = 4 << 30;

/// The probe of this name, for these requests.
///
/// # Errors
/// If the store cannot be written to.
pub fn make<'a>(
    nonce: String,
    store: &Store,
    device: &str,
    open: impl Iterator<Item = &'a Open>,
    paths: &Paths,
) -> Result<Probe, Problem> {
    let blob = store.put_blob(format!("a probe of {nonce}\n").as_bytes()).map_err(|error| {
        Problem { message: error.to_string(), hint: error.hint().map(str::to_owned) }
    })?;
    let mut files = Files::default();
    for Open { request: here, .. } in open {
        let there = paths.there(here);
        let what = format!("the weights of {}", here.model.name);
        files.add(what, &here.model.path, &there.model.path, Some(here.model.digest));
        let of_there = there.dataset.iter().chain(&there.inputs.datasets);
        for (here, there) in here.dataset.iter().chain(&here.inputs.datasets).zip(of_there) {
            files.add_shards(here, there);
        }
        let of_here = &here.inputs;
        let inputs = of_here.pictures.iter().chain(&of_here.files).chain(&of_here.dictionaries);
        for file in inputs {
            files.add(file.name.clone(), &file.path, &file.path, Some(file.digest));
        }
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let files = files.0.into_values().collect();
    Ok(Probe { nonce, version, blob, files, device: device.to_owned() })
}

/// Files by their paths there.
#[derive(Default)]
struct Files(BTreeMap<PathBuf, Probed>);

impl Files {
    fn add(&mut self, what: String, here: &Path, there: &Path, digest: Option<Digest>) {
        if self.0.len() >= MOST || self.0.contains_key(there) {
            return;
        }
        let meta = std::fs::metadata(here).ok();
        let bytes = meta.as_ref().filter(|meta| meta.is_file()).map(std::fs::Metadata::len);
        let is_folder = meta.is_some_and(|meta| meta.is_dir());
        let digest = digest.filter(|_| !is_folder);
        let path = there.to_owned();
        self.0.insert(there.to_owned(), Probed { what, path, digest, bytes });
    }

    /// Of the first shard the digest is compared, of the others the length.
    fn add_shards(&mut self, here: &DatasetRef, there: &DatasetRef) {
        // The digest of other shards is not that of a file's bytes alone.
        let is_file = std::ptr::eq(here.format, &format::tar::FORMAT);
        let of_set = format!("the data set {}", here.name);
        let is_new = !self.0.values().any(|probed| probed.what.starts_with(&of_set));
        for (at, (here, there)) in here.shards.iter().zip(&there.shards).enumerate() {
            let name = here.path.file_name().unwrap_or_default().to_string_lossy();
            let is_small = std::fs::metadata(&here.path).is_ok_and(|meta| meta.len() <= LARGE);
            let digest = (is_file && is_new && at == 0 && is_small).then_some(here.digest);
            self.add(format!("{of_set} ({name})"), &here.path, &there.path, digest);
        }
    }
}
