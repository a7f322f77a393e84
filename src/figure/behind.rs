//! The images behind the bars of a histogram, for a reader to look at: buckets with small pictures on a sheet. Knows nothing of
//! any kind.

use serde::{Deserialize, Serialize};

use super::picture::Image;

/// The images behind the bars of a plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Behind {
    /// What the bars are, for readers who cannot see them.
    pub label: String,
    /// All pictures, square, row by row.
    pub sheet: Image,
    /// The side of a picture in pixels.
    pub tile: u32,
    /// The plot's area as fractions of the drawing: top and bottom.
    pub rows: [f64; 2],
    /// The most pictures of a bar.
    pub most: usize,
    /// The bars that have images, from left to right.
    pub bars: Vec<BehindBar>,
}

/// A bar, and the images behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BehindBar {
    /// Its left and right edge, as fractions of the drawing's width.
    pub across: [f64; 2],
    /// What it stands for, in plain text: `0.25 to 0.50: 12 images`.
    pub says: String,
    /// The images: their names, and the left and the top edge of each on the sheet, in pixels.
    pub images: Vec<(String, [u32; 2])>,
}
