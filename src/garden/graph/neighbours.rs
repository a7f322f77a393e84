//! The nodes of a graph: their neighbours, and points for them in the plane.

use std::cmp::Reverse;

/// A point or vector in the plane.
pub(super) type Point = [f32; 2];

/// Neighbours of all nodes, in one list.
pub(super) struct Neighbours {
    pub(super) starts: Vec<usize>,
    pub(super) all: Vec<usize>,
}

impl Neighbours {
    /// Each pair counts once in each direction; links to oneself are ignored.
    pub(super) fn of(count: usize, links: &[(usize, usize)]) -> Self {
        let fits = |&&(a, b): &&(usize, usize)| a != b && a < count && b < count;
        let mut pairs: Vec<(usize, usize)> =
            links.iter().filter(fits).flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0; count + 1];
        for (a, _) in &pairs {
            starts[a + 1] += 1;
        }
        for node in 0..count {
            starts[node + 1] += starts[node];
        }
        Self { starts, all: pairs.into_iter().map(|(_, b)| b).collect() }
    }

    pub(super) fn of_node(&self, node: usize) -> &[usize] {
        &self.all[self.starts[node]..self.starts[node + 1]]
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The connected components with at least two nodes, largest first, and the nodes without links.
    pub(super) fn parts(&self) -> (Vec<Vec<usize>>, Vec<usize>) {
        let mut seen = vec![false; self.count()];
        let (mut parts, mut alone) = (Vec::new(), Vec::new());
        for node in 0..self.count() {
            if self.of_node(node).is_empty() {
                alone.push(node);
            } else if !seen[node] {
                seen[node] = true;
                let mut part = vec![node];
                let mut next = 0;
                while let Some(from) = part.get(next).copied() {
                    next += 1;
                    for to in self.of_node(from) {
                        if !std::mem::replace(&mut seen[*to], true) {
                            part.push(*to);
                        }
                    }
                }
                parts.push(part);
            }
        }
        parts.sort_by_key(|part| Reverse(part.len()));
        (parts, alone)
    }

    /// The neighbours within a component, numbered in its order.
    pub(super) fn within(&self, part: &[usize], numbers: &mut [usize]) -> Self {
        for (number, node) in part.iter().enumerate() {
            numbers[*node] = number;
        }
        let mut within = Self { starts: vec![0], all: Vec::new() };
        for node in part {
            within.all.extend(self.of_node(*node).iter().map(|to| numbers[*to]));
            within.starts.push(within.all.len());
        }
        within
    }
}

pub(super) fn bounds(points: &[Point]) -> (Point, Point) {
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for point in points {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    (low, high)
}
