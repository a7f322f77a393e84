//! The terms of an embedding: what heads, MLPs and tokens add to it, exactly, with attention as it is.
//!
//! Above a ResNet's last map there is only attention; a vision transformer's class token is a sum of what its blocks add. Given
//! the attention patterns, and the deviation by which the last LayerNorm divides, an embedding is a sum of terms (Gandelsman
//! et al. 2023, *Interpreting CLIP's Image Representation via Text-Based Decomposition*).

use neuronotes_core::model::Stage;
use tch::Tensor;

/// The terms of the embeddings of n images: e numbers each.
#[derive(Debug)]
pub struct Terms {
    /// All of them; they sum up to the embeddings.
    pub terms: Vec<Term>,
    /// The last layer above which an embedding is such a sum.
    pub stage: Stage,
    /// What each unit of that layer adds along the direction at each position: `[n, units, positions]`.
    pub units: Tensor,
    /// What is added along the direction besides, whatever the activations are: `[n]`.
    pub rest: Tensor,
}

/// One term.
#[derive(Debug)]
pub struct Term {
    /// Whose it is.
    pub part: Part,
    /// What it adds: `[n, e]`.
    pub vector: Tensor,
    /// What it adds along the direction from each position, the class token or the mean first: `[n, 1 + positions]`; only of
    /// heads. Its sum is the vector's product with the direction.
    pub positions: Option<Tensor>,
}

/// A part of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The class token before the first block.
    Start,
    /// A head of the attention pool.
    PoolHead(u32),
    /// A head of a block.
    Head {
        /// The block, from 0.
        block: u32,
        /// The head, from 0.
        head: u32,
    },
    /// The MLP of a block, from 0.
    Mlp(u32),
    /// The bias of the last projection.
    Bias,
}
