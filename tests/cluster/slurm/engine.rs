//! The engine alone: what Slurm makes of what it is told, and what it is taken to say.

use std::time::Duration;

use neuronotes::config::Profile;
use neuronotes::engine::{Ending, Engine as _, State};

use super::crew::{Crew, WAITS, profile};
use super::site::{SITE, Site, alone, kill};

#[test]
fn workers_are_submitted_listed_and_cancelled() {
    let Some(site) = &*SITE else { return };
    let _whole = alone();
    let profile = Profile { concurrency: Some(4), device: "cpu".into(), ..profile() };
    let mut crew = Crew::new(site, "seven", WAITS, &profile);
    let version = crew.engine.find().expect("Slurm");
    assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{version}");
    // An array may have five.
    let mut ids = crew.submit(7);
    assert_eq!(ids.len(), 7);
    let arrays: Vec<&str> = ids.iter().filter_map(|id| id.strip_suffix("_0")).collect();
    assert_eq!(arrays.len(), 2, "{ids:?}");
    let mut listed = Vec::new();
    site.wait_until("four run, and three wait", || {
        listed = crew.jobs();
        let running = listed.iter().filter(|job| job.state == State::Running);
        running.count() == 4
    });
    let mut found: Vec<String> = listed.iter().map(|job| job.id.clone()).collect();
    found.sort();
    ids.sort();
    assert_eq!(found, ids);
    for job in &listed {
        assert_eq!(job.node.is_some(), job.state == State::Running, "{job:?}");
        assert!(job.is_alive() && job.hopeless.is_none(), "{job:?}");
    }
    let waits = listed.iter().find(|job| job.state == State::Waiting).expect("one that waits");
    assert!(waits.reason.is_some(), "{waits:?}");
    // Another client finds the same.
    assert_eq!(crew.again().jobs().expect("a list").len(), 7);
    let place = crew.place().clone();
    let expected = format!(
        "<work> <--store> <{}> <--pool> <seven> <--device> <cpu> <--idle> <60> restart 0 gpus none",
        place.store.display()
    );
    let runs = listed.iter().find(|job| job.state == State::Running).expect("one that runs");
    site.wait_until("its log begins", || crew.engine.log(&runs.id).is_some());
    assert_eq!(crew.engine.log(&runs.id).as_deref(), Some(expected.as_str()));
    crew.engine.cancel().expect("cancelled");
    site.wait_until("all have ended", || crew.jobs().iter().all(|job| !job.is_alive()));
    site.wait_until("it was told", || {
        crew.engine.log(&runs.id).is_some_and(|log| log.ends_with("told"))
    });
    crew.engine.cancel().expect("nothing to cancel is no error");
}

#[test]
fn refusals_are_in_slurms_words_with_the_field_to_change() {
    let Some(site) = &*SITE else { return };
    let options = |option: &str| Profile { options: vec![option.to_owned()], ..profile() };
    let cases = [
        (
            Profile { partition: Some("nowhere".into()), ..profile() },
            "invalid partition specified: nowhere",
            "partition",
        ),
        (
            Profile { gpus: Some(3), ..profile() },
            "Requested node configuration is not available",
            "`gpus`",
        ),
        (options("--gres=tpu:1"), "Invalid generic resource (gres) specification", "`--gres`"),
        (options("--constraint=a100"), "Invalid feature specification", "`--constraint`"),
        (Profile { memory: Some("9T".into()), ..profile() }, "Memory specification", "`memory`"),
        (options("--no-such-option"), "unrecognized option '--no-such-option'", "`options`"),
    ];
    for (index, (profile, said, field)) in cases.into_iter().enumerate() {
        let mut crew = Crew::new(site, &format!("refused{index}"), WAITS, &profile);
        let problem = crew.tried(1).expect_err("a refusal");
        assert!(problem.message.starts_with("Slurm refused the job: "), "{problem}");
        assert!(problem.message.contains(said), "{problem}");
        assert!(problem.hint.as_deref().is_some_and(|hint| hint.contains(field)), "{problem}");
        assert!(!crew.engine.is_away());
    }
}

#[test]
fn jobs_that_never_start_say_why() {
    let Some(site) = &*SITE else { return };
    let short = Profile {
        partition: Some("short".into()),
        time: Some(Duration::from_secs(3600)),
        ..profile()
    };
    let closed = Profile { partition: Some("away".into()), ..profile() };
    let after = Profile { options: vec!["--dependency=afterok:1".into()], ..profile() };
    // One that fails, as the first of this Slurm or a later one.
    let failed = site.said("sbatch", &["--parsable", "--output=/dev/null", "--wrap", "exit 3"]);
    let failed = failed.trim();
    site.wait_until("it failed", || {
        site.said("squeue", &["-h", "-t", "all", "-j", failed, "-o", "%T"]).trim() == "FAILED"
    });
    let after = Profile { options: vec![format!("--dependency=afterok:{failed}")], ..after };
    for (name, profile, reason, to_do) in [
        ("short", short, "PartitionTimeLimit", "lower `time`"),
        ("closed", closed, "PartitionDown", "`sinfo -s`"),
        ("after", after, "DependencyNeverSatisfied", "`--dependency`"),
    ] {
        let mut crew = Crew::new(site, name, WAITS, &profile);
        crew.submit(1);
        let job = crew.until("it is hopeless", |job| job.hopeless.is_some());
        let said = job.hopeless.unwrap_or_default();
        assert!(said.starts_with(reason) && said.contains(to_do), "{name}: {said}");
        assert_eq!(job.state, State::Waiting);
    }
}

#[test]
fn a_worker_gets_what_it_asks_for() {
    let Some(site) = &*SITE else { return };
    let profile = Profile {
        gpus: Some(2),
        cpus: Some(2),
        memory: Some("100M".into()),
        time: Some(Duration::from_secs(1800)),
        head: Some(
            "export HEAD_OF=\"a b\"\nfunction module { echo \"module $*\"; }\nmodule load cuda"
                .into(),
        ),
        options: vec!["--constraint=h100".into()],
        ..profile()
    };
    let _whole = alone();
    let mut crew = Crew::new(site, "asks", WAITS, &profile);
    crew.submit(1);
    let job = crew.running();
    assert_eq!(job.node.as_deref(), Some("n1"));
    let log = crew.engine.log(&job.id).expect("a log");
    assert!(log.starts_with("module load cuda\n<work>"), "{log}");
    assert!(log.ends_with("<--threads> <2> <--minutes> <30> restart 0 gpus 0,1"), "{log}");
    let format = "%l|%m|%C|%b";
    let shown = site.said("squeue", &["-h", "-j", &job.id, "-o", format]);
    assert!(shown.starts_with("30:00|100M|2|"), "{shown}");
}

#[test]
fn how_a_worker_ends_is_told() {
    let Some(site) = &*SITE else { return };
    for (name, end, expected) in [
        ("completes", "exit 0", Ending::Completed),
        ("fails", "echo no libtorch here; exit 3", Ending::Failed("NonZeroExitCode".into())),
    ] {
        let script = format!("#!/bin/bash\n{end}\n");
        let mut crew = Crew::new(site, name, &script, &profile());
        let ids = crew.submit(1);
        let job = crew.until("it has ended", |job| matches!(job.state, State::Ended(_)));
        assert_eq!((job.state, job.id.as_str()), (State::Ended(expected), ids[0].as_str()));
        if name == "fails" {
            assert_eq!(crew.engine.log(&job.id).as_deref(), Some("no libtorch here"));
        }
    }
    // Its time is a minute: it is told before, and may end properly.
    let minute = Profile { time: Some(Duration::from_secs(60)), ..profile() };
    let mut crew = Crew::new(site, "minute", WAITS, &minute);
    crew.submit(1);
    let job = crew.until("it has ended", |job| matches!(job.state, State::Ended(_)));
    assert_eq!(job.state, State::Ended(Ending::Completed));
    assert!(crew.engine.log(&job.id).is_some_and(|log| log.ends_with("told")));
}

#[test]
fn a_worker_that_is_put_back_into_the_queue_waits_again_and_goes_on() {
    let Some(site) = &*SITE else { return };
    let mut crew = Crew::new(site, "requeued", WAITS, &profile());
    let ids = crew.submit(1);
    crew.running();
    site.said("scontrol", &["requeue", &ids[0]]);
    let job = crew.until("it waits again", |job| job.state == State::WaitingAgain);
    assert_eq!(job.id, ids[0]);
    // Another client, which has not seen it running, knows by its log.
    let others = crew.again().jobs().expect("a list");
    assert_eq!(others[0].state, State::WaitingAgain);
    crew.until("it runs again", |job| job.state == State::Running);
    site.wait_until("its log goes on", || {
        crew.engine.log(&ids[0]).is_some_and(|log| log.contains("restart 1"))
    });
    let log = crew.engine.log(&ids[0]).expect("a log");
    assert!(log.contains("restart 0") && log.contains("told"), "{log}");
}

#[test]
fn a_worker_is_preempted_by_signal_and_goes_on_afterwards() {
    let Some(site) = &*SITE else { return };
    let _whole = alone();
    let on = |partition: &str| Profile {
        partition: Some(partition.into()),
        cpus: Some(2),
        options: vec!["--nodelist=n2".into()],
        ..profile()
    };
    let mut crew = Crew::new(site, "humble", WAITS, &on("main"));
    crew.submit(1);
    crew.running();
    let mut urgent = Crew::new(site, "urgent", WAITS, &on("urgent"));
    urgent.submit(1);
    urgent.running();
    let job = crew.until("it waits again", |job| job.state == State::WaitingAgain);
    assert!(
        crew.engine.log(&job.id).is_some_and(|log| log.contains("told")),
        "it was asked to end"
    );
    urgent.engine.cancel().expect("cancelled");
    crew.until("it runs again", |job| job.state == State::Running);
}

#[test]
fn a_node_that_is_lost_costs_its_worker_only_time() {
    let Some(site) = Site::start("") else { return };
    let mut crew = Crew::new(&site, "lost", WAITS, &profile());
    let ids = crew.submit(1);
    let first = crew.running();
    let node = first.node.expect("a node");
    // Its daemon alone may end and come back.
    site.kill_daemon(&node);
    site.start_node(&node);
    assert_eq!(crew.running().node.as_deref(), Some(node.as_str()));
    site.kill_node(&node);
    let job = crew.until("it waits again", |job| job.state == State::WaitingAgain);
    assert_eq!(job.id, ids[0]);
    let job = crew.until("it runs again", |job| job.state == State::Running);
    assert_ne!(job.node.as_deref(), Some(node.as_str()));
    site.start_node(&node);
}

#[test]
fn a_controller_that_does_not_answer_is_no_news() {
    let Some(site) = Site::start("") else { return };
    let mut crew = Crew::new(&site, "away", WAITS, &profile());
    let ids = crew.submit(1);
    let job = crew.running();
    let often = crew.engine.interval();
    site.wait_until_saved();
    site.kill_controller();
    let no_news = crew.engine.jobs().expect_err("no answer");
    assert!(no_news.0.starts_with("Slurm does not answer"), "{no_news}");
    assert!(crew.engine.is_away());
    assert!(crew.engine.interval() > often, "it is asked less often");
    assert!(crew.engine.find().is_ok(), "it is there all the same");
    site.start_controller();
    site.wait_until("it answers", || crew.engine.jobs().is_ok());
    assert!(!crew.engine.is_away());
    let found = crew.until("it runs on", |job| job.state == State::Running);
    assert_eq!((found.id, found.node), (ids[0].clone(), job.node));
    // A program that outlives its step is not seen by Slurm for minutes, which does no harm.
    site.wait_until("its step is seen", || site.steps(&ids[0]).len() == 1);
    site.steps(&ids[0]).into_iter().for_each(kill);
    assert!(crew.jobs()[0].is_alive());
}
