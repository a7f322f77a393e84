//! How a scan lies in the store: pooled activations and embeddings, a row for each image, in; a file of tensors and the digests
//! of its parts out.
//!
//! A question about a unit needs one number of each image. Row by row these are spread over the whole file, so that all of it
//! would be read and verified: 1 GB for 100,000 images and 2,560 units. Here the activations of a unit are contiguous, and have
//! a digest of their own: the same question reads and verifies 200 kB. Knows nothing of the store.

use std::borrow::Cow;
use std::ops::Range;

use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;
use safetensors::tensor::{Dtype, SafeTensorError, View};
use safetensors::{SafeTensors, serialize};

/// What a table by unit is called: the table's name, and this.
const BY_UNIT: &str = "_by_unit";
/// Bytes of a digest.
const DIGEST: usize = 32;
/// Units that are transposed together: their halves fill a line of the processor's cache.
const BAND: usize = 32;

/// The tables of a scan, each `[images, columns]` f16, little-endian.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows<'a> {
    /// Activations of the units, averaged over positions.
    pub mean: &'a [u8],
    /// Their maxima over positions.
    pub max: &'a [u8],
    /// Embeddings.
    pub embedding: &'a [u8],
}

impl Rows<'_> {
    /// The bytes of the file of tensors, and of the list of its digests.
    ///
    /// # Errors
    /// If a table does not have that many rows and columns.
    pub fn laid(
        &self,
        images: usize,
        units: usize,
        embedding: usize,
    ) -> Result<(Vec<u8>, Vec<u8>), SafeTensorError> {
        let by_unit = |rows| Table { rows, shape: [units, images], by_unit: true };
        let tables = [
            (format!("mean{BY_UNIT}"), by_unit(self.mean)),
            (format!("max{BY_UNIT}"), by_unit(self.max)),
            (
                "embedding".to_owned(),
                Table { rows: self.embedding, shape: [images, embedding], by_unit: false },
            ),
        ];
        let fits = |(_, table): &(String, Table<'_>)| table.rows.len() == table.data_len();
        if !tables.iter().all(fits) {
            return Err(SafeTensorError::TensorInvalidInfo);
        }
        let file = serialize(tables, None)?;
        let contents = Contents::of(&file)?;
        let mut digests = digest(&file[contents.header.clone()]).to_vec();
        for run in
            contents.tensors.iter().flat_map(|tensor| (0..tensor.runs).map(|at| tensor.run(at)))
        {
            digests.extend(digest(&file[run]));
        }
        Ok((file, digests))
    }
}

/// A table that is transposed only when it is written, so that memory holds one copy more at most.
struct Table<'a> {
    rows: &'a [u8],
    shape: [usize; 2],
    by_unit: bool,
}

impl View for Table<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F16
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self.by_unit {
            true => transposed(self.rows, self.shape[0]).into(),
            false => self.rows.into(),
        }
    }

    fn data_len(&self) -> usize {
        self.shape[0] * self.shape[1] * 2
    }
}

/// `[rows, columns]` to `[columns, rows]`, two bytes each.
fn transposed(bytes: &[u8], columns: usize) -> Vec<u8> {
    let (cells, _) = bytes.as_chunks::<2>();
    let rows = cells.len() / columns.max(1);
    let mut out = vec![[0; 2]; cells.len()];
    if rows == 0 {
        return Vec::new();
    }
    out.par_chunks_mut(rows * BAND).enumerate().for_each(|(band, out)| {
        let own = band * BAND..band * BAND + out.len() / rows;
        for (row, cells) in cells.chunks_exact(columns).enumerate() {
            for (column, cell) in cells[own.clone()].iter().enumerate() {
                out[column * rows + row] = *cell;
            }
        }
    });
    out.into_flattened()
}

/// What a file of tensors holds, as its header says.
#[derive(Debug)]
pub(super) struct Contents {
    header: Range<usize>,
    tensors: Vec<Tensor>,
}

/// One tensor of a file, in runs of equal length that have a digest each.
#[derive(Debug)]
struct Tensor {
    name: String,
    shape: [usize; 2],
    /// Its place in the file.
    data: Range<usize>,
    runs: usize,
    /// The place of its first run's digest among all.
    first: usize,
}

impl Tensor {
    /// The place of a run in the file.
    fn run(&self, at: usize) -> Range<usize> {
        let length = self.data.len() / self.runs.max(1);
        let start = self.data.start + at * length;
        start..start + length
    }
}

impl Contents {
    fn of(file: &[u8]) -> Result<Self, SafeTensorError> {
        let (header, metadata) = SafeTensors::read_metadata(file)?;
        let header = 0..header + size_of::<u64>();
        let mut all: Vec<_> = metadata.tensors().into_iter().collect();
        all.sort_by_key(|(_, info)| info.data_offsets);
        let mut first = 1;
        let mut tensors = Vec::new();
        for (name, info) in all {
            let (&[rows, columns], Dtype::F16) = (&info.shape[..], info.dtype) else {
                return Err(SafeTensorError::TensorInvalidInfo);
            };
            let (start, end) = info.data_offsets;
            let runs = if name.ends_with(BY_UNIT) { rows } else { 1 };
            let data = header.end + start..header.end + end;
            tensors.push(Tensor { name, shape: [rows, columns], data, runs, first });
            first += runs;
        }
        Ok(Self { header, tensors })
    }
}

/// A table in a file, whose header is verified and whose runs are not yet.
#[derive(Debug)]
pub(super) struct Laid {
    tensor: Tensor,
    digests: Vec<u8>,
}

impl Laid {
    /// Finds a table, such as `mean`; `Ok(None)` if the header is damaged.
    ///
    /// # Errors
    /// If the file is malformed, or has no such table.
    pub(super) fn find(
        file: &[u8],
        digests: Vec<u8>,
        name: &str,
    ) -> Result<Option<Self>, SafeTensorError> {
        let length = file.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let end = usize::try_from(length).ok().and_then(|n| n.checked_add(size_of::<u64>()));
        let whole = end.and_then(|end| file.get(..end));
        if whole.is_none_or(|header| digests.get(..DIGEST) != Some(&digest(header)[..])) {
            return Ok(None);
        }
        let by_unit = format!("{name}{BY_UNIT}");
        let mut tensors = Contents::of(file)?.tensors.into_iter();
        let tensor = tensors.find(|tensor| tensor.name == by_unit || tensor.name == name);
        let tensor = tensor.ok_or_else(|| SafeTensorError::TensorNotFound(name.to_owned()))?;
        match digests.len() / DIGEST >= tensor.first + tensor.runs {
            true => Ok(Some(Self { tensor, digests })),
            false => Err(SafeTensorError::TensorInvalidInfo),
        }
    }

    /// Its rows and columns in the file.
    pub(super) fn shape(&self) -> [usize; 2] {
        self.tensor.shape
    }

    /// Whether it has a row for each unit, and not for each image.
    pub(super) fn is_by_unit(&self) -> bool {
        self.tensor.name.ends_with(BY_UNIT)
    }

    /// The place of all of it.
    pub(super) fn data(&self) -> Range<usize> {
        self.tensor.data.clone()
    }

    /// A run's bytes; `None` if they are damaged.
    pub(super) fn run<'f>(&self, file: &'f [u8], at: usize) -> Option<&'f [u8]> {
        let run = file.get(self.tensor.run(at))?;
        let place = (self.tensor.first + at) * DIGEST;
        (self.digests.get(place..place + DIGEST) == Some(&digest(run)[..])).then_some(run)
    }
}

fn digest(bytes: &[u8]) -> [u8; DIGEST] {
    *blake3::hash(bytes).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in half precision, from 1.0 on.
    const NUMBERS: [u8; 32] = {
        let mut bytes = [0x3c; 32];
        let mut at = 0;
        while at < 16 {
            bytes[at * 2] = at as u8;
            at += 1;
        }
        bytes
    };

    /// Two images of three units, and embeddings of two numbers.
    const ROWS: Rows<'static> = {
        let (mean, rest) = NUMBERS.split_at(12);
        let (max, embedding) = rest.split_at(12);
        Rows { mean, max, embedding }
    };

    #[test]
    fn the_activations_of_a_unit_are_contiguous_and_verified_alone() {
        let (mut file, digests) = ROWS.laid(2, 3, 2).expect("laid out");
        let find = |file: &[u8], name: &str| Laid::find(file, digests.clone(), name);
        let mean = find(&file, "mean").expect("a table").expect("intact");
        assert_eq!((mean.shape(), mean.tensor.runs, mean.is_by_unit()), ([3, 2], 3, true));
        assert_eq!(mean.run(&file, 1), Some([1, 0x3c, 4, 0x3c].as_slice()));
        let max = find(&file, "max").expect("a table").expect("intact");
        assert_eq!(max.run(&file, 2), Some([8, 0x3c, 11, 0x3c].as_slice()));
        let embedding = find(&file, "embedding").expect("a table").expect("intact");
        assert_eq!(
            (embedding.shape(), embedding.tensor.runs, embedding.is_by_unit()),
            ([2, 2], 1, false)
        );
        assert_eq!(embedding.run(&file, 0), Some(ROWS.embedding));
        assert!(find(&file, "median").is_err());
        // A damaged number is one of its unit alone.
        let place = mean.data().start + 4;
        file[place] ^= 1;
        assert_eq!(mean.run(&file, 1), None);
        assert!(mean.run(&file, 0).is_some() && mean.run(&file, 2).is_some());
        // A damaged header says nothing reliable, and a truncated file has none.
        file[9] ^= 1;
        assert!(find(&file, "mean").expect("no error").is_none());
        assert!(find(&file[..5], "mean").expect("no error").is_none());
    }

    #[test]
    fn the_file_is_one_of_safetensors_and_may_be_empty() {
        let (file, _) = ROWS.laid(2, 3, 2).expect("laid out");
        let read = SafeTensors::deserialize(&file).expect("safetensors");
        assert_eq!(read.tensor("mean_by_unit").expect("a tensor").shape(), [3, 2]);
        let (file, digests) = Rows::default().laid(0, 3, 2).expect("laid out");
        let mean = Laid::find(&file, digests, "mean").expect("a table").expect("intact");
        assert_eq!((mean.shape(), mean.run(&file, 2)), ([3, 0], Some([].as_slice())));
        assert!(ROWS.laid(2, 4, 2).is_err());
    }

    #[test]
    fn more_units_than_are_transposed_together_keep_their_places() {
        let (rows, columns) = (5usize, 2 * BAND + 3);
        let cell = |row: usize, column: usize| [row as u8, column as u8];
        let all = (0..rows).flat_map(|row| (0..columns).flat_map(move |column| cell(row, column)));
        let expected =
            (0..columns).flat_map(|column| (0..rows).flat_map(move |row| cell(row, column)));
        assert_eq!(transposed(&Vec::from_iter(all), columns), Vec::from_iter(expected));
    }
}
