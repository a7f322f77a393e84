//! A figure's numbers as files: its table as CSV and its result as JSON.

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::Kind;
use neuronotes_core::store::{Record, Store};

use super::scene::Scene;
use super::settled::Settled;
use crate::garden::href;
use crate::view::{DataView, legible, legible_json};

/// All files with numbers that pages link to: path in the site and text.
pub fn data_files(settled: &Settled, store: &Store) -> Vec<(String, String)> {
    match settled {
        Settled::Done { record, drawing, .. } => {
            let Some(table) = drawing.table() else { return vec![] };
            let csv = table.csv();
            vec![(csv_path(&csv), legible(csv)), (json_path(record), json(record, store))]
        }
        Settled::Sweep(cells) => cells.iter().flat_map(|cell| data_files(cell, store)).collect(),
        Settled::Waiting { .. } | Settled::Failed(_) | Settled::Missing(_) => vec![],
    }
}

/// The one of these files that has this path.
pub fn data_file(settled: &Settled, path: &str, store: &Store) -> Option<String> {
    match settled {
        Settled::Done { record, drawing, .. } => {
            let csv = drawing.table()?.csv();
            if csv_path(&csv) == path {
                return Some(legible(csv));
            }
            (json_path(record) == path).then(|| json(record, store))
        }
        Settled::Sweep(cells) => cells.iter().find_map(|cell| data_file(cell, path, store)),
        Settled::Waiting { .. } | Settled::Failed(_) | Settled::Missing(_) => None,
    }
}

impl Scene<'_> {
    /// The files with a figure's numbers; `None` if it shows none.
    pub(super) fn data_view(&self, page: &str, settled: &Settled) -> Option<DataView> {
        let Settled::Done { record, drawing, .. } = settled else { return None };
        let csv = csv_path(&drawing.table()?.csv());
        Some(DataView { csv: href(page, &csv, None), json: href(page, &json_path(record), None) })
    }
}

fn csv_path(csv: &str) -> String {
    format!("figures/data/{}.csv", Digest::of(csv.as_bytes()).hex().cut(..20))
}

fn json_path(record: &Record) -> String {
    format!("figures/data/{}.json", record.result_digest().hex().cut(..20))
}

/// The result in full precision, with the names that values in prose use.
fn json(record: &Record, store: &Store) -> String {
    let values = Kind::named(&record.kind)
        .zip(record.result(store))
        .and_then(|(kind, result)| kind.values.tree(result).ok());
    let text = serde_json::to_string_pretty(&values.unwrap_or_default()).unwrap_or_default();
    legible_json(text) + "\n"
}
