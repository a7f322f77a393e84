//! What a probe is made of: logistic regression, and weights that others published as NumPy arrays.

pub(crate) mod logistic;
pub(crate) mod numpy;
