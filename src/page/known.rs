//! A unit that has a page.

/// A unit that notes name or figures are about, and which so has a page.
#[derive(Debug, Default)]
pub struct Known {
    pub(super) model: String,
    pub(super) layer: String,
    /// The first note that declares it, and its name there.
    pub(super) home: Option<(usize, String)>,
    /// The figures that are about it: note, block, and cell of a sweep.
    pub(super) figures: Vec<(usize, usize, Option<usize>)>,
}
