//! A facet's accuracy on the images that were held out, a bar a layer.

use serde_json::{Map, Value};

use neuronotes_core::kind::facet::{self, Outcome, Params, Probe};
use neuronotes_core::number::{percent, thousands};
use neuronotes_core::statistics::{part, wilson};

use super::part::{Bars, Part, accuracy};
use super::{DrawContext, Drawing, Figure, Table};

/// How a result of `facet` becomes a drawing.
pub(super) static FIGURE: Figure = Figure { kind: &facet::KIND, height, draw };

/// A bar a layer.
fn height(params: &Map<String, Value>) -> u32 {
    let layers = params.get("layers").and_then(Value::as_array).map_or(0, Vec::len);
    u32::try_from(layers).map_or(24, |layers| layers * 28 + 24)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let counted: Vec<(&Probe, u64, u64)> = outcome
        .layers
        .iter()
        .filter_map(|probe| probe.held_out().map(|(right, of)| (probe, right, of)))
        .collect();
    let rows: Vec<_> =
        counted.iter().map(|(p, hits, all)| accuracy(&p.layer, *hits, *all)).collect();
    let bars = Part::Bars(Bars {
        title: String::new(),
        picture: None,
        head: ["layer", "held-out images told apart rightly"].map(str::to_owned),
        rows,
    });
    let name = |digest: &Option<String>| {
        digest.as_ref().map_or_else(String::new, |digest| context.dataset_name(digest))
    };
    let (positive, generic) = (name(&params.positive), name(&params.generic));
    let trained = params.weights.is_none();
    let row = |probe: &Probe| {
        let (units, rows, columns) = probe.shape;
        let mut cells = vec![probe.layer.clone(), format!("{units} × {rows} × {columns}")];
        let each = probe.positive.into_iter().chain(probe.generic);
        cells.extend(each.map(|(right, of)| format!("{right} of {of}")));
        if let Some((right, of)) = probe.held_out() {
            let (low, high) = wilson(right, of);
            cells.push(percent(part(right, of)));
            cells.push(format!("{} to {}", percent(low), percent(high)));
        }
        cells
    };
    let mut head = vec!["layer".to_owned(), "units × rows × columns".to_owned()];
    if trained {
        head.extend([positive.clone(), generic.clone()]);
        head.extend(["told apart rightly", "95 % interval"].map(str::to_owned));
    }
    let table = Table { head, rows: outcome.layers.iter().map(row).collect() };
    let note = match trained {
        true => format!(
            "{} images of {positive} told apart from {} of {generic}; every fifth was held out, and bars are of those",
            thousands(outcome.images.positive),
            thousands(outcome.images.generic),
        ),
        false => {
            let count = outcome.layers.len();
            let s = if count == 1 { "" } else { "s" };
            format!("published weights at {count} layer{s}")
        }
    };
    Ok(Drawing::Parts { parts: if trained { vec![bars] } else { vec![] }, table, note })
}

#[cfg(test)]
mod tests {
    use neuronotes_core::digest::Digest;
    use neuronotes_core::request::Inputs;
    use neuronotes_core::store::{Record, Store};

    use super::*;

    fn drawn(params: Value, outcome: &Outcome) -> Drawing {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("a store");
        let request = serde_json::json!({ "params": params });
        let mut record = Record::new(Digest::of(b"key"), facet::KIND.name, 1, request);
        record.set_result(&store, outcome).expect("stored");
        let context = DrawContext {
            store: &store,
            record: &record,
            presentation: &serde_json::Map::new(),
            layer_shown: "",
            inputs: &Inputs::default(),
            facet: None,
            baseline: None,
        };
        draw(&context).expect("a drawing")
    }

    #[test]
    fn a_facet_is_bars_of_what_was_held_out_and_published_weights_are_a_list() {
        let probe = |counts: Option<(u64, u64)>| Probe {
            layer: "visual.layer3.0".into(),
            shape: (384, 6, 6),
            positive: counts,
            generic: counts.map(|(_, all)| (all, all)),
        };
        let mut params = serde_json::json!({
            "layers": ["visual.layer3.0"], "positive": "a", "generic": "b", "most": 2000,
            "regularisation": 0.001,
        });
        let outcome = Outcome { images: (50, 1494).into(), layers: vec![probe(Some((9, 10)))] };
        insta::assert_json_snapshot!(drawn(params.clone(), &outcome));
        params = serde_json::json!({
            "layers": params["layers"], "weights": ["c"], "most": 2000, "regularisation": 0.001,
        });
        let published = Outcome { images: (0, 0).into(), layers: vec![probe(None)] };
        let Drawing::Parts { parts, table, note } = drawn(params, &published) else {
            panic!("parts")
        };
        assert_eq!((parts.len(), note.as_str()), (0, "published weights at 1 layer"));
        assert_eq!(table.rows, [["visual.layer3.0", "384 × 6 × 6"]]);
    }
}
