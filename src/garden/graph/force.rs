//! Refines the layout of a connected graph with forces, so that links are about 1 long and nodes keep apart.
//!
//! Links pull like springs, less strongly at nodes with many; nodes repel each other with the inverse of their
//! distance. Near nodes repel individually; far nodes repel as a group, by the cell of a grid whose offset differs in
//! each round.

use super::neighbours::{Neighbours, Point, bounds};

/// Strength of repulsion.
const PUSH: f32 = 0.09;
/// Strength of the pull to the centre.
const GRAVITY: f32 = 0.02;
/// Part of a step that carries over to the next.
const DRAG: f32 = 0.6;
/// Nodes in a cell beyond this number repel as a group.
const CROWD: usize = 12;
/// Maximum number of cells across.
const CELLS: usize = 40;

/// Moves the nodes of a connected graph towards equilibrium, within a bounded time.
pub(super) fn settle(neighbours: &Neighbours, points: &mut [Point]) {
    let count = points.len();
    let rounds = (60_000 / count.max(1)).clamp(28, 250).min(20 + 10 * count);
    let mut steps = vec![[0.0_f32; 2]; count];
    let farthest = 2.0 + 0.1 * (count as f32).sqrt();
    for round in 0..rounds {
        let left = 1.0 - round as f32 / rounds as f32;
        let heat = left * left;
        pull(neighbours, points, &mut steps, heat);
        push(points, &mut steps, heat, round);
        for (point, step) in points.iter_mut().zip(&mut steps) {
            for axis in 0..2 {
                step[axis] = (step[axis] - point[axis] * GRAVITY * heat) * DRAG;
                point[axis] += step[axis].clamp(-farthest, farthest);
            }
        }
    }
}

fn pull(neighbours: &Neighbours, points: &[Point], steps: &mut [Point], heat: f32) {
    for node in 0..points.len() {
        let own = neighbours.of_node(node).len() as f32;
        for to in neighbours.of_node(node).iter().filter(|to| **to > node) {
            let other = neighbours.of_node(*to).len() as f32;
            let [x, y] = [points[*to][0] - points[node][0], points[*to][1] - points[node][1]];
            let length = (x * x + y * y).sqrt().max(1e-3);
            let strength = (length - 1.0) / length * heat / own.min(other);
            // Of two, the one with fewer links moves more.
            let share = own / (own + other);
            for (axis, by) in [x * strength, y * strength].into_iter().enumerate() {
                steps[*to][axis] -= by * share;
                steps[node][axis] += by * (1.0 - share);
            }
        }
    }
}

/// A cell of the grid.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// Range of its nodes in the list.
    start: usize,
    count: usize,
    /// Their centre.
    middle: Point,
}

fn push(points: &[Point], steps: &mut [Point], heat: f32, round: usize) {
    let (low, high) = bounds(points);
    let across = ((points.len() as f32 / 6.0).sqrt().ceil() as usize).clamp(1, CELLS);
    let size = ((high[0] - low[0]).max(high[1] - low[1]) / across as f32).max(1e-3);
    let side = across + 2;
    // The golden ratio's steps cover the cell evenly.
    let shift = [0.618, 0.382].map(|step| (round as f32 * step).fract());
    let at = |point: &Point| {
        let axis = |a: usize| (((point[a] - low[a]) / size + shift[a]) as usize).min(side - 1);
        axis(1) * side + axis(0)
    };
    let mut cells = vec![Cell::default(); side * side];
    for point in points {
        let cell = &mut cells[at(point)];
        cell.count += 1;
        cell.middle = [cell.middle[0] + point[0], cell.middle[1] + point[1]];
    }
    let mut start = 0;
    for cell in &mut cells {
        cell.middle = cell.middle.map(|sum| sum / cell.count.max(1) as f32);
        cell.start = start;
        start += cell.count;
        cell.count = 0;
    }
    let mut listed = vec![0; points.len()];
    for (node, point) in points.iter().enumerate() {
        let cell = &mut cells[at(point)];
        listed[cell.start + cell.count] = node;
        cell.count += 1;
    }
    let full: Vec<usize> = (0..cells.len()).filter(|cell| cells[*cell].count > 0).collect();
    for own in &full {
        let cell = cells[*own];
        let (row, column) = (own / side, own % side);
        let (near, far): (Vec<usize>, Vec<usize>) = full.iter().partition(|other| {
            row.abs_diff(*other / side) < 2 && column.abs_diff(*other % side) < 2
        });
        let mut field = [0.0; 2];
        for other in far.iter().map(|other| &cells[*other]) {
            away(&mut field, cell.middle, other.middle, other.count as f32);
        }
        for node in &listed[cell.start..cell.start + cell.count] {
            let mut force = field;
            for other in near.iter().map(|other| &cells[*other]) {
                let seen = other.count.min(CROWD);
                let weight = other.count as f32 / seen as f32;
                // Another part of a crowd each time, spread through it.
                let stride = other.count / seen;
                let from = other.start + round % stride.max(1);
                for index in 0..seen {
                    let neighbour = listed[from + index * stride];
                    if neighbour != *node {
                        away(&mut force, points[*node], points[neighbour], weight);
                    }
                }
            }
            for axis in 0..2 {
                steps[*node][axis] += force[axis] * PUSH * heat;
            }
        }
    }
}

fn away(force: &mut Point, from: Point, other: Point, weight: f32) {
    let [x, y] = [from[0] - other[0], from[1] - other[1]];
    let by = weight / (x * x + y * y).max(0.01);
    force[0] += x * by;
    force[1] += y * by;
}
