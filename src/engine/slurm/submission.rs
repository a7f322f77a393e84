//! What `sbatch` is called with: a profile, a place and workers in; options and the job's script out.

use std::path::Path;
use std::time::Duration;

use crate::config::Profile;
use crate::engine::{Place, Workers};

/// How long before its time is over a worker is told so, in seconds.
const NOTICE: u64 = 120;
/// Options by which users ask for GPUs themselves.
const GPUS: [&str; 6] =
    ["--gres", "--gpus", "--gpus-per-node", "--gpus-per-task", "--gpus-per-socket", "-G"];

/// Jobs that one call submits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch {
    /// How many; one alone is no array.
    pub(super) count: u32,
    /// At most so many at once.
    pub(super) concurrency: Option<u32>,
}

impl Batch {
    /// Ids of its jobs, as `squeue` and the jobs themselves name them.
    pub(super) fn ids(self, id: &str) -> Vec<String> {
        match self.count {
            1 => vec![id.to_owned()],
            count => (0..count).map(|index| format!("{id}_{index}")).collect(),
        }
    }
}

/// Splits workers into arrays that are no longer than Slurm takes, and shares out how many may run at once.
pub(super) fn batches(count: u32, longest: u32, concurrency: Option<u32>) -> Vec<Batch> {
    let longest = longest.max(1);
    let parts = count.div_ceil(longest);
    let of_part = |part: u32| {
        let rest = count - part * longest;
        let concurrency = concurrency.filter(|most| *most < count).map(|most| {
            // The first ones get what does not divide evenly.
            (most / parts + u32::from(part < most % parts)).max(1)
        });
        Batch { count: rest.min(longest), concurrency }
    };
    (0..parts).map(of_part).collect()
}

/// The options of `sbatch`. Nothing is asked for that the profile does not ask for.
pub(super) fn options(profile: &Profile, place: &Place, batch: Batch) -> Vec<String> {
    let log = if batch.count == 1 { "%j.log" } else { "%A_%a.log" };
    let mut all = vec![
        "--parsable".to_owned(),
        format!("--job-name={}", place.jobs),
        format!("--output={}/{log}", pattern(&place.logs_there)),
        "--open-mode=append".to_owned(),
        "--requeue".to_owned(),
        format!("--signal=B:USR1@{}", notice(profile.time)),
    ];
    if batch.count > 1 {
        let most = batch.concurrency.filter(|most| *most < batch.count);
        let most = most.map(|most| format!("%{most}")).unwrap_or_default();
        all.push(format!("--array=0-{}{most}", batch.count - 1));
    }
    let mut add = |option: &str, value: Option<String>| {
        all.extend(value.map(|value| format!("--{option}={value}")));
    };
    add("partition", profile.partition.clone());
    add("account", profile.account.clone());
    add("time", profile.time.map(clock));
    let asks_itself = profile.options.iter().any(|option| {
        let name = option.split('=').next().unwrap_or_default();
        GPUS.contains(&name) || (option.starts_with("-G") && !option.starts_with("--"))
    });
    // Every version and selection plugin knows `--gres`, which not all do of `--gpus`.
    let gpus = profile.gpus.filter(|gpus| *gpus > 0 && !asks_itself);
    add("gres", gpus.map(|gpus| format!("gpu:{gpus}")));
    add("cpus-per-task", profile.cpus.map(|cpus| cpus.to_string()));
    add("mem", profile.memory.clone());
    all.extend(profile.options.iter().cloned());
    all
}

/// The job's script. The worker takes the shell's place, so that signals reach it.
pub(super) fn script(profile: &Profile, place: &Place, workers: &Workers) -> String {
    let mut words = vec![place.lab.display().to_string(), "work".into()];
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    add("--store", place.store.display().to_string());
    add("--pool", place.pool.clone());
    add("--device", profile.device.clone());
    add("--idle", profile.idle.as_secs().to_string());
    if let Some(cpus) = profile.cpus {
        add("--threads", cpus.to_string());
    }
    if let Some(time) = profile.time {
        add("--minutes", (time.as_secs() / 60).max(1).to_string());
    }
    if let Some(probe) = &workers.probe {
        add("--probe", probe.clone());
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let exec = format!("exec {}\n", words.join(" "));
    match &profile.head {
        // `module` and the like are functions that login shells have.
        Some(head) => format!("#!/bin/bash -l\n{}\n{exec}", head.trim_end()),
        None => format!("#!/bin/sh\n{exec}"),
    }
}

/// How long before the end USR1 is sent: jobs of a few minutes would otherwise be told at once.
fn notice(time: Option<Duration>) -> u64 {
    time.map_or(NOTICE, |time| (time.as_secs() / 6).clamp(1, NOTICE))
}

/// A time as Slurm reads it: `D-HH:MM:SS`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    format!("{days}-{hours:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60)
}

/// A folder in a pattern for output, in which `%` begins a variable.
fn pattern(folder: &Path) -> String {
    folder.display().to_string().replace('%', "%%")
}

/// A word as a shell reads it whole.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=,+@".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EngineName;

    fn place() -> Place {
        Place {
            pool: "big".into(),
            jobs: "nn-0123456789-big".into(),
            store: "/scratch/my store".into(),
            logs: "/here/logs".into(),
            logs_there: "/scratch/my store/100%/logs".into(),
            lab: "/it's/neuronotes-lab".into(),
        }
    }

    fn profile() -> Profile {
        Profile::new(EngineName::Slurm, 0..0)
    }

    #[test]
    fn only_what_the_profile_asks_for_is_asked_for() {
        let one = Batch { count: 1, concurrency: None };
        let plain = [
            "--parsable",
            "--job-name=nn-0123456789-big",
            "--output=/scratch/my store/100%%/logs/%j.log",
            "--open-mode=append",
            "--requeue",
            "--signal=B:USR1@120",
        ];
        assert_eq!(options(&profile(), &place(), one), plain);
        let full = Profile {
            partition: Some("gpu".into()),
            account: Some("interp".into()),
            time: Some(Duration::from_secs(4 * 3600)),
            gpus: Some(2),
            cpus: Some(8),
            memory: Some("32G".into()),
            options: vec!["--constraint=h100".into(), "-q".into(), "short".into()],
            ..profile()
        };
        let many = Batch { count: 8, concurrency: Some(4) };
        let all = options(&full, &place(), many);
        assert_eq!(all[2], "--output=/scratch/my store/100%%/logs/%A_%a.log");
        let rest = [
            "--array=0-7%4",
            "--partition=gpu",
            "--account=interp",
            "--time=0-04:00:00",
            "--gres=gpu:2",
            "--cpus-per-task=8",
            "--mem=32G",
            "--constraint=h100",
            "-q",
            "short",
        ];
        assert_eq!(all[6..], rest);
    }

    #[test]
    fn gpus_are_asked_for_once() {
        for option in ["--gres=gpu:h100:1", "--gpus=h100:1", "-G1", "--gpus-per-node=1"] {
            let profile = Profile { gpus: Some(1), options: vec![option.to_owned()], ..profile() };
            let all = options(&profile, &place(), Batch { count: 1, concurrency: None });
            assert_eq!(all[6..], [option]);
        }
    }

    #[test]
    fn short_jobs_are_not_told_at_once_that_their_time_is_over() {
        let notice = |minutes: u64| notice(Some(Duration::from_secs(minutes * 60)));
        assert_eq!([notice(2), notice(6), notice(12), notice(240)], [20, 60, 120, 120]);
    }

    #[test]
    fn words_of_the_script_are_whole_and_heads_come_first() {
        let workers = Workers { count: 1, submission: 0, probe: Some("a1".into()) };
        assert_eq!(
            script(&profile(), &place(), &workers),
            "#!/bin/sh\nexec '/it'\\''s/neuronotes-lab' work --store '/scratch/my store' --pool big --device auto \
             --idle 60 --probe a1\n"
        );
        let profile = Profile {
            head: Some("module load cuda\nexport A='b c'\n".into()),
            time: Some(Duration::from_secs(5400)),
            cpus: Some(4),
            device: "cuda:0".into(),
            ..profile()
        };
        let workers = Workers { probe: None, ..workers };
        let script = script(&profile, &place(), &workers);
        assert!(
            script.starts_with("#!/bin/bash -l\nmodule load cuda\nexport A='b c'\nexec "),
            "{script}"
        );
        assert!(
            script.ends_with("--device cuda:0 --idle 60 --threads 4 --minutes 90\n"),
            "{script}"
        );
    }

    #[test]
    fn arrays_are_as_long_as_slurm_takes() {
        let counts = |count, longest, most| -> Vec<(u32, Option<u32>)> {
            let all = batches(count, longest, most);
            all.iter().map(|batch| (batch.count, batch.concurrency)).collect()
        };
        assert_eq!(counts(8, 1001, Some(4)), [(8, Some(4))]);
        assert_eq!(counts(8, 1001, Some(8)), [(8, None)]);
        assert_eq!(counts(12, 5, Some(4)), [(5, Some(2)), (5, Some(1)), (2, Some(1))]);
        assert_eq!(counts(3, 0, None), [(1, None); 3]);
        let ids = |count| Batch { count, concurrency: None }.ids("33");
        assert_eq!((ids(1), ids(2)), (vec!["33".into()], vec!["33_0".to_owned(), "33_1".into()]));
    }
}
