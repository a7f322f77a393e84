//! A data set's entry in `neuronotes.yaml`: its paths or words, how these are drawn, the source of its labels, and the columns
//! of a table.

use std::ops::Range;
use std::path::{Path, PathBuf};

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::dataset::{Labels, Reading, Table};
use neuronotes_core::digest::Digest;

use super::draw::DrawSource;
use super::on::On;
use super::settings::Settings;
use super::source::escapes;
use crate::bundled;
use crate::yaml::{Entry, Node, Value};

/// A configured data set.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetSource {
    /// Paths of its shards as written, at least one unless it has `words`: files, folders, brace lists, patterns. Relative
    /// ones start in the garden.
    pub paths: Vec<String>,
    /// The garden's folder as given.
    pub root: PathBuf,
    /// Words that are written in the configuration, in place of paths.
    pub words: Vec<String>,
    /// How words are drawn, if not as by default.
    pub draw: Option<DrawSource>,
    /// The source of its labels.
    pub labels: Labels,
    /// The columns of a table.
    pub columns: Table,
    /// The folder in which the paths in a table start, as written.
    pub pictures: Option<String>,
    /// Where its shards are on other machines.
    pub on: On,
    /// Span of the name in the configuration.
    pub span: Range<usize>,
}

impl DatasetSource {
    /// A data set of one file that no entry names.
    pub fn of_file(path: &Path) -> Self {
        Self::of_path(path.display().to_string(), PathBuf::new())
    }

    /// A data set that no entry names; its path starts in `root`.
    pub fn of_path(path: String, root: PathBuf) -> Self {
        Self { paths: vec![path], ..Self::at(root, 0..0) }
    }

    /// One without paths.
    fn at(root: PathBuf, span: Range<usize>) -> Self {
        Self {
            paths: Vec::new(),
            root,
            words: Vec::new(),
            draw: None,
            labels: Labels::Files,
            columns: Table::default(),
            pictures: None,
            on: On::new(),
            span,
        }
    }

    /// How its shards are read. How words are drawn is not part of it before fonts are looked up.
    pub fn reading(&self) -> Reading {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let root = self.pictures.as_ref().map(|written| absolute(self.root.join(written)));
        let table = Table { root, ..self.columns.clone() };
        Reading { labels: self.labels, table, draw: None }
    }

    /// A relative path of it that leaves the garden.
    pub fn leaving(&self) -> Option<&str> {
        self.paths.iter().chain(&self.pictures).map(String::as_str).find(|path| escapes(path))
    }

    /// The entry in one line, by which stored facts about the data set are found again.
    pub fn written(&self) -> String {
        self.line(|table| canonical_json(&table.canonical()))
    }

    /// The entry in one line, for people.
    pub fn shown(&self) -> String {
        let named = |table: &Table| {
            let column = |role| Some(format!("{role}: {}", table.column(role)?));
            let columns: Vec<String> = Table::ROLES.into_iter().filter_map(column).collect();
            format!("{{ {} }}", columns.join(", "))
        };
        self.line(named)
    }

    fn line(&self, columns: impl Fn(&Table) -> String) -> String {
        let mut written = self.paths.join(", ");
        if !self.words.is_empty() {
            let digest = Digest::of(self.words.join("\n").as_bytes());
            written = format!("{} words, {}", self.words.len(), digest.short());
        }
        if let Some(draw) = &self.draw {
            written.push_str(&format!("; draw: {draw}"));
        }
        if self.labels == Labels::Folders {
            written.push_str("; labels: folders");
        }
        if !self.columns.is_default() {
            written.push_str(&format!("; columns: {}", columns(&self.columns)));
        }
        if let Some(pictures) = &self.pictures {
            written.push_str(&format!("; root: {pictures}"));
        }
        written
    }
}

const FIELDS: [&str; 7] = ["path", "labels", "columns", "root", "words", "draw", "on"];

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
        let mut source = DatasetSource::at(root, span);
        let mut is_given = false;
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
                        "columns" => source.columns = self.columns(field),
                        "root" => {
                            source.pictures = self.text(field).filter(|path| !path.is_empty());
                        }
                        "words" => {
                            is_given = true;
                            source.words = self.words(field);
                        }
                        "draw" => source.draw = self.draw(field),
                        "on" => source.on = self.on(field, true),
                        _ => self.unknown(field, &format!("`{}`", named.key), &FIELDS),
                    }
                }
            }
            _ => source.paths.extend(named.node.text()),
        }
        source.paths.retain(|path| !path.is_empty());
        if is_given && !source.paths.is_empty() {
            let message = format!("`{}` has both `path` and `words`", named.key);
            let problem = self.reader.at_key(named, message);
            self.problems.push(problem.hint("write the words in a file, or here, not both"));
            return None;
        }
        if let Some(there) = source.on.values().next().filter(|_| is_given) {
            let message = format!("`{}` has `words`, which are nowhere but here", named.key);
            let problem = self.reader.at.error(there.span.clone(), message);
            self.problems.push(problem.hint("remove `on`, or write the words in a file: `path`"));
        }
        if is_given {
            return (!source.words.is_empty()).then_some(source);
        }
        if source.paths.is_empty() {
            self.unplaced(named);
            return None;
        }
        for path in source.paths.iter().chain(&source.pictures).filter(|path| escapes(path)) {
            self.leaves(source.span.clone(), path);
        }
        if source.labels == Labels::Folders && source.columns.label.is_some() {
            let message = "labels come from folders (`labels: folders`) or from a column \
                           (`columns: { label: … }`), not from both";
            self.problems.push(self.reader.at_key(named, message).hint("remove one of the two"));
        }
        Some(source)
    }

    /// The names of a table's columns.
    fn columns(&mut self, field: &Entry) -> Table {
        let mut table = Table::default();
        let Some(entries) = field.node.entries() else {
            let expected = "a mapping such as `{ path: file, caption: text, label: breed }`";
            self.wrong(&field.node, &field.key, expected);
            return table;
        };
        for entry in entries {
            if !Table::ROLES.contains(&entry.key.as_str()) {
                self.unknown(entry, "`columns`", &Table::ROLES);
            } else if let Some(column) = self.text(entry).filter(|column| !column.is_empty()) {
                table.set(&entry.key, column);
            }
        }
        if table.path.is_some() && table.image.is_some() {
            let message = "pictures are in files (`path`) or in the table (`image`), not both";
            self.problems.push(self.reader.at_key(field, message).hint("remove one of the two"));
        }
        table
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
    fn a_table_has_columns_and_a_folder_of_its_pictures() {
        let text = "datasets:\n  a: { path: a.csv, columns: { path: file, label: breed }, root: pets }\n  \
                    b: { path: b.parquet, columns: { image: jpg }, root: /data/pets }\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        let [a, b] = ["a", "b"].map(|name| &config.datasets[name]);
        let columns = r#"a.csv; columns: {"label":"breed","path":"file"}; root: pets"#;
        assert_eq!(a.written(), columns, "frozen facts know it by this");
        assert_eq!(a.shown(), "a.csv; columns: { path: file, label: breed }; root: pets");
        let [of_a, of_b] = [a, b].map(|source| source.reading().table);
        assert_eq!(of_a.root.as_deref(), Some(Path::new("/garden/pets")));
        assert_eq!(of_b.root.as_deref(), Some(Path::new("/data/pets")));
        assert_eq!((of_a.label.as_deref(), of_b.image.as_deref()), (Some("breed"), Some("jpg")));
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
            "datasets:\n  a: { path: a.csv, columns: label }\n",
            "datasets:\n  a: { path: a.csv, columns: { lable: breed } }\n",
            "datasets:\n  a: { path: a.csv, columns: { path: file, image: jpg } }\n",
            "datasets:\n  a: { path: a.csv, columns: { label: [a, b] } }\n",
            "datasets:\n  a: { path: a.csv, columns: { label: b }, labels: folders }\n",
            "datasets:\n  a: { path: a.csv, root: ../pictures }\n",
        ]
        .iter()
        .flat_map(|text| parse(text, Path::new("/garden")).1)
        .map(|problem| problem.to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
