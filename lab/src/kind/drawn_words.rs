//! Measures `words`: the mean of a unit's activations over the drawings of each word.

use std::ops::Range;

use neuronotes_core::dataset::Samples;
use neuronotes_core::kind::drawn_words::{MOST_SHOWN, Moved, Outcome, Params, Shown};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

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
    bench.open_shards(dataset)?;
    for (index, scan) in scans.iter_mut().enumerate() {
        said(bench, dataset, index, &mut scan.samples)?;
    }
    let words = Words::of(&scans);
    let ranking = words.ranking(params.top as usize).ok_or_else(|| nothing_read(bench))?;
    let mut gallery = Gallery::default();
    let mut end = |places: &[usize], is_up: bool| {
        places
            .iter()
            .enumerate()
            .map(|(rank, &at)| {
                let (word, drawings) = words.word(at);
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

/// A drawing: its shard, its row there, and its activation.
type Drawing = (usize, usize, f64);

/// Words in alphabetical order, each with its drawings in the data set's order.
struct Words<'a> {
    drawings: Vec<Drawing>,
    /// Each word, and where its drawings are.
    words: Vec<(&'a str, Range<usize>)>,
}

impl<'a> Words<'a> {
    fn of(scans: &'a [Scanned]) -> Self {
        let mut all: Vec<(&str, Drawing)> = Vec::new();
        for (shard, scan) in scans.iter().enumerate() {
            let rows = scan.samples.iter().zip(&scan.activations).enumerate();
            all.extend(rows.map(|(row, (sample, &activation))| {
                let word = sample.caption.as_ref().unwrap_or(&sample.key);
                (word.as_str(), (shard, row, activation))
            }));
        }
        let place = |&(word, (shard, row, _)): &(&'a str, Drawing)| (word, shard, row);
        all.par_sort_unstable_by(|a, b| place(a).cmp(&place(b)));
        let mut words = Vec::new();
        let mut start = 0;
        for run in all.chunk_by(|a, b| a.0 == b.0) {
            words.push((run[0].0, start..start + run.len()));
            start += run.len();
        }
        Self { drawings: all.into_iter().map(|(_, drawing)| drawing).collect(), words }
    }

    /// A word and its drawings.
    fn word(&self, at: usize) -> (&'a str, &[Drawing]) {
        let (word, range) = &self.words[at];
        (word, &self.drawings[range.clone()])
    }

    /// Ranks words by their means; equal ones keep their order. `None` if there are no drawings.
    fn ranking(&self, top: usize) -> Option<Ranking> {
        let all = activations(&self.drawings);
        if all.is_empty() {
            return None;
        }
        let total = summary(&all);
        let mean = |(_, range): &(&str, Range<usize>)| summary(&all[range.clone()]).mean;
        let means: Vec<f64> = self.words.par_iter().map(mean).collect();
        let mut up: Vec<usize> = (0..means.len()).collect();
        let mut down = up.clone();
        // Stable sorts, so that equal means stay in alphabetical order.
        up.par_sort_by(|a, b| means[*b].total_cmp(&means[*a]));
        down.par_sort_by(|a, b| means[*a].total_cmp(&means[*b]));
        let middle = means.len() / 2;
        let median = match means.len() % 2 {
            1 => means[down[middle]],
            _ => f64::midpoint(means[down[middle - 1]], means[down[middle]]),
        };
        let between = self
            .words
            .iter()
            .zip(&means)
            .map(|((_, range), mean)| range.len() as f64 * (mean - total.mean).powi(2));
        let between = between.sum::<f64>() / all.len() as f64;
        let several = self.words.len() < all.len();
        let outcome = Outcome {
            drawings: all.len() as u64,
            words: self.words.len() as u64,
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
}

/// The words at both ends, by their places, and the outcome without them.
#[derive(Debug)]
struct Ranking {
    up: Vec<usize>,
    down: Vec<usize>,
    outcome: Outcome,
}

fn activations(drawings: &[Drawing]) -> Vec<f64> {
    drawings.iter().map(|(.., activation)| *activation).collect()
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
        true => b.2.total_cmp(&a.2),
        false => a.2.total_cmp(&b.2),
    });
    let Some(&&(shard, row, activation)) = drawings.first() else {
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
        let words = Words::of(&scans);
        let Ranking { up, down, outcome } = words.ranking(3).expect("words");
        let named =
            |places: &[usize]| places.iter().map(|&at| words.word(at).0).collect::<Vec<_>>();
        assert_eq!(named(&up), ["a", "b", "c"], "of equal means the first by the alphabet");
        assert_eq!(named(&down), ["d", "b", "c"]);
        assert_eq!((outcome.drawings, outcome.words), (6, 4));
        assert_eq!((outcome.mean, outcome.median), (2.0, 2.0));
        // Squared distances of drawings: 1 + 9 + 1 + 9 + 0 + 0 = 20; of their words' means: 9 + 9 = 18.
        assert!((outcome.sd - (20.0f64 / 6.0).sqrt()).abs() < 1e-12);
        assert!((outcome.explained.expect("a fraction") - 0.9).abs() < 1e-12);
        let b = moved("b", words.word(1).1);
        assert_eq!((b.mean, b.sd, b.drawings, b.min, b.max), (2.0, Some(1.0), 2, 1.0, 3.0));
        assert_eq!(moved("a", words.word(0).1).sd, None, "one drawing has no spread");
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
            let scans = [scan(&borrowed)];
            let words = Words::of(&scans);
            let found = words.ranking(4).expect("words");
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
                assert_eq!(Some(words.word(at).0), best);
                left.retain(|word| Some(*word) != best);
            }
        }
    }

    #[test]
    fn one_style_or_one_value_explains_nothing() {
        let once = [scan(&[("a", 1.0), ("b", 2.0)])];
        let once = Words::of(&once).ranking(5).expect("words");
        assert_eq!((once.outcome.explained, once.up.len()), (None, 2));
        let flat = [scan(&[("a", 1.0), ("a", 1.0)])];
        let flat = Words::of(&flat).ranking(5).expect("words");
        assert_eq!((flat.outcome.explained, flat.outcome.sd), (None, 0.0));
        assert!(Words::of(&[]).ranking(5).is_none());
    }
}
