//! Names that many notes or files share: finds those nearest to the note that uses the name, without looking at all
//! of them.
//!
//! For example, each folder may have an `index.md`, and each of these may link to [[index]].

use std::collections::HashMap;

/// Number of candidates that a message names, including the chosen one.
pub(super) const MOST: usize = 4;
/// Names with more candidates than this are indexed.
pub(super) const MANY: usize = 12;

/// The notes or files with one name.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// All folders that contain something with that name, directly or deeper.
    folders: HashMap<String, Part>,
    /// Number of candidates.
    pub(super) count: usize,
}

/// Depth, path and index of a candidate.
type Place = (usize, String, usize);

/// For each spelling of the name, the nearest candidates below a folder.
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
    /// Indexes candidates by path, and by spelling if that matters.
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

    /// The candidates nearest to the note at `from`, at most [`MOST`]: fewest folders up, then fewest down, then
    /// those spelled as `spelling`, then by path.
    pub(super) fn nearest(&self, from: &str, spelling: &str) -> Vec<usize> {
        self.look(from, spelling).0
    }

    /// The same, and the number of candidates that were compared.
    fn look(&self, from: &str, spelling: &str) -> (Vec<usize>, usize) {
        let (mut found, mut looked) = (Vec::new(), 0);
        let mut folder = parent(from);
        loop {
            // Candidates of inner folders are nearer; those that an outer folder adds come after them.
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

/// The folder of a file or folder.
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
