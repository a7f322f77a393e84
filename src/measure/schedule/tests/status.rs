//! What the status of a request says while it waits.

use neuronotes_core::store::Record;

use super::{Scheduler, Stage, key, request, rest, until};

#[test]
fn what_is_measured_along_says_so_until_the_other_has_ended() {
    let stage = Stage::new(
        r#"if [ $n = 3 ]; then
      key=$(sed -n "s/^1 //p" keys); other=$(sed -n "s/^2 //p" keys)
      echo '{"type":"along","key":"'$key'","waiting":["'$other'"]}'
      echo '{"type":"progress","key":"'$key'","stage":"scanning a","step":3,"total":9,"unit":"image","seconds_left":null,"picture":null}'
      while [ ! -e go ]; do sleep 0.02; done; done_
    fi"#,
    );
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1, 2, 3]));
    until(&mut scheduler, &news, |said| said == "at 1");
    let status = |scheduler: &Scheduler, unit| scheduler.status(&key(unit));
    let along = "measured along with another figure: scanning a: image 3 of 9";
    assert_eq!(status(&scheduler, 2).as_deref(), Some(along));
    assert!((scheduler.fraction(&key(2)) - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(status(&scheduler, 3).as_deref(), Some("queued, 2 before it"));
    assert_eq!(scheduler.fraction(&key(3)), 0.0);
    stage.touch("go");
    until(&mut scheduler, &news, |said| said == "done 1");
    assert_eq!(status(&scheduler, 2).as_deref(), Some("queued"));
}

#[test]
fn a_status_says_how_many_are_before_it_and_how_long_they_take() {
    let stage = Stage::new(r#"if [ $n = 3 ]; then key=$(sed -n "s/^1 //p" keys); at 1; fi"#);
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[1, 2, 3]));
    assert_eq!(scheduler.status(&key(1)).as_deref(), Some("queued"));
    assert_eq!(scheduler.status(&key(3)).as_deref(), Some("queued, 2 before it"));
    until(&mut scheduler, &news, |said| said == "at 1");
    assert_eq!(scheduler.status(&key(1)).as_deref(), Some("optimising: step 1 of 4"));
    assert_eq!(scheduler.status(&key(2)).as_deref(), Some("queued, 1 before it"));
    assert_eq!((scheduler.status(&key(4)), scheduler.seconds_left()), (None, None));

    // As soon as one has ended, there is something to go by.
    let mut record = Record::new(key(9), "feature_vis", 2, request(9).canonical());
    record.provenance.device = "cpu".into();
    record.provenance.seconds = 40.0;
    stage.store.commit(&record).expect("a record");
    let stage = Stage { store: stage.store.clone(), ..Stage::new("at; done_") };
    let (mut scheduler, news) = stage.scheduler();
    scheduler.want(rest(&[9]));
    until(&mut scheduler, &news, |said| said == "done 9");
    scheduler.want(rest(&[1, 2]));
    let status = scheduler.status(&key(2));
    assert_eq!(status.as_deref(), Some("queued, 1 before it, about 80 s"));
    assert_eq!(scheduler.seconds_left(), Some(80.0));
}
