//! The registry of figures, and made-up results for the tests of each figure.

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{KINDS, Kind};
use neuronotes_core::request::Inputs;
use neuronotes_core::store::{Record, Store};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::*;

/// A result in its own store, with everything else that a drawing needs.
pub(super) struct Stored {
    pub store: Store,
    pub record: Record,
    pub presentation: Map<String, Value>,
    pub layer_shown: &'static str,
    pub inputs: Inputs,
    pub baseline: Option<Baseline>,
    _folder: tempfile::TempDir,
}

impl Stored {
    /// A result of a measurement with these parameters, without pictures and presentation.
    pub fn new(kind: &Kind, params: Value, outcome: &impl Serialize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("a store");
        let request = json!({ "params": params });
        let mut record = Record::new(Digest::of(b"key"), kind.name, kind.impl_version, request);
        record.set_result(&store, outcome).expect("stored");
        Self {
            store,
            record,
            presentation: Map::new(),
            layer_shown: "",
            inputs: Inputs::default(),
            baseline: None,
            _folder: folder,
        }
    }

    /// Adds an output, such as a picture that the result names.
    pub fn output(mut self, name: &str, media_type: &str, bytes: &[u8]) -> Self {
        self.record.add_output(&self.store, name, media_type, bytes).expect("stored");
        self
    }

    /// What a figure draws it from.
    pub fn context(&self) -> DrawContext<'_> {
        DrawContext {
            store: &self.store,
            record: &self.record,
            presentation: &self.presentation,
            layer_shown: self.layer_shown,
            inputs: &self.inputs,
            baseline: self.baseline.as_ref(),
        }
    }

    /// Its drawing.
    pub fn drawn(&self) -> Drawing {
        let kind = Kind::named(&self.record.kind).expect("a kind");
        let figure = Figure::of(kind).expect("a figure");
        (figure.draw)(&self.context()).expect("a drawing")
    }
}

#[test]
fn every_kind_is_drawn_and_nothing_else() {
    let names = FIGURES.iter().map(|figure| figure.kind.name);
    assert!(names.eq(KINDS.iter().map(|kind| kind.name)));
}
