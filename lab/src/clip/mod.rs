//! The model family: a weights file in; activations and embeddings of images out.
//!
//! Names of layers and sizes come from `neuronotes::model`. Knows nothing of requests or data sets.

pub mod preprocess;
pub mod resnet;
pub mod weights;

use std::path::Path;

use neuronotes::model::Architecture;
use tch::{Device, Kind, Tensor};

use crate::failure::Failure;
use resnet::ResNet;
use weights::Weights;

/// Mean of red, green and blue over CLIP's training images, in 0…1.
pub const MEAN: [f32; 3] = [0.48145466, 0.4578275, 0.40821073];
/// Standard deviation of red, green and blue over CLIP's training images.
pub const DEVIATION: [f32; 3] = [0.26862954, 0.261_302_6, 0.275_777_1];

/// A CLIP's visual tower on its device.
#[derive(Debug)]
pub struct Clip {
    /// Its sizes.
    pub architecture: Architecture,
    /// Its visual tower.
    pub visual: ResNet,
    /// Where it is.
    pub device: Device,
    mean: Tensor,      // [1, 3, 1, 1]
    deviation: Tensor, // [1, 3, 1, 1]
}

impl Clip {
    /// Reads a weights file into single precision on `device`. The text tower's tensors are left
    /// where they are.
    ///
    /// # Errors
    /// Where the file is no CLIP ResNet, with all missing, surplus and misshapen tensors by name.
    pub fn load(path: &Path, device: Device) -> Result<Self, Failure> {
        let mut weights =
            Weights::open(path, device).map_err(|error| Failure::new(error.to_string()))?;
        let architecture = Architecture::of_header(weights.header())
            .map_err(|error| Failure::new(error.to_string()))?;
        let visual = ResNet::new(&architecture, &mut weights);
        weights.finish().map_err(|error| Failure::new(error.to_string()))?;
        let row =
            |values: &[f32; 3]| Tensor::from_slice(values).view([1, 3, 1, 1]).to_device(device);
        Ok(Self { visual, device, mean: row(&MEAN), deviation: row(&DEVIATION), architecture })
    }

    /// From colours in 0…1 to what the network was trained on: `[n, 3, h, w]` to the same.
    pub fn normalise(&self, images: &Tensor) -> Tensor {
        (images - &self.mean) / &self.deviation
    }

    /// Pictures as [`preprocess::prepare`] gives them, one after the other, to the network's input.
    ///
    /// Returns `[n, 3, side, side]`, normalised, on the model's device.
    ///
    /// # Errors
    /// Where `pixels` is not `n` pictures long, or memory runs out.
    pub fn input(&self, pixels: &[u8], n: usize) -> Result<Tensor, Failure> {
        let side = i64::from(self.architecture.image_size);
        let shape = [n as i64, side, side, 3];
        let images = Tensor::f_from_data_size(pixels, &shape, Kind::Uint8)? // [n, h, w, 3]
            .f_to_device(self.device)?
            .f_permute([0, 3, 1, 2])? // [n, 3, h, w]
            .f_to_kind(Kind::Float)?
            / 255.0;
        Ok(self.normalise(&images).f_contiguous()?)
    }
}
