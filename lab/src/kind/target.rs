//! What a kind about a unit is about: a unit or a direction in; its activations over a data set, or for pictures, out.
//!
//! The activation of a direction is the dot product of the layer's activations with its unit vector; at the embedding these are
//! scaled to length 1 first, so that it is a cosine.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::term::Term;
use neuronotes_core::model::Place;
use tch::{Kind, Tensor};

use super::term::of_terms;
use crate::clip::Clip;
use crate::clip::activations::by_unit;
use crate::failure::Failure;
use crate::readout::Readout;
use crate::table::{Scanned, along, scans};
use crate::vector::Row;
use crate::workbench::Workbench;

/// A unit or a direction at a place.
#[derive(Debug)]
pub(crate) struct Target {
    place: Place,
    of: Of,
}

#[derive(Debug)]
enum Of {
    Unit(u32, Pool),
    /// A unit vector, and whether it is in the space of embeddings.
    Direction(Row, bool),
}

impl Target {
    /// The target of a request's parameters.
    ///
    /// # Errors
    /// If it is neither a unit nor a direction, or the direction cannot be had or pooled so.
    pub(crate) fn of(
        bench: &mut Workbench<'_>,
        place: &Place,
        (unit, direction): (Option<u32>, Option<&[Term]>),
        pool: Pool,
    ) -> Result<Self, Failure> {
        let of = match (unit, direction) {
            (Some(unit), None) => Of::Unit(unit, pool),
            (None, Some(terms)) => {
                if pool == Pool::Max {
                    let why = "a direction has no maximum over positions";
                    return Err(Failure::new(why).hint("use `pool: mean`"));
                }
                let clip = bench.clip(&[place.layer()])?;
                let readout = Readout::of(bench, &clip, place)?;
                let row = of_terms(bench, &clip, &readout, terms)?;
                Of::Direction(row, readout.is_scaled())
            }
            _ => {
                let why = "the request needs a unit or a direction";
                return Err(Failure::new(why));
            }
        };
        Ok(Self { place: place.clone(), of })
    }

    /// Its activations over the request's data set, a [`Scanned`] for each shard.
    ///
    /// # Errors
    /// If the request does not use the scans of that place, or the unit does not exist.
    pub(crate) fn scans(&self, bench: &mut Workbench<'_>) -> Result<Vec<Scanned>, Failure> {
        self.scans_of(bench, bench.dataset()?)
    }

    /// Its activations over a data set that the request names, a [`Scanned`] for each shard.
    ///
    /// # Errors
    /// As for [`Target::scans`].
    pub(crate) fn scans_of(
        &self,
        bench: &mut Workbench<'_>,
        dataset: &DatasetRef,
    ) -> Result<Vec<Scanned>, Failure> {
        match &self.of {
            Of::Unit(unit, pool) => scans(bench, dataset, &self.place, *unit, *pool),
            Of::Direction(direction, is_cosine) => {
                along(bench, dataset, &self.place, direction, *is_cosine)
            }
        }
    }

    /// Its activations for pictures: those of its layer, `[n, …]`, to `[n]`.
    pub(crate) fn pooled(
        &self,
        clip: &Clip,
        readout: &Readout,
        layer: &Tensor,
    ) -> Result<Vec<f64>, Failure> {
        let layer = by_unit(layer); // [n, units, positions]
        let pooled = match &self.of {
            Of::Unit(unit, pool) => {
                let unit = readout.unit(&layer, *unit); // [n, positions]
                match pool {
                    Pool::Mean => unit.mean_dim([1i64].as_slice(), false, Kind::Float),
                    Pool::Max => unit.amax([1i64].as_slice(), false),
                }
            }
            Of::Direction(direction, is_cosine) => {
                let rows = readout.means(&layer); // [n, units]
                let direction = Tensor::from_slice(direction).to_device(clip.device);
                // What has no weight has no part in the product, whatever it is.
                let rows = match is_cosine {
                    false => rows.where_self(
                        &rows.isfinite().logical_or(&direction.not_equal(0.0)),
                        &rows.zeros_like(),
                    ),
                    true => rows,
                };
                let products = rows.mv(&direction);
                match is_cosine {
                    false => products,
                    true => {
                        let squares = rows.square().sum_dim_intlist([1i64].as_slice(), false, None);
                        products / squares.sqrt()
                    }
                }
            }
        };
        Ok(Vec::<f64>::try_from(pooled.to_kind(Kind::Double))?)
    }
}

impl Target {
    /// Its part of some numbers of each unit at each position: `[n, units, positions]` to `[n, positions]`, that of its unit, or
    /// the dot product with its direction.
    pub(crate) fn part(&self, units: &Tensor) -> Tensor {
        match &self.of {
            Of::Unit(unit, _) => units.select(1, i64::from(*unit)),
            Of::Direction(direction, _) => {
                let direction = Tensor::from_slice(direction).to_device(units.device());
                units.transpose(1, 2).matmul(&direction.to_kind(units.kind()))
            }
        }
    }

    /// Its activation at each position: those of its layer, `[n, …]`, to `[n, positions]`.
    pub(crate) fn map(&self, readout: &Readout, layer: &Tensor) -> Tensor {
        let layer = by_unit(layer); // [n, units, positions]
        match &self.of {
            Of::Unit(unit, _) => readout.unit(&layer, *unit),
            Of::Direction(..) => self.part(&readout.every(&layer)),
        }
    }
}
