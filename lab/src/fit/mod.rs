//! Weights of probes: by logistic regression, or published by others as NumPy arrays.

pub(crate) mod auc;
pub(crate) mod binary;
pub(crate) mod logistic;
pub(crate) mod numpy;
pub(crate) mod split;
