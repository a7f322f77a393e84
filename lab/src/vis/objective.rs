//! Objectives: an image's activations in; the number to maximise out.
//!
//! After Lucid's `optvis/objectives.py`: a channel's mean or its value at the central position, a direction with a power
//! of the cosine, DeepDream's mean square, and the product with another image's activations. Each image's number is
//! computed from its own activations alone, in the same order whatever else is in the batch.

use neuronotes_core::kind::feature_vis::Objective;
use neuronotes_core::model::Stage;
use tch::{Kind, Tensor};

/// The least cosine that a product is multiplied by, as in Lucid.
const LEAST_COSINE: f64 = 0.1;
/// Avoids division by zero.
const EPSILON: f64 = 1e-8;

/// What to increase in a network.
#[derive(Debug)]
pub struct Target {
    /// The layer.
    pub stage: Stage,
    /// What to increase at that layer.
    pub aim: Aim,
    /// 1, or -1 to decrease it instead.
    pub sign: f64,
    /// Power of the cosine that products with directions and images are multiplied by.
    pub cosine_power: f64,
}

/// What to increase at a layer.
#[derive(Debug)]
pub enum Aim {
    /// A unit.
    Unit(u32, Place),
    /// A feature of a dictionary before its ReLU: the product with its row of the encoder, `[c]` in single precision on the
    /// model's device, plus its bias.
    Feature {
        /// The feature's row of the encoder.
        row: Tensor,
        /// The feature's bias.
        bias: f64,
        /// The positions.
        position: Place,
    },
    /// A sum of features before their ReLU, in the same form.
    Features {
        /// The sum of their rows.
        row: Tensor,
        /// The sum of their biases.
        bias: f64,
        /// The positions.
        position: Place,
    },
    /// The product with a direction, `[c]` in single precision on the model's device.
    Direction(Tensor, Place),
    /// The mean square of all units at all positions.
    Layer,
    /// The product with the layer's activations for this image, `[1, 3, size, size]` with colours in 0…1.
    Image(Tensor),
}

/// The positions at which a unit or a direction is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The mean over all positions.
    Everywhere,
    /// The central position.
    Centre,
}

impl Place {
    /// The positions of an objective of a unit or a direction.
    pub fn of(objective: Objective) -> Self {
        match objective {
            Objective::Neuron => Self::Centre,
            _ => Self::Everywhere,
        }
    }

    /// Reduces a number at every position to one: `[h, w]`, `[t]` or `[]` to `[]`.
    fn of_map(self, map: &Tensor) -> Tensor {
        match (self, map.dim()) {
            (Self::Centre, 2) => map.select(0, map.size()[0] / 2).select(0, map.size()[1] / 2),
            (Self::Centre, 1) => {
                // The class token comes before the patches, which form a square.
                let side = (map.size()[0] - 1).isqrt();
                map.select(0, 1 + side / 2 * side + side / 2)
            }
            _ => map.mean(Kind::Float),
        }
    }
}

impl Target {
    /// The objective on one image, a scalar in single precision: `layer` are its activations, `[1, c, h, w]`,
    /// `[1, t, c]` or `[1, c]`; `reference` those of [`Aim::Image`]'s, in the same place. Without the sign.
    pub fn value(&self, layer: &Tensor, reference: Option<&Tensor>) -> Tensor {
        let one = units_first(layer); // [c, h, w], [c, t] or [c]
        match &self.aim {
            Aim::Unit(unit, place) => {
                place.of_map(&one.select(0, i64::from(*unit)).to_kind(Kind::Float))
            }
            Aim::Feature { row, bias, position } => {
                position.of_map(&(product(&one.to_kind(Kind::Float), row) + *bias))
            }
            Aim::Features { row, bias, position } => {
                let one = one.to_kind(Kind::Float);
                let length = || length(&one) * row.norm();
                position.of_map(&self.with_cosine(product(&one, row) + *bias, length))
            }
            Aim::Direction(direction, place) => {
                let one = one.to_kind(Kind::Float);
                let product = product(&one, direction);
                let length = || length(&one) * direction.norm();
                place.of_map(&self.with_cosine(product, length))
            }
            Aim::Layer => one.to_kind(Kind::Float).square().mean(Kind::Float),
            Aim::Image(_) => {
                let one = one.to_kind(Kind::Float).contiguous().view(-1);
                let Some(reference) = reference else { return one.sum(Kind::Float) * 0.0 };
                let other = units_first(reference).to_kind(Kind::Float).contiguous().view(-1);
                let length = (other.square().sum(Kind::Float) + EPSILON).sqrt();
                let product = (&one * &other).sum(Kind::Float) / &length;
                self.with_cosine(product, || (one.square().sum(Kind::Float) + EPSILON).sqrt())
            }
        }
    }

    /// A product times a power of its cosine. `length` is the largest possible product.
    fn with_cosine(&self, product: Tensor, length: impl FnOnce() -> Tensor) -> Tensor {
        if self.cosine_power == 0.0 {
            return product;
        }
        let cosine = (&product / (length() + EPSILON)).clamp_min(LEAST_COSINE);
        product * cosine.pow_tensor_scalar(self.cosine_power)
    }
}

/// The length at each position: `[c, h, w]`, `[c, t]` or `[c]` to `[h, w]`, `[t]` or `[]`.
fn length(one: &Tensor) -> Tensor {
    (one.square().sum_dim_intlist([0i64].as_slice(), false, Kind::Float) + EPSILON).sqrt()
}

/// The product with a vector, `[c]`, at each position: `[c, h, w]`, `[c, t]` or `[c]` to `[h, w]`, `[t]` or `[]`.
fn product(one: &Tensor, vector: &Tensor) -> Tensor {
    let mut shape = vec![1; one.dim()];
    shape[0] = -1;
    let products = one * vector.view(shape.as_slice());
    products.sum_dim_intlist([0i64].as_slice(), false, Kind::Float)
}

/// How alike images are, a scalar: `layer` are the activations of all of them, `[k, c, h, w]`, `[k, t, c]` or
/// `[k, c]`. Lucid's `diversity`: the products of all pairs of their normalised Gram matrices (Gatys et al. 2015), over k.
pub fn likeness(layer: &Tensor) -> Tensor {
    let count = layer.size()[0];
    let grams: Vec<Tensor> = (0..count)
        .map(|image| {
            let one = units_first(&layer.narrow(0, image, 1)).to_kind(Kind::Float);
            let flat = match one.dim() {
                1 => one,
                _ => {
                    let flat = one.flatten(1, -1); // [c, positions]
                    flat.matmul(&flat.tr()) // [c, c]
                }
            };
            let length = (flat.square().sum(Kind::Float) + EPSILON).sqrt();
            flat / length
        })
        .collect();
    let mut sum = Tensor::zeros([], (Kind::Float, layer.device()));
    for (i, one) in grams.iter().enumerate() {
        for other in &grams[i + 1..] {
            sum += (one * other).sum(Kind::Float) * 2.0;
        }
    }
    sum / count as f64
}

/// One image's activations with its units first: `[1, c, h, w]`, `[1, t, c]` or `[1, c]` to `[c, h, w]`, `[c, t]` or
/// `[c]`.
fn units_first(layer: &Tensor) -> Tensor {
    let one = layer.squeeze_dim(0);
    match one.dim() {
        2 => one.tr(),
        _ => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    fn target(aim: Aim, cosine_power: f64) -> Target {
        Target { stage: Stage::Embedding, aim, sign: 1.0, cosine_power }
    }

    /// Two units on 2 x 3 positions: 0…5 and 10…15.
    fn map() -> Tensor {
        let row = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([1, 1, 2, 3]);
        Tensor::cat(&[&row, &(&row + 10.0)], 1)
    }

    fn value(target: &Target, layer: &Tensor) -> f64 {
        target.value(layer, None).double_value(&[])
    }

    #[test]
    fn units_and_directions_are_taken_everywhere_or_at_the_centre() {
        let layer = map();
        let unit = |place| value(&target(Aim::Unit(1, place), 0.0), &layer);
        assert_eq!((unit(Place::Everywhere), unit(Place::Centre)), (12.5, 14.0));
        let direction = || Tensor::from_slice(&[2.0f32, -1.0]);
        let along =
            |place, power| value(&target(Aim::Direction(direction(), place), power), &layer);
        assert_eq!(along(Place::Everywhere, 0.0), 2.0 * 2.5 - 12.5);
        assert_eq!(along(Place::Centre, 0.0), 2.0 * 4.0 - 14.0);
        // At the centre the cosine is -6 / (√(16 + 196) √5), which is below the least.
        assert!((along(Place::Centre, 2.0) + 6.0 * 0.01).abs() < 1e-6);
        let both = target(Aim::Direction(Tensor::from_slice(&[1.0f32, 1.0]), Place::Centre), 1.0);
        let expected = 18.0 * 18.0 / (212.0f64.sqrt() * 2.0f64.sqrt());
        assert!((value(&both, &layer) - expected).abs() < 1e-4);
        // Tokens have their units last, and the class token first: the centre of 2 x 2 patches is the last.
        let tokens = Tensor::arange(10, (Kind::Float, Device::Cpu)).view([1, 5, 2]);
        assert_eq!(value(&target(Aim::Unit(1, Place::Centre), 0.0), &tokens), 9.0);
        assert_eq!(value(&target(Aim::Unit(1, Place::Everywhere), 0.0), &tokens), 5.0);
    }

    #[test]
    fn a_sum_of_features_is_the_product_with_the_sum_of_their_rows() {
        let layer = map();
        let row = || Tensor::from_slice(&[1.0f32, 1.0]);
        let sum = |power| {
            let aim = Aim::Features { row: row(), bias: 0.5, position: Place::Centre };
            value(&target(aim, power), &layer)
        };
        assert_eq!(sum(0.0), 18.5);
        let cosine = 18.5 / (212.0f64.sqrt() * 2.0f64.sqrt());
        assert!((sum(1.0) - 18.5 * cosine).abs() < 1e-4);
    }

    #[test]
    fn a_layer_is_its_mean_square_and_a_caricature_its_projection() {
        let layer = map();
        let squares: f64 =
            [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15].map(|x| f64::from(x * x)).iter().sum();
        assert!((value(&target(Aim::Layer, 0.0), &layer) - squares / 12.0).abs() < 1e-4);
        let same = target(Aim::Image(Tensor::new()), 2.0);
        let found = same.value(&(&layer * 3.0), Some(&layer)).double_value(&[]);
        assert!((found - 3.0 * squares.sqrt()).abs() < 1e-3, "its cosine is one: {found}");
    }

    #[test]
    fn likeness_counts_pairs_of_equal_textures() {
        let layer = map();
        let both = Tensor::cat(&[&layer, &(&layer * 2.0)], 0);
        assert!((likeness(&both).double_value(&[]) - 1.0).abs() < 1e-5);
        let mirrored = layer.flip([1]);
        let other = Tensor::cat(&[&layer, &mirrored], 0);
        assert!(likeness(&other).double_value(&[]) < 0.9);
        assert_eq!(likeness(&layer).double_value(&[]), 0.0);
    }
}
