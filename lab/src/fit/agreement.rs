//! Agreement of raters: Krippendorff's alpha for nominal data.

use std::collections::BTreeMap;

/// Krippendorff's alpha for nominal data: the labels of each thing in, one for each rater who gave one. 1 if all agree, 0 if they agree
/// as often as labels drawn from all that were given would. `None` if no thing has two labels, or all labels are the same.
///
/// By coincidences: a thing with m labels adds 1 / (m − 1) for each ordered pair of them. Krippendorff, *Content Analysis*,
/// 2004, chapter 11.
pub(crate) fn nominal(things: &[Vec<u32>]) -> Option<f64> {
    let mut totals: BTreeMap<u32, f64> = BTreeMap::new();
    let (mut count, mut different) = (0.0, 0.0);
    for labels in things.iter().filter(|labels| labels.len() > 1) {
        let size = labels.len() as f64;
        let mut own: BTreeMap<u32, f64> = BTreeMap::new();
        for label in labels {
            *own.entry(*label).or_default() += 1.0;
        }
        let pairs: f64 = own.values().map(|n| n * (size - n)).sum();
        different += pairs / (size - 1.0);
        count += size;
        for (label, n) in own {
            *totals.entry(label).or_default() += n;
        }
    }
    let expected: f64 = totals.values().map(|n| n * (count - n)).sum::<f64>() / (count - 1.0);
    (count > 1.0 && expected > 0.0).then(|| 1.0 - different / expected)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        /// The label that each rater gave to each thing.
        ratings: Vec<Vec<Option<u32>>>,
        alpha: f64,
    }

    #[test]
    fn alpha_is_that_of_the_python_package() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/alpha.json");
        let text = std::fs::read_to_string(path).expect("a golden file");
        let all: Vec<Golden> = serde_json::from_str(&text).expect("goldens");
        assert!(all.len() > 5);
        for golden in all {
            let things = (0..golden.ratings[0].len()).map(|thing| {
                golden.ratings.iter().filter_map(|rater| rater[thing]).collect::<Vec<u32>>()
            });
            let found = nominal(&things.collect::<Vec<_>>()).expect("an alpha");
            assert!((found - golden.alpha).abs() < 1e-12, "{found} {}", golden.alpha);
        }
    }

    #[test]
    fn there_is_no_alpha_where_nothing_can_differ() {
        assert_eq!(nominal(&[]), None);
        assert_eq!(nominal(&[vec![1], vec![2]]), None, "one label each");
        assert_eq!(nominal(&[vec![1, 1], vec![1, 1]]), None, "one label in all");
        assert_eq!(nominal(&[vec![1, 1], vec![2, 2]]), Some(1.0));
    }
}
