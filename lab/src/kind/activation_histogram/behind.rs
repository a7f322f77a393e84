//! The images behind each bar: scans and edges in; a few images of each bucket, on one sheet of small pictures, out.

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::activation_histogram::Behind;

use super::distribution::bucket;
use crate::clip::preprocess::prepare;
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::kind::tiles;
use crate::table::Scanned;
use crate::workbench::Workbench;

/// Side of a picture, in pixels.
const TILE: u32 = 72;

/// Adds the sheet to the record.
///
/// # Errors
/// If an image cannot be read, or the sheet not be stored.
pub(super) fn add(
    bench: &mut Workbench<'_>,
    scans: &[Scanned],
    edges: &[f64],
    most: usize,
) -> Result<Behind, Failure> {
    let buckets = chosen(scans, edges, most);
    let key = |&(shard, row): &(usize, usize)| (shard, scans[shard].keys.key(row));
    let samples: Vec<(usize, &str)> = buckets.iter().flatten().map(key).collect();
    let mut gallery = Gallery::default();
    let found = gallery.find(bench, &samples)?;
    let picture = |at: usize| {
        let (shard, row): (&dyn Shard, usize) = found[at];
        let picture = shard.picture(row).and_then(|picture| prepare(picture, TILE));
        picture.map_err(|why| Failure::new(format!("`{}` cannot be shown ({why})", samples[at].1)))
    };
    let (bytes, side) = tiles::drawn(found.len(), TILE, picture)?;
    bench.record.add_output(bench.store(), tiles::NAME, "image/webp", &bytes)?;
    let keys =
        |bucket: &Vec<(usize, usize)>| bucket.iter().map(|at| key(at).1.to_owned()).collect();
    let keys = buckets.iter().map(keys).collect();
    Ok(Behind { sheet: tiles::NAME.to_owned(), side, tile: TILE, keys })
}

/// Up to `most` images of each bucket, as their shard and row: those with the smallest digests of their keys.
fn chosen(scans: &[Scanned], edges: &[f64], most: usize) -> Vec<Vec<(usize, usize)>> {
    let mut buckets: Vec<Vec<(Digest, (usize, usize))>> = vec![Vec::new(); edges.len() - 1];
    for (shard, scan) in scans.iter().enumerate() {
        for (row, (key, value)) in scan.keys.iter().zip(&scan.activations).enumerate() {
            let of = (Digest::of(key.as_bytes()), (shard, row));
            let kept = &mut buckets[bucket(edges, *value)];
            let at = kept.partition_point(|known| *known < of);
            if at < most {
                kept.insert(at, of);
                kept.truncate(most);
            }
        }
    }
    let places =
        |bucket: Vec<(Digest, (usize, usize))>| bucket.into_iter().map(|(_, at)| at).collect();
    buckets.into_iter().map(places).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn each_bucket_has_images_of_its_own_and_not_too_many() {
        let values: Vec<f64> = (0..40).map(|n| f64::from(n % 10)).collect();
        let names: Vec<String> = (0..40).map(|n| format!("image {n}")).collect();
        let scan = |rows: std::ops::Range<usize>| Scanned {
            activations: values[rows.clone()].to_vec(),
            keys: Arc::new(names[rows].iter().map(String::as_str).collect()),
        };
        let edges = [0.0, 3.0, 6.0, 9.0];
        let whole = [scan(0..40)];
        let found = chosen(&whole, &edges, 3);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3]);
        for (at, bucket) in found.iter().enumerate() {
            for &(shard, row) in bucket {
                assert_eq!(super::bucket(&edges, whole[shard].activations[row]), at);
            }
        }
        // Which ones does not depend on shards.
        let parts = [scan(25..40), scan(0..25)];
        let keys = |scans: &[Scanned], found: &[Vec<(usize, usize)>]| -> Vec<String> {
            found.iter().flatten().map(|(s, r)| scans[*s].keys.key(*r).to_owned()).collect()
        };
        assert_eq!(keys(&parts, &chosen(&parts, &edges, 3)), keys(&whole, &found));
        assert_eq!(chosen(&whole, &edges, 100).iter().map(Vec::len).sum::<usize>(), 40);
    }
}
