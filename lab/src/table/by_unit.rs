//! Stored scans unit by unit: a data set and a place in; the images, and any unit's activations for all of them, out. Memory holds
//! the units that are asked for, and not the whole table.

use neuronotes_core::dataset::{DatasetRef, Sample};
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::spoiled::Spoiled;
use neuronotes_core::model::Place;
use neuronotes_core::store::Store;

use super::stored::Stored;
use super::{nothing_read, said, spoiled, used_scans};
use crate::failure::Failure;
use crate::workbench::Workbench;

/// The scans of a data set, opened.
pub(crate) struct ByUnit {
    scans: Vec<Stored>,
    /// The images, with captions and labels.
    pub samples: Vec<Sample>,
    /// The shard of each image.
    pub shards: Vec<usize>,
    /// Number of units.
    pub units: usize,
}

/// Why a unit cannot be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// A number in the store is damaged; [`Matrix::read`](super::matrix::Matrix::read) measures it again.
    Damaged,
    /// Something else.
    Failed(Failure),
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl ByUnit {
    /// Opens the scans of a data set that the request uses.
    ///
    /// # Errors
    /// If the request uses no such scans, no image can be read, or a shard has changed since the request was made.
    pub(crate) fn open(
        bench: &mut Workbench<'_>,
        dataset: &DatasetRef,
        place: &Place,
        pool: Pool,
    ) -> Result<Self, Failure> {
        let table = match pool {
            Pool::Mean => "mean",
            Pool::Max => "max",
        };
        let (mut scans, mut samples, mut shards) = (Vec::new(), Vec::new(), Vec::new());
        bench.open_shards(dataset)?;
        let used = used_scans(bench, dataset, Some(place))?;
        let opened = bench.results(&used, |store, record| Stored::open(store, record, table))?;
        for (index, stored) in opened.into_iter().enumerate() {
            bench.monitor.check()?;
            let mut own: Vec<Sample> = stored.keys.samples().collect();
            said(bench, dataset, index, &mut own)?;
            shards.extend(std::iter::repeat_n(index, own.len()));
            samples.extend(own);
            scans.push(stored);
        }
        if samples.is_empty() {
            return Err(nothing_read(bench));
        }
        let units = scans.first().map_or(0, |scan| scan.columns);
        if scans.iter().any(|scan| scan.columns != units) {
            return Err(Failure::new("the stored scans of one layer differ in their units"));
        }
        Ok(Self { scans, samples, shards, units })
    }

    /// The activations of a unit, one for each image; or the first image for which it is NaN or infinite.
    ///
    /// # Errors
    /// If a number is damaged.
    pub(crate) fn unit(
        &self,
        store: &Store,
        unit: usize,
    ) -> Result<Result<Vec<f32>, Spoiled>, Unread> {
        let mut all = Vec::with_capacity(self.samples.len());
        for scan in &self.scans {
            all.extend(scan.column(store, unit).ok_or(Unread::Damaged)?);
        }
        let odd = all.iter().position(|number| !number.is_finite());
        Ok(match odd {
            None => Ok(all),
            Some(at) => Err(spoiled(unit, &self.samples[at].key, all[at])),
        })
    }

    /// The activations of a unit, one for each image, as the bits of numbers in half precision. Some may be NaN or infinite.
    ///
    /// # Errors
    /// If a number is damaged.
    pub(crate) fn bits(
        &self,
        store: &Store,
        unit: usize,
        out: &mut Vec<u16>,
    ) -> Result<(), Unread> {
        out.clear();
        self.scans.iter().try_for_each(|scan| scan.bits(store, unit, out)).ok_or(Unread::Damaged)
    }
}
