//! What an expression comes to.

use serde_json::Value as Json;

use neuronotes_core::number;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; `NaN` fails every test.
    Number(f64),
    /// A text.
    Text(String),
    /// Whether a condition holds.
    Flag(bool),
    /// A list.
    List(Vec<Self>),
    /// It is not there.
    Missing(Missing),
    /// Something that is not a number was compared: the condition fails, and so does its negation.
    Undefined,
}

/// Why a value is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// It is being measured under this key, or waits for that.
    Waiting {
        /// The request key.
        key: String,
        /// Progress in words.
        status: String,
    },
    /// Its figure failed, with this message.
    Failed(String),
    /// All is measured, and there is no such value: an item that a list does not have, or an empty list.
    Absent(String),
}

impl Missing {
    /// The reason in words.
    pub fn reason(&self) -> String {
        match self {
            Self::Waiting { .. } => "it is not measured yet".to_owned(),
            Self::Failed(message) | Self::Absent(message) => message.clone(),
        }
    }
}

impl Value {
    /// A value of a result with this name.
    pub fn of_json(json: &Json, name: &str) -> Self {
        match json {
            Json::Null => Self::Missing(Missing::Absent(format!("there is no `{name}` here"))),
            Json::Bool(flag) => Self::Flag(*flag),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => {
                Self::List(items.iter().map(|item| Self::of_json(item, name)).collect())
            }
            Json::Object(_) => {
                Self::Missing(Missing::Absent(format!("`{name}` is several values")))
            }
        }
    }

    /// What it is, for messages.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Flag(_) | Self::Undefined => "true or false",
            Self::List(_) => "a list",
            Self::Missing(_) => "not there",
        }
    }

    /// Whether two are the same; texts are the same in upper and lower case. `None` if that is unknown.
    pub(super) fn is(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Missing(_) | Self::Undefined, _) | (_, Self::Missing(_) | Self::Undefined) => {
                None
            }
            (Self::Number(a), Self::Number(b)) if a.is_nan() || b.is_nan() => None,
            (Self::Text(a), Self::Text(b)) => Some(a.to_lowercase() == b.to_lowercase()),
            (a, b) => Some(a == b),
        }
    }

    /// The value for readers.
    pub fn shown(&self) -> String {
        /// Number of items that are shown.
        const SHOWN: usize = 12;
        match self {
            Self::Number(value) if value.is_nan() => "not a number".to_owned(),
            Self::Number(value) => number(*value),
            Self::Text(text) if text.trim().is_empty() => format!("“{text}”"),
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::List(items) if items.is_empty() => "an empty list".to_owned(),
            Self::List(items) => {
                let mut all: Vec<String> = items.iter().take(SHOWN).map(Self::shown).collect();
                if items.len() > SHOWN {
                    all.push(format!("and {} more", items.len() - SHOWN));
                }
                all.join(", ")
            }
            Self::Missing(missing) => format!("unknown: {}", missing.reason()),
            Self::Undefined => "not a number".to_owned(),
        }
    }
}

/// A number with six digits, without final zeros.
pub fn number(value: f64) -> String {
    let short: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    let size = short.abs();
    let text = match size >= 1e15 || (size > 0.0 && size < 1e-4) {
        true => format!("{short:e}").replace("e-", "e−"),
        false => short.to_string(),
    };
    number::signed(text)
}
