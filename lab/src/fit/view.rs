//! The numbers of a tensor in place: a contiguous tensor in; a slice without a copy out. Also the sums over such slices that the
//! sparse regression takes.

use tch::{Device, Kind, Tensor};

/// Numbers that are summed up in single precision before the sum is added to one in double precision.
const BLOCK: usize = 4096;
/// Sums that are taken side by side.
const LANES: usize = 16;

/// The numbers of a contiguous tensor in single precision on the processor; `None` for any other tensor.
pub(super) fn numbers(tensor: &Tensor) -> Option<&[f32]> {
    let fits = tensor.kind() == Kind::Float
        && tensor.device() == Device::Cpu
        && tensor.is_contiguous()
        && tensor.numel() > 0;
    // SAFETY: the storage of a dense contiguous tensor holds `numel` numbers from `data_ptr` on, and lives as long as the
    // tensor. Callers do not write to it meanwhile: libtorch changes a tensor only in functions whose names end by `_`.
    fits.then(|| unsafe {
        std::slice::from_raw_parts(tensor.data_ptr().cast::<f32>().cast_const(), tensor.numel())
    })
}

/// The inner product of two slices of equal length.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK));
    blocks.map(|(a, b)| f64::from(short(a, b))).sum()
}

fn short(a: &[f32], b: &[f32]) -> f32 {
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Adds four slices by their weights to another one; all are equally long.
pub(super) fn add(to: &mut [f32], rows: [&[f32]; 4], weights: [f32; 4]) {
    let [a, b, c, d] = rows.map(|row| &row[..to.len()]);
    let [u, v, w, x] = weights;
    for (at, to) in to.iter_mut().enumerate() {
        *to += u * a[at] + v * b[at] + w * c[at] + x * d[at];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_contiguous_tensors_in_single_precision_are_seen_in_place() {
        let table = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0]).view([2, 2]);
        assert_eq!(numbers(&table), Some([1.0, 2.0, 3.0, 4.0].as_slice()));
        assert_eq!(numbers(&table.get(1)), Some([3.0, 4.0].as_slice()));
        assert_eq!(numbers(&table.tr()), None);
        assert_eq!(numbers(&table.to_kind(Kind::Double)), None);
        assert_eq!(numbers(&table.narrow(0, 0, 0)), None);
    }

    #[test]
    fn sums_are_those_of_double_precision() {
        let of = |seed: usize| (0..9001).map(move |at| ((at * seed) % 101) as f32 / 101.0);
        let (a, b): (Vec<f32>, Vec<f32>) = (of(7).collect(), of(13).collect());
        let expected: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        assert!((dot(&a, &b) / expected - 1.0).abs() < 1e-6);
        let mut to = [1.0f32, 2.0];
        let rows = [[1.0f32, 0.0], [0.0, 1.0], [2.0, 2.0], [5.0, 7.0]];
        add(&mut to, rows.each_ref().map(|row| row.as_slice()), [1.0, 10.0, 0.5, 0.0]);
        assert_eq!(to, [3.0, 13.0]);
    }
}
