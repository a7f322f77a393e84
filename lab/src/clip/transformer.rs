//! The transformer of both towers: a residual stream in; the stream after the blocks out.
//!
//! After openai/CLIP `clip/model.py`: LayerNorm before attention and before the MLP, which is computed in single
//! precision whatever the stream has. Field names are the checkpoint's keys. n: images or texts, t: tokens,
//! c: channels of the stream, m: hidden units of an MLP.

use std::ops::ControlFlow;

use neuronotes_core::model::{Activation, BlockTap, Stage, TransformerSizes};
use tch::{Device, Kind, Tensor};

use super::activations::Collector;
use super::hook::sum;
use super::weights::Weights;
use crate::failure::Failure;

/// Avoids division by zero in LayerNorm.
const EPSILON: f64 = 1e-5;

/// A sequence of blocks.
#[derive(Debug)]
pub(super) struct Transformer {
    resblocks: Vec<Block>,
}

impl Transformer {
    /// Takes the weights of all blocks; `key` is what stands before `resblocks` in their names.
    pub fn new(
        key: &str,
        sizes: &TransformerSizes,
        activation: Activation,
        weights: &mut Weights,
    ) -> Self {
        let resblocks = (0..sizes.layers)
            .map(|block| {
                Block::new(&format!("{key}.resblocks.{block}"), sizes, activation, weights)
            })
            .collect();
        Self { resblocks }
    }

    /// The weights of a block that its units are computed and read by.
    pub fn weights(&self, block: u32) -> Option<BlockWeights<'_>> {
        let block = self.resblocks.get(block as usize)?;
        Some(BlockWeights {
            attention: block.attn.out_proj.weight(),
            hidden: block.c_fc.weight(),
            mlp: block.c_proj.weight(),
        })
    }

    /// How many blocks there are.
    pub fn blocks(&self) -> u32 {
        self.resblocks.len() as u32
    }

    /// What the first token reads in a block, given the block's first LayerNorm, `[n, t, c]`: of each token by each head, each
    /// weighted by its attention, `[n, heads, t, c/heads]`; and the projection of all heads together.
    ///
    /// # Errors
    /// If there is no such block.
    pub fn read_by_first(&self, block: u32, norm: &Tensor) -> Result<(Tensor, &Linear), Failure> {
        let block = self.resblocks.get(block as usize);
        let attention = &block.ok_or_else(|| Failure::new("the model has no such block"))?.attn;
        Ok((attention.read_by_first(norm), &attention.out_proj))
    }

    /// Runs the blocks on a stream `[n, t, c]`, to the same. `causal`: no token sees a later one.
    pub fn forward(
        &self,
        mut x: Tensor,
        causal: bool,
        out: &mut Collector<'_>,
    ) -> ControlFlow<(), Tensor> {
        for (i, block) in (0u32..).zip(&self.resblocks) {
            x = block.forward(x, causal, out, |tap| Stage::Residual { block: i, tap })?; // [n, t, c]
        }
        ControlFlow::Continue(x)
    }
}

/// Matrices of a block, each `[to, from]`.
pub(super) struct BlockWeights<'a> {
    /// From the heads to the stream.
    pub attention: &'a Tensor,
    /// From the stream to the hidden units.
    pub hidden: &'a Tensor,
    /// From the hidden units to the stream.
    pub mlp: &'a Tensor,
}

/// Attention, then an MLP, each added to the stream.
#[derive(Debug)]
struct Block {
    ln_1: LayerNorm,
    attn: Attention,
    ln_2: LayerNorm,
    c_fc: Linear,
    c_proj: Linear,
    activation: Activation,
}

impl Block {
    fn new(
        key: &str,
        sizes: &TransformerSizes,
        activation: Activation,
        weights: &mut Weights,
    ) -> Self {
        let (c, m) = (i64::from(sizes.width), i64::from(sizes.hidden));
        Self {
            ln_1: LayerNorm::new(&format!("{key}.ln_1"), c, weights),
            attn: Attention::new(&format!("{key}.attn"), c, i64::from(sizes.heads), weights),
            ln_2: LayerNorm::new(&format!("{key}.ln_2"), c, weights),
            c_fc: Linear::new(weights, &format!("{key}.mlp.c_fc"), c, m),
            c_proj: Linear::new(weights, &format!("{key}.mlp.c_proj"), m, c),
            activation,
        }
    }

    fn forward(
        &self,
        x: Tensor,
        causal: bool,
        out: &mut Collector<'_>,
        at: impl Fn(BlockTap) -> Stage,
    ) -> ControlFlow<(), Tensor> {
        let inner = out.offer(at(BlockTap::Norm1), self.ln_1.forward(&x))?; // [n, t, c]
        let inner = out.offer(at(BlockTap::Heads), self.attn.heads(&inner, causal))?; // [n, t, c]
        let inner = out.offer(at(BlockTap::Attention), self.attn.out_proj.forward(&inner))?; // [n, t, c]
        let x = out.offer(at(BlockTap::Middle), sum(&x, &inner))?; // [n, t, c]
        let inner = out.offer(at(BlockTap::Norm2), self.ln_2.forward(&x))?; // [n, t, c]
        let inner = out.offer(at(BlockTap::HiddenInput), self.c_fc.forward(&inner))?; // [n, t, m]
        let hidden = match self.activation {
            Activation::QuickGelu => (&inner * 1.702).sigmoid_() * inner,
            Activation::Gelu => inner.gelu("none"),
        };
        let inner = out.offer(at(BlockTap::Hidden), hidden)?; // [n, t, m]
        let inner = out.offer(at(BlockTap::Mlp), self.c_proj.forward(&inner))?; // [n, t, c]
        out.offer(at(BlockTap::Output), sum(&x, &inner)) // [n, t, c]
    }
}

/// Attention of each token to all, or to those before it.
#[derive(Debug)]
struct Attention {
    in_proj_weight: Tensor, // [3c, c]
    in_proj_bias: Tensor,   // [3c]
    out_proj: Linear,
    heads: i64,
}

impl Attention {
    fn new(key: &str, c: i64, heads: i64, weights: &mut Weights) -> Self {
        Self {
            in_proj_weight: weights.take(&format!("{key}.in_proj_weight"), &[3 * c, c]),
            in_proj_bias: weights.take(&format!("{key}.in_proj_bias"), &[3 * c]),
            out_proj: Linear::new(weights, &format!("{key}.out_proj"), c, c),
            heads,
        }
    }

    /// Queries, keys and values of each head: `[n, t, c]` to thrice `[n, heads, t, c/heads]`.
    fn queries_keys_values(&self, x: &Tensor) -> [Tensor; 3] {
        let size = x.size();
        let (n, t, c) = (size[0], size[1], size[2]);
        let qkv = x.linear(&self.in_proj_weight, Some(&self.in_proj_bias)); // [n, t, 3c]
        let heads = |part: Tensor| {
            part.view([n, t, self.heads, c / self.heads]).transpose(1, 2) // [n, heads, t, c/heads]
        };
        [0, 1, 2].map(|i| heads(qkv.narrow(2, i * c, c)))
    }

    /// What each head of the first token reads of each token, weighted: `[n, t, c]` to `[n, heads, t, c/heads]` in single
    /// precision.
    fn read_by_first(&self, x: &Tensor) -> Tensor {
        let [q, k, v] = self.queries_keys_values(x).map(|part| part.to_kind(Kind::Float));
        let scale = (q.size()[3] as f64).sqrt();
        let weights = (q.narrow(2, 0, 1).matmul(&k.transpose(-2, -1)) / scale).softmax(-1, None); // [n, heads, 1, t]
        v * weights.transpose(-2, -1)
    }

    /// What the heads read, side by side, before it is projected: `[n, t, c]` to the same.
    fn heads(&self, x: &Tensor, causal: bool) -> Tensor {
        let size = x.size();
        let (n, t, c) = (size[0], size[1], size[2]);
        let [q, k, v] = self.queries_keys_values(x);
        let attended = Tensor::scaled_dot_product_attention(
            &q,
            &k,
            &v,
            None::<&Tensor>,
            0.0,
            causal,
            None,
            false,
        ); // [n, heads, t, c/heads]
        attended.transpose(1, 2).reshape([n, t, c])
    }
}

/// LayerNorm over the channels, in single precision.
#[derive(Debug)]
pub(super) struct LayerNorm {
    weight: Tensor, // [c], single precision
    bias: Tensor,   // [c], single precision
}

impl LayerNorm {
    /// Takes `key.weight` and `key.bias`.
    pub fn new(key: &str, c: i64, weights: &mut Weights) -> Self {
        Self {
            weight: weights.take_single(&format!("{key}.weight"), &[c]),
            bias: weights.take_single(&format!("{key}.bias"), &[c]),
        }
    }

    /// Its gain and its shift, `[c]`; and the mean and the deviation, `[n, 1]`, of rows `[n, c]`.
    pub fn parts(&self, x: &Tensor) -> [Tensor; 4] {
        let x = x.to_kind(Kind::Float);
        let mean = x.mean_dim([-1i64].as_slice(), true, Kind::Float);
        let variance = (x - &mean).square().mean_dim([-1i64].as_slice(), true, Kind::Float);
        [self.weight.shallow_clone(), self.bias.shallow_clone(), mean, (variance + EPSILON).sqrt()]
    }

    /// `[…, c]` to the same.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let (kind, c) = (x.kind(), self.weight.size()[0]);
        let single = x.to_kind(Kind::Float);
        single.layer_norm([c], Some(&self.weight), Some(&self.bias), EPSILON, true).to_kind(kind)
    }
}

/// A matrix and a bias.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Tensor, // [to, from]
    bias: Tensor,   // [to]
}

impl Linear {
    /// Takes `key.weight` and `key.bias`.
    pub fn new(weights: &mut Weights, key: &str, from: i64, to: i64) -> Self {
        Self {
            weight: weights.take(&format!("{key}.weight"), &[to, from]),
            bias: weights.take(&format!("{key}.bias"), &[to]),
        }
    }

    /// Its matrix `[from, to]` in double precision, on the CPU.
    pub fn matrix(&self) -> Tensor {
        self.weight.to_device(Device::Cpu).to_kind(Kind::Double).tr()
    }

    /// `[to, from]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The matrix, `[to, from]`, and the bias, `[to]`, in single precision.
    pub fn parts(&self) -> (Tensor, Tensor) {
        (self.weight.to_kind(Kind::Float), self.bias.to_kind(Kind::Float))
    }

    /// `[…, from]` to `[…, to]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias))
    }
}
