//! Dictionaries over layers: a file in; the encoder with its bias, and the decoder if it is asked for, out, in single precision.
//! `neuronotes_core::model` has the file's tensors and their shapes.
//!
//! `encoder · (x − decoder_bias) + encoder_bias` is `encoder · x + bias` with one bias for each feature, which is computed
//! once, in double precision.

use std::io::Read as _;
use std::path::Path;

use half::{bf16, f16};
use neuronotes_core::model::{self, Layer};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Kind, Tensor};

use crate::failure::Failure;

/// Most features that are computed at once, which limits the memory that their maps take.
const AT_ONCE: i64 = 1024;

/// A dictionary, on the model's device.
#[derive(Debug)]
pub struct Dictionary {
    encoder: Tensor, // [features, units]
    bias: Tensor,    // [features]
    /// What each feature adds to the layer, `[units, features]`; only of [`Dictionary::with_decoder`].
    decoder: Option<Tensor>,
}

impl Dictionary {
    /// Reads a dictionary over a layer, without its decoder.
    ///
    /// # Errors
    /// If the file cannot be read, does not have the tensors of a dictionary over that layer, or has a number that is not
    /// finite.
    pub fn open(path: &Path, layer: &Layer, device: Device) -> Result<Self, Failure> {
        let (dictionary, _) = Self::read(path, layer, device)?;
        Ok(dictionary)
    }

    /// The same with its decoder.
    ///
    /// # Errors
    /// As for [`Dictionary::open`], or if the file has no decoder.
    pub fn with_decoder(path: &Path, layer: &Layer, device: Device) -> Result<Self, Failure> {
        let (dictionary, decoder) = Self::read(path, layer, device)?;
        if decoder.is_empty() {
            let message = format!(
                "{} has no tensor `decoder`, which says what a feature adds to the layer",
                path.display()
            );
            let hint = format!(
                "save the dictionary with its decoder, or use `layer: {}`",
                layer.name.shown()
            );
            return Err(Failure::new(message).hint(hint));
        }
        let shape = [i64::from(layer.units), dictionary.features() as i64];
        let decoder = Tensor::from_slice(&decoder).view(shape).to_device(device);
        Ok(Self { decoder: Some(decoder), ..dictionary })
    }

    /// A dictionary without its decoder, and the numbers of the decoder; none if it has no decoder.
    fn read(path: &Path, layer: &Layer, device: Device) -> Result<(Self, Vec<f32>), Failure> {
        let sizes = model::Dictionary::read(path, layer).map_err(|error| {
            let failure = Failure::new(error.to_string());
            match error.hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        let mut bytes = Vec::new();
        neuronotes_core::file::open(path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(|error| {
                Failure::outside(format!("{} cannot be read ({error})", path.display()))
            })?;
        let malformed = |why: &dyn std::fmt::Display| {
            Failure::new(format!("{} is not a whole safetensors file ({why})", path.display()))
        };
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| malformed(&error))?;
        let (features, units) = (sizes.features as usize, layer.units as usize);
        let read = |name: &str, count: usize| match tensors.tensor(name) {
            Ok(view) => finite(numbers(&view).ok_or_else(|| malformed(&name))?, name, path),
            Err(_) => Ok(vec![0.0; count]),
        };
        let encoder = read("encoder", features * units)?;
        let (own, centre) = (read("encoder_bias", features)?, read("decoder_bias", units)?);
        let decoder = read("decoder", 0)?;
        let rows = encoder.chunks_exact(units.max(1)).zip(&own);
        let bias: Vec<f32> = rows.map(|(row, own)| folded(row, *own, &centre)).collect();
        let shape = [features as i64, units as i64];
        let dictionary = Self {
            encoder: Tensor::from_slice(&encoder).view(shape).to_device(device),
            bias: Tensor::from_slice(&bias).to_device(device),
            decoder: None,
        };
        Ok((dictionary, decoder))
    }

    /// How many features it has.
    pub fn features(&self) -> usize {
        self.bias.numel()
    }

    /// A feature's row of the encoder, `[units]`, and its bias: its value before the ReLU is their product with the
    /// activations plus the bias.
    pub fn feature(&self, feature: u32) -> (Tensor, f64) {
        let at = i64::from(feature);
        (self.encoder.select(0, at), self.bias.double_value(&[at]))
    }

    /// The row and the bias of a sum of features before their ReLU, with these weights: `[features]` in double precision to
    /// `[units]` and a number, as [`Dictionary::feature`] has them.
    pub fn along(&self, weights: &Tensor) -> (Tensor, f64) {
        let weights = weights.to_kind(Kind::Float).to_device(self.encoder.device());
        let bias = self.bias.dot(&weights).double_value(&[]);
        (self.encoder.tr().mv(&weights), bias)
    }

    /// One feature at each position: `[n, units, positions]` to `[n, positions]`.
    pub fn encode_one(&self, layer: &Tensor, feature: u32) -> Tensor {
        let at = i64::from(feature);
        self.encode(layer, at, 1).squeeze_dim(1)
    }

    /// The mean and the greatest of each feature over positions: `[n, units, positions]` to twice `[n, features]`.
    pub fn pooled(&self, layer: &Tensor) -> (Tensor, Tensor) {
        let (mut means, mut greatest) = (Vec::new(), Vec::new());
        let count = self.features() as i64;
        for start in (0..count).step_by(AT_ONCE as usize) {
            let found = self.encode(layer, start, AT_ONCE.min(count - start));
            means.push(found.mean_dim([2i64].as_slice(), false, Kind::Float));
            greatest.push(found.amax([2i64].as_slice(), false));
        }
        (Tensor::cat(&means, 1), Tensor::cat(&greatest, 1))
    }

    /// All features at each position: `[n, units, positions]` to `[n, features, positions]`.
    pub fn encode_all(&self, layer: &Tensor) -> Tensor {
        self.encode(layer, 0, self.features() as i64)
    }

    /// What features add to the layer, without the decoder's bias: `[n, features, positions]` to `[n, units, positions]`.
    ///
    /// # Errors
    /// If the decoder was not read.
    pub fn decode(&self, features: &Tensor) -> Result<Tensor, Failure> {
        let decoder = self.decoder.as_ref();
        let decoder = decoder.ok_or_else(|| Failure::new("the decoder was not read"))?;
        Ok(decoder.f_matmul(features)?)
    }

    /// Some features at each position: `[n, units, positions]` to `[n, count, positions]`.
    fn encode(&self, layer: &Tensor, start: i64, count: i64) -> Tensor {
        let rows = self.encoder.narrow(0, start, count); // [count, units]
        let bias = self.bias.narrow(0, start, count).view([-1, 1]); // [count, 1]
        (rows.matmul(&layer.to_kind(Kind::Float)) + bias).relu()
    }
}

/// The bias of a feature with that of the decoder folded in.
fn folded(row: &[f32], own: f32, centre: &[f32]) -> f32 {
    let products = row.iter().zip(centre).map(|(a, b)| f64::from(*a) * f64::from(*b));
    (f64::from(own) - products.sum::<f64>()) as f32
}

/// A tensor's elements in single precision; `None` if its type is not one that is read.
fn numbers(view: &TensorView<'_>) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
    }
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => Some(each(bytes, f32::from_le_bytes)),
        Dtype::F64 => Some(each(bytes, |bytes| f64::from_le_bytes(bytes) as f32)),
        Dtype::F16 => Some(each(bytes, |bytes| f16::from_le_bytes(bytes).to_f32())),
        Dtype::BF16 => Some(each(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32())),
        _ => None,
    }
}

/// The same numbers, if all are finite.
fn finite(numbers: Vec<f32>, tensor: &str, path: &Path) -> Result<Vec<f32>, Failure> {
    let Some(at) = numbers.iter().position(|number| !number.is_finite()) else {
        return Ok(numbers);
    };
    let what = if numbers[at].is_nan() { "NaN" } else { "infinite" };
    let path = path.display();
    Err(Failure::new(format!("the tensor `{tensor}` of {path} is {what} at element {at}"))
        .hint("a dictionary must have finite numbers; look at how it was trained and saved"))
}
