//! The shape of a distribution in words and in rows of a table.

use neuronotes_core::kind::activation_histogram::{Above, Shape};
use neuronotes_core::number::{number, percent, thousands, tick};
use neuronotes_core::statistics::part;

/// The shape in a sentence; `count` is the number of all images.
pub(super) fn note(shape: &Shape, count: u64) -> String {
    let mut all = Vec::new();
    all.extend(shape.kurtosis.map(|kurtosis| format!("excess kurtosis {}", number(kurtosis, 1))));
    all.extend(shape.sparsity.map(|sparsity| format!("sparsity {}", number(sparsity, 2))));
    all.push(format!("{} above zero", percent(part(shape.positive, count))));
    if !shape.above.is_empty() {
        let each =
            shape.above.iter().map(|above| format!("{} above {}", share(above, count), sd(above)));
        all.push(each.collect::<Vec<_>>().join(", "));
    }
    all.join(", ")
}

/// The shape in rows of a name and a value each.
pub(super) fn rows(shape: &Shape, count: u64) -> Vec<Vec<String>> {
    let text = |value: Option<f64>| value.map(|value| number(value, 4)).unwrap_or_default();
    let mut rows = vec![
        vec!["excess kurtosis".to_owned(), text(shape.kurtosis)],
        vec!["sparsity".to_owned(), text(shape.sparsity)],
        vec!["above zero".to_owned(), thousands(shape.positive)],
    ];
    rows.extend(shape.above.iter().map(|above| {
        vec![
            format!("above {}", sd(above)),
            format!("{} ({})", thousands(above.images), share(above, count)),
        ]
    }));
    rows
}

fn share(above: &Above, count: u64) -> String {
    percent(part(above.images, count))
}

/// How far above the mean.
fn sd(above: &Above) -> String {
    format!("{} SD", tick(above.deviations, 3))
}
