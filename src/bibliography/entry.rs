//! An entry of a bibliography, as it is written.

use crate::diagnostic::fault::Fault;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// An entry as written.
#[derive(Debug)]
pub(super) struct Work {
    /// The type in lower case, such as `article`.
    pub(super) kind: String,
    pub(super) key: String,
    /// Span of the key.
    pub(super) span: Range<usize>,
    /// Fields by name in lower case.
    pub(super) fields: BTreeMap<String, Value>,
}

/// The LaTeX of a field.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) text: Rc<str>,
    pub(super) span: Range<usize>,
}

impl Work {
    pub(super) fn fault(&self, field: &str, message: String, hint: Option<String>) -> Fault {
        let span = self.fields.get(field).map_or(&self.span, |value| &value.span);
        Fault::new(span.clone(), message).hint(hint)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.get(field).is_some_and(|value| !value.text.trim().is_empty())
    }
}
