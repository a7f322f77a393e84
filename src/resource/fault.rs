//! Why a name of the configuration cannot be used.

use std::path::{Path, PathBuf};

use neuronotes_core::dataset::ShardError;
use neuronotes_core::file::read_hint;
use neuronotes_core::problem::Problem;
use neuronotes_core::suggest;

use crate::bundled::Unpackable;
use crate::config::Source;

/// The error for a name that is neither in the configuration nor built in.
pub(super) fn unknown(name: &str, what: &str, known: Vec<&str>) -> Problem {
    Problem {
        message: format!("the configuration has no {what} `{name}`"),
        hint: suggest::hint(name, known)
            .or_else(|| Some(format!("add it to `{what}s` in {}", crate::config::FILE))),
    }
}

pub(super) fn unpackable(error: &Unpackable) -> Problem {
    Problem { message: error.to_string(), hint: Some(error.hint()) }
}

pub(super) fn absolute(source: &Source) -> Result<PathBuf, Problem> {
    if source.leaves() {
        return Err(leaves(&source.written));
    }
    source.path.canonicalize().map_err(|error| {
        let place = || format!("the path is set in {}", crate::config::FILE);
        let hint = read_hint(&error).map_or_else(place, str::to_owned);
        let message = format!("`{}` cannot be read ({error})", source.written);
        Problem { message, hint: Some(hint) }
    })
}

/// The problem that a path of the configuration leaves the garden.
pub(super) fn leaves(written: &str) -> Problem {
    let message = format!("`{written}` is outside the garden");
    Problem { message, hint: Some(crate::config::INSIDE.to_owned()) }
}

/// The problem that a shard cannot be listed.
pub(super) fn unlisted(error: ShardError) -> Problem {
    Problem { hint: error.hint().map(str::to_owned), message: error.to_string() }
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let message = format!("{} cannot be read ({error})", path.display());
    Problem { message, hint: read_hint(error).map(str::to_owned) }
}

/// The message that a dictionary has the name of a layer.
pub(super) fn same_name(name: &str, model: &str) -> String {
    format!("the dictionary `{name}` has the name of a layer of the model `{model}`")
}
