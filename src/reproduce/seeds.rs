//! Pictures that are optimised: how far the result of one seed is from that of the next.

use neuronotes_core::kind::feature_vis::Outcome;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};

/// The same request with the next seed; `None` if it has none.
pub(super) fn next(request: &Request) -> Option<Request> {
    let seed = request.params.get("seed")?.as_u64()?;
    let mut other = request.clone();
    other.params.insert("seed".to_owned(), seed.checked_add(1)?.into());
    Some(other)
}

/// The embeddings of a result's pictures, in order.
pub fn embeddings(store: &Store, record: &Record) -> Vec<Vec<f32>> {
    let outcome = record.result::<Outcome>(store);
    outcome.map(|o| o.images.into_iter().map(|made| made.embedding).collect()).unwrap_or_default()
}

/// The distance of two pictures: 1 minus the product of their embeddings, which have length 1. `None` if they have none.
pub fn distance(one: &[f32], other: &[f32]) -> Option<f64> {
    if one.is_empty() || one.len() != other.len() {
        return None;
    }
    let product = |with: &[f32], by: &[f32]| {
        with.iter().zip(by).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
    };
    // They are rounded, so their lengths are only nearly 1.
    let cosine = product(one, other) / (product(one, one) * product(other, other)).sqrt();
    Some((1.0 - cosine).max(0.0))
}
