//! Measures `quiz`: a unit's activations over a data set, by a stored scan, in; trials with the pictures that they show out.

use std::collections::BTreeSet;

use neuronotes_core::kind::quiz::{Outcome, Params, QUIZ, Quiz, Trial};

use super::category::Names;
use super::inline::source;
use super::target::Target;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::monitor::Progress;
use crate::table::nothing_read;
use crate::workbench::Workbench;

/// Longest side of a picture, in pixels.
const SIDE: u32 = 112;
/// A PNG of more bytes becomes a JPEG.
const LARGEST_PNG: usize = 8 << 10;

/// A row of a shard.
type Place = (usize, usize);

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let scans = Target::of(bench, &params.layer, about, params.pool)?.scans(bench)?;
    let names = Names::of(&scans);
    let places = scans.iter().enumerate().flat_map(|(shard, scan)| {
        let rows = scan.activations.iter().enumerate();
        rows.map(move |(row, activation)| (*activation, (shard, row)))
    });
    let mut all: Vec<(f64, Place)> = places.collect();
    if all.is_empty() {
        return Err(nothing_read(bench));
    }
    // Of equal activations, by lot.
    all.sort_by_cached_key(|(_, place)| names.lot(*place, params.seed, "rank"));
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let drawn = Drawn::of(&all, &params, |place, what| names.lot(place, params.seed, what).hex())?;
    let sources = sources(bench, &names, &drawn.images)?;
    let quiz = Quiz::new(sources, drawn.trials, &drawn.right);
    let cannot = |why| Failure::new(format!("the quiz cannot be written ({why})"));
    let bytes = serde_json::to_vec(&quiz).map_err(cannot)?;
    bench.record.add_output(bench.store(), QUIZ, "application/json", &bytes)?;
    bench.record.set_result(bench.store(), &drawn.outcome)?;
    Ok(())
}

/// What is drawn by lot.
struct Drawn {
    /// The pictures, each once.
    images: Vec<Place>,
    trials: Vec<Trial>,
    /// Of each trial, whether the right-hand picture is the stronger one.
    right: Vec<bool>,
    outcome: Outcome,
}

/// The pictures of one side.
struct Side {
    /// For each trial the references, the most extreme first.
    references: Vec<Vec<Place>>,
    /// For each trial the picture to choose.
    queries: Vec<Place>,
    /// Number of different references.
    pool: usize,
    /// Least and greatest activation of the references, and of the queries.
    ranges: [(f64, f64); 2],
}

impl Drawn {
    /// Draws trials from images in falling order of their activations. `lot` is a pseudo-random text of an image for a purpose.
    ///
    /// # Errors
    /// If there are too few images for a trial, or their activations are equal.
    fn of(
        all: &[(f64, Place)],
        params: &Params,
        lot: impl Fn(Place, &str) -> String,
    ) -> Result<Self, Failure> {
        let references = params.references as usize;
        let half = all.len() / 2;
        if half <= references {
            let why = format!(
                "a trial needs {} images, and the data set has {}",
                2 * (references + 1),
                all.len()
            );
            return Err(Failure::new(why).hint("lower `references`, or use a larger data set"));
        }
        // Where both ends meet in equal activations, neither picture is right.
        let differ = |size: &usize| all[size - 1].0 > all[all.len() - size].0;
        let trials = params.trials as usize;
        let share = (params.extreme * all.len() as f64).ceil() as usize;
        let wanted = share.clamp(trials + references, trials * (references + 1)).min(half);
        let Some(size) = (references + 1..=wanted).rev().find(differ) else {
            let why = format!(
                "the {} strongest images and as many of the weakest have the same activation, {}",
                references + 1,
                all[0].0
            );
            return Err(Failure::new(why).hint("such a unit has nothing to be asked about"));
        };
        let count = trials.min(size - references);
        let weakest: Vec<(f64, Place)> = all.iter().rev().take(size).copied().collect();
        let shape = (count, references);
        let strong = Side::of(&all[..size], shape, |place| lot(place, "strong"));
        let weak = Side::of(&weakest, shape, |place| lot(place, "weak"));

        let shown = [&strong, &weak]
            .into_iter()
            .flat_map(|side| side.references.iter().flatten().chain(&side.queries));
        let shown: BTreeSet<Place> = shown.copied().collect();
        let mut images: Vec<Place> = shown.into_iter().collect();
        images.sort_by_cached_key(|place| lot(*place, "shown"));
        let at = |place: &Place| {
            let found = images.iter().position(|known| known == place);
            found.unwrap_or_default() as u32
        };
        // Each with what its order is by, and the side by lot.
        let mut ordered: Vec<(String, Trial, bool)> = Vec::new();
        let mut add = |trial: usize, queries: [Place; 2], catch: Option<usize>| {
            let [first, second] = queries;
            let what = catch.map_or_else(|| "trial".to_owned(), |catch| format!("catch {catch}"));
            let by = lot(strong.queries[trial], &format!("{what} order"));
            // The first digit of a hexadecimal digest.
            let side = lot(strong.queries[trial], &format!("{what} side"));
            let is_right = side.starts_with(|digit| "01234567".contains(digit));
            let of = |side: &Side| side.references[trial].iter().map(at).collect();
            let pair = if is_right { [at(&second), at(&first)] } else { [at(&first), at(&second)] };
            let (strongest, weakest) = (of(&strong), of(&weak));
            ordered.push((
                by,
                Trial { strongest, weakest, pair, catch: catch.is_some() },
                is_right,
            ));
        };
        for trial in 0..count {
            add(trial, [strong.queries[trial], weak.queries[trial]], None);
        }
        for catch in 0..params.catch as usize {
            // Different trials, and different references of them, as long as there are any.
            let (trial, reference) = (catch % count, (catch * 4 + 1) % references);
            let queries = [&strong, &weak].map(|side| side.references[trial][reference]);
            add(trial, queries, Some(catch));
        }
        ordered.sort_by(|a, b| a.0.cmp(&b.0));
        let (mut trials, mut right) = (vec![], vec![]);
        for (_, trial, is_right) in ordered {
            trials.push(trial);
            right.push(is_right);
        }
        let outcome = Outcome {
            count: all.len() as u64,
            trials: count as u64,
            catches: params.catch.into(),
            pool: strong.pool as u64,
            strongest: strong.ranges[0],
            strongest_queries: strong.ranges[1],
            weakest: weak.ranges[0],
            weakest_queries: weak.ranges[1],
        };
        Ok(Self { images, trials, right, outcome })
    }
}

impl Side {
    /// Divides images, the most extreme first: as many parts as there are trials, of each of which a picture by lot is a query. The
    /// others are the references, in a bucket for each that a trial shows; a trial takes one of every bucket, and a bucket that is
    /// used up is begun again.
    fn of(
        extreme: &[(f64, Place)],
        (trials, references): (usize, usize),
        lot: impl Fn(Place) -> String,
    ) -> Self {
        let part = |at: usize, parts: usize, all: usize| at * all / parts..(at + 1) * all / parts;
        let first =
            |places: &[(f64, Place)]| places.iter().copied().min_by_key(|(_, place)| lot(*place));
        let queries = (0..trials).filter_map(|at| first(&extreme[part(at, trials, extreme.len())]));
        let mut queries: Vec<(f64, Place)> = queries.collect();
        let held: BTreeSet<Place> = queries.iter().map(|(_, place)| *place).collect();
        let others = extreme.iter().filter(|(_, place)| !held.contains(place));
        let others: Vec<(f64, Place)> = others.copied().collect();
        let mut of = vec![Vec::new(); trials];
        for bucket in (0..references).map(|at| &others[part(at, references, others.len())]) {
            let mut places: Vec<Place> = bucket.iter().map(|(_, place)| *place).collect();
            places.sort_by_cached_key(|place| lot(*place));
            of.iter_mut().zip(places.iter().cycle()).for_each(|(trial, place)| trial.push(*place));
        }
        let range = |part: &[(f64, Place)]| {
            let all = || part.iter().map(|(activation, _)| *activation);
            (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
        };
        let ranges = [range(&others), range(&queries)];
        // Otherwise the first trial would have the most extreme one.
        queries.sort_by_cached_key(|(_, place)| lot(*place));
        let queries = queries.into_iter().map(|(_, place)| place).collect();
        Self { references: of, queries, pool: others.len(), ranges }
    }
}

/// The pictures as data URIs.
fn sources(
    bench: &mut Workbench<'_>,
    names: &Names,
    places: &[Place],
) -> Result<Vec<String>, Failure> {
    let mut gallery = Gallery::default();
    let mut sources = Vec::new();
    for (step, place) in places.iter().enumerate() {
        bench.monitor.check()?;
        let (stage, step, total) = ("making the quiz", step as u64, places.len() as u64);
        bench.monitor.progress(&Progress { stage, step, total, unit: "image", picture: None });
        let key = names.key(*place);
        let [(shard, row)] = gallery.find(bench, &[(place.0, key)])?[..] else {
            return Err(Failure::new(format!("`{key}` is not in the data set")));
        };
        let cannot = |why: String| Failure::new(format!("`{key}` cannot be shown ({why})"));
        sources.push(source(shard.picture(row).map_err(cannot)?, SIDE, LARGEST_PNG)?);
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use neuronotes_core::digest::Digest;
    use serde_json::json;

    use super::*;

    fn params(trials: u32, references: u32, catch: u32, seed: u64) -> Params {
        serde_json::from_value(json!({
            "layer": "visual.layer4.0", "unit": 1, "trials": trials, "references": references, "catch": catch,
            "extreme": 0.05, "seed": seed, "pool": "mean",
        }))
        .expect("parameters")
    }

    fn drawn(images: usize, params: &Params) -> Result<Drawn, String> {
        let all: Vec<(f64, Place)> = (0..images).map(|at| (-(at as f64), (0, at))).collect();
        let seed = params.seed;
        let lot = |place: Place, what: &str| {
            Digest::of(format!("{seed} {what} {}", place.1).as_bytes()).hex()
        };
        Drawn::of(&all, params, lot).map_err(|failure| failure.to_string())
    }

    /// Checks a quiz over so many images, of which `pool` are on either side and `shown` in all.
    fn check(images: usize, pool: usize, shown: usize) {
        let drawn = drawn(images, &params(20, 9, 3, 0)).expect("a quiz");
        let Drawn { images: pictures, trials, right, outcome } = drawn;
        assert_eq!((trials.len(), pictures.len(), outcome.trials), (23, shown, 20));
        let row = |at: &u32| pictures[*at as usize].1;
        let (mut queries, mut references) = (vec![], BTreeSet::new());
        for (trial, is_right) in trials.iter().zip(&right) {
            let [left, other] = trial.pair.map(|at| row(&at));
            let (strong, weak) = if *is_right { (other, left) } else { (left, other) };
            let [strongest, weakest] = [&trial.strongest, &trial.weakest]
                .map(|side| side.iter().map(row).collect::<Vec<usize>>());
            assert!(strongest.is_sorted() && weakest.iter().rev().is_sorted(), "by activation");
            assert!(strongest.windows(2).all(|two| two[0] < two[1]), "each once");
            assert!(strongest.iter().all(|row| *row < pool));
            assert!(weakest.iter().all(|row| *row >= images - pool));
            assert_eq!(strongest.contains(&strong), trial.catch);
            assert_eq!(weakest.contains(&weak), trial.catch);
            assert!(strong < pool && weak >= images - pool);
            references.extend(strongest.into_iter().chain(weakest));
            if !trial.catch {
                queries.extend([strong, weak]);
            }
        }
        let held: BTreeSet<usize> = queries.iter().copied().collect();
        assert_eq!((queries.len(), held.len()), (40, 40), "each is a query once");
        assert!(held.is_disjoint(&references));
        // One from each part of the side.
        let strong: Vec<usize> = held.iter().copied().filter(|row| *row < pool).collect();
        for (at, row) in strong.iter().enumerate() {
            assert!((at * pool / 20..(at + 1) * pool / 20).contains(row), "{at} {row}");
        }
        assert_eq!(trials.iter().filter(|trial| trial.catch).count(), 3);
        let rights = right.iter().filter(|right| **right).count();
        assert!((5..=18).contains(&rights), "{rights} of 23 are on the right");
        assert_eq!(outcome.pool as usize, pool - 20);
    }

    #[test]
    fn queries_are_held_out_and_references_recur_only_where_there_are_few() {
        // One in twenty of so many is enough for ten pictures a trial, each shown once; of fewer, references recur.
        check(4_000, 200, 400);
        check(50_000, 200, 400);
        check(1_494, 75, 150);
        check(100, 29, 58);
    }

    #[test]
    fn few_images_give_few_trials_and_equal_ones_none() {
        assert_eq!(drawn(30, &params(20, 9, 3, 0)).expect("a quiz").outcome.trials, 6);
        assert_eq!(drawn(20, &params(20, 9, 0, 0)).expect("a quiz").trials.len(), 1);
        let few = drawn(19, &params(20, 9, 3, 0)).err().expect("too few");
        assert!(few.contains("needs 20 images, and the data set has 19"), "{few}");
        assert_eq!(drawn(4, &params(20, 1, 2, 0)).expect("a quiz").trials.len(), 3);
        let of = |numbers: &[f64]| {
            let all: Vec<(f64, Place)> =
                numbers.iter().enumerate().map(|(at, x)| (*x, (0, at))).collect();
            Drawn::of(&all, &params(20, 1, 0, 0), |place, what| format!("{what} {}", place.1))
                .map(|drawn| drawn.outcome.trials)
        };
        // Beyond the third pair of ends they are equal.
        assert_eq!(of(&[5.0, 4.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]), Ok(2));
        assert_eq!(of(&[5.0, 4.0, 3.0, 2.0, 0.0, 0.0, 0.0, 0.0]), Ok(3));
        assert!(of(&[1.0; 8]).expect_err("equal").to_string().contains("the same activation, 1"));
    }

    #[test]
    fn a_quiz_is_that_of_its_seed() {
        let sides = |seed| drawn(200, &params(10, 3, 1, seed)).expect("a quiz");
        let (a, b) = (sides(1), sides(1));
        assert_eq!((a.trials, a.right, a.images), (b.trials, b.right, b.images));
        assert_ne!(sides(1).right, sides(2).right);
    }
}
