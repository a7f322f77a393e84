//! Readouts: a place and the activations of its layer in; the activations of the place's units out. Only this file
//! distinguishes layers and dictionaries.

use neuronotes_core::model::{Layer, Place, Stage};
use tch::{Device, Kind, Tensor};

use crate::clip::Clip;
use crate::dictionary::Dictionary;
use crate::failure::Failure;
use crate::table::check_unit;
use crate::vis::objective::{Aim, Place as Where};
use crate::workbench::Workbench;

/// Reads the units of a place off the activations of its layer.
#[derive(Debug)]
pub struct Readout {
    /// The layer itself, or the layer that the dictionary is over.
    pub layer: Layer,
    /// The layer or the dictionary.
    pub place: Place,
    dictionary: Option<(String, Dictionary)>,
}

impl Readout {
    /// The readout of a place in a model.
    ///
    /// # Errors
    /// If the model has no such layer, or the dictionary's file is missing, has changed since the request was made, or is
    /// not a dictionary over it.
    pub fn of(bench: &mut Workbench<'_>, clip: &Clip, place: &Place) -> Result<Self, Failure> {
        let layer = clip.layer(place.layer())?;
        let dictionary = match bench.dictionary(place)? {
            None => None,
            Some(file) => {
                let dictionary = Dictionary::open(&file.path, &layer, clip.device)?;
                Some((file.name.clone(), dictionary))
            }
        };
        Ok(Self { layer, place: place.clone(), dictionary })
    }

    /// The readout of a layer's own units.
    pub fn of_layer(layer: Layer) -> Self {
        let place = Place::Layer(layer.name.canonical.clone());
        Self { layer, place, dictionary: None }
    }

    /// Whether a picture's units are scaled to length 1 before they are compared with a direction: those of the embedding.
    pub fn is_scaled(&self) -> bool {
        self.dictionary.is_none() && self.layer.stage == Stage::Embedding
    }

    /// Its name: the dictionary's, or the layer's.
    pub fn name(&self) -> &str {
        self.dictionary.as_ref().map_or(&self.layer.name.canonical, |(name, _)| name)
    }

    /// How many units it has.
    pub fn units(&self) -> usize {
        self.dictionary.as_ref().map_or(self.layer.units as usize, |(_, it)| it.features())
    }

    /// One unit at each position: `[n, units, positions]`, the layer's, to `[n, positions]`.
    pub fn unit(&self, layer: &Tensor, unit: u32) -> Tensor {
        match &self.dictionary {
            None => layer.select(1, unit.into()),
            Some((_, dictionary)) => dictionary.encode_one(layer, unit),
        }
    }

    /// All units at each position: `[n, units, positions]`, the layer's, to the place's.
    pub fn every(&self, layer: &Tensor) -> Tensor {
        match &self.dictionary {
            None => layer.shallow_clone(),
            Some((_, dictionary)) => dictionary.encode_all(layer),
        }
    }

    /// The mean of each unit over positions, in double precision: `[n, units, positions]`, the layer's, to `[n, units]`.
    pub fn means(&self, layer: &Tensor) -> Tensor {
        match &self.dictionary {
            None => layer.mean_dim([2i64].as_slice(), false, Kind::Double),
            Some((_, dictionary)) => dictionary.pooled(layer).0.to_kind(Kind::Double),
        }
    }

    /// The mean and the greatest of each unit over positions: `[n, units, positions]`, the layer's, to twice `[n, units]`.
    pub fn pooled(&self, layer: &Tensor) -> (Tensor, Tensor) {
        match &self.dictionary {
            None => (
                layer.mean_dim([2i64].as_slice(), false, Kind::Float),
                layer.amax([2i64].as_slice(), false),
            ),
            Some((_, dictionary)) => dictionary.pooled(layer),
        }
    }

    /// The aim of a visualisation of a direction, a vector of units. A sum of features is taken before their ReLU.
    ///
    /// # Errors
    /// If it has another number of units.
    pub fn aim_along(
        &self,
        direction: &[f64],
        position: Where,
        device: Device,
    ) -> Result<Aim, Failure> {
        if direction.len() != self.units() {
            let (its, ours) = (direction.len(), self.units());
            let name = self.name();
            return Err(Failure::new(format!(
                "the direction has {its} units, and `{name}` has {ours}"
            )));
        }
        let direction = Tensor::from_slice(direction);
        Ok(match &self.dictionary {
            None => Aim::Direction(direction.to_kind(Kind::Float).to_device(device), position),
            Some((_, dictionary)) => {
                let (row, bias) = dictionary.along(&direction);
                Aim::Features { row, bias, position }
            }
        })
    }

    /// The aim of a visualisation of one unit. A feature is taken before its ReLU, which has no gradient while the feature is
    /// inactive.
    ///
    /// # Errors
    /// If it has no such unit.
    pub fn aim(&self, unit: u32, position: Where) -> Result<Aim, Failure> {
        check_unit(self.name(), self.units(), unit)?;
        Ok(match &self.dictionary {
            None => Aim::Unit(unit, position),
            Some((_, dictionary)) => {
                let (row, bias) = dictionary.feature(unit);
                Aim::Feature { row, bias, position }
            }
        })
    }
}
