//! Pictures to be shown: a picture, or a sample of the request's data set, in; a PNG among the record's outputs
//! out.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use neuronotes_core::dataset::Sample;

use crate::clip::preprocess::shrink;
use crate::dataset::Shard;
use crate::encode::png;
use crate::failure::Failure;
use crate::picture::Picture;
use crate::workbench::Workbench;

/// Longest side of a stored picture, in pixels.
const SIDE: u32 = 256;

/// The pictures that a record shows, and the shards that are open for them.
#[derive(Debug, Default)]
pub(crate) struct Gallery {
    shards: HashMap<usize, Open>,
    count: usize,
}

/// A shard, and the row of each key in it.
type Open = (Box<dyn Shard>, HashMap<String, usize>);

/// A picture in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hung {
    /// The output's name.
    pub picture: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A sample's picture in the record, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exhibited {
    /// Its picture.
    pub hung: Hung,
    /// Its caption.
    pub caption: Option<String>,
    /// Its label.
    pub label: Option<String>,
}

impl Gallery {
    /// Adds the sample of that key, out of a shard of the request's data set.
    pub(crate) fn add_sample(
        &mut self,
        bench: &mut Workbench<'_>,
        shard: usize,
        key: &str,
    ) -> Result<Exhibited, Failure> {
        let (sample, picture) = self.sample(bench, shard, key)?;
        let Sample { caption, label, .. } = sample;
        Ok(Exhibited { hung: self.add(bench, picture)?, caption, label })
    }

    /// The sample of that key and its picture, out of a shard of the request's data set.
    pub(crate) fn sample(
        &mut self,
        bench: &mut Workbench<'_>,
        shard: usize,
        key: &str,
    ) -> Result<(Sample, Picture), Failure> {
        let (shard, by_key) = match self.shards.entry(shard) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let shard = bench.shard(shard)?;
                // The scan has no rows for damaged pictures, so its rows are not the shard's.
                let keys = shard.samples().iter().map(|sample| sample.key.clone());
                let by_key: HashMap<String, usize> = keys.zip(0..).collect();
                new.insert((shard, by_key))
            }
        };
        let gone = |why: &str| Failure::new(format!("`{key}` cannot be shown ({why})"));
        let at = by_key.get(key).ok_or_else(|| gone("it is not in the shard"))?;
        let picture = shard.picture(*at).map_err(|why| gone(&why))?;
        Ok((shard.samples()[*at].clone(), picture))
    }

    /// Adds a picture.
    pub(crate) fn add(
        &mut self,
        bench: &mut Workbench<'_>,
        picture: Picture,
    ) -> Result<Hung, Failure> {
        let gone = |why: String| Failure::new(format!("a picture cannot be shown ({why})"));
        let picture = shrink(picture, SIDE).map_err(gone)?;
        self.count += 1;
        let name = format!("{:03}.png", self.count);
        let (width, height) = picture.dimensions();
        let bytes = png(picture.as_raw(), width, height)?;
        let store = &bench.store();
        bench.record.add_output(store, &name, "image/png", &bytes)?;
        Ok(Hung { picture: name, width, height })
    }
}
