//! A script in place of the lab that works on several requests at once, and dies.

use super::*;
use crate::measure::schedule::tests::{Stage, request};

/// What a watcher heard, in short.
#[derive(Default)]
struct Heard(Vec<String>);

impl Watcher for Heard {
    fn ready(&mut self, _: &str, _: &str) {}

    fn progress(&mut self, request: &Request, _: &Event, _: Option<f64>) {
        self.0.push(format!("at {}", request.params["unit"]));
    }

    fn ended(&mut self, request: &Request, outcome: Result<f64, &str>) {
        let how = if outcome.is_ok() { "done" } else { "failed" };
        self.0.push(format!("{how} {}", request.params["unit"]));
    }
}

/// Measures units 1 to 4 with a script that executes `each` for every request. Returns the failures, what the watcher
/// heard, and the requests that were sent.
fn measured(each: &str) -> (Failures, Vec<String>, Vec<String>) {
    let stage = Stage::new(each);
    let (scheduler, of_lab) = stage.scheduler();
    let (sender, news) = mpsc::channel();
    std::thread::spawn(move || {
        for news in of_lab {
            let _ = sender.send(News::Lab(news));
        }
    });
    let mut measurer = Measurer::Here(Box::new(scheduler));
    let requests: Vec<_> = (1..=4).map(request).map(|request| (request.key(), request)).collect();
    let mut heard = Heard::default();
    let failures = run(&mut measurer, &news, &requests, &mut heard).failures;
    (failures, heard.0, stage.run())
}

fn failed(failures: &Failures) -> Vec<u32> {
    (1..=4).filter(|unit| failures.contains_key(&request(*unit).key())).collect()
}

#[test]
fn of_several_requests_in_a_lab_that_dies_the_one_at_fault_fails_alone() {
    // The first lab dies at three requests at once; unit 2 kills any lab that comes to it.
    let (failures, heard, asked) = measured(
        r#"at
  if [ "$runs" = 0 ]; then if [ $n = 3 ]; then kill -SEGV $$; fi; continue; fi
  if [ "$unit" = 2 ]; then kill -SEGV $$; fi
  done_"#,
    );
    assert_eq!(failed(&failures), [2], "{heard:?}");
    let (message, _) = &failures[&request(2).key()];
    assert!(message.contains("crashed"), "{message}");
    // The suspects come in the order of their keys, each when the one before has ended, and unit 4 after all of them.
    let begun = asked.iter().filter(|line| line.starts_with("0 ")).count();
    assert!(begun == 3 || begun == 4, "{asked:?}");
    assert_eq!(asked.len() - begun, 4, "{asked:?}");
    assert!(asked[asked.len() - 1].ends_with(" 4"), "{asked:?}");
    for unit in [1, 3, 4] {
        assert_eq!(heard.iter().filter(|said| **said == format!("done {unit}")).count(), 1);
    }
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
fn labs_that_die_before_they_have_done_anything_are_given_up_and_everything_fails_once() {
    let (failures, heard, asked) = measured("exit 3");
    assert_eq!(failed(&failures), [1, 2, 3, 4]);
    assert_eq!(heard.len(), 4, "{heard:?}");
    assert_eq!(asked, ["0 run 1", "1 run 1", "2 run 1"]);
}
