//! The built binary under a scheduler's commands: order, giving up, halves, models that stay, claims, and its end.

use std::fs;

use neuronotes_core::digest::Digest;
use neuronotes_core::model::ModelRef;
use neuronotes_core::model::{Activation, Conventions};
use neuronotes_core::protocol::{Command, Event};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Claimed, Claims, Store};
use neuronotes_lab::monitor::{Monitor, Progress};
use neuronotes_lab::session::Session;
use serde_json::json;

use crate::protocol::Lab;
use crate::support::{golden, model, session, small_weights, vis_request};

fn long(unit: u32) -> Request {
    vis_request(model(&small_weights()), json!({ "steps": 60000, "unit": unit }))
}

/// Short, and with nobody for company.
fn short(seed: u32) -> Request {
    vis_request(model(&small_weights()), json!({ "steps": 2, "seed": seed }))
}

fn ready(lab: &mut Lab) {
    assert!(matches!(lab.hear(), Event::Ready { .. }));
}

/// Waits until a request has gone this far.
fn step_of(lab: &mut Lab, wanted: Digest, least: u64) {
    loop {
        match lab.hear() {
            Event::Progress { key, step, .. } if key == wanted && step >= least => return,
            Event::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_waits_is_begun_in_the_order_that_was_told_last() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut lab = Lab::start(dir.path(), "cpu");
    ready(&mut lab);
    let first = lab.run(&long(1));
    step_of(&mut lab, first, 1);
    let [a, b, c] = [1, 2, 3].map(|seed| lab.run(&short(seed)));
    lab.order(&[&[a], &[b], &[c]]);
    lab.order(&[&[c], &[b, a]]);
    lab.cancel(first);
    let mut ends = Vec::new();
    while ends.len() < 4 {
        match lab.result().1 {
            Event::Done { key, .. } | Event::Cancelled { key } => ends.push(key),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ends, [first, c, b, a]);
    lab.end();
}

#[test]
fn of_requests_that_run_together_one_is_given_up_at_once_and_all_stop_the_batch() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut lab = Lab::start(dir.path(), "cpu");
    ready(&mut lab);
    let [one, two] = [1, 2].map(|unit| lab.run(&long(unit)));
    step_of(&mut lab, one, 1);
    step_of(&mut lab, two, 1);
    lab.cancel(one);
    assert_eq!(lab.result().1, Event::Cancelled { key: one });
    // The other goes on.
    let Event::Progress { step: before, .. } = lab.hear() else { panic!("progress") };
    step_of(&mut lab, two, before + 1);
    // Asked for again it waits for its turn, which comes when nobody is left in the batch.
    assert_eq!(lab.run(&long(1)), one);
    lab.cancel(two);
    assert_eq!(lab.result().1, Event::Cancelled { key: two });
    step_of(&mut lab, one, 1);
    lab.cancel(one);
    assert_eq!(lab.result().1, Event::Cancelled { key: one });
    let last = lab.run(&short(1));
    assert!(matches!(lab.result().1, Event::Done { key, .. } if key == last));
    lab.end();
}

#[test]
fn by_halves_the_result_is_the_same() {
    let dir = tempfile::tempdir().expect("a folder");
    let outputs = |folder: &str, halve: bool| {
        let folder = dir.path().join(folder);
        let mut lab = Lab::start(&folder, "cpu");
        ready(&mut lab);
        let requests: Vec<Request> = (1..=3)
            .map(|unit| vis_request(model(&small_weights()), json!({ "steps": 4, "unit": unit })))
            .collect();
        for request in &requests {
            let request = Box::new(request.clone());
            lab.say(&serde_json::to_string(&Command::Run { request, halve }).expect("JSON"));
        }
        for _ in &requests {
            assert!(matches!(lab.result().1, Event::Done { .. }));
        }
        lab.end();
        let store = Store::open(&folder).expect("a store");
        requests
            .iter()
            .map(|request| store.record(&request.key()).expect("a record").outputs)
            .collect::<Vec<_>>()
    };
    assert_eq!(outputs("whole", false), outputs("half", true));
}

/// Hears which models are loaded.
#[derive(Default)]
struct Loads(Vec<String>);

impl Monitor for Loads {
    fn progress(&mut self, progress: &Progress<'_>) {
        if let Some(name) = progress.stage.strip_prefix("loading ") {
            self.0.push(name.to_owned());
        }
    }

    fn stopped(&self) -> bool {
        false
    }
}

#[test]
fn models_stay_loaded_as_long_as_memory_allows() {
    let named = |name: &str, model: ModelRef| ModelRef { name: name.into(), ..model };
    let resnet = named("resnet", model(&small_weights()));
    let gelu = Conventions { activation: Activation::Gelu, ..Conventions::default() };
    let vit = golden("clip_vit/weights.safetensors");
    let vit = ModelRef { conventions: gelu, ..named("vit", model(&vit)) };
    let loads = |session: Session| {
        let mut loads = Loads::default();
        for seed in 0..2 {
            for (model, layer, size) in
                [(&resnet, "visual.layer4.0.add", 48), (&vit, "visual.transformer.resblocks.1", 32)]
            {
                let change = json!({ "steps": 1, "seed": seed, "layer": layer, "size": size });
                let request = vis_request(model.clone(), change);
                session.measure(&request, &mut loads).expect("a record");
            }
        }
        loads.0
    };
    let folder = || tempfile::tempdir().expect("a folder");
    let dir = folder();
    assert_eq!(loads(session(dir.path()).with_memory(1 << 30)), ["resnet", "vit"]);
    let dir = folder();
    let again = ["resnet", "vit", "resnet", "vit"];
    assert_eq!(loads(session(dir.path()).with_memory(0)), again, "one always stays");
}

#[test]
fn what_another_process_measures_is_waited_for_and_not_measured_twice() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut one, mut two) = (Lab::start(dir.path(), "cpu"), Lab::start(dir.path(), "cpu"));
    ready(&mut one);
    ready(&mut two);
    let request = vis_request(model(&small_weights()), json!({ "steps": 120 }));
    let key = one.run(&request);
    step_of(&mut one, key, 1);
    two.run(&request);
    let other = short(9);
    let (waits, done) = two.result();
    let stages = |events: &[Event]| {
        let stage = |event: &Event| match event {
            Event::Progress { stage, .. } => stage.clone(),
            other => panic!("{other:?}"),
        };
        events.iter().map(stage).collect::<Vec<_>>()
    };
    assert!(matches!(done, Event::Done { key: k, .. } if k == key), "{done:?}");
    let stages = stages(&waits);
    assert!(!stages.is_empty(), "it waited");
    assert!(stages.iter().all(|stage| stage == "another process is measuring this"), "{stages:?}");
    assert!(matches!(one.result().1, Event::Done { .. }));

    // Meanwhile there is other work.
    let busy = vis_request(model(&small_weights()), json!({ "steps": 2000, "seed": 3 }));
    let key = one.run(&busy);
    step_of(&mut one, key, 1);
    two.run(&busy);
    let quick = two.run(&short(4));
    assert!(matches!(two.result().1, Event::Done { key, .. } if key == quick));
    one.cancel(key);
    two.cancel(key);
    assert_eq!(one.result().1, Event::Cancelled { key });
    assert_eq!(two.result().1, Event::Cancelled { key });

    // Waiting can be given up, and the claim of one that is killed holds nobody up.
    let long = long(1);
    let key = one.run(&long);
    step_of(&mut one, key, 1);
    two.run(&long);
    assert!(matches!(two.hear(), Event::Progress { step: 0, total: 0, .. }));
    two.cancel(key);
    assert_eq!(two.result().1, Event::Cancelled { key });
    two.run(&long);
    assert!(matches!(two.hear(), Event::Progress { step: 0, total: 0, .. }));
    one.kill();
    step_of(&mut two, key, 1);
    two.cancel(key);
    assert_eq!(two.result().1, Event::Cancelled { key });
    let key = two.run(&other);
    assert!(matches!(two.result().1, Event::Done { key: k, .. } if k == key));
    two.end();
    let claims = fs::read_dir(dir.path().join("v1/claims")).expect("a folder").count();
    assert_eq!(claims, 0, "no claim outlives what it was for");
}

#[test]
fn a_scan_that_another_process_takes_is_waited_for_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let shard = crate::support::shard(dir.path(), 5);
    let data = crate::support::dataset(&neuronotes_core::dataset::format::tar::FORMAT, &[&shard]);
    let request = crate::support::histogram_request(model(&small_weights()), data, json!({}));
    let folder = dir.path().join("store");
    let store = Store::open(&folder).expect("a store");
    let claims = Claims::new(&store);
    let Claimed::Mine(claim) = claims.claim(&request.uses[0].key()) else { panic!("a claim") };
    let mut lab = Lab::start(&folder, "cpu");
    ready(&mut lab);
    let key = lab.run(&request);
    loop {
        match lab.hear() {
            Event::Progress { stage, .. } if stage.starts_with("another process") => break,
            Event::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(store.record(&request.uses[0].key()).is_none());
    drop(claim);
    assert!(matches!(lab.result().1, Event::Done { key: k, .. } if k == key));
    lab.end();
}

#[test]
fn a_failure_says_whether_it_would_come_again() {
    use neuronotes_core::protocol::Cause;
    let dir = tempfile::tempdir().expect("a folder");
    let mut lab = Lab::start(dir.path(), "cpu");
    ready(&mut lab);
    let weights = dir.path().join("weights.safetensors");
    fs::copy(small_weights(), &weights).expect("a copy");
    let model = model(&weights);
    let cause = |lab: &mut Lab, request: &Request| {
        lab.run(request);
        match lab.result().1 {
            Event::Failed { cause, .. } => cause,
            other => panic!("{other:?}"),
        }
    };
    let own = vis_request(model.clone(), json!({ "unit": 1_000_000 }));
    assert_eq!(cause(&mut lab, &own), Cause::Deterministic);
    let mut version = short(1);
    version.impl_version += 1;
    assert_eq!(cause(&mut lab, &version), Cause::Environment);
    fs::remove_file(&weights).expect("removed");
    let gone = vis_request(model, json!({ "seed": 5 }));
    assert_eq!(cause(&mut lab, &gone), Cause::Environment);
    lab.end();
}

/// Takes the claim of a request over as soon as its measurement has begun.
struct Robber(std::path::PathBuf);

impl Monitor for Robber {
    fn progress(&mut self, progress: &Progress<'_>) {
        if progress.step > 0 && fs::read(&self.0).is_ok_and(|text| text != b"{}") {
            fs::write(&self.0, "{}").expect("a claim");
        }
    }

    fn stopped(&self) -> bool {
        false
    }
}

#[test]
fn a_claim_that_another_has_taken_over_stops_no_commit_and_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let session = session(dir.path());
    let request = short(1);
    let claim = dir.path().join(format!("store/v1/claims/{}.json", request.key()));
    let record = session.measure(&request, &mut Robber(claim.clone())).expect("a record");
    assert_eq!(session.store().record(&request.key()), Some(record));
    assert_eq!(fs::read(&claim).expect("a claim"), b"{}");
}
