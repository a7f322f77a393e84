//! Chooses the columns of a Parquet file: pictures, or paths of pictures; captions; labels.

use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::file::reader::FileReader as _;
use parquet::schema::types::{Type, TypePtr};

use super::fault::damaged;
use super::features::classes;
use super::footer::File;
use crate::dataset::columns::{choose, common, listed};
use crate::dataset::listing::Malformed;
use crate::dataset::table::Table;
use crate::suggest;

/// Common names of columns with addresses of pictures.
const ADDRESSES: [&str; 5] = ["url", "urls", "image_url", "img_url", "uri"];

/// The columns that are read.
#[derive(Debug)]
pub struct Chosen {
    /// Where the pictures are.
    pub pictures: Pictures,
    /// The columns with texts, as a part of the file's schema: the path of each picture, if there is one, its caption and
    /// its label.
    pub texts: Type,
    /// Where the path is in a row of texts, and whether it is inside of a group.
    pub path: Option<(usize, bool)>,
    /// Where the caption is in a row of texts.
    pub caption: Option<usize>,
    /// Where the label is in a row of texts.
    pub label: Option<usize>,
    /// What each column is for, and its name.
    pub names: Vec<(&'static str, String)>,
    /// The names of the labels, if these are numbers of classes.
    pub classes: Option<Vec<String>>,
}

/// Where the pictures of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    /// In this column of the file, as bytes.
    Here(usize),
    /// In files.
    Files,
}

/// What a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Pictures: a group with `bytes`.
    Group,
    /// Pictures, or texts whose writer did not say so.
    Bytes,
    /// Texts.
    Text,
    /// Numbers or truth values.
    Number,
    /// A list of texts or numbers.
    List,
    /// Something else.
    Other,
}

impl Holds {
    fn of(field: &Type) -> Self {
        let info = field.get_basic_info();
        if info.has_repetition() && info.repetition() == Repetition::REPEATED {
            return Self::Other;
        }
        if field.is_primitive() {
            return match field.get_physical_type() {
                Physical::BYTE_ARRAY if is_text(field) => Self::Text,
                Physical::BYTE_ARRAY if has_meaning(field) => Self::Other,
                Physical::BYTE_ARRAY => Self::Bytes,
                Physical::INT96 | Physical::FIXED_LEN_BYTE_ARRAY => Self::Other,
                _ => Self::Number,
            };
        }
        if info.converted_type() == ConvertedType::LIST
            || info.logical_type_ref() == Some(&LogicalType::List)
        {
            let mut inner = field;
            while let ([next], true) = (inner_fields(inner), inner.is_group()) {
                inner = next;
            }
            return match inner.is_primitive() {
                true if inner.get_physical_type() != Physical::INT96 => Self::List,
                _ => Self::Other,
            };
        }
        match part(field, "bytes") {
            Some(bytes) if Self::of(bytes) == Self::Bytes => Self::Group,
            _ => Self::Other,
        }
    }

    /// What a column of it is called.
    fn noun(self) -> &'static str {
        match self {
            Self::Group => "pictures",
            Self::Bytes => "bytes",
            Self::Text => "texts",
            Self::Number => "numbers",
            Self::List => "lists",
            Self::Other => "values of another kind",
        }
    }

    fn is_picture(self) -> bool {
        matches!(self, Self::Group | Self::Bytes)
    }

    fn is_path(self) -> bool {
        matches!(self, Self::Text | Self::Bytes)
    }
}

fn inner_fields(field: &Type) -> &[TypePtr] {
    if field.is_group() { field.get_fields() } else { &[] }
}

fn is_text(field: &Type) -> bool {
    let info = field.get_basic_info();
    matches!(info.converted_type(), ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON)
        || matches!(
            info.logical_type_ref(),
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json)
        )
}

fn has_meaning(field: &Type) -> bool {
    let info = field.get_basic_info();
    info.converted_type() != ConvertedType::NONE || info.logical_type_ref().is_some()
}

/// A part of a group that is not repeated.
fn part<'f>(group: &'f Type, name: &str) -> Option<&'f TypePtr> {
    inner_fields(group).iter().find(|field| field.name() == name)
}

fn wrong<T>(why: String, hint: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed::Hinted { why, hint: hint.into() })
}

impl Chosen {
    /// Chooses the columns of a file.
    ///
    /// # Errors
    /// If a column that the configuration names is not there or holds something else, or if none holds pictures or paths.
    pub fn of(file: &File, table: &Table) -> Result<Self, Malformed> {
        let schema = file.reader.metadata().file_metadata().schema_descr();
        let fields = schema.root_schema().get_fields();
        let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
        let at = pictures(fields, &names, table)?;
        let (at, holds) = (at, Holds::of(&fields[at]));
        let is_path = holds == Holds::Text || holds == Holds::Bytes && table.path.is_some();
        let mut texts: Vec<TypePtr> = Vec::new();
        let mut path = None;
        let leaf = match holds {
            Holds::Group => {
                if let Some(part) = part(&fields[at], "path").filter(|p| Holds::of(p).is_path()) {
                    path = Some((0, true));
                    texts.push(only(&fields[at], part)?);
                }
                vec![fields[at].name(), "bytes"]
            }
            _ => vec![fields[at].name()],
        };
        let pictures = if is_path {
            path = Some((0, false));
            texts.push(Arc::clone(&fields[at]));
            Pictures::Files
        } else {
            let column = schema.columns().iter().position(|column| column.path().parts() == leaf);
            Pictures::Here(column.ok_or_else(|| damaged("its schema lacks a column"))?)
        };
        let mut said = |role: &str| -> Result<Option<usize>, Malformed> {
            let Some(chosen) = choose(&names, table, role)?.filter(|chosen| *chosen != at) else {
                return Ok(None);
            };
            let field = &fields[chosen];
            match Holds::of(field) {
                Holds::Text | Holds::Bytes | Holds::Number | Holds::List => {}
                // A column that only happens to have a common name.
                _ if table.column(role).is_none() => return Ok(None),
                holds => {
                    let (name, noun) = (field.name(), holds.noun());
                    let why = format!("the column `{name}` holds {noun}, not texts or numbers");
                    let hint = format!("name another one: `columns: {{ {role}: … }}`");
                    return wrong(why, hint);
                }
            }
            let known = texts.iter().position(|known| known.name() == field.name());
            Ok(Some(known.unwrap_or_else(|| {
                texts.push(Arc::clone(field));
                texts.len() - 1
            })))
        };
        let caption = said("caption")?;
        let label = said("label")?;
        let classes =
            label.and_then(|label| classes(file.fact("huggingface")?, texts.get(label)?.name()));
        let role = if is_path { "path" } else { "image" };
        let mut names = vec![(role, names[at].clone())];
        for (role, at) in [("caption", caption), ("label", label)] {
            let field = at.and_then(|at| texts.get(at));
            names.extend(field.map(|field| (role, field.name().to_owned())));
        }
        let texts = Type::group_type_builder(schema.root_schema().name()).with_fields(texts);
        let texts = texts.build().map_err(damaged)?;
        Ok(Self { pictures, texts, path, caption, label, names, classes })
    }
}

/// A group with only one of its parts.
fn only(group: &Type, part: &TypePtr) -> Result<TypePtr, Malformed> {
    let info = group.get_basic_info();
    let builder = Type::group_type_builder(group.name()).with_repetition(info.repetition());
    builder.with_fields(vec![Arc::clone(part)]).build().map(Arc::new).map_err(damaged)
}

/// The column with the pictures or their paths.
fn pictures(fields: &[TypePtr], names: &[String], table: &Table) -> Result<usize, Malformed> {
    let holds = |at: usize| Holds::of(&fields[at]);
    for (role, fits, other) in [
        ("image", Holds::is_picture as fn(Holds) -> bool, "path"),
        ("path", Holds::is_path, "image"),
    ] {
        if let Some(name) = table.column(role) {
            let Some(at) = choose(names, table, role)? else { continue };
            if fits(holds(at)) {
                return Ok(at);
            }
            let noun = if role == "image" { "pictures" } else { "paths" };
            let why = format!("the column `{name}` holds {}, not {noun}", holds(at).noun());
            let hint = match (holds(at), role) {
                (Holds::Text, _) | (Holds::Group, "path") => {
                    format!("`columns: {{ {other}: {name} }}` reads these")
                }
                _ => listed(names),
            };
            return wrong(why, hint);
        }
    }
    let named = |role: &str, fits: &dyn Fn(Holds) -> bool| {
        common(role).iter().find_map(|common| {
            (0..names.len()).find(|at| names[*at].eq_ignore_ascii_case(common) && fits(holds(*at)))
        })
    };
    if let Some(at) = named("image", &Holds::is_picture) {
        return Ok(at);
    }
    // `datasets` writes every column of pictures as such a group, whatever its name.
    let groups: Vec<usize> = (0..fields.len()).filter(|at| holds(*at) == Holds::Group).collect();
    match groups.as_slice() {
        [] => {}
        [at] => return Ok(*at),
        several => {
            let all: Vec<String> = several.iter().map(|at| names[*at].clone()).collect();
            let why = format!("several columns hold pictures: {}", suggest::quoted(&all, "and"));
            return wrong(why, "choose one: `columns: { image: … }` in neuronotes.yaml");
        }
    }
    if let Some(at) = named("path", &|holds| holds == Holds::Text) {
        return Ok(at);
    }
    let is_address =
        |name: &&String| ADDRESSES.iter().any(|known| name.eq_ignore_ascii_case(known));
    if let Some(name) = names.iter().find(is_address) {
        let why = format!("it has addresses of pictures in `{name}`, and nothing is downloaded");
        return wrong(
            why,
            "download the pictures first; img2dataset makes tar archives of such a table",
        );
    }
    wrong(
        format!("no column with a common name holds pictures or paths; {}", listed(names)),
        "`columns: { image: … }` or `columns: { path: … }` in neuronotes.yaml says which one does",
    )
}
