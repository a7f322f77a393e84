//! Draws `facet`: the accuracy on held-out images, with one bar per layer.

use serde_json::{Map, Value};

use neuronotes_core::kind::facet::{self, Outcome, Params, Probe};
use neuronotes_core::number::{percent, thousands};
use neuronotes_core::statistics::{part, wilson};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Part, accuracy};
use super::table::Table;

/// The drawing of `facet`.
pub(super) static FIGURE: Figure = Figure { kind: &facet::KIND, height, draw };

/// One bar per layer.
fn height(params: &Map<String, Value>) -> u32 {
    let layers = typed::<Params>(params).map_or(0, |params| params.layers.len());
    u32::try_from(layers).map_or(24, |layers| layers * 28 + 24)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    Ok(match params.weights {
        None => trained(context, &params, &outcome),
        Some(_) => published(&outcome),
    })
}

/// Bars of the accuracy on held-out images, and a table for both data sets.
fn trained(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> Drawing {
    let [positive, generic] = [&params.positive, &params.generic]
        .map(|digest| digest.as_deref().map_or_else(String::new, |d| context.dataset_name(d)));
    let bar = |probe: &Probe| probe.held_out().map(|(right, of)| accuracy(&probe.layer, right, of));
    let bars = outcome.layers.iter().filter_map(bar).collect();
    let head = ["layer", "accuracy on held-out images"];
    let row = |probe: &Probe| {
        let mut cells = vec![probe.layer.clone(), shape(probe)];
        let each = probe.positive.into_iter().chain(probe.generic);
        cells.extend(each.map(|(right, of)| format!("{right} of {of}")));
        if let Some((right, of)) = probe.held_out() {
            let (low, high) = wilson(right, of);
            cells.push(percent(part(right, of)));
            cells.push(format!("{} to {}", percent(low), percent(high)));
        }
        cells
    };
    let columns = ["layer", SHAPE, &positive, &generic, "accuracy", "95 % interval"];
    Drawing::Parts {
        parts: vec![Part::bars("", head, bars)],
        table: Table::new(&columns, outcome.layers.iter().map(row).collect()),
        note: format!(
            "trained to distinguish {} images of {positive} from {} of {generic}; the bars show the accuracy on every fifth image, which was held out",
            thousands(outcome.images.positive),
            thousands(outcome.images.generic),
        ),
    }
}

/// A list of the layers.
fn published(outcome: &Outcome) -> Drawing {
    let count = outcome.layers.len();
    let s = if count == 1 { "" } else { "s" };
    let rows = outcome.layers.iter().map(|probe| vec![probe.layer.clone(), shape(probe)]);
    Drawing::Parts {
        parts: vec![],
        table: Table::new(&["layer", SHAPE], rows.collect()),
        note: format!("published weights at {count} layer{s}"),
    }
}

const SHAPE: &str = "units × rows × columns";

fn shape(probe: &Probe) -> String {
    let (units, rows, columns) = probe.shape;
    format!("{units} × {rows} × {columns}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(params: Value, outcome: &Outcome) -> Drawing {
        Stored::new(&facet::KIND, params, outcome).drawn()
    }

    #[test]
    fn a_facet_is_bars_of_what_was_held_out_and_published_weights_are_a_list() {
        let layers = ["visual.layer3.0".to_owned()];
        let mut params = serde_json::json!({
            "layers": layers, "positive": "a", "generic": "b", "most": 2000, "regularisation": 0.001,
        });
        let mut outcome = facet::sample(&layers, 50);
        outcome.layers[0].generic = Some((10, 10));
        insta::assert_json_snapshot!(drawn(params, &outcome));
        params = serde_json::json!({
            "layers": layers, "weights": ["c"], "most": 2000, "regularisation": 0.001,
        });
        outcome.layers.iter_mut().for_each(|probe| {
            probe.positive = None;
            probe.generic = None;
        });
        let Drawing::Parts { parts, table, note } = drawn(params, &outcome) else {
            panic!("parts")
        };
        assert_eq!((parts.len(), note.as_str()), (0, "published weights at 1 layer"));
        assert_eq!(table.rows, [["visual.layer3.0", "384 × 6 × 6"]]);
    }
}
