//! The attention pool of CLIP's ModifiedResNet: the last map in; the embedding out.
//!
//! After openai/CLIP `clip/model.py`. Field names are the checkpoint's keys. n: images, c: channels of the map, h and w: its
//! rows and columns.

use neuronotes_core::model::{ResNetSizes, Stage};
use tch::{Kind, Tensor};

use super::terms::{Part, Term, Terms};
use super::transformer::Linear;
use super::weights::Weights;
use crate::failure::Failure;

/// Attention from the mean of all positions to all positions.
#[derive(Debug)]
pub(super) struct AttentionPool {
    positional_embedding: Tensor, // [h*w + 1, c]
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    c_proj: Linear,
    heads: i64,
}

/// What the heads see of a map, p = h*w + 1 positions with the mean first.
struct Attended {
    /// How much each head attends to each position: `[n, heads, 1, p]`.
    weights: Tensor,
    /// What it reads there: `[n, heads, p, c/heads]`.
    values: Tensor,
}

impl AttentionPool {
    /// The matrix by which embeddings are computed: `[embedding, c]`.
    pub fn writes(&self) -> &Tensor {
        self.c_proj.weight()
    }

    /// The matrices by which channels are read, of queries, keys and values: each `[c, c]`.
    pub fn reads(&self) -> [&Tensor; 3] {
        [&self.q_proj, &self.k_proj, &self.v_proj].map(Linear::weight)
    }

    /// Takes its weights. `image_size` is in pixels.
    pub fn new(
        image_size: u32,
        sizes: &ResNetSizes,
        embedding: u32,
        weights: &mut Weights,
    ) -> Self {
        let c = i64::from(sizes.width) * 32;
        let side = i64::from(image_size / 32);
        let key = "visual.attnpool";
        let positions = format!("{key}.positional_embedding");
        let positional_embedding = weights.take(&positions, &[side * side + 1, c]);
        let mut linear = |name: &str, to| Linear::new(weights, &format!("{key}.{name}"), c, to);
        Self {
            positional_embedding,
            q_proj: linear("q_proj", c),
            k_proj: linear("k_proj", c),
            v_proj: linear("v_proj", c),
            c_proj: linear("c_proj", i64::from(embedding)),
            heads: i64::from(sizes.pool_heads),
        }
    }

    /// Checks that the pool has a position for each pixel of a map of `h` rows and `w` columns.
    ///
    /// # Errors
    /// If it has not.
    pub fn check(&self, h: i64, w: i64) -> Result<(), Failure> {
        let positions = self.positional_embedding.size()[0];
        if h * w + 1 != positions {
            let side = (positions - 1).isqrt() * 32;
            return Err(Failure::new(format!(
                "the embedding needs images of {side} x {side} pixels, and was given a map of {h} x {w}"
            )));
        }
        Ok(())
    }

    /// What the heads read, side by side, before it is projected: `[n, c, h, w]` to `[n, c]`.
    pub fn heads(&self, x: &Tensor) -> Tensor {
        let Attended { weights, values } = self.attend(x);
        weights.matmul(&values).permute([0, 2, 1, 3]).reshape([x.size()[0], x.size()[1]]) // [n, c]
    }

    /// Attention to a map, `[n, c, h, w]`.
    fn attend(&self, x: &Tensor) -> Attended {
        let c = x.size()[1];
        let x = x.flatten(2, -1).permute([0, 2, 1]); // [n, h*w, c]
        let mean = x.mean_dim([1i64].as_slice(), true, None); // [n, 1, c]
        let x = Tensor::cat(&[mean, x], 1) + &self.positional_embedding; // [n, h*w+1, c]
        let heads = |y: Tensor| {
            let (n, length) = (y.size()[0], y.size()[1]);
            y.view([n, length, self.heads, c / self.heads]).permute([0, 2, 1, 3]) // [n, heads, length, c/heads]
        };
        // If it were a view, libtorch would copy the matrix for each image: six times the whole pool's time in bf16.
        let first = x.narrow(1, 0, 1).contiguous(); // [n, 1, c]
        let q = heads(self.q_proj.forward(&first)); // [n, heads, 1, c/heads]
        let k = heads(self.k_proj.forward(&x)); // [n, heads, h*w+1, c/heads]
        let values = heads(self.v_proj.forward(&x)); // [n, heads, h*w+1, c/heads]
        let scale = ((c / self.heads) as f64).sqrt();
        let weights = (q.matmul(&k.transpose(-2, -1)) / scale).softmax(-1, None); // [n, heads, 1, h*w+1]
        Attended { weights, values }
    }

    /// What each unit of the map adds to the embedding if it is active everywhere alike: attention then makes no difference,
    /// since its weights sum up to 1, except to what it reads of the positions' own embeddings, which is left out.
    /// `[c, embedding]`, in double precision, on the CPU.
    pub fn effects(&self) -> Tensor {
        self.v_proj.matrix().matmul(&self.projection())
    }

    /// What each unit of what the heads read adds to the embedding: `[c, embedding]`, in double precision, on the CPU.
    pub fn projection(&self) -> Tensor {
        self.c_proj.matrix()
    }

    /// The embedding of what the heads read: `[n, c]` to `[n, embedding]`.
    pub fn project(&self, pooled: &Tensor) -> Tensor {
        self.c_proj.forward(pooled)
    }

    /// The terms of the embeddings of maps, `[n, c, h, w]` at `stage`, and what they add along a direction, `[e]`.
    pub fn terms(&self, x: &Tensor, along: &Tensor, stage: Stage) -> Terms {
        let Attended { weights, values } = self.attend(x);
        let weights = weights.to_kind(Kind::Float).squeeze_dim(2); // [n, heads, p]
        let values = values.to_kind(Kind::Float); // [n, heads, p, width]
        let (n, heads, width) = (x.size()[0], self.heads, values.size()[3]);
        let ((out, bias), (value, _)) = (self.c_proj.parts(), self.v_proj.parts()); // [e, c], [e], [c, c], [c]
        let (e, c) = (out.size()[0], out.size()[1]);
        let wanted = along.matmul(&out).view([heads, width]); // the direction, as each head sees it
        let none = None::<i64>;
        let positions = Tensor::einsum("nhpw,hw->nhp", &[&values, &wanted], none) * &weights;
        let read = Tensor::einsum("nhpw,nhp->nhw", &[&values, &weights], none);
        let vectors = Tensor::einsum("nhw,ehw->nhe", &[&read, &out.view([e, heads, width])], none);
        let mut terms: Vec<Term> = (0..heads)
            .map(|head| Term {
                part: Part::PoolHead(head as u32),
                vector: vectors.select(1, head),
                positions: Some(positions.select(1, head)),
            })
            .collect();
        terms.push(Term { part: Part::Bias, vector: bias.expand([n, e], false), positions: None });
        // A unit is read at its own position, and as a part of the mean.
        let reads = Tensor::einsum("hw,hwc->hc", &[&wanted, &value.view([heads, width, c])], none);
        let map = x.to_kind(Kind::Float).flatten(2, -1); // [n, c, h*w]
        let count = map.size()[2];
        let each = weights.narrow(2, 1, count) + weights.narrow(2, 0, 1) / count as f64; // [n, heads, h*w]
        let units = Tensor::einsum("nhp,hc->ncp", &[&each, &reads], none) * map;
        // Of the positions themselves, and of biases.
        let fixed = self.v_proj.forward(&self.positional_embedding).to_kind(Kind::Float); // [p, c]
        let fixed = Tensor::einsum("phw,hw->hp", &[&fixed.view([-1, heads, width]), &wanted], none);
        let rest = Tensor::einsum("nhp,hp->n", &[&weights, &fixed], none) + bias.dot(along);
        Terms { terms, stage, units, rest }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn a_unit_that_is_active_everywhere_adds_its_effect() {
        tch::manual_seed(0);
        let single = (Kind::Float, Device::Cpu);
        let mut tensors = BTreeMap::new();
        let mut add = |name: &str, tensor: Tensor| {
            tensors.insert(format!("visual.attnpool.{name}"), tensor);
        };
        // With positions, what attention makes of them depends on the activations too.
        add("positional_embedding", Tensor::zeros([5, 32], single));
        for (name, to) in [("q_proj", 32), ("k_proj", 32), ("v_proj", 32), ("c_proj", 8)] {
            add(&format!("{name}.weight"), Tensor::randn([to, 32], single) * 0.3);
            add(&format!("{name}.bias"), Tensor::randn([to], single));
        }
        let sizes = ResNetSizes { width: 1, blocks: [1; 4], pool_heads: 4 };
        let mut weights = Weights::of(&tensors, Device::Cpu, Kind::Float);
        let pool = AttentionPool::new(64, &sizes, 8, &mut weights);
        let embedding = |units: &Tensor| {
            let map = units.view([1, 32, 1, 1]).expand([1, 32, 2, 2], false);
            pool.project(&pool.heads(&map))
        };
        let units = Tensor::randn([32], single);
        let raised = units.copy();
        raised.get(3).copy_(&(units.get(3) + 2.0));
        let found = (embedding(&raised) - embedding(&units)).to_kind(Kind::Double);
        let apart = (found - pool.effects().get(3) * 2.0).abs().max().double_value(&[]);
        assert!(apart < 1e-4, "{apart}");
    }
}
