//! YAML with the position of every key and value.

mod hint;
mod node;
mod parse;
mod reader;

pub use hint::hint;
pub use node::{Entry, Node, Value};
pub use parse::{YamlError, parse};
pub use reader::Reader;
