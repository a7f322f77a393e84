//! What planning reads, and what it remembers while it plans.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use neuronotes_core::files::FileDigests;

use super::wanted::Wanted;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::garden::Names;
use crate::note::Note;
use crate::resource::Resources;

/// Plans blocks, each as if it were the only one.
pub(super) struct Planner<'a> {
    pub(super) notes: &'a [&'a Note],
    pub(super) root: &'a Path,
    pub(super) config: &'a Config,
    pub(super) resources: &'a mut Resources,
    pub(super) digests: &'a mut FileDigests,
    pub(super) folders: BTreeSet<String>,
    /// Plans of blocks that others use, by note and id.
    pub(super) used: BTreeMap<(String, String), Result<Wanted, Vec<Diagnostic>>>,
    pub(super) names: OnceCell<Names>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        notes: &'a [&'a Note],
        root: &'a Path,
        config: &'a Config,
        resources: &'a mut Resources,
        digests: &'a mut FileDigests,
    ) -> Self {
        let (folders, used) = (BTreeSet::new(), BTreeMap::new());
        Self { notes, root, config, resources, digests, folders, used, names: OnceCell::new() }
    }
}
