//! Measures `activation_histogram`: how a unit's activations are distributed over a data set, alone or beside those of other
//! units or pictures.

mod behind;
mod distribution;

use neuronotes_core::kind::activation_histogram::{Other, Outcome, Params};
use neuronotes_core::kind::group::Group;

use super::target::Target;
use crate::failure::Failure;
use crate::table::{Scanned, Told, nothing_read, told};
use crate::workbench::Workbench;
use distribution::{distribution, edges};

/// The activations of another distribution, and what it is of.
struct Beside {
    unit: Option<u32>,
    group: Option<String>,
    values: Vec<f64>,
}

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let target = Target::of(bench, &params.layer, about, params.pool)?;
    let scans = target.scans(bench)?;
    let mut beside = also(bench, &params)?;
    if let Some(group) = &params.beside {
        beside.extend(groups(bench, &target, group, &scans)?);
    }
    let values: Vec<f64> = scans.iter().flat_map(|scan| scan.activations.iter().copied()).collect();
    if values.is_empty() {
        return Err(nothing_read(bench));
    }
    let all = values.iter().chain(beside.iter().flat_map(|other| &other.values));
    let edges = edges(all, params.bins).ok_or_else(|| nothing_read(bench))?;
    let own = distribution(values, &edges, &params.above).ok_or_else(|| nothing_read(bench))?;
    let other = |other: Beside| {
        let of = distribution(other.values, &edges, &params.above)?;
        Some(Other {
            unit: other.unit,
            group: other.group,
            count: of.count,
            mean: of.mean,
            sd: of.sd,
            min: of.min,
            max: of.max,
            quantiles: of.quantiles,
            counts: of.counts,
            shape: of.shape,
        })
    };
    let others = beside.into_iter().map(|of| other(of).ok_or_else(nothing_beside));
    let others = others.collect::<Result<_, _>>()?;
    let behind = match params.examples {
        None => None,
        Some(most) => Some(behind::add(bench, &scans, &edges, most as usize)?),
    };
    let outcome = Outcome {
        count: own.count,
        mean: own.mean,
        sd: own.sd,
        min: own.min,
        max: own.max,
        quantiles: own.quantiles,
        edges,
        counts: own.counts,
        shape: own.shape,
        others,
        behind,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

fn nothing_beside() -> Failure {
    Failure::new("no picture of what `beside` names can be read")
}

/// The other units of the layer.
fn also(bench: &mut Workbench<'_>, params: &Params) -> Result<Vec<Beside>, Failure> {
    let mut found = Vec::new();
    for &unit in &params.also {
        let target = Target::of(bench, &params.layer, (Some(unit), None), params.pool)?;
        let scans = target.scans(bench)?;
        let values = scans.into_iter().flat_map(|scan| scan.activations).collect();
        found.push(Beside { unit: Some(unit), group: None, values });
    }
    Ok(found)
}

/// Other pictures: those of each label or caption, or of another data set. `scans` are those of the block's own data set.
fn groups(
    bench: &mut Workbench<'_>,
    target: &Target,
    group: &Group,
    scans: &[Scanned],
) -> Result<Vec<Beside>, Failure> {
    let each: Vec<(&String, Group)> = match group {
        Group::Labels(all) => {
            all.iter().map(|label| (label, Group::Labels(vec![label.clone()]))).collect()
        }
        Group::Captions(all) => {
            all.iter().map(|caption| (caption, Group::Captions(vec![caption.clone()]))).collect()
        }
        Group::Dataset(digest) => {
            let dataset = bench.named_dataset(digest)?;
            let scans = target.scans_of(bench, dataset)?;
            let values = scans.into_iter().flat_map(|scan| scan.activations).collect();
            return Ok(vec![Beside { unit: None, group: None, values }]);
        }
        Group::Keys(_) | Group::Images(_) | Group::Words(_) => {
            return Err(Failure::new("`beside` takes `labels`, `captions` or a `dataset`"));
        }
    };
    let dataset = bench.dataset()?;
    let told = told(bench, dataset, scans)?;
    let one = |(name, group): (&String, Group)| {
        let of_shard = |(scan, told): (&Scanned, &Told)| {
            let rows = scan.activations.iter().enumerate();
            let own = rows.filter(|(row, _)| told.sample(*row).is_some_and(|own| group.holds(own)));
            own.map(|(_, activation)| *activation).collect::<Vec<_>>()
        };
        let values: Vec<f64> = scans.iter().zip(&told).flat_map(of_shard).collect();
        match values.is_empty() {
            true => Err(Failure::new(format!(
                "no picture that can be read has a {} `{name}`",
                if matches!(group, Group::Labels(_)) { "label" } else { "caption with the words" }
            ))),
            false => Ok(Beside { unit: None, group: Some(name.clone()), values }),
        }
    };
    each.into_iter().map(one).collect()
}
