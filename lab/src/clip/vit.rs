//! CLIP's vision transformer: normalised images in; activations by [`Stage`] out, computed no deeper than asked.
//!
//! After openai/CLIP `clip/model.py`. n: images, g: patches across and down, t = g² + 1: tokens, the class token
//! first, c: channels of the residual stream.

use neuronotes_core::model::{Activation, Stage, VitSizes};
use tch::Tensor;

use super::activations::{Activations, Collector};
use super::transformer::{LayerNorm, Transformer};
use super::weights::Weights;
use crate::failure::Failure;

/// The visual tower.
#[derive(Debug)]
pub struct VisionTransformer {
    conv1: Tensor,                // [c, 3, patch, patch]
    class_embedding: Tensor,      // [c]
    positional_embedding: Tensor, // [t, c]
    ln_pre: LayerNorm,
    transformer: Transformer,
    ln_post: LayerNorm,
    proj: Tensor, // [c, embedding]
    patch: i64,
}

impl VisionTransformer {
    /// Takes the tower's weights. `image_size` is in pixels.
    pub(super) fn new(
        image_size: u32,
        sizes: &VitSizes,
        embedding: u32,
        activation: Activation,
        weights: &mut Weights,
    ) -> Self {
        let (c, patch) = (i64::from(sizes.sizes.width), i64::from(sizes.patch));
        let side = i64::from(image_size) / patch;
        Self {
            conv1: weights.take("visual.conv1.weight", &[c, 3, patch, patch]),
            class_embedding: weights.take("visual.class_embedding", &[c]),
            positional_embedding: weights
                .take("visual.positional_embedding", &[side * side + 1, c]),
            ln_pre: LayerNorm::new("visual.ln_pre", c, weights),
            transformer: Transformer::new("visual.transformer", &sizes.sizes, activation, weights),
            ln_post: LayerNorm::new("visual.ln_post", c, weights),
            proj: weights.take("visual.proj", &[c, i64::from(embedding)]),
            patch,
        }
    }

    /// Runs the network on `images`, `[n, 3, h, w]` normalised, up to the deepest stage in `wanted`.
    ///
    /// # Errors
    /// Where the images are not of the model's own size, for whose patches alone it has positions, and more than
    /// the patches is wanted.
    pub(super) fn forward(
        &self,
        images: &Tensor,
        mut out: Collector<'_>,
    ) -> Result<Activations, Failure> {
        let patch = [self.patch; 2];
        let images = images.to_kind(self.conv1.kind());
        let patches = images.conv2d(&self.conv1, None::<&Tensor>, patch, [0, 0], [1, 1], 1); // [n, c, g, g]
        out.offer(Stage::Input, &patches);
        if out.complete() {
            return Ok(out.done());
        }
        let (n, c, down, across) = patches.size4()?;
        let side = (self.positional_embedding.size()[0] - 1).isqrt();
        if (down, across) != (side, side) {
            return Err(Failure::new(format!(
                "the model needs images of {size} x {size} pixels, and was given {across} x {down} patches",
                size = side * self.patch
            )));
        }
        let patches = patches.flatten(2, -1).transpose(1, 2); // [n, g², c]
        let class = self.class_embedding.expand([n, 1, c], false); // [n, 1, c]
        let x = Tensor::cat(&[class, patches], 1) + &self.positional_embedding; // [n, t, c]
        let x = self.ln_pre.forward(&x); // [n, t, c]
        out.offer(Stage::Stream, &x);
        let x = self.transformer.forward(x, false, &mut out); // [n, t, c]
        if out.complete() {
            return Ok(out.done());
        }
        let class = self.ln_post.forward(&x.select(1, 0)); // [n, c]
        out.offer(Stage::Final, &class);
        if !out.complete() {
            out.offer(Stage::Embedding, &class.matmul(&self.proj)); // [n, embedding]
        }
        Ok(out.done())
    }
}
