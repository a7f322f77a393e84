//! CLIP's vision transformer: normalised images in; activations by [`Stage`] out, computed no deeper than asked.
//!
//! After openai/CLIP `clip/model.py`. n: images, g: patches across and down, t = g² + 1: tokens, the class token
//! first, c: channels of the residual stream.

mod wiring;

use std::ops::ControlFlow;

use neuronotes_core::model::{Activation, BlockTap, Stage, VitSizes};
use tch::{Device, Kind, Tensor};

use super::activations::{Activations, Collector};
use super::terms::{Part, Term, Terms};
use super::tower::Tower;
use super::transformer::{LayerNorm, Transformer};
use super::weights::Weights;
use super::wiring::Wiring;
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

    /// Returns `[n, embedding]`, unless `out` is complete before.
    fn run(&self, images: &Tensor, out: &mut Collector<'_>) -> ControlFlow<(), Tensor> {
        let images = images.to_kind(self.conv1.kind());
        let patches =
            images.conv2d(&self.conv1, None::<&Tensor>, [self.patch; 2], [0, 0], [1, 1], 1);
        let patches = out.offer(Stage::Input, patches)?; // [n, c, g, g]
        let (n, c) = (patches.size()[0], patches.size()[1]);
        let patches = patches.flatten(2, -1).transpose(1, 2); // [n, g², c]
        let class = self.class_embedding.expand([n, 1, c], false); // [n, 1, c]
        let x = Tensor::cat(&[class, patches], 1) + &self.positional_embedding; // [n, t, c]
        let x = out.offer(Stage::Stream, self.ln_pre.forward(&x))?; // [n, t, c]
        let x = self.transformer.forward(x, false, out)?; // [n, t, c]
        let class = out.offer(Stage::Final, self.ln_post.forward(&x.select(1, 0)))?; // [n, c]
        out.offer(Stage::Embedding, class.matmul(&self.proj)) // [n, embedding]
    }
}

/// The stream after the last of so many blocks.
fn last(blocks: u32) -> Stage {
    Stage::Residual { block: blocks.saturating_sub(1), tap: BlockTap::Output }
}

impl Tower for VisionTransformer {
    /// Runs the network on `images`, `[n, 3, h, w]` normalised, up to the deepest stage that is wanted.
    ///
    /// # Errors
    /// If more than the patches is wanted of images that are not of the model's own size, for whose patches alone it has
    /// positions.
    fn forward(&self, images: &Tensor, mut out: Collector<'_>) -> Result<Activations, Failure> {
        let (_, _, h, w) = images.size4()?;
        let (down, across) = (h / self.patch, w / self.patch);
        let side = (self.positional_embedding.size()[0] - 1).isqrt();
        let deeper = out.stages().any(|stage| stage != Stage::Input);
        if deeper && (down, across) != (side, side) {
            return Err(Failure::new(format!(
                "the model needs images of {size} x {size} pixels, and was given {across} x {down} patches",
                size = side * self.patch
            )));
        }
        let _ = self.run(images, &mut out);
        out.done()
    }

    fn fixes_size(&self, stage: Stage) -> bool {
        stage != Stage::Input
    }

    fn effects(&self, stage: Stage) -> Option<Tensor> {
        let proj = || self.proj.to_device(Device::Cpu).to_kind(Kind::Double);
        (stage == Stage::Final).then(proj)
    }

    fn wiring(&self, stage: Stage) -> Wiring {
        self.units_wiring(stage)
    }

    /// The class token before the first block, what each block adds to it, and it after the last block.
    fn term_stages(&self) -> Vec<Stage> {
        let blocks = self.transformer.blocks();
        let of_block =
            |block| [BlockTap::Norm1, BlockTap::Mlp].map(|tap| Stage::Residual { block, tap });
        let inside = (0..blocks).flat_map(of_block);
        let ends = [Stage::Stream, last(blocks), Stage::Final];
        inside.chain(ends).collect()
    }

    fn terms(&self, found: &Activations, along: &Tensor) -> Result<Terms, Failure> {
        let blocks = self.transformer.blocks();
        let token = |stage| Ok::<_, Failure>(found.get(stage)?.to_kind(Kind::Float).select(1, 0)); // [n, c]
        let [gain, shift, mean, deviation] = self.ln_post.parts(&token(last(blocks))?);
        let (factor, proj) = (gain / deviation, self.proj.to_kind(Kind::Float)); // [n, c], [c, e]
        // What the last LayerNorm subtracts and adds belongs to all terms alike.
        let share = 1.0 / f64::from(2 * blocks + 1);
        let scaled = |x: &Tensor, share: f64| (x - &mean * share) * &factor + &shift * share;
        let whole = |part, x: &Tensor| Term {
            part,
            vector: scaled(x, share).matmul(&proj),
            positions: None,
        };
        let mut terms = vec![whole(Part::Start, &token(Stage::Stream)?)];
        let wanted = proj.matmul(along); // [c]
        for block in 0..blocks {
            let norm = found.get(Stage::Residual { block, tap: BlockTap::Norm1 })?;
            let (read, out) = self.transformer.read_by_first(block, norm)?;
            let ((out, bias), size) = (out.parts(), read.size()); // [c, c], [c]
            let (n, heads, t, width) = (size[0], size[1], size[2], size[3]);
            let of_heads = out.view([-1, heads, width]); // [c, heads, width]
            let none = None::<i64>;
            let added = Tensor::einsum("nhtw,chw->nhc", &[&read, &of_heads], none);
            // The direction, as each head sees it.
            let back = (&factor * &wanted).matmul(&out).view([n, heads, width]);
            let from = Tensor::einsum("nhtw,nhw->nht", &[&read, &back], none); // [n, heads, t]
            let each = (heads * t) as f64;
            let rest = scaled(&(&bias / each), share / each).matmul(&wanted).view([n, 1, 1]);
            let positions = from + rest;
            let alike = &bias / heads as f64;
            terms.extend((0..heads).map(|head| Term {
                part: Part::Head { block, head: head as u32 },
                vector:
                    scaled(&(added.select(1, head) + &alike), share / heads as f64).matmul(&proj),
                positions: Some(positions.select(1, head)),
            }));
            let mlp = token(Stage::Residual { block, tap: BlockTap::Mlp })?;
            terms.push(whole(Part::Mlp(block), &mlp));
        }
        let last = found.get(Stage::Final)?.to_kind(Kind::Float); // [n, c]
        let rest = last.select(1, 0).zeros_like();
        Ok(Terms { terms, stage: Stage::Final, units: (last * wanted).unsqueeze(-1), rest })
    }
}
