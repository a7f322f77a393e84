//! Claims of one process, of several, and of holders elsewhere that are alive, stopped or gone.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, SystemTime};

use super::look::{ANCIENT, MOMENT};
use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(dir.path()).expect("a store");
    (dir, store)
}

fn is_mine(claimed: &Claimed) -> bool {
    matches!(claimed, Claimed::Mine(_))
}

/// A claim that is held, or a panic.
fn mine(claimed: Claimed) -> Claim {
    match claimed {
        Claimed::Mine(claim) => claim,
        Claimed::Theirs => panic!("another holds it"),
    }
}

/// Writes the claim of a holder on another machine.
fn elsewhere(store: &Store, key: &Digest) -> PathBuf {
    let host = Some("elsewhere".to_owned());
    let name = Some("gpu-07".to_owned());
    let holder = Holder { host, pid: 1, born: Some(1), mark: "a".into(), name, ..Holder::here() };
    let path = store.claim_path(key);
    fs::write(&path, serde_json::to_vec(&holder).expect("plain data")).expect("written");
    path
}

/// Lets a claim be watched for longer.
fn watch(claims: &Claims, path: &Path, time: Duration) {
    locked(&claims.looks).watched.get_mut(path).expect("a claim that was looked at").quiet += time;
}

fn set_time(path: &Path, time: SystemTime) {
    let file = File::options().write(true).open(path).expect("a file");
    file.set_modified(time).expect("a time");
}

#[test]
fn one_holds_a_claim_until_it_is_dropped() {
    let (_dir, store) = store();
    let (one, other) = (Claims::new(&store), Claims::new(&store));
    let (key, another) = (Digest::of(b"key"), Digest::of(b"another"));
    let held = one.claim(&key);
    assert!(is_mine(&held) && !is_mine(&other.claim(&key)));
    assert!(!is_mine(&one.claim(&key)), "a claim is held once");
    let holder = other.holder(&key).expect("a holder");
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    assert!(is_mine(&other.claim(&another)), "another key is another claim");
    drop(held);
    assert!(!store.claim_path(&key).exists());
    assert!(is_mine(&other.claim(&key)));
}

#[test]
#[cfg(target_os = "linux")]
fn the_claim_of_a_process_that_is_gone_is_taken_over_at_once() {
    let (_dir, store) = store();
    let claims = Claims::new(&store);
    let key = Digest::of(b"key");
    let mut child = Command::new("sleep").arg("60").spawn().expect("a process");
    let holder = holder::tests::process(child.id());
    let text = serde_json::to_vec(&holder).expect("plain data");
    fs::write(store.claim_path(&key), &text).expect("written");
    assert!(!is_mine(&claims.claim(&key)), "it is alive");
    child.kill().expect("killed");
    // Not waited for yet, it is there as a zombie.
    while !holder::tests::has_ended(child.id()) {
        thread::sleep(Duration::from_millis(5));
    }
    let mine = claims.claim(&key);
    assert!(is_mine(&mine));
    child.wait().expect("an end");
    // The text of the first holder has been replaced.
    assert_ne!(fs::read(store.claim_path(&key)).expect("a claim"), text);

    // Another process that has its number now is not the holder.
    let reborn = Holder { pid: std::process::id(), born: Some(1), ..holder };
    let other = Digest::of(b"other");
    let text = serde_json::to_vec(&reborn).expect("plain data");
    fs::write(store.claim_path(&other), text).expect("written");
    assert!(is_mine(&claims.claim(&other)));
}

#[test]
fn a_claim_of_another_machine_is_stale_once_nobody_writes_to_it() {
    let (_dir, store) = store();
    let claims = Claims::new(&store);
    let key = Digest::of(b"key");
    let path = elsewhere(&store, &key);
    assert!(!is_mine(&claims.claim(&key)));
    watch(&claims, &path, STALE);
    assert!(is_mine(&claims.claim(&key)));

    // One of last week is not watched first.
    let old = Digest::of(b"old");
    set_time(&elsewhere(&store, &old), SystemTime::now() - ANCIENT * 7);
    assert!(is_mine(&claims.claim(&old)));
}

#[test]
fn clocks_an_hour_apart_take_no_claim_from_a_holder_that_renews_it() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let (_dir, store) = store();
    let claims = Claims::new(&store);
    let now = SystemTime::now();
    for (name, start) in [("past", now - HOUR), ("future", now + HOUR)] {
        let key = Digest::of(name.as_bytes());
        let path = elsewhere(&store, &key);
        for beat in 0..20 {
            set_time(&path, start + BEAT * beat);
            assert!(!is_mine(&claims.claim(&key)), "{name}, renewed {beat} times");
            watch(&claims, &path, BEAT);
        }
        // It is renewed no more.
        watch(&claims, &path, STALE);
        assert!(is_mine(&claims.claim(&key)), "{name}");
    }
}

#[test]
fn a_pause_of_the_observer_is_no_silence_of_the_holder() {
    let (_dir, store) = store();
    let claims = Claims::new(&store);
    let key = Digest::of(b"key");
    let path = elsewhere(&store, &key);
    assert!(!is_mine(&claims.claim(&key)));
    // The observer was stopped for an hour, or the file system was away for both.
    let hour = Duration::from_secs(60 * 60);
    if let Some(watched) = locked(&claims.looks).watched.get_mut(&path) {
        watched.pause(hour);
    }
    assert!(!is_mine(&claims.claim(&key)));
    watch(&claims, &path, STALE);
    assert!(is_mine(&claims.claim(&key)));
}

#[test]
fn a_claim_that_nobody_can_read_is_waited_for_but_a_moment() {
    let (_dir, store) = store();
    let key = Digest::of(b"key");
    let path = store.claim_path(&key);
    for text in ["", "{\"host\": nu", "\u{0}\u{0}"] {
        fs::write(&path, text).expect("a file");
        let claims = Claims::new(&store);
        assert!(!is_mine(&claims.claim(&key)), "it may be being written");
        watch(&claims, &path, MOMENT);
        assert!(is_mine(&claims.claim(&key)), "{text}");
        // An older claim that cannot be read is not waited for at all.
        fs::write(&path, text).expect("a file");
        set_time(&path, SystemTime::now() - MOMENT * 2);
        assert!(is_mine(&Claims::new(&store).claim(&key)), "{text}");
    }
    // Something other than a file is not opened.
    let _ = fs::remove_file(&path);
    fs::create_dir(&path).expect("a folder");
    let claims = Claims::new(&store);
    assert!(!is_mine(&claims.claim(&key)));
    watch(&claims, &path, MOMENT);
    assert!(is_mine(&claims.claim(&key)), "measured without a claim");
}

#[test]
fn a_claim_is_whole_from_its_first_moment_and_leaves_nothing_beside_it() {
    let (dir, store) = store();
    let claims = Claims::new(&store);
    let key = Digest::of(b"key");
    let held = claims.claim(&key);
    let path = store.claim_path(&key);
    let text = fs::read(&path).expect("a claim");
    assert!(serde_json::from_slice::<Holder>(&text).is_ok());
    #[cfg(unix)]
    {
        // Others must be able to read it, or they would take it for one that is being written.
        use std::os::unix::fs::MetadataExt as _;
        let meta = fs::metadata(&path).expect("a claim");
        assert_eq!((meta.mode() & 0o444, meta.nlink()), (0o444, 1));
    }
    let left = || fs::read_dir(dir.path().join("v1/tmp")).expect("a folder").count();
    assert_eq!(left(), 0);
    // Neither does taking one over, or finding that it is taken.
    let other = Digest::of(b"other");
    let stale = elsewhere(&store, &other);
    set_time(&stale, SystemTime::now() - ANCIENT * 2);
    let taken = claims.claim(&other);
    assert!(is_mine(&taken) && !is_mine(&Claims::new(&store).claim(&other)));
    assert_eq!(left(), 0);
    drop((held, taken));
    assert_eq!(fs::read_dir(dir.path().join("v1/claims")).expect("a folder").count(), 0);
}

#[test]
fn where_nothing_can_be_claimed_it_is_measured_all_the_same() {
    let (dir, store) = store();
    fs::remove_dir(dir.path().join("v1/claims")).expect("removed");
    let claims = Claims::new(&store);
    let claim = mine(claims.claim(&Digest::of(b"key")));
    assert_eq!(claim.taken_by(), None);
}

#[test]
fn a_holder_learns_that_its_claim_was_taken_over_and_leaves_the_other_one_alone() {
    let (_dir, store) = store();
    let claims = Claims::new(&store);
    for late in [false, true] {
        let key = Digest::of(&[u8::from(late)]);
        let claim = mine(claims.claim(&key));
        assert_eq!(claim.taken_by(), None);
        if late {
            let mut held = locked(&claims.held);
            held.get_mut(&claim.path).expect("held").1 -= STALE * 2;
        }
        let path = elsewhere(&store, &key);
        let theirs = fs::read(&path).expect("a claim");
        assert_eq!(claim.taken_by().as_deref(), Some("process 1 on gpu-07"));
        assert!(!renew(&path, &locked(&claims.held)[&path].0).expect("looked at"));
        drop(claim);
        assert_eq!(fs::read(&path).expect("a claim"), theirs);
        fs::remove_file(&path).expect("removed");
    }
    let claim = mine(claims.claim(&Digest::of(b"gone")));
    fs::remove_file(&claim.path).expect("removed");
    assert_eq!(claim.taken_by().as_deref(), Some("nobody"));
}

#[test]
fn what_replaced_a_claim_that_is_removed_is_put_back() {
    let (dir, store) = store();
    let path = store.claim_path(&Digest::of(b"key"));
    fs::write(&path, "fresh").expect("a file");
    let temporary = dir.path().join("v1/tmp");
    remove(&path, b"stale", &temporary);
    assert_eq!(fs::read(&path).expect("a file"), b"fresh");
    remove(&path, b"fresh", &temporary);
    assert!(!path.exists());
    assert_eq!(fs::read_dir(&temporary).expect("a folder").count(), 0);
}

#[test]
fn a_renewed_claim_has_another_time() {
    let (_dir, store) = store();
    let claims = Claims::new(&store);
    let claim = mine(claims.claim(&Digest::of(b"key")));
    let long_ago = SystemTime::UNIX_EPOCH + ANCIENT;
    set_time(&claim.path, long_ago);
    let text = locked(&claims.held)[&claim.path].0.clone();
    assert!(renew(&claim.path, &text).expect("renewed"));
    let found = Found::at(&claim.path).expect("a claim");
    assert_eq!(found.text, Some(text));
    assert!(found.written > long_ago + ANCIENT);
}

#[test]
fn of_many_that_take_one_stale_claim_over_one_gets_it() {
    const THREADS: usize = 8;
    let (dir, store) = store();
    for round in 0..40_u8 {
        let key = Digest::of(&[round]);
        let path = elsewhere(&store, &key);
        set_time(&path, SystemTime::now() - ANCIENT * 2);
        let (start, end) = (Barrier::new(THREADS), Barrier::new(THREADS));
        let got: Vec<Option<Vec<u8>>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        let claims = Claims::new(&store);
                        start.wait();
                        let claimed = claims.claim(&key);
                        end.wait();
                        match claimed {
                            Claimed::Mine(claim) => {
                                assert_eq!(claim.taken_by(), None);
                                let held = locked(&claim.held);
                                Some(held[&claim.path].0.clone())
                            }
                            Claimed::Theirs => None,
                        }
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("an end")).collect()
        });
        assert_eq!(got.iter().flatten().count(), 1, "round {round}");
        assert!(!path.exists(), "its holder has freed it");
    }
    assert_eq!(fs::read_dir(dir.path().join("v1/tmp")).expect("a folder").count(), 0);
}

#[test]
fn a_takeover_that_was_killed_in_the_middle_is_done_by_the_next() {
    let (dir, store) = store();
    let claims = Claims::new(&store);
    let key = Digest::of(b"key");
    let path = elsewhere(&store, &key);
    set_time(&path, SystemTime::now() - ANCIENT * 2);
    let lock = dir.path().join(format!("v1/tmp/over-{key}"));
    fs::copy(&path, &lock).expect("a copy");
    assert!(!is_mine(&claims.claim(&key)), "it is being taken over");
    watch(&claims, &path, STALE);
    watch(&claims, &lock, STALE);
    assert!(!is_mine(&claims.claim(&key)), "the other one's is cleared away first");
    assert!(!lock.exists());
    assert!(is_mine(&claims.claim(&key)));
    assert!(!lock.exists());
}

/// The folder of the store in which a process of this test claims keys.
const FOLDER: &str = "NEURONOTES_TEST_CLAIMS";
const KEYS: u32 = 200;

fn race_key(at: u32) -> Digest {
    Digest::of(&at.to_le_bytes())
}

#[test]
fn of_two_processes_that_race_for_keys_exactly_one_gets_each() {
    const NAME: &str =
        "store::claim::tests::of_two_processes_that_race_for_keys_exactly_one_gets_each";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let store = Store::open(Path::new(&folder)).expect("a store");
        let claims = Claims::new(&store);
        let begin = Path::new(&folder).join("begin");
        while !begin.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        let held: Vec<(u32, Claimed)> =
            (0..KEYS).map(|at| (at, claims.claim(&race_key(at)))).collect();
        let got = held.iter().filter(|(_, claimed)| is_mine(claimed));
        let got: Vec<String> = got.map(|(at, _)| at.to_string()).collect();
        crate::say::out(&format!("\ngot {}\n", got.join(" ")));
        // Until its input ends it holds them.
        let _ = io::stdin().read(&mut [0]);
        return;
    }
    let (dir, _store) = store();
    let mut children: Vec<_> = (0..2)
        .map(|_| {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.args(["--exact", NAME, "--nocapture"]).env(FOLDER, dir.path());
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process")
        })
        .collect();
    fs::write(dir.path().join("begin"), "").expect("a file");
    let mut all = BTreeSet::new();
    for child in &mut children {
        let lines = BufReader::new(child.stdout.as_mut().expect("an output")).lines();
        let mut lines = lines.map(|line| line.expect("a line"));
        let got = lines.find_map(|line| line.strip_prefix("got ").map(str::to_owned));
        for at in got.expect("what it got").split_whitespace() {
            assert!(all.insert(at.parse::<u32>().expect("a number")), "{at} was given twice");
        }
    }
    assert_eq!(all, (0..KEYS).collect());
    for child in &mut children {
        drop(child.stdin.take());
        assert!(child.wait().expect("an end").success());
    }
}
