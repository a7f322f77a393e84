//! Keys of samples, each once.

use std::collections::HashSet;

/// The keys that samples of a shard have.
#[derive(Debug, Default)]
pub struct Keys(HashSet<String>);

impl Keys {
    /// The key of the next sample: the path of its picture without the ending. If an earlier sample has that key, the whole
    /// path, as for `cat.jpg` and `cat.png` of one folder; then the path with a number.
    pub fn next(&mut self, stem: &str, path: &str) -> String {
        let mut key = stem.to_owned();
        if self.0.contains(&key) {
            path.clone_into(&mut key);
        }
        let mut again = 2;
        while self.0.contains(&key) {
            key = format!("{path} [{again}]");
            again += 1;
        }
        self.0.insert(key.clone());
        key
    }
}
