//! Finds names and paths similar to an unknown one.

use neuronotes_core::suggest::Index;

/// Names and paths, indexed by the letters that they contain.
#[derive(Debug)]
pub(super) struct Near {
    names: Index,
    paths: Index,
}

impl Near {
    pub(super) fn of<'n>(
        names: impl IntoIterator<Item = &'n str>,
        paths: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        Self { names: Index::of(names), paths: Index::of(paths) }
    }

    pub(super) fn names(&self, name: &str, most: usize) -> Vec<String> {
        self.names.nearest(name, most)
    }

    pub(super) fn paths(&self, path: &str, most: usize) -> Vec<String> {
        self.paths.nearest(path, most)
    }
}
