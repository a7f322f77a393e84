//! Draws what the best unit and the direction of a `concept` respond to.

use neuronotes_core::kind::concept::{Look, Looks, Outcome, Params};
use neuronotes_core::kind::dataset_examples::Example;
use neuronotes_core::number::number;
use neuronotes_core::statistics::deviations;

use crate::figure::context::DrawContext;
use crate::figure::part::Part;
use crate::figure::picture::GridItem;
use crate::figure::unit::UnitRef;

/// The visualisations of the unit and of the direction side by side, and below them the strongest pictures of each.
pub(super) fn responses(
    context: &DrawContext<'_>,
    params: &Params,
    outcome: &Outcome,
    looks: &Looks,
) -> Result<Vec<Part>, String> {
    let unit = UnitRef::plain(&params.layer, outcome.unit.unit);
    let low = outcome.unit.low;
    let both = [
        (unit, &looks.unit, low, context.unit(&params.layer, outcome.unit.unit)),
        ("the direction".to_owned(), &looks.direction, false, None),
    ];
    let mut parts = Vec::new();
    let mut made = Vec::new();
    for (name, look, low, unit) in both {
        if let Some(vis) = &look.vis {
            let alt =
                format!("A picture made to {} {name}", if low { "lower" } else { "activate" });
            made.push(GridItem {
                picture: context.plain(&vis.picture, (vis.size, vis.size), &alt)?,
                caption: name.clone(),
                value: number(vis.activation, 2),
                unit,
            });
        }
        parts.extend(strongest(context, &name, look, low)?);
    }
    if !made.is_empty() {
        let title = "Made from noise, for the best unit and for the direction".to_owned();
        parts.insert(0, Part::Pictures { title, items: made });
    }
    Ok(parts)
}

/// The strongest pictures of a unit or a direction.
fn strongest(
    context: &DrawContext<'_>,
    name: &str,
    look: &Look,
    low: bool,
) -> Result<Option<Part>, String> {
    let Some(strongest) = &look.strongest else { return Ok(None) };
    let item = |example: &Example| {
        let caption = example.caption.as_ref().unwrap_or(&example.key).clone();
        let away = deviations(example.activation, strongest.mean, strongest.sd);
        let size = (example.width, example.height);
        Ok::<_, String>(GridItem {
            picture: context.plain(&example.picture, size, &caption)?,
            caption,
            value: away.map(|away| format!("{} SD", number(away, 1))).unwrap_or_default(),
            unit: None,
        })
    };
    let items = strongest.pictures.iter().map(item).collect::<Result<Vec<_>, String>>()?;
    let own = strongest.of_concept.iter().filter(|is| **is).count();
    let which = if low { "Weakest" } else { "Strongest" };
    let title = format!(
        "{which} pictures of {name}: {own} of {} show the concept (in standard deviations from the mean)",
        items.len()
    );
    Ok(Some(Part::Pictures { title, items }))
}
