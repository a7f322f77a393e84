//! Names out of the configuration: a model, a data set, the content of a data set.

use neuronotes_core::kind::Kind;
use neuronotes_core::request::Inputs;
use serde_json::Value as Json;

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::Node;

/// The model or the data set of the block. A request has these in places of their own.
pub(super) struct Name;

impl Family for Name {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.any_text(node)
    }

    fn resolve(&self, _: Json, _: &mut Asked, _: &mut dyn Sources) -> Resolved {
        Ok(None)
    }

    fn takes(&self) -> String {
        "name".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::text()
    }
}

/// A data set beside the block's own. The parameter is the digest of its content.
pub(super) struct Content;

impl Family for Content {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.any_text(node)
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let name = value.as_str().unwrap_or_default();
        let dataset = sources.dataset(name).map_err(|problem| vec![Wrong::new("", problem)])?;
        let digest = dataset.content().hex();
        asked.add_dataset(dataset);
        Ok(Some(digest.into()))
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        dataset(value.as_str().unwrap_or_default(), inputs)
    }

    fn takes(&self) -> String {
        "name".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::text()
    }
}

/// The note's name for a data set, by the digest of its content.
pub(super) fn dataset(digest: &str, inputs: &Inputs) -> String {
    let known = inputs.datasets.iter().find(|known| known.content().hex() == digest);
    known.map_or_else(|| digest.to_owned(), |known| known.name.clone())
}
