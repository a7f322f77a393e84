//! The categories of a data set's images: by its labels or captions, or by labels that raters gave.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};

use neuronotes_core::dataset::Sample;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::category::{By, MOST_CATEGORIES};
use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::rating::{Agreement, Decide, Rater};
use neuronotes_core::labelling::Answers;
use neuronotes_core::suggest;
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};
use rayon::slice::ParallelSliceMut as _;

use crate::failure::Failure;
use crate::fit::agreement::nominal;
use crate::table::{Scanned, told};
use crate::workbench::Workbench;

/// The category of each image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sorted {
    /// The names of the categories.
    pub names: Vec<String>,
    /// The category of each row of each shard, if it has one.
    pub of: Vec<Vec<Option<u32>>>,
    /// The raters, if these are their labels.
    pub agreement: Option<Agreement>,
}

/// What is left of labels beside the categories that a block lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest<'a> {
    /// Images with such a label have no category.
    Out,
    /// They have the category of this name.
    Named(&'a str),
}

/// Sorts the images of the request's data set by its labels or captions.
///
/// # Errors
/// If no image has one, or there are too many.
pub(super) fn by_dataset(
    bench: &mut Workbench<'_>,
    scans: &[Scanned],
    categories: Option<&[Class]>,
    by: By,
    rest: Rest<'_>,
) -> Result<Sorted, Failure> {
    let dataset = bench.dataset()?;
    let told = told(bench, dataset, scans)?;
    let texts: Vec<Vec<Option<&str>>> = told
        .par_iter()
        .map(|told| {
            let text = |sample: Option<_>| {
                let sample: &Sample = sample?;
                match by {
                    By::Label => sample.label.as_deref(),
                    By::Caption => sample.caption.as_deref(),
                }
            };
            told.samples().map(text).collect()
        })
        .collect();
    sorted(&texts, categories, by, rest)
}

/// The numbers of a shard's texts, and the texts with how often each is there.
type Numbered<'t> = (Vec<Option<u32>>, Vec<(&'t str, u64)>);

/// Numbers texts in the order in which they come first, and counts them.
#[derive(Debug, Default)]
struct Counted<'t> {
    of_text: HashMap<&'t str, u32>,
    texts: Vec<(&'t str, u64)>,
}

impl<'t> Counted<'t> {
    fn add(&mut self, text: &'t str, count: u64) -> u32 {
        let next = self.texts.len() as u32;
        let number = *self.of_text.entry(text).or_insert(next);
        if number == next {
            self.texts.push((text, 0));
        }
        self.texts[number as usize].1 += count;
        number
    }
}

fn sorted<'t>(
    texts: &[Vec<Option<&'t str>>],
    categories: Option<&[Class]>,
    by: By,
    rest: Rest<'_>,
) -> Result<Sorted, Failure> {
    // Each shard by itself, on all cores; then the few different texts of all.
    let of_shard = |shard: &Vec<Option<&'t str>>| {
        let mut counted = Counted::default();
        let mut numbers = Vec::with_capacity(shard.len());
        for text in shard {
            numbers.push(text.map(|text| counted.add(text, 1)));
        }
        (numbers, counted.texts)
    };
    let shards: Vec<Numbered<'_>> = texts.par_iter().map(of_shard).collect();
    let mut counted = Counted::default();
    let mut numbers = Vec::new();
    for (own, texts) in shards {
        let all: Vec<u32> =
            texts.into_iter().map(|(text, count)| counted.add(text, count)).collect();
        let number = |own: Option<u32>| own.map(|own| all[own as usize]);
        numbers.push(own.into_iter().map(number).collect::<Vec<Option<u32>>>());
    }
    let found = counted.texts;
    let what = by.word();
    if found.is_empty() {
        let message = format!("no image of the data set has a {what}");
        let hint = format!(
            "write each {what} into a file beside its image, or let raters label images: `labels` of the kind `conditional`"
        );
        return Err(Failure::new(message).hint(hint));
    }
    let mut names: Vec<String>;
    let mut by_text: HashMap<&str, u32> = HashMap::new();
    match categories {
        Some(classes) => {
            names = classes.iter().map(|class| class.label.clone()).collect();
            for (class, index) in classes.iter().zip(0..) {
                by_text.extend(class.names.iter().map(|name| (name.as_str(), index)));
            }
            let others = || found.iter().filter(|(text, _)| !by_text.contains_key(text));
            if let (Rest::Named(rest), true) = (rest, others().next().is_some()) {
                let known = names.iter().position(|name| name == rest);
                let index = known.unwrap_or_else(|| {
                    names.push(rest.to_owned());
                    names.len() - 1
                });
                for (text, _) in &found {
                    by_text.entry(text).or_insert(index as u32);
                }
            }
        }
        None => {
            if found.len() > MOST_CATEGORIES {
                let message = format!(
                    "the data set has {} different {what}s; at most {MOST_CATEGORIES} can be categories",
                    found.len()
                );
                return Err(Failure::new(message).hint("list the `categories`"));
            }
            let mut found = found.clone();
            // Of equally many, by name.
            found.sort_unstable_by_key(|(text, count)| (std::cmp::Reverse(*count), *text));
            names = found.iter().map(|(text, _)| (*text).to_owned()).collect();
            by_text.extend(found.iter().zip(0..).map(|((text, _), index)| (*text, index)));
        }
    }
    let categories: Vec<Option<u32>> =
        found.iter().map(|(text, _)| by_text.get(text).copied()).collect();
    let category = |number: &Option<u32>| categories[(*number)? as usize];
    let of = numbers.iter().map(|shard| shard.iter().map(category).collect()).collect();
    Ok(Sorted { names, of, agreement: None })
}

/// The names of a data set's images in labelling sheets: their keys, which have the number of the shard before them where several shards
/// have the same key.
#[derive(Debug)]
pub(super) struct Names<'a> {
    scans: &'a [Scanned],
    /// Keys of several images.
    several: HashSet<&'a str>,
}

impl<'a> Names<'a> {
    /// The names of scanned images.
    pub(super) fn of(scans: &'a [Scanned]) -> Self {
        let keys: Vec<&str> = scans.iter().flat_map(|scan| scan.keys.iter()).collect();
        // Numbers are sorted faster than texts.
        let state = RandomState::new();
        let hashed = keys.par_iter().enumerate().map(|(at, key)| (state.hash_one(key), at));
        let mut hashed: Vec<(u64, usize)> = hashed.collect();
        hashed.par_sort_unstable();
        let mut several = HashSet::new();
        for run in hashed.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            let mut seen = HashSet::new();
            several.extend(run.iter().map(|(_, at)| keys[*at]).filter(|key| !seen.insert(*key)));
        }
        Self { scans, several }
    }

    /// The key of a row of a shard.
    pub(super) fn key(&self, (shard, row): (usize, usize)) -> &'a str {
        self.scans[shard].keys.key(row)
    }

    /// The name of a row of a shard.
    pub(super) fn name(&self, (shard, row): (usize, usize)) -> Cow<'a, str> {
        let key = self.key((shard, row));
        match self.several.contains(key) {
            false => key.into(),
            true => format!("{shard}:{key}").into(),
        }
    }

    /// A pseudo-random number of a row of a shard, which depends on its name, so that it stays the same when other images are added.
    pub(super) fn lot(&self, place: (usize, usize), seed: u64, what: &str) -> Digest {
        self.lots(seed, what)(&mut String::new(), place)
    }

    /// The same of many rows: a text to write in, which is used again, and a row in; its number out.
    pub(super) fn lots(
        &self,
        seed: u64,
        what: &str,
    ) -> impl Fn(&mut String, (usize, usize)) -> Digest {
        let before = format!("{seed} {what} ");
        move |text, place| {
            text.clone_from(&before);
            text.push_str(&self.name(place));
            Digest::of(text.as_bytes())
        }
    }

    /// Where each name is.
    fn places(&self) -> HashMap<Cow<'a, str>, (usize, usize)> {
        let shards = self.scans.iter().enumerate();
        let places =
            shards.flat_map(|(shard, scan)| (0..scan.keys.len()).map(move |row| (shard, row)));
        places.map(|place| (self.name(place), place)).collect()
    }
}

/// Sorts images by the labels that raters gave: files by their digests. `drawn` are the images that they were shown, if that is known.
///
/// # Errors
/// If a file is missing or malformed, or labels an image that the data set does not have or that was not shown.
pub(super) fn by_raters(
    bench: &mut Workbench<'_>,
    names: &Names<'_>,
    categories: Option<&[Class]>,
    (files, decide): (&[String], Decide),
    drawn: Option<&BTreeSet<(usize, usize)>>,
) -> Result<Sorted, Failure> {
    let mut all = Vec::new();
    for digest in files {
        let digest = digest.parse().map_err(|_| Failure::new("a file's digest is malformed"))?;
        let path = bench.file(digest)?;
        let known = bench.request.inputs.files.iter().find(|file| file.digest == digest);
        let name = known.map_or_else(|| path.display().to_string(), |file| file.name.clone());
        let bytes = fs::read(&path)
            .map_err(|cause| Failure::outside(format!("`{name}` cannot be read ({cause})")))?;
        let answers = Answers::read(&bytes)
            .map_err(|problem| Failure::new(format!("`{name}`, {}", problem.message)))?;
        all.push((name, answers));
    }
    combined(&all, names, categories, decide, drawn)
}

fn combined(
    all: &[(String, Answers)],
    names: &Names<'_>,
    categories: Option<&[Class]>,
    decide: Decide,
    drawn: Option<&BTreeSet<(usize, usize)>>,
) -> Result<Sorted, Failure> {
    let classes: Vec<Class> = match categories {
        Some(classes) => classes.to_vec(),
        None => {
            let mut seen = BTreeSet::new();
            let labels = all.iter().flat_map(|(_, answers)| &answers.categories);
            let new = labels.filter(|label| seen.insert(*label));
            new.map(|label| Class { label: label.clone(), names: vec![label.clone()] }).collect()
        }
    };
    let mut by_label: HashMap<&str, u32> = HashMap::new();
    for (class, index) in classes.iter().zip(0..) {
        by_label.extend(class.names.iter().map(|name| (name.as_str(), index)));
    }
    let places = names.places();
    let mut votes: Vec<Vec<Vec<u32>>> =
        names.scans.iter().map(|scan| vec![Vec::new(); scan.keys.len()]).collect();
    let mut raters = Vec::new();
    for (file, answers) in all {
        let pictures = || answers.labels.keys().chain(&answers.skipped);
        let unknown: Vec<&String> =
            pictures().filter(|name| !places.contains_key(name.as_str())).collect();
        if !unknown.is_empty() {
            let message = format!(
                "`{file}` is about images that the data set does not have: {}",
                suggest::first(&unknown)
            );
            return Err(Failure::new(message)
                .hint("it was made for another data set, or the images have other names now"));
        }
        let missed =
            |name: &&String| drawn.is_some_and(|drawn| !drawn.contains(&places[name.as_str()]));
        let others: Vec<&String> = pictures().filter(missed).collect();
        if !others.is_empty() {
            let message = format!(
                "`{file}` is about images that are not in this block's sample: {}",
                suggest::first(&others)
            );
            let hint = "its sheet had another target, `seed`, `bins` or `sample`; without `labels` the figure has this block's sheet, which can load the file and keep the answers about common images";
            return Err(Failure::new(message).hint(hint));
        }
        for (picture, label) in &answers.labels {
            let Some(index) = by_label.get(label.as_str()) else {
                let message = format!(
                    "`{file}` labels `{picture}` `{label}`, which is not among `categories`"
                );
                return Err(Failure::new(message));
            };
            let (shard, row) = places[picture.as_str()];
            votes[shard][row].push(*index);
        }
        let labelled = answers.labels.len() as u64;
        raters.push(Rater { name: answers.rater.clone(), labelled });
    }
    let things: Vec<Vec<u32>> =
        votes.iter().flatten().filter(|votes| !votes.is_empty()).cloned().collect();
    let decided: Vec<Vec<Option<u32>>> = votes
        .iter()
        .map(|shard| shard.iter().map(|votes| decided(votes, decide)).collect())
        .collect();
    let labelled = decided.iter().flatten().filter(|category| category.is_some()).count();
    let agreement = Agreement {
        raters,
        rated: things.iter().filter(|labels| labels.len() > 1).count() as u64,
        ties: (things.len() - labelled) as u64,
        alpha: nominal(&things),
    };
    let names = classes.into_iter().map(|class| class.label).collect();
    Ok(Sorted { names, of: decided, agreement: Some(agreement) })
}

/// The category that counts, of those that raters gave in their order.
fn decided(votes: &[u32], decide: Decide) -> Option<u32> {
    let first = *votes.first()?;
    if decide == Decide::First {
        return Some(first);
    }
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    votes.iter().for_each(|vote| *counts.entry(*vote).or_default() += 1);
    let most = counts.values().copied().max()?;
    let mut winners = counts.into_iter().filter(|(_, count)| *count == most);
    match (winners.next(), winners.next()) {
        (Some((winner, _)), None) => Some(winner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn texts<'t>(of: &[&'t str]) -> Vec<Option<&'t str>> {
        of.iter().map(|text| Some(*text).filter(|text| !text.is_empty())).collect()
    }

    fn class(label: &str, names: &[&str]) -> Class {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Class { label: label.to_owned(), names }
    }

    fn scans(keys: &[&[&str]]) -> Vec<Scanned> {
        let scans = keys.iter().map(|keys| {
            let activations = vec![0.0; keys.len()];
            Scanned { activations, keys: Arc::new(keys.iter().copied().collect()) }
        });
        scans.collect()
    }

    fn answers(rater: &str, labels: serde_json::Value) -> (String, Answers) {
        let text = json!({
            "format": "neuronotes labels 1", "sheet": "a", "rater": rater,
            "categories": ["heart", "face", "bell"], "labels": labels,
        });
        let answers = Answers::read(text.to_string().as_bytes()).expect("answers");
        (format!("{rater}.json"), answers)
    }

    #[test]
    fn labels_of_a_data_set_are_categories_alone_and_in_groups() {
        let shards = [texts(&["b", "a", "b"]), texts(&["c", "", "a"])];
        let alone = sorted(&shards, None, By::Label, Rest::Out).expect("sorted");
        assert_eq!(alone.names, ["a", "b", "c"], "of equally many, by name");
        assert_eq!(alone.of, [vec![Some(1), Some(0), Some(1)], vec![Some(2), None, Some(0)]]);
        let classes = [class("x", &["b", "c"])];
        let grouped = sorted(&shards, Some(&classes), By::Label, Rest::Out).expect("sorted");
        assert_eq!(grouped.of, [vec![Some(0), None, Some(0)], vec![Some(0), None, None]]);
        let rest = Rest::Named("other");
        let rest = sorted(&shards, Some(&classes), By::Label, rest).expect("sorted");
        assert_eq!(rest.names, ["x", "other"]);
        assert_eq!(rest.of, [vec![Some(0), Some(1), Some(0)], vec![Some(0), None, Some(1)]]);
        let none = sorted(&[texts(&[""])], None, By::Caption, Rest::Out).expect_err("no labels");
        assert!(none.to_string().contains("no image of the data set has a caption"), "{none}");
    }

    #[test]
    fn the_most_frequent_label_counts_or_the_first() {
        assert_eq!(decided(&[1, 0, 0], Decide::Majority), Some(0));
        assert_eq!(decided(&[1, 0], Decide::Majority), None);
        assert_eq!(decided(&[1, 0, 0], Decide::First), Some(1));
        assert_eq!(decided(&[], Decide::First), None);
    }

    #[test]
    fn raters_are_combined_and_ties_counted() {
        let scans = scans(&[&["1", "2"], &["2", "3"]]);
        let names = Names::of(&scans);
        assert_eq!(
            [(0, 1), (1, 0), (1, 1)].map(|place| names.name(place).into_owned()),
            ["0:2", "1:2", "3"]
        );
        let all = [
            answers("ann", json!({ "1": "heart", "0:2": "face", "3": "bell" })),
            answers("ben", json!({ "1": "heart", "0:2": "heart" })),
        ];
        let found = combined(&all, &names, None, Decide::Majority, None).expect("sorted");
        assert_eq!(found.names, ["heart", "face", "bell"]);
        assert_eq!(found.of, [vec![Some(0), None], vec![None, Some(2)]]);
        let agreement = found.agreement.expect("raters");
        assert_eq!((agreement.rated, agreement.ties), (2, 1));
        assert_eq!(agreement.raters[1].labelled, 2);
        // Of four labels, three hearts and a face, one of two pairs differs: 1 − (2/4)/(6/12).
        assert!(agreement.alpha.expect("an alpha").abs() < 1e-12);
        let first = combined(&all, &names, None, Decide::First, None).expect("sorted");
        assert_eq!(first.of[0], [Some(0), Some(1)]);
        assert_eq!(first.agreement.expect("raters").ties, 0);
    }

    #[test]
    fn images_that_were_not_shown_or_are_not_there_are_named() {
        let scans = scans(&[&["1", "2"]]);
        let names = Names::of(&scans);
        let other = [answers("ann", json!({ "1": "heart", "7": "face" }))];
        let wrong = |all: &[(String, Answers)], drawn: Option<&BTreeSet<(usize, usize)>>| {
            combined(all, &names, None, Decide::Majority, drawn).expect_err("wrong").to_string()
        };
        let unknown = wrong(&other, None);
        assert!(unknown.contains("`ann.json`") && unknown.contains("not have: `7`"), "{unknown}");
        let drawn = BTreeSet::from([(0, 1)]);
        let missed = wrong(&[answers("ann", json!({ "1": "heart" }))], Some(&drawn));
        assert!(missed.contains("not in this block's sample: `1`"), "{missed}");
    }
}
