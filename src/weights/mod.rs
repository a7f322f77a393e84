//! Known models' weights: where each is published, and how it is fetched.

pub mod catalogue;
pub mod fetch;
