//! The parameters of a visualisation.

use crate::kind::about::about;
use crate::kind::words::words;

about! {
    /// Parameters of the picture. Its target is a `unit`, a `direction` or, for some objectives, the whole layer.
    pub struct Params {
        /// The digest of a picture: the subject of a caricature, or the start of the optimisation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub image: Option<String>,
        /// The request key of a [`facet`](crate::kind::facet) among those that this request uses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub facet: Option<String>,
        /// The objective.
        pub objective: Objective,
        /// Whether it is maximised or minimised.
        pub sign: Sign,
        /// Number of pictures optimised together.
        pub images: u32,
        /// Weight of the diversity term.
        pub diversity: f64,
        /// Weight of the facet; with several images that of the last one, and the first has a fiftieth of it.
        pub strength: f64,
        /// Weight of the penalty on the mean squared distance from grey.
        pub penalty: f64,
        /// Exponent of the cosine by which the dot product with a direction is multiplied.
        pub cosine_power: f64,
        /// The start of the optimisation.
        pub start: Start,
        /// The parametrisation of the picture.
        pub parametrisation: Parametrisation,
        /// Width and height of the picture in pixels.
        pub size: u32,
        /// Number of Adam steps.
        pub steps: u32,
        /// Adam's learning rate.
        pub learning_rate: f64,
        /// The random transforms before each step.
        pub transforms: Transforms,
        /// Number of initial steps in which ReLUs that are zero for a whole image pass gradients through.
        pub redirect: u32,
        /// Number of frames of a film of the optimisation; 0 for none.
        pub frames: u32,
        /// Random seed for the initial noise and the transforms.
        pub seed: u64,
        /// The seed by which the network's weights are permuted, if they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub shuffle: Option<u64>,
    }
}

/// The strength of the first picture of a ramp, as a fraction of the last one's.
const RAMP: f64 = 0.02;

impl Params {
    /// The facet's weight in each picture: `strength` for one picture, a ramp up to it for several.
    pub fn strengths(&self) -> Vec<f64> {
        let last = f64::from(self.images.saturating_sub(1));
        (0..self.images)
            .map(|at| match last {
                0.0 => self.strength,
                last => self.strength * (RAMP + (1.0 - RAMP) * f64::from(at) / last),
            })
            .collect()
    }
}

words! {
    /// The objective.
    pub enum Objective {
        /// The unit, or the dot product with the direction, averaged over all positions.
        Channel = "channel",
        /// The same at the central position.
        Neuron = "neuron",
        /// The mean square of the whole layer: DeepDream.
        Layer = "layer",
        /// The dot product of the whole layer with its activations for `image`, position by position.
        Caricature = "caricature",
    }
}

words! {
    /// Whether an objective is maximised or minimised.
    pub enum Sign {
        /// Maximise.
        Positive = "positive",
        /// Minimise.
        Negative = "negative",
    }
}

words! {
    /// The start of the optimisation.
    pub enum Start {
        /// Noise from the seed.
        Noise = "noise",
        /// The picture `image`.
        Image = "image",
    }
}

words! {
    /// The parametrisation of a picture.
    pub enum Parametrisation {
        /// A Fourier spectrum scaled by 1/frequency, in decorrelated colours.
        Fourier = "fourier",
        /// The phases of a Fourier spectrum with the magnitudes of natural images.
        Maco = "maco",
        /// Pixels, in decorrelated colours.
        Pixels = "pixels",
    }
}

words! {
    /// The random transforms before each step.
    pub enum Transforms {
        /// Lucid's: pad 12, jitter 8, scale 0.9 to 1.1, rotate ±10°, jitter 4.
        Lucid = "lucid",
        /// CLIP-featurevis's: pad 2, jitter 4 ten times, scale, rotate ±20°, jitter 2, crop or pad to the size.
        Paper = "paper",
        /// MACO's: a random crop resized to the model's size, and noise.
        Crops = "crops",
        /// None.
        None = "none",
    }
}
