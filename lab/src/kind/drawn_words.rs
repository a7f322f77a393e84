//! Measures `words`: the mean of a unit's activations over the drawings of each word.

use std::collections::BTreeMap;

use neuronotes_core::dataset::Samples;
use neuronotes_core::kind::drawn_words::{MOST_SHOWN, Moved, Outcome, Params, Shown};

use super::target::Target;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::table::{Scanned, nothing_read, said, summary};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let dataset = bench.dataset()?;
    if dataset.format.samples != Samples::Words {
        let message = format!("the data set `{}` has pictures, not words", dataset.name);
        return Err(Failure::new(message).hint("name a data set that is a list of words"));
    }
    let about = (params.unit, params.direction.as_deref());
    let mut scans = Target::of(bench, &params.layer, about, params.pool)?.scans(bench)?;
    for (index, scan) in scans.iter_mut().enumerate() {
        said(bench, dataset, index, &mut scan.samples)?;
    }
    let words = words(&scans);
    let ranking = ranking(&words, params.top as usize).ok_or_else(|| nothing_read(bench))?;
    let mut gallery = Gallery::default();
    let mut end = |places: &[usize], is_up: bool| {
        places
            .iter()
            .enumerate()
            .map(|(rank, &at)| {
                let (word, drawings) = (&words[at].0, &words[at].1);
                let mut moved = moved(word, drawings);
                if rank < MOST_SHOWN {
                    moved.shown = Some(shown(bench, &mut gallery, &scans, drawings, is_up)?);
                }
                Ok(moved)
            })
            .collect::<Result<Vec<_>, Failure>>()
    };
    let (up, down) = (end(&ranking.up, true)?, end(&ranking.down, false)?);
    let outcome = Outcome { up, down, ..ranking.outcome };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// A drawing: its activation, its shard and its row there.
type Drawing = (f64, usize, usize);

/// Each word with its drawings in the data set's order, in alphabetical order.
fn words(scans: &[Scanned]) -> Vec<(String, Vec<Drawing>)> {
    let mut words: BTreeMap<&str, Vec<Drawing>> = BTreeMap::new();
    for (shard, scan) in scans.iter().enumerate() {
        for (row, (sample, &activation)) in scan.samples.iter().zip(&scan.activations).enumerate() {
            let word = sample.caption.as_ref().unwrap_or(&sample.key);
            words.entry(word).or_default().push((activation, shard, row));
        }
    }
    words.into_iter().map(|(word, drawings)| (word.to_owned(), drawings)).collect()
}

/// The words at both ends, by their places, and the outcome without them.
#[derive(Debug)]
struct Ranking {
    up: Vec<usize>,
    down: Vec<usize>,
    outcome: Outcome,
}

/// Ranks words by their means; equal ones keep their order. `None` if there are no drawings.
fn ranking(words: &[(String, Vec<Drawing>)], top: usize) -> Option<Ranking> {
    let all: Vec<f64> = words.iter().flat_map(|(_, drawings)| activations(drawings)).collect();
    if all.is_empty() {
        return None;
    }
    let total = summary(&all);
    let means: Vec<f64> =
        words.iter().map(|(_, drawings)| summary(&activations(drawings)).mean).collect();
    let mut up: Vec<usize> = (0..words.len()).collect();
    let mut down = up.clone();
    // Stable sorts, so that equal means stay in alphabetical order.
    up.sort_by(|a, b| means[*b].total_cmp(&means[*a]));
    down.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
    let middle = words.len() / 2;
    let median = match words.len() % 2 {
        1 => means[down[middle]],
        _ => f64::midpoint(means[down[middle - 1]], means[down[middle]]),
    };
    let between = words
        .iter()
        .zip(&means)
        .map(|((_, drawings), mean)| drawings.len() as f64 * (mean - total.mean).powi(2));
    let between = between.sum::<f64>() / all.len() as f64;
    let several = words.iter().any(|(_, drawings)| drawings.len() > 1);
    let outcome = Outcome {
        drawings: all.len() as u64,
        words: words.len() as u64,
        mean: total.mean,
        sd: total.sd,
        median,
        // Rounding may move it slightly beyond 1.
        explained: (several && total.sd > 0.0)
            .then(|| (between / total.sd.powi(2)).clamp(0.0, 1.0)),
        up: Vec::new(),
        down: Vec::new(),
    };
    up.truncate(top);
    down.truncate(top);
    Some(Ranking { up, down, outcome })
}

fn activations(drawings: &[Drawing]) -> Vec<f64> {
    drawings.iter().map(|(activation, ..)| *activation).collect()
}

/// A word without its picture.
fn moved(word: &str, drawings: &[Drawing]) -> Moved {
    let values = activations(drawings);
    let summary = summary(&values);
    Moved {
        word: word.to_owned(),
        mean: summary.mean,
        sd: (values.len() > 1).then_some(summary.sd),
        drawings: values.len() as u64,
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        shown: None,
    }
}

/// The picture of a word's strongest drawing, or of its weakest; of equal ones the first.
fn shown(
    bench: &mut Workbench<'_>,
    gallery: &mut Gallery,
    scans: &[Scanned],
    drawings: &[Drawing],
    is_up: bool,
) -> Result<Shown, Failure> {
    bench.monitor.check()?;
    let mut drawings: Vec<&Drawing> = drawings.iter().collect();
    drawings.sort_by(|a, b| match is_up {
        true => b.0.total_cmp(&a.0),
        false => a.0.total_cmp(&b.0),
    });
    let Some(&&(activation, shard, row)) = drawings.first() else {
        return Err(Failure::new("a word has no drawing"));
    };
    let key = scans[shard].samples[row].key.clone();
    let (stored, _) = gallery.add_sample(bench, shard, &key)?;
    Ok(Shown {
        key,
        activation,
        picture: stored.picture,
        width: stored.width,
        height: stored.height,
    })
}

#[cfg(test)]
mod tests {
    use neuronotes_core::dataset::Sample;

    use super::*;

    fn scan(rows: &[(&str, f64)]) -> Scanned {
        let sample = |(at, (word, _)): (usize, &(&str, f64))| Sample {
            key: format!("{word} {at}"),
            caption: Some((*word).to_owned()),
            label: None,
        };
        Scanned {
            activations: rows.iter().map(|(_, activation)| *activation).collect(),
            samples: rows.iter().enumerate().map(sample).collect(),
        }
    }

    #[test]
    fn numbers_are_those_computed_by_hand() {
        // Means 2, 5, -1 and 2 in two shards.
        let scans = [
            scan(&[("b", 1.0), ("a", 5.0), ("b", 3.0)]),
            scan(&[("d", -1.0), ("c", 2.0), ("c", 2.0)]),
        ];
        let words = words(&scans);
        let Ranking { up, down, outcome } = ranking(&words, 3).expect("words");
        let named = |places: &[usize]| places.iter().map(|&at| &*words[at].0).collect::<Vec<_>>();
        assert_eq!(named(&up), ["a", "b", "c"], "of equal means the first by the alphabet");
        assert_eq!(named(&down), ["d", "b", "c"]);
        assert_eq!((outcome.drawings, outcome.words), (6, 4));
        assert_eq!((outcome.mean, outcome.median), (2.0, 2.0));
        // Squared distances of drawings: 1 + 9 + 1 + 9 + 0 + 0 = 20; of their words' means: 9 + 9 = 18.
        assert!((outcome.sd - (20.0f64 / 6.0).sqrt()).abs() < 1e-12);
        assert!((outcome.explained.expect("a fraction") - 0.9).abs() < 1e-12);
        let b = moved("b", &words[1].1);
        assert_eq!((b.mean, b.sd, b.drawings, b.min, b.max), (2.0, Some(1.0), 2, 1.0, 3.0));
        assert_eq!(moved("a", &words[0].1).sd, None, "one drawing has no spread");
    }

    #[test]
    fn rankings_are_those_of_brute_force() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u32
        };
        for _ in 0..50 {
            let rows: Vec<(String, f64)> = (0..60)
                .map(|_| (format!("w{}", next() % 17), f64::from(next() % 5) - 2.0))
                .collect();
            let borrowed: Vec<(&str, f64)> = rows.iter().map(|(w, x)| (&**w, *x)).collect();
            let words = words(&[scan(&borrowed)]);
            let found = ranking(&words, 4).expect("words");
            // Pick the best of what is left, four times.
            let mean = |word: &str| {
                let own: Vec<f64> =
                    rows.iter().filter(|(w, _)| w == word).map(|(_, x)| *x).collect();
                own.iter().sum::<f64>() / own.len() as f64
            };
            let mut left: Vec<&str> = borrowed.iter().map(|(word, _)| *word).collect();
            left.sort_unstable();
            left.dedup();
            for &at in &found.up {
                let best = left
                    .iter()
                    .copied()
                    .reduce(|best, word| if mean(word) > mean(best) { word } else { best });
                assert_eq!(Some(&*words[at].0), best);
                left.retain(|word| Some(*word) != best);
            }
        }
    }

    #[test]
    fn one_style_or_one_value_explains_nothing() {
        let once = ranking(&words(&[scan(&[("a", 1.0), ("b", 2.0)])]), 5).expect("words");
        assert_eq!((once.outcome.explained, once.up.len()), (None, 2));
        let flat = ranking(&words(&[scan(&[("a", 1.0), ("a", 1.0)])]), 5).expect("words");
        assert_eq!((flat.outcome.explained, flat.outcome.sd), (None, 0.0));
        assert!(ranking(&[], 5).is_none());
    }
}
