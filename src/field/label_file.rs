//! Files of labels that raters gave. A parameter is the digests of their bytes.

use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::{Kind, MOST_PICTURES, Rated};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Inputs;
use neuronotes_core::suggest;
use serde_json::Value as Json;

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::file::paths;
use super::line::{list, texts};
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::Node;

/// Paths and patterns; one may stand without a list.
pub(super) struct LabelFiles;

impl Family for LabelFiles {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        paths(node, "", at)
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let known = asked.params.get("categories");
        let known: Option<Vec<Class>> =
            known.and_then(|known| serde_json::from_value(known.clone()).ok());
        let mut problems = Vec::new();
        let mut digests: Vec<String> = Vec::new();
        let mut raters: Vec<(String, String)> = Vec::new();
        for (index, path) in texts(&value).iter().enumerate() {
            let wrong = |problem| Wrong::new(format!("/{index}"), problem);
            let files = match sources.labels(path) {
                Ok(files) => files,
                Err(problem) => {
                    problems.push(wrong(problem));
                    continue;
                }
            };
            for (file, answers) in files {
                // The same file by two patterns.
                if digests.contains(&file.digest.hex()) {
                    continue;
                }
                if let Some(answers) = answers {
                    let rater = answers.rater;
                    if let Some((_, other)) = raters.iter().find(|(known, _)| *known == rater) {
                        let message = format!(
                            "the rater `{rater}` has two files, `{other}` and `{}`",
                            file.name
                        );
                        let hint = "each rater has one file; a second one needs another name";
                        problems.push(wrong(Problem::new(message).hint(hint)));
                    }
                    let names = known.iter().flatten().flat_map(|class| &class.names);
                    let odd = answers.labels.iter().find(|(_, label)| {
                        known.is_some() && !names.clone().any(|name| name == *label)
                    });
                    if let Some((picture, label)) = odd {
                        let message = format!(
                            "`{}` labels the picture `{picture}` `{label}`, which is not among `categories`",
                            file.name
                        );
                        let hint = suggest::hint(label, names);
                        problems.push(wrong(Problem::new(message).hint(hint)));
                    }
                    raters.push((rater, file.name.clone()));
                    let pictures = answers.labels.into_keys().chain(answers.skipped).collect();
                    asked.rated.push(Rated { item: index, file: file.name.clone(), pictures });
                }
                digests.push(file.digest.hex());
                asked.inputs.files.push(file);
            }
        }
        if problems.is_empty() { Ok(Some(digests.into())) } else { Err(problems) }
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        let name = |digest: &String| {
            let known = inputs.files.iter().find(|known| known.digest.hex() == **digest);
            known.map_or_else(|| digest.clone(), |known| known.name.clone())
        };
        match texts(value).as_slice() {
            [] => "none yet".to_owned(),
            digests => list(&digests.iter().map(name).collect::<Vec<_>>()),
        }
    }

    fn takes(&self) -> String {
        "list of paths or patterns".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::one_or_many(&shape::text(), MOST_PICTURES)
    }
}
