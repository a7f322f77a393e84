//! Stored scans as one matrix: a data set and a place in; a row of all its units for each image, and what is said of that
//! image, out. Knows nothing of what the rows are for.

use std::collections::BTreeMap;

use neuronotes_core::dataset::{DatasetRef, Sample};
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::spoiled::Spoiled;
use neuronotes_core::model::Place;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use tch::{Device, Kind, Tensor};

use super::stored::Stored;
use super::{nothing_read, said, spoiled, unsound, used_scans};
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
    /// `[images, columns]` in single precision on the CPU; every number is finite. The columns of spoiled units are zero.
    pub rows: Tensor,
    /// The image of each row. A scan knows keys only: [`Matrix::tell`] adds captions and labels.
    pub samples: Vec<Sample>,
    /// The shard of each row.
    pub shards: Vec<usize>,
    /// The units with a number that is NaN or infinite, in order.
    pub spoiled: Vec<Spoiled>,
}

impl Matrix {
    /// Reads the scans of a data set that the request uses.
    ///
    /// # Errors
    /// If the request uses no such scans, no image can be read, no unit has finite numbers only, or the matrix is too large.
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
        let used = used_scans(bench, dataset, Some(place))?;
        let shards = bench.results(&used, |store, record| Stored::open(store, record, table))?;
        bench.monitor.check()?;
        let read = |index: usize, shard: &Stored| {
            bench.monitor.check()?;
            if let Some(rows) = shard.rows(bench.store()) {
                return Ok(rows);
            }
            // It is damaged: it is measured again.
            bench.result(used[index], |store, record| {
                Ok(Stored::open(store, record, table)?.and_then(|shard| shard.rows(store)))
            })
        };
        Self::joined(shards, &name, read)?.ok_or_else(|| nothing_read(bench))
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
        bench.open_shards(dataset)?;
        let mut rest = self.samples.as_mut_slice();
        for index in 0..dataset.shards.len() {
            let count = self.shards.iter().filter(|shard| **shard == index).count();
            let (own, others) = rest.split_at_mut(count);
            said(bench, dataset, index, own)?;
            rest = others;
        }
        Ok(())
    }

    /// Whether a unit is left out, since a number of it is NaN or infinite.
    pub(crate) fn is_spoiled(&self, unit: usize) -> bool {
        self.spoiled.binary_search_by_key(&(unit as u32), |spoiled| spoiled.unit).is_ok()
    }

    /// The shards' rows one below the other, as `read` returns them; `None` if there are none.
    fn joined(
        shards: Vec<Stored>,
        place: &str,
        mut read: impl FnMut(usize, &Stored) -> Result<Vec<f32>, Failure>,
    ) -> Result<Option<Self>, Failure> {
        let images: usize = shards.iter().map(|shard| shard.keys.len()).sum();
        let columns = shards.first().map_or(0, |shard| shard.columns);
        if images == 0 {
            return Ok(None);
        }
        if shards.iter().any(|shard| shard.columns != columns) {
            return Err(Failure::new("the stored scans of one layer differ in their units"));
        }
        if images * columns * 4 > MEMORY {
            let message =
                format!("{images} images with {columns} numbers each do not fit into 8 GiB");
            return Err(Failure::new(message).hint("use a smaller data set"));
        }
        let rows = Tensor::f_zeros([images as i64, columns as i64], (Kind::Float, Device::Cpu))?;
        let (mut samples, mut origins) = (Vec::with_capacity(images), Vec::with_capacity(images));
        let mut odd: BTreeMap<usize, Spoiled> = BTreeMap::new();
        for (index, shard) in shards.into_iter().enumerate() {
            let numbers = read(index, &shard)?;
            if numbers.par_iter().any(|number| !number.is_finite()) {
                for (at, number) in numbers.iter().enumerate().filter(|(_, x)| !x.is_finite()) {
                    let first = || spoiled(at % columns, shard.keys.key(at / columns), *number);
                    odd.entry(at % columns).or_insert_with(first);
                }
            }
            let (start, count) = (samples.len() as i64, shard.keys.len());
            let shape = [count as i64, columns as i64];
            rows.f_narrow(0, start, count as i64)?
                .f_copy_(&Tensor::f_from_slice(&numbers)?.f_view(shape)?)?;
            samples.extend(shard.keys.samples());
            origins.extend(std::iter::repeat_n(index, count));
        }
        if odd.len() == columns
            && let Some(first) = odd.values().next()
        {
            return Err(unsound(place, first));
        }
        for unit in odd.keys() {
            let _ = rows.f_select(1, *unit as i64)?.f_fill_(0.0)?;
        }
        Ok(Some(Self { rows, samples, shards: origins, spoiled: odd.into_values().collect() }))
    }
}

#[cfg(test)]
mod tests {
    use half::f16;
    use neuronotes_core::digest::Digest;
    use neuronotes_core::kind::scan::{ACTIVATIONS, DIGESTS, KEYS, SAMPLES};
    use neuronotes_core::store::{Record, Store};
    use safetensors::{Dtype, tensor::TensorView};

    use super::*;
    use crate::table::layout::Rows;

    fn samples(names: &[&str]) -> Vec<Sample> {
        let one = |key: &&str| Sample { key: (*key).to_owned(), caption: None, label: None };
        names.iter().map(one).collect()
    }

    /// A scan of two units, as it is written.
    fn scan(store: &Store, names: &[&str], rows: &[[f32; 2]]) -> Record {
        let bytes: Vec<u8> =
            rows.as_flattened().iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect();
        let rows = Rows { mean: &bytes, max: &bytes, embedding: &bytes };
        let (file, digests) = rows.laid(names.len(), 2, 2).expect("laid out");
        let mut record = Record::new(Digest::of(b"scan"), "scan", 1, serde_json::json!({}));
        let keys = serde_json::to_vec(names).expect("JSON");
        for (name, bytes) in [(ACTIVATIONS, file), (DIGESTS, digests), (KEYS, keys)] {
            record.add_output(store, name, "application/octet-stream", &bytes).expect("a blob");
        }
        record
    }

    /// The same scan as earlier versions wrote it.
    fn former(store: &Store, names: &[&str], rows: &[[f32; 2]]) -> Record {
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

    type Write = fn(&Store, &[&str], &[[f32; 2]]) -> Record;

    /// Shards as one matrix.
    fn joined(write: Write, shards: &[(&[&str], &[[f32; 2]])]) -> Result<Option<Matrix>, Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let open = |(names, rows): &(&[&str], &[[f32; 2]])| {
            let record = write(&store, names, rows);
            Stored::open(&store, &record, "mean").expect("a scan").expect("blobs")
        };
        let shards: Vec<Stored> = shards.iter().map(open).collect();
        Matrix::joined(shards, "a layer", |_, shard| Ok(shard.rows(&store).expect("intact")))
    }

    #[test]
    fn shards_stand_one_below_the_other_with_their_images() {
        let shards: [(&[&str], &[[f32; 2]]); 2] =
            [(&["a", "b"], &[[1.0, 2.0], [3.0, 4.5]]), (&["a"], &[[-5.0, 0.25]])];
        for write in [scan as Write, former] {
            let all = joined(write, &shards).expect("a matrix").expect("rows");
            assert_eq!((all.rows.size(), all.rows.kind()), (vec![3, 2], Kind::Float));
            let numbers: Vec<f32> = Vec::try_from(all.rows.view(-1)).expect("numbers");
            assert_eq!(numbers, [1.0, 2.0, 3.0, 4.5, -5.0, 0.25]);
            assert_eq!((all.samples, all.shards), (samples(&["a", "b", "a"]), vec![0, 0, 1]));
        }
    }

    #[test]
    fn a_unit_that_is_not_finite_is_zero_in_all_shards_and_named_with_its_first_picture() {
        let shards: [(&[&str], &[[f32; 2]]); 3] = [
            (&["a"], &[[1.0, 2.0]]),
            (&["b", "c"], &[[3.0, f32::INFINITY], [4.0, f32::NAN]]),
            (&["d"], &[[5.0, 6.0]]),
        ];
        for write in [scan as Write, former] {
            let all = joined(write, &shards).expect("a matrix").expect("rows");
            let numbers: Vec<f32> = Vec::try_from(all.rows.view(-1)).expect("numbers");
            assert_eq!(numbers, [1.0, 0.0, 3.0, 0.0, 4.0, 0.0, 5.0, 0.0]);
            assert_eq!(all.spoiled, [spoiled(1, "b", f32::INFINITY)]);
            let error = crate::table::check_sound("a layer", &all.spoiled, 1).expect_err("unit 1");
            let text = error.to_string();
            assert!(text.contains("unit 1 of `a layer`") && text.contains("`b`"), "{text}");
            assert_eq!(crate::table::check_sound("a layer", &all.spoiled, 0), Ok(()));
        }
    }

    #[test]
    fn a_layer_without_any_finite_unit_fails_and_names_one() {
        let rows: &[[f32; 2]] = &[[1.0, f32::NAN], [f32::INFINITY, 2.0]];
        let error = joined(scan, &[(&["a", "b"], rows)]).expect_err("a failure").to_string();
        assert!(error.contains("unit 0 of `a layer`") && error.contains("`b`"), "{error}");
    }

    #[test]
    fn what_is_not_finite_has_no_part_in_a_product_without_weight() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let rows = [[f32::NAN, 2.0], [f32::INFINITY, 3.0], [1.0, 4.0]];
        for record in
            [scan(&store, &["a", "b", "c"], &rows), former(&store, &["a", "b", "c"], &rows)]
        {
            let found = Stored::open(&store, &record, "mean").expect("a scan").expect("blobs");
            let products = |direction: [f64; 2]| -> Vec<f64> {
                let all = found.products(&store, &direction).expect("intact");
                all.into_iter().map(|[product, _]| product).collect()
            };
            assert_eq!(products([0.0, 2.0]), [4.0, 6.0, 8.0]);
            assert!(!products([1.0, 2.0])[..2].iter().any(|product| product.is_finite()));
        }
    }

    #[test]
    fn without_rows_there_is_no_matrix() {
        assert!(joined(scan, &[(&[], &[])]).expect("no error").is_none());
        assert!(joined(scan, &[]).expect("no error").is_none());
    }

    #[test]
    fn columns_rows_and_products_are_the_same_however_they_lie() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        // More than are computed together.
        let names: Vec<String> = (0..600).map(|at| at.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rows: Vec<[f32; 2]> = (0..600).map(|at| [at as f32 / 8.0, 3.0 - at as f32]).collect();
        for record in [scan(&store, &names, &rows), former(&store, &names, &rows)] {
            let found = Stored::open(&store, &record, "mean").expect("a scan").expect("blobs");
            assert_eq!((found.columns, found.keys.iter().collect::<Vec<_>>()), (2, names.clone()));
            for unit in 0..2 {
                let expected: Vec<f32> = rows.iter().map(|row| row[unit]).collect();
                assert_eq!(found.column(&store, unit), Some(expected));
            }
            assert_eq!(found.rows(&store).as_deref(), Some(rows.as_flattened()));
            let products = found.products(&store, &[2.0, -1.0]).expect("intact");
            let expected = |row: &[f32; 2]| {
                let [a, b] = row.map(f64::from);
                [2.0 * a - b, a * a + b * b]
            };
            assert_eq!(products, rows.iter().map(expected).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_damaged_column_is_that_column_alone_and_is_set_aside_when_it_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let record = scan(&store, &["a"], &[[1.0, 2.0]]);
        let path = store.blob_path(&record.outputs[ACTIVATIONS].digest);
        let mut bytes = std::fs::read(&path).expect("a file");
        *bytes.last_mut().expect("a byte") ^= 1; // of the mean of unit 1
        std::fs::write(&path, bytes).expect("written");
        let found = Stored::open(&store, &record, "mean").expect("a scan").expect("blobs");
        assert_eq!(found.column(&store, 0), Some(vec![1.0]));
        assert!(path.exists());
        assert_eq!(found.column(&store, 1), None);
        assert!(!path.exists() && store.damage() == 1);
        assert!(Stored::open(&store, &record, "mean").expect("no error").is_none());
    }
}
