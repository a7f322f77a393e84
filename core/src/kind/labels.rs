//! `labels`: the words that describe the units of a layer best, tested on images that they were not chosen by.

mod fault;
mod kind;
mod outcome;
mod params;

pub use fault::{no_texts, said_by};
pub use kind::KIND;
pub use outcome::{Label, Outcome, RATE, Row, Test, sample};
pub use params::{GroupBy, LEAST, Method, Params, Truth};
