//! Two groups of images compared in every column at once: a table and the group of each row in; the area under the ROC curve
//! with its interval, the effect size and the p-value of each column out.
//!
//! Everything follows from how often either group has each number. A table is copied out some columns at a time, since a column of
//! a table that lies row by row is spread over all its memory.

use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSlice as _;
use tch::{Kind, Tensor};

use super::tally::{Count, Tally};
use crate::failure::Failure;

/// Columns that are copied out at once.
const AT_ONCE: i64 = 64;
/// The two-sided quantile of the normal distribution for an interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// The group of a row, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The group.
    Positive = 0,
    /// What it is compared with.
    Negative = 1,
    /// Neither.
    Neither = 2,
}

/// A column with a number that is NaN or infinite, and the row of its first.
pub(crate) type Odd = (usize, usize);

/// How far a column tells two groups apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Compared {
    /// The area under the ROC curve: the fraction of pairs in which the positive row has the greater number, equal ones counting
    /// half.
    pub area: f64,
    /// Cohen's d: the difference of the means, divided by the pooled standard deviation; `None` if neither group varies.
    pub effect: Option<f64>,
    /// The two-sided p-value of the test of Mann and Whitney, by its normal approximation with corrections for ties and
    /// continuity.
    pub p: f64,
    /// The means of both groups.
    pub means: [f64; 2],
}

/// Compares two groups of rows in each column of `[rows, columns]`; `None` for a column whose numbers are all equal. `watch` is
/// told how many columns are done.
///
/// # Errors
/// If a group is empty, memory runs out, or `watch` fails.
pub(crate) fn compare(
    table: &Tensor,
    sides: &[Side],
    mut watch: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Vec<Option<Compared>>, Failure> {
    let (rows, columns) = table.size2()?;
    sized(sides, rows as usize)?;
    let mut found: Vec<Option<Tested>> = Vec::new();
    for start in (0..columns).step_by(AT_ONCE as usize) {
        watch(found.len())?;
        let part = table.f_narrow(1, start, AT_ONCE.min(columns - start))?;
        let part = part.f_transpose(0, 1)?.f_to_kind(Kind::Float)?.f_contiguous()?;
        let numbers = Vec::<f32>::try_from(part.f_view(-1)?)?;
        let mut some = Vec::new();
        let each = numbers.par_chunks_exact(rows as usize);
        let test = |tally: &mut Tally, column: &[f32]| Tested::of_column(tally, column, sides);
        each.map_init(Tally::new, test).collect_into_vec(&mut some);
        found.extend(some);
    }
    finished(&found)
}

/// The same of so many columns of numbers in half precision, each of which is read when it is its turn, as bits and into a buffer that
/// is used again; and the columns that cannot be compared because a number is NaN or infinite, each with the row of its first.
///
/// # Errors
/// If a group is empty, a column cannot be read, or `watch` fails.
pub(crate) fn compare_halves<E: From<Failure> + Send>(
    columns: usize,
    sides: &[Side],
    column: impl Fn(usize, &mut Vec<u16>) -> Result<(), E> + Sync,
    mut watch: impl FnMut(usize) -> Result<(), E>,
) -> Result<(Vec<Option<Compared>>, Vec<Odd>), E> {
    sized(sides, sides.len())?;
    let groups: Vec<u8> = sides.iter().map(|side| *side as u8).collect();
    let mut found: Vec<Result<Option<Tested>, usize>> = Vec::new();
    for start in (0..columns).step_by(AT_ONCE as usize) {
        watch(found.len())?;
        let some = (start..columns.min(start + AT_ONCE as usize)).into_par_iter();
        let new = || (Tally::new(), Vec::with_capacity(sides.len()));
        let one = |(tally, bits): &mut (Tally, Vec<u16>), at: usize| {
            column(at, bits)?;
            Ok(tally.halves(bits, &groups).map(Tested::of))
        };
        found.extend(some.map_init(new, one).collect::<Result<Vec<_>, E>>()?);
    }
    let odd = found.iter().enumerate().filter_map(|(at, one)| Some((at, (*one).err()?)));
    let odd = odd.collect();
    let found: Vec<Option<Tested>> = found.into_iter().map(|one| one.ok().flatten()).collect();
    Ok((finished(&found)?, odd))
}

/// Checks that both groups have images, and that there are as many sides as rows.
fn sized(sides: &[Side], rows: usize) -> Result<(), Failure> {
    let any = |of| sides.contains(&of);
    match any(Side::Positive) && any(Side::Negative) && sides.len() == rows {
        true => Ok(()),
        false => Err(Failure::new("there are no two groups of images to compare")),
    }
}

/// Columns with their p-values.
fn finished(found: &[Option<Tested>]) -> Result<Vec<Option<Compared>>, Failure> {
    let scores: Vec<f64> = found.iter().map(|one| one.map_or(0.0, |one| one.z)).collect();
    let p = chances(&scores)?;
    let with = |(one, p): (Option<Tested>, f64)| {
        one.map(|one| Compared { area: one.area, effect: one.effect, p, means: one.means })
    };
    Ok(found.iter().copied().zip(p).map(with).collect())
}

/// The two-sided p-values of distances from the mean in standard deviations.
///
/// # Errors
/// If memory runs out.
pub(crate) fn chances(distances: &[f64]) -> Result<Vec<f64>, Failure> {
    // libtorch has the complementary error function.
    let scaled = Tensor::from_slice(distances) * std::f64::consts::FRAC_1_SQRT_2;
    Ok(Vec::try_from(scaled.f_erfc()?.f_clamp_(0.0, 1.0)?)?)
}

/// A column before its p-value is known.
#[derive(Debug, Clone, Copy)]
struct Tested {
    area: f64,
    effect: Option<f64>,
    /// Distance of the statistic from its mean under chance in standard deviations, less what corrects for continuity.
    z: f64,
    means: [f64; 2],
}

impl Tested {
    fn of_column(tally: &mut Tally, column: &[f32], sides: &[Side]) -> Option<Self> {
        let grouped = column.iter().zip(sides).filter(|(_, side)| **side != Side::Neither);
        Self::of(tally.runs(grouped.map(|(number, side)| (*number, *side as usize))))
    }

    /// By how often either group has each number, the numbers in rising order; `None` if all are equal.
    fn of(runs: &[(f64, Count)]) -> Option<Self> {
        if runs.len() < 2 {
            return None;
        }
        let (mut below, mut pairs, mut ties) = (0.0, 0.0, 0.0);
        let (mut sizes, mut sums) = ([0.0f64; 2], [0.0f64; 2]);
        for (number, count) in runs {
            let [first, other] = count.map(f64::from);
            pairs += first * (below + other / 2.0);
            below += other;
            let size = first + other;
            ties += size * (size * size - 1.0);
            sizes = [sizes[0] + first, sizes[1] + other];
            sums = [sums[0] + number * first, sums[1] + number * other];
        }
        let ([m, n], all) = (sizes, sizes[0] + sizes[1]);
        let means = [sums[0] / m, sums[1] / n];
        let square = |(number, count): &(f64, Count)| {
            let [first, other] = count.map(f64::from);
            first * (number - means[0]).powi(2) + other * (number - means[1]).powi(2)
        };
        let squares: f64 = runs.iter().map(square).sum();
        // Of the statistic under chance.
        let variance = m * n / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)));
        let away = (pairs - m * n / 2.0).abs() - 0.5;
        let spread = (squares / (all - 2.0)).sqrt();
        let effect = (all > 2.0 && spread > 0.0).then(|| (means[0] - means[1]) / spread);
        Some(Self { area: pairs / (m * n), effect, z: away / variance.sqrt(), means })
    }
}

/// The 95 % interval of an area under the ROC curve of `m` positive and `n` negative images: all areas from which the one that was
/// found is at most 1.96 standard errors away.
///
/// The standard error is that of Hanley and McNeil (*The meaning and use of the area under a receiver operating characteristic
/// curve*, 1982), at the bound itself and with the mean of both sizes, as Newcombe advises (*Confidence intervals for an effect size
/// measure based on the Mann–Whitney statistic*, part 2, 2006, method 5). So an area of 1 has an interval, too.
pub(crate) fn interval(area: f64, m: usize, n: usize) -> (f64, f64) {
    let (m, n) = (m as f64, n as f64);
    let half = (m + n) / 2.0 - 1.0;
    let error = |x: f64| {
        let inner = 1.0 + half * ((1.0 - x) / (2.0 - x) + x / (1.0 + x));
        Z * (x * (1.0 - x) * inner / (m * n)).sqrt()
    };
    let bound = |end: f64| {
        // Between the area, which is inside, and the end of the scale.
        let (mut inside, mut outside) = (area, end);
        for _ in 0..60 {
            let middle = (inside + outside) / 2.0;
            match (area - middle).abs() <= error(middle) {
                true => inside = middle,
                false => outside = middle,
            }
        }
        inside
    };
    let low = if area > 0.0 { bound(0.0) } else { 0.0 };
    let high = if area < 1.0 { bound(1.0) } else { 1.0 };
    (low, high)
}

/// The p-values adjusted for their number: the least rate of false discoveries at which each is among the discoveries.
///
/// Benjamini and Hochberg, *Controlling the False Discovery Rate*, 1995.
pub(crate) fn adjusted(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 1.0f64;
    for (behind, at) in order.into_iter().enumerate() {
        let rank = (p.len() - behind) as f64;
        least = least.min(p[at] * p.len() as f64 / rank);
        adjusted[at] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use half::f16;
    use serde_json::Value;

    use super::*;
    use crate::fit::auc::area;

    fn all(value: &Value) -> Vec<f64> {
        let list = value.as_array().expect("numbers").iter();
        list.map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
    }

    #[test]
    fn columns_are_compared_as_by_scipy_and_intervals_are_newcombes() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ranksum.json");
        let golden: Value =
            serde_json::from_slice(&std::fs::read(path).expect("a golden file")).expect("JSON");
        let sides: Vec<Side> = all(&golden["sides"])
            .into_iter()
            .map(|side| match side {
                1.0 => Side::Positive,
                0.0 => Side::Negative,
                _ => Side::Neither,
            })
            .collect();
        let columns = golden["columns"].as_u64().expect("a number") as i64;
        let numbers: Vec<f32> = all(&golden["matrix"]).into_iter().map(|x| x as f32).collect();
        let table = Tensor::from_slice(&numbers).view([-1, columns]);
        let found = compare(&table, &sides, |_| Ok(())).expect("columns");
        let of = |side| sides.iter().filter(|known| **known == side).count();
        let (m, n) = (of(Side::Positive), of(Side::Negative));
        let known = golden["found"].as_array().expect("columns");
        let near = |a: f64, b: &Value, what: &str| {
            let b = b.as_f64().expect("a number");
            assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-9), "{what}: {a} {b}");
        };
        let mut p = Vec::new();
        for (column, (one, known)) in found.iter().zip(known).enumerate() {
            let Some(one) = one else {
                assert!(known.is_null(), "{column}");
                continue;
            };
            near(one.area, &known["area"], "area");
            near(one.effect.expect("an effect"), &known["effect"], "effect");
            near(one.p, &known["p"], "p");
            near(one.means[0], &known["means"][0], "mean");
            let (low, high) = interval(one.area, m, n);
            near(low, &known["low"], "low");
            near(high, &known["high"], "high");
            p.push(one.p);
        }
        assert!(p.len() < found.len(), "one column is constant");
        for (found, known) in adjusted(&p).into_iter().zip(all(&golden["adjusted"])) {
            assert!((found - known).abs() <= 1e-9 * known, "{found} {known}");
        }
    }

    #[test]
    fn columns_of_halves_and_of_other_numbers_are_compared_alike() {
        let number = |at: usize| ((at * 7_919) % 3_001) as f32 / 8.0 - 150.0;
        for halves in [false, true] {
            let column: Vec<f32> = (0..9_000)
                .map(|at| {
                    let number = if at % 11 == 0 { -0.0 } else { number(at) };
                    if halves { f16::from_f32(number).to_f32() } else { number }
                })
                .collect();
            let sides: Vec<Side> = (0..column.len())
                .map(|at| [Side::Positive, Side::Negative, Side::Neither][at % 7 % 3])
                .collect();
            let of = |side| -> Vec<f64> {
                let own = column.iter().zip(&sides).filter(|(_, own)| **own == side);
                own.map(|(number, _)| f64::from(*number)).collect()
            };
            let expected = area(&of(Side::Positive), &of(Side::Negative)).expect("an area");
            let table = Tensor::from_slice(&column).view([-1, 1]);
            let found = compare(&table, &sides, |_| Ok(())).expect("a column")[0].expect("numbers");
            assert!((found.area - expected).abs() < 1e-12, "{} {expected}", found.area);
            if !halves {
                continue;
            }
            let bits: Vec<u16> = column.iter().map(|x| f16::from_f32(*x).to_bits()).collect();
            let read = |at, out: &mut Vec<u16>| {
                out.clone_from(&bits);
                if at == 3 {
                    out[17] = f16::NAN.to_bits();
                }
                Ok::<_, Failure>(())
            };
            let (each, odd) = compare_halves(70, &sides, read, |_| Ok(())).expect("columns");
            assert!(each.len() == 70 && each[3].is_none());
            assert_eq!(odd, [(3, 17)]);
            assert_eq!(each.iter().filter(|one| **one == Some(found)).count(), 69);
        }
    }

    #[test]
    fn an_area_of_one_has_an_interval_and_empty_groups_are_an_error() {
        let (low, high) = interval(1.0, 10, 100);
        assert!(high == 1.0 && low > 0.85 && low < 0.99, "{low}");
        let (low, high) = interval(0.0, 10, 100);
        assert!(low == 0.0 && high < 0.15 && high > 0.01, "{high}");
        let table = Tensor::from_slice(&[1.0f32, 2.0]).view([2, 1]);
        assert!(compare(&table, &[Side::Positive; 2], |_| Ok(())).is_err());
        let perfect = compare(&table, &[Side::Negative, Side::Positive], |_| Ok(()));
        let perfect = perfect.expect("a column")[0].expect("it varies");
        assert_eq!((perfect.area, perfect.effect), (1.0, None));
        assert!(adjusted(&[]).is_empty());
    }
}
