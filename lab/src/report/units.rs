//! Readable units: which units stand for a thing, in pictures and in words.
//!
//! The rule: a *thing* is a name, or a keyword that at least two names and at most a tenth of them have. Take the
//! nine pictures and the nine words that activate a unit most. The unit stands for a thing in pictures and words if
//! at least two thirds of the nine pictures show it and at least half of the nine words name it; if the data set has
//! fewer than nine pictures or words of the thing, two thirds and half of those.
//!
//! A rule that tests hundreds of things finds some by chance. That number is measured too, with words and names
//! paired at random.

use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand::seq::{SliceRandom as _, index};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::train::Name;

/// Number of strongest pictures and words that are examined.
pub const STRONGEST: usize = 9;
/// Number of random pairings of words and names.
const LOTS: u64 = 20;

/// Activations of all units over a data set whose samples show one name each.
#[derive(Debug)]
pub struct Shown {
    /// The name of each sample, as an index in the list.
    pub names: Vec<usize>,
    /// For each unit, one activation per sample.
    pub activations: Vec<Vec<f32>>,
}

/// What a unit stands for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// The unit.
    pub unit: usize,
    /// The name or keyword.
    pub thing: String,
    /// Number of names that have it.
    pub names: usize,
    /// How many of the nine strongest pictures show it.
    pub pictures: usize,
    /// How many of the nine strongest words name it.
    pub words: usize,
    /// The strongest picture's activation in standard deviations above the mean.
    pub strength: f64,
}

/// A candidate: a name or keyword, and the names that it applies to.
#[derive(Debug, PartialEq)]
struct Thing {
    label: String,
    names: Vec<usize>,
}

/// The findings about all units.
#[derive(Debug, PartialEq, Serialize)]
pub struct Found {
    /// Units that stand for something in pictures and words.
    pub readings: Vec<Reading>,
    /// Number of units.
    pub units: usize,
    /// Number of units found with words and names paired at random: the mean of twenty pairings.
    pub by_chance: f64,
    /// Of fifty random units, the number that stand for something.
    pub of_fifty: usize,
}

/// Applies the rule to all units.
pub fn read(names: &[Name], pictures: &Shown, words: &Shown, seed: u64) -> Found {
    let things = things(names);
    let units = pictures.activations.len();
    let readings: Vec<Reading> = (0..units)
        .filter_map(|unit| reading(unit, &things, pictures, words, &words.names))
        .collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let fifty = index::sample(&mut rng, units, units.min(50));
    let of_fifty = fifty.iter().filter(|&unit| readings.iter().any(|r| r.unit == unit)).count();
    let mut chance = 0;
    for _ in 0..LOTS {
        let mut lots = words.names.clone();
        lots.shuffle(&mut rng);
        chance += (0..units)
            .filter(|&unit| reading(unit, &things, pictures, words, &lots).is_some())
            .count();
    }
    Found { readings, units, by_chance: chance as f64 / LOTS as f64, of_fifty }
}

/// The thing that a unit stands for; if there are several, the one that most of its strongest pictures and words
/// show, and of those the one that fewest names have.
fn reading(
    unit: usize,
    things: &[Thing],
    pictures: &Shown,
    words: &Shown,
    word_names: &[usize],
) -> Option<Reading> {
    let values = &pictures.activations[unit];
    let seen: Vec<usize> = strongest(values).map(|row| pictures.names[row]).collect();
    let read: Vec<usize> = strongest(&words.activations[unit]).map(|row| word_names[row]).collect();
    let among = |thing: &Thing, names: &[usize]| {
        names.iter().filter(|name| thing.names.binary_search(name).is_ok()).count()
    };
    let best = things
        .iter()
        .filter_map(|thing| {
            let (drawn, written) = (among(thing, &seen), among(thing, &read));
            // Most things are in neither; then the long count is spared.
            let there = |shown: usize, all: &[usize], of: usize, part: usize| {
                shown > 0 && shown * part >= of * among(thing, all).min(STRONGEST)
            };
            let stands = there(drawn, &pictures.names, 2, 3) && there(written, word_names, 1, 2);
            stands.then_some((
                drawn + written,
                std::cmp::Reverse(thing.names.len()),
                thing,
                drawn,
                written,
            ))
        })
        .max_by_key(|(shown, few, ..)| (*shown, *few));
    let (_, _, thing, drawn, written) = best?;
    let count = values.len() as f64;
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let variance =
        values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    let most = values.iter().copied().fold(f32::MIN, f32::max);
    Some(Reading {
        unit,
        thing: thing.label.clone(),
        names: thing.names.len(),
        pictures: drawn,
        words: written,
        strength: (f64::from(most) - mean) / variance.sqrt().max(f64::MIN_POSITIVE),
    })
}

/// Indices of the strongest values, strongest first.
fn strongest(values: &[f32]) -> impl Iterator<Item = usize> {
    let mut rows: Vec<usize> = (0..values.len()).collect();
    rows.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    rows.truncate(STRONGEST);
    rows.into_iter()
}

fn things(names: &[Name]) -> Vec<Thing> {
    let own = names
        .iter()
        .enumerate()
        .map(|(i, name)| Thing { label: name.name.clone(), names: vec![i] });
    let mut keywords: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, name) in names.iter().enumerate() {
        for keyword in &name.keywords {
            keywords.entry(keyword).or_default().push(i);
        }
    }
    let shared = keywords
        .into_iter()
        .filter(|(_, holders)| holders.len() >= 2 && holders.len() * 10 <= names.len())
        .map(|(keyword, names)| Thing { label: keyword.to_owned(), names });
    own.chain(shared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thirty names with a keyword for every three that follow one another, and three pictures and a word of each.
    fn names() -> Vec<Name> {
        (0..30)
            .map(|i| Name {
                name: format!("name {i}"),
                emoji: String::new(),
                group: String::new(),
                keywords: vec![format!("keyword {}", i / 3), "everything".into()],
            })
            .collect()
    }

    fn shown(copies: usize, units: &[&dyn Fn(usize) -> f32]) -> Shown {
        let names: Vec<usize> = (0..30).flat_map(|name| vec![name; copies]).collect();
        let activations =
            units.iter().map(|unit| names.iter().map(|&name| unit(name)).collect()).collect();
        Shown { names, activations }
    }

    #[test]
    fn a_unit_for_a_name_and_one_for_a_keyword_are_told_from_the_rest() {
        // What does not count is strong for other names in pictures than in words.
        let seen = |name: usize| (name * 7 % 30) as f32 / 30.0;
        let read_as = |name: usize| 1.0 - seen(name);
        let strong = |is: bool, else_: f32| if is { 5.0 } else { else_ };
        let (seven, third) = (
            |name: usize| strong(name == 7, seen(name)),
            |name: usize| strong(name / 3 == 4, seen(name)),
        );
        let (seven_read, eight_read, third_read) = (
            |name: usize| strong(name == 7, read_as(name)),
            |name: usize| strong(name == 8, read_as(name)),
            |name: usize| strong(name / 3 == 4, read_as(name)),
        );
        let pictures = shown(3, &[&seven, &third, &seven, &seen]);
        let words = shown(1, &[&seven_read, &third_read, &eight_read, &third_read]);
        let found = read(&names(), &pictures, &words, 0);
        let told: Vec<_> = found
            .readings
            .iter()
            .map(|r| (r.unit, r.thing.as_str(), r.pictures, r.words))
            .collect();
        assert_eq!(told, [(0, "name 7", 3, 1), (1, "keyword 4", 9, 3)]);
        assert_eq!((found.units, found.of_fifty), (4, found.readings.len()));
        assert!(found.by_chance > 0.0 && found.by_chance < 4.0, "{}", found.by_chance);
    }

    #[test]
    fn what_most_names_have_is_no_thing() {
        let labels: Vec<String> = things(&names()).into_iter().map(|thing| thing.label).collect();
        assert_eq!(labels.len(), 40);
        assert!(
            labels.contains(&"keyword 9".to_owned()) && !labels.contains(&"everything".to_owned())
        );
    }
}
