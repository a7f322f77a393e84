//! Files of the garden: pictures, and published weights. Parameters are the digests of their bytes.

use neuronotes_core::kind::{Kind, MOST_PICTURES};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Inputs;
use serde_json::Value as Json;

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::line::{list, texts};
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::Node;

/// One picture, by its path.
pub(super) struct Picture;

impl Family for Picture {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.any_text(node)
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let path = value.as_str().unwrap_or_default().to_owned();
        let mut digests = digests(&[path], "", asked, sources)?;
        Ok(digests.pop().map(Json::from))
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        picture(value.as_str().unwrap_or_default(), inputs)
    }

    fn takes(&self) -> String {
        "path".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::text()
    }
}

/// Several pictures, by their paths; one may stand without a list.
pub(super) struct Pictures;

impl Family for Pictures {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        paths(node, "", at)
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        Ok(Some(digests(&texts(&value), "", asked, sources)?.into()))
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        let names = texts(value).iter().map(|digest| picture(digest, inputs)).collect::<Vec<_>>();
        list(&names)
    }

    fn takes(&self) -> String {
        "list of paths".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::one_or_many(&shape::text(), MOST_PICTURES)
    }
}

/// Reads paths of pictures.
pub(super) fn paths(node: &Node, pointer: &str, at: &mut Reading<'_, '_>) -> Json {
    let items = at.one_or_many(node, "a list of paths");
    at.items(node, items, pointer, MOST_PICTURES)
}

/// The digests of pictures, whose paths stand under `pointer` in the value.
pub(super) fn digests(
    paths: &[String],
    pointer: &str,
    asked: &mut Asked,
    sources: &mut dyn Sources,
) -> Result<Vec<String>, Vec<Wrong>> {
    let mut problems = Vec::new();
    let mut digests = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        match sources.picture(path) {
            Ok(picture) => {
                digests.push(picture.digest.hex());
                if !asked.inputs.pictures.contains(&picture) {
                    asked.inputs.pictures.push(picture);
                }
            }
            Err(problem) => problems.push(Wrong::new(format!("{pointer}/{index}"), problem)),
        }
    }
    if problems.is_empty() { Ok(digests) } else { Err(problems) }
}

/// The note's name for a picture, by its digest.
pub(super) fn picture(digest: &str, inputs: &Inputs) -> String {
    let known = inputs.pictures.iter().find(|known| known.digest.hex() == digest);
    known.map_or_else(|| digest.to_owned(), |known| known.name.clone())
}

/// A folder with a NumPy file of published weights for each of the block's layers.
pub(super) struct Weights;

impl Family for Weights {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        Picture.read(node, at)
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let layers = texts(asked.params.get("layers").unwrap_or(&Json::Null));
        let name = sources.written("name").unwrap_or(sources.id()).to_owned();
        let folder = value.as_str().unwrap_or_default().trim_end_matches('/');
        let mut problems = Vec::new();
        let mut digests = Vec::new();
        for layer in layers {
            let known = sources.model().1.layer(&layer).ok();
            let Some(article) = known.and_then(|layer| layer.name.article) else {
                let message = format!("published weights have no file for the layer `{layer}`");
                let problem =
                    Problem::new(message).hint("name `layers` that have a spelling in the article");
                problems.push(Wrong { field: Some("layers"), ..Wrong::new("", problem) });
                continue;
            };
            match sources.weights(&format!("{folder}/{article}/{name}_spatial.npy")) {
                Ok(file) => {
                    digests.push(file.digest.hex());
                    asked.inputs.files.push(file);
                }
                Err(problem) => problems.push(Wrong::new("", problem)),
            }
        }
        if problems.is_empty() { Ok(Some(digests.into())) } else { Err(problems) }
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        let name = |digest: &String| {
            let known = inputs.files.iter().find(|known| known.digest.hex() == **digest);
            known.map_or_else(|| digest.clone(), |known| known.name.clone())
        };
        list(&texts(value).iter().map(name).collect::<Vec<_>>())
    }

    fn takes(&self) -> String {
        "path of a folder".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::text()
    }
}
