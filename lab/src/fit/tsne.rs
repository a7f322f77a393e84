//! t-SNE: each thing's nearest neighbours with their distances, and places to start from, in; places on a plane out.
//!
//! The optimiser is bhtsne's: gradient descent with momentum and gains, repulsion approximated by a tree (Barnes and Hut).
//! It has no random step, since neighbours and start are given; and it runs in a pool of one thread, since rayon adds up
//! numbers in another order with each run otherwise. bhtsne's own divergence weighs terms wrongly (0.7.13), so it is computed
//! here.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use bhtsne::{Neighbor, SparseAffinities, tSNE};
use rayon::ThreadPoolBuilder;

use crate::failure::Failure;

/// Accuracy of the approximation by a tree, the usual one.
const THETA: f64 = 0.5;
/// Standard deviation of the start along its first axis; far smaller than any result.
const START: f64 = 1e-4;
/// The last part of the steps, by whose effect one sees whether the places have settled.
const TAIL: usize = 20;

/// A map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    /// The place of each thing.
    pub places: Vec<[f64; 2]>,
    /// The Kullback–Leibler divergence of the places' neighbourhoods from the things'.
    pub divergence: f64,
    /// The relative decrease of the divergence in the last twentieth of the steps.
    pub settled: f64,
}

/// What is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Things<'a> {
    /// The nearest neighbours of each with their distances, the nearest first; all as many, about three times the perplexity.
    pub neighbours: &'a [Vec<(usize, f64)>],
    /// Where each starts, in any scale.
    pub start: &'a [[f64; 2]],
    /// The effective number of neighbours.
    pub perplexity: f64,
    /// The number of steps, more than 250: up to there attraction is exaggerated.
    pub steps: usize,
}

/// Thrown through the optimiser, which has no other way to be stopped.
struct Stopped;

/// The places after the last step. `watch` is told how many steps are done.
///
/// # Errors
/// If `watch` fails, or the places are not finite.
pub(crate) fn layout(
    things: Things<'_>,
    mut watch: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Layout, Failure> {
    let stop = AtomicBool::new(false);
    let broken = |error: rayon::ThreadPoolBuildError| {
        Failure::outside(format!("no thread can be started ({error})"))
    };
    let pool = ThreadPoolBuilder::new().num_threads(1).build().map_err(broken)?;
    let mut given_up = None;
    let found = thread::scope(|scope| {
        let (send, receive) = channel();
        let stop = &stop;
        let fit = scope.spawn(move || pool.install(|| fit(things, stop, send)));
        for step in receive {
            if let Err(failure) = watch(step) {
                stop.store(true, Ordering::Relaxed);
                given_up = Some(failure);
                break;
            }
        }
        fit.join()
    });
    match (given_up, found) {
        (Some(failure), _) => Err(failure),
        (None, Ok(found)) => found,
        (None, Err(panic)) => Err(Failure::of_panic(&*panic)),
    }
}

fn fit(things: Things<'_>, stop: &AtomicBool, send: Sender<usize>) -> Result<Layout, Failure> {
    let count = things.start.len();
    // Only their number matters, since the neighbours are given.
    let (data, before) = (vec![(); count], RefCell::new(Vec::new()));
    let late = things.steps - things.steps / TAIL;
    let mut map: tSNE<'_, f64, ()> = tSNE::new(&data);
    let step = |step: usize, places: &[f64]| {
        if stop.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Stopped));
        }
        if step + 1 == late {
            *before.borrow_mut() = places.to_vec();
        }
        // Whoever watches has stopped listening only after it has set `stop`.
        let _ = send.send(step + 1);
    };
    let neighbour = |&(index, distance): &(usize, f64)| Neighbor { index, distance };
    let neighbours: Vec<Vec<Neighbor<f64>>> =
        things.neighbours.iter().map(|some| some.iter().map(neighbour).collect()).collect();
    map.perplexity(things.perplexity)
        .epochs(things.steps)
        .initial_embedding(start(things.start))
        .epoch_callback(step)
        .barnes_hut_with_neighbors(THETA, &neighbours);
    let affinities = map.affinities().ok_or_else(|| Failure::new("t-SNE has no result"))?;
    let places = map.embedding();
    drop(map);
    if places.iter().any(|x| !x.is_finite()) {
        return Err(Failure::new("t-SNE diverged: the places are not finite")
            .hint("use another `perplexity`, or `method: pca`"));
    }
    let divergence = divergence(&affinities, &places);
    let earlier = self::divergence(&affinities, &before.into_inner());
    let settled = if earlier > 0.0 { (earlier - divergence) / earlier } else { 0.0 };
    let places = places.chunks_exact(2).map(|place| [place[0], place[1]]).collect();
    Ok(Layout { places, divergence, settled })
}

/// The start, row by row, scaled to [`START`].
fn start(places: &[[f64; 2]]) -> Vec<f64> {
    let square = places.iter().map(|place| place[0].powi(2)).sum::<f64>();
    let sd = (square / places.len().max(1) as f64).sqrt();
    let scale = if sd > 0.0 { START / sd } else { 1.0 };
    places.iter().flatten().map(|x| x * scale).collect()
}

/// `Σ p log(p / q)` over pairs, with the exact q of Student's distribution.
fn divergence(affinities: &SparseAffinities<f64>, places: &[f64]) -> f64 {
    let count = affinities.rows().len().saturating_sub(1);
    if places.len() != 2 * count {
        return 0.0;
    }
    let closeness = |a: usize, b: usize| {
        let [x, y] = [0, 1].map(|axis| places[2 * a + axis] - places[2 * b + axis]);
        1.0 / (1.0 + x * x + y * y)
    };
    let all: f64 =
        (0..count).map(|a| (a + 1..count).map(|b| closeness(a, b)).sum::<f64>() * 2.0).sum();
    let of_row = |a: usize| {
        let range = affinities.rows()[a]..affinities.rows()[a + 1];
        range
            .map(|at| {
                let p = affinities.values()[at];
                let q = closeness(a, affinities.columns()[at] as usize) / all;
                if p > 0.0 { p * (p / q).ln() } else { 0.0 }
            })
            .sum::<f64>()
    };
    (0..count).map(of_row).sum()
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::fit::column::nearest;

    /// Points around three corners of a cube, and each one's corner.
    fn corners(each: usize) -> (Vec<[f64; 3]>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]];
        let of = |at: usize| corners[at % 3].map(|x| x + rng.random_range(-0.2..0.2));
        let points = (0..3 * each).map(of).collect();
        (points, (0..3 * each).map(|at| at % 3).collect())
    }

    fn laid_out(points: &[[f64; 3]], steps: usize) -> Result<Layout, Failure> {
        let apart = |a: usize, b: usize| {
            (0..3).map(|i| (points[a][i] - points[b][i]).powi(2)).sum::<f64>().sqrt()
        };
        let neighbours: Vec<Vec<(usize, f64)>> = nearest(points.len(), 15, apart)
            .into_iter()
            .enumerate()
            .map(|(own, some)| some.into_iter().map(|other| (other, apart(own, other))).collect())
            .collect();
        let start: Vec<[f64; 2]> = points.iter().map(|point| [point[0], point[1]]).collect();
        let things = Things { neighbours: &neighbours, start: &start, perplexity: 5.0, steps };
        layout(things, |_| Ok(()))
    }

    #[test]
    fn planted_groups_stay_together_and_every_run_gives_the_same_places() {
        let (points, corner) = corners(20);
        let found = laid_out(&points, 500).expect("a map");
        let places = &found.places;
        let apart =
            |a: usize, b: usize| (places[a][0] - places[b][0]).hypot(places[a][1] - places[b][1]);
        let near = nearest(points.len(), 5, apart);
        let same =
            near.iter().enumerate().flat_map(|(own, some)| some.iter().map(move |o| (own, *o)));
        let same = same.filter(|(a, b)| corner[*a] == corner[*b]).count();
        assert!(same >= 5 * points.len() * 98 / 100, "{same} of {}", 5 * points.len());
        assert!(found.divergence > 0.0 && found.divergence < 1.5, "{}", found.divergence);
        assert!(found.settled.abs() < 0.05, "{}", found.settled);
        assert_eq!(found, laid_out(&points, 500).expect("a map"));
    }

    #[test]
    fn whoever_watches_can_stop_it() {
        let (points, _) = corners(8);
        let start: Vec<[f64; 2]> = points.iter().map(|point| [point[0], point[1]]).collect();
        let neighbours: Vec<Vec<(usize, f64)>> = (0..points.len())
            .map(|own| (1..7).map(|by| ((own + by) % points.len(), by as f64)).collect())
            .collect();
        let things =
            Things { neighbours: &neighbours, start: &start, perplexity: 2.0, steps: 9000 };
        let mut seen = 0;
        let stopped = layout(things, |step| {
            seen = step;
            if step < 3 { Ok(()) } else { Err(Failure::Cancelled) }
        });
        assert_eq!((stopped, seen), (Err(Failure::Cancelled), 3));
    }
}
