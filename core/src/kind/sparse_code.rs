//! `sparse_code`: texts or pictures as short sums of units of a layer, or of words.

mod clean;
mod fault;
mod kind;
mod outcome;
mod params;
mod weighed;

pub use clean::{FIRST, SMALLEST, cleaned};
pub use kind::KIND;
pub use outcome::{Chance, Coded, Outcome, sample};
pub use params::{Limit, MOST_ITEMS, Method, Objective, PENALTY, Params, Sign, TERMS};
pub use weighed::{Weighed, digits, equation};
