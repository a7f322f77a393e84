//! A model's entry in the configuration: the source of its weights, and conventions that these do not contain.

use std::ops::Range;

use neuronotes_core::model::{Activation, Given};
use neuronotes_core::sha256::Sha256;
use neuronotes_core::suggest;

use super::on::On;
use super::settings::Settings;
use super::source::Source;
use crate::bundled::{self, Bundled};
use crate::weights::catalogue::{self, Known};
use crate::yaml::{Entry, Node, Value};

/// The fields of an entry.
const FIELDS: [&str; 6] = ["path", "sha256", "activation", "mean", "deviation", "on"];

/// A model's weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Their source.
    pub place: Place,
    /// Expected SHA-256 of their file, if configured.
    pub sha256: Option<Sha256>,
    /// Configured conventions.
    pub given: Given,
    /// Where their file is on other machines.
    pub on: On,
    /// Span of the name in the configuration.
    pub span: Range<usize>,
}

/// The source of weights.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A file.
    File(Source),
    /// Known weights, fetched by `neuronotes model fetch`.
    Known(&'static Known),
    /// Bundled weights, which the program unpacks.
    Bundled(&'static Bundled),
}

impl Weights {
    /// Known or bundled weights, which need no path; `None` if the name is unknown.
    pub fn by_name(name: &str) -> Option<Self> {
        let place = match (bundled::model(name), catalogue::find(name)) {
            (Some(bundled), _) => Place::Bundled(bundled),
            (None, known) => Place::Known(known?),
        };
        let mut given = Given::default();
        if let Place::Known(_) = place {
            // All models known by name are OpenAI's.
            given.activation = Some(Activation::QuickGelu);
        }
        Some(Self { place, sha256: None, given, on: On::new(), span: 0..0 })
    }
}

/// The names that need no path.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    std::iter::once(bundled::MODEL).chain(catalogue::KNOWN.iter().map(|known| known.name))
}

impl Settings<'_> {
    pub(super) fn model(&mut self, named: &Entry) -> Option<Weights> {
        let span = self.reader.key_span(named);
        let (mut path, mut sha256) = (None, None);
        let (mut given, mut on) = (Given::default(), On::new());
        match &named.node.value {
            Value::Null => {}
            Value::Map(fields) => {
                for field in fields {
                    match field.key.as_str() {
                        // An empty `path:` counts as a missing path.
                        "path" => path = self.text(field).or(Some(String::new())),
                        // If the SHA-256 is invalid, the weights are not used without a check.
                        "sha256" => sha256 = Some(self.sha256(field)?),
                        "activation" => given.activation = self.activation(field),
                        "mean" => given.mean = self.colour(field, 0.0),
                        "deviation" => given.deviation = self.colour(field, f64::MIN_POSITIVE),
                        "on" => on = self.on(field, false),
                        _ => self.unknown(field, &format!("`{}`", named.key), &FIELDS),
                    }
                }
            }
            _ => match named.node.text() {
                Some(text) => path = Some(text),
                None => {
                    self.wrong(&named.node, &named.key, "a path or a mapping");
                    return None;
                }
            },
        }
        let place = match (path, Weights::by_name(&named.key)) {
            (Some(path), _) => Place::File(self.source(named, path)?),
            (None, Some(known)) => {
                given.activation = given.activation.or(known.given.activation);
                known.place
            }
            (None, None) => {
                let message =
                    format!("`{}` has no `path`, and is not the name of a known model", named.key);
                let near = suggest::hint(&named.key, names()).unwrap_or_default();
                let hint = format!(
                    "{near}; or give the path of its weights: {}: {{ path: … }}",
                    named.key
                );
                self.problems.push(self.reader.at.error(span, message).hint(hint));
                return None;
            }
        };
        Some(Weights { place, sha256, given, on, span })
    }

    fn sha256(&mut self, entry: &Entry) -> Option<Sha256> {
        let digest = entry.node.text().and_then(|text| text.parse().ok());
        if digest.is_none() {
            self.wrong(&entry.node, &entry.key, "64 hexadecimal digits");
        }
        digest
    }

    fn activation(&mut self, entry: &Entry) -> Option<Activation> {
        let known = [Activation::QuickGelu, Activation::Gelu];
        let text = entry.node.text();
        let found = known.into_iter().find(|known| Some(known.name()) == text.as_deref());
        if found.is_none() {
            self.wrong(&entry.node, &entry.key, "`quick_gelu` or `gelu`");
        }
        found
    }

    /// Three numbers from `least` to 1.
    fn colour(&mut self, entry: &Entry, least: f64) -> Option<[f64; 3]> {
        let number = |node: &Node| match node.value {
            Value::Integer(n) => n as f64,
            Value::Number(x) => x,
            _ => f64::NAN,
        };
        let numbers: Vec<f64> = match &entry.node.value {
            Value::List(items) => items.iter().map(number).collect(),
            _ => Vec::new(),
        };
        let found = <[f64; 3]>::try_from(numbers).ok();
        let found = found.filter(|numbers| numbers.iter().all(|n| (least..=1.0).contains(n)));
        if found.is_none() {
            let expected =
                "three numbers of red, green and blue in 0…1, such as [0.48, 0.46, 0.41]";
            self.wrong(&entry.node, &entry.key, expected);
        }
        found
    }
}
