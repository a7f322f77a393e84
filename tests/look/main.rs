//! How a site looks and behaves in headless Chromium: every page that a build puts out, whatever it is of, opened from the
//! file system, and the same pages in the preview, where patches come in between.
//!
//! `AXE` names axe-core's script (`cargo xtask test` fetches it); without it accessibility is not tested, and that is said.

mod alone;
mod behind;
#[path = "../common/checks.rs"]
mod checks;
#[path = "../common/browser.rs"]
mod chromium;
mod claims;
#[path = "../common/mod.rs"]
mod common;
mod difference;
mod fault;
mod foreign;
mod garden;
mod graph;
mod map;
mod morph;
mod picture;
mod preview;
#[path = "../common/proxy.rs"]
mod proxy;
mod quiz;
mod reader;
mod review;
mod search;
mod sheet;
mod tab;
