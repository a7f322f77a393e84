//! Paths of weights and data on the workers' machines, in place of those here.
//!
//! In: what the configuration says for a profile. Out: requests with the workers' paths. Keys do not cover paths, so that the
//! results are the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::request::Request;

use crate::config::Config;

/// Where workers find weights and data, by the names in the configuration. What is not named has the same path there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Paths {
    /// Files of weights.
    pub models: BTreeMap<String, PathBuf>,
    /// Data sets.
    pub datasets: BTreeMap<String, Moved>,
}

/// A data set that has another path on the workers' machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The absolute path here, if one path is configured and it is no pattern.
    pub here: Option<PathBuf>,
    /// The paths there, at least one: of the file or folder; for several shards, of their folder, patterns, or each of them.
    pub there: Vec<PathBuf>,
}

impl Paths {
    /// What the configuration says for a profile.
    pub fn of(config: &Config, profile: &str) -> Self {
        let mut all = Self::default();
        for (name, weights) in &config.models {
            let path = weights.on.get(profile).and_then(|there| there.paths.first());
            all.models.extend(path.map(|path| (name.clone(), path.into())));
        }
        for (name, source) in &config.datasets {
            let Some(there) = source.on.get(profile) else { continue };
            let here = match source.paths.as_slice() {
                [path] => source.root.join(path).canonicalize().ok(),
                _ => None,
            };
            let there = there.paths.iter().map(PathBuf::from).collect();
            all.datasets.insert(name.clone(), Moved { here, there });
        }
        all
    }

    /// The same request with paths as workers see them.
    pub fn there(&self, request: &Request) -> Request {
        let mut request = request.clone();
        self.replace(&mut request);
        request
    }

    fn replace(&self, request: &mut Request) {
        if let Some(path) = self.models.get(&request.model.name) {
            request.model.path.clone_from(path);
        }
        let sets = request.dataset.iter_mut().chain(&mut request.inputs.datasets);
        for dataset in sets {
            if let Some(moved) = self.datasets.get(&dataset.name) {
                moved.replace(dataset);
            }
        }
        request.uses.iter_mut().for_each(|used| self.replace(used));
    }
}

impl Moved {
    fn replace(&self, dataset: &mut DatasetRef) {
        for shard in &mut dataset.shards {
            shard.path = self.path(&shard.path);
        }
        if let Some(root) = &mut dataset.table.root
            && let Some(folder) = self.here.as_deref().and_then(Path::parent)
            && let Ok(rest) = root.strip_prefix(folder)
            && let Some(there) = self.there.first().and_then(|there| there.parent())
        {
            *root = there.join(rest);
        }
    }

    /// The path there of a shard.
    fn path(&self, shard: &Path) -> PathBuf {
        let name = shard.file_name().unwrap_or(shard.as_os_str());
        if let ([there], Some(here)) = (self.there.as_slice(), &self.here) {
            if shard == here {
                return there.clone();
            }
            if let Ok(rest) = shard.strip_prefix(here) {
                return there.join(rest);
            }
        }
        if let Some(there) = self.there.iter().find(|there| there.file_name() == Some(name)) {
            return there.clone();
        }
        // What a pattern begins with tells it from others.
        let shown = name.to_string_lossy();
        let folder = |there: &PathBuf| {
            let last = there.file_name()?.to_string_lossy();
            match last.split_once(['{', '*', '?', '[']) {
                Some((before, _)) if shown.starts_with(before) => {
                    there.parent().map(Path::to_owned)
                }
                Some(_) => None,
                None => Some(there.clone()),
            }
        };
        let first = self.there.iter().find_map(folder).or_else(|| self.there.first().cloned());
        first.unwrap_or_default().join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_keeps_its_name_in_the_folder_there_and_a_single_file_may_have_another() {
        let moved = |here: Option<&str>, there: &str| Moved {
            here: here.map(PathBuf::from),
            there: there.split(' ').map(PathBuf::from).collect(),
        };
        let there = |moved: Moved, shard: &str| moved.path(Path::new(shard)).display().to_string();
        let one = moved(Some("/here/web.tar"), "/scratch/all-of-it.tar");
        assert_eq!(there(one, "/here/web.tar"), "/scratch/all-of-it.tar");
        let folder = moved(Some("/here/web"), "/scratch/web");
        assert_eq!(there(folder.clone(), "/here/web"), "/scratch/web");
        assert_eq!(there(folder, "/here/web/a/0.tar"), "/scratch/web/a/0.tar");
        let many = moved(None, "/scratch/web");
        assert_eq!(there(many, "/here/web-03.tar"), "/scratch/web/web-03.tar");
        let pattern = moved(None, "/scratch/web-{00..11}.tar");
        assert_eq!(there(pattern, "/here/web-03.tar"), "/scratch/web-03.tar");
        let several = moved(None, "/a/web-{0..9}.tar /b/more-*.tar /c/last.tar");
        assert_eq!(there(several.clone(), "/here/web-3.tar"), "/a/web-3.tar");
        assert_eq!(there(several.clone(), "/here/more-3.tar"), "/b/more-3.tar");
        assert_eq!(there(several, "/here/last.tar"), "/c/last.tar");
    }
}
