//! A figure's data as a table of plain text, for readers and for programs.

use serde::{Deserialize, Serialize};

use super::unit::UnitRef;

/// A table of plain text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Column headings.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
    /// The column of units, if each row is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Units>,
}

/// The units that rows of a table are about, whose names the page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// The column whose cells are the units.
    pub column: usize,
    /// The unit of each row.
    pub rows: Vec<Option<UnitRef>>,
}

impl Table {
    /// An empty table with these headings.
    pub(super) fn new(head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { head: head.iter().map(|name| (*name).to_owned()).collect(), rows, units: None }
    }

    /// The same table, of which this column names units: one for each row.
    pub(super) fn of_units(self, column: usize, rows: Vec<Option<UnitRef>>) -> Self {
        Self { units: Some(Units { column, rows }), ..self }
    }

    /// As comma-separated values (RFC 4180), for programs: numbers without separators of thousands, and with a hyphen for a
    /// minus sign.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            let fields: Vec<String> = row.iter().map(|cell| field(cell)).collect();
            text.push_str(&fields.join(","));
            text.push_str("\r\n");
        }
        text
    }
}

/// A cell as a field of comma-separated values.
fn field(cell: &str) -> String {
    let plain = cell.replace('−', "-");
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let grouped = digits.split(',').enumerate().all(|(at, group)| {
        let fits = if at == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
        fits && group.bytes().all(|byte| byte.is_ascii_digit())
    });
    match () {
        () if grouped => plain.replace(',', ""),
        () if plain.parse::<f64>().is_ok() => plain,
        () if cell.contains(['"', ',', '\n', '\r']) => format!("\"{}\"", cell.replace('"', "\"\"")),
        () => cell.to_owned(),
    }
}
