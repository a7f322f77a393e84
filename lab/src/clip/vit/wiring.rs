//! The weights by which a vision transformer's units are computed and read.

use neuronotes_core::model::{BlockTap, Stage};
use tch::Tensor;

use super::VisionTransformer;
use crate::clip::wiring::{Wiring, read, written};

impl VisionTransformer {
    /// The weights of the units at a stage. The channels of the residual stream have none of their own: every block writes to
    /// them.
    pub(super) fn units_wiring(&self, stage: Stage) -> Wiring {
        match stage {
            Stage::Input => Wiring::of(&[written(&self.conv1)], &[]),
            Stage::Residual { block, tap } => {
                let Some(weights) = self.transformer.weights(block) else {
                    return Wiring::default();
                };
                match tap {
                    BlockTap::Attention => Wiring::of(&[written(weights.attention)], &[]),
                    BlockTap::HiddenInput | BlockTap::Hidden => {
                        Wiring::of(&[written(weights.hidden)], &[read(weights.mlp)])
                    }
                    BlockTap::Mlp => Wiring::of(&[written(weights.mlp)], &[]),
                    _ => Wiring::default(),
                }
            }
            Stage::Embedding => {
                let rows: Tensor = self.proj.transpose(0, 1);
                Wiring::of(&[written(&rows)], &[])
            }
            _ => Wiring::default(),
        }
    }
}
