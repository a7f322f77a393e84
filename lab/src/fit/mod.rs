//! Numerics that know nothing of kinds. Weights of probes: by logistic regression, or published by others as NumPy arrays; and how
//! probes are judged. Sparse sums: by the lasso, or by orthogonal matching pursuit. Statistics and correlations of columns,
//! principal components, and t-SNE.

pub(crate) mod auc;
pub(crate) mod binary;
pub(crate) mod column;
#[cfg(test)]
mod golden;
pub(crate) mod lasso;
pub(crate) mod logistic;
pub(crate) mod numpy;
pub(crate) mod pca;
pub(crate) mod pursuit;
pub(crate) mod split;
pub(crate) mod tsne;
