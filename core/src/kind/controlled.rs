//! Which kinds have controls, and the field by which a block says whether it has them.

use super::entry::Kind;
use super::field::{Field, Role, Type};

/// The name of the field that switches controls off.
pub const FIELD: &str = "controls";
/// The field of all kinds whose figures have controls.
pub(super) const CONTROLS: Field = Field::presentation(
    FIELD,
    Type::Choice(&[ON, FULL, OFF]),
    "Whether the figure has controls: `on`; `full`, those of a feature visualisation that take as long as itself included; or `off`, which the page says. The default is `controls:` in `neuronotes.yaml`.",
);
impl Kind {
    /// Whether figures of this kind have controls.
    pub fn has_controls(&self) -> bool {
        self.fields.iter().any(|field| field.name == FIELD && field.role == Role::Presentation)
    }
}

/// The word with which a figure has controls.
pub const ON: &str = "on";
/// The word with which it also has those that take time.
pub const FULL: &str = "full";
/// The word with which it has none.
pub const OFF: &str = "off";
