//! A data set's entry in `neuronotes.yaml`: its paths and the source of its labels.

use std::ops::Range;
use std::path::{Path, PathBuf};

use neuronotes_core::dataset::Labels;

use super::settings::Settings;
use super::source::escapes;
use crate::bundled;
use crate::yaml::{Entry, Node, Value};

/// A configured data set.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetSource {
    /// Paths of its shards as written, at least one: files, folders, brace lists, patterns. Relative ones start in
    /// the garden.
    pub paths: Vec<String>,
    /// The garden's folder as given.
    pub root: PathBuf,
    /// The source of its labels.
    pub labels: Labels,
    /// Span of the name in the configuration.
    pub span: Range<usize>,
}

impl DatasetSource {
    /// A data set of one file that no entry names.
    pub fn of_file(path: &Path) -> Self {
        let paths = vec![path.display().to_string()];
        Self { paths, root: PathBuf::new(), labels: Labels::Files, span: 0..0 }
    }

    /// A relative path of it that leaves the garden.
    pub fn leaving(&self) -> Option<&str> {
        self.paths.iter().map(String::as_str).find(|path| escapes(path))
    }

    /// The entry in one line.
    pub fn written(&self) -> String {
        let paths = self.paths.join(", ");
        match self.labels {
            Labels::Files => paths,
            Labels::Folders => format!("{paths}; labels: folders"),
        }
    }
}

const FIELDS: [&str; 2] = ["path", "labels"];

impl Settings<'_> {
    pub(super) fn dataset(&mut self, named: &Entry) -> Option<DatasetSource> {
        let is_bare = match &named.node.value {
            Value::Null => true,
            Value::Map(fields) => fields.is_empty(),
            _ => false,
        };
        if is_bare && bundled::dataset(&named.key).is_some() {
            // It needs no entry, but may have one.
            return None;
        }
        let span = self.reader.key_span(named);
        let root = self.root.to_owned();
        let mut source = DatasetSource { paths: Vec::new(), root, labels: Labels::Files, span };
        match &named.node.value {
            Value::List(_) => source.paths = self.paths(&named.node, &named.key),
            Value::Map(fields) => {
                for field in fields {
                    match field.key.as_str() {
                        "path" => source.paths = self.paths(&field.node, &field.key),
                        "labels" => match field.node.text().as_deref().and_then(Labels::named) {
                            Some(labels) => source.labels = labels,
                            None => self.wrong(&field.node, "labels", "`files` or `folders`"),
                        },
                        _ => self.unknown(field, &format!("`{}`", named.key), &FIELDS),
                    }
                }
            }
            _ => source.paths.extend(named.node.text()),
        }
        source.paths.retain(|path| !path.is_empty());
        if source.paths.is_empty() {
            self.unplaced(named);
            return None;
        }
        for path in source.paths.iter().filter(|path| escapes(path)) {
            self.leaves(source.span.clone(), path);
        }
        Some(source)
    }

    /// One path, or a list of them.
    fn paths(&mut self, node: &Node, field: &str) -> Vec<String> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            Value::Null => &[],
            _ => std::slice::from_ref(node),
        };
        let mut paths = Vec::new();
        for item in items {
            match item.item() {
                Some(path) => paths.push(path),
                None => self.wrong(item, field, "a path or a list of paths"),
            }
        }
        paths
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use neuronotes_core::dataset::Labels;

    use crate::config::parse;

    #[test]
    fn a_data_set_is_one_path_or_several_and_says_where_labels_come_from() {
        let text = "datasets:\n  a: data/a.tar\n  b: [data/b-0.tar, data/b-1.tar]\n  \
                    c: { path: pets, labels: folders }\n  d: { path: [\"s-{0..9}.tar\", t], labels: files }\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        let written = |name: &str| config.datasets[name].written();
        assert_eq!(written("a"), "data/a.tar", "frozen facts know it by this");
        assert_eq!(written("b"), "data/b-0.tar, data/b-1.tar");
        assert_eq!(written("c"), "pets; labels: folders");
        assert_eq!(config.datasets["d"].paths, ["s-{0..9}.tar", "t"]);
        assert_eq!(config.datasets["d"].labels, Labels::Files);
    }

    #[test]
    fn mistakes_about_a_data_set_have_their_places_and_hints() {
        let all: Vec<String> = [
            "datasets:\n  a: { paths: a.tar }\n",
            "datasets:\n  a: { path: a.tar, labels: folder }\n",
            "datasets:\n  a: { path: a.tar, label: folders }\n",
            "datasets:\n  a: { path: [a.tar, { b: c }] }\n",
            "datasets:\n  a: { path: [a.tar, ../b.tar] }\n",
            "datasets:\n  a: []\n",
        ]
        .iter()
        .flat_map(|text| parse(text, Path::new("/garden")).1)
        .map(|problem| problem.to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
