//! The weights by which a ResNet's units are computed and read.

use neuronotes_core::model::{Stage, StemTap, Tap};
use tch::Tensor;

use super::{Conv, Norm, ResNet};
use crate::clip::wiring::{Wiring, read, written};

impl Conv {
    /// Its weights as they are before or after its BatchNorm, whose factor is one for each row.
    fn written(&self, before_norm: bool) -> Tensor {
        match &self.norm {
            Norm::Apart { factor, .. } if !before_norm => {
                written(&(&self.weight * factor.view([-1, 1, 1, 1])))
            }
            _ => written(&self.weight),
        }
    }

    /// Its weights by what it reads, after its BatchNorm.
    fn read(&self) -> Tensor {
        match &self.norm {
            Norm::Apart { factor, .. } => read(&(&self.weight * factor.view([-1, 1, 1, 1]))),
            _ => read(&self.weight),
        }
    }
}

impl ResNet {
    /// The weights of the units at a stage. Averaging, ReLUs and BatchNorms between a unit and a convolution are passed
    /// through; of a residual sum, the weights in are those of its own block.
    pub(super) fn units_wiring(&self, stage: Stage) -> Wiring {
        match stage {
            Stage::Stem(conv, tap) => {
                let convs = [&self.conv1, &self.conv2, &self.conv3];
                let at = conv as usize;
                let Some(own) = convs.get(at.wrapping_sub(1)) else { return Wiring::default() };
                let out =
                    convs.get(at).map_or_else(|| self.read_from(0, 0), |next| vec![next.read()]);
                Wiring::of(&[own.written(tap == StemTap::Conv)], &out)
            }
            Stage::StemOutput => Wiring::of(&[self.conv3.written(false)], &self.read_from(0, 0)),
            Stage::Bottleneck { stage, block, tap } => self.of_block(stage, block, tap),
            Stage::Embedding => Wiring::of(&[written(self.attnpool.writes())], &[]),
            _ => Wiring::default(),
        }
    }

    fn of_block(&self, stage: u32, block: u32, tap: Tap) -> Wiring {
        let (stage, block) = (stage as usize - 1, block as usize);
        let own = self.layers.get(stage).and_then(|blocks| blocks.get(block));
        let Some(own) = own else { return Wiring::default() };
        let next = || self.read_from(stage, block + 1);
        let shortcut = |before| own.downsample.iter().map(|conv| conv.written(before)).collect();
        match tap {
            Tap::Conv1 | Tap::Norm1 | Tap::Relu1 => {
                Wiring::of(&[own.conv1.written(tap == Tap::Conv1)], &[own.conv2.read()])
            }
            Tap::Conv2 | Tap::Norm2 | Tap::Relu2 | Tap::Pool => {
                Wiring::of(&[own.conv2.written(tap == Tap::Conv2)], &[own.conv3.read()])
            }
            Tap::Conv3 | Tap::Norm3 => Wiring::of(&[own.conv3.written(tap == Tap::Conv3)], &next()),
            Tap::ShortcutConv | Tap::Shortcut => {
                let into: Vec<Tensor> = shortcut(tap == Tap::ShortcutConv);
                Wiring::of(&into, &next())
            }
            Tap::Add | Tap::Output => {
                let mut into: Vec<Tensor> = vec![own.conv3.written(false)];
                into.extend::<Vec<Tensor>>(shortcut(false));
                Wiring::of(&into, &next())
            }
        }
    }

    /// The weights that read what enters a block, counted from 0; behind the last block, those of the attention pool.
    fn read_from(&self, stage: usize, block: usize) -> Vec<Tensor> {
        let here = self.layers.get(stage).and_then(|blocks| blocks.get(block));
        let next = here.or_else(|| self.layers.get(stage + 1).and_then(|blocks| blocks.first()));
        match next {
            Some(next) => {
                let shortcut = next.downsample.iter().map(Conv::read);
                std::iter::once(next.conv1.read()).chain(shortcut).collect()
            }
            None => self.attnpool.reads().map(read).into(),
        }
    }
}
