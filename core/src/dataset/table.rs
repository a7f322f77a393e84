//! How the rows of a table are read, as far as the configuration says: the names of columns, and the folder of the pictures.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the rows of a table are read. A column that is not named is found by common names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The column with the paths of the pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The column with the pictures themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The column with the captions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// The column with the labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The folder in which paths start, as an absolute path; `None` for the folder of the table. No key holds it: digests
    /// cover the pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
}

impl Table {
    /// What a column can be for, as the configuration names it.
    pub const ROLES: [&str; 4] = ["path", "image", "caption", "label"];

    /// The name of the column for a role.
    pub fn column(&self, role: &str) -> Option<&str> {
        let column = match role {
            "path" => &self.path,
            "image" => &self.image,
            "caption" => &self.caption,
            "label" => &self.label,
            _ => &None,
        };
        column.as_deref()
    }

    /// Sets the name of the column for a role; returns whether there is such a role.
    pub fn set(&mut self, role: &str, name: String) -> bool {
        let column = match role {
            "path" => &mut self.path,
            "image" => &mut self.image,
            "caption" => &mut self.caption,
            "label" => &mut self.label,
            _ => return false,
        };
        *column = Some(name);
        true
    }

    /// Whether no column is named.
    pub fn names_no_column(&self) -> bool {
        Self::ROLES.iter().all(|role| self.column(role).is_none())
    }

    /// Whether nothing is configured.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The columns by role, as a request key holds them.
    pub fn canonical(&self) -> Value {
        let named = |role: &str| Some((role.to_owned(), self.column(role)?.into()));
        Value::Object(Self::ROLES.into_iter().filter_map(named).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_set_and_found_by_their_roles() {
        let mut table = Table::default();
        assert!(table.is_default() && table.names_no_column());
        for role in Table::ROLES {
            assert!(table.set(role, format!("the {role}")));
            assert_eq!(table.column(role), Some(&*format!("the {role}")));
        }
        assert!(!table.set("labels", "x".into()) && table.column("labels").is_none());
        let rooted = Table { root: Some("/data".into()), ..Table::default() };
        assert!(rooted.names_no_column() && !rooted.is_default());
        assert_eq!(rooted.canonical(), serde_json::json!({}));
        assert_eq!(table.canonical()["label"], "the label");
        let json = serde_json::to_string(&table).expect("JSON");
        assert_eq!(serde_json::from_str::<Table>(&json).expect("a table"), table);
    }
}
