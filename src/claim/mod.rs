//! Claims: what a note expects of measured values, as a small language.
//!
//! `expect:` of a block is a list of conditions such as `top[0].deviations > 5` or `at least 8 of top[:8].label in hands`; a value
//! in prose may compute and have a condition as well. Here a condition is parsed to an [`Expression`] with positions, printed, and
//! evaluated with what a [`Lookup`] says of each value. Which figures and results there are is unknown here.
//!
//! A condition *holds*, *fails*, or is *unknown*. What is missing never makes a condition hold, and neither does what is not a number.

mod claimed;
mod describe;
mod evaluate;
mod expression;
mod judgement;
mod numbers;
mod parse;
mod path;
mod print;
mod read;
mod reference;
mod text;
mod token;
mod truth;
mod value;

pub use claimed::Claim;
pub use evaluate::{Lookup, evaluate};
pub use expression::{Expression, Operator, Order, Pattern, Quantity, Test};
pub use judgement::{Judgement, Predicted, Verdict, judge};
pub use path::PLAIN;
pub use read::{is_known_key, read};
pub use reference::{Path, Reference, Step};
pub use text::{condition, prefix, steps, test, unexpected};
pub use value::{Missing, Value, number};

#[cfg(test)]
mod tests;
