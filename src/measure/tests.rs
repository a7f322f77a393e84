//! A script in the lab's place that is at several requests at once, and dies.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::lab::tests::write_script;

/// What a watcher heard, in short.
#[derive(Default)]
struct Heard(Vec<String>);

impl Watcher for Heard {
    fn ready(&mut self, _: &str, _: &str) {}

    fn progress(&mut self, request: &Request, _: &Event) {
        self.0.push(format!("at {}", request.params["unit"]));
    }

    fn ended(&mut self, request: &Request, outcome: Result<f64, &str>) {
        let how = if outcome.is_ok() { "done" } else { "failed" };
        self.0.push(format!("{how} {}", request.params["unit"]));
    }
}

fn request(unit: u32) -> (Digest, Request) {
    let request = json!({
        "kind": "feature_vis", "impl_version": 2, "params": { "unit": unit },
        "model": {
            "name": "m", "path": "/m", "digest": Digest::of(b"m"),
            "conventions": crate::model::Conventions::default(),
        },
        "precision": "f32",
    });
    let request: Request = serde_json::from_value(request).expect("a request");
    (request.key(), request)
}

/// Measures units 1 to 4 by a script, which does `each` for every `unit` it reads. `$runs` says how many labs were
/// before, `$n` how many requests this one read; `at` and `done` say so of `$unit`. What was asked for is returned, a
/// word each: which lab, and which unit.
fn measured(each: &str) -> (Failures, Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    let requests: Vec<_> = (1..=4).map(request).collect();
    let keys: Vec<String> = requests
        .iter()
        .map(|(key, request)| format!("{} {key}\n", request.params["unit"]))
        .collect();
    fs::write(here.join("keys"), keys.concat()).expect("keys");
    write_script(&here.join("lab"), &script(here, each));
    let store = Store::open(&here.join("store")).expect("a store");
    let mut heard = Heard::default();
    let find = || Ok(here.join("lab"));
    let failures = measure_by(&find, &requests, &store, "cpu", &mut heard);
    let asked = fs::read_to_string(here.join("asked")).unwrap_or_default();
    (failures, heard.0, asked.split_whitespace().map(str::to_owned).collect())
}

fn script(here: &Path, each: &str) -> String {
    let here = here.display();
    format!(
        r#"#!/bin/sh
cd "{here}" || exit 9
runs=$(cat runs 2>/dev/null || echo 0)
echo $((runs + 1)) >runs
at() {{ echo '{{"type":"progress","key":"'$key'","stage":"optimising","step":0,"total":1,"unit":"step","seconds_left":null,"picture":null}}'; }}
done_() {{ echo '{{"type":"done","key":"'$key'","seconds":1.0}}'; }}
echo '{{"type":"ready","device":"cpu","device_name":"a script","libtorch":"0","version":"0"}}'
n=0
while read -r line; do
  unit=$(printf %s "$line" | sed 's/.*"unit":\([0-9]*\).*/\1/')
  key=$(sed -n "s/^$unit //p" keys)
  echo "$runs:$unit" >>asked
  n=$((n + 1))
  {each}
done
"#
    )
}

fn failed(failures: &Failures) -> Vec<u32> {
    (1..=4).filter(|unit| failures.contains_key(&request(*unit).0)).collect()
}

#[test]
fn of_several_requests_in_a_lab_that_dies_the_one_at_fault_fails_alone() {
    // The first lab dies at three requests at once; unit 2 kills any lab that comes to it.
    let (failures, heard, asked) = measured(
        r#"at
  if [ "$runs" = 0 ]; then if [ $n = 3 ]; then kill -9 $$; fi; continue; fi
  if [ "$unit" = 2 ]; then kill -9 $$; fi
  done_"#,
    );
    assert_eq!(failed(&failures), [2], "{heard:?}");
    let (message, _) = &failures[&request(2).0];
    assert!(message.contains("was killed"), "{message}");
    // The suspects come in the order of their keys, each when the one before has ended, and unit 4 after all of them.
    assert_eq!(asked.len(), 7, "{asked:?}");
    assert_eq!(asked[..3], ["0:1", "0:2", "0:3"]);
    assert!(asked[6].ends_with(":4"), "{asked:?}");
    for unit in [1, 3, 4] {
        assert_eq!(heard.iter().filter(|said| **said == format!("done {unit}")).count(), 1);
    }
}

#[test]
fn one_request_in_a_lab_that_dies_has_failed_and_the_others_go_on() {
    let (failures, _, asked) = measured(r#"at; if [ "$unit" = 3 ]; then kill -9 $$; fi; done_"#);
    assert_eq!(failed(&failures), [3]);
    assert_eq!(asked, ["0:1", "0:2", "0:3", "1:4"]);
}

#[test]
fn requests_that_are_worked_on_together_end_one_by_one() {
    let (failures, heard, _) = measured(
        r#"at
  if [ $n = 4 ]; then for unit in 2 4 1 3; do key=$(sed -n "s/^$unit //p" keys); at; done_; done; fi"#,
    );
    assert_eq!(failures, Failures::new());
    let ends: Vec<&String> = heard.iter().filter(|said| said.starts_with("done")).collect();
    assert_eq!(ends, ["done 2", "done 4", "done 1", "done 3"]);
}

#[test]
fn a_lab_that_cannot_work_fails_everything_once() {
    let (failures, _, asked) = measured("exit 3");
    assert_eq!(failed(&failures), [1, 2, 3, 4]);
    assert_eq!(asked, ["0:1"]);
}
