//! Which workers are submitted, and what is said if they cannot measure.

use super::*;

#[test]
fn a_first_worker_is_submitted_and_the_rest_once_it_is_well() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=5).map(request).collect();
    let mut keeper = stage.keeper(8);
    keeper.want(wishes(&requests));
    assert_eq!(stage.units(), 5);
    let told = stage.after(0, &mut keeper);
    assert!(
        matches!(&told[..], [Told::Said(line)] if line.contains("the first worker to Fake (job 33)"))
    );
    stage.after(20, &mut keeper);
    assert!(words(&keeper, &requests[0]).starts_with("waiting in Fake: Priority, since "));
    stage.engine.all(&State::Running);
    stage.after(20, &mut keeper);
    assert_eq!(words(&keeper, &requests[0]), "checking the first worker");
    let what = "the weights of m".to_owned();
    stage.says("33_0", Phase::Checking { what }, Vec::new());
    stage.after(1, &mut keeper);
    assert_eq!(words(&keeper, &requests[0]), "checking the first worker: the weights of m");
    assert_eq!(stage.engine.counts(), [1]);
    stage.reports(Vec::new());
    let told = stage.after(1, &mut keeper);
    let well = "the first worker can measure: gpu-07, cuda:0 (H200), libtorch 2.11.0";
    assert!(told.contains(&Told::Said(well.into())), "{told:?}");
    stage.after(1, &mut keeper);
    assert_eq!(stage.engine.counts(), [1, 4], "as many as there are units of work");
    stage.after(20, &mut keeper);
    stage.after(20, &mut keeper);
    assert_eq!(stage.engine.counts(), [1, 4]);
    // More work, and no more than eight workers.
    let more: Vec<Request> = (1..=20).map(request).collect();
    keeper.want(wishes(&more));
    stage.after(20, &mut keeper);
    assert_eq!(stage.engine.counts(), [1, 4, 3]);
}

#[test]
fn a_bad_report_fails_everything_and_nothing_else_is_submitted() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=3).map(request).collect();
    let mut keeper = stage.keeper(8);
    keeper.want(wishes(&requests));
    stage.after(0, &mut keeper);
    stage.reports(vec![
        Problem::new("/m was not found").hint("set `on:`".to_owned()),
        Problem::new("its version is 0.0.1"),
    ]);
    let told = stage.after(20, &mut keeper);
    let reasons = failed(&told);
    assert_eq!(reasons.len(), 3);
    let said =
        "the first worker, on gpu-07, cannot measure: /m was not found; its version is 0.0.1";
    assert_eq!(reasons[0].message, said);
    assert_eq!(reasons[0].hint.as_deref(), Some("set `on:`"));
    assert_eq!((stage.units(), keeper.is_busy()), (0, false));
    // What is wanted later fails in the same way, each once.
    let told = keeper.want(wishes(&(1..=4).map(request).collect::<Vec<_>>()));
    assert_eq!(failed(&told).len(), 1);
    stage.after(20, &mut keeper);
    assert_eq!(stage.engine.counts(), [1]);
    // Until it is tried again.
    stage.engine.script().jobs.clear();
    assert_eq!(keeper.retry_all(), []);
    stage.after(20, &mut keeper);
    assert_eq!((stage.engine.counts(), stage.units()), (vec![1, 1], 4));
}

#[test]
fn a_first_worker_that_ends_or_runs_without_a_report_does_not_see_the_store() {
    for ends in [true, false] {
        let stage = Stage::new();
        let mut keeper = stage.keeper(2);
        keeper.want(wishes(&[request(1)]));
        stage.after(0, &mut keeper);
        stage.engine.all(&State::Running);
        assert_eq!(failed(&stage.after(20, &mut keeper)).len(), 0);
        stage.engine.script().log = Some("no such folder".into());
        let told = match ends {
            true => {
                stage.engine.all(&State::Ended(Ending::Failed("1".into())));
                stage.after(20, &mut keeper)
            }
            false => {
                assert_eq!(stage.after(90, &mut keeper), [], "it may still come");
                stage.after(60, &mut keeper)
            }
        };
        let reasons = failed(&told);
        assert_eq!(reasons.len(), 1);
        let Reason { message, hint } = reasons[0];
        assert!(
            message.contains("do not see the store") && message.ends_with("no such folder"),
            "{message}"
        );
        assert!(hint.as_ref().is_some_and(|hint| hint.contains("neuronotes store sync")));
        assert_eq!(stage.engine.script().cancelled, usize::from(!ends));
        stage.after(20, &mut keeper);
        assert_eq!(stage.engine.counts(), [1]);
    }
}

#[test]
fn a_refusal_is_said_in_the_engines_words_and_an_engine_that_is_missing_too() {
    let stage = Stage::new();
    let refusal =
        Problem::new("sbatch: error: invalid partition specified").hint("see `sinfo`".to_owned());
    stage.engine.script().refusal = Some(refusal.clone());
    let mut keeper = stage.keeper(2);
    keeper.want(wishes(&[request(1), request(2)]));
    let told = stage.after(0, &mut keeper);
    let reasons = failed(&told);
    assert_eq!(reasons.len(), 2);
    assert_eq!((&reasons[0].message, &reasons[0].hint), (&refusal.message, &refusal.hint));
    assert_eq!(stage.units(), 0);
    stage.engine.script().refusal = None;
    keeper.retry(&request(1).key());
    stage.after(20, &mut keeper);
    assert_eq!((stage.engine.counts(), stage.units()), (vec![1], 2));

    let stage = Stage::new();
    stage.engine.script().is_missing = true;
    let mut keeper = stage.keeper(2);
    keeper.want(wishes(&[request(1)]));
    assert_eq!(failed(&stage.after(0, &mut keeper))[0].message, "Fake was not found");
}

#[test]
fn a_refusal_of_more_workers_fails_nothing() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=2).map(request).collect();
    let mut keeper = at_work(&stage, 8, &requests);
    stage.engine.script().refusal = Some(Problem::new("QOSMaxSubmitJobPerUserLimit"));
    let before = stage.engine.counts();
    keeper.want(wishes(&(1..=9).map(request).collect::<Vec<_>>()));
    let told = stage.after(20, &mut keeper);
    assert_eq!(failed(&told).len(), 0);
    assert!(told.iter().any(|told| matches!(told, Told::Said(line) if line.contains("QOSMax"))));
    assert_eq!(stage.after(20, &mut keeper), []);
    assert_eq!(stage.engine.counts(), before);
}

#[test]
fn no_answer_is_no_news() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=3).map(request).collect();
    stage.engine.script().is_silent = true;
    let mut keeper = stage.keeper(3);
    keeper.want(wishes(&requests));
    assert_eq!(stage.after(0, &mut keeper), []);
    assert!(words(&keeper, &requests[0]).starts_with("Fake has not answered since "));
    stage.after(600, &mut keeper);
    assert_eq!(stage.engine.counts(), [] as [u32; 0], "workers may be there that nobody sees");
    stage.engine.script().is_silent = false;
    stage.after(20, &mut keeper);
    stage.reports(Vec::new());
    stage.engine.all(&State::Running);
    stage.after(20, &mut keeper);
    stage.after(20, &mut keeper);
    assert_eq!(stage.engine.counts(), [1, 2]);
    // Away for ten minutes: nothing fails, nothing is submitted.
    stage.engine.script().is_silent = true;
    for _ in 0..30 {
        assert_eq!(stage.after(20, &mut keeper), []);
    }
    assert_eq!((stage.engine.counts(), stage.units()), (vec![1, 2], 3));
}

#[test]
fn jobs_that_never_start_are_named_and_a_client_that_is_started_again_replaces_them() {
    let stage = Stage::new();
    let mut keeper = stage.keeper(2);
    keeper.want(wishes(&[request(1)]));
    stage.after(0, &mut keeper);
    let why = "PartitionTimeLimit: ask for less time";
    stage.engine.script().jobs[0].hopeless = Some(why.into());
    stage.after(20, &mut keeper);
    assert_eq!(words(&keeper, &request(1)), format!("waiting in Fake in vain: {why}"));
    assert_eq!((stage.engine.counts(), stage.engine.script().cancelled), (vec![1], 0));
    drop(keeper);
    let mut again = stage.keeper(2);
    again.want(wishes(&[request(1)]));
    let told = stage.after(20, &mut again);
    assert!(
        told.iter()
            .any(|told| matches!(told, Told::Said(line) if line.contains("cancelled 1 worker")))
    );
    assert_eq!((stage.engine.counts(), stage.engine.script().cancelled), (vec![1, 1], 1));
}

#[test]
fn a_client_that_is_started_again_adopts_units_of_work_and_workers() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=4).map(request).collect();
    let keeper = at_work(&stage, 3, &requests);
    assert_eq!(stage.engine.counts(), [1, 2]);
    stage.engine.all(&State::Running);
    let unit = stage.unit(&requests[0]);
    stage.says("33_0", Phase::Working { unit }, Vec::new());
    drop(keeper);
    let mut again = stage.keeper(3);
    assert_eq!(again.want(wishes(&requests)), []);
    let told = stage.after(1, &mut again);
    assert!(told.contains(&Told::Said("3 workers of `p` found".into())), "{told:?}");
    stage.after(20, &mut again);
    assert_eq!((stage.engine.counts(), stage.units()), (vec![1, 2], 4));
    // What was finished meanwhile is found.
    stage.measures("33_0", &requests[0]);
    stage.finishes(&requests[0]);
    assert!(is_done(&stage.after(1, &mut again), &requests[0]));
}

#[test]
fn workers_that_end_without_having_done_anything_are_given_up() {
    let stage = Stage::new();
    let mut keeper = stage.keeper(1);
    keeper.want(wishes(&[request(1)]));
    stage.engine.script().log = Some("Illegal instruction".into());
    let mut told = Vec::new();
    for round in 1..=3 {
        told = stage.after(20, &mut keeper);
        assert_eq!(failed(&told).len(), 0, "round {round}");
        assert_eq!(stage.engine.counts().len(), round);
        // It reports, begins, and ends.
        let job = format!("{}_0", 32 + round);
        stage.reports(Vec::new());
        stage.says(&job, Phase::Working { unit: stage.unit(&request(1)) }, Vec::new());
        stage.engine.last(State::Running);
        stage.after(20, &mut keeper);
        stage.engine.last(State::Ended(Ending::Failed("132".into())));
        stage.pool.remove_status(&format!("w-{job}")).expect("removed");
        if round == 3 {
            told = stage.after(20, &mut keeper);
        }
    }
    let reasons = failed(&told);
    assert_eq!(reasons.len(), 1);
    let message = &reasons[0].message;
    assert!(
        message.starts_with("3 workers in a row") && message.ends_with("Illegal instruction"),
        "{message}"
    );
    stage.after(60, &mut keeper);
    assert_eq!(stage.engine.counts().len(), 3);
}

#[test]
fn workers_that_somebody_cancels_are_not_replaced() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=3).map(request).collect();
    let mut keeper = at_work(&stage, 2, &requests);
    // As `neuronotes jobs cancel` does it.
    stage.engine.script().jobs.clear();
    let ledger = Ledger { submitted: Vec::new(), ..stage.pool.ledger() };
    stage.pool.put_ledger(&ledger).expect("a ledger");
    for named in stage.pool.units().expect("units") {
        stage.pool.remove_unit(&named.id).expect("removed");
    }
    let mut reasons = Vec::new();
    for _ in 0..20 {
        let told = stage.after(1, &mut keeper);
        reasons.extend(failed(&told).into_iter().map(|reason| reason.message.clone()));
    }
    assert_eq!(reasons.len(), 3);
    assert!(reasons[0].contains("were cancelled"), "{reasons:?}");
    assert_eq!((stage.units(), stage.engine.counts()), (0, vec![1, 1]));
}

#[test]
fn workers_are_submitted_only_for_what_could_be_begun() {
    let stage = Stage::new();
    let scan = request(1);
    let requests: Vec<Request> = (2..=9).map(|number| using(number, scan.clone())).collect();
    let mut keeper = at_work(&stage, 8, &requests);
    stage.after(20, &mut keeper);
    assert_eq!(stage.engine.counts(), [1], "seven would have nothing to do");
    stage.measures("33_0", &scan);
    stage.finishes(&scan);
    stage.after(20, &mut keeper);
    assert_eq!(stage.engine.counts(), [1, 7]);
}

#[test]
fn a_submission_without_an_answer_fails_nothing_and_is_not_repeated_if_it_was_taken() {
    let stage = Stage::new();
    let requests: Vec<Request> = (1..=2).map(request).collect();
    let mut keeper = stage.keeper(8);
    // It lists nothing yet, and then is away while workers are submitted, which it takes all the same.
    stage.engine.script().swallows = true;
    keeper.want(wishes(&requests));
    let told = stage.after(0, &mut keeper);
    assert!(failed(&told).is_empty(), "{told:?}");
    assert_eq!(stage.engine.counts(), [1]);
    let said = words(&keeper, &requests[0]);
    assert!(said.starts_with("Fake has not answered since "), "{said}");
    stage.engine.script().swallows = false;
    for _ in 0..3 {
        let told = stage.after(20, &mut keeper);
        assert!(failed(&told).is_empty(), "{told:?}");
    }
    let counts = stage.engine.counts();
    assert_eq!(counts[0], 1);
    assert_eq!(counts.iter().sum::<u32>(), 2, "as many as there are units of work: {counts:?}");
}
