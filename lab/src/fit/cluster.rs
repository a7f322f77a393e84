//! Hierarchical clustering: distances of things in, a group for each out.

use std::cmp::Reverse;

use kodama::{Method, linkage};

/// Divides `things` into `count` groups by Ward's criterion: two groups are merged if that increases the sum of squared distances
/// to the groups' means least. `apart` is the Euclidean distance of two things. Returns each thing's group; the largest
/// group is 0, and of groups of one size the one whose first thing comes first.
pub(crate) fn clusters(
    things: usize,
    count: usize,
    apart: impl Fn(usize, usize) -> f64,
) -> Vec<usize> {
    let mut distances: Vec<f64> = (0..things)
        .flat_map(|a| (a + 1..things).map(move |b| (a, b)))
        .map(|(a, b)| apart(a, b))
        .collect();
    let merged = linkage(&mut distances, things, Method::Ward);
    // The n-th merger makes the group with the number `things` + n.
    let kept = things.saturating_sub(count);
    let mut parent: Vec<usize> = (0..things + kept).collect();
    for (at, step) in merged.steps().iter().take(kept).enumerate() {
        parent[step.cluster1] = things + at;
        parent[step.cluster2] = things + at;
    }
    let root = |mut at: usize| {
        while parent[at] != at {
            at = parent[at];
        }
        at
    };
    let roots: Vec<usize> = (0..things).map(root).collect();
    let mut order: Vec<usize> = Vec::new();
    for root in &roots {
        if !order.contains(root) {
            order.push(*root);
        }
    }
    order.sort_by_key(|root| Reverse(roots.iter().filter(|other| *other == root).count()));
    let place = |root: &usize| order.iter().position(|other| other == root).unwrap_or_default();
    roots.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_on_a_line_are_divided_where_the_gaps_are() {
        let places: [f64; 7] = [0.0, 9.0, 0.1, 5.0, 9.1, 0.2, 5.1];
        let apart = |a: usize, b: usize| (places[a] - places[b]).abs();
        assert_eq!(clusters(7, 3, apart), [0, 1, 0, 2, 1, 0, 2]);
        assert_eq!(clusters(7, 1, apart), [0; 7]);
        assert_eq!(clusters(7, 7, apart), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(clusters(7, 9, apart), [0, 1, 2, 3, 4, 5, 6], "no more groups than things");
        assert_eq!(clusters(1, 1, apart), [0]);
        assert!(clusters(0, 2, apart).is_empty());
    }

    /// Groups of SciPy and scikit-learn, by `tests/reference/similarity.py`.
    #[test]
    fn groups_are_those_of_scipy_and_scikit_learn() {
        let golden = include_str!("../../tests/golden/clusters.json");
        let golden: serde_json::Value = serde_json::from_str(golden).expect("JSON");
        let places: Vec<Vec<f64>> =
            serde_json::from_value(golden["places"].clone()).expect("places");
        let apart = |a: usize, b: usize| -> f64 {
            places[a].iter().zip(&places[b]).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
        };
        let groups = golden["groups"].as_object().expect("groups by their number");
        assert_eq!(groups.len(), 7);
        for (count, expected) in groups {
            let expected: Vec<usize> = serde_json::from_value(expected.clone()).expect("groups");
            let count: usize = count.parse().expect("a number");
            assert_eq!(clusters(places.len(), count, apart), expected, "{count} groups");
        }
    }
}
