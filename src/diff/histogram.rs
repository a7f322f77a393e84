//! Histograms of two results, laid over each other.

use serde::Serialize;
use serde_json::Value;

/// Two histograms that differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistogramChange {
    /// The path of the result's part that is one; empty for the whole.
    pub path: String,
    /// The histogram before.
    pub before: Histogram,
    /// The histogram after.
    pub after: Histogram,
    /// The fraction of the samples that would have to change their bin, from 0 to 1, if both have the same bins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<f64>,
}

/// Counts between edges.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// Edges, ascending, one more than counts.
    pub edges: Vec<f64>,
    /// Counts.
    pub counts: Vec<f64>,
}

impl Histogram {
    /// Reads `edges` and `counts` of an object.
    pub fn read(value: &Value) -> Option<Self> {
        let numbers = |name: &str| -> Option<Vec<f64>> {
            value.get(name)?.as_array()?.iter().map(Value::as_f64).collect()
        };
        let (edges, counts) = (numbers("edges")?, numbers("counts")?);
        let fits = edges.len() == counts.len() + 1 && counts.len() > 1;
        (fits && edges.is_sorted()).then_some(Self { edges, counts })
    }

    fn total(&self) -> f64 {
        self.counts.iter().sum::<f64>().max(f64::MIN_POSITIVE)
    }
}

/// What differs between two histograms; `None` if nothing does.
pub fn compare(path: &str, before: Histogram, after: Histogram) -> Option<HistogramChange> {
    if before == after {
        return None;
    }
    let moved = (before.edges == after.edges).then(|| {
        let (a, b) = (before.total(), after.total());
        let pairs = before.counts.iter().zip(&after.counts);
        pairs.map(|(x, y)| (x / a - y / b).abs()).sum::<f64>() / 2.0
    });
    Some(HistogramChange { path: path.to_owned(), before, after, moved })
}

/// Width and height of the drawing.
const SIZE: (f64, f64) = (360.0, 120.0);

/// Both as one `<svg>`: the earlier one filled, the later one as a line, as fractions of their samples and per unit of
/// activation, so that histograms with other bins can be compared.
pub fn svg(change: &HistogramChange) -> String {
    let all = [&change.before, &change.after];
    let edges = || all.iter().flat_map(|histogram| &histogram.edges).copied();
    let (low, high) =
        (edges().fold(f64::INFINITY, f64::min), edges().fold(f64::NEG_INFINITY, f64::max));
    let width = if high > low { high - low } else { 1.0 };
    let density = |histogram: &Histogram| -> Vec<f64> {
        let total = histogram.total();
        let bins = histogram.edges.windows(2).zip(&histogram.counts);
        bins.map(|(edges, count)| count / total / (edges[1] - edges[0]).max(f64::MIN_POSITIVE))
            .collect()
    };
    let densities = all.map(density);
    let top = densities.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    let path = |at: usize| {
        let x = |edge: f64| (edge - low) / width * SIZE.0;
        // Small bins matter; the root makes them visible.
        let y = |density: f64| SIZE.1 - (density / top).sqrt() * (SIZE.1 - 4.0);
        let mut path = format!("M{:.1},{:.1}", x(all[at].edges[0]), SIZE.1);
        for (edges, density) in all[at].edges.windows(2).zip(&densities[at]) {
            let y = y(*density);
            path.push_str(&format!("L{:.1},{y:.1}L{:.1},{y:.1}", x(edges[0]), x(edges[1])));
        }
        format!("{path}L{:.1},{:.1}", x(*all[at].edges.last().unwrap_or(&high)), SIZE.1)
    };
    format!(
        "<svg class=\"overlaid\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Histograms before and after, from {low:.3} to {high:.3}\">\
         <path class=\"before\" d=\"{}Z\"/><path class=\"after\" d=\"{}\"/></svg>",
        SIZE.0,
        SIZE.1,
        path(0),
        path(1),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn how_much_moved_is_the_same_in_both_directions() {
        let read = |counts: [u32; 3]| {
            Histogram::read(&json!({ "edges": [0.0, 1.0, 2.0, 3.0], "counts": counts }))
                .expect("one")
        };
        let (a, b) = (read([2, 2, 0]), read([0, 4, 4]));
        let forth = compare("", a.clone(), b.clone()).expect("a change");
        assert_eq!(forth.moved, Some(0.5));
        assert_eq!(compare("", b, a.clone()).expect("a change").moved, Some(0.5));
        assert_eq!(compare("", a.clone(), a), None);
        assert!(svg(&forth).matches("<path").count() == 2);
        assert_eq!(Histogram::read(&json!({ "edges": [0.0, 1.0], "counts": [1, 2, 3] })), None);
    }
}
