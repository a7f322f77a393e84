//! Lays out the notes and their links as a graph and draws it, so that no script has to.
//!
//! The layout of a graph is the same on every machine: it uses no random numbers, and only arithmetic that is exact
//! everywhere.

mod force;
mod local;
mod neighbours;
mod pivot;

use std::collections::HashSet;

pub use local::{Neighbour, local_svg};
use neighbours::{Neighbours, Point, bounds};

/// Maximum of both coordinates.
const SIDE: f32 = 10_000.0;
/// Spacing between connected components and between notes without links; a link is about 1 long.
const MARGIN: f32 = 1.2;

/// A position for each of `count` nodes, from 0 to 10,000 in both directions, no two the same. Pairs in `links` may
/// be in either order and repeated.
///
/// Connected components are laid out by Pivot MDS (Brandes and Pich, "Eigensolver Methods for Progressive
/// Multidimensional Scaling of Large Data", Graph Drawing 2006) for the large shape, then by springs and repulsion
/// for the small one, and packed side by side. Nodes without links are in rows below.
pub fn layout(count: usize, links: &[(usize, usize)]) -> Vec<(u16, u16)> {
    let neighbours = Neighbours::of(count, links);
    let (parts, alone) = neighbours.parts();
    let mut numbers = vec![0; count];
    let mut places = vec![[0.0; 2]; count];
    let mut boxes = Vec::with_capacity(parts.len());
    for part in &parts {
        let within = neighbours.within(part, &mut numbers);
        let mut points = pivot::scaled(&within);
        force::settle(&within, &mut points);
        let (low, high) = bounds(&points);
        boxes.push([high[0] - low[0] + 2.0 * MARGIN, high[1] - low[1] + 2.0 * MARGIN]);
        for (node, point) in part.iter().zip(points) {
            places[*node] = [point[0] - low[0] + MARGIN, point[1] - low[1] + MARGIN];
        }
    }
    let (corners, [width, height]) = packed(&boxes);
    for (part, corner) in parts.iter().zip(corners) {
        for node in part {
            places[*node] = [places[*node][0] + corner[0], places[*node][1] + corner[1]];
        }
    }
    let across = (width / MARGIN).max((alone.len() as f32 * 1.5).sqrt()).ceil().max(1.0) as usize;
    let rows = alone.len().div_ceil(across).max(1);
    // All rows have the same length and the width of the part above.
    let in_row = alone.len().div_ceil(rows).max(1);
    let step = (width / in_row as f32).max(MARGIN);
    for (number, node) in alone.iter().enumerate() {
        let (row, column) = (number / in_row, number % in_row);
        places[*node] = [(column as f32 + 0.5) * step, height + (row as f32 + 0.5) * MARGIN];
    }
    rounded(&places)
}

/// The upper left corners of boxes, the largest first, and the size of all together. Boxes are packed into columns of
/// shelves, each as high as the first box on it.
fn packed(boxes: &[Point]) -> (Vec<Point>, Point) {
    let area: f32 = boxes.iter().map(|[width, height]| width * height).sum();
    let widest = boxes.iter().map(|b| b[0]).fold((1.25 * area).sqrt(), f32::max);
    let (mut corners, mut all) = (Vec::with_capacity(boxes.len()), [0.0; 2]);
    let (mut shelf, mut shelf_height) = (0.0, 0.0);
    let (mut column, mut column_width, mut filled) = (0.0, 0.0, 0.0);
    for [width, height] in boxes.iter().copied() {
        let under = filled + height <= shelf_height && column + width <= widest;
        if !under {
            column += column_width;
            (column_width, filled) = (0.0, 0.0);
            if column + width > widest || height > shelf_height {
                shelf += shelf_height;
                (column, shelf_height) = (0.0, height);
            }
        }
        corners.push([column, shelf + filled]);
        filled += height;
        column_width = f32::max(column_width, width);
        all = [f32::max(all[0], column + width), f32::max(all[1], shelf + shelf_height)];
    }
    (corners, all)
}

/// Scales positions to the square and rounds them to distinct integers.
fn rounded(places: &[Point]) -> Vec<(u16, u16)> {
    let (low, high) = bounds(places);
    let extent = (high[0] - low[0]).max(high[1] - low[1]);
    let scale = if extent > 0.0 { 0.96 * SIDE / extent } else { 0.0 };
    let middle = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
    let mut taken = HashSet::with_capacity(places.len());
    let fitted = |point: &Point, axis: usize| {
        ((point[axis] - middle[axis]) * scale + SIDE / 2.0).round().clamp(0.0, SIDE) as i32
    };
    let mut free = |x: i32, y: i32| {
        // Squares around the place, each larger than the one before.
        for reach in 0_i32.. {
            for dy in -reach..=reach {
                let step = if dy.abs() == reach { 1 } else { (2 * reach).max(1) };
                for dx in (-reach..=reach).step_by(step as usize) {
                    let place = (x + dx, y + dy);
                    let inside = |at: i32| (0..=SIDE as i32).contains(&at);
                    if inside(place.0) && inside(place.1) && taken.insert(place) {
                        return (place.0 as u16, place.1 as u16);
                    }
                }
            }
        }
        (x as u16, y as u16)
    };
    places.iter().map(|point| free(fitted(point, 0), fitted(point, 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distance(a: (u16, u16), b: (u16, u16)) -> f64 {
        let (x, y) = (f64::from(a.0) - f64::from(b.0), f64::from(a.1) - f64::from(b.1));
        x.hypot(y)
    }

    #[test]
    fn few_nodes_have_places_too() {
        assert!(layout(0, &[]).is_empty());
        assert_eq!(layout(1, &[]), [(5000, 5000)]);
        let pair = layout(2, &[(0, 1), (1, 0), (1, 1)]);
        assert!(distance(pair[0], pair[1]) > 1000.0, "{pair:?}");
        let five = layout(5, &[]);
        assert!(five.iter().all(|a| five.iter().all(|b| a == b || distance(*a, *b) > 1000.0)));
    }

    #[test]
    fn a_chain_is_long_and_in_order() {
        let links: Vec<_> = (1..30).map(|n| (n - 1, n)).collect();
        let places = layout(30, &links);
        let ends = distance(places[0], places[29]);
        assert!((1..30).all(|n| distance(places[n - 1], places[n]) < ends / 5.0), "{places:?}");
    }

    #[test]
    fn what_is_linked_lies_together() {
        // Four groups in which all are linked, in a ring.
        let mut links = Vec::new();
        for group in 0..4 {
            let nodes = group * 10..group * 10 + 10;
            links.extend(nodes.clone().flat_map(|a| nodes.clone().map(move |b| (a, b))));
            links.push((group * 10, (group * 10 + 15) % 40));
        }
        let places = layout(40, &links);
        let mean = |same: bool| {
            let pairs = (0..40).flat_map(|a| (0..40).map(move |b| (a, b)));
            let of: Vec<f64> = pairs
                .filter(|(a, b)| a != b && (a / 10 == b / 10) == same)
                .map(|(a, b)| distance(places[a], places[b]))
                .collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        assert!(mean(true) * 2.5 < mean(false), "{} {}", mean(true), mean(false));
    }

    proptest! {
        #[test]
        fn no_two_nodes_are_at_one_place_and_nothing_changes(
            count in 1_usize..80,
            ends in prop::collection::vec((0_usize..80, 0_usize..80), 0..160),
        ) {
            let links: Vec<_> = ends.iter().map(|(a, b)| (a % count, b % count)).collect();
            let places = layout(count, &links);
            prop_assert_eq!(places.len(), count);
            prop_assert!(places.iter().all(|(x, y)| *x <= 10_000 && *y <= 10_000));
            let different: HashSet<_> = places.iter().collect();
            prop_assert_eq!(different.len(), count);
            let turned: Vec<_> = links.iter().rev().map(|(a, b)| (*b, *a)).collect();
            prop_assert_eq!(layout(count, &turned), places);
        }
    }
}
