//! What a block is about: its fields and the model in; the layer, and the unit where it is one, out.

use neuronotes_core::kind::About;
use neuronotes_core::model::Layer;
use neuronotes_core::suggest;
use serde_json::Value;

use super::{Asking, Target};
use crate::diagnostic::Diagnostic;

impl Asking<'_> {
    /// The layer that a block is about, and for a reader what of it; nothing where its kind is about none.
    ///
    /// # Errors
    /// Where the model has no such layer, or the layer no such unit.
    pub(super) fn target(self) -> Result<Option<(Target, Layer)>, Box<Diagnostic>> {
        if self.kind.about == About::Nothing {
            return Ok(None);
        }
        let layer = match self.block.fields.text("layer") {
            Some(name) => self.layer("layer", "", name)?,
            // Only a direction may leave its layer out.
            None => self.model.architecture.embedding_layer(),
        };
        let unit = self.block.fields.get("unit").and_then(|value| value.value.as_u64());
        let unit = unit.and_then(|unit| u32::try_from(unit).ok());
        if let Some(unit) = unit {
            self.within(&layer, "unit", "", unit)?;
        }
        let target = Target {
            shown: layer.name.shown().to_owned(),
            layer: layer.name.canonical.clone(),
            unit,
        };
        Ok(Some((target, layer)))
    }

    /// The layer that is named at a place of a field.
    pub(super) fn layer(
        self,
        field: &str,
        pointer: &str,
        name: &str,
    ) -> Result<Layer, Box<Diagnostic>> {
        self.model.architecture.layer(name).map_err(|nearest| {
            let message =
                format!("the model `{}` has no layer `{name}`", self.model.reference.name);
            let hint = (!nearest.is_empty())
                .then(|| format!("did you mean {}?", suggest::quoted(&nearest, "or")));
            Box::new(self.at(field, pointer, message).hint(hint))
        })
    }

    /// The canonical spellings of a field's layers.
    pub(super) fn layers(self, field: &str, value: Value) -> Result<Vec<String>, Vec<Diagnostic>> {
        let names: Vec<String> = serde_json::from_value(value).unwrap_or_default();
        let mut problems = Vec::new();
        let mut layers: Vec<String> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let place = format!("/{index}");
            match self.layer(field, &place, name) {
                Ok(layer) if layers.contains(&layer.name.canonical) => {
                    let message = format!("the layer `{name}` stands twice in `{field}`");
                    problems.push(self.at(field, &place, message));
                }
                Ok(layer) => layers.push(layer.name.canonical),
                Err(problem) => problems.push(*problem),
            }
        }
        if problems.is_empty() { Ok(layers) } else { Err(problems) }
    }

    /// Whether a layer has a unit that is named at a place of a field.
    pub(super) fn within(
        self,
        layer: &Layer,
        field: &str,
        pointer: &str,
        unit: u32,
    ) -> Result<(), Box<Diagnostic>> {
        if unit < layer.units {
            return Ok(());
        }
        let name = self.block.fields.text("layer").unwrap_or(layer.name.shown());
        let message =
            format!("unit {unit} is out of range: the layer `{name}` has {} units", layer.units);
        let hint = format!("count from 0 to {}", layer.units.saturating_sub(1));
        Err(Box::new(self.at(field, pointer, message).hint(hint)))
    }
}
