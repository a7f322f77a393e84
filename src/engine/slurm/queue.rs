//! Reads what `squeue` lists.

use super::reason;
use crate::engine::{Ending, Job, State};

/// Columns that old and new versions print alike: the job, its array's job, its place in the array, its own number, state, reason
/// and nodes.
pub(super) const COLUMNS: &str = "%i|%F|%K|%A|%T|%r|%N";

/// The jobs that `squeue` lists. `has_run` says whether a job has been running before.
pub(super) fn jobs(listed: &str, has_run: impl Fn(&str) -> bool) -> Vec<Job> {
    listed.lines().filter_map(|line| job(line, &has_run)).collect()
}

fn job(line: &str, has_run: &impl Fn(&str) -> bool) -> Option<Job> {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let [id, _, _, _, state, reason @ .., nodes] = columns.as_slice() else { return None };
    if id.is_empty() || !id.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let given = |text: &str| !text.is_empty() && !["None", "(null)", "N/A"].contains(&text);
    let reason = Some(reason.join("|")).filter(|reason| given(reason));
    let state = self::state(state, reason.as_deref(), has_run(id));
    let is_waiting = matches!(state, State::Waiting | State::WaitingAgain | State::Other(_));
    let hopeless = reason.as_deref().filter(|_| is_waiting).and_then(reason::hopeless);
    let reason = reason.map(|reason| reason::explained(&reason));
    let node = Some((*nodes).to_owned()).filter(|nodes| given(nodes));
    Some(Job { id: (*id).to_owned(), state, reason, hopeless, node })
}

/// The state of this name. One that is not known is a state all the same: the job is in the queue.
fn state(word: &str, reason: Option<&str>, has_run: bool) -> State {
    let failed = || State::Ended(Ending::Failed(reason.unwrap_or(word).to_owned()));
    match word {
        "PENDING" | "CONFIGURING" if !has_run => State::Waiting,
        "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_FED" => State::WaitingAgain,
        "RUNNING" | "RESIZING" | "SIGNALING" => State::Running,
        "COMPLETING" | "STAGE_OUT" => State::Stopping,
        "COMPLETED" => State::Ended(Ending::Completed),
        "CANCELLED" | "REVOKED" => State::Ended(Ending::Cancelled),
        "TIMEOUT" | "DEADLINE" => State::Ended(Ending::OutOfTime),
        "OUT_OF_MEMORY" => State::Ended(Ending::OutOfMemory),
        "NODE_FAIL" | "BOOT_FAIL" | "PREEMPTED" => State::Ended(Ending::Lost),
        "FAILED" | "LAUNCH_FAILED" | "RECONFIG_FAIL" => failed(),
        _ => State::Other(word.to_lowercase().replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_read_whatever_its_state_is_called() {
        let listed = "33_5|33|5|38|PENDING|Priority|\n\
                      33_4|33|4|37|PENDING|BeginTime|\n\
                      33_3|33|3|36|RUNNING|None|n1\n\
                      33_2|33|2|35|COMPLETING|None|n2\n\
                      33_1|33|1|34|FAILED|NonZeroExitCode|n2\n\
                      33_0|33|0|33|TIMEOUT|TimeLimit|n3\n\
                      32|32|N/A|32|OUT_OF_MEMORY|OutOfMemory|gpu-[07-08]\n\
                      31|31|N/A|31|CANCELLED|None|\n\
                      30|30|N/A|30|NODE_FAIL|None|n1\n\
                      29|29|N/A|29|POWER_UP_NODE|None|n1\n\
                      28|28|N/A|28|SUSPENDED|None|n1\n\
                      27|27|N/A|27|PENDING|ReqNodeNotAvail, UnavailableNodes:n[1-3]|\n\
                      26|26|N/A|26|COMPLETED|None|n1\n\
                      CLUSTER: other\n\nslurm_load_jobs: a warning\n";
        let jobs = jobs(listed, |id| id == "33_4");
        let state = |id: &str| {
            let job = jobs.iter().find(|job| job.id == id).expect("a job");
            (job.state.clone(), job.reason.as_deref(), job.node.as_deref())
        };
        assert_eq!(jobs.len(), 13);
        assert_eq!(state("33_5"), (State::Waiting, Some("Priority"), None));
        assert_eq!(state("33_4").0, State::WaitingAgain);
        assert_eq!(state("33_3"), (State::Running, None, Some("n1")));
        assert_eq!(state("33_2").0, State::Stopping);
        assert_eq!(state("33_1").0, State::Ended(Ending::Failed("NonZeroExitCode".into())));
        assert_eq!(state("33_0").0, State::Ended(Ending::OutOfTime));
        assert_eq!(
            state("32"),
            (State::Ended(Ending::OutOfMemory), Some("OutOfMemory"), Some("gpu-[07-08]"))
        );
        assert_eq!(state("31").0, State::Ended(Ending::Cancelled));
        assert_eq!(state("30").0, State::Ended(Ending::Lost));
        assert_eq!(state("29").0, State::Other("power up node".into()));
        assert_eq!(state("28").0, State::Other("suspended".into()));
        assert_eq!(state("26").0, State::Ended(Ending::Completed));
        let alive = jobs.iter().filter(|job| job.is_alive()).count();
        assert_eq!(alive, 6, "what is in the queue counts, also under an unknown name");
        let hopeless: Vec<&str> =
            jobs.iter().filter(|job| job.hopeless.is_some()).map(|job| job.id.as_str()).collect();
        assert_eq!(hopeless, ["27"]);
    }
}
