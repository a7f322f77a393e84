//! Parameters: the unit, the categories, the sides of the split, and what is drawn by lot.

use crate::digest::Digest;
use crate::kind::about::about;
use crate::kind::class::Class;
use crate::kind::group::Group;
pub use crate::kind::probe::GroupBy;
use crate::kind::scan::Pool;
use crate::kind::words::words;

/// The fewest images of a category, and of others, for which there is an interval: fewer are drawn again too much alike.
pub const FEWEST: u64 = 5;

about! {
    /// Parameters.
    pub struct Params {
        /// The categories; each label or caption is one if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub categories: Option<Vec<Class>>,
        /// More categories: lists of the garden, each with its texts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lists: Option<Vec<Class>>,
        /// What of the data set is compared with them.
        #[serde(default)]
        pub by: By,
        /// Other units of the layer, besides `unit`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub also: Option<Vec<u32>>,
        /// The images that a unit or a category is chosen by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub choose: Option<Group>,
        /// The images that it is tested on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub test: Option<Group>,
        /// The fraction of the images to test on, if they are divided by a hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_out: Option<f64>,
        /// What images have in common that stay on one side of that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub group_by: Option<GroupBy>,
        /// Which way a unit is to stand out.
        pub way: Way,
        /// Number of permutations.
        pub permutations: u32,
        /// Random seed of the permutations, of the resamples, and of the hash.
        pub seed: u64,
        /// The pooling of an activation map to one number.
        pub pool: Pool,
    }
}

words! {
    /// What of the data set is compared with the names of a category.
    #[derive(Default)]
    pub enum By {
        /// Labels, which are equal to a name.
        #[default]
        Label = "label",
        /// Captions, which are equal to a name.
        Caption = "caption",
        /// Captions, which contain a name as whole words.
        Word = "word",
    }
}

words! {
    /// Which way a unit is to stand out.
    pub enum Way {
        /// It is higher for the category.
        Higher = "higher",
        /// It is higher or lower.
        Either = "either",
    }
}

/// How a request divides the images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sides<'a> {
    /// Not at all: nothing is chosen.
    Whole,
    /// Into the images that are chosen by, if any, and those that are tested on; if only the former are given, all others are.
    Groups(Option<&'a Group>, Option<&'a Group>),
    /// By a hash: this fraction is tested on.
    Hash(f64, Option<GroupBy>),
}

impl Params {
    /// The categories, those of lists last; `None` if each label or caption is one.
    pub fn classes(&self) -> Option<Vec<&Class>> {
        let given = self.categories.is_some() || self.lists.is_some();
        given.then(|| self.categories.iter().chain(&self.lists).flatten().collect())
    }

    /// How the images are divided.
    pub fn sides(&self) -> Sides<'_> {
        match (self.held_out, &self.choose, &self.test) {
            (Some(fraction), ..) => Sides::Hash(fraction, self.group_by),
            (None, None, None) => Sides::Whole,
            (None, choose, test) => Sides::Groups(choose.as_ref(), test.as_ref()),
        }
    }

    /// Whether an image is tested on, by the first 64 bits of a digest of the seed and of what the image stays together with, as
    /// a fraction of their greatest value. It does not depend on other images, so that one keeps its side when a data set grows.
    pub fn is_held_out(&self, fraction: f64, together: &str) -> bool {
        let digest = Digest::of(format!("{} side {together}", self.seed).as_bytes()).hex();
        let first = u64::from_str_radix(digest.get(..16).unwrap_or_default(), 16);
        (first.unwrap_or_default() as f64 / u64::MAX as f64) < fraction
    }
}
