//! Made-up results for the tests and benchmarks of every crate: each kind has a small one beside its outcome, with
//! everything that a result with those parameters can have.

use serde::Serialize;
use serde_json::Value;

use crate::request::Request;
use crate::store::{Record, Store, StoreError};

/// A made-up result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The kind's outcome, as stored.
    pub result: Value,
    /// The pictures that it names.
    pub pictures: Vec<Painted>,
}

/// A picture that a made-up result names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Painted {
    /// Name of the record's output.
    pub output: String,
    /// Media type, such as `image/png`.
    pub media_type: &'static str,
    /// Width and height in pixels.
    pub size: (u32, u32),
}

impl Painted {
    /// A PNG.
    pub(super) fn png(output: &str, width: u32, height: u32) -> Self {
        Self { output: output.to_owned(), media_type: "image/png", size: (width, height) }
    }
}

impl Sample {
    /// A sample with this outcome.
    pub(super) fn of(outcome: &impl Serialize, pictures: Vec<Painted>) -> Self {
        Self { result: serde_json::to_value(outcome).unwrap_or_default(), pictures }
    }

    /// A record of it for `request`, not committed yet; `paint` makes the bytes of each picture.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub fn record(
        &self,
        store: &Store,
        request: &Request,
        paint: impl Fn(&Painted) -> Vec<u8>,
    ) -> Result<Record, StoreError> {
        let (key, version) = (request.key(), request.impl_version);
        let mut record = Record::new(key, &request.kind, version, request.canonical());
        for picture in &self.pictures {
            record.add_output(store, &picture.output, picture.media_type, &paint(picture))?;
        }
        record.set_result(store, &self.result)?;
        Ok(record)
    }
}
