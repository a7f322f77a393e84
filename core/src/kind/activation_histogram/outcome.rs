//! What a distribution is, once measured.

use serde::{Deserialize, Serialize};

use crate::kind::tuple::tuple;

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images in the data set.
    pub count: u64,
    /// Mean activation.
    pub mean: f64,
    /// Standard deviation (of the population: divided by `count`).
    pub sd: f64,
    /// Smallest activation.
    pub min: f64,
    /// Largest activation.
    pub max: f64,
    /// Quantiles with linear interpolation, for the fractions 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99 and 0.999.
    pub quantiles: Vec<Quantile>,
    /// The `bins` + 1 edges, ascending; those of all distributions on the plot.
    pub edges: Vec<f64>,
    /// The `bins` counts; the last bucket includes its right edge.
    pub counts: Vec<u64>,
    /// The shape of the distribution; results of earlier versions may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// The other distributions on the plot, in the block's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
    /// Images of each bucket, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
}

/// Another distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// The unit, if it is of another one.
    pub unit: Option<u32>,
    /// The label or the caption, if it is of a part of the data set. If there is neither, it is of the data set beside.
    pub group: Option<String>,
    /// Images in it.
    pub count: u64,
    /// Mean activation.
    pub mean: f64,
    /// Standard deviation (of the population).
    pub sd: f64,
    /// Smallest activation.
    pub min: f64,
    /// Largest activation.
    pub max: f64,
    /// As in [`Outcome`].
    pub quantiles: Vec<Quantile>,
    /// As in [`Outcome`], between the same edges.
    pub counts: Vec<u64>,
    /// As in [`Outcome`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
}

/// The shape of a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Excess kurtosis of the population; none where all activations are the same.
    pub kurtosis: Option<f64>,
    /// Lifetime sparseness of the activations above zero, from 0 (all alike) to 1 (a single one); none without any.
    pub sparsity: Option<f64>,
    /// Number of images with an activation above zero.
    pub positive: u64,
    /// Numbers of images far above the mean.
    pub above: Vec<Above>,
}

/// How many images are far above the mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Above {
    /// By more than so many standard deviations.
    pub deviations: f64,
    /// Number of images.
    pub images: u64,
}

/// Images of each bucket, on a sheet of small pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    /// Name of the record's output with all pictures, row by row: a square WebP.
    pub sheet: String,
    /// Its side in pixels.
    pub side: u32,
    /// The side of a picture in pixels.
    pub tile: u32,
    /// The keys of each bucket's images, in the order of the pictures on the sheet.
    pub keys: Vec<Vec<String>>,
}

tuple! {
    /// A quantile.
    pub struct Quantile {
        /// The fraction of all images, from 0 to 1.
        pub share: f64,
        /// The activation that this fraction does not exceed.
        pub activation: f64,
    }
}

/// A made-up outcome with this greatest activation.
pub fn sample(max: f64) -> Outcome {
    Outcome {
        count: 6,
        mean: 0.5,
        sd: 1.0,
        min: -1.0,
        max,
        quantiles: vec![(0.5, 0.4).into(), (0.99, 2.9).into()],
        edges: vec![-1.0, 1.0, max.max(1.5)],
        counts: vec![4, 2],
        shape: None,
        others: vec![],
        behind: None,
    }
}

/// A made-up shape.
pub(super) fn shape() -> Shape {
    let above = vec![Above { deviations: 2.0, images: 1 }];
    Shape { kurtosis: Some(1.5), sparsity: Some(0.75), positive: 3, above }
}
