//! What one block wants, as data: a measurement, several of them, or nothing and why.

use std::ops::Range;
use std::sync::Arc;

use neuronotes_core::digest::Digest;
use neuronotes_core::request::Request;

use super::NamedUnit;
use crate::diagnostic::Diagnostic;

/// What one block wants.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// This measurement.
    Measurement(Box<Measurement>),
    /// These, in one grid.
    Sweep(Sweep),
    /// Nothing: the block is faulty, and this is why.
    Nothing(Vec<Diagnostic>),
}

/// The measurements of a block that sweeps over values.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// In the grid's order.
    pub cells: Vec<Cell>,
    /// How many values each field has that is swept over, one or two.
    pub axes: Vec<usize>,
}

/// One measurement of a sweep.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The fields that are swept over and their values here, as they are written.
    pub values: Vec<(&'static str, String)>,
    /// Where the first of the values stands in the note.
    pub span: Range<usize>,
    /// What is measured.
    pub measurement: Measurement,
}

/// A measurement that a block wants.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// The request key.
    pub key: Digest,
    /// The request.
    pub request: Arc<Request>,
    /// What it is about, for kinds that are about a layer.
    pub target: Option<Target>,
    /// The keys of the scans that it uses.
    pub scans: Vec<Digest>,
}

/// A layer, or a unit of it, for a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The layer as a reader of the article expects it.
    pub shown: String,
    /// The layer's canonical spelling.
    pub layer: String,
    /// Channel, from 0, where it is about one.
    pub unit: Option<u32>,
}

impl Wanted {
    /// Every measurement, in the grid's order where there are several.
    pub fn measurements(&self) -> Vec<&Measurement> {
        match self {
            Self::Measurement(measurement) => vec![measurement],
            Self::Sweep(sweep) => sweep.cells.iter().map(|cell| &cell.measurement).collect(),
            Self::Nothing(_) => vec![],
        }
    }
}

impl Cell {
    /// What it is of, without what notes call its unit.
    pub fn caption(&self) -> String {
        self.said(None)
    }

    pub(super) fn said(&self, name: Option<&str>) -> String {
        let one = |(field, value): &(&str, String)| match *field {
            // A layer's name and a list of units say themselves what they are.
            "layer" | "units" => value.clone(),
            "unit" => {
                let name = name.map(|name| format!(" · {name}")).unwrap_or_default();
                format!("unit {value}{name}")
            }
            field => format!("{} {value}", field.replace('_', " ")),
        };
        self.values.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

impl Measurement {
    /// The unit that it is about, where it is about one.
    pub fn named(&self) -> Option<NamedUnit> {
        let target = self.target.as_ref()?;
        Some((self.request.model.digest, target.layer.clone(), target.unit?))
    }

    /// The layer as a reader expects it; empty where the kind is about none.
    pub fn layer_shown(&self) -> &str {
        self.target.as_ref().map_or("", |target| &target.shown)
    }
}
