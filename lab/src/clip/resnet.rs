//! CLIP's ModifiedResNet: normalised images in; activations by [`Stage`] out, computed no deeper than asked.
//!
//! After openai/CLIP `clip/model.py`: three convolutions in the stem; every convolution has stride 1, and
//! an average pooling does the downsampling; attention instead of a global mean at the end. Field names are
//! the checkpoint's keys. n: images, c: channels, h and w: rows and columns of a map.
//!
//! Tensor operations here use the forms of tch that panic; the session catches that at each request.

use std::collections::BTreeMap;

use neuronotes::model::{Architecture, Stage, Tap};
use tch::{Kind, Tensor};

use super::weights::Weights;
use crate::failure::Failure;

/// BatchNorm's guard against division by zero.
const EPSILON: f64 = 1e-5;

/// The visual tower.
#[derive(Debug)]
pub struct ResNet {
    conv1: Conv,
    conv2: Conv,
    conv3: Conv,
    layers: [Vec<Bottleneck>; 4],
    attnpool: AttentionPool,
}

/// Activations by stage.
#[derive(Debug, Default)]
pub struct Activations {
    after: BTreeMap<Stage, Tensor>,
    before: BTreeMap<Stage, Tensor>,
}

impl Activations {
    /// The activation at `stage`, `[n, c, h, w]`, or `[n, c]` for the embedding.
    ///
    /// # Errors
    /// Where it was not asked for, or the model has no such stage.
    pub fn get(&self, stage: Stage) -> Result<&Tensor, Failure> {
        self.after
            .get(&stage)
            .ok_or_else(|| Failure::new(format!("the model has no activation {stage:?}")))
    }

    /// What the ReLU at `stage` was given, where it is one: `[n, c, h, w]`.
    pub fn before_relu(&self, stage: Stage) -> Option<&Tensor> {
        self.before.get(&stage)
    }
}

/// Collects what is asked for, and knows when that is complete.
struct Collector<'a> {
    wanted: &'a [Stage],
    found: Activations,
}

impl Collector<'_> {
    fn relu(&mut self, stage: Stage, x: Tensor) -> Tensor {
        let after = x.relu();
        if self.wanted.contains(&stage) {
            self.found.before.insert(stage, x);
            self.found.after.insert(stage, after.shallow_clone());
        }
        after
    }

    fn offer(&mut self, stage: Stage, x: &Tensor) {
        if self.wanted.contains(&stage) {
            self.found.after.insert(stage, x.shallow_clone());
        }
    }

    fn complete(&self) -> bool {
        self.wanted.iter().all(|stage| self.found.after.contains_key(stage))
    }
}

impl ResNet {
    /// Takes the tower's weights.
    pub fn new(architecture: &Architecture, weights: &mut Weights) -> Self {
        let width = i64::from(architecture.width);
        let mut stem = |conv: u32, from, to, stride| {
            let (conv, bn) = (format!("visual.conv{conv}"), format!("visual.bn{conv}"));
            Conv::new(weights, &conv, &bn, [to, from, 3, 3], stride)
        };
        let conv1 = stem(1, 3, width / 2, 2);
        let conv2 = stem(2, width / 2, width / 2, 1);
        let conv3 = stem(3, width / 2, width, 1);
        let mut from = width;
        let layers = [1u32, 2, 3, 4].map(|layer| {
            let planes = width << (layer - 1);
            (0..architecture.blocks[layer as usize - 1])
                .map(|block| {
                    let key = format!("visual.layer{layer}.{block}");
                    let stride = if layer > 1 && block == 0 { 2 } else { 1 };
                    let bottleneck = Bottleneck::new(weights, &key, from, planes, stride);
                    from = planes * 4;
                    bottleneck
                })
                .collect()
        });
        Self { conv1, conv2, conv3, layers, attnpool: AttentionPool::new(architecture, weights) }
    }

    /// Runs the network on `images`, `[n, 3, h, w]` normalised, up to the deepest stage in `wanted`.
    ///
    /// Any h and w will do, except for the embedding, whose attention pool has a position for each pixel
    /// of its map: there they have to be the model's own image size.
    ///
    /// # Errors
    /// Where the embedding is wanted of images of another size.
    pub fn forward(&self, images: &Tensor, wanted: &[Stage]) -> Result<Activations, Failure> {
        let mut out = Collector { wanted, found: Activations::default() };
        let mut x = images.shallow_clone();
        for (i, conv) in [&self.conv1, &self.conv2, &self.conv3].into_iter().enumerate() {
            x = out.relu(Stage::Stem(i as u32 + 1), conv.forward(&x)); // [n, width/2 or width, h/2, w/2]
            if out.complete() {
                return Ok(out.found);
            }
        }
        x = average_pool(&x, 2); // [n, width, h/4, w/4]
        out.offer(Stage::StemOutput, &x);
        for (layer, bottlenecks) in (1u32..).zip(&self.layers) {
            for (block, bottleneck) in (0u32..).zip(bottlenecks) {
                if out.complete() {
                    return Ok(out.found);
                }
                let at = |tap| Stage::Block { stage: layer, block, tap };
                x = bottleneck.forward(&x, &mut out, at); // [n, planes*4, h/4/stride, w/4/stride]
            }
        }
        if !out.complete() {
            let embedding = self.attnpool.forward(&x)?; // [n, embedding]
            out.offer(Stage::Embedding, &embedding);
        }
        Ok(out.found)
    }
}

/// Non-overlapping windows, as `AvgPool2d(size)`.
fn average_pool(x: &Tensor, size: i64) -> Tensor {
    x.avg_pool2d([size, size], [size, size], [0, 0], false, true, None)
}

/// The same values with the channels of a pixel side by side in memory. Convolutions of libtorch take the
/// layout of their weights for what they give out.
fn channels_last(x: &Tensor) -> Tensor {
    x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}

/// A convolution without bias, and the BatchNorm after it folded into its weights.
#[derive(Debug)]
struct Conv {
    weight: Tensor, // [to, from, k, k]
    bias: Tensor,   // [to]
    stride: i64,
    padding: i64,
}

impl Conv {
    /// `shape` is [to, from, k, k].
    fn new(weights: &mut Weights, conv: &str, bn: &str, shape: [i64; 4], stride: i64) -> Self {
        let [to, _, size, _] = shape;
        let weight = weights.take(&format!("{conv}.weight"), &shape);
        let mut of_bn = |part: &str| weights.take(&format!("{bn}.{part}"), &[to]); // [to]
        let (gain, shift) = (of_bn("weight"), of_bn("bias"));
        let (mean, variance) = (of_bn("running_mean"), of_bn("running_var"));
        // bn(conv(x)) = gain (conv(x) - mean) / sqrt(variance + ε) + shift, all fixed once trained.
        let factor = gain / (variance + EPSILON).sqrt(); // [to]
        Self {
            weight: channels_last(&(weight * factor.view([to, 1, 1, 1]))), // [to, from, k, k]
            bias: shift - mean * factor,                                   // [to]
            stride,
            padding: size / 2,
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
        x.conv2d(&self.weight, Some(&self.bias), stride, padding, [1, 1], 1)
    }
}

/// A residual block.
#[derive(Debug)]
struct Bottleneck {
    conv1: Conv,
    conv2: Conv,
    conv3: Conv,
    downsample: Option<Conv>,
    stride: i64,
}

impl Bottleneck {
    fn new(weights: &mut Weights, key: &str, from: i64, planes: i64, stride: i64) -> Self {
        let mut conv = |name: &str, bn: &str, shape| {
            Conv::new(weights, &format!("{key}.{name}"), &format!("{key}.{bn}"), shape, 1)
        };
        let to = planes * 4;
        Self {
            conv1: conv("conv1", "bn1", [planes, from, 1, 1]),
            conv2: conv("conv2", "bn2", [planes, planes, 3, 3]),
            conv3: conv("conv3", "bn3", [to, planes, 1, 1]),
            // Its pooling is entry -1 of the checkpoint's module and has no weights.
            downsample: (stride > 1 || from != to)
                .then(|| conv("downsample.0", "downsample.1", [to, from, 1, 1])),
            stride,
        }
    }

    fn pool(&self, x: Tensor) -> Tensor {
        match self.stride {
            1 => x,
            stride => average_pool(&x, stride),
        }
    }

    fn forward(&self, x: &Tensor, out: &mut Collector<'_>, at: impl Fn(Tap) -> Stage) -> Tensor {
        let inner = out.relu(at(Tap::Relu1), self.conv1.forward(x)); // [n, planes, h, w]
        if out.complete() {
            return inner;
        }
        let inner = out.relu(at(Tap::Relu2), self.conv2.forward(&inner)); // [n, planes, h, w]
        if out.complete() {
            return inner;
        }
        let inner = self.conv3.forward(&self.pool(inner)); // [n, planes*4, h/stride, w/stride]
        let identity = match &self.downsample {
            Some(conv) => conv.forward(&self.pool(x.shallow_clone())), // [n, planes*4, h/stride, w/stride]
            None => x.shallow_clone(),
        };
        let sum = inner + identity; // [n, planes*4, h/stride, w/stride]
        out.offer(at(Tap::Add), &sum);
        out.relu(at(Tap::Output), sum)
    }
}

/// Attention from the mean of all positions to all positions.
#[derive(Debug)]
struct AttentionPool {
    positional_embedding: Tensor, // [h*w + 1, c]
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    c_proj: Linear,
    heads: i64,
}

impl AttentionPool {
    fn new(architecture: &Architecture, weights: &mut Weights) -> Self {
        let c = i64::from(architecture.width) * 32;
        let side = i64::from(architecture.image_size / 32);
        let key = "visual.attnpool";
        let positions = format!("{key}.positional_embedding");
        let positional_embedding = weights.take(&positions, &[side * side + 1, c]);
        let mut linear = |name: &str, to| Linear::new(weights, &format!("{key}.{name}"), c, to);
        Self {
            positional_embedding,
            q_proj: linear("q_proj", c),
            k_proj: linear("k_proj", c),
            v_proj: linear("v_proj", c),
            c_proj: linear("c_proj", i64::from(architecture.embedding)),
            heads: i64::from(architecture.pool_heads),
        }
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, Failure> {
        let (n, c, h, w) = x.size4()?;
        let positions = self.positional_embedding.size()[0];
        if h * w + 1 != positions {
            let side = (positions - 1).isqrt() * 32;
            return Err(Failure::new(format!(
                "the embedding needs images of {side} x {side} pixels, and was given a map of {h} x {w}"
            )));
        }
        let x = x.flatten(2, -1).permute([0, 2, 1]); // [n, h*w, c]
        let mean = x.mean_dim([1i64].as_slice(), true, Kind::Float); // [n, 1, c]
        let x = Tensor::cat(&[mean, x], 1) + &self.positional_embedding; // [n, h*w+1, c]
        let heads = |y: Tensor| {
            let length = y.size()[1];
            y.view([n, length, self.heads, c / self.heads]).permute([0, 2, 1, 3]) // [n, heads, length, c/heads]
        };
        let q = heads(self.q_proj.forward(&x.narrow(1, 0, 1))); // [n, heads, 1, c/heads]
        let k = heads(self.k_proj.forward(&x)); // [n, heads, h*w+1, c/heads]
        let v = heads(self.v_proj.forward(&x)); // [n, heads, h*w+1, c/heads]
        let scale = ((c / self.heads) as f64).sqrt();
        let weights = (q.matmul(&k.transpose(-2, -1)) / scale).softmax(-1, Kind::Float); // [n, heads, 1, h*w+1]
        let pooled = weights.matmul(&v).permute([0, 2, 1, 3]).reshape([n, c]); // [n, c]
        Ok(self.c_proj.forward(&pooled)) // [n, embedding]
    }
}

#[derive(Debug)]
struct Linear {
    weight: Tensor, // [to, from]
    bias: Tensor,   // [to]
}

impl Linear {
    fn new(weights: &mut Weights, key: &str, from: i64, to: i64) -> Self {
        Self {
            weight: weights.take(&format!("{key}.weight"), &[to, from]),
            bias: weights.take(&format!("{key}.bias"), &[to]),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias))
    }
}
