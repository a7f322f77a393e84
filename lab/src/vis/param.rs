//! The parametrisation: a seed in; a Fourier spectrum, and from it an image, out.
//!
//! From Lucid's `param/spatial.py` and `param/color.py`: the image is the inverse real Fourier transform of
//! a spectrum whose coefficients are scaled by 1/frequency, in a colour space whose axes are those along
//! which natural images vary, and a sigmoid keeps colours in 0…1. Knows nothing of networks.

use rand::RngCore;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Kind, Tensor};

/// Standard deviation of the first noise.
const NOISE: f32 = 0.01;
/// Lucid's last factor before colours.
const CONTRAST: f64 = 0.25;
/// Lucid's square root of the covariance of colours over natural images; a row an output colour.
const COLOURS: [[f32; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/// A square image, held as a spectrum.
#[derive(Debug)]
pub struct Spectrum {
    /// What is optimised: `[1, 3, size, size/2 + 1, 2]`, real and imaginary parts last.
    pub coefficients: Tensor,
    scale: Tensor,   // [size, size/2 + 1, 1]
    colours: Tensor, // [3, 3]
    size: i64,
}

impl Spectrum {
    /// Noise of `size` x `size` pixels, drawn in the order of the coefficients.
    pub fn noise(size: u32, device: Device, chance: &mut impl RngCore) -> Self {
        let count = 3 * size as usize * (size as usize / 2 + 1) * 2;
        let noise: Vec<f32> = (0..count)
            .map(|_| NOISE * Distribution::<f32>::sample(&StandardNormal, chance))
            .collect();
        Self::new(&noise, size, device)
    }

    /// From coefficients, `3 * size * (size/2 + 1) * 2` numbers.
    pub fn new(coefficients: &[f32], size: u32, device: Device) -> Self {
        let half = i64::from(size / 2 + 1);
        let size = i64::from(size);
        let coefficients = Tensor::from_slice(coefficients)
            .view([1, 3, size, half, 2])
            .to_device(device)
            .set_requires_grad(true);
        Self {
            coefficients,
            scale: Tensor::from_slice(&scale(size)).view([size, half, 1]).to_device(device),
            colours: colours().to_device(device),
            size,
        }
    }

    /// The image: `[1, 3, size, size]`, colours in 0…1.
    pub fn image(&self) -> Tensor {
        let spectrum = (&self.coefficients * &self.scale).view_as_complex(); // [1, 3, size, size/2 + 1]
        let image = spectrum.fft_irfft2(
            [self.size, self.size].as_slice(),
            [-2i64, -1].as_slice(),
            "backward",
        ) * CONTRAST; // [1, 3, size, size]
        let pixels = image.permute([0, 2, 3, 1]).matmul(&self.colours.tr()); // [1, size, size, 3]
        pixels.sigmoid().permute([0, 3, 1, 2]).contiguous()
    }
}

/// `size / max(f, 1/size)` for each coefficient of a real transform, rows first; f in cycles a pixel.
///
/// Lucid keeps one more column where the width is odd, which its TensorFlow needed; it has no effect.
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

/// [`COLOURS`] over its largest column norm: `[3, 3]`.
fn colours() -> Tensor {
    let norm = (0..3)
        .map(|column| COLOURS.iter().map(|row| row[column].powi(2)).sum::<f32>().sqrt())
        .fold(0.0f32, f32::max);
    Tensor::from_slice(COLOURS.as_flattened()).view([3, 3]) / f64::from(norm)
}

/// Colours in 0…1, `[1, 3, h, w]`, to 8-bit RGB, row by row.
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
