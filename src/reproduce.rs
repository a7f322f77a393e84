//! Measures stored results once more, beside the store, and says how far they are the same.
//!
//! Everything is measured into a temporary store, scans, used blocks and controls included, so that nothing is taken from the
//! first time. A result is *the same* if all its outputs have the same bytes; *within its own noise* if what differs is within
//! the rule of its kind ([`Noise`](neuronotes_core::kind::Noise)); otherwise *different*. The garden's store is only read.

mod beside;
mod compare;
mod numbers;
mod path;
pub mod seeds;
mod tensors;
mod text;
mod verdict;

use std::collections::BTreeMap;
use std::path::Path;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::controlled::FIELD as CONTROLS;
use neuronotes_core::kind::{Kind, Noise, scan};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use serde::Serialize;

use crate::config::layout::STATE;
use crate::cost;
use crate::measure::{self, Failures, Watcher, progress::describe};
use crate::plan::explain::Made;
use crate::plan::{Plan, Wanted, asked};
use crate::site;
use crate::workspace::Workspace;

pub use compare::Picture;
pub use numbers::Difference;
pub use verdict::Verdict;

use beside::Beside;
use compare::{Compared, compare};

/// A result and what came of measuring it again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reproduced {
    /// `note.md#id` of its first block, with `.controls` and the control's name if it is one; of a scan, what it looks at.
    pub name: String,
    /// Its values in a sweep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Its kind.
    pub kind: String,
    /// The request key.
    pub key: Digest,
    /// What came of it.
    pub verdict: Verdict,
    /// Why it could not be measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How many values of its numbers differ.
    pub differing: usize,
    /// Those that differ most, first those that are beyond its noise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// Its pictures that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
    /// How the stored result was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Made>,
    /// How it was made now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Made>,
}

/// One result to measure again.
struct Wish {
    name: String,
    at: Option<String>,
    request: Request,
}

/// Measures results again: those of the whole garden, or of a block, `note#id`, or of a note.
///
/// # Errors
/// If the folder is not a garden, there is no such note or block, or there is no room for another store.
pub fn reproduce(
    root: &Path,
    name: Option<&str>,
    watcher: &mut dyn Watcher,
) -> anyhow::Result<Vec<Reproduced>> {
    let mut workspace = Workspace::open(root)?;
    let plan = site::wishes(&mut workspace).plan;
    workspace.save_digests();
    let wishes = wishes(&workspace, &plan, name)?;
    let known = |(key, _): &(Digest, Request)| workspace.store.record(key).is_some();
    let all = wishes.iter().map(|(key, wish)| (*key, wish.request.clone()));
    let requests: Vec<(Digest, Request)> = all.filter(known).collect();
    let state = workspace.root.join(STATE);
    let folder = Beside::new(&state, |left| {
        watcher.announce(&format!("removed what an interrupted run left: {}", left.display()));
    })?;
    let again = Store::open(&folder.store())?;
    let device = &workspace.config.device;
    let mut measured = |requests: &[(Digest, Request)]| -> Failures {
        for cost in cost::of_scans(requests, &again, &Default::default()) {
            watcher.announce(&cost.to_string());
        }
        match requests {
            [] => Failures::new(),
            requests => measure::measure(requests, &again, device, false, watcher),
        }
    };
    let failures = measured(&requests);
    let pair = |key: &Digest| Some((workspace.store.record(key)?, again.record(key)?));
    // Other seeds are measured only where bytes differ.
    let is_seeded = |request: &Request| noise(request).seeds && seeds::next(request).is_some();
    let moved: Vec<(Digest, Request)> = requests
        .iter()
        .filter(|(key, request)| {
            is_seeded(request) && pair(key).is_some_and(|(old, new)| old.outputs != new.outputs)
        })
        .filter_map(|(_, request)| seeds::next(request).map(|other| (other.key(), other)))
        .collect();
    measured(&moved);
    let mut all = Vec::new();
    for (key, wish) in wishes {
        let rule = noise(&wish.request);
        let found = pair(&key).map(|(old, new)| {
            let other = seeds::next(&wish.request).and_then(|other| again.record(&other.key()));
            let compared = compare((&workspace.store, &old), (&again, &new), other.as_ref(), &rule);
            (compared, old, new)
        });
        all.push(match found {
            Some((compared, old, new)) => judged(wish, key, compared, &old, &new),
            None => unjudged(wish, key, workspace.store.record(&key), &failures),
        });
    }
    Ok(all)
}

/// The rule by which results of a request are compared.
fn noise(request: &Request) -> Noise {
    Kind::named(&request.kind).map_or(Noise::ACTIVATIONS, |kind| kind.noise)
}

/// The results that were asked for and those of their controls, each once, with the scans that they use.
fn wishes(
    workspace: &Workspace,
    plan: &Plan,
    name: Option<&str>,
) -> anyhow::Result<Vec<(Digest, Wish)>> {
    let shared = workspace.notes();
    let notes: Vec<_> = shared.iter().map(|note| &**note).collect();
    let chosen = match name {
        Some(name) => vec![asked::blocks(&notes, name)?],
        None => {
            let all = |(note, found): (usize, &&crate::note::Note)| asked::Asked {
                note,
                blocks: (0..found.blocks.len()).collect(),
            };
            notes.iter().enumerate().map(all).collect()
        }
    };
    let (mut order, mut found) = (Vec::new(), BTreeMap::new());
    let mut add = |key: Digest, wish: Wish| {
        found.entry(key).or_insert_with(|| {
            order.push(key);
            wish
        });
    };
    for asked::Asked { note, blocks } in chosen {
        for at in blocks {
            let name = format!("{}#{}", notes[note].path, notes[note].blocks[at].id);
            let controls = plan.controls(note).get(at).into_iter().flatten();
            let controls = controls.map(|control| {
                let dot = if control.name.is_empty() { "" } else { "." };
                let name = format!("{name}.{CONTROLS}{dot}{}", control.name);
                (name, &control.wanted, control.if_scanned)
            });
            let own = (name.clone(), &plan.wanted(note)[at], false);
            for (name, wanted, if_stored) in std::iter::once(own).chain(controls) {
                let which: Vec<Option<String>> = match wanted {
                    Wanted::Sweep(sweep) => {
                        sweep.cells.iter().map(|cell| Some(plan.caption(cell))).collect()
                    }
                    _ => vec![None],
                };
                for (measurement, at) in wanted.measurements().into_iter().zip(which) {
                    // A control that builds measure only if its scan is there is not missing otherwise.
                    if if_stored && workspace.store.record(&measurement.key).is_none() {
                        continue;
                    }
                    let request = (*measurement.request).clone();
                    let scans = request.uses.iter().filter(|used| used.kind == scan::NAME);
                    for used in scans {
                        let name = describe(used);
                        add(used.key(), Wish { name, at: None, request: used.clone() });
                    }
                    add(measurement.key, Wish { name: name.clone(), at, request });
                }
            }
        }
    }
    let taken = order.into_iter().filter_map(|key| Some((key, found.remove(&key)?)));
    Ok(taken.collect())
}

fn judged(wish: Wish, key: Digest, compared: Compared, old: &Record, new: &Record) -> Reproduced {
    let Compared { verdict, differing, differences, pictures } = compared;
    Reproduced {
        name: wish.name,
        at: wish.at,
        kind: wish.request.kind,
        key,
        verdict,
        failure: None,
        differing,
        differences,
        pictures,
        before: Some(Made::of(old)),
        now: Some(Made::of(new)),
    }
}

fn unjudged(wish: Wish, key: Digest, old: Option<Record>, failures: &Failures) -> Reproduced {
    let failure = failures.get(&key).map(|(message, _)| message.clone());
    let verdict = if old.is_some() { Verdict::Failed } else { Verdict::NotStored };
    Reproduced {
        name: wish.name,
        at: wish.at,
        kind: wish.request.kind,
        key,
        verdict,
        failure: failure.or_else(|| old.is_some().then(|| "nothing was measured".to_owned())),
        differing: 0,
        differences: Vec::new(),
        pictures: Vec::new(),
        before: old.as_ref().map(Made::of),
        now: None,
    }
}
