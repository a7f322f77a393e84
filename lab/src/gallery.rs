//! Pictures that figures show: a picture, or a sample of the request's data set, in; a PNG among the record's outputs out.
//! And the pictures of figures that a request uses.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use image::RgbImage;
use neuronotes_core::dataset::Sample;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{Kind, Origin};
use neuronotes_core::suggest;

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
    shards: HashMap<usize, Box<dyn Shard>>,
    count: usize,
}

/// So many samples are looked for one by one, more of them in a table of all keys.
const FEW: usize = 32;

/// A picture in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The name of its output.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Gallery {
    /// Finds the samples of these shards and keys in the request's data set: for each its shard and its row there.
    ///
    /// # Errors
    /// If a shard cannot be opened, or has no such sample.
    pub(crate) fn find<'g>(
        &'g mut self,
        bench: &mut Workbench<'_>,
        samples: &[(usize, &str)],
    ) -> Result<Vec<(&'g dyn Shard, usize)>, Failure> {
        for &(index, _) in samples {
            if let Entry::Vacant(new) = self.shards.entry(index) {
                new.insert(bench.shard(bench.dataset()?, index)?);
            }
        }
        let mut by_key: HashMap<(usize, &str), usize> = HashMap::new();
        if samples.len() > FEW {
            let wanted: HashSet<usize> = samples.iter().map(|(index, _)| *index).collect();
            for (index, shard) in self.shards.iter().filter(|(index, _)| wanted.contains(index)) {
                let keys = shard.samples().iter().map(|sample| (*index, sample.key.as_str()));
                by_key.extend(keys.zip(0..));
            }
        }
        // The scan has no rows for damaged pictures, so its rows are not the shard's.
        let find = |&(index, key): &(usize, &str)| {
            let shard = self.shards.get(&index)?;
            let row = match samples.len() > FEW {
                true => by_key.get(&(index, key)).copied(),
                false => shard.samples().iter().position(|sample| sample.key == key),
            };
            Some((shard.as_ref(), row?))
        };
        let found = samples.iter().map(|sample| {
            find(sample).ok_or_else(|| cannot_show(sample.1, "it is not in the shard"))
        });
        found.collect()
    }

    /// The picture of the sample of that key in a shard of the request's data set, as it is shown, and the sample with its
    /// caption and label. Adds nothing.
    ///
    /// # Errors
    /// If it is not there, or cannot be read.
    pub(crate) fn sample(
        &mut self,
        bench: &mut Workbench<'_>,
        shard: usize,
        key: &str,
    ) -> Result<(RgbImage, Sample), Failure> {
        let [(shard, row)] = self.find(bench, &[(shard, key)])?[..] else {
            return Err(cannot_show(key, "it is not in the shard"));
        };
        let sample = shard.samples()[row].clone();
        let picture = shard.picture(row).and_then(|picture| shrink(picture, SIDE));
        Ok((picture.map_err(|why| cannot_show(key, &why))?, sample))
    }

    /// Adds the sample of that key from a shard of the request's data set. Returns its picture, and the sample with its
    /// caption and label.
    ///
    /// # Errors
    /// If it is not there, or cannot be read.
    pub(crate) fn add_sample(
        &mut self,
        bench: &mut Workbench<'_>,
        shard: usize,
        key: &str,
    ) -> Result<(Stored, Sample), Failure> {
        let (picture, sample) = self.sample(bench, shard, key)?;
        Ok((self.keep(bench, &picture)?, sample))
    }

    /// Adds a picture.
    ///
    /// # Errors
    /// If it cannot be encoded or stored.
    pub(crate) fn add(
        &mut self,
        bench: &mut Workbench<'_>,
        picture: Picture,
    ) -> Result<Stored, Failure> {
        let cannot = |why: String| Failure::new(format!("a picture cannot be shown ({why})"));
        let picture = shrink(picture, SIDE).map_err(cannot)?;
        self.keep(bench, &picture)
    }

    /// Adds a picture as it is.
    ///
    /// # Errors
    /// If it cannot be encoded or stored.
    pub(crate) fn keep(
        &mut self,
        bench: &mut Workbench<'_>,
        picture: &RgbImage,
    ) -> Result<Stored, Failure> {
        self.count += 1;
        let name = format!("{:03}.png", self.count);
        let (width, height) = picture.dimensions();
        let bytes = png(picture.as_raw(), width, height)?;
        bench.record.add_output(bench.store(), &name, "image/png", &bytes)?;
        Ok(Stored { picture: name, width, height })
    }
}

fn cannot_show(key: &str, why: &str) -> Failure {
    Failure::new(format!("`{key}` cannot be shown ({why})"))
}

/// The pictures of a figure that the request uses, each with the figure and its label there.
///
/// # Errors
/// If the request uses no such figure, or that has no pictures.
pub(crate) fn pictures_of(
    bench: &mut Workbench<'_>,
    figure: Digest,
) -> Result<Vec<(Origin, Picture)>, Failure> {
    let request = bench
        .using(figure)
        .ok_or_else(|| Failure::new("the request does not use the figure that it names"))?;
    let pictures = Kind::named(&request.kind).and_then(|kind| kind.pictures);
    let pictures = pictures.ok_or_else(|| {
        let kind = &request.kind;
        Failure::new(format!("{} `{kind}` has no pictures", suggest::article(kind)))
    })?;
    bench.result(request, |store, record| {
        let Some(result) = record.result(store) else { return Ok(None) };
        let malformed = |why| Failure::new(format!("the used result is malformed ({why})"));
        let mut found = Vec::new();
        for exhibit in pictures(result).map_err(malformed)? {
            let name = exhibit.output;
            let output = record
                .outputs
                .get(&name)
                .ok_or_else(|| Failure::new(format!("the used result has no `{name}`")))?;
            let Some(bytes) = store.blob(&output.digest) else { return Ok(None) };
            let picture = Picture::decode(&bytes).map_err(|why| {
                Failure::new(format!("the used picture `{name}` cannot be read ({why})"))
            })?;
            found.push((Origin { figure, label: exhibit.label }, picture));
        }
        Ok(Some(found))
    })
}
