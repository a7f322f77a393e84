//! Parametrisations: a seed or a picture in; parameters, and from them an image, out.
//!
//! - *Fourier*, from Lucid's `param/spatial.py` and `param/color.py`: the image is the inverse real Fourier transform of
//!   a spectrum whose coefficients are scaled by 1/frequency, in a colour space whose axes are those along which natural
//!   images vary, and a sigmoid keeps colours in 0…1.
//! - *Pixels*: the same colours without the spectrum, Lucid's `fft=False`.
//! - *MACO*, after Fel et al. 2023 (arXiv 2306.06805): only the phases of a spectrum; its magnitudes are those of natural
//!   images, which fall with 1/frequency (Field 1987) and vary along Lucid's axes of colour as much as its matrix says.
//!
//! Knows nothing of networks.

use neuronotes_core::kind::feature_vis::Parametrisation;
use rand::{Rng as _, RngCore};
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Kind, Tensor};

/// Standard deviation of the initial noise.
const NOISE: f32 = 0.01;
/// Lucid's last factor before colours.
const CONTRAST: f64 = 0.25;
/// Lucid's square root of the covariance of colours over natural images; a row an output colour.
const COLOURS: [[f32; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];
/// The inverse of the sigmoid's slope at its middle: what a deviation in colours is worth before the sigmoid.
const STEEPNESS: f64 = 4.0;
/// The least distance from black and white of an initial picture's colours.
const EDGE: f64 = 0.01;

/// The parametrisation of square images of one size.
#[derive(Debug)]
pub struct Canvas {
    parametrisation: Parametrisation,
    size: i64,
    scale: Tensor, // [size, size/2 + 1, 1], or for MACO the magnitudes [size, size/2 + 1]
    colours: Tensor, // [3, 3], a row an output colour
}

impl Canvas {
    /// The parametrisation of images of `size` x `size` pixels.
    pub fn new(parametrisation: Parametrisation, size: u32, device: Device) -> Self {
        let size = i64::from(size);
        let half = size / 2 + 1;
        let scale = Tensor::from_slice(&scale(size)).view([size, half]);
        let root = Tensor::from_slice(COLOURS.as_flattened()).view([3, 3]);
        let (scale, colours) = match parametrisation {
            Parametrisation::Maco => (magnitudes(&scale, size), root * STEEPNESS),
            _ => (scale.unsqueeze(-1), root / largest_column()),
        };
        Self {
            parametrisation,
            size,
            scale: scale.to_device(device),
            colours: colours.to_device(device),
        }
    }

    /// The parameters of one image of noise.
    ///
    /// Returns `[1, 3, size, size/2 + 1, 2]`, real and imaginary parts last, for a spectrum; `[1, 3, size, size/2 + 1]`,
    /// in radians, for phases; `[1, 3, size, size]` for pixels.
    pub fn noise(&self, chance: &mut impl RngCore) -> Tensor {
        let shape = self.shape();
        let count = shape.iter().product::<i64>();
        let normal = |chance: &mut _| NOISE * Distribution::<f32>::sample(&StandardNormal, chance);
        let numbers: Vec<f32> = (0..count)
            .map(|_| match self.parametrisation {
                Parametrisation::Maco => {
                    chance.random_range(-std::f32::consts::PI..std::f32::consts::PI)
                }
                _ => normal(chance),
            })
            .collect();
        Tensor::from_slice(&numbers).view(shape.as_slice()).to_device(self.scale.device())
    }

    /// The parameters of an image, `[1, 3, size, size]` with colours in 0…1. What the parametrisation cannot represent is
    /// lost: colours close to black and white, and for phases the magnitudes.
    pub fn of_image(&self, image: &Tensor) -> Tensor {
        tch::no_grad(|| {
            let image = image.to_device(self.scale.device()).clamp(EDGE, 1.0 - EDGE).logit(None);
            let flat = image.flatten(2, -1).to_kind(Kind::Double); // [1, 3, size²]
            let mixed = self.colours.to_kind(Kind::Double).inverse().matmul(&flat);
            let pixels = mixed.to_kind(Kind::Float).view([1, 3, self.size, self.size]);
            if self.parametrisation == Parametrisation::Pixels {
                return pixels;
            }
            let spectrum = pixels.fft_rfft2(None::<i64>, [-2i64, -1].as_slice(), "backward");
            match self.parametrisation {
                Parametrisation::Maco => spectrum.angle(),
                _ => spectrum.view_as_real() / (&self.scale * CONTRAST),
            }
        })
    }

    /// The shape of one image's parameters.
    fn shape(&self) -> Vec<i64> {
        let (size, half) = (self.size, self.size / 2 + 1);
        match self.parametrisation {
            Parametrisation::Fourier => vec![1, 3, size, half, 2],
            Parametrisation::Maco => vec![1, 3, size, half],
            Parametrisation::Pixels => vec![1, 3, size, size],
        }
    }

    /// Images from the parameters of n of them: `[n, 3, size, size]`, colours in 0…1.
    pub fn image(&self, parameters: &Tensor) -> Tensor {
        let spectrum = match self.parametrisation {
            Parametrisation::Fourier => Some((parameters * &self.scale).view_as_complex()),
            Parametrisation::Maco => {
                Some(Tensor::polar(&self.scale.expand_as(parameters), parameters))
            }
            Parametrisation::Pixels => None,
        }; // [n, 3, size, size/2 + 1]
        let pixels = match (spectrum, self.parametrisation) {
            (None, _) => parameters.shallow_clone(),
            (Some(spectrum), how) => {
                let image = spectrum.fft_irfft2(
                    [self.size, self.size].as_slice(),
                    [-2i64, -1].as_slice(),
                    "backward",
                );
                if how == Parametrisation::Fourier { image * CONTRAST } else { image }
            }
        }; // [n, 3, size, size]
        let mixed = self.colours.matmul(&pixels.flatten(2, -1)); // [n, 3, size²]
        mixed.sigmoid().view([-1, 3, self.size, self.size])
    }
}

/// `size / max(f, 1/size)` for each coefficient of a real transform, rows first; f in cycles a pixel.
///
/// Lucid keeps one more column if the width is odd, which its TensorFlow needed; it has no effect.
fn scale(size: i64) -> Vec<f32> {
    let n = size as f64;
    let least = 1.0 / n;
    let mut scale = Vec::new();
    for row in 0..size {
        let fy = if row <= (size - 1) / 2 { row } else { row - size } as f64 / n;
        for column in 0..=size / 2 {
            let fx = column as f64 / n;
            scale.push((n / fx.hypot(fy).max(least)) as f32);
        }
    }
    scale
}

/// Magnitudes proportional to `scale`, `[size, size/2 + 1]`, with a zero mean, for images of variance 1.
fn magnitudes(scale: &Tensor, size: i64) -> Tensor {
    let magnitudes = scale.copy();
    let _ = magnitudes.narrow(0, 0, 1).narrow(1, 0, 1).zero_();
    // Each column stands for two, except the first and, if the size is even, the last.
    let all = magnitudes.square().sum(Kind::Double).double_value(&[]) * 2.0;
    let column = |at| magnitudes.select(1, at).square().sum(Kind::Double).double_value(&[]);
    let once = column(0) + if size % 2 == 0 { column(size / 2) } else { 0.0 };
    let count = (size * size) as f64;
    magnitudes * (count / (all - once).sqrt())
}

/// The greatest norm of a column of [`COLOURS`].
fn largest_column() -> f64 {
    let norm = (0..3)
        .map(|column| COLOURS.iter().map(|row| row[column].powi(2)).sum::<f32>().sqrt())
        .fold(0.0f32, f32::max);
    norm.into()
}

/// Converts colours in 0…1, one image `[1, 3, h, w]`, to 8-bit RGB, row by row.
pub fn to_bytes(image: &Tensor) -> Vec<u8> {
    let pixels = (image.detach() * 255.0)
        .round()
        .clamp(0.0, 255.0)
        .to_kind(Kind::Uint8)
        .squeeze_dim(0)
        .permute([1, 2, 0]) // [h, w, 3]
        .contiguous()
        .to_device(Device::Cpu);
    let count = pixels.numel();
    let mut bytes = vec![0u8; count];
    pixels.copy_data(&mut bytes, count);
    bytes
}

/// Converts 8-bit RGB, row by row, to colours in 0…1: `[1, 3, size, size]`.
///
/// # Panics
/// If `pixels` is not `size * size * 3` long.
pub fn of_bytes(pixels: &[u8], size: u32, device: Device) -> Tensor {
    let size = i64::from(size);
    Tensor::from_data_size(pixels, &[1, size, size, 3], Kind::Uint8)
        .to_device(device)
        .permute([0, 3, 1, 2]) // [1, 3, size, size]
        .to_kind(Kind::Float)
        / 255.0
}
