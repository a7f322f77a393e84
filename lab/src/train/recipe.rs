//! A recipe: everything that decides a training except its data, read from a JSON file.

use std::fs;
use std::path::Path;

use neuronotes_core::model::Precision;
use neuronotes_core::model::{
    Architecture, ResNetSizes, TextArchitecture, TransformerSizes, Visual,
};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Everything that decides a training except its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Random seed.
    pub seed: u64,
    /// Total number of steps.
    pub steps: u64,
    /// Pictures per step.
    pub batch: usize,
    /// Number of names that each picture of a step is compared with; 0 for all.
    pub texts: usize,
    /// Maximum learning rate. It rises linearly to this and falls to 0 as a cosine; stages may multiply it.
    pub rate: f64,
    /// Steps until the maximum learning rate.
    pub warmup: u64,
    /// AdamW's weight decay, for matrices and kernels only.
    pub decay: f64,
    /// Pictures of the same name per step, each composed separately; `batch` is a multiple of this.
    pub together: usize,
    /// Weight of the kinship loss: the last layer's units should respond alike to all pictures and words of one name.
    pub kinship: f64,
    /// Temperature of kinship's similarities.
    pub temperature: f64,
    /// Precision of the forward and backward pass; the weights themselves are in single precision.
    pub precision: Precision,
    /// Sizes of the network.
    pub network: Sizes,
    /// The stages, in order.
    pub stages: Vec<Stage>,
}

/// Sizes of a CLIP with a ModifiedResNet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Channels after the stem, a multiple of 8; the last layer has 32 times as many units.
    pub width: u32,
    /// Blocks in each of the four layers.
    pub blocks: [u32; 4],
    /// Length of an embedding.
    pub embedding: u32,
    /// Channels of the text tower.
    pub text_width: u32,
    /// Blocks of the text tower.
    pub text_layers: u32,
    /// Context length of the text tower, in tokens.
    pub context: u32,
}

/// A stage of a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its end, as a fraction of all steps.
    pub until: f64,
    /// Width and height of the pictures, a multiple of 32 pixels.
    pub side: u32,
    /// Fractions of samples that are pictures, words, and a picture with its word.
    pub mix: Mix,
    /// How strongly each is moved, rotated, scaled and recoloured.
    pub strength: Strength,
    /// Factor of the learning rate: above 1 if much has to be relearned late, such as when pictures grow.
    #[serde(default = "unchanged")]
    pub rate: f64,
}

fn unchanged() -> f64 {
    1.0
}

/// Fractions of the samples; the rest to 1 is a picture together with its word.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Pictures alone.
    pub picture: f64,
    /// Words alone.
    pub word: f64,
}

/// Strength of the augmentation: moving, rotating, scaling and recolouring, from 0 (none) to 1. Words are learned
/// more easily if they first appear where they are expected; the few pictures of a name are memorised unless they
/// vary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strength {
    /// Pictures.
    pub picture: f64,
    /// Words and their background.
    pub word: f64,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// If it cannot be read or has invalid values.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::new(format!("{} cannot be read ({error})", path.display()))
        })?;
        let recipe: Self = serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!("{} is not a training recipe ({error})", path.display()))
                .hint("see models/emoji-clip.recipe.json for an example")
        })?;
        match recipe.problem() {
            None => Ok(recipe),
            Some(why) => Err(Failure::new(format!("{}: {why}", path.display()))),
        }
    }

    fn problem(&self) -> Option<String> {
        let Sizes { width, blocks, embedding, text_width, text_layers, context } = self.network;
        if self.steps == 0 || self.batch < 2 {
            return Some("a training needs at least one step and two pictures per step".into());
        }
        if self.together == 0 || !self.batch.is_multiple_of(self.together) {
            return Some(format!(
                "`batch` is {}, which is not a multiple of `together`",
                self.batch
            ));
        }
        if self.temperature <= 0.0 {
            return Some(format!("the `temperature` is {}, but must be above 0", self.temperature));
        }
        if width == 0 || width % 8 != 0 || blocks.contains(&0) {
            return Some(format!(
                "`width` is {width}, but must be a multiple of 8, and each layer needs a block"
            ));
        }
        if embedding == 0 || text_width == 0 || text_layers == 0 || context < 3 {
            return Some("`embedding`, `text_width` and `text_layers` must be at least 1, and `context` at least 3".into());
        }
        let mut from = 0.0;
        for (i, stage) in (1..).zip(&self.stages) {
            let Mix { picture, word } = stage.mix;
            if stage.side == 0 || stage.side % 32 != 0 {
                return Some(format!(
                    "stage {i} has a `side` of {}, which is not a multiple of 32",
                    stage.side
                ));
            }
            if !(stage.rate.is_finite() && stage.rate > 0.0) {
                return Some(format!(
                    "the `rate` of stage {i} is {}, but must be above 0",
                    stage.rate
                ));
            }
            if stage.until <= from {
                return Some(format!("stage {i} ends before it begins"));
            }
            if picture < 0.0 || word < 0.0 || picture + word > 1.0 {
                return Some(format!(
                    "the `mix` of stage {i} must be fractions with a sum of at most 1"
                ));
            }
            from = stage.until;
        }
        (from < 1.0).then(|| "the last stage must end at 1".into())
    }

    /// The stage of a step.
    pub fn stage(&self, step: u64) -> &Stage {
        let at = step as f64 / self.steps as f64;
        let stage = self.stages.iter().find(|stage| at < stage.until);
        stage.unwrap_or(&self.stages[self.stages.len() - 1])
    }

    /// Whether a training with `other` is, after so many steps, also one with this recipe: they differ only in later
    /// stages.
    pub fn continues(&self, other: &Self, steps: u64) -> bool {
        let shown = |recipe: &Self, step| {
            let Stage { side, mix, strength, rate, .. } = *recipe.stage(step);
            (side, mix, strength, rate)
        };
        Self { stages: other.stages.clone(), ..self.clone() } == *other
            && (0..steps).all(|step| shown(self, step) == shown(other, step))
    }

    /// The learning rate of a step.
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.rate * self.stage(step).rate * (step + 1) as f64 / self.warmup as f64;
        }
        let left = self.steps.saturating_sub(self.warmup).max(1);
        let at = (step - self.warmup) as f64 / left as f64;
        self.rate * self.stage(step).rate * 0.5 * (1.0 + (std::f64::consts::PI * at).cos())
    }

    /// The architecture for pictures of `side` pixels and a vocabulary of `vocabulary` tokens.
    pub fn architecture(&self, side: u32, vocabulary: u32) -> Architecture {
        let Sizes { width, blocks, embedding, text_width, text_layers, context } = self.network;
        // As OpenAI's: heads of 64 channels.
        let heads = |width: u32| (width / 64).max(1);
        Architecture {
            image_size: side,
            embedding,
            visual: Visual::ResNet(ResNetSizes { width, blocks, pool_heads: heads(width * 32) }),
            text: Some(TextArchitecture {
                context,
                vocabulary,
                sizes: TransformerSizes {
                    width: text_width,
                    layers: text_layers,
                    heads: heads(text_width),
                    hidden: text_width * 4,
                },
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let mix = Mix { picture: 0.5, word: 0.5 };
        let strength = Strength { picture: 1.0, word: 0.5 };
        let stage = |until, side| Stage { until, side, mix, strength, rate: 1.0 };
        Recipe {
            seed: 0,
            steps: 100,
            batch: 8,
            texts: 0,
            rate: 1.0,
            warmup: 10,
            decay: 0.0,
            together: 2,
            kinship: 0.0,
            temperature: 0.1,
            precision: Precision::F32,
            network: Sizes {
                width: 8,
                blocks: [1; 4],
                embedding: 16,
                text_width: 16,
                text_layers: 1,
                context: 8,
            },
            stages: vec![stage(0.5, 32), stage(1.0, 64)],
        }
    }

    #[test]
    fn stages_follow_one_another() {
        let recipe = recipe();
        let sides = [0, 49, 50, 99, 100].map(|step| recipe.stage(step).side);
        assert_eq!(sides, [32, 32, 64, 64, 64]);
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let recipe = recipe();
        assert!((recipe.rate(0) - 0.1).abs() < 1e-12);
        assert!((recipe.rate(9) - 1.0).abs() < 1e-12);
        assert!((recipe.rate(55) - 0.5).abs() < 1e-12);
        assert!(recipe.rate(100).abs() < 1e-12);
        let mut faster = recipe.clone();
        faster.stages[1].rate = 3.0;
        assert_eq!(faster.rate(49), recipe.rate(49));
        assert!((faster.rate(55) - 1.5).abs() < 1e-12);
    }

    #[test]
    fn stages_yet_to_come_may_change() {
        let (old, mut new) = (recipe(), recipe());
        new.stages.insert(1, Stage { until: 0.8, ..new.stages[0] });
        assert!(new.continues(&old, 50) && !new.continues(&old, 51));
        assert!(!Recipe { rate: 0.5, ..old.clone() }.continues(&old, 0));
    }

    #[test]
    fn what_cannot_be_is_said() {
        let said = |change: fn(&mut Recipe)| {
            let mut recipe = recipe();
            change(&mut recipe);
            recipe.problem().unwrap_or_default()
        };
        assert_eq!(said(|_| ()), "");
        assert!(said(|r| r.stages[1].side = 65).contains("stage 2 has a `side` of 65"));
        assert!(said(|r| r.stages[1].until = 0.4).contains("stage 2 ends before it begins"));
        assert!(said(|r| r.stages.truncate(1)).contains("must end at 1"));
        assert!(said(|r| r.stages[1].rate = 0.0).contains("the `rate` of stage 2"));
        assert!(said(|r| r.stages[0].mix.word = 0.6).contains("`mix` of stage 1"));
        assert!(said(|r| r.network.width = 12).contains("`width` is 12"));
        assert!(said(|r| r.batch = 1).contains("two pictures"));
        assert!(said(|r| r.together = 3).contains("not a multiple of `together`"));
    }
}
