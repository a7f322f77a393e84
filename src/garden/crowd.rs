//! Many notes or files of one name: paths in; those that are nearest to where the name is said out, without a look at all of
//! them.
//!
//! Every folder of a garden may have its `index.md`, and each of these may say `[[index]]`.

use std::collections::HashMap;

/// As many are told as a message names, and the one that is taken.
pub(super) const MOST: usize = 4;
/// A name that more have has a crowd.
pub(super) const MANY: usize = 12;

/// What has one name.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// Each folder with something of that name in it or below it.
    folders: HashMap<String, Part>,
    /// How many have the name.
    pub(super) count: usize,
}

/// How deep something lies, where, and which it is.
type Place = (usize, String, usize);

/// For each way to write the name, those below a folder that are nearest to it.
#[derive(Debug, Default)]
struct Part(Vec<(String, Vec<Place>)>);

impl Part {
    fn add(&mut self, spelling: &str, place: (usize, &str, usize)) {
        let known = self.0.iter().position(|(known, _)| known == spelling);
        let known = known.unwrap_or_else(|| {
            self.0.push((spelling.to_owned(), Vec::new()));
            self.0.len() - 1
        });
        let (depth, path, index) = place;
        let nearest = &mut self.0[known].1;
        let at = nearest.partition_point(|(d, p, _)| (*d, p.as_str()) < (depth, path));
        if at < MOST {
            nearest.insert(at, (depth, path.to_owned(), index));
            nearest.truncate(MOST);
        }
    }
}

impl Crowd {
    /// Of these: what they are known by, their paths, and how these write the name, where that counts.
    pub(super) fn of<'p>(all: impl Iterator<Item = (usize, &'p str, String)>) -> Self {
        let mut crowd = Self::default();
        for (index, path, spelling) in all {
            crowd.count += 1;
            let mut folder = parent(path);
            let depth = folder.split('/').filter(|part| !part.is_empty()).count();
            loop {
                let part = crowd.folders.entry(folder.to_owned()).or_default();
                part.add(&spelling, (depth, path, index));
                if folder.is_empty() {
                    break;
                }
                folder = parent(folder);
            }
        }
        crowd
    }

    /// The nearest to the note at `from`, at most [`MOST`]: fewest folders up from there, then fewest down, then those that
    /// write the name as `spelling` does, then by their paths.
    pub(super) fn nearest(&self, from: &str, spelling: &str) -> Vec<usize> {
        self.look(from, spelling).0
    }

    /// The same, and how many were looked at.
    fn look(&self, from: &str, spelling: &str) -> (Vec<usize>, usize) {
        let (mut found, mut looked) = (Vec::new(), 0);
        let mut folder = parent(from);
        loop {
            // What was found below lies nearer: whatever a folder has more comes after it.
            let part = self.folders.get(folder).map_or(&[][..], |part| &part.0);
            let all = part.iter().flat_map(|(known, nearest)| {
                let other = known != spelling;
                nearest.iter().map(move |(depth, path, index)| (*depth, other, path, *index))
            });
            let mut all: Vec<_> = all.collect();
            looked += all.len();
            all.sort_unstable();
            for (.., index) in all {
                if found.len() < MOST && !found.contains(&index) {
                    found.push(index);
                }
            }
            if found.len() == MOST || folder.is_empty() {
                return (found, looked);
            }
            folder = parent(folder);
        }
    }
}

/// The folder that a file or folder lies in.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_found_without_a_look_at_all() {
        for count in [100, 3_000] {
            let paths: Vec<String> = (0..count).map(|n| format!("d{n}/e/a.md")).collect();
            let all = paths.iter().enumerate();
            let crowd = Crowd::of(all.map(|(index, path)| (index, path.as_str(), "a".to_owned())));
            assert_eq!(crowd.count, count);
            for from in 0..count {
                let (found, looked) = crowd.look(&format!("d{from}/b.md"), "a");
                assert_eq!((found[0], found.len()), (from, MOST));
                assert!(looked <= 2 * MOST, "{looked}");
            }
        }
    }
}
