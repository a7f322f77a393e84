//! Measures `words`: the mean of a unit's activations over the drawings of each word.

use std::cmp::Ordering;
use std::ops::Range;

use neuronotes_core::dataset::Samples;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::drawn_words::{MOST_SHOWN, Moved, Outcome, Params, Shown};
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};
use rayon::slice::ParallelSliceMut as _;

use super::target::Target;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::table::{Scanned, nothing_read, summary, told};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let dataset = bench.dataset()?;
    if dataset.format.samples != Samples::Words {
        let message = format!("the data set `{}` has pictures, not words", dataset.name);
        return Err(Failure::new(message).hint("name a data set that is a list of words"));
    }
    let about = (params.unit, params.direction.as_deref());
    let scans = Target::of(bench, &params.layer, about, params.pool)?.scans(bench)?;
    let told = told(bench, dataset, &scans)?;
    let words = Words::of(&scans, |shard, row| told[shard].sample(row)?.caption.as_deref());
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
    /// `caption` says which word a shard's row shows, if it is not its key.
    fn of(scans: &'a [Scanned], caption: impl Fn(usize, usize) -> Option<&'a str>) -> Self {
        let count = scans.iter().map(|scan| scan.activations.len()).sum();
        let mut all: Vec<(&str, Drawing)> = Vec::with_capacity(count);
        for (shard, scan) in scans.iter().enumerate() {
            let rows = scan.keys.iter().zip(&scan.activations).enumerate();
            all.extend(rows.map(|(row, (key, &activation))| {
                (caption(shard, row).unwrap_or(key), (shard, row, activation))
            }));
        }
        // Most words differ in the first bytes behind those that all have in common: numbers are compared faster than texts.
        let common = common(all.iter().map(|(word, _)| word.as_bytes()));
        let mut order: Vec<(u64, usize)> =
            all.par_iter().enumerate().map(|(at, (word, _))| (next(word, common), at)).collect();
        // Drawings of one word stay in the data set's order.
        order.par_sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| all[a.1].0.cmp(all[b.1].0)).then(a.1.cmp(&b.1))
        });
        let mut words: Vec<(&str, Range<usize>)> = Vec::new();
        let mut drawings = Vec::with_capacity(count);
        for (at, (_, from)) in order.into_iter().enumerate() {
            let (word, drawing) = all[from];
            match words.last_mut() {
                Some((last, range)) if *last == word => range.end = at + 1,
                _ => words.push((word, at..at + 1)),
            }
            drawings.push(drawing);
        }
        Self { drawings, words }
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
        let up = first(&means, top, |a, b| b.total_cmp(a));
        let down = first(&means, top, f64::total_cmp);
        let median = median(&means);
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
        Some(Ranking { up, down, outcome })
    }
}

/// The places of the first `count` numbers in an order; equal ones stay in theirs.
fn first(numbers: &[f64], count: usize, order: fn(&f64, &f64) -> Ordering) -> Vec<usize> {
    let mut all: Vec<(f64, usize)> = numbers.iter().copied().zip(0..).collect();
    let compare = |a: &(f64, usize), b: &(f64, usize)| order(&a.0, &b.0).then(a.1.cmp(&b.1));
    if count < all.len() {
        all.select_nth_unstable_by(count, compare);
        all.truncate(count);
    }
    all.sort_unstable_by(compare);
    all.into_iter().map(|(_, at)| at).collect()
}

/// The median of numbers, of which there is at least one.
fn median(numbers: &[f64]) -> f64 {
    let mut all = numbers.to_vec();
    let middle = all.len() / 2;
    let (below, upper, _) = all.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    match numbers.len() % 2 {
        1 => upper,
        _ => f64::midpoint(below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper), upper),
    }
}

/// How many bytes all words begin with.
fn common<'w>(mut words: impl Iterator<Item = &'w [u8]>) -> usize {
    let Some(first) = words.next() else { return 0 };
    words.fold(first.len(), |most, word| {
        first[..most].iter().zip(word).take_while(|(a, b)| a == b).count()
    })
}

/// The eight bytes of a word behind some, as a number: words are in its order, or in their own where it is equal.
fn next(word: &str, from: usize) -> u64 {
    let rest = word.as_bytes().get(from..).unwrap_or_default();
    let mut bytes = [0; 8];
    let count = rest.len().min(8);
    bytes[..count].copy_from_slice(&rest[..count]);
    u64::from_be_bytes(bytes)
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

/// The picture of a word's strongest drawing, or of its weakest; of equal ones that with the smallest digest of its
/// key.
fn shown(
    bench: &mut Workbench<'_>,
    gallery: &mut Gallery,
    scans: &[Scanned],
    drawings: &[Drawing],
    is_up: bool,
) -> Result<Shown, Failure> {
    bench.monitor.check()?;
    let mut drawings: Vec<&Drawing> = drawings.iter().collect();
    // -0 equals 0.
    let number = |drawing: &Drawing| if is_up { -drawing.2 } else { drawing.2 } + 0.0;
    let digest = |drawing: &Drawing| Digest::of(scans[drawing.0].keys.key(drawing.1).as_bytes());
    drawings
        .sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| digest(a).cmp(&digest(b))));
    let Some(&&(shard, row, activation)) = drawings.first() else {
        return Err(Failure::new("a word has no drawing"));
    };
    let key = scans[shard].keys.key(row).to_owned();
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
    use std::sync::Arc;

    use super::*;

    /// A key is a word with a number behind it.
    fn scan(rows: &[(&str, f64)]) -> Scanned {
        let key = |(at, (word, _)): (usize, &(&str, f64))| format!("{word} {at}");
        let keys: Vec<String> = rows.iter().enumerate().map(key).collect();
        Scanned {
            activations: rows.iter().map(|(_, activation)| *activation).collect(),
            keys: Arc::new(keys.iter().map(String::as_str).collect()),
        }
    }

    fn words(scans: &[Scanned]) -> Words<'_> {
        Words::of(scans, |shard, row| {
            scans[shard].keys.key(row).rsplit_once(' ').map(|(word, _)| word)
        })
    }

    #[test]
    fn words_are_in_alphabetical_order_whatever_they_begin_with() {
        let all =
            ["wort", "wo", "wortlaut 12", "wortlaut 11", "wo\u{0}", "wortlautes", "wö", "wortlaut"];
        for from in 0..all.len() {
            let rows: Vec<(&str, f64)> = all[from..].iter().map(|word| (*word, 1.0)).collect();
            let scans = [scan(&rows), scan(&rows[..1])];
            let words = words(&scans);
            let mut expected = all[from..].to_vec();
            expected.sort_unstable();
            assert_eq!(words.words.iter().map(|(word, _)| *word).collect::<Vec<_>>(), expected);
            let of_first = words.words.iter().position(|(word, _)| *word == rows[0].0);
            let drawings = words.word(of_first.expect("a word")).1;
            assert_eq!(drawings, [(0, 0, 1.0), (1, 0, 1.0)]);
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
            let words = words(&scans);
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
        let once = words(&once).ranking(5).expect("words");
        assert_eq!((once.outcome.explained, once.up.len()), (None, 2));
        let flat = [scan(&[("a", 1.0), ("a", 1.0)])];
        let flat = words(&flat).ranking(5).expect("words");
        assert_eq!((flat.outcome.explained, flat.outcome.sd), (None, 0.0));
        assert!(words(&[]).ranking(5).is_none());
    }
}
