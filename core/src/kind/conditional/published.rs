//! The buckets of the article's plots of conditional probability, for the units that it shows.

use crate::model::{Architecture, Place, ResNetSizes, Visual};

/// The layer that the plots are about.
const LAYER: &str = "visual.layer4.5.add";
/// RN50x4.
const RN50X4: ResNetSizes = ResNetSizes { width: 80, blocks: [4, 6, 10, 6], pool_heads: 40 };

/// Buckets of a published plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// The unit.
    pub unit: u32,
    /// The middle of the first bucket, as an activation.
    pub first: f64,
    /// The middle of the last bucket.
    pub last: f64,
    /// Number of buckets.
    pub buckets: u32,
    /// The standard deviation that the article counts in, if it says so.
    pub sd: Option<f64>,
}

/// Donald Trump, mental health disorders, and Africa.
const PUBLISHED: [Published; 3] = [
    Published { unit: 89, first: -40.0, last: 99.5, buckets: 10, sd: Some(2.19) },
    Published { unit: 2191, first: -30.0, last: 60.0, buckets: 10, sd: None },
    Published { unit: 1317, first: -32.0, last: 29.4, buckets: 12, sd: None },
];

impl Published {
    /// The buckets that the article has for a unit of a model.
    pub fn of(model: &Architecture, place: &Place, unit: u32) -> Option<Self> {
        let is_it = model.visual == Visual::ResNet(RN50X4) && model.image_size == 288;
        let there = *place == Place::Layer(LAYER.to_owned());
        let known = PUBLISHED.into_iter().find(|known| known.unit == unit);
        known.filter(|_| is_it && there)
    }

    /// The edges of the buckets, half a step on either side of their middles.
    pub fn edges(self) -> Vec<f64> {
        let step = (self.last - self.first) / f64::from(self.buckets - 1);
        (0..=self.buckets).map(|at| self.first + (f64::from(at) - 0.5) * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buckets_are_those_of_the_article() {
        let model = |width| Architecture {
            image_size: 288,
            embedding: 640,
            visual: Visual::ResNet(ResNetSizes { width, ..RN50X4 }),
            text: None,
        };
        let place = Place::Layer(LAYER.to_owned());
        let trump = Published::of(&model(80), &place, 89).expect("published");
        let edges = trump.edges();
        assert_eq!((edges.len(), edges[0], edges[10]), (11, -47.75, 107.25));
        assert_eq!(edges[1] - edges[0], 15.5);
        let africa = Published::of(&model(80), &place, 1317).expect("published").edges();
        assert_eq!(africa.len(), 13);
        assert!((africa[1] - africa[0] - 5.583).abs() < 1e-2, "{africa:?}");
        assert_eq!(Published::of(&model(80), &place, 90), None);
        assert_eq!(Published::of(&model(64), &place, 89), None);
        let before = Place::Layer("visual.layer4.4.add".to_owned());
        assert_eq!(Published::of(&model(80), &before, 89), None);
    }
}
