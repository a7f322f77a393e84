//! A block's requests: one measurement, several, or none and why.

use std::ops::Range;
use std::sync::Arc;

use neuronotes_core::digest::Digest;
use neuronotes_core::model::Place;
use neuronotes_core::request::Request;

use super::named::NamedUnit;
use crate::diagnostic::Diagnostic;

/// A block's requests.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// One measurement.
    Measurement(Box<Measurement>),
    /// Several measurements in one grid.
    Sweep(Sweep),
    /// None, because of these errors.
    Nothing(Vec<Diagnostic>),
}

/// The measurements of a block that sweeps over values.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The measurements, in the grid's order.
    pub cells: Vec<Cell>,
    /// Number of values of each of the one or two swept fields.
    pub axes: Vec<usize>,
}

/// A measurement of a sweep.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The swept fields and their values here, as written.
    pub values: Vec<(&'static str, String)>,
    /// Span of the first of the values in the note.
    pub span: Range<usize>,
    /// The measurement.
    pub measurement: Measurement,
}

/// A measurement that a block requests.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// The request key.
    pub key: Digest,
    /// The request.
    pub request: Arc<Request>,
    /// Its subject, for kinds that are about a layer.
    pub target: Option<Target>,
    /// The keys of the scans that it uses.
    pub scans: Vec<Digest>,
}

/// A place or a unit, for readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The dictionary's name, or the layer in the article's spelling.
    pub shown: String,
    /// Where it is.
    pub place: Place,
    /// Of a dictionary, the layer that it is over, in the article's spelling.
    pub over: Option<String>,
    /// The channel or the feature, from 0, if it is about a unit.
    pub unit: Option<u32>,
}

impl Wanted {
    /// All measurements, in the grid's order.
    pub fn measurements(&self) -> Vec<&Measurement> {
        match self {
            Self::Measurement(measurement) => vec![measurement],
            Self::Sweep(sweep) => sweep.cells.iter().map(|cell| &cell.measurement).collect(),
            Self::Nothing(_) => vec![],
        }
    }
}

impl Cell {
    /// A description without the unit's name from notes.
    pub fn caption(&self) -> String {
        self.said(None)
    }

    pub(super) fn said(&self, name: Option<&str>) -> String {
        let noun = self.measurement.target.as_ref().map_or("unit", |of| of.place.noun());
        let one = |(field, value): &(&str, String)| match *field {
            // The name of a layer or of another block, and a list of units, say themselves what they are.
            "layer" | "units" | "target" => value.clone(),
            "unit" => {
                let name = name.map(|name| format!(" · {name}")).unwrap_or_default();
                format!("{noun} {value}{name}")
            }
            field => format!("{} {value}", field.replace('_', " ")),
        };
        self.values.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

impl Measurement {
    /// Its unit, if it is about one.
    pub fn named(&self) -> Option<NamedUnit> {
        let target = self.target.as_ref()?;
        Some((self.request.model.digest, target.place.clone(), target.unit?))
    }

    /// The layer's or the dictionary's name for readers; empty if the kind is about none.
    pub fn layer_shown(&self) -> &str {
        self.target.as_ref().map_or("", |target| &target.shown)
    }
}
