//! Measures `dataset_examples`: images of a data set by a unit's activation, or by what it adds to a logit.
//!
//! A scan stores activations in half precision, in which different ones may be equal. If that decides which images are
//! shown, or in what order, the network is run again on the images with equal activations.

mod fold;
mod list;
mod map;
mod rank;
mod relevance;

use neuronotes_core::kind::dataset_examples::{By, Example, Order, Outcome, Params};

use super::target::Target;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::table::{nothing_read, summary};
use crate::workbench::Workbench;
use fold::fold;
use list::{Kept, List, Place};

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let target = Target::of(bench, &params.layer, about, params.pool)?;
    let scans = target.scans(bench)?;
    let values: Vec<f64> = scans.iter().flat_map(|scan| scan.activations.clone()).collect();
    if values.is_empty() {
        return Err(nothing_read(bench));
    }
    let summary = summary(&values);
    let list = List { params: &params, target: &target, scans: &scans };
    let top = params.top as usize;
    let mut gallery = Gallery::default();
    let (order, candidates) = match params.by {
        By::Activation => {
            let needed = params.alike.map_or(top, |_| fold::most(top));
            (rank::by_activation(bench, &list, needed, &mut gallery)?, None)
        }
        By::Relevance => {
            let (order, count) = relevance::ordered(bench, &list, &mut gallery)?;
            (order, Some(count as u64))
        }
    };
    let (kept, compared) = match params.order {
        Order::Quantiles => {
            (rank::at_quantiles(bench, &list, order.places, top, &mut gallery)?, None)
        }
        _ => fold(bench, &list, &order.places, top, &mut gallery)?,
    };
    let shown = |place: Place| order.relevance.get(&place).copied();
    let mut pictures = Vec::new();
    let mut add = |bench: &mut Workbench<'_>, gallery: &mut Gallery, kept: Kept| {
        bench.monitor.check()?;
        let (shard, row) = kept.place;
        let stored = gallery.keep(bench, &kept.picture)?;
        pictures.push((kept.place, kept.picture));
        Ok::<_, Failure>(Example {
            key: kept.sample.key,
            caption: kept.sample.caption,
            label: kept.sample.label,
            activation: scans[shard].activations[row],
            picture: stored.picture,
            width: stored.width,
            height: stored.height,
            relevance: shown(kept.place),
            quantile: kept.quantile,
            alike: kept.alike,
            map: None,
        })
    };
    let mut found = Vec::new();
    for kept in kept {
        found.push(add(bench, &mut gallery, kept)?);
    }
    let full_colour = match params.maps {
        false => None,
        true => Some(map::add(bench, &list, &pictures, &mut gallery, found.iter_mut())?),
    };
    let count = values.len() as u64;
    let (mean, sd) = (summary.mean, summary.sd);
    let top = found;
    let outcome = Outcome { count, mean, sd, top, compared, candidates, full_colour };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}
