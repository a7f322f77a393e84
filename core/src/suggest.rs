//! Suggests known names similar to an unknown one, for hints.

use std::cmp::Reverse;
use std::collections::HashMap;

/// Up to `most` of `candidates` that are similar to `name`, most similar first.
pub fn nearest<I>(name: &str, candidates: I, most: usize) -> Vec<String>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let wanted = name.to_lowercase();
    let mut scored: Vec<(f64, String)> = candidates
        .into_iter()
        .map(|candidate| {
            let candidate = candidate.as_ref();
            (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate.to_owned())
        })
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| {
        let by_score = b.0.total_cmp(&a.0);
        by_score.then_with(|| parting(&wanted, &a.1).cmp(&parting(&wanted, &b.1)))
    });
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(most).map(|(_, name)| name).collect()
}

/// Where and how two names differ: among equally similar names, `block_5` is nearer to `block_6` than `block_1` is.
/// Smaller is nearer.
fn parting<'a>(wanted: &str, candidate: &'a str) -> (Reverse<usize>, u32, &'a str) {
    let mut pairs = wanted.chars().zip(candidate.chars().flat_map(char::to_lowercase));
    let at = pairs.clone().take_while(|(a, b)| a == b).count();
    let (a, b) = pairs.nth(at).unwrap_or_default();
    (Reverse(at), u32::from(a).abs_diff(u32::from(b)), candidate)
}

/// `did you mean …?` with the nearest of `candidates`, or a list of all if none is similar and they are few.
pub fn hint<I>(name: &str, candidates: I) -> Option<String>
where
    I: IntoIterator + Clone,
    I::Item: AsRef<str>,
{
    let near = nearest(name, candidates.clone(), 3);
    if !near.is_empty() {
        return Some(format!("did you mean {}?", quoted(&near, "or")));
    }
    let all: Vec<String> = candidates.into_iter().map(|c| c.as_ref().to_owned()).collect();
    (!all.is_empty() && all.len() <= 24).then(|| format!("known: {}", quoted(&all, "and")))
}

/// Most names that [`first`] lists.
const NAMED: usize = 3;

/// The first of some names, and how many more there are.
pub fn first<N: std::fmt::Display>(names: &[N]) -> String {
    let mut text: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    if names.len() > NAMED {
        text.push(format!("and {} more", names.len() - NAMED));
    }
    text.join(", ")
}

/// Number of names with the most letters in common that are compared.
const LOOKED_AT: usize = 64;
/// Number of index entries that are visited, beginning with the rarest trigrams.
const PLACES: usize = 4096;

/// An index of very many names by trigrams, for repeated searches.
#[derive(Debug, Clone)]
pub struct Index {
    all: Vec<String>,
    places: HashMap<[char; 3], Vec<u32>>,
}

impl Index {
    /// Indexes these names.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let all: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut places: HashMap<[char; 3], Vec<u32>> = HashMap::new();
        for (index, name) in all.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            for trigram in trigrams(name) {
                let known = places.entry(trigram).or_default();
                if known.last() != Some(&index) {
                    known.push(index);
                }
            }
        }
        Self { all, places }
    }

    /// Like [`nearest`], among names that share a trigram with `name`.
    pub fn nearest(&self, name: &str, most: usize) -> Vec<String> {
        if most == 0 {
            return Vec::new();
        }
        let candidates = self.candidates(name).0;
        nearest(name, candidates.iter().map(|index| &self.all[*index as usize]), most)
    }

    /// Like [`hint`]; all names are compared if they are few.
    pub fn hint(&self, name: &str) -> Option<String> {
        if self.all.len() <= LOOKED_AT {
            return hint(name, &self.all);
        }
        let near = self.nearest(name, 3);
        (!near.is_empty()).then(|| format!("did you mean {}?", quoted(&near, "or")))
    }

    /// The names that share most trigrams with a name, and the number of index entries that were visited.
    fn candidates(&self, name: &str) -> (Vec<u32>, usize) {
        let mut lists: Vec<&Vec<u32>> =
            trigrams(name).iter().filter_map(|trigram| self.places.get(trigram)).collect();
        // Rare trigrams tell the most.
        lists.sort_by_key(|list| list.len());
        let mut shared: HashMap<u32, u32> = HashMap::new();
        let mut left = PLACES;
        for list in lists {
            for index in list.iter().take(left) {
                *shared.entry(*index).or_default() += 1;
            }
            left = left.saturating_sub(list.len());
        }
        let mut ranked: Vec<(u32, u32)> = shared.into_iter().map(|(index, n)| (n, index)).collect();
        ranked.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let best = ranked.iter().take(LOOKED_AT).map(|(_, index)| *index).collect();
        (best, PLACES - left)
    }
}

/// Trigrams in lower case, including word boundaries.
fn trigrams(name: &str) -> Vec<[char; 3]> {
    let letters: Vec<char> = [' ', ' ']
        .into_iter()
        .chain(name.chars().flat_map(char::to_lowercase))
        .chain([' '])
        .collect();
    letters.windows(3).map(|w| [w[0], w[1], w[2]]).collect()
}

/// `` `a`, `b` or `c` ``.
pub fn quoted(names: &[String], last: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

/// The indefinite article of a name: `an` before `activation_histogram`, `a` before `unit_summary`.
pub fn article(name: &str) -> &'static str {
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u']);
    // `unit` begins with the sound of a consonant.
    if vowel && !name.starts_with("uni") { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_very_many_names_near_ones_are_found_without_a_look_at_all() {
        for count in [50, 500, 20_000] {
            let names: Vec<String> = (0..count).map(|n| format!("heading {n}")).collect();
            let index = Index::of(names.iter().map(String::as_str));
            for name in ["headong 41", "heading 41x", "Heading 4l"] {
                assert!(index.candidates(name).1 <= PLACES);
                let hint = index.hint(name).expect("some are near");
                assert!(hint.contains("`heading 4"), "{name} of {count}: {hint}");
            }
            assert!(index.hint("Zyx").is_none());
        }
        assert_eq!(Index::of(["one", "two"]).hint("xyz"), hint("xyz", ["one", "two"]));
    }

    #[test]
    fn an_article_goes_by_the_sound_of_the_name_behind_it() {
        for name in ["activation_histogram", "embedding", "image", "object", "utterance"] {
            assert_eq!(article(name), "an", "{name}");
        }
        for name in ["unit_summary", "facet", "dataset_examples", "text_rank", ""] {
            assert_eq!(article(name), "a", "{name}");
        }
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let known = ["caption", "kind", "layer", "unit"];
        assert_eq!(nearest("captoin", known, 2), ["caption"]);
        assert_eq!(hint("captoin", known).as_deref(), Some("did you mean `caption`?"));
        assert_eq!(
            hint("zzz", known).as_deref(),
            Some("known: `caption`, `kind`, `layer` and `unit`")
        );
    }
}
