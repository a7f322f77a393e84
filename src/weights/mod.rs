//! Weights that are known by name: where each is published, and how they are fetched.

pub mod catalogue;
pub mod fetch;
