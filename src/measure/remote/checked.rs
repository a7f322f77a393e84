//! The first worker's report, and what is said if workers cannot measure.

use std::time::Duration;

use neuronotes_core::pool::Checkup;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

use crate::measure::schedule::Reason;

/// Time that a worker may run before the store must show something of it.
pub const REPORTS: Duration = Duration::from_secs(120);
/// What to do if workers do not see the store.
const STORE: &str = "set `store:` in the profile to the folder under which workers see it, or copy it with `neuronotes store sync`";

/// How far the check-up is.
#[derive(Debug, PartialEq)]
pub enum Check {
    /// No worker is being checked.
    None,
    /// The first worker has not reported.
    Waiting {
        /// The probe's name.
        nonce: String,
    },
    /// A worker can measure.
    Good,
}

/// `1 worker`, `3 workers`.
pub fn workers(count: usize) -> String {
    if count == 1 { "1 worker".to_owned() } else { format!("{count} workers") }
}

/// What a report says that is good, or why nothing can be measured.
pub fn judge(report: &Checkup, store: &Store) -> Result<Vec<String>, Reason> {
    let mut problems = report.problems.clone();
    if problems.is_empty() && report.blob.is_none_or(|blob| store.blob(&blob).is_none()) {
        problems.push(Problem {
            message: "what it wrote is not in this store".to_owned(),
            hint: Some(STORE.to_owned()),
        });
    }
    if !problems.is_empty() {
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        let mut hints: Vec<&str> = problems.iter().filter_map(|it| it.hint.as_deref()).collect();
        hints.dedup();
        let message = format!(
            "the first worker, on {}, cannot measure: {}",
            report.host,
            messages.join("; ")
        );
        return Err(Reason { message, hint: (!hints.is_empty()).then(|| hints.join("; ")) });
    }
    let mut about = vec![report.host.clone()];
    about.extend(report.device.as_ref().map(|(device, name)| format!("{device} ({name})")));
    about.push(format!("libtorch {}", report.libtorch));
    about.extend(report.driver.as_ref().map(|driver| format!("driver {driver}")));
    let mut lines = vec![format!("the first worker can measure: {}", about.join(", "))];
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    Ok(lines)
}

/// The first worker has ended, or runs, and the store has nothing of it.
pub fn silent(has_ended: bool, log: Option<String>) -> Reason {
    let how = match has_ended {
        true => "the first worker ended without a report",
        false => "the first worker has been running for two minutes and has not reported",
    };
    let message =
        format!("{how}: the workers do not see the store, or could not start{}", end(log));
    Reason { message, hint: Some(STORE.to_owned()) }
}

/// Some workers in a row have ended without having done anything.
pub fn fruitless(count: u32, log: Option<String>) -> Reason {
    let message = format!(
        "{} in a row ended without having measured anything, so no more are submitted{}",
        workers(count as usize),
        end(log)
    );
    let hint =
        "`neuronotes jobs` lists the workers; build again once the cause is found".to_owned();
    Reason { message, hint: Some(hint) }
}

/// Somebody has cancelled the workers.
pub fn cancelled() -> Reason {
    let message = "its workers were cancelled (`neuronotes jobs cancel`)".to_owned();
    Reason {
        message,
        hint: Some("build again, or retry it in the preview, to start others".to_owned()),
    }
}

/// A file of the pool cannot be written.
pub fn unwritable(error: &std::io::Error) -> Problem {
    let message = format!("the store cannot be written to ({error})");
    Problem { message, hint: neuronotes_core::file::hint(error).map(str::to_owned) }
}

fn end(log: Option<String>) -> String {
    match log.as_deref().map(str::trim).filter(|log| !log.is_empty()) {
        Some(log) => format!("; the log of the last one ends:\n{log}"),
        None => String::new(),
    }
}
