//! Stored scans as one matrix: a data set and a place in; a row of all its units for each image, and what is said of that
//! image, out. Knows nothing of what the rows are for.

use neuronotes_core::dataset::{DatasetRef, Sample};
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::model::Place;
use neuronotes_core::store::{Record, Store};
use tch::{Device, Kind, Tensor};

use super::{Table, not_finite, nothing_read, said, used_scan};
use crate::failure::Failure;
use crate::workbench::Workbench;

/// The most bytes of a matrix.
const MEMORY: usize = 8 << 30;

/// Which numbers of a scan are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Columns<'a> {
    /// The units of a place, their maps pooled.
    Units(&'a Place, Pool),
}

/// All readable images of a data set.
#[derive(Debug)]
pub(crate) struct Matrix {
    /// `[images, columns]` in single precision on the CPU; every number is finite.
    pub rows: Tensor,
    /// The image of each row. A scan knows keys only: [`Matrix::tell`] adds captions and labels.
    pub samples: Vec<Sample>,
    /// The shard of each row.
    pub shards: Vec<usize>,
}

impl Matrix {
    /// Reads the scans of a data set that the request uses.
    ///
    /// # Errors
    /// If the request uses no such scans, no image can be read, a number is NaN or infinite, or the matrix is too large.
    pub(crate) fn read(
        bench: &mut Workbench<'_>,
        dataset: &DatasetRef,
        columns: Columns<'_>,
    ) -> Result<Self, Failure> {
        let Columns::Units(place, pool) = columns;
        let table = match pool {
            Pool::Mean => "mean",
            Pool::Max => "max",
        };
        let name = bench.request.inputs.place_name(place).to_owned();
        let mut pieces = Vec::new();
        for index in 0..dataset.shards.len() {
            let scan = used_scan(bench, dataset, index, Some(place))?;
            let read = |store: &Store, record: &Record| Piece::read(store, record, table, &name);
            pieces.push(bench.result(scan, read)?);
            bench.monitor.check()?;
        }
        Self::joined(pieces)?.ok_or_else(|| nothing_read(bench))
    }

    /// Adds the captions and labels of the data set. A kind that uses them says so by `Kind::captions`.
    ///
    /// # Errors
    /// If a shard is missing, or has changed since the request was made.
    pub(crate) fn tell(
        &mut self,
        bench: &mut Workbench<'_>,
        dataset: &DatasetRef,
    ) -> Result<(), Failure> {
        let mut rest = self.samples.as_mut_slice();
        for index in 0..dataset.shards.len() {
            let count = self.shards.iter().filter(|shard| **shard == index).count();
            let (own, others) = rest.split_at_mut(count);
            said(bench, dataset, index, own)?;
            rest = others;
        }
        Ok(())
    }

    /// The shards' rows one below the other; `None` if there are none.
    fn joined(pieces: Vec<Piece>) -> Result<Option<Self>, Failure> {
        let images: i64 = pieces.iter().map(|piece| piece.halves.size()[0]).sum();
        let columns = pieces.first().map_or(0, |piece| piece.halves.size()[1]);
        if images == 0 {
            return Ok(None);
        }
        if pieces.iter().any(|piece| piece.halves.size()[1] != columns) {
            return Err(Failure::new("the stored scans of one layer differ in their units"));
        }
        if images as usize * columns as usize * 4 > MEMORY {
            let message =
                format!("{images} images with {columns} numbers each do not fit into 8 GiB");
            return Err(Failure::new(message).hint("use a smaller data set"));
        }
        let rows = Tensor::f_zeros([images, columns], (Kind::Float, Device::Cpu))?;
        let (mut samples, mut shards, mut at) = (Vec::new(), Vec::new(), 0);
        for (index, piece) in pieces.into_iter().enumerate() {
            let count = piece.samples.len();
            rows.f_narrow(0, at, count as i64)?.f_copy_(&piece.halves)?;
            at += count as i64;
            samples.extend(piece.samples);
            shards.extend(std::iter::repeat_n(index, count));
        }
        Ok(Some(Self { rows, samples, shards }))
    }
}

/// One shard.
struct Piece {
    halves: Tensor, // f16 [images, columns]
    samples: Vec<Sample>,
}

impl Piece {
    /// Reads a table of a scan; `Ok(None)` if a blob of the scan is missing or damaged.
    fn read(
        store: &Store,
        record: &Record,
        table: &str,
        place: &str,
    ) -> Result<Option<Self>, Failure> {
        let Some(Table { samples, columns, bytes }) = Table::read(store, record, table)? else {
            return Ok(None);
        };
        let shape = [samples.len() as i64, columns as i64];
        let halves = Tensor::f_from_data_size(&bytes, &shape, Kind::Half)?;
        let odd = halves.f_isfinite()?.f_logical_not()?;
        if odd.any().int64_value(&[]) == 1 {
            let at: Vec<i64> = Vec::try_from(odd.f_nonzero()?.f_get(0)?)?;
            let (row, column) = (at[0], at[1]);
            let what = format!("unit {column} of `{place}`");
            let key = &samples[row as usize].key;
            return Err(not_finite(&what, key, halves.double_value(&[row, column])));
        }
        Ok(Some(Self { halves, samples }))
    }
}

#[cfg(test)]
mod tests {
    use half::f16;
    use neuronotes_core::digest::Digest;
    use neuronotes_core::kind::scan::{ACTIVATIONS, SAMPLES};
    use safetensors::{Dtype, tensor::TensorView};

    use super::*;

    fn samples(names: &[&str]) -> Vec<Sample> {
        let one = |key: &&str| Sample { key: (*key).to_owned(), caption: None, label: None };
        names.iter().map(one).collect()
    }

    /// A record of a scan with this table `mean`.
    fn scan(store: &Store, names: &[&str], rows: &[[f32; 2]]) -> Record {
        let bytes: Vec<u8> =
            rows.as_flattened().iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F16, vec![rows.len(), 2], &bytes).expect("a tensor");
        let file = safetensors::serialize([("mean", view)], None).expect("a file");
        let mut record = Record::new(Digest::of(b"scan"), "scan", 1, serde_json::json!({}));
        record.add_output(store, ACTIVATIONS, "application/octet-stream", &file).expect("a blob");
        let list = serde_json::to_vec(&samples(names)).expect("JSON");
        record.add_output(store, SAMPLES, "application/json", &list).expect("a blob");
        record
    }

    fn piece(names: &[&str], rows: &[[f32; 2]]) -> Result<Option<Piece>, Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        Piece::read(&store, &scan(&store, names, rows), "mean", "a layer")
    }

    #[test]
    fn shards_stand_one_below_the_other_with_their_images() {
        let first = piece(&["a", "b"], &[[1.0, 2.0], [3.0, 4.5]]).expect("a scan").expect("blobs");
        let second = piece(&["a"], &[[-5.0, 0.25]]).expect("a scan").expect("blobs");
        let all = Matrix::joined(vec![first, second]).expect("a matrix").expect("rows");
        assert_eq!((all.rows.size(), all.rows.kind()), (vec![3, 2], Kind::Float));
        let numbers: Vec<f32> = Vec::try_from(all.rows.view(-1)).expect("numbers");
        assert_eq!(numbers, [1.0, 2.0, 3.0, 4.5, -5.0, 0.25]);
        assert_eq!((all.samples, all.shards), (samples(&["a", "b", "a"]), vec![0, 0, 1]));
    }

    #[test]
    fn a_number_that_is_not_finite_is_named_with_its_unit_and_picture() {
        let error =
            piece(&["a", "b"], &[[1.0, 2.0], [3.0, f32::INFINITY]]).err().expect("a failure");
        let text = error.to_string();
        assert!(text.contains("unit 1 of `a layer`") && text.contains("`b`"), "{text}");
    }

    #[test]
    fn without_rows_or_with_other_units_there_is_no_matrix() {
        let none = piece(&[], &[]).expect("a scan").expect("blobs");
        assert!(Matrix::joined(vec![none]).expect("no error").is_none());
        assert!(Matrix::joined(vec![]).expect("no error").is_none());
        let narrow = Piece {
            halves: Tensor::zeros([1, 1], (Kind::Half, Device::Cpu)),
            samples: samples(&["a"]),
        };
        let wide = piece(&["a"], &[[1.0, 2.0]]).expect("a scan").expect("blobs");
        assert!(Matrix::joined(vec![narrow, wide]).is_err());
    }
}
