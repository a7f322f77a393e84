//! Principal component analysis of a few samples with many variables: their inner products in; their coordinates along the first
//! two components out.
//!
//! The coordinates are those of the singular value decomposition of the centred samples. They are computed from the
//! samples' inner products, which are as few as the samples however many variables there are.

use tch::{Kind, Tensor};

use crate::failure::Failure;

/// Components whose variance is a smaller fraction of the first's are rounding errors.
const LEAST: f64 = 1e-12;

/// Samples along two components.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Components {
    /// The coordinates of each sample. Those along the second component are 0 if all samples are on a line.
    pub places: Vec<[f64; 2]>,
    /// The fraction of the variance along each.
    pub explained: [f64; 2],
}

/// The coordinates of samples whose inner products are `products`, `[samples, samples]` in double precision. The sign of a
/// component is such that its largest coordinate in absolute value is positive.
///
/// # Errors
/// If the samples are equal or fewer than two, or the products are not finite.
pub(crate) fn components(products: &Tensor) -> Result<Components, Failure> {
    let count = products.size()[0];
    let dim = |dim: i64| products.f_mean_dim([dim].as_slice(), true, Kind::Double);
    let centred = products - dim(0)? - dim(1)? + products.f_mean(Kind::Double)?;
    let total = centred.f_diag(0)?.f_sum(Kind::Double)?.f_double_value(&[])?;
    let size = products.f_diag(0)?.f_sum(Kind::Double)?.f_double_value(&[])?;
    if count < 2 || !(total.is_finite() && total > LEAST * size.abs()) {
        return Err(Failure::new("the samples are equal, or not finite: they have no components"));
    }
    let (values, vectors) = centred.f_linalg_eigh("L")?; // ascending
    let mut places = vec![[0.0; 2]; count as usize];
    let mut explained = [0.0; 2];
    let mut first = 0.0;
    for axis in 0..2 {
        let at = count - 1 - axis as i64;
        let variance = values.f_double_value(&[at])?.max(0.0);
        first = if axis == 0 { variance } else { first };
        if variance <= LEAST * first {
            continue;
        }
        let along =
            Vec::<f64>::try_from((vectors.f_select(1, at)? * variance.sqrt()).f_contiguous()?)?;
        let largest =
            along.iter().copied().fold(0.0, |a: f64, b: f64| if b.abs() > a.abs() { b } else { a });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        places.iter_mut().zip(along).for_each(|(place, x)| place[axis] = sign * x);
        explained[axis] = variance / total;
    }
    Ok(Components { places, explained })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::column::{columns, correlations, correlations_with};

    fn products(samples: &[[f64; 3]]) -> Tensor {
        let all = Tensor::from_slice(&samples.concat()).view([-1, 3]);
        all.matmul(&all.transpose(0, 1))
    }

    #[test]
    fn points_on_a_plane_keep_their_distances() {
        let samples = [[1.0, 0.0, 5.0], [4.0, 0.0, 5.0], [1.0, 1.0, 5.0], [2.0, 3.0, 5.0]];
        let found = components(&products(&samples)).expect("components");
        assert!((found.explained[0] + found.explained[1] - 1.0).abs() < 1e-12);
        for (a, b) in [(0, 1), (0, 2), (1, 3)] {
            let [p, q] = [found.places[a], found.places[b]];
            let on_plane = (p[0] - q[0]).hypot(p[1] - q[1]);
            let apart = (0..3).map(|i| (samples[a][i] - samples[b][i]).powi(2)).sum::<f64>();
            assert!((on_plane - apart.sqrt()).abs() < 1e-9);
        }
    }

    #[test]
    fn a_line_has_one_component_and_equal_samples_have_none() {
        let line = [[0.0, 0.0, 0.0], [1.0, 2.0, 0.0], [2.0, 4.0, 0.0]];
        let found = components(&products(&line)).expect("components");
        assert!(found.places.iter().all(|place| place[1] == 0.0), "{found:?}");
        assert!((found.explained[0] - 1.0).abs() < 1e-12 && found.explained[1] == 0.0);
        assert!(components(&products(&[[1.0, 2.0, 3.0]; 4])).is_err());
        assert!(components(&products(&[[f64::NAN, 2.0, 3.0], [0.0; 3]])).is_err());
    }

    /// Numbers of NumPy and scikit-learn, by `tests/reference/similarity.py`.
    #[test]
    fn correlations_kurtosis_and_components_are_those_of_numpy_and_scikit_learn() {
        let golden = include_str!("../../tests/golden/similarity.json");
        let golden: serde_json::Value = serde_json::from_str(golden).expect("JSON");
        let numbers = |name: &str| -> Vec<f64> {
            let all = golden[name].as_array().expect("numbers").iter();
            all.map(|number| number.as_f64().expect("a number")).collect()
        };
        let whole = |name: &str| golden[name].as_u64().expect("a number") as i64;
        let (images, units, constant) = (whole("images"), whole("units"), whole("constant"));
        let near = |found: &[f64], name: &str, apart: f64| {
            let expected = numbers(name);
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < apart, "{name}: {found} and {expected}");
            }
        };
        let ties: Vec<u32> = (0..images as u32).collect();
        let matrix: Vec<f32> = numbers("matrix").iter().map(|x| *x as f32).collect();
        let matrix = Tensor::from_slice(&matrix).view([images, units]);
        let columns = columns(&matrix, (3, &ties), |_| Ok(())).expect("columns");
        assert!(!columns[constant as usize].varies());
        let varying: Vec<i64> = (0..units).filter(|unit| *unit != constant).collect();
        let kurtosis: Vec<f64> =
            varying.iter().map(|unit| columns[*unit as usize].kurtosis).collect();
        near(&kurtosis, "kurtosis", 1e-9);
        let all = correlations(&matrix, &columns, |_| Ok(())).expect("correlations");
        let varying = Tensor::from_slice(&varying);
        let all = all.index_select(0, &varying).index_select(1, &varying);
        near(&Vec::try_from(all.contiguous().view(-1)).expect("numbers"), "correlations", 1e-10);
        let direction = Tensor::from_slice(&numbers("direction"));
        let along = Vec::<f64>::try_from(matrix.to_kind(Kind::Double).mv(&direction));
        let with = correlations_with(&matrix, &columns, &along.expect("numbers")).expect("numbers");
        near(&with.into_iter().flatten().collect::<Vec<_>>(), "with_direction", 1e-10);
        let found = components(&all).expect("components");
        near(&found.places.concat(), "places", 1e-9);
        near(&found.explained, "explained", 1e-10);
    }
}
