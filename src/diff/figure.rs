//! Figures of a pair of notes: which are each other's, which differ, and what is missing.

use std::collections::BTreeSet;

use serde::Serialize;

use super::cause::{self, Asked};
use super::missing::Missing;
use super::noise::{Noise, Stored};
use super::pair::Pair;
use super::picture::PictureChange;
use super::result::{self, Measured, ResultChange};
use super::side::{Side, Sides};
use crate::note::{Block, Note};
use crate::page::Settled;
use crate::plan::{Cell, Measurement, Wanted};

/// A figure that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FigureChange {
    /// The note's path.
    pub note: String,
    /// The block's id.
    pub id: String,
    /// The values of the swept fields, if it is of a sweep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its place in the later state, or in the earlier one if it is gone.
    pub place: String,
    /// `new`, `gone` or `changed`.
    pub is: &'static str,
    /// How large the change is, from 0 to 1: of all that differs, the largest.
    pub size: f64,
    /// Why it is another, in words.
    pub causes: Vec<String>,
    /// What differs; nothing for figures that are new or gone.
    pub change: ResultChange,
    /// Of computed pictures that differ, whether the change is within the noise of other seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
}

impl FigureChange {
    /// `note.md#id`, with the values of a sweep.
    pub fn name(&self) -> String {
        named(&self.note, &self.id, self.at.as_deref())
    }
}

fn named(note: &str, id: &str, at: Option<&str>) -> String {
    let at = at.map(|at| format!(" ({at})")).unwrap_or_default();
    format!("{note}#{id}{at}")
}

/// The figures of several pairs.
#[derive(Debug, Default)]
pub struct Compared {
    /// Those that differ.
    pub figures: Vec<FigureChange>,
    /// Those without a result on a side.
    pub missing: Vec<Missing>,
    /// Number of those that are the same.
    pub same: usize,
    /// Number of those among them whose request differs.
    pub same_bytes: usize,
    /// Stored results of other seeds.
    pub seeds: Stored,
}

/// One figure on one side.
#[derive(Clone, Copy)]
struct Figure<'a> {
    side: &'a Side,
    note: &'a Note,
    block: &'a Block,
    wanted: &'a Wanted,
    settled: &'a Settled,
}

impl Side {
    /// The number of measurements that a note asks for.
    pub fn measurements(&self, at: usize) -> usize {
        self.site.plan().wanted(at).iter().map(|wanted| wanted.measurements().len()).sum()
    }

    fn figures(&self, at: Option<usize>) -> Vec<Figure<'_>> {
        let Some(at) = at else { return Vec::new() };
        let note = &*self.site.read_notes()[at];
        let all = note.blocks.iter().zip(self.site.plan().wanted(at)).zip(self.site.outcomes(at));
        all.map(|((block, wanted), settled)| Figure { side: self, note, block, wanted, settled })
            .collect()
    }
}

/// Compares the figures of two notes.
pub fn compare(sides: &Sides, pair: Pair, compared: &mut Compared) {
    let (before, after) = (sides.a.figures(pair.a), sides.b.figures(pair.b));
    let keys = |figure: &Figure<'_>| -> Vec<_> {
        figure.wanted.measurements().iter().map(|measurement| measurement.key).collect()
    };
    let mut left: BTreeSet<usize> = (0..before.len()).collect();
    let mut partners: Vec<Option<usize>> = vec![None; after.len()];
    // By the id that somebody gave, then by what is measured, then by the id that it got by its number.
    type Alike<'f> = dyn Fn(&Figure<'f>, &Figure<'f>) -> bool + 'f;
    let given = |old: &Figure<'_>, new: &Figure<'_>| {
        old.block.given_id.is_some() && old.block.given_id == new.block.given_id
    };
    let measured =
        |old: &Figure<'_>, new: &Figure<'_>| !keys(new).is_empty() && keys(old) == keys(new);
    let numbered = |old: &Figure<'_>, new: &Figure<'_>| old.block.id == new.block.id;
    let rules: [&Alike<'_>; 3] = [&given, &measured, &numbered];
    for alike in rules {
        for (at, new) in
            after.iter().enumerate().filter(|(at, _)| partners[*at].is_none()).collect::<Vec<_>>()
        {
            let found = left.iter().copied().find(|old| alike(&before[*old], new));
            if let Some(found) = found {
                left.remove(&found);
                partners[at] = Some(found);
            }
        }
    }
    for (new, partner) in after.iter().zip(partners) {
        compared.pair(partner.map(|at| before[at]), Some(*new));
    }
    for at in left {
        compared.pair(Some(before[at]), None);
    }
}

/// One measurement of a figure.
#[derive(Clone, Copy)]
struct Shown<'a> {
    figure: Figure<'a>,
    measurement: &'a Measurement,
    settled: &'a Settled,
}

impl<'a> Figure<'a> {
    fn name(&self) -> String {
        named(&self.note.path, &self.block.id, None)
    }

    fn shown(self) -> Vec<(Option<String>, Shown<'a>)> {
        let one = |measurement, settled| Shown { figure: self, measurement, settled };
        match (self.wanted, self.settled) {
            (Wanted::Measurement(measurement), settled) => {
                vec![(None, one(&**measurement, settled))]
            }
            (Wanted::Sweep(sweep), Settled::Sweep(cells)) => {
                let cell = |(cell, settled): (&'a Cell, &'a Settled)| {
                    (Some(cell.caption()), one(&cell.measurement, settled))
                };
                sweep.cells.iter().zip(cells).map(cell).collect()
            }
            _ => vec![],
        }
    }
}

impl Compared {
    fn pair(&mut self, before: Option<Figure<'_>>, after: Option<Figure<'_>>) {
        for (side, figure) in [("a", before), ("b", after)] {
            self.missing.extend(figure.and_then(|figure| unplanned(side, figure)));
        }
        let old = before.map(Figure::shown).unwrap_or_default();
        let new = after.map(Figure::shown).unwrap_or_default();
        let mut left: BTreeSet<usize> = (0..old.len()).collect();
        for (at, shown) in &new {
            let found = left.iter().copied().find(|index| old[*index].0 == *at);
            if let Some(index) = found {
                left.remove(&index);
            }
            self.measurement(at.as_deref(), found.map(|index| old[index].1), Some(*shown));
        }
        for index in left {
            let (at, shown) = &old[index];
            self.measurement(at.as_deref(), Some(*shown), None);
        }
    }

    fn measurement(
        &mut self,
        at: Option<&str>,
        before: Option<Shown<'_>>,
        after: Option<Shown<'_>>,
    ) {
        let Some(latest) = after.or(before) else { return };
        if let (Some(old), Some(new)) = (before, after)
            && old.measurement.key == new.measurement.key
            && old.store() == new.store()
        {
            self.same += 1;
            return;
        }
        for (side, shown) in [("a", before), ("b", after)] {
            self.missing.extend(shown.and_then(|shown| unmeasured(side, at, shown)));
        }
        let Figure { note, block, .. } = latest.figure;
        let mut noise = None;
        let (is, change, causes) = match (before, after) {
            (Some(old), Some(new)) => {
                let causes = causes(old, new);
                match (old.settled, new.settled) {
                    (
                        Settled::Done { record: a, drawing: x, .. },
                        Settled::Done { record: b, drawing: y, .. },
                    ) => {
                        if result::is_same(a, b) {
                            self.same += 1;
                            self.same_bytes +=
                                usize::from(old.measurement.key != new.measurement.key);
                            return;
                        }
                        let store =
                            |shown: Shown<'_>| shown.figure.side.site.workspace.store.clone();
                        let (old_store, new_store) = (store(old), store(new));
                        let before = Measured { record: a, drawing: x, store: &old_store };
                        let after = Measured { record: b, drawing: y, store: &new_store };
                        let kind = new.figure.block.kind.filter(|kind| kind.name == a.kind);
                        let change = kind.map(|kind| result::compare(kind, before, after));
                        let differ = |change: &ResultChange| change.pictures.iter().any(is_remade);
                        if change.as_ref().is_some_and(differ) {
                            noise = self.seeds.noise((&old_store, a), (&new_store, b));
                        }
                        let causes =
                            if causes.is_empty() { cause::measured_again(a, b) } else { causes };
                        ("changed", change.unwrap_or_default(), causes)
                    }
                    // What is missing is said already; that it will be another is known.
                    _ => ("changed", ResultChange::default(), causes),
                }
            }
            (None, _) => ("new", ResultChange::default(), Vec::new()),
            (_, None) => ("gone", ResultChange::default(), Vec::new()),
        };
        let size = match is {
            "changed" if change == ResultChange::default() => 1.0,
            "changed" => change.size(),
            _ => 1.0,
        };
        self.figures.push(FigureChange {
            note: note.path.clone(),
            id: block.id.clone(),
            at: at.map(str::to_owned),
            kind: block.kind.map_or("", |kind| kind.name).to_owned(),
            place: note.at().error(block.span.clone(), "").place(),
            is,
            size,
            causes,
            change,
            noise,
        });
    }
}

/// Whether a computed picture has another one in its place.
fn is_remade(picture: &PictureChange) -> bool {
    picture.synthetic && picture.before.is_some() && picture.after.is_some()
}

impl Shown<'_> {
    fn store(&self) -> &std::path::Path {
        self.figure.side.site.workspace.store.folder()
    }
}

fn causes(before: Shown<'_>, after: Shown<'_>) -> Vec<String> {
    let config = |shown: &Shown<'_>| shown.figure.side.site.workspace.config.clone();
    let (old, new) = (config(&before), config(&after));
    cause::causes(
        Asked { config: &old, request: &before.measurement.request },
        Asked { config: &new, request: &after.measurement.request },
    )
}

/// A block that cannot be planned on a side.
fn unplanned(side: &'static str, figure: Figure<'_>) -> Option<Missing> {
    let Wanted::Nothing(problems) = figure.wanted else { return None };
    let first = problems.first();
    let why = first.map_or("the block has an error", |problem| &problem.message).to_owned();
    let hint = first.and_then(|problem| problem.hint.clone()).unwrap_or_default();
    Some(Missing { side, figure: figure.name(), why, hint })
}

/// A measurement without a result on a side.
fn unmeasured(side: &'static str, at: Option<&str>, shown: Shown<'_>) -> Option<Missing> {
    let Figure { note, block, side: of, .. } = shown.figure;
    let (why, hint) = match shown.settled {
        Settled::Done { .. } | Settled::Sweep(_) => return None,
        Settled::Failed(problem) | Settled::Missing(problem) => {
            (problem.message.clone(), problem.hint.clone().unwrap_or_default())
        }
        Settled::Waiting { .. } => {
            let hint = match &of.label.commit {
                None => "`neuronotes build` measures it".to_owned(),
                Some(commit) => {
                    let short = commit.get(..8).unwrap_or(commit);
                    format!(
                        "`git worktree add ../{short} {short} && neuronotes build --root ../{short}` measures it in a store of its own; with `ln -s` of this garden's .neuronotes there, in this one"
                    )
                }
            };
            ("not measured".to_owned(), hint)
        }
    };
    Some(Missing { side, figure: named(&note.path, &block.id, at), why, hint })
}
