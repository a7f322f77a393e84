//! Reads files beside pictures. Input: JSON, a caption or a label. Output: caption and label, and what is skipped.

use serde_json::Value;

use super::ending::Beside;
use crate::dataset::ledger::What;
use crate::{encoding, sniff};

/// Most bytes of a file beside a picture.
pub const LARGEST: u64 = 1 << 20;

/// The contents of a file beside a picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The caption.
    pub caption: Option<String>,
    /// The label.
    pub label: Option<String>,
    /// The group that it belongs to, which is its label if there is no other.
    pub group: Option<String>,
    /// Parts of the file that are skipped, and why.
    pub lost: Vec<(What, String)>,
    /// Whether the first rules would have read something else.
    pub is_new: bool,
}

/// The kind of content that such a file is expected to have.
pub fn what(beside: Beside) -> What {
    match beside {
        Beside::Json => What::Description,
        Beside::Caption => What::Caption,
        Beside::Label => What::Label,
    }
}

/// Reads the bytes of such a file.
pub fn read(beside: Beside, bytes: &[u8]) -> Said {
    let is_new = encoding::is_marked(bytes) || beside == Beside::Label;
    let lose = |why: String| Said { lost: vec![(what(beside), why)], is_new, ..Said::default() };
    if let Some(found) = sniff::stand_in(bytes) {
        let hint = found.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        return Said { is_new: true, ..lose(format!("its file is {}{hint}", found.what)) };
    }
    let text = match encoding::text(bytes) {
        Ok(text) => text,
        // Without the place in the file, so that all such files count as one reason.
        Err(_) if !encoding::is_marked(bytes) => {
            return lose("it is not UTF-8; save the file as UTF-8".into());
        }
        Err(why) => return lose(why),
    };
    let said = match (beside, text.trim()) {
        (Beside::Json, text) => return Said { is_new, ..json(text) },
        (_, "") => return lose("its file is empty".into()),
        (Beside::Caption, text) => Said { caption: Some(text.to_owned()), ..Said::default() },
        (Beside::Label, text) => Said { label: Some(text.to_owned()), ..Said::default() },
    };
    Said { is_new, ..said }
}

fn json(text: &str) -> Said {
    let mut said = Said::default();
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            said.lost.push((What::Description, format!("it is not JSON: {error}")));
            return said;
        }
    };
    if !value.is_object() {
        let why = format!("its JSON is {}, not an object", noun(&value));
        said.lost.push((What::Description, why));
        return said;
    }
    let mut text = |name: &str, what: What| match value.get(name)? {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        Value::Null => None,
        other => {
            said.lost.push((what, format!("its `{name}` is {}", noun(other))));
            None
        }
    };
    let caption = text("caption", What::Caption);
    let label = text("label", What::Label);
    let class = text("cls", What::Label);
    let group = text("group", What::Label);
    said.is_new = label.is_none() && class.is_some();
    Said { caption, label: label.or(class), group, ..said }
}

fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "`true`",
        Value::Bool(false) => "`false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(beside: Beside, bytes: &[u8]) -> Option<String> {
        let said = read(beside, bytes);
        assert_eq!(said.lost, []);
        said.label
    }

    fn lost(beside: Beside, bytes: &[u8]) -> String {
        let said = read(beside, bytes);
        let [(_, why)] = said.lost.as_slice() else { panic!("one reason: {said:?}") };
        why.clone()
    }

    #[test]
    fn labels_come_from_cls_and_from_json() {
        assert_eq!(label(Beside::Label, b" 207\n").as_deref(), Some("207"));
        assert_eq!(label(Beside::Json, b"{\"cls\": 3}").as_deref(), Some("3"));
        assert_eq!(
            label(Beside::Json, b"{\"label\": \"fox\", \"cls\": 3}").as_deref(),
            Some("fox")
        );
        assert_eq!(
            label(Beside::Json, b"\xef\xbb\xbf{\"label\": \"fox\"}").as_deref(),
            Some("fox")
        );
        let said = read(Beside::Caption, b"\xef\xbb\xbfa red fox\r\n");
        assert_eq!((said.caption.as_deref(), said.is_new), (Some("a red fox"), true));
        let said = read(Beside::Json, b"{\"group\": \"mammals\", \"caption\": \"a fox\"}");
        assert_eq!((said.group.as_deref(), said.is_new), (Some("mammals"), false));
    }

    #[test]
    fn what_is_lost_is_said() {
        assert!(lost(Beside::Json, b"{ broken").starts_with("it is not JSON"));
        assert_eq!(lost(Beside::Json, b"[1, 2]"), "its JSON is a list, not an object");
        assert_eq!(lost(Beside::Json, b"{\"caption\": [\"a\"]}"), "its `caption` is a list");
        assert_eq!(lost(Beside::Caption, b" \n"), "its file is empty");
        assert!(lost(Beside::Caption, b"caf\xe9").contains("not UTF-8"));
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
        assert!(lost(Beside::Caption, pointer).contains("Git LFS pointer"));
    }
}
