//! Weights of probes: by logistic regression, or published by others as NumPy arrays.

pub(crate) mod logistic;
pub(crate) mod numpy;
