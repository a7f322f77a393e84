//! What Slurm's reasons and refusals mean, and what to do about them.

/// Why a job with this reason will not start as things are, and what to do; `None` if waiting may help.
pub(super) fn hopeless(reason: &str) -> Option<String> {
    let why = match reason {
        "PartitionTimeLimit" => {
            "the time is above the limit of its partition: lower `time`, or name another `partition` (`sinfo -s` lists \
             their limits)"
        }
        "PartitionNodeLimit" => {
            "its partition has not what a worker needs: lower `gpus`, `cpus` or `memory`, or name another `partition`"
        }
        "PartitionDown" | "PartitionInactive" => {
            "its partition is closed: name another `partition` (`sinfo -s` lists them), or wait until it is opened"
        }
        "DependencyNeverSatisfied" => {
            "it waits for another job that has failed: remove `--dependency` from `options`"
        }
        "BadConstraints" => "no node has what its `options` demand",
        "JobHeldUser" => "it is held: `scontrol release` lets it go",
        "JobHeldAdmin" => "it is held by an administrator",
        "InvalidAccount" | "AccountNotAllowed" => "its `account` may not be used there",
        "InvalidQOS" | "QOSNotAllowed" => {
            "its quality of service (`--qos` in `options`) may not be used there"
        }
        _ => return other(reason),
    };
    Some(format!("{reason}: {why}"))
}

/// Reasons that have something in them.
fn other(reason: &str) -> Option<String> {
    let why = if let Some((_, nodes)) = reason.split_once("UnavailableNodes:") {
        // Without names, nodes are only busy, or kept for maintenance.
        if nodes.is_empty() {
            return None;
        }
        "nodes that it needs are down, drained or reserved: `sinfo -R` says why; others can be asked for in `options`"
    } else if reason.contains("launch failed requeued held") {
        "Slurm could not start it and holds it: `scontrol release` lets it try again"
    } else if is_limit(reason) && reason.contains("Minutes") {
        "the budget of its account is used up: name another `account`, or ask its owner for more"
    } else if is_limit(reason) && (reason.contains("PerJob") || reason.starts_with("QOSMin")) {
        "a worker asks for more (or less) than one job may have: change `time`, `gpus`, `cpus` or `memory`, or `--qos` in \
         `options`"
    } else {
        return None;
    };
    Some(format!("{reason}: {why}"))
}

/// A reason with what it means, where its name does not say it.
pub(super) fn explained(reason: &str) -> String {
    let why = match reason {
        "BeginTime" => "starts soon",
        "Resources" => "all nodes are busy",
        "JobArrayTaskLimit" => "as many run as `concurrency` allows",
        _ if hopeless(reason).is_some() => return reason.to_owned(),
        _ if reason.starts_with("AssocGrp") || reason.starts_with("AssocMax") => {
            "the account's limit is reached"
        }
        _ if reason.starts_with("QOSGrp") || reason.starts_with("QOSMax") => {
            "the limit of its quality of service is reached"
        }
        _ => return reason.to_owned(),
    };
    format!("{reason}: {why}")
}

fn is_limit(reason: &str) -> bool {
    reason.starts_with("Assoc") || reason.starts_with("QOS")
}

/// What to do about a refusal of `sbatch`, if that is known.
pub(super) fn hint(said: &str) -> Option<&'static str> {
    const HINTS: [(&str, &str); 17] = [
        (
            "configuration source",
            "this machine has Slurm's commands, but no slurm.conf: run this where jobs are submitted, or set SLURM_CONF",
        ),
        (
            "No partition specified",
            "name one in the profile: `partition: …`; `sinfo -s` lists them",
        ),
        ("invalid partition", "`sinfo -s` lists the partitions"),
        ("Invalid partition", "`sinfo -s` lists the partitions"),
        (
            "Invalid account or account/partition",
            "name an account that may use the partition: `account: …`; `sacctmgr show assoc user=$USER` lists yours",
        ),
        ("Invalid qos", "name another in `options`: \"--qos=…\"; `sacctmgr show qos` lists them"),
        (
            "Invalid generic resource",
            "no node has such GPUs: check `gpus` and `--gres` in `options`; `sinfo -o '%P %G'` lists what there is",
        ),
        (
            "Invalid feature",
            "no node has that feature: check `--constraint` in `options`; `sinfo -o '%P %f'` lists what there is",
        ),
        (
            "node configuration is not available",
            "no node has as much: check `gpus`, `cpus`, `memory` and `options`; `sinfo -N -o '%N %c %m %G'` lists what there is",
        ),
        ("Memory specification", "no node has as much: lower `memory`"),
        ("Invalid --mem", "check `memory`"),
        ("CPU count", "no node has as many: lower `cpus`"),
        ("time limit", "lower `time`; `sinfo -s` lists the partitions' limits"),
        ("array", "this Slurm takes no such array: lower `workers`"),
        ("unrecognized option", "check `options`; this version of Slurm may be too old for it"),
        ("invalid option", "check `options`; this version of Slurm may be too old for it"),
        (
            "policy",
            "a limit of your account or of the partition is reached: lower `workers`, `time`, `gpus` or `memory`",
        ),
    ];
    HINTS.iter().find(|(sign, _)| said.contains(sign)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_never_end_say_what_to_do() {
        for (reason, to_do) in [
            ("PartitionTimeLimit", "lower `time`"),
            ("DependencyNeverSatisfied", "`--dependency`"),
            ("ReqNodeNotAvail, UnavailableNodes:n[1-3]", "`sinfo -R`"),
            ("AssocGrpGRESMinutes", "`account`"),
            ("QOSMaxWallDurationPerJobLimit", "`time`"),
            ("QOSMinGRES", "`gpus`"),
            ("AssocMaxCpuPerJobLimit", "`cpus`"),
            ("launch failed requeued held", "`scontrol release`"),
            ("PartitionDown", "`partition`"),
        ] {
            let said = hopeless(reason).unwrap_or_else(|| panic!("{reason}"));
            assert!(said.starts_with(reason) && said.contains(to_do), "{said}");
        }
        for reason in [
            "Priority",
            "Resources",
            "BeginTime",
            "JobArrayTaskLimit",
            "AssocGrpGRES",
            "QOSMaxJobsPerUserLimit",
            "ReqNodeNotAvail, UnavailableNodes:",
            "PartitionConfig",
            "ReqNodeNotAvail, Reserved for maintenance",
            "SomethingOfTomorrow",
        ] {
            assert_eq!(hopeless(reason), None, "{reason}: waiting may help");
        }
        let unconfigured = "sbatch: fatal: Could not establish a configuration source";
        assert!(hint(unconfigured).is_some_and(|hint| hint.contains("SLURM_CONF")));
        assert_eq!(hint("something of tomorrow"), None);
        assert_eq!(explained("AssocGrpGRES"), "AssocGrpGRES: the account's limit is reached");
        assert_eq!(explained("Priority"), "Priority");
    }
}
