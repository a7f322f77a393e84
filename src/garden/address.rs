//! The page of each note, by its path and front matter, and problems with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use neuronotes_core::cut::Cut as _;

use super::made::{Made, folded};
use super::redirect;
use super::routes::{Routes, address};
use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::note::Note;

/// Each note's page, and problems with it.
pub(super) fn addresses(
    notes: &[&Note],
    files: &BTreeSet<String>,
    routes: &Routes,
) -> (Vec<String>, Vec<Vec<Diagnostic>>) {
    let mut problems = vec![Vec::new(); notes.len()];
    let made = Made::of(notes, files, routes);
    let mut taken: HashMap<String, usize> = HashMap::with_capacity(notes.len());
    let mut pages = Vec::with_capacity(notes.len());
    // Notes that ask for the same page, by the first of them, with the pages that they get instead.
    let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut free = |page: &str, taken: &HashMap<String, usize>| {
        let mut stem = page.trim_end_matches(".html").to_owned();
        if made.what(page).is_some() {
            // Generated pages may have numbers too.
            stem.push_str("-note");
            let page = format!("{stem}.html");
            if !taken.contains_key(&folded(&page)) && made.what(&page).is_none() {
                return page;
            }
        }
        let count = counts.entry(stem.clone()).or_insert(1);
        loop {
            *count += 1;
            let page = format!("{stem}-{count}.html");
            if !taken.contains_key(&folded(&page)) && made.what(&page).is_none() {
                return page;
            }
        }
    };
    let paths: BTreeSet<&str> = notes.iter().map(|note| &*note.path).collect();
    let first_page = |note: &Note| {
        let is_readme = routes.readme_is_index && note.stem().eq_ignore_ascii_case("readme");
        let is_placed = note.front.permalink.is_some() || note.front.slug.is_some();
        let folder = note.path.rfind('/').map_or("", |end| note.path.cut(..=end));
        let index = format!("{folder}index.md");
        (is_readme && !is_placed && !paths.contains(&*index)).then(|| address(&index))
    };
    for (index, note) in notes.iter().enumerate() {
        let asked = guard::run("finding the address of the note", &note.path, || {
            first_page(note).or_else(|| routes.page(note))
        });
        let asked = asked.unwrap_or_else(|panicked| {
            problems[index].push(Diagnostic::of_panic(&*note.file, &panicked));
            Some(address(&note.path))
        });
        let mut page = asked.unwrap_or_else(|| {
            let written = note.front.permalink.as_deref().unwrap_or_default();
            let message = format!("the permalink `{written}` leaves the site");
            let hint = "write it as `/about` or `/people/ada/`".to_owned();
            problems[index].push(note.at().error(0..0, message).hint(hint));
            address(&note.path)
        });
        if let Some(first) = taken.get(&folded(&page)) {
            claims.entry(*first).or_default().push(index);
            // An address from the file's name is closer to the requested one than a number.
            let own = address(&note.path);
            page = match taken.contains_key(&folded(&own)) || made.what(&own).is_some() {
                true => free(&page, &taken),
                false => own,
            };
        } else if let Some(what) = made.what(&page) {
            let (message, hint);
            if note.front.permalink.is_some() {
                message = format!("the page `{page}` is this note, not {what}");
                hint = "give the note another `permalink` to have both";
            } else {
                let new = free(&page, &taken);
                message = format!("the page `{page}` is {what}; this note's page is `{new}`");
                page = new;
                hint = "rename the file, or give the note a `slug` or a `permalink`";
            }
            let problem = note.at().warning(0..0, message);
            problems[index].push(routes.claimed(problem).hint(hint.to_owned()));
        }
        taken.insert(folded(&page), index);
        pages.push(page);
    }
    for (first, others) in claims {
        let at = others.first().copied().unwrap_or(first);
        let problem = shared(notes, &pages, first, &others);
        problems[at].push(if routes.vault { routes.claimed(problem) } else { problem });
    }
    for (index, problem) in redirect::problems(notes, &taken, &made) {
        problems[index].push(problem);
    }
    (pages, problems)
}

/// Reports that several notes claim the same page: one diagnostic, at the first note that does not get it.
fn shared(notes: &[&Note], pages: &[String], first: usize, others: &[usize]) -> Diagnostic {
    const NAMED: usize = 3;
    let at = others.first().copied().unwrap_or(first);
    let mut message = format!(
        "the page `{}` is already used by {}; this note's page is `{}`",
        pages[first], notes[first].file, pages[at]
    );
    if let [_, more @ ..] = others
        && !more.is_empty()
    {
        let mut named: Vec<&str> =
            more.iter().take(NAMED).map(|index| &*notes[*index].file).collect();
        let left = format!("{} more", more.len().saturating_sub(NAMED));
        if more.len() > NAMED {
            named.push(&left);
        }
        message.push_str(&format!(". The same for {}", named.join(", ")));
    }
    let hint = match notes[at].front.permalink {
        Some(_) => "give each of them a `permalink` of its own",
        None => "rename one of the files, or give one a `slug` of its own",
    };
    notes[at].at().error(0..0, message).hint(hint.to_owned())
}
