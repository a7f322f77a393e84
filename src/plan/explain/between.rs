//! What differs between two requests, neither of which has to be measured.

use neuronotes_core::request::Request;

use super::block::{Change, compare, weight};
use crate::measure::progress::describe;

/// The differences between what two requests' keys cover, including those of the requests that they use.
pub fn between(old: &Request, new: &Request) -> Vec<Change> {
    let mut found = Vec::new();
    let (mut before, mut now) = (old.canonical(), new.canonical());
    for request in [&mut before, &mut now] {
        request.as_object_mut().map(|fields| fields.remove("uses"));
    }
    compare("", &before, &now, &mut found);
    let keyed = |request: &Request| (request.key(), request.clone());
    let mut gone: Vec<_> = old.uses.iter().map(keyed).collect();
    let mut came = Vec::new();
    for used in new.uses.iter().map(keyed) {
        match gone.iter().position(|(key, _)| *key == used.0) {
            Some(at) => drop(gone.remove(at)),
            None => came.push(used),
        }
    }
    for (key, used) in came {
        let alike = gone.iter().enumerate().filter(|(_, (_, old))| old.kind == used.kind);
        let compared = alike.map(|(at, (_, old))| (between(old, &used), at));
        let nearest = compared.min_by_key(|(changes, _)| weight(changes));
        let (because, old) = match nearest {
            Some((because, at)) => (because, Some(gone.remove(at).0)),
            None => (vec![], None),
        };
        let (old, new) = (old.map(|key| key.hex().into()), Some(key.hex().into()));
        found.push(Change { field: format!("uses: {}", describe(&used)), old, new, because });
    }
    for (key, used) in gone {
        let (field, old) = (format!("uses: {}", describe(&used)), Some(key.hex().into()));
        found.push(Change { field, old, new: None, because: vec![] });
    }
    found
}
