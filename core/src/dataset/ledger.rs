//! The ledger of a data set: what was seen in it, how much of that became pictures, captions and labels, and what was
//! skipped and why.

use serde::{Deserialize, Serialize};

/// Most names that are kept of things skipped for one reason.
const NAMED: usize = 3;
/// Most reasons that are told apart; further things are counted with the last.
const REASONS: usize = 64;

/// What was seen in a data set, or in one shard of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Files of a folder, entries of an archive, or lines of a list.
    pub entries: u64,
    /// Pictures that were found. Whether each can be decoded shows only when it is measured.
    pub pictures: u64,
    /// Of these, those with a caption.
    pub captions: u64,
    /// Of these, those with a label.
    pub labels: u64,
    /// Folders with pictures, below the data set's own.
    #[serde(default)]
    pub folders: u64,
    /// What was skipped, by reason, in the order in which it was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
}

/// Things that were skipped for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// What they are.
    pub what: What,
    /// The reason: the end of a sentence that names them.
    pub why: String,
    /// How many.
    pub count: u64,
    /// Some of them.
    pub names: Vec<String>,
}

/// What may be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// A picture.
    Picture,
    /// A caption.
    Caption,
    /// A label.
    Label,
    /// A file that may hold caption and label.
    Description,
    /// A word of a list, all or some of whose drawings cannot be made.
    Word,
    /// A part of an archive, or a whole folder.
    Part,
    /// A file that, by its name, is not meant to be part of the data set.
    Other,
}

impl What {
    fn noun(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Caption => "caption",
            Self::Label => "label",
            Self::Description => "description",
            Self::Word => "word",
            Self::Part => "part",
            Self::Other => "other file",
        }
    }
}

impl Lost {
    /// Whether something is probably missing.
    pub fn is_serious(&self) -> bool {
        self.what != What::Other
    }

    /// `2 pictures skipped: AVIF is not supported (a.avif, b.avif)`.
    pub fn sentence(&self) -> String {
        let s = if self.count == 1 { "" } else { "s" };
        let mut names = self.names.join(", ");
        if (self.names.len() as u64) < self.count {
            names.push_str(", …");
        }
        format!("{} {}{s} skipped: {} ({names})", self.count, self.what.noun(), self.why)
    }
}

impl Ledger {
    /// Notes that something was skipped.
    pub fn lose(&mut self, what: What, why: impl Into<String>, name: impl Into<String>) {
        let one = Lost { what, why: why.into(), count: 1, names: vec![name.into()] };
        self.add(one);
    }

    fn add(&mut self, other: Lost) {
        let full = self.lost.len() >= REASONS;
        let alike =
            |known: &&mut Lost| known.what == other.what && (known.why == other.why || full);
        match self.lost.iter_mut().find(alike) {
            Some(known) => {
                if full && known.why != other.why {
                    known.why = "for different reasons".into();
                }
                known.count += other.count;
                let room = NAMED.saturating_sub(known.names.len());
                known.names.extend(other.names.into_iter().take(room));
            }
            None => self.lost.push(other),
        }
    }

    /// Adds another shard's ledger.
    pub fn merge(&mut self, other: &Self) {
        self.entries += other.entries;
        self.pictures += other.pictures;
        self.captions += other.captions;
        self.labels += other.labels;
        // Shards may have the same ones.
        self.folders = self.folders.max(other.folders);
        for lost in &other.lost {
            self.add(lost.clone());
        }
    }

    /// Everything that was skipped, one sentence per reason.
    pub fn left_out(&self) -> Vec<String> {
        self.lost.iter().map(Lost::sentence).collect()
    }

    /// What is probably missing, one sentence per reason.
    pub fn warnings(&self) -> Vec<String> {
        self.lost.iter().filter(|lost| lost.is_serious()).map(Lost::sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_by_reason_and_named_as_far_as_it_can_be_read() {
        let mut ledger = Ledger::default();
        for name in ["a.avif", "b.avif", "c.avif", "d.avif"] {
            ledger.lose(What::Picture, "AVIF is not supported", name);
        }
        ledger.lose(What::Other, "no picture, caption or label", "README.md");
        let mut sum = Ledger { entries: 2, pictures: 1, ..Ledger::default() };
        sum.lose(What::Picture, "AVIF is not supported", "z.avif");
        sum.merge(&ledger);
        assert_eq!(sum.lost.len(), 2);
        assert_eq!(
            sum.warnings(),
            ["5 pictures skipped: AVIF is not supported (z.avif, a.avif, b.avif, …)"]
        );
        let json = serde_json::to_string(&sum).expect("JSON");
        assert_eq!(serde_json::from_str::<Ledger>(&json).expect("a ledger"), sum);
    }

    #[test]
    fn a_ledger_stays_small_whatever_is_wrong() {
        let mut ledger = Ledger::default();
        for n in 0..10_000 {
            ledger.lose(What::Caption, format!("it is not JSON ({n})"), format!("{n}.json"));
        }
        ledger.lose(What::Picture, "AVIF is not supported", "a.avif");
        let count: u64 = ledger.lost.iter().map(|lost| lost.count).sum();
        assert_eq!((ledger.lost.len(), count), (REASONS + 1, 10_001));
    }
}
