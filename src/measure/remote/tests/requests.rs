//! What becomes of requests.

use super::*;

#[test]
fn two_clients_share_a_pool() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=4).map(request).collect();
    let (mut one, mut other) = (stage.keeper(3), stage.keeper(3));
    one.want(wishes(&requests[..3]));
    other.want(wishes(&requests[1..]));
    assert_eq!(stage.units(), 4);
    stage.after(0, &mut one);
    stage.after(0, &mut other);
    stage.after(20, &mut other);
    assert_eq!(stage.engine.counts(), [1], "the other one sees that it was submitted");
    stage.measures("33_0", &requests[1]);
    stage.finishes(&requests[1]);
    for keeper in [&mut one, &mut other] {
        assert!(is_done(&stage.after(1, keeper), &requests[1]));
    }
    // What one withdraws and the other wants comes back.
    one.close(false).expect("closed");
    assert!(stage.units() < 3);
    for _ in 0..4 {
        stage.after(1, &mut other);
    }
    assert_eq!(stage.units(), 2);
    stage.unit(&requests[2]);
}

#[test]
fn a_lost_worker_costs_a_request_nothing() {
    let stage = Stage::new();
    let requests = [request(1), request(2)];
    let mut keeper = at_work(&stage, 2, &requests);
    let unit = stage.unit(&requests[0]);
    let at = At {
        key: requests[0].key(),
        stage: "optimising".into(),
        step: 300,
        total: 4096,
        unit: "step".into(),
        seconds_left: Some(40.0),
        picture: true,
    };
    stage.says("33_0", Phase::Working { unit }, vec![at]);
    let told = stage.after(1, &mut keeper);
    let shown = "running on gpu-07: optimising: step 300 of 4096, 40 s left";
    assert_eq!(words(&keeper, &requests[0]), shown);
    let is_shown = |told: &Told| matches!(told, Told::Progress { status, picture: true, fraction, .. } if status == shown && *fraction > 0.07);
    assert!(told.iter().any(is_shown), "{told:?}");
    assert_eq!(words(&keeper, &requests[1]), "waiting for a worker (1 running)");
    assert_eq!(stage.after(1, &mut keeper), [], "nothing has changed");
    // It is preempted.
    stage.is_lost("33_0");
    stage.engine.all(&State::WaitingAgain);
    assert_eq!(stage.after(20, &mut keeper), []);
    assert_eq!(stage.after(1, &mut keeper), []);
    assert_eq!(words(&keeper, &requests[0]), "preempted, will go on");
    stage.engine.all(&State::Running);
    stage.says("33_0", Phase::Starting, Vec::new());
    stage.after(20, &mut keeper);
    assert_eq!(words(&keeper, &requests[0]), "its worker was lost, another will go on");
    stage.measures("33_0", &requests[0]);
    let told = stage.after(1, &mut keeper);
    assert!(is_done(&told, &requests[0]) && failed(&told).is_empty());
}

#[test]
fn a_unit_of_work_that_disappears_is_put_again_unless_its_results_are_there() {
    let stage = Stage::new();
    let requests = [request(1), request(2)];
    let mut keeper = at_work(&stage, 2, &requests);
    stage.finishes(&requests[0]);
    stage.finishes(&requests[1]);
    // No journal says so, but the store has it.
    let mut record = Record::new(requests[0].key(), &requests[0].kind, 2, requests[0].canonical());
    record.provenance.seconds = 3.0;
    stage.store.commit(&record).expect("a record");
    assert!(is_done(&stage.after(1, &mut keeper), &requests[0]));
    for _ in 0..3 {
        assert!(failed(&stage.after(1, &mut keeper)).is_empty());
    }
    assert_eq!(stage.units(), 1);
    stage.unit(&requests[1]);
}

#[test]
fn a_failure_names_machine_job_and_log_and_fails_what_needs_it() {
    let stage = Stage::new();
    let (used, other) = (request(1), request(3));
    let requests = [using(2, used.clone()), other];
    let mut keeper = at_work(&stage, 2, &requests);
    assert_eq!(stage.units(), 3);
    assert!(words(&keeper, &requests[0]).starts_with("waiting for 1 result that it uses"));
    let failure = Event::Failed {
        key: used.key(),
        message: "it is broken".into(),
        hint: Some("mend it".into()),
        cause: Cause::Deterministic,
    };
    stage.writes("33_0", failure);
    let told = stage.after(1, &mut keeper);
    let reasons = failed(&told);
    assert_eq!(reasons.len(), 2, "itself, and what needs it");
    let said = "it is broken (on gpu-07, job 33_0); its log ends:\nits last words";
    assert!(reasons.iter().all(|reason| reason.message == said), "{reasons:?}");
    assert_eq!(stage.store.failure(&used.key()).expect("remembered").message, said);
    assert_eq!(stage.units(), 1, "nobody waits for it any more");
    // Another client knows it from the store.
    let mut again = stage.keeper(2);
    let told = again.want(wishes(&requests));
    assert_eq!(failed(&told).len(), 2);
    let told = again.retry(&requests[0].key());
    assert_eq!((failed(&told).len(), stage.units()), (0, 3));
    assert_eq!(stage.store.failure(&used.key()), None);
}

#[test]
fn what_is_not_wanted_any_more_is_withdrawn_and_what_is_seen_comes_first() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=3).map(request).collect();
    let mut keeper = at_work(&stage, 1, &requests);
    let mut wanted = wishes(&requests[1..]);
    wanted[1].rank = Rank::Visible;
    keeper.want(wanted);
    let units = stage.pool.units().expect("units");
    let ranks: Vec<u32> = units.iter().map(|named| named.rank).collect();
    assert_eq!(ranks, [0, 2]);
    assert_eq!(units[0].id, stage.unit(&requests[2]));
    keeper.want(wishes(&requests[1..2]));
    assert_eq!(stage.units(), 1);
    keeper.close(true).expect("closed");
    assert_eq!((stage.units(), stage.engine.script().cancelled), (0, 1));
}

#[test]
fn its_owner_hears_of_everything_and_never_waits() {
    let stage = Stage::new();
    let (sender, news) = mpsc::channel();
    let engine = Box::new(stage.engine.clone());
    let (store, paths) = (stage.store.clone(), Paths::default());
    let setup = Setup { store, name: "p".into(), engine, workers: 1, device: "cpu".into(), paths };
    let mut remote = Remote::new(setup, move |news| drop(sender.send(news)));
    let requests = [request(1), request(2)];
    remote.want(wishes(&requests));
    assert_eq!(remote.status(&requests[0].key()).as_deref(), Some("queued"));
    let patience = Duration::from_secs(60);
    let hear = |remote: &mut Remote| remote.hear(news.recv_timeout(patience).expect("news"));
    let told = hear(&mut remote);
    assert!(matches!(&told[..], [Update::Said(_)]), "{told:?}");
    assert_eq!(remote.overview().all, 2);
    stage.measures("33_0", &requests[0]);
    let done = Update::Done { key: requests[0].key(), seconds: 2.0 };
    while !hear(&mut remote).contains(&done) {}
    assert_eq!(remote.status(&Digest::of(b"other")), None);
    stage.writes(
        "33_0",
        Event::Failed {
            key: requests[1].key(),
            message: "no".into(),
            hint: None,
            cause: Cause::Environment,
        },
    );
    while !hear(&mut remote).contains(&Update::Failed { key: requests[1].key() }) {}
    let reason = remote.failed(&requests[1].key()).expect("a reason");
    assert!(reason.message.starts_with("no (on gpu-07"));
    assert_eq!(remote.status(&requests[1].key()), None);
    remote.close(true, patience).expect("closed");
    assert_eq!(stage.units(), 0);
    assert!(Seen::EVERY < patience);
}

#[test]
fn what_was_stored_since_it_was_found_missing_is_done() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=2).map(request).collect();
    // By a worker that an earlier client has left, after this client's notes were read.
    stage.measures("33_0", &requests[0]);
    let mut keeper = stage.keeper(1);
    let told = keeper.want(wishes(&requests));
    assert!(is_done(&told, &requests[0]) && !is_done(&told, &requests[1]), "{told:?}");
    assert_eq!(stage.units(), 1);
}
