//! All units of a place over a data set, one after the other: a request in; a unit's activations out, and all of them ranked.

use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::selectivity::Params;
use neuronotes_core::kind::spoiled::Spoiled;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use tch::Tensor;

use crate::failure::Failure;
use crate::fit::permuted::{Doubled, Greatest, Lots, Way};
use crate::group::Own;
use crate::monitor::Progress;
use crate::readout::Readout;
use crate::table::by_unit::{ByUnit, Unread};
use crate::table::matrix::Matrix;
use crate::workbench::Workbench;

/// A unit's activations by picture, or why it has none.
type Column = Result<Vec<f32>, Spoiled>;

/// Units that are in memory at once.
const AT_ONCE: usize = 256;

/// The units.
pub(super) struct Family {
    read: Read,
    /// The images, with captions and labels.
    pub samples: Vec<Sample>,
    /// The shard of each image.
    pub shards: Vec<usize>,
    /// Number of units.
    pub units: usize,
}

enum Read {
    ByUnit(ByUnit),
    /// `[units, images]`, if units are scaled together or a stored number is damaged.
    Whole(Tensor, Vec<Spoiled>),
}

/// What is known of all units after one pass.
pub(super) struct Passed {
    /// The greatest statistics in each permutation.
    pub greatest: Greatest,
    /// The statistic of each unit for each category on the images tested on; NaN for one that is constant or left out.
    pub statistics: Vec<Vec<f64>>,
    /// For each category the unit that stands out most on the images chosen by, if one was to be chosen.
    pub best: Vec<Option<(f64, u32)>>,
    /// Units that are left out.
    pub spoiled: Vec<Spoiled>,
}

/// What a pass computes.
pub(super) struct Wanted<'a> {
    /// The rows that are tested on.
    pub test: &'a [usize],
    /// The rows that a unit is chosen by; empty if none is to be chosen.
    pub choose: &'a [usize],
    /// The images of each category among those tested on, by their places there.
    pub groups: &'a [Vec<u32>],
    /// The same among those that are chosen by.
    pub chosen: &'a [Vec<u32>],
    /// What is drawn by lot.
    pub lots: &'a Lots,
    /// Which way a unit stands out.
    pub way: Way,
}

/// A unit as ranked on either side; each `None` if it is constant there.
struct Ranked {
    unit: usize,
    test: Option<Doubled>,
    choose: Option<Doubled>,
}

impl Family {
    /// Opens the stored scans.
    ///
    /// # Errors
    /// If the request uses no such scans, or no image can be read.
    pub(super) fn open(
        bench: &mut Workbench<'_>,
        params: &Params,
        at: &Readout,
    ) -> Result<Self, Failure> {
        if at.is_scaled() {
            return Self::whole(bench, params, at);
        }
        let dataset = bench.dataset()?;
        let scan = ByUnit::open(bench, dataset, &params.layer, params.pool)?;
        let (samples, shards, units) = (scan.samples.clone(), scan.shards.clone(), scan.units);
        Ok(Self { read: Read::ByUnit(scan), samples, shards, units })
    }

    /// The same as one matrix; a number that is damaged is measured again.
    ///
    /// # Errors
    /// As for [`Family::open`].
    pub(super) fn whole(
        bench: &mut Workbench<'_>,
        params: &Params,
        at: &Readout,
    ) -> Result<Self, Failure> {
        let Own(Matrix { rows, samples, shards, spoiled }) = Own::read(bench, at, params.pool)?;
        let units = rows.size()[1] as usize;
        let rows = rows.f_tr()?.f_contiguous()?;
        Ok(Self { read: Read::Whole(rows, spoiled), samples, shards, units })
    }

    /// The activations of a unit for all images, or the first image for which it is NaN or infinite.
    ///
    /// # Errors
    /// If a number is damaged.
    pub(super) fn unit(&self, bench: &Workbench<'_>, unit: usize) -> Result<Column, Unread> {
        match &self.read {
            Read::ByUnit(scan) => scan.unit(bench.store(), unit),
            Read::Whole(rows, spoiled) => {
                if let Some(spoiled) = spoiled.iter().find(|one| one.unit as usize == unit) {
                    return Ok(Err(spoiled.clone()));
                }
                let row = rows.f_select(0, unit as i64).map_err(Failure::from)?;
                Ok(Ok(Vec::<f32>::try_from(row).map_err(Failure::from)?))
            }
        }
    }

    /// Reads some units.
    fn some(
        &self,
        bench: &Workbench<'_>,
        units: std::ops::Range<usize>,
    ) -> Result<Vec<(usize, Column)>, Unread> {
        match &self.read {
            Read::ByUnit(scan) => {
                let store = bench.store();
                let one = |unit| Ok((unit, scan.unit(store, unit)?));
                units.into_par_iter().map(one).collect()
            }
            Read::Whole(..) => units.map(|unit| Ok((unit, self.unit(bench, unit)?))).collect(),
        }
    }

    /// Ranks all units, and takes in each.
    ///
    /// # Errors
    /// If a number is damaged, memory runs out, or the request is cancelled.
    pub(super) fn pass(
        &self,
        bench: &mut Workbench<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Passed, Unread> {
        let mut passed = Passed {
            greatest: wanted.lots.nothing(),
            statistics: vec![vec![f64::NAN; self.units]; wanted.groups.len()],
            best: vec![None; wanted.groups.len()],
            spoiled: vec![],
        };
        for start in (0..self.units).step_by(AT_ONCE) {
            bench.monitor.check()?;
            let (stage, step, total) = ("comparing units", start as u64, self.units as u64);
            bench.monitor.progress(&Progress { stage, step, total, unit: "unit", picture: None });
            let mut sound = Vec::new();
            for (unit, numbers) in self.some(bench, start..self.units.min(start + AT_ONCE))? {
                match numbers {
                    Ok(numbers) => sound.push((unit, numbers)),
                    Err(spoiled) => passed.spoiled.push(spoiled),
                }
            }
            let rank = |(unit, numbers): (usize, Vec<f32>)| Ranked {
                unit,
                test: Doubled::of(&picked(&numbers, wanted.test)),
                choose: Doubled::of(&picked(&numbers, wanted.choose)),
            };
            let ranked: Vec<Ranked> = sound.into_par_iter().map(rank).collect();
            for Ranked { unit, test, choose } in &ranked {
                passed.note(*unit, (test.as_ref(), choose.as_ref()), wanted);
            }
            let varying: Vec<Doubled> = ranked.into_iter().filter_map(|one| one.test).collect();
            wanted.lots.take_in(&varying, &mut passed.greatest)?;
        }
        Ok(passed)
    }
}

impl Passed {
    /// Notes the statistics of a unit.
    fn note(
        &mut self,
        unit: usize,
        (test, choose): (Option<&Doubled>, Option<&Doubled>),
        wanted: &Wanted<'_>,
    ) {
        for (category, group) in wanted.groups.iter().enumerate() {
            if let Some(test) = test {
                self.statistics[category][unit] = wanted.way.counted(test.told(group).0);
            }
            let (group, best) = (&wanted.chosen[category], &mut self.best[category]);
            let Some(choose) =
                choose.filter(|_| !group.is_empty() && group.len() < wanted.choose.len())
            else {
                continue;
            };
            let z = wanted.way.counted(choose.told(group).0);
            if best.is_none_or(|(known, _)| z > known) {
                *best = Some((z, unit as u32));
            }
        }
    }
}

/// Some of a unit's activations.
pub(super) fn picked(numbers: &[f32], rows: &[usize]) -> Vec<f32> {
    rows.iter().map(|row| numbers[*row]).collect()
}
