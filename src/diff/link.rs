//! Links, and with them mentions, that were gained, lost, broken or mended.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pair::Pair;
use super::side::Sides;
use crate::garden::Target;
use crate::note::{Link, Note};
use crate::site::Site;

/// A link that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LinkChange {
    /// The path of the note that it is in.
    pub note: String,
    /// Where it leads, or led: a note's path with the place in it, a file, or an address. As written if it never led anywhere.
    pub to: String,
    /// `gained`, `lost`, `broken` or `mended`.
    pub is: &'static str,
    /// Whether a link that was gained or lost leads, or led, nowhere.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nowhere: bool,
    /// The sentence that it is in.
    pub sentence: String,
    /// Whether it is a mention on another note's page.
    pub mention: bool,
}

/// A link of one side.
struct Known {
    written: String,
    sentence: String,
    mention: bool,
    broken: bool,
}

/// The links that differ, by note.
pub fn compare(sides: &Sides, pairs: &[Pair]) -> Vec<LinkChange> {
    let (a, b) = (&sides.a.site, &sides.b.site);
    let mut found = Vec::new();
    // A link to a renamed note leads to the same note.
    let current = |path: &str| sides.renamed.get(path).map_or(path, String::as_str).to_owned();
    for pair in pairs {
        let (Some(old), Some(new)) = (pair.a, pair.b) else {
            // What a new note links to, and a lost one did, is no news of theirs, but of the notes that they mention.
            if let Some(at) = pair.b {
                found.extend(changes(&path(b, at), BTreeMap::new(), links(b, at, &str::to_owned)));
            } else if let Some(at) = pair.a {
                found.extend(changes(&path(a, at), links(a, at, &current), BTreeMap::new()));
            }
            continue;
        };
        let (before, now) = (&a.assembled().links[old], &b.assembled().links[new]);
        let captions = |site: &Site, at: usize| {
            site.assembled().caption_links[at].iter().any(|l| !l.is_empty())
        };
        if before.is_empty() && now.is_empty() && !captions(a, old) && !captions(b, new) {
            continue;
        }
        let (before, now) = (links(a, old, &current), links(b, new, &str::to_owned));
        found.extend(changes(&path(b, new), before, now));
    }
    found.sort_unstable();
    found
}

fn path(site: &Site, at: usize) -> String {
    site.read_notes()[at].path.clone()
}

fn changes(
    note: &str,
    mut before: BTreeMap<String, Vec<Known>>,
    now: BTreeMap<String, Vec<Known>>,
) -> Vec<LinkChange> {
    let mut gained: Vec<(String, Known)> = Vec::new();
    for (to, all) in now {
        for known in all {
            let had = before.get_mut(&to).and_then(Vec::pop);
            if had.is_none() {
                gained.push((to.clone(), known));
            }
        }
    }
    let mut lost: Vec<(String, Known)> = Vec::new();
    for (to, all) in before {
        lost.extend(all.into_iter().map(|known| (to.clone(), known)));
    }
    let mut changes = Vec::new();
    let mut put = |to: String, known: Known, is| {
        let Known { written, sentence, mention, broken } = known;
        let to = if broken { written } else { to };
        changes.push(LinkChange {
            note: note.to_owned(),
            to,
            is,
            nowhere: broken,
            sentence,
            mention,
        });
    };
    for (to, known) in gained {
        // The same link as written that led nowhere before, or leads nowhere now.
        let same = lost
            .iter()
            .position(|(_, old)| old.written == known.written && old.broken != known.broken);
        match same.map(|at| lost.remove(at)) {
            Some((led, old)) if known.broken => put(led, old, "broken"),
            Some(_) => put(to, known, "mended"),
            None => put(to, known, "gained"),
        }
    }
    for (to, known) in lost {
        put(to, known, "lost");
    }
    changes
}

/// The links of a note by where they lead.
fn links(site: &Site, at: usize, current: &dyn Fn(&str) -> String) -> BTreeMap<String, Vec<Known>> {
    let note = &site.read_notes()[at];
    let garden = site.assembled();
    let captions = note.blocks.iter().zip(&garden.caption_links[at]);
    let captions = captions.flat_map(|(block, targets)| block.caption_links.iter().zip(targets));
    let all = note.links.iter().zip(&garden.links[at]).chain(captions);
    let mut found: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    for (link, target) in all {
        let (to, mention, broken) = match target {
            Target::Note { index, anchor } => {
                let path = current(&site.read_notes()[*index].path);
                let place = anchor.as_ref().map(|anchor| format!("#{anchor}")).unwrap_or_default();
                (format!("{path}{place}"), *index != at, false)
            }
            Target::File { path, fragment } => {
                let place = fragment.as_ref().map(|place| format!("#{place}")).unwrap_or_default();
                (format!("{path}{place}"), false, false)
            }
            Target::External => (written(link), false, false),
            Target::Unresolved => (written(link), false, true),
        };
        let (written, sentence) = (written(link), sentence(note, link));
        let known = Known { written, sentence, mention, broken };
        // A broken link and a link that leads somewhere are never the same.
        let key = if broken { format!("{to} (leads nowhere)") } else { to };
        found.entry(key).or_default().push(known);
    }
    found
}

fn written(link: &Link) -> String {
    let place = link.fragment.as_ref().map(|place| format!("#{place}")).unwrap_or_default();
    format!("{}{place}", link.target)
}

/// The sentence around a link; its values as written.
fn sentence(note: &Note, link: &Link) -> String {
    let mention = &link.mention;
    let text = format!("{}{}{}", mention.before, mention.text, mention.after);
    let value = |number: usize| Some(note.values.get(number)?.text.as_str());
    crate::note::fill_citations(&crate::note::fill(&text, value), |_| None)
}
