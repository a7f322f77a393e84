//! What a measurement of similarity stores: a list of near units, or a map.

use serde::{Deserialize, Serialize};

use crate::kind::sample::Painted;
use crate::kind::spoiled::{self, Spoiled};
use crate::kind::words::words;

words! {
    /// The method of a map.
    pub enum Method {
        /// t-distributed stochastic neighbour embedding.
        Tsne = "tsne",
        /// Principal component analysis.
        Pca = "pca",
    }
}

/// The result: a list of the units nearest to the target, or a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images in the data set.
    pub count: u64,
    /// Number of units of the layer.
    pub units: u64,
    /// Number of units with the same activation for every image.
    pub constant: u64,
    /// Units that are left out, since an activation of theirs is NaN or infinite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spoiled: Vec<Spoiled>,
    /// Of a list: the mean correlation of the other units with the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Of a list: the standard deviation of these correlations, of the population.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// Of a list: the unit or the direction itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Seen>,
    /// The list, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<Neighbour>,
    /// The map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<Chart>,
}

/// The image with the strongest activation of a unit or a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Its caption, or its key if it has none.
    pub caption: String,
    /// Name of the record's output with the image: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A unit of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Channel, from 0.
    pub unit: u32,
    /// The correlation of its activations with the target's; `None` if one of the two is constant.
    pub correlation: Option<f64>,
    /// The cosine of its weights in with the target's; `None` if the layer has none, or they are zero.
    pub weights_in: Option<f64>,
    /// The cosine of its weights out with the target's; `None` if the layer has none, or they are zero.
    pub weights_out: Option<f64>,
    /// The label of most of its strongest images; `None` if the data set has no labels.
    pub label: Option<String>,
    /// The caption of its strongest image, or its key if it has none.
    pub caption: String,
    /// Name of the record's output with that image: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A map of units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// The method that was used: with too few units for t-SNE it is principal component analysis.
    pub method: Method,
    /// The perplexity that was used; none of a map by principal components.
    pub perplexity: Option<f64>,
    /// The Kullback–Leibler divergence at the end; none of a map by principal components.
    pub divergence: Option<f64>,
    /// The relative decrease of that divergence in the last twentieth of the steps.
    pub settled: Option<f64>,
    /// The fractions of the variance along the two principal components; none of a map by t-SNE.
    pub explained: Option<[f64; 2]>,
    /// Of each unit's ten nearest by correlation, the fraction that are among as many nearest on
    /// the map, on average.
    pub kept: f64,
    /// Units with the same activation for every image, which have no place.
    pub left_out: Vec<u32>,
    /// The labels of units, the most frequent first; empty if the data set has no labels.
    pub labels: Vec<Tally>,
    /// The groups, the largest first; empty if none were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Tally>,
    /// The units.
    pub points: Vec<Point>,
    /// The units' strongest images, each once.
    pub sheet: Sheet,
}

/// How many units have a label, or are in a group of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// The label.
    pub label: String,
    /// The number of units.
    pub units: u64,
}

/// A unit on a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Channel, from 0.
    pub unit: u32,
    /// From left to right, in the method's own coordinates.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// The excess kurtosis of its activations.
    pub kurtosis: f64,
    /// Its strongest activation, in standard deviations above its mean.
    pub deviations: f64,
    /// Its label, an index of [`Chart::labels`].
    pub label: Option<u32>,
    /// How many of its strongest images have that label.
    pub votes: u32,
    /// Its group, an index of [`Chart::groups`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// Its strongest image, an index of [`Sheet::tiles`].
    pub tile: u32,
}

/// Many small square pictures in one, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Name of the record's output: a WebP.
    pub picture: String,
    /// Its width and height in pixels.
    pub side: u32,
    /// Width and height of each small picture in pixels.
    pub tile: u32,
    /// The images, in the order of the rows. A row has as many as fit into the side.
    pub tiles: Vec<Tile>,
}

/// An image of a [`Sheet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// Its caption, or its key if it has none.
    pub caption: String,
}

/// A made-up outcome, a map or a list, and its pictures; `number` is among its numbers.
pub fn sample(is_map: bool, number: f64) -> (Outcome, Vec<Painted>) {
    let empty = Outcome {
        count: 6,
        units: 6,
        constant: 1,
        spoiled: spoiled::sample(5),
        mean: None,
        sd: None,
        target: None,
        nearest: vec![],
        chart: None,
    };
    if is_map {
        let sheet = Painted { media_type: "image/webp", ..Painted::png("sheet.webp", 8, 8) };
        return (Outcome { chart: Some(chart(number)), ..empty }, vec![sheet]);
    }
    let seen = |picture: &str, caption: &str| Seen {
        caption: caption.to_owned(),
        picture: picture.to_owned(),
        width: 6,
        height: 4,
    };
    let near = Neighbour {
        unit: 3,
        correlation: Some(number),
        weights_in: Some(0.5),
        weights_out: Some(-0.25),
        label: Some("hand".to_owned()),
        caption: "waving hand".to_owned(),
        picture: "002.png".to_owned(),
        width: 6,
        height: 4,
    };
    let outcome = Outcome {
        mean: Some(0.125),
        sd: Some(0.25),
        target: Some(seen("001.png", "raised hand")),
        nearest: vec![near],
        ..empty
    };
    (outcome, ["001.png", "002.png"].map(|name| Painted::png(name, 6, 4)).to_vec())
}

fn chart(number: f64) -> Chart {
    let point = |unit, x, y, label, tile| Point {
        unit,
        x,
        y,
        kurtosis: number,
        deviations: 3.5,
        label: Some(label),
        votes: 2,
        group: Some(label),
        tile,
    };
    let tally = |label: &str, units| Tally { label: label.to_owned(), units };
    let tile = |caption: &str| Tile { caption: caption.to_owned() };
    Chart {
        method: Method::Tsne,
        perplexity: Some(2.0),
        divergence: Some(0.5),
        settled: Some(0.001),
        explained: Some([0.5, 0.25]),
        kept: 0.75,
        left_out: vec![2],
        labels: vec![tally("hand", 3), tally("face", 1)],
        groups: vec![tally("hand", 3), tally("face", 1)],
        points: vec![
            point(0, -1.0, 0.5, 0, 0),
            point(1, -0.75, 0.25, 0, 1),
            point(3, 0.5, 1.5, 0, 0),
            point(4, 2.0, -1.0, 1, 2),
        ],
        sheet: Sheet {
            picture: "sheet.webp".to_owned(),
            side: 8,
            tile: 4,
            tiles: vec![tile("waving hand"), tile("raised hand"), tile("grinning face")],
        },
    }
}
