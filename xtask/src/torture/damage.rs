//! Damages some of a garden's stored results (corrupted, truncated, emptied, removed, swapped), and checks that the
//! others are untouched and the damaged ones are measured again correctly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::dice::Dice;
use super::garden::files;

/// Folders of stored results, in the program's own folder.
const STORED: [&str; 3] = ["store/v1/records", "store/v1/blobs", "store/v1/figures"];
/// Other files that are trusted if intact.
const BELIEVED: [&str; 3] = ["store/v1/roots", "store/v1/failures", "cache"];

/// What was done to which file.
#[derive(Debug, Default)]
pub struct Damage {
    /// A description of the damage to each file.
    pub told: Vec<String>,
    files: BTreeSet<PathBuf>,
}

/// Stored results by key.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<String, Kept>);

/// One result.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Digests of its outputs by name.
    outputs: BTreeMap<String, String>,
}

impl Results {
    /// Reads the results stored in a garden's own folder of the program.
    pub fn of(state: &Path) -> Result<Self> {
        let mut all = BTreeMap::new();
        for (path, bytes) in files(&state.join(STORED[0]))? {
            let Some(key) = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()) else {
                continue;
            };
            // A damaged record that no note needs may stay there until the store is verified.
            let Ok(record) = serde_json::from_slice::<Value>(&bytes) else { continue };
            let outputs = record["outputs"].as_object().into_iter().flatten();
            let digest = |output: &Value| output["digest"].as_str().unwrap_or_default().to_owned();
            let outputs = outputs.map(|(name, output)| (name.clone(), digest(output))).collect();
            all.insert(key, Kept { path, bytes, outputs });
        }
        Ok(Self(all))
    }

    /// Checks that results are unchanged unless they were damaged.
    pub fn check(&self, now: &Self, damage: &Damage, state: &Path) -> Result<()> {
        for (key, before) in &self.0 {
            let hurt = damage.hurts(before, state);
            match now.0.get(key) {
                // If no note needs it, it is not measured again.
                None if hurt => {}
                None => bail!("the result {key} is missing although it was not damaged"),
                Some(after) if !hurt && after.bytes != before.bytes => {
                    bail!("the result {key} was measured again although it was not damaged");
                }
                Some(after) if after.outputs != before.outputs => {
                    bail!("the result {key} is different after it was damaged");
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Damage {
    /// Damages some files in the program's own folder of a garden.
    pub fn cause(state: &Path, dice: &mut Dice) -> Result<Self> {
        let mut damage = Self::default();
        for _ in 0..=dice.below(4) {
            let all = match dice.below(6) {
                5 => BELIEVED,
                _ => STORED,
            };
            let folder = state.join(all[dice.below(all.len() as u64) as usize]);
            let found: Vec<(PathBuf, Vec<u8>)> = files(&folder)?.into_iter().collect();
            if found.is_empty() {
                continue;
            }
            let (path, bytes) = &found[dice.below(found.len() as u64) as usize];
            let at = dice.below(bytes.len() as u64) as usize;
            let (what, others) = match dice.below(6) {
                0 | 1 if !bytes.is_empty() => {
                    let mut flipped = bytes.clone();
                    flipped[at] ^= 1 << dice.below(8);
                    fs::write(path, flipped)?;
                    ("flipped", None)
                }
                2 => {
                    fs::write(path, &bytes[..at])?;
                    ("cut", None)
                }
                3 => {
                    fs::write(path, b"")?;
                    ("emptied", None)
                }
                4 => {
                    fs::remove_file(path)?;
                    ("removed", None)
                }
                _ => {
                    let (other, others) = &found[dice.below(found.len() as u64) as usize];
                    fs::write(path, others)?;
                    fs::write(other, bytes)?;
                    ("swapped", Some(other))
                }
            };
            for path in [Some(path), others].into_iter().flatten() {
                damage.told.push(format!("{what} {}", path.display()));
                damage.files.insert(path.clone());
            }
        }
        damage.claims(state, dice)?;
        Ok(damage)
    }

    /// Writes empty claims for results that will be measured again, as a full disk could leave.
    fn claims(&mut self, state: &Path, dice: &mut Dice) -> Result<()> {
        for (key, kept) in Results::of(state)?.0 {
            if self.hurts(&kept, state) && dice.below(3) == 0 {
                let path = state.join("store/v1/claims").join(format!("{key}.json"));
                fs::write(&path, b"").with_context(|| path.display().to_string())?;
                self.told.push(format!("an empty claim {}", path.display()));
            }
        }
        Ok(())
    }

    /// Number of damaged files.
    pub fn count(&self) -> u64 {
        self.files.len() as u64
    }

    /// Whether a result was damaged, in its record or in one of its outputs.
    fn hurts(&self, kept: &Kept, state: &Path) -> bool {
        let blob = |digest: &String| {
            let shard = digest.get(..2).unwrap_or_default();
            state.join(STORED[1]).join(shard).join(digest)
        };
        self.files.contains(&kept.path)
            || kept.outputs.values().any(|digest| self.files.contains(&blob(digest)))
    }
}

/// A page without its figures' durations, which differ if they were measured again.
pub fn timeless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter(|line| !line.contains("<dt>time taken</dt>"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_compared_without_the_time_that_figures_took() {
        let page = |value: &str, time: &str| {
            let text = format!("<p>{value}</p>\n<div><dt>time taken</dt><dd>{time}</dd></div>\n");
            timeless(text.as_bytes())
        };
        assert_eq!(page("1.5", "0.1 s"), page("1.5", "0.1 s · 0.2 s"));
        assert_ne!(page("1.5", "0.1 s"), page("1.6", "0.1 s"));
    }

    #[test]
    fn what_was_not_damaged_has_to_stay_as_it_was() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let state = dir.path();
        let record = |key: &str, digest: &str, seconds: u32| {
            let folder = state.join(STORED[0]).join(&key[..2]);
            fs::create_dir_all(&folder).expect("a folder");
            let text = format!(
                "{{\"outputs\": {{\"a\": {{\"digest\": \"{digest}\"}}}}, \"seconds\": {seconds}}}"
            );
            fs::write(folder.join(format!("{key}.json")), text).expect("a record");
        };
        let now = || Results::of(state).expect("results");
        record("aa1", "cc1", 1);
        record("bb1", "dd1", 1);
        let before = now();
        let none = Damage::default();
        assert!(before.check(&now(), &none, state).is_ok());
        record("aa1", "cc1", 2);
        assert!(before.check(&now(), &none, state).is_err(), "it was measured again");
        let hurt = |file: &str| Damage { files: [state.join(file)].into(), ..Damage::default() };
        let hurt = hurt("store/v1/blobs/cc/cc1");
        assert!(before.check(&now(), &hurt, state).is_ok());
        record("aa1", "cc2", 2);
        assert!(before.check(&now(), &hurt, state).is_err(), "it is another one");
        fs::remove_file(state.join("store/v1/records/bb/bb1.json")).expect("removed");
        record("aa1", "cc1", 1);
        assert!(before.check(&now(), &hurt, state).is_err(), "one is gone");
    }
}
