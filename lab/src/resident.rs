//! A cache of loaded models, as many as memory allows.
//!
//! A model is taken to need the size of its weights and half as much again. The least recently used one is unloaded first.
//! A model that is larger than the budget stays alone.

use std::env;
use std::fs;
use std::rc::Rc;

use neuronotes_core::digest::Digest;
use neuronotes_core::say;

use crate::clip::{Clip, Loading};
use crate::device::Device;

/// The environment variable with the memory for loaded models: bytes, or with K, M or G behind the number.
pub const VARIABLE: &str = "NEURONOTES_MODEL_MEMORY";
/// By default, loaded models may take one part in this many of the device's memory.
const PART: u64 = 4;
/// The budget in bytes if the device's memory is not known.
const UNKNOWN: u64 = 2 << 30;

/// The loaded models, the last used one at the end.
#[derive(Debug)]
pub struct Residents {
    models: Vec<(Digest, Rc<Clip>)>,
    budget: u64,
}

impl Residents {
    /// An empty cache for that device.
    pub fn on(device: &Device) -> Self {
        let given = env::var(VARIABLE).ok().filter(|text| !text.is_empty());
        let given = given.and_then(|text| {
            let bytes = bytes(&text);
            if bytes.is_none() {
                say::err(format_args!(
                    "neuronotes-lab: {VARIABLE}: `{text}` is not a number of bytes, such as `4G`"
                ));
            }
            bytes
        });
        let memory = match device.torch {
            tch::Device::Cpu => memory(),
            _ => device.memory(),
        };
        let budget = given.unwrap_or_else(|| memory.map_or(UNKNOWN, |bytes| bytes / PART));
        Self::within(budget)
    }

    /// An empty cache with a budget in bytes.
    pub fn within(budget: u64) -> Self {
        Self { models: Vec::new(), budget }
    }

    /// The model of these weights, loaded in that way.
    pub fn get(&mut self, digest: Digest, loading: &Loading) -> Option<Rc<Clip>> {
        let is_it =
            |(known, clip): &(Digest, Rc<Clip>)| *known == digest && clip.loading() == loading;
        let found = self.models.iter().position(is_it)?;
        let model = self.models.remove(found);
        let clip = Rc::clone(&model.1);
        self.models.push(model);
        Some(clip)
    }

    /// Unloads models until one with this many bytes of weights fits.
    pub fn make_room(&mut self, weights: u64) {
        let taken = |models: &[(Digest, Rc<Clip>)]| -> u64 {
            models.iter().map(|(_, clip)| needed(clip.bytes())).sum()
        };
        while !self.models.is_empty()
            && taken(&self.models).saturating_add(needed(weights)) > self.budget
        {
            self.models.remove(0);
        }
    }

    /// Adds a model.
    pub fn add(&mut self, digest: Digest, clip: &Rc<Clip>) {
        self.make_room(clip.bytes());
        self.models.push((digest, Rc::clone(clip)));
    }

    /// Unloads all models, because memory ran out.
    pub fn clear(&mut self) {
        self.models.clear();
    }
}

fn needed(weights: u64) -> u64 {
    weights.saturating_add(weights / 2)
}

/// Parses a size in bytes, such as `4G`, `500M` or `1048576`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1u64 << 10),
        (at, 'm' | 'M') => (&text[..at], 1 << 20),
        (at, 'g' | 'G') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    number.trim().parse::<u64>().ok()?.checked_mul(unit)
}

/// The machine's free memory, or as much of it as this process may use, in bytes.
fn memory() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let free = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10;
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|text| text.trim().parse::<u64>().ok());
    Some(limit.map_or(free, |limit| limit.min(free)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_written_as_people_write_them() {
        assert_eq!(bytes("1048576"), Some(1 << 20));
        assert_eq!(
            (bytes("4G"), bytes(" 500 M"), bytes("2k")),
            (Some(4 << 30), Some(500 << 20), Some(2048))
        );
        for wrong in ["", "much", "-1", "1.5G", "99999999999G"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
