//! Names of other blocks, whose results a measurement uses. Parameters are the keys of their requests.

use neuronotes_core::kind::{Kind, Kinds, MOST_PICTURES, Takes};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{BlockRef, Inputs, Request};
use neuronotes_core::suggest;
use serde_json::Value as Json;

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::line::{list, plain, texts};
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::Node;

/// One block with one measurement.
pub(super) struct One {
    pub(super) takes: Takes,
}

impl Family for One {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.any_text(node)
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let found = one(self.takes, &plain(&value), sources);
        let (block, request) = found.map_err(|problem| vec![Wrong::new("", problem)])?;
        let key = block.key.hex();
        asked.add_used(block, request);
        Ok(Some(key.into()))
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        list(&blocks(&[plain(value)], inputs))
    }

    fn blocks(&self, value: &Json) -> Vec<(Takes, String)> {
        vec![(self.takes, plain(value))]
    }

    fn takes(&self) -> String {
        format!("name of a block {}", sort(self.takes))
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::text()
    }
}

/// Blocks; one may stand without a list. The parameter has the keys of all measurements of a sweep.
pub(super) struct Several {
    pub(super) takes: Takes,
}

impl Family for Several {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        names(node, "", at)
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        Ok(Some(keys(self.takes, (&texts(&value), ""), asked, sources)?.into()))
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        list(&blocks(&texts(value), inputs))
    }

    fn blocks(&self, value: &Json) -> Vec<(Takes, String)> {
        texts(value).into_iter().map(|name| (self.takes, name)).collect()
    }

    fn takes(&self) -> String {
        format!("name of a block {}, or list of those", sort(self.takes))
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::one_or_many(&shape::text(), MOST_PICTURES)
    }
}

/// The blocks that a field takes, in words.
fn sort(takes: Takes) -> String {
    match takes.kinds {
        Kinds::Named(_) => format!("of the kind {}", suggest::quoted(&Kind::taken(takes), "or")),
        Kinds::WithPictures => "with pictures".to_owned(),
    }
}

/// Reads names of blocks.
pub(super) fn names(node: &Node, pointer: &str, at: &mut Reading<'_, '_>) -> Json {
    let items = at.one_or_many(node, "the id of a block, or a list of those");
    at.items(node, items, pointer, MOST_PICTURES)
}

/// The block of that name with its request; an error where it is a sweep.
pub(super) fn one(
    takes: Takes,
    name: &str,
    sources: &mut dyn Sources,
) -> Result<(BlockRef, Request), Problem> {
    let mut found = sources.used(takes, name)?;
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (_, more) => {
            let count = more + 1;
            let message = format!("`{name}` is a sweep of {count} measurements; one is needed");
            Err(Problem::new(message).hint("name a block without `sweep`"))
        }
    }
}

/// The request keys of the blocks whose names are under a pointer in the value.
pub(super) fn keys(
    takes: Takes,
    (names, pointer): (&[String], &str),
    asked: &mut Asked,
    sources: &mut dyn Sources,
) -> Result<Vec<String>, Vec<Wrong>> {
    let mut keys: Vec<String> = Vec::new();
    let mut problems = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match sources.used(takes, name) {
            Ok(found) => {
                for (block, request) in found {
                    let key = block.key.hex();
                    asked.add_used(block, request);
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
            }
            Err(problem) => problems.push(Wrong::new(format!("{pointer}/{index}"), problem)),
        }
    }
    if problems.is_empty() {
        problems.extend(asked.too_much(keys.len()).map(|problem| Wrong::new(pointer, problem)));
    }
    if problems.is_empty() { Ok(keys) } else { Err(problems) }
}

/// The note's names for the blocks with these keys; a sweep is named once.
pub(super) fn blocks(keys: &[String], inputs: &Inputs) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        let known = inputs.blocks.iter().find(|known| known.key.hex() == *key);
        let name = known.map_or(key, |known| &known.name);
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use neuronotes_core::dataset::DatasetRef;
    use neuronotes_core::digest::Digest;
    use neuronotes_core::labelling::Answers;
    use neuronotes_core::model::{Architecture, Conventions, ModelRef, Precision};
    use neuronotes_core::request::FileRef;

    use super::*;
    use crate::field::ResolvedPlace;

    /// Knows one block, `grid`, of so many measurements.
    struct Grid(usize);

    impl Sources for Grid {
        fn model(&self) -> (&str, &Architecture) {
            unreachable!("a block's name needs no model")
        }

        fn place(&self) -> Option<&ResolvedPlace> {
            None
        }

        fn layer_written(&self) -> Option<&str> {
            None
        }

        fn id(&self) -> &str {
            "own"
        }

        fn written(&self, _: &str) -> Option<&str> {
            None
        }

        fn dataset(&mut self, name: &str) -> Result<DatasetRef, Problem> {
            Err(Problem::new(name))
        }

        fn words(&mut self, name: &str) -> Result<Vec<String>, Problem> {
            Err(Problem::new(name))
        }

        fn list(&self, name: &str) -> Result<Vec<String>, Problem> {
            Err(Problem::new(name))
        }

        fn picture(&mut self, path: &str) -> Result<FileRef, Problem> {
            Err(Problem::new(path))
        }

        fn weights(&mut self, path: &str) -> Result<FileRef, Problem> {
            Err(Problem::new(path))
        }

        fn labels(&mut self, path: &str) -> Result<Vec<(FileRef, Option<Answers>)>, Problem> {
            Err(Problem::new(path))
        }

        fn used(&mut self, _: Takes, name: &str) -> Result<Vec<(BlockRef, Request)>, Problem> {
            if name != "grid" {
                return Err(Problem::new(format!("there is no figure `{name}`")));
            }
            Ok((0..self.0).map(cell).collect())
        }
    }

    fn cell(number: usize) -> (BlockRef, Request) {
        let mut params = serde_json::Map::new();
        params.insert("unit".into(), number.into());
        let request = Request {
            kind: "made_up".into(),
            impl_version: 1,
            params,
            model: ModelRef {
                name: "m".into(),
                path: "/m".into(),
                digest: Digest::of(b"m"),
                conventions: Conventions::default(),
            },
            dataset: None,
            inputs: Inputs::default(),
            uses: vec![],
            precision: Precision::F32,
        };
        let block = BlockRef {
            role: "of".into(),
            name: "grid".into(),
            note: "a.md".into(),
            id: "grid".into(),
            which: format!("unit {number}"),
            key: request.key(),
        };
        (block, request)
    }

    #[test]
    fn a_field_of_one_block_takes_no_sweep_and_one_of_several_takes_all_of_it() {
        let takes = Takes::PICTURES;
        let mut asked = Asked::default();
        let one = One { takes }.resolve("grid".into(), &mut asked, &mut Grid(1));
        assert_eq!(one, Ok(Some(cell(0).1.key().hex().into())));
        let wrong = One { takes }.resolve("grid".into(), &mut asked, &mut Grid(2));
        let wrong = wrong.expect_err("a sweep").remove(0).problem.to_string();
        assert!(wrong.contains("a sweep of 2 measurements; one is needed"), "{wrong}");
        assert!(wrong.contains("hint: name a block without `sweep`"), "{wrong}");
        // A block that is named twice is in the request once.
        let names = serde_json::json!(["grid", "grid"]);
        let keys = Several { takes }.resolve(names, &mut asked, &mut Grid(3));
        let expected: Vec<String> = (0..3).map(|number| cell(number).1.key().hex()).collect();
        assert_eq!(keys, Ok(Some(expected.into())));
        assert_eq!((asked.uses.len(), asked.inputs.blocks.len()), (3, 3));
        let unknown =
            Several { takes }.resolve(serde_json::json!(["grid", "x"]), &mut asked, &mut Grid(1));
        assert_eq!(unknown.expect_err("unknown")[0].pointer, "/1");
    }

    #[test]
    fn blocks_are_shown_by_their_names_a_sweep_once() {
        let blocks = (0..2).map(|number| cell(number).0).collect();
        let inputs = Inputs { blocks, ..Inputs::default() };
        let keys = serde_json::json!([cell(0).1.key().hex(), cell(1).1.key().hex()]);
        assert_eq!(Several { takes: Takes::PICTURES }.shown(&keys, &inputs), "grid");
        let key = Json::from(cell(1).1.key().hex());
        assert_eq!(One { takes: Takes::PICTURES }.shown(&key, &inputs), "grid");
    }
}
