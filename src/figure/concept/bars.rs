//! An AUC of `concept` as a bar and as a row of the table.

use neuronotes_core::kind::concept::Auc;
use neuronotes_core::number::number;

use crate::figure::part::{Bar, share};

/// A bar with the interval.
pub(super) fn bar(name: &str, auc: &Auc) -> Bar {
    let value =
        format!("{} ({} to {})", number(auc.area, 3), number(auc.low, 3), number(auc.high, 3));
    Bar { interval: Some((auc.low, auc.high)), ..share(name, value, auc.area) }
}

/// A row of the table: the name, the area and its interval.
pub(super) fn row(name: &str, auc: &Auc) -> Vec<String> {
    let numbers = [auc.area, auc.low, auc.high].map(|x| number(x, 5));
    std::iter::once(name.to_owned()).chain(numbers).collect()
}
