//! Whether a stored histogram can be drawn.

use neuronotes_core::kind::activation_histogram::Outcome;

/// Checks its buckets and numbers.
///
/// # Errors
/// If it has no buckets, another number of edges, or numbers that are not finite.
pub(super) fn check(outcome: &Outcome) -> Result<(), String> {
    if outcome.counts.is_empty() {
        return Err("the stored histogram has no buckets".to_owned());
    }
    if outcome.edges.len() != outcome.counts.len() + 1 {
        return Err(format!(
            "the stored histogram has {} buckets and {} edges",
            outcome.counts.len(),
            outcome.edges.len()
        ));
    }
    let quantiles = outcome.quantiles.iter().flat_map(|found| [found.share, found.activation]);
    let numbers = [outcome.mean, outcome.sd, outcome.min, outcome.max];
    let mut numbers = outcome.edges.iter().copied().chain(numbers).chain(quantiles);
    if numbers.any(|value| !value.is_finite()) {
        return Err("the stored histogram has numbers that are not finite".to_owned());
    }
    Ok(())
}
