//! Measures `unit_search`: how well each unit of a layer tells a group of pictures from others, by stored scans.

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use half::vec::HalfBitsVecExt as _;
use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::group::Group;
use neuronotes_core::kind::unit_search::{Found, Order, Outcome, Params, RATE};
use neuronotes_core::kind::unit_similarity::Seen;
use tch::Tensor;

use crate::failure::Failure;
use crate::fit::ranksum::{Compared, Side, adjusted, compare, compare_halves, interval};
use crate::gallery::Gallery;
use crate::group::{Own, apart, besides, places, two};
use crate::monitor::Progress;
use crate::readout::Readout;
use crate::table::by_unit::{ByUnit, Unread};
use crate::table::matrix::Matrix;
use crate::table::{spoiled, tie};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[params.layer.layer()])?;
    let at = Readout::of(bench, &clip, &params.layer)?;
    if let Some(outcome) = by_unit(bench, &params, &at)? {
        bench.record.set_result(bench.store(), &outcome)?;
        return Ok(());
    }
    let own = match bench.request.dataset {
        Some(_) => Some(Own::read(bench, &at, params.pool)?),
        None => None,
    };
    let groups = (&params.positive, params.negative.as_ref());
    let (positive, negative) = two(bench, &clip, (&at, params.pool), groups, own.as_ref())?;
    let left_out = positive.spoiled;
    let (m, n) = (positive.rows.size()[0] as usize, negative.rows.size()[0] as usize);
    let mut sides = vec![Side::Positive; m];
    sides.resize(m + n, Side::Negative);
    let table = Tensor::f_cat(&[positive.rows, negative.rows], 0)?;
    let total = table.size()[1] as u64;
    let units = compare(&table, &sides, |done| report(bench, done as u64, total))?;
    let mut outcome = Searched { units, sizes: (m, n) }.outcome(params.order, params.top as usize);
    outcome.constant -= left_out.len() as u64;
    outcome.spoiled = left_out;
    if let Some(own) = &own {
        let mut gallery = Gallery::default();
        for found in &mut outcome.found {
            if own.0.is_spoiled(found.unit as usize) {
                continue;
            }
            let column = own.0.rows.f_select(1, found.unit.into())?.f_contiguous()?;
            let Matrix { samples, shards, .. } = &own.0;
            let column = Vec::<f32>::try_from(column)?;
            found.strongest = Some(strongest(bench, &mut gallery, (samples, shards), &column)?);
        }
    }
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The outcome if both groups are parts of the data set, unit by unit, so that the table is never in memory as a whole; `None` if
/// they are not, the units' numbers are scaled together, or a stored number is damaged.
fn by_unit(
    bench: &mut Workbench<'_>,
    params: &Params,
    at: &Readout,
) -> Result<Option<Outcome>, Failure> {
    let of_own = params.negative.as_ref().is_none_or(Group::is_of_own);
    if bench.request.dataset.is_none() || !params.positive.is_of_own() || !of_own || at.is_scaled()
    {
        return Ok(None);
    }
    let dataset = bench.dataset()?;
    let scan = ByUnit::open(bench, dataset, &params.layer, params.pool)?;
    let positive = places(&scan.samples, &params.positive)?;
    let negative = match &params.negative {
        Some(group) => places(&scan.samples, group)?,
        None => besides(scan.samples.len(), &positive)?,
    };
    apart(&scan.samples, &positive, &negative)?;
    let mut sides = vec![Side::Neither; scan.samples.len()];
    positive.iter().for_each(|place| sides[*place] = Side::Positive);
    negative.iter().for_each(|place| sides[*place] = Side::Negative);
    let store = bench.store();
    let total = scan.units as u64;
    let compared = compare_halves(
        scan.units,
        &sides,
        |unit, out| scan.bits(store, unit, out),
        |done| Ok(report(bench, done as u64, total)?),
    );
    let (units, odd) = match compared {
        Ok(compared) => compared,
        Err(Unread::Damaged) => return Ok(None),
        Err(Unread::Failed(failure)) => return Err(failure),
    };
    let searched = Searched { units, sizes: (positive.len(), negative.len()) };
    let mut outcome = searched.outcome(params.order, params.top as usize);
    let column = |unit: usize| {
        let mut bits = Vec::new();
        match scan.bits(store, unit, &mut bits) {
            Ok(()) => Ok(Some(bits.reinterpret_into::<f16>().to_f32_vec())),
            Err(Unread::Damaged) => Ok(None),
            Err(Unread::Failed(failure)) => Err(failure),
        }
    };
    for (unit, row) in odd {
        let Some(numbers) = column(unit)? else { return Ok(None) };
        outcome.spoiled.push(spoiled(unit, &scan.samples[row].key, numbers[row]));
    }
    outcome.constant -= outcome.spoiled.len() as u64;
    let mut gallery = Gallery::default();
    for found in &mut outcome.found {
        let Some(numbers) = column(found.unit as usize)? else { return Ok(None) };
        let images = (&*scan.samples, &*scan.shards);
        found.strongest = Some(strongest(bench, &mut gallery, images, &numbers)?);
    }
    Ok(Some(outcome))
}

fn report(bench: &mut Workbench<'_>, step: u64, total: u64) -> Result<(), Failure> {
    bench.monitor.check()?;
    let stage = "comparing units";
    bench.monitor.progress(&Progress { stage, step, total, unit: "unit", picture: None });
    Ok(())
}

/// All units, compared.
struct Searched {
    units: Vec<Option<Compared>>,
    /// Sizes of the groups.
    sizes: (usize, usize),
}

impl Searched {
    /// The best units, without pictures.
    fn outcome(&self, order: Order, top: usize) -> Outcome {
        let varying = (0u32..).zip(&self.units).filter_map(|(unit, one)| Some((unit, (*one)?)));
        let varying: Vec<(u32, Compared)> = varying.collect();
        let p: Vec<f64> = varying.iter().map(|(_, one)| one.p).collect();
        let mut all: Vec<(u32, Compared, f64)> =
            varying.into_iter().zip(adjusted(&p)).map(|((unit, one), q)| (unit, one, q)).collect();
        let certain = |rises: bool| {
            let sure = all.iter().filter(|(_, one, q)| *q < RATE && (one.area > 0.5) == rises);
            sure.count() as u64
        };
        let (rising, falling) = (certain(true), certain(false));
        let constant = (self.units.len() - all.len()) as u64;
        let away = |one: &Compared| match order {
            Order::Both => (one.area - 0.5).abs(),
            Order::Rising => one.area - 0.5,
            Order::Falling => 0.5 - one.area,
        };
        let strength = |one: &Compared| one.effect.unwrap_or(f64::INFINITY).abs();
        // Units that all tell the groups apart perfectly are told apart by how far.
        all.sort_by(|(_, a, _), (_, b, _)| {
            away(b).total_cmp(&away(a)).then(strength(b).total_cmp(&strength(a)))
        });
        all.retain(|(_, one, _)| order == Order::Both || away(one) > 0.0);
        all.truncate(top);
        let (m, n) = self.sizes;
        let found = all.into_iter().map(|(unit, one, q)| {
            let (low, high) = interval(one.area, m, n);
            Found {
                unit,
                auc: one.area,
                low,
                high,
                effect: one.effect,
                p: one.p,
                q,
                inside: one.means[0],
                outside: one.means[1],
                strongest: None,
            }
        });
        Outcome {
            positive: m as u64,
            negative: n as u64,
            units: self.units.len() as u64,
            constant,
            rising,
            falling,
            spoiled: vec![],
            found: found.collect(),
        }
    }
}

/// The image that activates a unit most, by its activations for all images, which are of these shards; of equal ones that with
/// the smallest digest of its key.
fn strongest(
    bench: &mut Workbench<'_>,
    gallery: &mut Gallery,
    (samples, shards): (&[Sample], &[usize]),
    activations: &[f32],
) -> Result<Seen, Failure> {
    bench.monitor.check()?;
    let first = tie::greatest(activations, |row| &samples[row].key);
    let first = first.ok_or_else(|| Failure::new("there is no image"))?;
    let (stored, sample) = gallery.add_sample(bench, shards[first], &samples[first].key)?;
    let caption = sample.caption.unwrap_or(sample.key);
    Ok(Seen { caption, picture: stored.picture, width: stored.width, height: stored.height })
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Units of noise, of which two were made to rise and to fall for the first 20 of 120 images, and one never varies.
    fn planted() -> Searched {
        const UNITS: usize = 200;
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut numbers = Vec::new();
        for image in 0..120 {
            for unit in 0..UNITS {
                let noise: f64 = rng.sample(rand_distr::StandardNormal);
                let cause = if image < 20 { 2.0 } else { 0.0 };
                numbers.push(match unit {
                    31 => (noise + cause) as f32,
                    77 => (noise - cause) as f32,
                    100 => 0.25,
                    _ => noise as f32,
                });
            }
        }
        let table = Tensor::from_slice(&numbers).view([120, UNITS as i64]);
        let side = |image| if image < 20 { Side::Positive } else { Side::Negative };
        let sides: Vec<Side> = (0..120).map(side).collect();
        let units = compare(&table, &sides, |_| Ok(())).expect("units");
        Searched { units, sizes: (20, 100) }
    }

    #[test]
    fn planted_units_are_found_in_either_direction_and_hardly_any_other() {
        let searched = planted();
        let both = searched.outcome(Order::Both, 2);
        let mut first: Vec<u32> = both.found.iter().map(|found| found.unit).collect();
        first.sort_unstable();
        assert_eq!(first, [31, 77]);
        assert_eq!((both.units, both.constant), (200, 1));
        assert_eq!((both.positive, both.negative), (20, 100));
        assert!(both.rising + both.falling <= 4, "of 197 units of noise: {both:?}");
        assert!(both.found.iter().all(|found| found.q < 1e-6), "{both:?}");
        let rising = searched.outcome(Order::Rising, 1).found;
        let falling = searched.outcome(Order::Falling, 1).found;
        assert_eq!((rising[0].unit, falling[0].unit), (31, 77));
        assert!(rising[0].auc > 0.85 && rising[0].effect.expect("an effect") > 1.5);
        assert!(falling[0].auc < 0.15 && falling[0].inside < falling[0].outside);
        assert!(rising[0].low < rising[0].auc && rising[0].auc < rising[0].high);
        // The direction that is asked for leaves out what goes the other way.
        let all = searched.outcome(Order::Rising, 500).found;
        assert!(all.len() < 199 && all.iter().all(|found| found.auc > 0.5));
    }
}
