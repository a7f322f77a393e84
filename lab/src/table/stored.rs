//! One table of a stored scan: a record in; one column, all rows, or their products with a direction out.
//!
//! The file is mapped, and only what is asked for is read and verified. Scans of earlier versions, whose rows are images, are
//! read and verified as a whole.

use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use memmap2::Mmap;
use neuronotes_core::dataset::Sample;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan::{ACTIVATIONS, DIGESTS, KEYS, SAMPLES};
use neuronotes_core::store::{Record, Store};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;
use safetensors::SafeTensors;

use super::keys::Keys;
use super::layout::Laid;
use crate::failure::Failure;

/// Rows that are computed together.
const BLOCK: usize = 256;

/// A table of a scan, of a row for each image.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The key of each row.
    pub keys: Arc<Keys>,
    /// The length of a row.
    pub columns: usize,
    numbers: Numbers,
    blob: Digest,
}

/// Numbers in half precision, little-endian.
#[derive(Debug)]
enum Numbers {
    /// `[images, columns]` in a part of a file that was read and verified.
    Read(Vec<u8>, Range<usize>),
    /// `[images, columns]` in a mapped file, verified.
    Rows(Mmap, Range<usize>),
    /// `[columns, images]` in a mapped file; columns are verified when they are read.
    Columns(Mmap, Laid),
}

/// Keys, the shape of the tensor, and its numbers.
type Opened = (Arc<Keys>, [usize; 2], Numbers);

fn blob_of(record: &Record, output: &str) -> Option<Digest> {
    record.outputs.get(output).map(|output| output.digest)
}

fn malformed(record: &Record, why: &dyn Display) -> Failure {
    Failure::new(format!("the stored scan {} is malformed ({why})", record.key.short()))
}

impl Stored {
    /// Opens a table, such as `mean`; `Ok(None)` if a blob of the scan is missing or damaged.
    ///
    /// # Errors
    /// If the scan is malformed.
    pub(crate) fn open(
        store: &Store,
        record: &Record,
        name: &str,
    ) -> Result<Option<Self>, Failure> {
        let Some(blob) = blob_of(record, ACTIVATIONS) else { return Ok(None) };
        let opened = match blob_of(record, KEYS) {
            Some(keys) => Self::open_by_unit(store, record, name, (blob, keys))?,
            None => Self::open_by_image(store, record, name, blob)?,
        };
        let Some((keys, [mut rows, mut columns], numbers)) = opened else { return Ok(None) };
        if matches!(numbers, Numbers::Columns(..)) {
            std::mem::swap(&mut rows, &mut columns);
        }
        if rows != keys.len() {
            return Err(malformed(record, &"it does not have a row for each image"));
        }
        Ok(Some(Self { keys, columns, numbers, blob }))
    }

    /// A scan whose rows are units.
    fn open_by_unit(
        store: &Store,
        record: &Record,
        name: &str,
        (blob, keys): (Digest, Digest),
    ) -> Result<Option<Opened>, Failure> {
        let digests = blob_of(record, DIGESTS).and_then(|digests| store.blob(&digests));
        let (Some(keys), Some(digests)) = (store.blob(&keys), digests) else { return Ok(None) };
        let Some(file) = store.open_blob(&blob) else { return Ok(None) };
        // SAFETY: blobs are never written to: they are renamed into place, and removed or set aside by their names.
        let Ok(map) = (unsafe { Mmap::map(&file) }) else { return Ok(None) };
        let found = Laid::find(&map, digests, name).map_err(|error| malformed(record, &error))?;
        let laid = found.filter(|laid| laid.is_by_unit() || laid.run(&map, 0).is_some());
        let Some(laid) = laid else {
            store.reject_blob(&blob);
            return Ok(None);
        };
        let keys: Keys =
            serde_json::from_slice(&keys).map_err(|error| malformed(record, &error))?;
        let shape = laid.shape();
        let numbers = match laid.is_by_unit() {
            true => Numbers::Columns(map, laid),
            false => Numbers::Rows(map, laid.data()),
        };
        Ok(Some((Arc::new(keys), shape, numbers)))
    }

    /// A scan of an earlier version, whose rows are images.
    fn open_by_image(
        store: &Store,
        record: &Record,
        name: &str,
        blob: Digest,
    ) -> Result<Option<Opened>, Failure> {
        let samples = blob_of(record, SAMPLES).and_then(|samples| store.blob(&samples));
        let (Some(bytes), Some(samples)) = (store.blob(&blob), samples) else { return Ok(None) };
        let samples: Vec<Sample> =
            serde_json::from_slice(&samples).map_err(|error| malformed(record, &error))?;
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|error| malformed(record, &error))?;
        let view = tensors.tensor(name).map_err(|error| malformed(record, &error))?;
        let &[rows, columns] = view.shape() else {
            return Err(malformed(record, &"it is not a table"));
        };
        if view.data().len() != rows * columns * 2 {
            return Err(malformed(record, &"it is not in half precision"));
        }
        let start = view.data().as_ptr().addr() - bytes.as_ptr().addr();
        let data = start..start + view.data().len();
        let keys = samples.iter().map(|sample| sample.key.as_str()).collect();
        Ok(Some((Arc::new(keys), [rows, columns], Numbers::Read(bytes, data))))
    }

    /// A column, which must exist: a number for each image. `None` if it is damaged.
    pub(crate) fn column(&self, store: &Store, at: usize) -> Option<Vec<f32>> {
        match self.numbers.by_rows() {
            Some(rows) => {
                let (cells, _) = rows.as_chunks::<2>();
                let column = cells.iter().skip(at).step_by(self.columns.max(1));
                Some(column.map(|cell| f16::from_le_bytes(*cell).to_f32()).collect())
            }
            None => {
                let mut out = vec![0.0; self.keys.len()];
                singles(self.verified(store, at..at + 1)?[0], &mut out);
                Some(out)
            }
        }
    }

    /// Appends the bits of a column's numbers in half precision. `None` if it is damaged.
    pub(crate) fn bits(&self, store: &Store, at: usize, out: &mut Vec<u16>) -> Option<()> {
        let bits = |cell: &[u8; 2]| u16::from_le_bytes(*cell);
        match self.numbers.by_rows() {
            Some(rows) => {
                let (cells, _) = rows.as_chunks::<2>();
                out.extend(cells.iter().skip(at).step_by(self.columns.max(1)).map(bits));
            }
            None => {
                let (cells, _) = self.verified(store, at..at + 1)?[0].as_chunks::<2>();
                out.extend(cells.iter().map(bits));
            }
        }
        Some(())
    }

    /// All rows, `[images, columns]`. `None` if a number is damaged.
    pub(crate) fn rows(&self, store: &Store) -> Option<Vec<f32>> {
        let columns = self.columns;
        let mut out = vec![0.0; self.keys.len() * columns];
        if out.is_empty() {
            return Some(out);
        }
        let blocks = out.par_chunks_mut(BLOCK * columns).enumerate();
        match self.numbers.by_rows() {
            Some(rows) => blocks.for_each(|(block, out)| {
                singles(&rows[block * BLOCK * columns * 2..], out);
            }),
            None => {
                let runs = self.verified(store, 0..columns)?;
                blocks.for_each(|(block, out)| {
                    let mut part = [0.0; BLOCK];
                    let part = &mut part[..out.len() / columns];
                    for (column, run) in runs.iter().enumerate() {
                        singles(&run[block * BLOCK * 2..], part);
                        for (row, number) in part.iter().enumerate() {
                            out[row * columns + column] = *number;
                        }
                    }
                });
            }
        }
        Some(out)
    }

    /// For each image the product of its row with a direction, and of the row with itself. `None` if a number is damaged.
    ///
    /// Sums are taken in the order of columns, in double precision. Memory holds some rows at a time.
    pub(crate) fn products(&self, store: &Store, direction: &[f64]) -> Option<Vec<[f64; 2]>> {
        // What a sum of floating-point numbers begins with.
        let mut out = vec![[-0.0; 2]; self.keys.len()];
        let add = |sums: &mut [f64; 2], number: f32, weight: f64| {
            let number = f64::from(number);
            // What has no weight has no part in the product, whatever it is.
            sums[0] += if weight == 0.0 && !number.is_finite() { 0.0 } else { number * weight };
            sums[1] += number * number;
        };
        let blocks = out.par_chunks_mut(BLOCK).enumerate();
        match self.numbers.by_rows() {
            Some(rows) => {
                let length = self.columns * 2;
                blocks.for_each(|(block, sums)| {
                    let mut row = vec![0.0; self.columns];
                    for (at, sums) in sums.iter_mut().enumerate() {
                        singles(&rows[(block * BLOCK + at) * length..], &mut row);
                        row.iter().zip(direction).for_each(|(x, weight)| add(sums, *x, *weight));
                    }
                });
            }
            None => {
                let runs = self.verified(store, 0..self.columns)?;
                blocks.for_each(|(block, sums)| {
                    let mut part = [0.0; BLOCK];
                    let part = &mut part[..sums.len()];
                    for (run, weight) in runs.iter().zip(direction) {
                        singles(&run[block * BLOCK * 2..], part);
                        sums.iter_mut().zip(&*part).for_each(|(sums, x)| add(sums, *x, *weight));
                    }
                });
            }
        }
        Some(out)
    }

    /// The bytes of columns that lie by column, verified. `None` if one is damaged.
    fn verified(&self, store: &Store, columns: Range<usize>) -> Option<Vec<&[u8]>> {
        let Numbers::Columns(map, laid) = &self.numbers else { return None };
        let found: Option<Vec<&[u8]>> =
            columns.into_par_iter().map(|at| laid.run(map, at)).collect();
        if found.is_none() {
            store.reject_blob(&self.blob);
        }
        found
    }
}

impl Numbers {
    /// The bytes of numbers that lie by row.
    fn by_rows(&self) -> Option<&[u8]> {
        match self {
            Self::Read(file, data) => file.get(data.clone()),
            Self::Rows(file, data) => file.get(data.clone()),
            Self::Columns(..) => None,
        }
    }
}

/// Turns the first numbers in half precision into single precision.
fn singles(bytes: &[u8], out: &mut [f32]) {
    let mut halves = [f16::ZERO; BLOCK];
    let (cells, _) = bytes.as_chunks::<2>();
    for (cells, out) in cells.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let halves = &mut halves[..out.len()];
        halves.iter_mut().zip(cells).for_each(|(half, cell)| *half = f16::from_le_bytes(*cell));
        halves.convert_to_f32_slice(out);
    }
}
