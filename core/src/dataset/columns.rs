//! Chooses the columns of a table: those that the configuration names, or else those with common names.

use super::listing::Malformed;
use super::table::Table;
use crate::suggest;

/// Common names of columns, the most telling first. Upper and lower case are the same.
const COMMON: [(&str, &[&str]); 4] = [
    (
        "path",
        &[
            "path",
            "file_name",
            "filename",
            "file",
            "filepath",
            "file_path",
            "image_path",
            "image_file",
            "image",
            "img_path",
            "img",
        ],
    ),
    ("image", &["image", "img", "picture", "jpg", "jpeg", "png", "webp", "bytes", "image_bytes"]),
    ("caption", &["caption", "captions", "text", "texts", "description", "sentence", "title"]),
    ("label", &["label", "labels", "class", "class_name", "category", "target"]),
];
/// Most columns that a message lists.
const LISTED: usize = 24;

/// The common names of columns for a role.
pub fn common(role: &str) -> &'static [&'static str] {
    COMMON.iter().find(|(known, _)| *known == role).map_or(&[], |(_, names)| names)
}

/// The column for a role, as an index into the columns' names: the one that the configuration names, or one with a common
/// name; `None` if neither is there.
///
/// # Errors
/// If the column that the configuration names is not there, or if two columns have its name.
pub fn choose(names: &[String], table: &Table, role: &str) -> Result<Option<usize>, Malformed> {
    let Some(wanted) = table.column(role) else {
        let is = |common: &str| names.iter().position(|name| name.eq_ignore_ascii_case(common));
        return Ok(common(role).iter().find_map(|common| is(common)));
    };
    let mut found = (0..names.len()).filter(|at| names[*at] == wanted);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(Some(at)),
        (Some(_), Some(_)) => Err(Malformed::Hinted {
            why: format!("two of its columns are called `{wanted}`"),
            hint: "rename one of them".into(),
        }),
        (None, _) => {
            let near = suggest::nearest(wanted, names, 1);
            let hint = match near.first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("correct `columns: {{ {role}: … }}` in neuronotes.yaml"),
            };
            let why = format!("it has no column `{wanted}`; {}", listed(names));
            Err(Malformed::Hinted { why, hint })
        }
    }
}

/// The columns that are read of a table whose pictures are files, as indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Texts {
    /// The paths of the pictures.
    pub(super) paths: usize,
    /// The captions, if there are some.
    pub(super) captions: Option<usize>,
    /// The labels, if there are some.
    pub(super) labels: Option<usize>,
}

impl Texts {
    /// Chooses them by their names. `naming` says where a table of this format has the names.
    ///
    /// # Errors
    /// If there are no paths, or a column that the configuration names is not there.
    pub(super) fn of(names: &[String], table: &Table, naming: &str) -> Result<Self, Malformed> {
        if table.image.is_some() {
            return Err(Malformed::Hinted {
                why: "a table as text holds paths of pictures, not pictures".into(),
                hint: "name the column of the paths: `columns: { path: … }`".into(),
            });
        }
        let column = |role: &str| choose(names, table, role);
        let Some(paths) = column("path")? else {
            return Err(Malformed::Hinted {
                why: format!("no column has a common name for paths; {}", listed(names)),
                hint: format!(
                    "{naming}; `columns: {{ path: … }}` in neuronotes.yaml says which of them holds the paths of the pictures"
                ),
            });
        };
        Ok(Self { paths, captions: column("caption")?, labels: column("label")? })
    }

    /// The names of the columns, by role.
    pub(super) fn named(&self, names: &[String]) -> Vec<(&'static str, String)> {
        let all = [("path", Some(self.paths)), ("caption", self.captions), ("label", self.labels)];
        let named =
            |(role, at): (&'static str, Option<usize>)| Some((role, names.get(at?)?.clone()));
        all.into_iter().filter_map(named).collect()
    }
}

/// The columns of a table, for messages.
pub fn listed(names: &[String]) -> String {
    let more = if names.len() > LISTED { ", …" } else { "" };
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| short(name)).collect();
    match shown.as_slice() {
        [] => "it has no columns".to_owned(),
        [one] => format!("its only column is `{one}`"),
        several => format!("its columns are {}{more}", suggest::quoted(several, "and")),
    }
}

/// A name, or the beginning of one that is too long for a message.
fn short(name: &str) -> String {
    let mut short: String = name.chars().take(40).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_chosen_by_name_or_by_common_names() {
        let header = names(&["id", "Text", "FILE_NAME", "breed", "path2"]);
        let of = |table: &Table, role: &str| choose(&header, table, role).expect("a choice");
        let table = Table::default();
        assert_eq!(of(&table, "path"), Some(2));
        assert_eq!(of(&table, "caption"), Some(1));
        assert_eq!(of(&table, "label"), None);
        let table = Table { label: Some("breed".into()), path: Some("path2".into()), ..table };
        assert_eq!((of(&table, "label"), of(&table, "path")), (Some(3), Some(4)));
    }

    #[test]
    fn a_column_that_is_not_there_is_said_with_those_that_are() {
        let wrong = |header: &[&str], wanted: &str| {
            let table = Table { label: Some(wanted.to_owned()), ..Table::default() };
            match choose(&names(header), &table, "label") {
                Err(Malformed::Hinted { why, hint }) => format!("{why} / {hint}"),
                other => panic!("{other:?}"),
            }
        };
        let said = wrong(&["file", "breed"], "bread");
        assert!(said.contains("no column `bread`; its columns are `file` and `breed`"), "{said}");
        assert!(said.ends_with("did you mean `breed`?"), "{said}");
        assert!(wrong(&["file"], "Zyx").contains("its only column is `file`"));
        assert!(wrong(&["breed", "breed"], "breed").contains("two of its columns"));
        let many: Vec<String> = (0..500).map(|at| format!("{at}").repeat(50)).collect();
        assert!(listed(&many).len() < 2000);
    }
}
