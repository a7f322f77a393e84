//! Measures `unit_rank`: five numbers of a unit's activations, and of those of all other units of its layer, from stored scans.

use neuronotes_core::kind::unit_rank::{MEASURES, Outcome, Params, Rank};

use super::moments::kurtosis;
use super::target::Target;
use crate::failure::Failure;
use crate::monitor::Progress;
use crate::table::by_unit::{ByUnit, Unread};
use crate::table::{nothing_read, scans, summary};
use crate::workbench::Workbench;

/// The numbers of a unit, in the order of [`MEASURES`]; `None` where its activations are all the same.
type Numbers = [Option<f64>; MEASURES.len()];

/// Number of units after which progress is reported.
const AT_ONCE: usize = 64;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let target = Target::of(bench, &params.layer, about, params.pool)?;
    let own = target.scans(bench)?;
    let values: Vec<f64> = own.into_iter().flat_map(|scan| scan.activations).collect();
    if values.is_empty() {
        return Err(nothing_read(bench));
    }
    let own = numbers(&values, params.deviations);
    let dataset = bench.dataset()?;
    let scan = ByUnit::open(bench, dataset, &params.layer, params.pool)?;
    let (mut others, mut left_out) = (Vec::new(), 0);
    for unit in (0..scan.units).filter(|unit| Some(*unit as u32) != params.unit) {
        if unit % AT_ONCE == 0 {
            bench.monitor.check()?;
            let (step, total) = (unit as u64, scan.units as u64);
            let stage = "comparing units";
            bench.monitor.progress(&Progress { stage, step, total, unit: "unit", picture: None });
        }
        let column = match scan.unit(bench.store(), unit) {
            Ok(column) => column.ok(),
            Err(Unread::Failed(failure)) => return Err(failure),
            // It is measured again.
            Err(Unread::Damaged) => {
                let again = scans(bench, dataset, &params.layer, unit as u32, params.pool)?;
                let all = again.into_iter().flat_map(|scan| scan.activations);
                Some(all.map(|value| value as f32).collect())
            }
        };
        let column: Option<Vec<f64>> =
            column.map(|column| column.into_iter().map(f64::from).collect());
        match column.map(|column| numbers(&column, params.deviations)) {
            Some(numbers) if numbers[KURTOSIS].is_some() => others.push(numbers),
            _ => left_out += 1,
        }
    }
    let outcome = Outcome {
        count: values.len() as u64,
        units: others.len() as u64,
        left_out,
        ranks: ranks(&own, &others),
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The place of the kurtosis, which only what varies has.
const KURTOSIS: usize = 2;

fn numbers(values: &[f64], deviations: f64) -> Numbers {
    let summary = summary(values);
    let Some(kurtosis) = kurtosis(values) else {
        return [Some(summary.mean), Some(0.0), None, None, None];
    };
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = summary.mean + deviations * summary.sd;
    let above = values.iter().filter(|value| **value > least).count();
    [
        Some(summary.mean),
        Some(summary.sd),
        Some(kurtosis),
        Some((greatest - summary.mean) / summary.sd),
        Some(above as f64 / values.len() as f64),
    ]
}

fn ranks(own: &Numbers, others: &[Numbers]) -> Vec<Rank> {
    let rank = |at: usize| {
        let mut numbers: Vec<f64> = others.iter().filter_map(|numbers| numbers[at]).collect();
        numbers.sort_by(f64::total_cmp);
        let count = |is: fn(f64, f64) -> bool| {
            let own = own[at].unwrap_or(f64::NAN);
            numbers.iter().filter(|number| is(**number, own)).count() as u64
        };
        Rank {
            measure: MEASURES[at].to_owned(),
            value: own[at],
            greater: count(|number, own| number > own),
            equal: count(|number, own| number == own),
            median: median(&numbers),
        }
    };
    (0..MEASURES.len()).map(rank).collect()
}

/// The median of sorted numbers: of an even number of them, the mean of the two in the middle.
fn median(sorted: &[f64]) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some((sorted[last / 2] + sorted[last.div_ceil(2)]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_computed_by_hand() {
        // Mean 1, variance 3, fourth moment 21: see `unit_summary`. The greatest is 3 above the mean.
        let found = numbers(&[0.0, 4.0, 0.0, 0.0], 1.5).map(|number| number.expect("a number"));
        let sd = 3f64.sqrt();
        let expected = [1.0, sd, 21.0 / 9.0 - 3.0, 3.0 / sd, 0.25];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        // Just at the threshold is not above it.
        assert_eq!(numbers(&[-1.0, 1.0], 1.0)[4], Some(0.0));
        assert_eq!(numbers(&[0.5, 0.5], 1.0), [Some(0.5), Some(0.0), None, None, None]);
    }

    #[test]
    fn equal_numbers_share_the_first_of_their_ranks() {
        let all = |number: f64| [Some(number); MEASURES.len()];
        let others = [3.0, 1.0, 2.0, 2.0].map(all);
        let found = &ranks(&all(2.0), &others)[0];
        assert_eq!((found.rank(), found.greater, found.equal), (Some(2), 1, 2));
        assert_eq!(found.median, Some(2.0));
        // By brute force, for every place between and at the others.
        for own in [0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0] {
            let mut sorted: [f64; 5] = [3.0, 1.0, 2.0, 2.0, own];
            sorted.sort_by(|a, b| b.total_cmp(a));
            let first = sorted.iter().position(|number| *number == own).expect("there") as u64 + 1;
            assert_eq!(ranks(&all(own), &others)[2].rank(), Some(first));
        }
        let silent = [Some(0.0), Some(0.0), None, None, None];
        let found = &ranks(&silent, &others)[KURTOSIS];
        assert_eq!((found.rank(), found.greater), (None, 0));
        assert_eq!(ranks(&all(2.0), &[])[0].median, None);
        assert_eq!(median(&[1.0, 4.0]), Some(2.5));
    }
}
