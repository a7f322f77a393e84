//! Weights of probes: by logistic regression, or published by others as NumPy arrays. Sparse sums: by the lasso, or by
//! orthogonal matching pursuit. And how probes are judged.

pub(crate) mod auc;
pub(crate) mod binary;
#[cfg(test)]
mod golden;
pub(crate) mod lasso;
pub(crate) mod logistic;
pub(crate) mod numpy;
pub(crate) mod pursuit;
pub(crate) mod split;
