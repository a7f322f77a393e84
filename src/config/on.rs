//! Where weights and data are on the machines of a profile's workers: `on: { cluster: /scratch/weights.pt }`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::settings::Settings;
use crate::yaml::{Entry, Node, Value};

/// Paths by the profile whose workers find them there.
pub type On = BTreeMap<String, There>;

/// Paths on the machines of a profile's workers.
#[derive(Debug, Clone, PartialEq)]
pub struct There {
    /// Absolute paths, at least one; only a data set has more. They may be folders and patterns, as its `path` may.
    pub paths: Vec<String>,
    /// Span of the profile's name in the configuration.
    pub span: Range<usize>,
}

impl Settings<'_> {
    /// Reads `on:` of a model, which has one path a profile, or of a data set.
    pub(super) fn on(&mut self, field: &Entry, may_be_several: bool) -> On {
        let Some(entries) = field.node.entries() else {
            let expected = "a mapping of profiles to paths, such as { cluster: /scratch/data }";
            self.wrong(&field.node, &field.key, expected);
            return On::new();
        };
        let mut on = On::new();
        for entry in entries {
            let span = self.reader.key_span(entry);
            let items = match &entry.node.value {
                Value::List(items) if may_be_several => items.as_slice(),
                _ => std::slice::from_ref(&entry.node),
            };
            let paths: Vec<String> =
                items.iter().filter_map(|item| self.there(item, entry)).collect();
            if items.is_empty() {
                self.wrong(&entry.node, &entry.key, "an absolute path");
            }
            // One that is wrong must not leave the others as the whole data set.
            if !paths.is_empty() && paths.len() == items.len() {
                on.insert(entry.key.clone(), There { paths, span });
            }
        }
        on
    }

    fn there(&mut self, item: &Node, entry: &Entry) -> Option<String> {
        let path = item.text().filter(|path| path.starts_with('/'));
        if path.is_none() {
            let expected = "an absolute path";
            let problem = self.reader.wrong(item, &entry.key, expected);
            let hint = "it is a path on the machines of that profile, such as /scratch/data";
            self.problems.push(problem.hint(hint));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    #[test]
    fn models_and_data_sets_have_other_paths_on_other_machines() {
        let text = "run: { slurm: , big: { engine: slurm } }\nmodels:\n  RN50x4: { on: { slurm: /scratch/RN50x4.pt } }\n  \
                    a: { path: a.pt, on: { slurm: /s/a.pt, big: /b/a.pt } }\ndatasets:\n  \
                    web: { path: data/web.tar, on: { big: [\"/b/web-{0..9}.tar\", /b/more] } }\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        assert_eq!(config.models["RN50x4"].on["slurm"].paths, ["/scratch/RN50x4.pt"]);
        assert_eq!(config.models["a"].on["big"].paths, ["/b/a.pt"]);
        assert_eq!(config.datasets["web"].on["big"].paths, ["/b/web-{0..9}.tar", "/b/more"]);
        assert_eq!(config.datasets["web"].written(), "data/web.tar", "facts are found by it");
    }

    #[test]
    fn mistakes_about_paths_elsewhere_have_their_places_and_hints() {
        let run = "run: { cluster: { engine: slurm } }\n";
        let all: Vec<String> = [
            "models:\n  a: { path: a.pt, on: /scratch/a.pt }\n",
            "models:\n  a: { path: a.pt, on: { cluster: scratch/a.pt } }\n",
            "models:\n  a: { path: a.pt, on: { cluster: [/scratch/a.pt, /b] } }\n",
            "models:\n  a: { path: a.pt, on: { clutser: /scratch/a.pt } }\n",
            "datasets:\n  a: { path: a.tar, on: { cluster: [/b.tar, c.tar] } }\n",
            "datasets:\n  a: { path: a.tar, on: { cluster: [] } }\n",
            "datasets:\n  a: { path: a.tar, on: { cluster: } }\n",
            "datasets:\n  a: { words: [b, c], on: { cluster: /b.txt } }\n",
        ]
        .iter()
        .flat_map(|text| parse(&format!("{run}{text}"), Path::new("/garden")).1)
        .map(|problem| problem.to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"));
        let (_, problems) = parse("models:\n  a: { path: a.pt, on: { b: /a } }\n", Path::new("/"));
        assert!(problems[0].to_string().contains("run: { b: { engine: slurm } }"), "{problems:?}");
    }
}
