//! Reads the texts of a Parquet file: of each row the path, the caption and the label.

use parquet::file::reader::FileReader as _;
use parquet::record::Field;
use parquet::record::reader::RowIter;

use super::chosen::Chosen;
use super::fault::{damaged, guarded, rewritten};
use super::footer::File;
use crate::dataset::ledger::{Ledger, What};
use crate::dataset::listing::Malformed;
use crate::dataset::rows::Row;

/// Most bytes of all texts of a file.
const LARGEST: usize = 1 << 30;

/// What a cell says.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// A whole number, which may be that of a class.
    Number(i64),
    /// Bytes that are not UTF-8.
    Invalid,
}

impl Cell {
    /// The text of a cell; of a list, that of the first one in it.
    fn of(field: &Field) -> Self {
        match field {
            Field::Str(text) => Self::Text(text.clone()),
            Field::Bytes(bytes) => std::str::from_utf8(bytes.data())
                .map_or(Self::Invalid, |text| Self::Text(text.into())),
            Field::Bool(value) => Self::Text(value.to_string()),
            Field::Byte(value) => Self::Number((*value).into()),
            Field::Short(value) => Self::Number((*value).into()),
            Field::Int(value) => Self::Number((*value).into()),
            Field::Long(value) => Self::Number(*value),
            Field::UByte(value) => Self::Number((*value).into()),
            Field::UShort(value) => Self::Number((*value).into()),
            Field::UInt(value) => Self::Number((*value).into()),
            Field::ULong(value) => {
                i64::try_from(*value).map_or_else(|_| Self::Text(value.to_string()), Self::Number)
            }
            Field::Float(value) => Self::Text(value.to_string()),
            Field::Double(value) => Self::Text(value.to_string()),
            Field::ListInternal(list) => {
                let all = list.elements().iter().map(Self::of);
                all.into_iter().find(|one| *one != Self::Empty).unwrap_or(Self::Empty)
            }
            Field::Null | Field::Group(_) | Field::MapInternal(_) => Self::Empty,
            other => Self::Text(other.to_string()),
        }
    }
}

/// Reads the texts of each row, in order.
///
/// # Errors
/// If a column cannot be read, or all texts together are too large.
pub fn texts(file: &File, chosen: &Chosen, ledger: &mut Ledger) -> Result<Vec<Row>, Malformed> {
    guarded(|| read(file, chosen, ledger))
}

fn read(file: &File, chosen: &Chosen, ledger: &mut Ledger) -> Result<Vec<Row>, Malformed> {
    let mut rows = Vec::new();
    let place = |row: u64| format!("row {row}");
    if chosen.texts.get_fields().is_empty() {
        return Ok((0..file.rows())
            .map(|row| Row { place: place(row), ..Row::default() })
            .collect());
    }
    let mut bytes = 0usize;
    for group in 0..file.reader.num_row_groups() {
        check(file, chosen, group)?;
        let reader = file.reader.get_row_group(group).map_err(damaged)?;
        let found =
            RowIter::from_row_group(Some(chosen.texts.clone()), &*reader).map_err(damaged)?;
        for found in found {
            let found = found.map_err(damaged)?;
            let cells: Vec<&Field> = found.get_column_iter().map(|(_, field)| field).collect();
            let place = place(rows.len() as u64);
            let cell = |at: usize| cells.get(at).map_or(Cell::Empty, |field| Cell::of(field));
            let mut row = Row { place, ..Row::default() };
            row.path = chosen.path.and_then(|(at, is_inside)| {
                let inside = match cells.get(at)? {
                    Field::Group(group) if is_inside => group.get_column_iter().next()?.1,
                    field => field,
                };
                match Cell::of(inside) {
                    Cell::Text(text) => Some(text),
                    _ => None,
                }
            });
            let mut said = |at: Option<usize>, what: What, classes: Option<&Vec<String>>| {
                let mut lose = |why: String| ledger.lose(what, why, &*row.place);
                match (cell(at?), classes) {
                    (Cell::Text(text), _) => Some(text),
                    // That is how `datasets` writes a class that nobody knows.
                    (Cell::Number(-1), Some(_)) => None,
                    (Cell::Number(class), Some(names)) => {
                        let name = usize::try_from(class).ok().and_then(|class| names.get(class));
                        if name.is_none() {
                            lose("its class has no name in the file's metadata".into());
                        }
                        name.cloned()
                    }
                    (Cell::Number(number), None) => Some(number.to_string()),
                    (Cell::Invalid, _) => {
                        lose("it is not UTF-8".into());
                        None
                    }
                    (Cell::Empty, _) => None,
                }
            };
            let caption = said(chosen.caption, What::Caption, None);
            let label = said(chosen.label, What::Label, chosen.classes.as_ref());
            for text in [&row.path, &caption, &label].into_iter().flatten() {
                bytes += text.len();
            }
            if bytes > LARGEST {
                let most = LARGEST >> 20;
                return Err(rewritten(format!("its texts have more than {most} MiB")));
            }
            rows.push(Row { caption, label, ..row });
        }
    }
    if rows.len() as u64 == file.rows() {
        Ok(rows)
    } else {
        Err(damaged("it has fewer rows than it says"))
    }
}

/// Checks the columns of a row group that texts are read from.
fn check(file: &File, chosen: &Chosen, group: usize) -> Result<(), Malformed> {
    let columns = file.reader.metadata().file_metadata().schema_descr().columns();
    for (at, column) in columns.iter().enumerate() {
        let parts = column.path().parts();
        let mut fields = chosen.texts.get_fields();
        let is_wanted = parts.iter().all(|part| {
            let Some(field) = fields.iter().find(|field| field.name() == part) else {
                return false;
            };
            if field.is_group() {
                fields = field.get_fields();
            }
            true
        });
        if is_wanted {
            file.check(group, at)?;
        }
    }
    Ok(())
}
