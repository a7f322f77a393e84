//! What data sets say of their images: a data set in; its labels and captions, with counts, out. They are kept by digest.

use std::sync::Arc;

use neuronotes_core::dataset::{self, DatasetRef, Said};
use neuronotes_core::files::FileDigests;

use super::Resources;

impl Resources {
    /// What a data set says of its images; `None` if it cannot be listed, or only frozen results are known.
    pub fn said(&mut self, digests: &mut FileDigests, dataset: &DatasetRef) -> Option<Arc<Said>> {
        if self.thawed.is_some() {
            return None;
        }
        let whole = DatasetRef { captions: true, ..dataset.clone() }.content();
        if let Some(known) = self.said.get(&whole) {
            return known.clone();
        }
        let fact = format!("said/{}/{}", whole.hex(), dataset::RULES);
        let found = digests.fact::<Said>(&fact).or_else(|| {
            let said = listed(dataset)?;
            digests.remember(fact, &said);
            Some(said)
        });
        let found = found.map(Arc::new);
        self.said.insert(whole, found.clone());
        found
    }
}

/// Lists a data set; `None` if a shard of it cannot be listed.
fn listed(dataset: &DatasetRef) -> Option<Said> {
    let mut all = Said::of(&[]);
    for (shard, _) in dataset.files() {
        let listed = dataset::list(&shard.path, dataset.format, &dataset.reading()).ok()?;
        all.merge(&Said::of(&listed.samples).limited());
    }
    Some(all.limited())
}
