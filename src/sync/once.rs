//! One look at both stores: options in, what was moved out.

use std::collections::BTreeSet;

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

use super::files::Files;
use super::memory::lock;
use super::pair::{Options, Pair, Report, Step, digest_of, record_path};
use super::remote::Remote;

/// Moves once what is to be moved.
///
/// # Errors
/// If either store cannot be used; what was moved by then is whole.
pub fn once(
    store: &Store,
    remote: &Remote,
    options: &Options,
    step: Step<'_>,
) -> Result<Report, Problem> {
    remote.check()?;
    let _lock = lock(store, &remote.url)?;
    let sync = Pair::new(store, remote);
    let mut files = Files::open(&sync, options.side)?;
    if options.push {
        let told = files.snapshot()?;
        sync.push(options.dry_run, step)?;
        files.push(told, options.dry_run)?;
    }
    if options.pull {
        sync.pull(&options.wanted, options.dry_run, step)?;
        files.pull(options.wanted.is_shown(), options.dry_run)?;
    }
    if !options.dry_run {
        files.remember()?;
    }
    let mut report = sync.report().clone();
    report.damaged.sort();
    Ok(report)
}

/// The keys of the records in an object store that begin with these digits.
///
/// # Errors
/// If one is no key, or there is not exactly one record for it.
pub fn resolve(remote: &Remote, asked: &[String]) -> Result<BTreeSet<Digest>, Problem> {
    let mut keys = BTreeSet::new();
    for digits in asked {
        let digits = digits.to_ascii_lowercase();
        if !(6..=64).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = format!("`{digits}` is not a request key");
            return Err(Problem::new(message).hint("give at least six hexadecimal digits of it"));
        }
        let shard: String = digits.chars().take(2).collect();
        let listed = remote.list(&format!("v1/records/{shard}"))?;
        let found = listed.iter().filter_map(|object| digest_of(&object.path, record_path));
        let found: Vec<Digest> = found.filter(|key| key.hex().starts_with(&digits)).collect();
        match found.as_slice() {
            [key] => drop(keys.insert(*key)),
            [] => {
                let message = format!("{} has no result `{digits}`", remote.url);
                let hint = "`neuronotes explain NOTE#ID` prints the key of a block";
                return Err(Problem::new(message).hint(hint));
            }
            several => {
                let message = format!("{} results begin with `{digits}`", several.len());
                return Err(Problem::new(message).hint("give more digits"));
            }
        }
    }
    Ok(keys)
}
