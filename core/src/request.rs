//! Requests: everything that a measurement depends on, and its key.
//!
//! | in the request key | not in it |
//! |---|---|
//! | schema, kind, the kind's `impl_version` | the note, the block's id, caption, alt text, width |
//! | every parameter, defaults filled in, layers in one spelling | names and paths of weights and data |
//! | the digest of the weights and their conventions | device, driver, libtorch build, host, time |
//! | the digest of the data set: of its pictures, and of captions and labels only if they are read | |
//! | the digests of pictures and other data sets, as parameters | |
//! | the keys of the requests that it uses, precision | |
//!
//! The right column is recorded as provenance instead.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::canonical_json;
use crate::dataset::DatasetRef;
use crate::digest::Digest;
use crate::model::{ModelRef, Place, Precision};

/// Version of the key's composition; raising it invalidates every stored result.
pub const REQUEST_SCHEMA: u32 = 2;

/// A measurement for the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The kind's name in the registry, such as `feature_vis`, or `scan`.
    pub kind: String,
    /// The kind's version. Bump when the same parameters produce a different result.
    pub impl_version: u32,
    /// All parameters that affect the result, with defaults filled in.
    pub params: Map<String, Value>,
    /// The weights.
    pub model: ModelRef,
    /// The data set, for kinds that need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetRef>,
    /// Pictures and further data sets, which parameters name by their digests.
    #[serde(default, skip_serializing_if = "Inputs::is_empty")]
    pub inputs: Inputs,
    /// Requests whose results this one uses; the lab measures those that are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Request>,
    /// Precision of the forward pass.
    pub precision: Precision,
}

/// Paths of the files that parameters name by digest. They are not in the key themselves, since the digests are, as
/// parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Pictures, in the block's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<FileRef>,
    /// Files of weights, in the block's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileRef>,
    /// Dictionaries over layers, by their names in the configuration. A [`Place`] names them by their digests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dictionaries: Vec<FileRef>,
    /// Data sets other than the request's own, identified by [`DatasetRef::content`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DatasetRef>,
    /// Measurements of other blocks, named by their request keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockRef>,
}

/// A measurement of another block, which this one uses: only the key decides a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockRef {
    /// What it is used for: the field that names it.
    pub role: String,
    /// The name by which the block refers to it.
    pub name: String,
    /// The path of the note that it is in.
    pub note: String,
    /// Its id in that note.
    pub id: String,
    /// The values of the swept fields; empty without a sweep.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub which: String,
    /// Its request key.
    pub key: Digest,
}

/// A file in the garden; only its digest affects the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// Its path in the garden, as written in the note.
    pub name: String,
    /// Its absolute path.
    pub path: PathBuf,
    /// Digest of its bytes.
    pub digest: Digest,
}

impl Inputs {
    /// The file of the dictionary that a place is; `None` if it is a layer, or its file is not listed.
    pub fn dictionary(&self, place: &Place) -> Option<&FileRef> {
        let digest = place.dictionary()?;
        self.dictionaries.iter().find(|file| file.digest == digest)
    }

    /// The name of a place: the dictionary's, or the layer's canonical spelling.
    pub fn place_name<'a>(&'a self, place: &'a Place) -> &'a str {
        self.dictionary(place).map_or(place.layer(), |file| &file.name)
    }

    /// Whether no files are named.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
            && self.files.is_empty()
            && self.dictionaries.is_empty()
            && self.datasets.is_empty()
            && self.blocks.is_empty()
    }
}

impl Request {
    /// The requests that this one uses in a role, in the order in which the block names them.
    pub fn used<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Self> {
        let blocks = self.inputs.blocks.iter().filter(move |block| block.role == role);
        blocks.filter_map(|block| self.uses.iter().find(|used| used.key() == block.key))
    }

    /// The request key: BLAKE3 over [`Request::canonical`].
    pub fn key(&self) -> Digest {
        Digest::of(canonical_json(&self.canonical()).as_bytes())
    }

    /// The canonical JSON that the key covers.
    pub fn canonical(&self) -> Value {
        let mut out = Map::new();
        out.insert("schema".into(), REQUEST_SCHEMA.into());
        out.insert("kind".into(), self.kind.clone().into());
        out.insert("impl_version".into(), self.impl_version.into());
        out.insert("params".into(), Value::Object(self.params.clone()));
        out.insert("model".into(), self.model.digest.hex().into());
        out.insert("conventions".into(), serde_json::json!(self.model.conventions));
        out.insert("precision".into(), serde_json::json!(self.precision));
        if let Some(dataset) = &self.dataset {
            out.insert("dataset".into(), dataset.canonical());
        }
        let uses = self.uses.iter().map(|r| r.key().hex()).collect::<Vec<_>>();
        out.insert("uses".into(), uses.into());
        Value::Object(out)
    }

    /// The same request as it was before keys distinguished pictures from captions and labels; `None` if its key is
    /// unchanged. A result stored under that key is valid for this request too.
    pub fn former(&self) -> Option<Self> {
        let whole = |dataset: &DatasetRef| DatasetRef { captions: true, ..dataset.clone() };
        let mut names = BTreeMap::new();
        let mut former = self.clone();
        former.dataset = self.dataset.as_ref().map(whole);
        for (now, then) in self.inputs.datasets.iter().zip(&mut former.inputs.datasets) {
            *then = whole(now);
            names.insert(now.content().hex(), then.content().hex());
        }
        for (now, then) in self.uses.iter().zip(&mut former.uses) {
            if let Some(used) = now.former() {
                names.insert(now.key().hex(), used.key().hex());
                *then = used;
            }
        }
        former.params.values_mut().for_each(|value| rename(value, &names));
        (former.key() != self.key()).then_some(former)
    }
}

/// Replaces some texts by others, at any depth.
fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text.as_str()) {
                text.clone_from(name);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(map) => map.values_mut().for_each(|value| rename(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Labels, ShardRef, Table, format};
    use crate::model::{Activation, Conventions};

    fn request() -> Request {
        let mut params = Map::new();
        params.insert("unit".into(), 89.into());
        params.insert("layer".into(), "visual.layer4.0.add".into());
        Request {
            kind: "dataset_examples".into(),
            impl_version: 1,
            params,
            model: ModelRef {
                name: "emoji".into(),
                path: "/a/emoji.safetensors".into(),
                digest: Digest::of(b"weights"),
                conventions: Conventions::default(),
            },
            dataset: Some(DatasetRef {
                name: "emoji".into(),
                format: &format::tar::FORMAT,
                captions: false,
                labels: Labels::Files,
                table: Table::default(),
                draw: None,
                shards: vec![ShardRef::new("/a/emoji.tar".into(), Digest::of(b"data"))],
            }),
            inputs: Inputs::default(),
            uses: vec![],
            precision: Precision::F32,
        }
    }

    #[test]
    fn names_and_paths_do_not_change_the_key() {
        let mut other = request();
        other.model.name = "another".into();
        other.model.path = "/b".into();
        let dataset = other.dataset.as_mut().expect("a data set");
        dataset.name = "another".into();
        dataset.shards[0].path = "/b".into();
        other.inputs.pictures.push(FileRef {
            name: "a.png".into(),
            path: "/a.png".into(),
            digest: Digest::of(b"a picture"),
        });
        assert_eq!(request().key(), other.key());
    }

    #[test]
    fn what_is_used_is_found_by_its_role_and_where_it_stands_changes_no_key() {
        let (mut first, mut second) = (request(), request());
        first.kind = "feature_vis".into();
        second.params["unit"] = 90.into();
        let mut using = request();
        using.uses = vec![first.clone(), second.clone()];
        let key = using.key();
        let block = |role: &str, used: &Request| BlockRef {
            role: role.into(),
            name: "a".into(),
            note: "a.md".into(),
            id: "a".into(),
            which: String::new(),
            key: used.key(),
        };
        using.inputs.blocks = vec![block("use", &second), block("facet", &first)];
        assert_eq!(using.used("facet").collect::<Vec<_>>(), [&first]);
        assert_eq!(using.used("use").collect::<Vec<_>>(), [&second]);
        assert_eq!(using.used("direction").count(), 0);
        assert_eq!(using.key(), key);
    }

    #[test]
    fn everything_that_decides_the_result_changes_the_key() {
        let changes: [fn(&mut Request); 9] = [
            |r| r.kind = "activation_histogram".into(),
            |r| r.impl_version = 2,
            |r| r.params["unit"] = 90.into(),
            |r| r.model.digest = Digest::of(b"other weights"),
            |r| r.dataset.as_mut().expect("a data set").shards[0].digest = Digest::of(b"x"),
            |r| r.dataset.as_mut().expect("a data set").shards[0].rules = 2,
            |r| r.uses.push(request()),
            |r| r.model.conventions.activation = Activation::Gelu,
            |r| r.precision = Precision::Bf16,
        ];
        for change in changes {
            let mut other = request();
            change(&mut other);
            assert_ne!(request().key(), other.key());
        }
    }

    #[test]
    fn captions_change_the_keys_of_what_reads_them_alone() {
        let with = |pictures: &[u8], all: &[u8], captions: bool| {
            let mut request = request();
            let dataset = request.dataset.as_mut().expect("a data set");
            dataset.captions = captions;
            dataset.shards[0].digest = Digest::of(all);
            dataset.shards[0].pictures = Some(Digest::of(pictures));
            request
        };
        let key = |pictures: &[u8], all: &[u8], captions| with(pictures, all, captions).key();
        assert_eq!(key(b"p", b"cat", false), key(b"p", b"dog", false));
        assert_ne!(key(b"p", b"cat", true), key(b"p", b"dog", true));
        assert_ne!(key(b"p", b"cat", false), key(b"q", b"cat", false));
        let labelled = |captions| {
            let mut request = with(b"p", b"cat", captions);
            request.dataset.as_mut().expect("a data set").labels = Labels::Folders;
            request.key()
        };
        assert_ne!(labelled(true), key(b"p", b"cat", true));
        assert_eq!(labelled(false), key(b"p", b"cat", false));
        // Results stored when keys covered all of a data set are found, however deep the data set is nested.
        let old = |all: &[u8]| {
            let mut request = with(b"", all, true);
            request.dataset.as_mut().expect("a data set").shards[0].pictures = None;
            request
        };
        let (scan, old_scan) = (with(b"p", b"cat", false), old(b"cat"));
        assert_eq!(scan.former().expect("another key").key(), old_scan.key());
        assert_eq!(with(b"p", b"cat", true).former(), None);
        let set = scan.dataset.clone().expect("a data set");
        let old_set = old_scan.dataset.clone().expect("a data set");
        let using = |mut request: Request, used: &Request, set: &DatasetRef| {
            request.uses = vec![used.clone()];
            request.inputs.datasets = vec![set.clone()];
            let named = serde_json::json!([{ "set": set.content().hex() }, used.key().hex(), "x"]);
            request.params.insert("of".into(), named);
            request
        };
        let now = using(with(b"p", b"cat", true), &scan, &set);
        let then = using(old(b"cat"), &old_scan, &old_set);
        assert_eq!(now.former().expect("another key").key(), then.key());
    }

    #[test]
    fn the_key_of_a_known_request_never_changes() {
        insta::assert_snapshot!(canonical_json(&request().canonical()));
        insta::assert_snapshot!(request().key());
    }
}
