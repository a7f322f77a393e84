//! A value that an expression names: a figure or one of its values, and a path into it.

use std::ops::Range;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.activation`
    Field(String),
    /// `[0]`, or `[-1]` from the end
    At(i64),
    /// `[:8]`, `[2:]`, `[-3:]`: the items from the first up to, but without, the second
    Slice(Option<i64>, Option<i64>),
    /// `[unit=4, recipe=draft]`: the item with these values
    Where(Vec<(String, String)>),
}

/// Steps, each with its span in the text.
pub type Path = Vec<(Step, Range<usize>)>;

/// A name with a path: `control.top[0].activation`, `Piggy bank#vis.unit`.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The note as in a wikilink, if another one is named.
    pub note: Option<String>,
    /// Whether the name stands after `#`, so that it can only be a block's id.
    pub is_block: bool,
    /// The first name: a block's id; in a block's own claims also one of its values; or a list of the garden.
    pub name: String,
    /// The path after it, each step with its span in the text.
    pub steps: Path,
    /// Span of note and name in the text.
    pub place: Range<usize>,
}

impl Reference {
    /// Its span in the text, with its path.
    pub fn span(&self) -> Range<usize> {
        let end = self.steps.last().map_or(self.place.end, |(_, place)| place.end);
        self.place.start..end.max(self.place.end)
    }
}

/// Where they stand does not matter.
impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        let steps = |of: &Self| of.steps.iter().map(|(step, _)| step.clone()).collect::<Vec<_>>();
        (&self.note, self.is_block, &self.name) == (&other.note, other.is_block, &other.name)
            && steps(self) == steps(other)
    }
}
