//! A unit of work: requests that one worker measures together.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::request::Request;

/// Requests that one worker measures together, minutes long if possible. It never changes: other requests are another unit of
/// work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The requests, with paths as workers see them, in the order in which they are measured if not together.
    pub requests: Vec<Request>,
    /// Seconds that they will take by estimate, without what they use; `None` if nothing like them was measured before.
    pub seconds: Option<f64>,
    /// Whether to measure with half the usual batch size, because memory ran out before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halve: bool,
}

impl Unit {
    /// What it is called: the digest of its requests' keys, whatever their order.
    pub fn id(&self) -> Digest {
        let mut keys: Vec<String> = self.keys().map(|key| key.hex()).collect();
        keys.sort_unstable();
        Digest::of(keys.join("\n").as_bytes())
    }

    /// The keys of its requests.
    pub fn keys(&self) -> impl Iterator<Item = Digest> {
        self.requests.iter().map(Request::key)
    }

    /// The keys of the results that must be stored before it is ready: what its requests use, other than each other.
    pub fn needs(&self) -> Vec<Digest> {
        let own: Vec<Digest> = self.keys().collect();
        let used = self.requests.iter().flat_map(|request| &request.uses);
        let mut needs: Vec<Digest> =
            used.map(Request::key).filter(|key| !own.contains(key)).collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }
}
