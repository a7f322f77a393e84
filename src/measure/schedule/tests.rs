//! A script in place of the lab, which obeys, disobeys or dies.

mod status;

use std::fs;
use std::sync::mpsc::{self, Receiver};

use neuronotes_core::request::Request;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::measure::lab::tests::write_script;

/// A folder with a script that speaks the lab's protocol, and a store.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) store: Store,
}

/// Knows units 1 to 9 by their keys. `$runs` is the number of earlier labs, `$n` the number of requests sent to this
/// one, `$unit` and `$key` are those of the request or cancellation, `$halve` says whether to halve the batch. All
/// input is kept.
const SCRIPT: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 9
runs=$(cat runs 2>/dev/null || echo 0)
echo $((runs + 1)) >runs
at() { echo '{"type":"progress","key":"'$key'","stage":"optimising","step":'${1:-0}',"total":4,"unit":"step","seconds_left":null,"picture":null}'; }
done_() { echo '{"type":"done","key":"'$key'","seconds":1.0}'; }
fail() { echo '{"type":"failed","key":"'$key'","message":"it is broken","hint":null,"cause":"'$1'"}'; }
cancelled() { echo '{"type":"cancelled","key":"'$key'"}'; }
START
echo '{"type":"ready","device":"cpu","device_name":"a script","libtorch":"0","version":"VERSION"}'
n=0
while read -r line; do
  echo "$runs $line" >>asked
  case "$line" in
  *'"type":"run"'*)
    unit=$(printf %s "$line" | sed 's/.*"unit":\([0-9]*\).*/\1/')
    key=$(sed -n "s/^$unit //p" keys)
    halve=; case "$line" in *'"halve":true'*) halve=yes ;; esac
    n=$((n + 1))
    RUN
    ;;
  *'"type":"cancel"'*)
    key=$(printf %s "$line" | sed 's/.*"key":"\([0-9a-f]*\)".*/\1/')
    unit=$(sed -n "s/ $key//p" keys)
    CANCEL
    ;;
  esac
done
"#;

impl Stage {
    /// A lab that executes `run` for each request.
    pub(crate) fn new(run: &str) -> Self {
        Self::with("", run, "cancelled")
    }

    /// A lab that executes `start` before it is ready, `run` for each request, and `cancel` for each cancelled one.
    fn with(start: &str, run: &str, cancel: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keys: Vec<String> =
            (1..=9).map(|unit| format!("{unit} {}\n", request(unit).key())).collect();
        fs::write(folder.path().join("keys"), keys.concat()).expect("keys");
        let script = SCRIPT
            .replace("START", start)
            .replace("VERSION", env!("CARGO_PKG_VERSION"))
            .replace("RUN", run)
            .replace("CANCEL", cancel);
        write_script(&folder.path().join("lab"), &script);
        let store = Store::open(&folder.path().join("store")).expect("a store");
        Self { folder, store }
    }

    /// A scheduler whose labs are this script.
    pub(crate) fn scheduler(&self) -> (Scheduler, Receiver<LabNews>) {
        let (sender, news) = mpsc::channel();
        let program = self.folder.path().join("lab");
        let find = Box::new(move || Ok(program.clone()));
        let tell = move |news| drop(sender.send(news));
        (Scheduler::with_labs(find, self.store.clone(), "cpu".into(), tell), news)
    }

    /// The commands that labs received, one per line: the lab's number, and the command.
    pub(crate) fn asked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default();
        text.lines()
            .map(|line| {
                let (lab, command) = line.split_once(' ').expect("two words");
                let command = serde_json::from_str(command).expect("a command");
                format!("{lab} {}", words(&command))
            })
            .collect()
    }

    /// The same without orders.
    pub(crate) fn run(&self) -> Vec<String> {
        self.asked().into_iter().filter(|line| !line.contains("order")).collect()
    }

    fn touch(&self, name: &str) {
        fs::write(self.folder.path().join(name), "").expect("written");
    }
}

fn words(command: &Command) -> String {
    match command {
        Command::Run { request, halve: false } => format!("run {}", request.params["unit"]),
        Command::Run { request, halve: true } => format!("halve {}", request.params["unit"]),
        Command::Cancel { key } => format!("cancel {}", unit(key)),
        Command::Order { groups } => {
            let group = |group: &Vec<Digest>| {
                group.iter().map(|key| unit(key).to_string()).collect::<Vec<_>>().join(",")
            };
            format!("order {}", groups.iter().map(group).collect::<Vec<_>>().join(" "))
        }
        Command::Partial => "partial".into(),
    }
}

pub(crate) fn request(unit: u32) -> Request {
    let request = json!({
        "kind": "feature_vis", "impl_version": 2, "params": { "unit": unit },
        "model": {
            "name": "m", "path": "/m", "digest": Digest::of(b"m"),
            "conventions": neuronotes_core::model::Conventions::default(),
        },
        "precision": "f32",
    });
    serde_json::from_value(request).expect("a request")
}

fn key(unit: u32) -> Digest {
    request(unit).key()
}

fn unit(key: &Digest) -> u32 {
    (1..=9).find(|unit| request(*unit).key() == *key).expect("a known key")
}

fn wishes(units: &[(u32, Rank)]) -> Vec<Wish> {
    let wish = |&(unit, rank): &(u32, Rank)| {
        let request = request(unit);
        Wish { key: request.key(), request, rank }
    };
    units.iter().map(wish).collect()
}

fn rest(units: &[u32]) -> Vec<Wish> {
    wishes(&units.iter().map(|unit| (*unit, Rank::Rest)).collect::<Vec<_>>())
}

/// The updates up to one for which `enough` is true: `ready`, `at 1`, `done 1`, `failed 1`.
fn until(
    scheduler: &mut Scheduler,
    news: &Receiver<LabNews>,
    enough: impl Fn(&str) -> bool,
) -> Vec<String> {
    let (mut heard, begun) = (Vec::new(), Instant::now());
    loop {
        let due = scheduler.next_tick().unwrap_or_else(|| begun + Duration::from_secs(20));
        let told = match news.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(news) => scheduler.hear(news),
            Err(_) => scheduler.tick(),
        };
        for told in told {
            heard.push(match told {
                Update::Said(line) => line,
                Update::Ready { .. } => "ready".into(),
                Update::Progress { key, .. } => format!("at {}", unit(&key)),
                Update::Partial { key, images, .. } => format!("{images} of {}", unit(&key)),
                Update::Done { key, .. } => format!("done {}", unit(&key)),
                Update::Failed { key } => format!("failed {}", unit(&key)),
            });
        }
        if heard.iter().any(|said| enough(said)) {
            return heard;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{heard:?}");
    }
}

#[test]
fn the_most_urgent_is_asked_for_first_and_a_new_order_is_told() {
    // It waits for a sign before it ends anything.
    let stage = Stage::new(
        r#"if [ $n = 4 ]; then at; while [ ! -e go ]; do sleep 0.02; done; done_; fi
    if [ $n = 5 ]; then done_; fi"#,
    );
    let (mut scheduler, news) = stage.scheduler();
    let mut all = vec![(1, Rank::Rest), (2, Rank::Visible), (3, Rank::Saved), (4, Rank::Rest)];
    scheduler.want(wishes(&all));
    until(&mut scheduler, &news, |said| said == "at 4");
    assert_eq!(stage.asked(), ["0 order 2 3 1,4", "0 run 2", "0 run 3", "0 run 1", "0 run 4"]);
    // The same requests again change nothing, and running ones are not in the order.
    scheduler.want(wishes(&all));
    all[0].1 = Rank::Visible;
    all.push((5, Rank::Rest));
    scheduler.want(wishes(&all));
    scheduler.want(wishes(&all));
    stage.touch("go");
    until(&mut scheduler, &news, |said| said == "done 5");
    assert_eq!(stage.asked()[5..], ["0 order 1,2 3 5", "0 run 5"]);
}

#[test]
fn results_over_a_part_are_passed_on_while_the_whole_is_wanted() {
    let part =
        r#"echo '{"type":"partial","key":"'$key'","part":"'$key'","images":7,"shards":2}'; done_"#;
    let stage = Stage::new(part);
    let (mut scheduler, news) = stage.scheduler();
    scheduler.labs.give_partial_results();
    scheduler.want(rest(&[1]));
    assert_eq!(until(&mut scheduler, &news, |said| said == "done 1")[1..], ["7 of 1", "done 1"]);
    assert_eq!(stage.asked(), ["0 partial", "0 order 1", "0 run 1"]);
}

#[test]
fn what_is_wanted_no_longer_is_cancelled_and_asked_for_again_once_that_is_confirmed() {
    let stage =
        Stage::new(r#"at; if [ $unit = 3 ]; then key=$(sed -n "s/^2 //p" keys); done_; fi"#);
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1, 2]));
    until(&mut scheduler, &news, |said| said == "at 2");
    scheduler.want(rest(&[2]));
    assert_eq!(scheduler.status(&key(1)), None);
    scheduler.want(rest(&[1, 2]));
    until(&mut scheduler, &news, |said| said == "at 1");
    // What runs is never asked for a second time.
    scheduler.want(rest(&[1, 2, 3]));
    until(&mut scheduler, &news, |said| said == "done 2");
    assert_eq!(stage.run(), ["0 run 1", "0 run 2", "0 cancel 1", "0 run 1", "0 run 3"]);
}

#[test]
fn a_lab_that_gives_nothing_up_is_killed_and_nobody_is_to_blame() {
    let stage = Stage::with("", r#"at; if [ $runs = 1 ]; then done_; fi"#, ":");
    let (mut scheduler, news) = stage.scheduler();
    scheduler.patience = (Duration::from_millis(100), Duration::from_millis(100));
    scheduler.want(rest(&[1, 2, 3]));
    until(&mut scheduler, &news, |said| said == "at 3");
    scheduler.want(rest(&[2, 3]));
    let heard = until(&mut scheduler, &news, |said| said == "done 3");
    assert!(heard.contains(&"done 2".to_owned()), "{heard:?}");
    assert!(!heard.iter().any(|said| said.starts_with("failed")), "{heard:?}");
    let ran = ["0 run 1", "0 run 2", "0 run 3", "0 cancel 1", "1 run 2", "1 run 3"];
    assert_eq!(stage.run(), ran);
    // They were not suspected: both were asked for at once.
    assert!(stage.asked().contains(&"1 order 2,3".to_owned()));
}

#[test]
fn where_memory_runs_out_it_is_asked_for_once_more_by_halves() {
    let stage = Stage::new(
        r#"at; if [ $unit = 1 ] && [ -n "$halve" ]; then done_; else fail resource; fi"#,
    );
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1, 2]));
    let heard = until(&mut scheduler, &news, |said| said == "failed 2");
    assert!(heard.contains(&"done 1".to_owned()), "{heard:?}");
    assert_eq!(stage.run(), ["0 run 1", "0 run 2", "0 halve 1", "0 halve 2"]);
    assert_eq!(scheduler.failed(&key(2)).expect("a reason").message, "it is broken");
    assert_eq!(stage.store.failure(&key(2)), None, "more memory would do");
    // Retried by a person, it starts anew.
    scheduler.retry(&key(2));
    until(&mut scheduler, &news, |said| said == "failed 2");
    assert_eq!(stage.run()[4..], ["0 run 2", "0 halve 2"]);
}

#[test]
fn a_killed_lab_is_asked_once_more_by_halves_and_its_victims_then_one_by_one() {
    let stage = Stage::new(
        r#"at; if [ $unit = 2 ] && [ $runs != 0 ]; then kill -9 $$; fi
    if [ $n = 3 ]; then kill -9 $$; fi
    if [ $runs -gt 1 ]; then done_; fi"#,
    );
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1, 2, 3]));
    let heard = until(&mut scheduler, &news, |said| said == "done 3");
    let failures: Vec<_> = heard.iter().filter(|said| said.starts_with("failed")).collect();
    assert_eq!(failures, ["failed 2"], "{heard:?}");
    assert_eq!(stage.run()[..4], ["0 run 1", "0 run 2", "0 run 3", "1 halve 1"]);
    assert!(scheduler.failed(&key(2)).expect("a reason").message.contains("was killed"));
    assert_eq!(stage.store.failure(&key(2)), None);
}

#[test]
fn a_request_that_crashes_the_lab_twice_is_remembered_until_it_is_retried() {
    let stage =
        Stage::new(r#"at; if [ $unit = 1 ]; then echo a stack >&2; kill -SEGV $$; fi; done_"#);
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1, 2]));
    let heard = until(&mut scheduler, &news, |said| said == "done 2");
    assert!(heard.contains(&"failed 1".to_owned()), "{heard:?}");
    // The second time alone.
    assert_eq!(stage.run(), ["0 run 1", "1 run 1", "2 run 2"]);
    let reason = scheduler.failed(&key(1)).expect("a reason").message.clone();
    assert!(reason.contains("crashed (signal 11)") && reason.contains("a stack"), "{reason}");
    drop(scheduler);

    // Another process is told at once, and asks no lab.
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1]));
    let known = scheduler.failed(&key(1)).expect("a reason");
    assert!(known.message == reason && known.hint.as_ref().is_some_and(|h| h.contains("--retry")));
    assert_eq!(until(&mut scheduler, &news, |_| true), ["failed 1"]);
    scheduler.retry_all();
    assert!(scheduler.failed(&key(1)).is_some(), "nothing has changed for it");
    assert_eq!(stage.run().len(), 3);
    scheduler.retry(&key(1));
    until(&mut scheduler, &news, |said| said == "failed 1");
    assert_eq!(stage.run()[3..], ["3 run 1", "4 run 1"]);

    // Another lab may do better.
    let mut old = stage.store.failure(&key(1)).expect("remembered");
    old.lab = "0.0.1".into();
    stage.store.put_failure(&old).expect("written");
    let (mut scheduler, _news) = stage.scheduler();
    scheduler.want(rest(&[1]));
    assert_eq!(scheduler.failed(&key(1)), None);
}

#[test]
fn what_fails_by_itself_is_remembered_and_what_fails_for_its_surroundings_is_not() {
    let stage =
        Stage::new(r#"at; if [ $unit = 1 ]; then fail deterministic; else fail environment; fi"#);
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1, 2]));
    until(&mut scheduler, &news, |said| said == "failed 2");
    let found = stage.store.failure(&key(1)).expect("remembered");
    assert_eq!((found.message.as_str(), found.impl_version), ("it is broken", 2));
    assert_eq!(stage.store.failure(&key(2)), None);
    // Edited away and back, the second is tried again.
    scheduler.want(vec![]);
    scheduler.want(rest(&[1, 2]));
    until(&mut scheduler, &news, |said| said == "failed 2");
    assert_eq!(stage.run(), ["0 run 1", "0 run 2", "0 run 2"]);
}

#[test]
fn a_lab_that_dies_while_nothing_runs_is_missed_by_nobody() {
    let stage = Stage::new(r#"at; done_; kill -SEGV $$"#);
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1]));
    assert_eq!(until(&mut scheduler, &news, |said| said == "done 1"), ["ready", "at 1", "done 1"]);
    let gone = news.recv_timeout(Duration::from_secs(20)).expect("its end");
    assert_eq!(scheduler.hear(gone), []);
    assert_eq!(scheduler.next_tick(), None, "no lab is started that nobody needs");
    scheduler.want(rest(&[2]));
    assert_eq!(until(&mut scheduler, &news, |said| said == "done 2"), ["ready", "at 2", "done 2"]);
}

#[test]
fn what_waits_for_a_lab_fails_until_there_is_one() {
    let stage = Stage::with("[ -e mended ] || exit 127", "at; done_", "cancelled");
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1, 2]));
    let heard = until(&mut scheduler, &news, |said| said == "failed 2");
    assert_eq!(heard, ["failed 1", "failed 2"]);
    let reason = scheduler.failed(&key(1)).expect("a reason");
    assert!(reason.message.contains("could not be loaded"), "{reason:?}");
    stage.touch("mended");
    let heard = until(&mut scheduler, &news, |said| said == "done 2");
    assert_eq!(heard, ["ready", "at 1", "done 1", "at 2", "done 2"]);
    assert_eq!(stage.store.failure(&key(1)), None);
}

#[test]
fn a_lab_that_reads_nothing_makes_nobody_wait() {
    let stage = Stage::with("while [ ! -e go ]; do sleep 0.02; done", "at; done_", "cancelled");
    let (mut scheduler, news) = stage.scheduler();
    // More than a pipe holds.
    let mut many = rest(&[1]);
    many[0].request.model.name = "m".repeat(1 << 20);
    scheduler.want(many);
    stage.touch("go");
    until(&mut scheduler, &news, |said| said == "done 1");
}

#[test]
fn another_device_ends_the_lab_and_what_is_wanted_is_asked_of_the_next() {
    let stage = Stage::new(r#"at; if [ $runs = 1 ]; then done_; fi"#);
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1]));
    until(&mut scheduler, &news, |said| said == "at 1");
    scheduler.set_device("cpu".into());
    assert!(
        scheduler.status(&key(1)).expect("a status").contains("step 0 of 4"),
        "the same device"
    );
    scheduler.set_device("cuda:0".into());
    until(&mut scheduler, &news, |said| said == "done 1");
    assert_eq!(stage.run(), ["0 run 1", "1 run 1"]);
}
