//! Tests of the library and the program as users meet them: gardens are made, built, changed, and looked at.
//!
//! One test program has nearly all of them, because each test program compiles and links everything that it uses once
//! more. `look` and `structure` stand alone: the first needs a browser, the second nothing but the sources.

mod ablations;
mod claims;
#[path = "../common/mod.rs"]
mod common;
mod commonmark;
mod controls;
mod crates;
mod dictionaries;
mod diff;
mod drawn;
mod elsewhere;
#[cfg(target_os = "linux")]
mod faults;
mod fetch;
mod formats;
mod freeze;
mod history;
mod incremental;
mod jobs;
mod linked;
mod linking;
mod misnamed;
mod mistakes;
mod pieces;
mod publishing;
mod reproduce;
mod reviews;
mod searches;
mod serve;
mod sheets;
mod site;
mod store;
mod sweep;
mod sync;
mod tokens;
mod uses;
mod values;
mod visualisation;
#[cfg(unix)]
mod watching;
