//! A record: what was asked, what came out, and how it was made.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Store, StoreError};
use crate::digest::Digest;

/// The version of the record's own form.
pub const RECORD_SCHEMA: u32 = 1;

/// The name of the output that holds the kind's result as JSON.
const RESULT: &str = "result.json";

/// One committed measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`RECORD_SCHEMA`].
    pub schema: u32,
    /// The request key.
    pub key: Digest,
    /// The kind of analysis.
    pub kind: String,
    /// The kind's version that measured it.
    pub impl_version: u32,
    /// What the key covers, as [`crate::request::Request::canonical`] gives it.
    pub request: Value,
    /// Named outputs, each a blob.
    pub outputs: BTreeMap<String, Output>,
    /// How it was made; decides nothing.
    pub provenance: Provenance,
}

/// One output of a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The blob.
    pub digest: Digest,
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// How a result was made. Nothing here is in the request key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The device as its maker calls it.
    pub device_name: String,
    /// Threads of one operation.
    pub threads: u32,
    /// libtorch's version.
    pub libtorch: String,
    /// The lab's version.
    pub lab: String,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// Seconds taken, without those of the requests it uses.
    pub seconds: f64,
    /// The model's name in the configuration at that time.
    pub model: String,
    /// The data set's name in the configuration at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
}

impl Record {
    /// A record with no outputs yet.
    pub fn new(key: Digest, kind: &str, impl_version: u32, request: Value) -> Self {
        Self {
            schema: RECORD_SCHEMA,
            key,
            kind: kind.to_owned(),
            impl_version,
            request,
            outputs: BTreeMap::new(),
            provenance: Provenance::default(),
        }
    }

    /// Stores `bytes` as the output `name`.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn add_output(
        &mut self,
        store: &Store,
        name: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let digest = store.put_blob(bytes)?;
        let output =
            Output { digest, media_type: media_type.to_owned(), bytes: bytes.len() as u64 };
        self.outputs.insert(name.to_owned(), output);
        Ok(())
    }

    /// Stores the kind's result.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn set_result(&mut self, store: &Store, result: &impl Serialize) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(result).expect("a result is plain data");
        self.add_output(store, RESULT, "application/json", &bytes)
    }

    /// Reads the kind's result; `None` where it is missing, damaged or of another form.
    pub fn result<T: DeserializeOwned>(&self, store: &Store) -> Option<T> {
        let bytes = store.blob(&self.outputs.get(RESULT)?.digest)?;
        serde_json::from_slice(&bytes).ok()
    }

    /// One digest over all outputs: equal results have equal ones, whoever measured them.
    pub fn result_digest(&self) -> Digest {
        let mut text = String::new();
        for (name, output) in &self.outputs {
            text.push_str(&format!("{name}\0{}\n", output.digest));
        }
        Digest::of(text.as_bytes())
    }
}
