//! CLIP's ModifiedResNet: normalised images in; activations by [`Stage`] out, computed no deeper than asked.
//!
//! After openai/CLIP `clip/model.py`: three convolutions in the stem; every convolution has stride 1, and
//! an average pooling does the downsampling; attention instead of a global mean at the end. Field names are
//! the checkpoint's keys. n: images, c: channels, h and w: rows and columns of a map.
//!
//! Tensor operations here use the forms of tch that panic; the session catches that at each request.

mod wiring;

use std::ops::ControlFlow;

use neuronotes_core::model::{ResNetSizes, Stage, StemTap, Tap};
use tch::{Device, Tensor};

use super::activations::{Activations, Collector};
use super::hook;
use super::loading::BatchNorm;
use super::pool::AttentionPool;
use super::terms::Terms;
use super::tower::Tower;
use super::weights::Weights;
use super::wiring::Wiring;
use crate::failure::Failure;

/// Avoids division by zero in BatchNorm.
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

impl ResNet {
    /// Takes the tower's weights.
    pub(super) fn new(
        image_size: u32,
        sizes: &ResNetSizes,
        embedding: u32,
        norm: BatchNorm,
        weights: &mut Weights,
    ) -> Self {
        let width = i64::from(sizes.width);
        let mut stem = |conv: u32, from, to, stride| {
            let (conv, bn) = (format!("visual.conv{conv}"), format!("visual.bn{conv}"));
            Conv::new(weights, &conv, &bn, [to, from, 3, 3], stride, norm)
        };
        let conv1 = stem(1, 3, width / 2, 2);
        let conv2 = stem(2, width / 2, width / 2, 1);
        let conv3 = stem(3, width / 2, width, 1);
        let mut from = width;
        let layers = [1u32, 2, 3, 4].map(|layer| {
            let planes = width << (layer - 1);
            (0..sizes.blocks[layer as usize - 1])
                .map(|block| {
                    let key = format!("visual.layer{layer}.{block}");
                    let stride = if layer > 1 && block == 0 { 2 } else { 1 };
                    let bottleneck = Bottleneck::new(weights, &key, from, planes, stride, norm);
                    from = planes * 4;
                    bottleneck
                })
                .collect()
        });
        let attnpool = AttentionPool::new(image_size, sizes, embedding, weights);
        Self { conv1, conv2, conv3, layers, attnpool }
    }

    /// Returns `[n, embedding]`, unless `out` is complete before.
    fn run(&self, images: &Tensor, out: &mut Collector<'_>) -> ControlFlow<(), Tensor> {
        let mut x = images.to_kind(self.conv1.weight.kind());
        for (i, conv) in (1u32..).zip([&self.conv1, &self.conv2, &self.conv3]) {
            let at = |tap| Stage::Stem(i, tap);
            x = conv.forward(&x, out, at(StemTap::Conv), at(StemTap::Norm))?; // [n, width/2 or width, h/2, w/2]
            x = out.relu(at(StemTap::Norm), at(StemTap::Relu), x)?; // [n, width/2 or width, h/2, w/2]
        }
        x = out.offer(Stage::StemOutput, average_pool(&x, 2))?; // [n, width, h/4, w/4]
        for (layer, bottlenecks) in (1u32..).zip(&self.layers) {
            for (block, bottleneck) in (0u32..).zip(bottlenecks) {
                let at = |tap| Stage::Bottleneck { stage: layer, block, tap };
                x = bottleneck.forward(&x, out, at)?; // [n, planes*4, h/4/stride, w/4/stride]
            }
        }
        let pooled = out.offer(Stage::Pooled, self.attnpool.heads(&x))?; // [n, c]
        out.offer(Stage::Embedding, self.attnpool.project(&pooled)) // [n, embedding]
    }
}

impl Tower for ResNet {
    /// Runs the network on `images`, `[n, 3, h, w]` normalised, up to the deepest stage that is wanted.
    ///
    /// Any h and w will do, except for the embedding, whose attention pool has a position for each pixel
    /// of its map: for it they must be the model's own image size.
    ///
    /// # Errors
    /// If the embedding of images of another size is wanted, or an activation between a convolution and its
    /// BatchNorm in a network that has folded them.
    fn forward(&self, images: &Tensor, mut out: Collector<'_>) -> Result<Activations, Failure> {
        if let Some(stage) =
            out.stages().find(|stage| stage.splits_norm() && self.conv1.is_folded())
        {
            return Err(Failure::new(format!("{stage:?} is folded into the BatchNorm after it")));
        }
        let (_, _, h, w) = images.size4()?;
        if out.stages().any(|stage| self.fixes_size(stage)) {
            self.attnpool.check(map_side(h), map_side(w))?;
        }
        let _ = self.run(images, &mut out);
        out.done()
    }

    fn fixes_size(&self, stage: Stage) -> bool {
        // The attention pool has a position for each point of the map.
        matches!(stage, Stage::Pooled | Stage::Embedding)
    }

    fn effects(&self, stage: Stage) -> Option<Tensor> {
        match stage {
            Stage::Pooled => Some(self.attnpool.projection()),
            Stage::Bottleneck { stage: 4, block, tap: Tap::Add | Tap::Output }
                if block as usize + 1 == self.layers[3].len() =>
            {
                Some(self.attnpool.effects())
            }
            _ => None,
        }
    }

    fn wiring(&self, stage: Stage) -> Wiring {
        self.units_wiring(stage)
    }

    /// The last map.
    fn term_stages(&self) -> Vec<Stage> {
        let block = self.layers[3].len().saturating_sub(1) as u32;
        vec![Stage::Bottleneck { stage: 4, block, tap: Tap::Output }]
    }

    fn terms(&self, found: &Activations, along: &Tensor) -> Result<Terms, Failure> {
        let [stage] = self.term_stages()[..] else {
            return Err(Failure::new("a ResNet ends in one map"));
        };
        Ok(self.attnpool.terms(found.get(stage)?, along, stage))
    }
}

/// Rows or columns of the last map, for as many of the image: the first convolution of the stem has a stride of 2, and
/// four poolings halve.
fn map_side(side: i64) -> i64 {
    (side + 1) / 2 / 16
}

/// Non-overlapping windows, as `AvgPool2d(size)`.
fn average_pool(x: &Tensor, size: i64) -> Tensor {
    x.avg_pool2d([size, size], [size, size], [0, 0], false, true, None)
}

/// How a processor must convolve images so that the last bits of each, forward and backward, do not depend on the other
/// images of the batch. It matters only if gradients are followed for many steps.
enum Together {
    /// In any batch.
    Any,
    /// In a batch of at least two: for one small input libtorch takes an algorithm of its own instead of oneDNN's (`use_mkldnn`
    /// in ATen's Convolution.cpp).
    Two,
    /// One by one: how oneDNN sums the gradient of three colours depends on how a batch is spread over threads.
    OneByOne,
}

impl Together {
    fn of(x: &Tensor) -> Self {
        const SMALL: usize = 20_480;
        let size = x.size();
        match x.requires_grad() && x.device() == Device::Cpu {
            true if size[1] == 3 => Self::OneByOne,
            true if size[0] == 1 && x.numel() <= SMALL => Self::Two,
            _ => Self::Any,
        }
    }
}

/// The same values with the channels of a pixel side by side in memory. Convolutions of libtorch give their output the
/// memory layout of their weights.
fn channels_last(x: &Tensor) -> Tensor {
    x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}

/// A convolution without bias, and the BatchNorm after it.
#[derive(Debug)]
struct Conv {
    weight: Tensor, // [to, from, k, k]
    norm: Norm,
    stride: i64,
    padding: i64,
}

/// `bn(conv(x)) = gain (conv(x) - mean) / sqrt(variance + ε) + shift`. Once trained, all are fixed: a factor and a bias.
#[derive(Debug)]
enum Norm {
    /// The factor is in the convolution's weights.
    Folded { bias: Tensor }, // [to]
    /// The factor stands by itself.
    Apart { factor: Tensor, bias: Tensor }, // [to, 1, 1] both
    /// Mean and variance are the batch's, and the running ones follow them. All `[to]` in single precision.
    Training { gain: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, momentum: f64 },
}

impl Conv {
    /// `shape` is [to, from, k, k].
    fn new(
        weights: &mut Weights,
        conv: &str,
        bn: &str,
        shape: [i64; 4],
        stride: i64,
        norm: BatchNorm,
    ) -> Self {
        let [to, _, size, _] = shape;
        let name = format!("{conv}.weight");
        // Folded before they are rounded to the network's precision.
        let weight = match norm {
            BatchNorm::Folded => weights.take_single(&name, &shape),
            BatchNorm::Apart | BatchNorm::Training { .. } => weights.take(&name, &shape),
        };
        let mut of_bn = |part: &str| weights.take_single(&format!("{bn}.{part}"), &[to]); // [to]
        let (gain, shift) = (of_bn("weight"), of_bn("bias"));
        let (mean, variance) = (of_bn("running_mean"), of_bn("running_var"));
        let kind = weights.kind();
        let affine = || {
            let factor = &gain / (&variance + EPSILON).sqrt(); // [to]
            let bias = &shift - &mean * &factor; // [to]
            (factor, bias)
        };
        let (weight, norm) = match norm {
            BatchNorm::Folded => {
                let (factor, bias) = affine();
                let weight = (weight * factor.view([to, 1, 1, 1])).to_kind(kind); // [to, from, k, k]
                (weight, Norm::Folded { bias: bias.to_kind(kind) })
            }
            BatchNorm::Apart => {
                let (factor, bias) = affine();
                let (factor, bias) = (factor.view([to, 1, 1]), bias.view([to, 1, 1]));
                (weight, Norm::Apart { factor: factor.to_kind(kind), bias: bias.to_kind(kind) })
            }
            BatchNorm::Training { momentum } => {
                (weight, Norm::Training { gain, shift, mean, variance, momentum })
            }
        };
        Self { weight: channels_last(&weight), norm, stride, padding: size / 2 }
    }

    fn is_folded(&self) -> bool {
        matches!(self.norm, Norm::Folded { .. })
    }

    /// `[n, from, h, w]` to `[n, to, h/stride, w/stride]`, offered before and after BatchNorm.
    fn forward(
        &self,
        x: &Tensor,
        out: &mut Collector<'_>,
        before: Stage,
        after: Stage,
    ) -> ControlFlow<(), Tensor> {
        let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
        let bias = match &self.norm {
            Norm::Folded { bias } => Some(bias),
            Norm::Apart { .. } | Norm::Training { .. } => None,
        };
        let convolve = |x: &Tensor| x.conv2d(&self.weight, bias, stride, padding, [1, 1], 1);
        let y = match Together::of(x) {
            Together::Any => convolve(x),
            Together::Two => convolve(&Tensor::cat(&[x, x], 0)).narrow(0, 0, 1),
            Together::OneByOne => {
                let images: Vec<Tensor> =
                    (0..x.size()[0]).map(|image| convolve(&x.narrow(0, image, 1))).collect();
                Tensor::cat(&images, 0)
            }
        };
        let y = match &self.norm {
            Norm::Folded { .. } => y,
            Norm::Apart { factor, bias } => {
                let y = out.offer(before, y)?;
                (y * factor).g_add_(bias)
            }
            Norm::Training { gain, shift, mean, variance, momentum } => {
                let y = out.offer(before, y)?;
                y.batch_norm(
                    Some(gain),
                    Some(shift),
                    Some(mean),
                    Some(variance),
                    true,
                    *momentum,
                    EPSILON,
                    true,
                )
            }
        };
        out.offer(after, y)
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
    fn new(
        weights: &mut Weights,
        key: &str,
        from: i64,
        planes: i64,
        stride: i64,
        norm: BatchNorm,
    ) -> Self {
        let mut conv = |name: &str, bn: &str, shape| {
            Conv::new(weights, &format!("{key}.{name}"), &format!("{key}.{bn}"), shape, 1, norm)
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

    /// `[n, from, h, w]` to `[n, planes*4, h/stride, w/stride]`.
    fn forward(
        &self,
        x: &Tensor,
        out: &mut Collector<'_>,
        at: impl Fn(Tap) -> Stage,
    ) -> ControlFlow<(), Tensor> {
        // Assigned, not shadowed, so that the memory of each map is free for the next but one.
        let mut inner = self.conv1.forward(x, out, at(Tap::Conv1), at(Tap::Norm1))?; // [n, planes, h, w]
        inner = out.relu(at(Tap::Norm1), at(Tap::Relu1), inner)?;
        inner = self.conv2.forward(&inner, out, at(Tap::Conv2), at(Tap::Norm2))?; // [n, planes, h, w]
        inner = out.relu(at(Tap::Norm2), at(Tap::Relu2), inner)?;
        inner = out.offer(at(Tap::Pool), self.pool(inner))?; // [n, planes, h/stride, w/stride]
        inner = self.conv3.forward(&inner, out, at(Tap::Conv3), at(Tap::Norm3))?; // [n, planes*4, h/stride, w/stride]
        let identity = match &self.downsample {
            Some(conv) => {
                let x = self.pool(x.shallow_clone()); // [n, from, h/stride, w/stride]
                conv.forward(&x, out, at(Tap::ShortcutConv), at(Tap::Shortcut))?
            }
            None => x.shallow_clone(),
        }; // [n, planes*4, h/stride, w/stride]
        // With a replacement inside the block, one of them may have more rows.
        let apart = out.holds(at(Tap::Norm3)) || inner.size() != identity.size();
        let sum = match apart {
            true => hook::sum(&inner, &identity),
            false => inner.g_add_(&identity),
        };
        let sum = out.offer(at(Tap::Add), sum)?;
        out.relu(at(Tap::Add), at(Tap::Output), sum)
    }
}
