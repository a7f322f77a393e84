//! Numerics that know nothing of kinds. Weights of probes: by logistic regression, dense and sparse, or published by others as NumPy
//! arrays; how images are split, and how probes are judged. Sparse sums: by the lasso, or by orthogonal matching pursuit.
//! Statistics and correlations of columns, two groups compared in every column, principal components, clusters, t-SNE, and the texts that span what a head adds.

pub(crate) mod agreement;
pub mod auc;
pub(crate) mod binary;
pub(crate) mod bootstrap;
pub(crate) mod cluster;
pub(crate) mod column;
mod curvature;
pub mod descent;
pub(crate) mod formula;
#[cfg(test)]
mod golden;
pub(crate) mod gram;
pub(crate) mod lasso;
pub(crate) mod logistic;
pub mod multinomial;
pub(crate) mod numpy;
pub mod path;
pub(crate) mod pca;
pub(crate) mod permuted;
pub mod point;
pub(crate) mod pursuit;
pub(crate) mod rank;
pub(crate) mod ranksum;
pub(crate) mod retrieval;
pub mod softmax;
pub(crate) mod span;
pub mod sparse;
pub mod split;
mod tally;
#[cfg(test)]
mod tests;
pub(crate) mod tsne;
mod view;
pub(crate) mod weighted;
pub(crate) mod wpmi;
