//! Names that are near to one that is not known, among very many: an index of their trigrams in, the few that are worth a
//! closer look out.

use std::collections::HashMap;

use crate::suggest;

/// Of so many names that share most trigrams the nearest is looked for.
const LOOKED_AT: usize = 64;

/// Names and paths with their trigrams.
#[derive(Debug)]
pub(super) struct Near {
    names: Trigrams,
    paths: Trigrams,
}

#[derive(Debug)]
struct Trigrams {
    all: Vec<String>,
    places: HashMap<[char; 3], Vec<u32>>,
}

impl Near {
    pub(super) fn of<'n>(
        names: impl IntoIterator<Item = &'n str>,
        paths: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        Self { names: Trigrams::of(names), paths: Trigrams::of(paths) }
    }

    pub(super) fn names(&self, name: &str, most: usize) -> Vec<String> {
        self.names.nearest(name, most)
    }

    pub(super) fn paths(&self, path: &str, most: usize) -> Vec<String> {
        self.paths.nearest(path, most)
    }
}

impl Trigrams {
    fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
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

    fn nearest(&self, name: &str, most: usize) -> Vec<String> {
        if most == 0 {
            return Vec::new();
        }
        let mut shared: HashMap<u32, u32> = HashMap::new();
        for trigram in trigrams(name) {
            for index in self.places.get(&trigram).into_iter().flatten() {
                *shared.entry(*index).or_default() += 1;
            }
        }
        let mut ranked: Vec<(u32, u32)> = shared.into_iter().map(|(index, n)| (n, index)).collect();
        ranked.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let candidates = ranked.iter().take(LOOKED_AT);
        suggest::nearest(name, candidates.map(|(_, index)| &self.all[*index as usize]), most)
    }
}

/// Three letters each, in lower case, with what is before the first and after the last.
fn trigrams(name: &str) -> Vec<[char; 3]> {
    let letters: Vec<char> = [' ', ' ']
        .into_iter()
        .chain(name.chars().flat_map(char::to_lowercase))
        .chain([' '])
        .collect();
    letters.windows(3).map(|w| [w[0], w[1], w[2]]).collect()
}
