//! Measures `conditional`: images drawn from buckets of a unit's activations, and how many of them are in each category; or the labelling
//! sheet by which raters say so.

mod sheet;

use std::collections::BTreeSet;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::conditional::{
    BUCKETS, Bucket, MOST_SHEET, Outcome, Params, Published, SHEET,
};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::category::{Names, Rest, Sorted, by_dataset, by_raters};
use super::target::Target;
use crate::failure::Failure;
use crate::table::{nothing_read, summary};
use crate::workbench::Workbench;

/// What labels are called that the block does not list.
const REST: &str = "other";

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let scans = Target::of(bench, &params.layer, about, params.pool)?.scans(bench)?;
    let values: Vec<f64> = scans.iter().flat_map(|scan| scan.activations.clone()).collect();
    if values.is_empty() {
        return Err(nothing_read(bench));
    }
    let summary = summary(&values);
    let architecture = bench.architecture()?;
    let published = params.unit.and_then(|unit| Published::of(&architecture, &params.layer, unit));
    let asked = params.bins.is_some() || params.from.is_some() || params.to.is_some();
    let published = published.filter(|_| !asked);
    let edges = match published {
        Some(published) => published.edges(),
        None => edges(&values, &params)?,
    };
    let names = Names::of(&scans);
    let categories = params.categories.as_deref();
    let is_sheet = params.labels.is_some();
    let sorted = match is_sheet {
        true => None,
        false => Some(by_dataset(bench, &scans, categories, params.by, Rest::Named(REST))?),
    };
    // Of the data set's own labels, only images that have one are drawn.
    let eligible = |(shard, row): (usize, usize)| {
        sorted.as_ref().is_none_or(|sorted| sorted.of[shard][row].is_some())
    };
    let mut buckets: Vec<Vec<(usize, usize)>> = vec![Vec::new(); edges.len() - 1];
    let mut images = vec![0; edges.len() - 1];
    let mut outside = (0, 0);
    for (shard, scan) in scans.iter().enumerate() {
        for (row, value) in scan.activations.iter().enumerate() {
            match bucket(&edges, *value) {
                Place::Below => outside.0 += 1,
                Place::Above => outside.1 += 1,
                Place::In(at) => {
                    images[at] += 1;
                    if eligible((shard, row)) {
                        buckets[at].push((shard, row));
                    }
                }
            }
        }
    }
    for bucket in &mut buckets {
        draw(bucket, &names, params.seed, params.sample as usize);
    }
    let sorted = match (sorted, &params.labels) {
        (Some(sorted), _) => sorted,
        (None, files) => {
            let drawn: BTreeSet<(usize, usize)> = buckets.iter().flatten().copied().collect();
            if drawn.len() as u64 > MOST_SHEET {
                let message = format!(
                    "a labelling sheet of {} images; at most {MOST_SHEET} are possible",
                    drawn.len()
                );
                return Err(Failure::new(message).hint("draw fewer images: lower `sample`"));
            }
            let classes = categories.unwrap_or_default();
            let answers = classes.iter().flat_map(|class| class.names.clone()).collect();
            let sheet = sheet::of(bench, &names, &drawn, params.seed, answers)?;
            let sheet = serde_json::to_vec(&sheet).map_err(|why| {
                Failure::new(format!("the labelling sheet cannot be written ({why})"))
            })?;
            bench.record.add_output(bench.store(), SHEET, "application/json", &sheet)?;
            let files = files.as_deref().unwrap_or_default();
            by_raters(bench, &names, categories, (files, params.decide), Some(&drawn))?
        }
    };
    let buckets = counted(&edges, &buckets, &images, &sorted);
    let outcome = Outcome {
        count: values.len() as u64,
        mean: summary.mean,
        sd: summary.sd,
        scale: published.and_then(|published| published.sd).unwrap_or(summary.sd),
        published: published.is_some(),
        outside,
        categories: sorted.names,
        buckets,
        agreement: sorted.agreement,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The edges of buckets of equal width.
fn edges(values: &[f64], params: &Params) -> Result<Vec<f64>, Failure> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (from, to) = (params.from.unwrap_or(least), params.to.unwrap_or(greatest));
    if from >= to {
        let message = match params.from.is_none() && params.to.is_none() {
            true => format!("all images have the same activation, {from}"),
            false => format!("the buckets would begin at {from} and end at {to}"),
        };
        let hint = format!("the activations are between {least} and {greatest}");
        return Err(Failure::new(message).hint(hint));
    }
    let bins = params.bins.unwrap_or(BUCKETS).max(1);
    let edge = |at: u32| match at == bins {
        true => to,
        false => from + (to - from) * f64::from(at) / f64::from(bins),
    };
    Ok((0..=bins).map(edge).collect())
}

/// Where an activation is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Below,
    In(usize),
    Above,
}

/// The bucket of an activation; the last one includes its right edge.
fn bucket(edges: &[f64], value: f64) -> Place {
    let last = edges.len() - 1;
    match edges.partition_point(|edge| *edge <= value) {
        0 => Place::Below,
        at if at <= last => Place::In(at - 1),
        _ if value == edges[last] => Place::In(last - 1),
        _ => Place::Above,
    }
}

/// Keeps at most `most` images. The order in which they are drawn depends on the seed and on the image's own name, so that images that
/// are added to a data set leave most of the sample as it was.
fn draw(bucket: &mut Vec<(usize, usize)>, names: &Names<'_>, seed: u64, most: usize) {
    let lot = names.lots(seed, "drawn");
    let lots = bucket.par_iter().map_init(String::new, |text, place| (lot(text, *place), *place));
    let mut lots: Vec<(Digest, (usize, usize))> = lots.collect();
    if most < lots.len() {
        lots.select_nth_unstable(most);
        lots.truncate(most);
    }
    lots.sort_unstable();
    *bucket = lots.into_iter().map(|(_, place)| place).collect();
}

fn counted(
    edges: &[f64],
    drawn: &[Vec<(usize, usize)>],
    images: &[u64],
    sorted: &Sorted,
) -> Vec<Bucket> {
    let bucket = |at: usize| {
        let mut counts = vec![0; sorted.names.len()];
        for (shard, row) in &drawn[at] {
            if let Some(category) = sorted.of[*shard][*row] {
                counts[category as usize] += 1;
            }
        }
        let (from, to) = (edges[at], edges[at + 1]);
        Bucket { from, to, images: images[at], drawn: drawn[at].len() as u64, counts }
    };
    (0..drawn.len()).map(bucket).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::table::Scanned;

    #[test]
    fn an_activation_is_in_the_bucket_whose_edges_it_is_between() {
        let edges = [-1.0, 0.0, 1.0, 2.0];
        let found = [-1.5, -1.0, -0.0, 0.5, 1.0, 2.0, 2.5].map(|value| bucket(&edges, value));
        let expected = [
            Place::Below,
            Place::In(0),
            Place::In(1),
            Place::In(1),
            Place::In(2),
            Place::In(2),
            Place::Above,
        ];
        assert_eq!(found, expected);
    }

    fn scans(count: usize) -> [Scanned; 1] {
        let names: Vec<String> = (0..count).map(|n| format!("image-{n}")).collect();
        let keys = Arc::new(names.iter().map(String::as_str).collect());
        [Scanned { activations: vec![0.0; count], keys }]
    }

    #[test]
    fn a_sample_depends_on_the_seed_and_stays_when_images_are_added() {
        let drawn = |count: usize, seed: u64| {
            let mut all: Vec<(usize, usize)> = (0..count).map(|row| (0, row)).collect();
            draw(&mut all, &Names::of(&scans(count)), seed, 20);
            all.into_iter().collect::<BTreeSet<_>>()
        };
        assert_eq!(drawn(100, 1).len(), 20);
        assert_eq!(drawn(100, 1), drawn(100, 1));
        assert_ne!(drawn(100, 1), drawn(100, 2));
        assert_eq!(drawn(10, 1).len(), 10);
        // One new image takes the place of at most one.
        assert!(drawn(100, 1).intersection(&drawn(101, 1)).count() >= 19);
    }

    #[test]
    fn drawn_images_are_counted_by_category() {
        let sorted = Sorted {
            names: vec!["a".to_owned(), "b".to_owned()],
            of: vec![vec![Some(0), Some(1), None, Some(1)]],
            agreement: None,
        };
        let drawn = [vec![(0, 0), (0, 2)], vec![(0, 1), (0, 3)]];
        let buckets = counted(&[0.0, 1.0, 2.0], &drawn, &[5, 2], &sorted);
        assert_eq!((buckets[0].drawn, buckets[0].images), (2, 5));
        assert_eq!((buckets[0].counts.clone(), buckets[0].labelled()), (vec![1, 0], 1));
        assert_eq!(buckets[1].counts, [0, 2]);
        assert_eq!((buckets[1].from, buckets[1].to), (1.0, 2.0));
    }
}
