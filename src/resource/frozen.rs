//! Weights and data that are known from frozen results, or are recorded for them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use neuronotes_core::dataset::{DatasetRef, Draw, Table};
use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::FileRef;

use super::Resources;
use super::facts::{
    BUNDLED, DatasetFacts, DictionaryFacts, Facts, ModelFacts, SCHEMA, Thawed, of_weights, stale,
};
use super::found::{Dataset, Dictionary, Model};
use crate::config::{Config, DatasetSource};

impl Resources {
    /// The facts if known without weights and data, or else those of the files.
    pub fn of(thawed: Option<&Arc<Thawed>>) -> Self {
        Self { thawed: thawed.cloned(), ..Self::default() }
    }

    /// The digest of a file that a block names and that is not in the garden, but was when the results were frozen.
    pub fn file(&self, name: &str) -> Option<FileRef> {
        let digest = *self.thawed.as_ref()?.facts.files.get(name)?;
        Some(FileRef { name: name.to_owned(), path: PathBuf::new(), digest })
    }

    /// The files that blocks name, that are not in the garden, and whose names are like this, as they were when the results were
    /// frozen.
    pub fn files_like(&self, is_like: impl Fn(&str) -> bool) -> Vec<FileRef> {
        let known = self.thawed.iter().flat_map(|thawed| &thawed.facts.files);
        let alike = known.filter(|(name, _)| is_like(name));
        let file = |(name, digest): (&String, &Digest)| FileRef {
            name: name.clone(),
            path: PathBuf::new(),
            digest: *digest,
        };
        alike.map(file).collect()
    }

    /// Checks that the words of a list can be read: with only frozen results, they must be among these.
    ///
    /// # Errors
    /// If they are missing or damaged.
    pub fn words(&self, list: &DatasetRef) -> Result<(), Problem> {
        let name = &list.name;
        let Some(thawed) = &self.thawed else { return Ok(()) };
        for shard in &list.shards {
            let message = match thawed.store.blob(&shard.digest) {
                Some(_) => continue,
                None if thawed.store.blob_path(&shard.digest).exists() => "are damaged",
                None => "are not",
            };
            return Err(stale(format!(
                "the words of the data set `{name}` {message} among the frozen results"
            )));
        }
        Ok(())
    }

    /// The facts about the usable models and data sets that were used.
    pub fn facts(&self, config: &Config) -> Facts {
        let model = |(name, found): (&String, &Result<Model, Problem>)| {
            let (model, weights) = (found.as_ref().ok()?, config.model(name)?);
            let facts = ModelFacts {
                configured: of_weights(&weights),
                digest: model.reference.digest,
                conventions: model.reference.conventions.clone(),
                architecture: (*model.architecture).clone(),
            };
            Some((name.clone(), facts))
        };
        let dataset = |(name, found): (&String, &Result<Dataset, Problem>)| {
            let dataset = &found.as_ref().ok()?.reference;
            let first = dataset.shards.iter().all(|shard| shard.rules == 1);
            let rules = if first { &[] } else { dataset.shards.as_slice() };
            let is_cut = dataset.shards.iter().any(|shard| shard.piece.is_some());
            let pieces = if is_cut { dataset.shards.as_slice() } else { &[] };
            let entry = config.datasets.get(name).map(DatasetSource::written);
            let facts = DatasetFacts {
                configured: entry.unwrap_or_else(|| BUNDLED.to_owned()),
                format: dataset.format,
                labels: dataset.labels,
                // Where the pictures were is of no use elsewhere.
                table: Table { root: None, ..dataset.table.clone() },
                draw: dataset.draw.as_ref().map(Draw::without_paths),
                shards: dataset.shards.iter().map(|shard| shard.digest).collect(),
                pictures: dataset.shards.iter().map(|shard| shard.pictures).collect(),
                rules: rules.iter().map(|shard| shard.rules).collect(),
                pieces: pieces.iter().map(|shard| shard.piece.clone()).collect(),
            };
            Some((name.clone(), facts))
        };
        let dictionary = |(name, found): (&String, &Result<Dictionary, Problem>)| {
            let found = found.as_ref().ok()?;
            let facts = DictionaryFacts {
                configured: config.dictionaries.get(name)?.written(),
                digest: found.file.digest,
                features: found.features,
            };
            Some((name.clone(), facts))
        };
        Facts {
            schema: SCHEMA,
            models: self.models.iter().filter_map(model).collect(),
            datasets: self.datasets.iter().filter_map(dataset).collect(),
            dictionaries: self.dictionaries.iter().filter_map(dictionary).collect(),
            files: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use neuronotes_core::files::FileDigests;
    use neuronotes_core::store::Store;

    use super::*;

    #[test]
    fn a_thawed_data_set_has_the_keys_that_it_had() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("pets/cat")).expect("a folder");
        // Read by the first rules, and by later ones.
        for name in ["pets/cat/1.png", "pets/2.gif", "words.txt"] {
            fs::write(dir.path().join(name), "a file").expect("written");
        }
        let text = "datasets:\n  pets: { path: pets, labels: folders }\n  gif: [pets]\n  words: words.txt\n";
        let (config, problems) = crate::config::parse(text, dir.path());
        assert_eq!(problems, []);
        let names = ["pets", "gif", "words"];
        let (mut there, mut digests) = (Resources::default(), FileDigests::default());
        let before = names.map(|n| there.dataset(&config, &mut digests, n).expect(n).content());
        let json = serde_json::to_string(&there.facts(&config)).expect("JSON");
        let facts: Facts = serde_json::from_str(&json).expect("facts");
        assert!(facts.datasets["words"].rules.is_empty() && facts.datasets["gif"].rules == [2]);
        let store = Store::frozen(dir.path());
        let mut thawed = Resources::of(Some(&Arc::new(Thawed { facts, store })));
        let after = names.map(|n| thawed.dataset(&config, &mut digests, n).expect(n).content());
        assert_eq!(after, before);
        let other = text.replace("labels: folders", "labels: files");
        let (config, _) = crate::config::parse(&other, dir.path());
        let mut thawed = Resources::of(thawed.thawed.as_ref());
        assert!(thawed.dataset(&config, &mut digests, "pets").is_err());
    }
}
