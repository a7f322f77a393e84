//! The outcomes of blocks.

use std::sync::Arc;

use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::number;
use neuronotes_core::store::Record;

use crate::diagnostic::Diagnostic;
use crate::figure::Drawing;

/// Facts about the scans that a result depends on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scanned {
    /// Seconds that they took.
    pub seconds: f64,
    /// Images that could not be read and are not included, with the reasons.
    pub skipped: Vec<(String, String)>,
    /// What was seen in the data sets; `None` for scans without a ledger.
    pub ledger: Option<Ledger>,
}

impl Scanned {
    /// The images that could not be read, a few of them by name; `None` if all could.
    pub fn unread(&self) -> Option<String> {
        const NAMED: usize = 3;
        let mut named: Vec<_> =
            self.skipped.iter().take(NAMED).map(|(key, why)| format!("{key} ({why})")).collect();
        if self.skipped.len() > NAMED {
            named.push(format!("and {} more", self.skipped.len() - NAMED));
        }
        (!named.is_empty()).then(|| named.join("; "))
    }

    /// What was seen, and how much of it was read; `None` for scans without a ledger.
    pub fn seen(&self) -> Option<String> {
        let ledger = self.ledger.as_ref()?;
        let read = ledger.pictures.saturating_sub(self.skipped.len() as u64);
        let n = number::thousands;
        Some(format!(
            "{} of {} read, in {} entries; {} with a caption, {} with a label",
            n(read),
            n(ledger.pictures),
            n(ledger.entries),
            n(ledger.captions),
            n(ledger.labels)
        ))
    }

    /// Everything that was skipped, and why; `None` if nothing was.
    pub fn left_out(&self) -> Option<String> {
        let ledger = self.ledger.iter().flat_map(Ledger::left_out);
        let all: Vec<String> = self.unread().into_iter().chain(ledger).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// The outcome of a block.
#[derive(Debug, Clone)]
pub enum Settled {
    /// It is measured and drawn.
    Done {
        /// The result.
        record: Arc<Record>,
        /// The drawing.
        drawing: Arc<Drawing>,
        /// The scans of data sets that it depends on, if any.
        scanned: Option<Scanned>,
    },
    /// It is being measured, or waits.
    Waiting {
        /// Progress in words.
        status: String,
        /// The block's last drawing, or the one of the images that are scanned so far.
        stale: Option<Arc<Drawing>>,
        /// If it is of those, which they are: `of 4,096 of 50,000 images`.
        so_far: Option<String>,
    },
    /// It cannot be measured or drawn.
    Failed(Diagnostic),
    /// It has no result, and none is waited for: it was left out, or is not among the frozen results.
    Missing(Diagnostic),
    /// It is a sweep, with the outcome of each measurement.
    Sweep(Vec<Self>),
}

impl Settled {
    /// All drawings that it shows, those over a part of a data set included.
    pub fn shown(&self) -> Vec<&Drawing> {
        match self {
            Self::Waiting { stale: Some(drawing), .. } => vec![drawing],
            Self::Sweep(cells) => cells.iter().flat_map(Self::shown).collect(),
            _ => self.drawings(),
        }
    }

    /// All its drawings.
    pub fn drawings(&self) -> Vec<&Drawing> {
        match self {
            Self::Done { drawing, .. } => vec![drawing],
            Self::Sweep(cells) => cells.iter().flat_map(Self::drawings).collect(),
            Self::Waiting { .. } | Self::Failed(_) | Self::Missing(_) => vec![],
        }
    }

    /// Why there is no result, if it is not waited for.
    pub fn problem(&self) -> Option<&Diagnostic> {
        match self {
            Self::Failed(problem) | Self::Missing(problem) => Some(problem),
            Self::Done { .. } | Self::Waiting { .. } | Self::Sweep(_) => None,
        }
    }

    /// This with what becomes of its problem, if it has one; a sweep's cells have theirs.
    pub fn with_problem(self, changed: impl FnOnce(Diagnostic) -> Diagnostic) -> Self {
        match self {
            Self::Failed(problem) => Self::Failed(changed(problem)),
            Self::Missing(problem) => Self::Missing(changed(problem)),
            other => other,
        }
    }
}
