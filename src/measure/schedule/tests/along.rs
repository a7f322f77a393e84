//! Requests whose scans are measured with another request.

use super::{Scheduler, Stage, key, rest, until};

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
