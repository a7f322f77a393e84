//! Usual and degenerate histograms.

use super::*;

fn outcome(values: &[f64], bins: usize) -> Outcome {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
    let width = (max - min) / bins as f64;
    let mut counts = vec![0; bins];
    for value in values {
        let bucket = ((value - min) / width.max(f64::MIN_POSITIVE)) as usize;
        counts[bucket.min(bins - 1)] += 1;
    }
    let at = |p: f64| sorted[((sorted.len() - 1) as f64 * p) as usize];
    let probabilities = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];
    Outcome {
        count: values.len() as u64,
        mean,
        sd,
        min,
        max,
        quantiles: probabilities.iter().map(|p| (*p, at(*p)).into()).collect(),
        edges: (0..=bins).map(|i| min + width * i as f64).collect(),
        counts,
        shape: None,
        others: vec![],
        behind: None,
    }
}

fn selective() -> Outcome {
    let mut values: Vec<f64> =
        (0..400).map(|i| f64::from(i % 37) / 25.0 - f64::from(i % 11) / 9.0).collect();
    values.push(8.25);
    outcome(&values, 12)
}

fn parts(drawing: Drawing) -> (String, String, Table, String) {
    match drawing {
        Drawing::Plot { svg, alt, table, note, .. } => (svg, alt, table, note),
        other => panic!("a plot, not {other:?}"),
    }
}

#[test]
fn a_small_histogram() {
    let (svg, alt, table, note) =
        parts(histogram(&selective(), false, "activation", None).expect("draws"));
    let rows: Vec<String> = table.rows.iter().map(|row| row.join(" | ")).collect();
    insta::assert_snapshot!(format!(
        "{}\n\n{alt}\n\n{note}\n\n{}",
        svg.replace("><", ">\n<"),
        rows.join("\n")
    ));
}

#[test]
fn colours_and_sizes_are_the_themes() {
    for log in [false, true] {
        let (svg, ..) = parts(histogram(&selective(), log, "activation", None).expect("draws"));
        assert!(svg.starts_with("<svg aria-hidden=\"true\" viewBox=\"0 0 640 308\">"));
        assert!(!svg.contains('#') && !svg.contains("http") && !svg.contains("font-family"));
        assert!(svg.ends_with("</svg>") && svg.contains(">mean "));
    }
}

#[test]
fn the_same_outcome_gives_the_same_bytes() {
    let draw = || histogram(&selective(), true, "activation", None).expect("draws");
    assert_eq!(draw(), draw());
}

#[test]
fn a_single_image_far_to_the_right_can_be_seen() {
    let mut outcome = selective();
    outcome.counts[0] = 1_000_000;
    let (svg, ..) = parts(histogram(&outcome, false, "activation", None).expect("draws"));
    let lowest = svg.matches("height=\"2\"").count();
    assert!(lowest >= 1, "{svg}");
}

#[test]
fn outcomes_that_are_hardly_any() {
    let equal = outcome(&[3.0; 50], 4);
    let one = outcome(&[-2.5], 40);
    let mut none = outcome(&[1.0, 2.0], 2);
    none.count = 0;
    none.counts = vec![0, 0];
    let mut bare = outcome(&[1.0, 2.0], 2);
    bare.quantiles.clear();
    let near = outcome(&[1e6, 1e6 + 1e-7], 400);
    let wide = outcome(&[-3e38, 3e38, 1.0], 40);
    let small = outcome(&[1e-30, 2e-30], 3);
    let zero = outcome(&[0.0, 0.0], 3);
    for outcome in [equal, one, none, bare, near, wide, small, zero] {
        for log in [false, true] {
            let (svg, alt, table, note) =
                parts(histogram(&outcome, log, "activation", None).expect("draws"));
            for text in [&svg, &alt, &note] {
                assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            }
            assert!(table.rows.len() >= outcome.counts.len());
        }
    }
}

#[test]
fn outcomes_that_are_none_are_errors() {
    let mut empty = selective();
    empty.counts.clear();
    empty.edges = vec![0.0];
    let mut ragged = selective();
    ragged.edges.pop();
    let mut endless = selective();
    endless.max = f64::INFINITY;
    for (outcome, message) in
        [(empty, "no buckets"), (ragged, "12 buckets and 12 edges"), (endless, "not finite")]
    {
        let error = histogram(&outcome, false, "activation", None).expect_err("an error");
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_silent_units_axis_has_no_roundings() {
    let silent = Outcome {
        edges: (0..=40).map(|i| -0.5 + f64::from(i) / 40.0).collect(),
        ..outcome(&[0.0; 30], 40)
    };
    for log in [false, true] {
        let (svg, alt, table, note) =
            parts(histogram(&silent, log, "activation", None).expect("draws"));
        let labels: Vec<&str> =
            svg.split("<text").skip(1).filter_map(|text| text.split(['>', '<']).nth(1)).collect();
        assert!(labels.iter().any(|label| label.trim() == "0"), "{labels:?}");
        let rows = table.rows.concat().join(" ");
        for text in labels.into_iter().chain([&*alt, &*rows, &*note]) {
            assert!(!text.contains("e-") && !text.contains("e−"), "{text}");
        }
    }
}
