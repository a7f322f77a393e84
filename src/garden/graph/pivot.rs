//! Lays out a connected graph by Pivot MDS, so that distances resemble the lengths of paths.

use super::neighbours::{Neighbours, Point};

/// Number of pivots: nodes from which all distances are computed.
const PIVOTS: usize = 24;
/// Iterations of the power method.
const ROUNDS: usize = 40;

/// Positions of all nodes of a connected graph around the origin, scaled to give each of them space.
pub(super) fn scaled(neighbours: &Neighbours) -> Vec<Point> {
    let count = neighbours.count();
    let columns = centred(distances(neighbours));
    let mut axes: Vec<Vec<f32>> = Vec::new();
    for _ in 0..2 {
        let axis = strongest(&columns, &axes);
        axes.push(axis);
    }
    let mut points: Vec<Point> = (0..count)
        .map(|node| [0, 1].map(|a| columns.iter().zip(&axes[a]).map(|(c, v)| c[node] * v).sum()))
        .collect();
    let spread = points.iter().map(|[x, y]| x * x + y * y).sum::<f32>() / count as f32;
    let room = (count as f32).sqrt() * 0.6;
    let scale = if spread > 0.0 { room / spread.sqrt() } else { 0.0 };
    let mut seed = 1;
    for point in &mut points {
        let length = (point[0] * point[0] + point[1] * point[1]).sqrt() * scale;
        // A pivot can be far from all other nodes, which are then near each other; nodes with the same distances from
        // all pivots would coincide.
        let inwards = (2.0 * room / length.max(1e-6)).min(1.0);
        for at in point {
            *at = *at * scale * inwards + jitter(&mut seed) * (0.1 * room).max(0.5);
        }
    }
    points
}

/// Pseudo-random numbers from -0.5 to 0.5, always the same sequence (Marsaglia's xorshift, 2003).
fn jitter(seed: &mut u32) -> f32 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    (*seed >> 8) as f32 / (1 << 24) as f32 - 0.5
}

/// For each pivot, the squared distance of each node. Each pivot is the node farthest from the earlier ones.
fn distances(neighbours: &Neighbours) -> Vec<Vec<f32>> {
    let count = neighbours.count();
    let mut nearest = vec![u32::MAX; count];
    let mut columns = Vec::new();
    let mut queue = Vec::with_capacity(count);
    let mut pivot = 0;
    for _ in 0..PIVOTS.min(count) {
        let mut steps = vec![u32::MAX; count];
        steps[pivot] = 0;
        queue.clear();
        queue.push(pivot);
        let mut next = 0;
        while let Some(from) = queue.get(next).copied() {
            next += 1;
            for to in neighbours.of_node(from) {
                if steps[*to] == u32::MAX {
                    steps[*to] = steps[from] + 1;
                    queue.push(*to);
                }
            }
        }
        for (near, steps) in nearest.iter_mut().zip(&steps) {
            *near = (*near).min(*steps);
        }
        columns.push(steps.iter().map(|steps| (*steps as f32) * (*steps as f32)).collect());
        let farthest = nearest.iter().enumerate().max_by_key(|(node, near)| (**near, count - node));
        pivot = farthest.map_or(0, |(node, _)| node);
    }
    columns
}

/// Double centring, as in classical scaling.
fn centred(mut columns: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let count = columns.first().map_or(0, Vec::len);
    let of_row: Vec<f32> = (0..count)
        .map(|node| columns.iter().map(|c| c[node]).sum::<f32>() / columns.len() as f32)
        .collect();
    let all = of_row.iter().sum::<f32>() / count.max(1) as f32;
    for column in &mut columns {
        let own = column.iter().sum::<f32>() / count.max(1) as f32;
        for (value, row) in column.iter_mut().zip(&of_row) {
            *value = (own + row - all - *value) / 2.0;
        }
    }
    columns
}

/// The strongest right singular vector of the columns that is orthogonal to the earlier ones.
fn strongest(columns: &[Vec<f32>], before: &[Vec<f32>]) -> Vec<f32> {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let gram: Vec<Vec<f32>> =
        columns.iter().map(|a| columns.iter().map(|b| product(a, b)).collect()).collect();
    let mut vector: Vec<f32> = (0..columns.len()).map(|n| 1.0 + (n * 7 % 5) as f32).collect();
    for _ in 0..ROUNDS {
        let mut turned: Vec<f32> = gram.iter().map(|row| product(row, &vector)).collect();
        for axis in before {
            let along = product(axis, &turned);
            turned.iter_mut().zip(axis).for_each(|(value, axis)| *value -= along * axis);
        }
        let length = product(&turned, &turned).sqrt();
        if length <= f32::EPSILON {
            return vec![0.0; columns.len()];
        }
        vector = turned.into_iter().map(|value| value / length).collect();
    }
    vector
}
