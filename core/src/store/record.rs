//! A record: what was asked, what came out, and how it was made.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::disk::Store;
use super::error::StoreError;
use crate::canonical::canonical_json;
use crate::digest::Digest;
use crate::seal::{self, Opened};

/// The version of the record's own form.
pub const RECORD_SCHEMA: u32 = 1;

/// The name of the output that holds the kind's result as JSON.
const RESULT: &str = "result.json";
/// The name of the output of a scan that pages read.
pub const MOMENTS: &str = "moments.json";

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
    /// The version of the kind that measured it.
    pub impl_version: u32,
    /// What the key covers, as [`crate::request::Request::canonical`] gives it.
    pub request: Value,
    /// Named outputs, each a blob.
    pub outputs: BTreeMap<String, Output>,
    /// How it was measured; not part of the key.
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

impl Output {
    /// Whether pages need it: numbers and pictures, but not what only other measurements read.
    pub fn is_shown(&self, name: &str) -> bool {
        name == RESULT || name == MOMENTS || self.media_type.starts_with("image/")
    }
}

/// How a result was made. Nothing here is in the request key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The device as its maker calls it.
    pub device_name: String,
    /// Threads that worked. They decide nothing but the time.
    pub threads: u32,
    /// The widest vector instructions that libtorch used on a processor, such as `avx512`, which decide last digits; empty for a
    /// GPU, and for results of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instructions: String,
    /// libtorch's version.
    pub libtorch: String,
    /// The lab's version.
    pub lab: String,
    /// When the measurement began, RFC 3339, UTC.
    pub started: String,
    /// Seconds that it took, without those of the requests it uses.
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

    /// The bytes of the record's file, with a checksum over all of them.
    pub fn bytes(&self) -> Vec<u8> {
        seal::seal(&serde_json::to_vec_pretty(self).expect("a record is plain data"))
    }

    /// Reads a record's file.
    ///
    /// A file without a checksum is one of an earlier version; its request must then have its key.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let parsed = |json: &[u8]| {
            let record: Self = serde_json::from_slice(json)
                .map_err(|error| format!("it is not a record ({error})"))?;
            match record.schema {
                RECORD_SCHEMA => Ok(record),
                other => Err(format!("it is a record of the version {other}")),
            }
        };
        match seal::open(bytes) {
            Opened::Broken => Err("its checksum is wrong".to_owned()),
            Opened::Whole(json) => parsed(&json),
            Opened::Bare => {
                let record = parsed(bytes)?;
                match record.names_its_request() {
                    true => Ok(record),
                    false => Err("its key is that of another request".to_owned()),
                }
            }
        }
    }

    /// Whether the key is that of the request, and kind and version are those of the request.
    pub fn names_its_request(&self) -> bool {
        self.key == Digest::of(canonical_json(&self.request).as_bytes())
            && self.request.get("kind").and_then(Value::as_str) == Some(&self.kind)
            && self.request.get("impl_version").and_then(Value::as_u64)
                == Some(self.impl_version.into())
    }

    /// The keys of the requests that it used.
    pub fn uses(&self) -> impl Iterator<Item = Digest> {
        let uses = self.request.get("uses").and_then(Value::as_array).into_iter().flatten();
        uses.filter_map(|key| key.as_str()?.parse().ok())
    }

    /// Stores `bytes` as the output `name`.
    ///
    /// # Errors
    /// Fails if the store cannot be written.
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
    /// Fails if the store cannot be written.
    pub fn set_result(&mut self, store: &Store, result: &impl Serialize) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(result).expect("a result is plain data");
        self.add_output(store, RESULT, "application/json", &bytes)
    }

    /// Reads the kind's result; `None` if it is missing, damaged or of another form.
    pub fn result<T: DeserializeOwned>(&self, store: &Store) -> Option<T> {
        let bytes = store.blob(&self.outputs.get(RESULT)?.digest)?;
        serde_json::from_slice(&bytes).ok()
    }

    /// One digest over all outputs: equal results have equal digests, wherever they were measured.
    pub fn result_digest(&self) -> Digest {
        let mut text = String::new();
        for (name, output) in &self.outputs {
            text.push_str(&format!("{name}\0{}\n", output.digest));
        }
        Digest::of(text.as_bytes())
    }
}
