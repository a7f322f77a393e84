//! `neuronotes store sync`: through a folder, and through a real server that speaks S3 where there is one.

mod pools;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::digest::Digest;
use neuronotes_core::store::{Record, Store};
use serde_json::json;
use tempfile::TempDir;

use crate::common::results::fill;
use crate::common::{Garden, Run, files, program};
use pools::workers_without_a_shared_disk_measure_everything_once;
use server::{Server, url};

/// Runs `store sync` for a store without a garden.
fn sync(url: &str, store: &Path, more: &[&str]) -> Run {
    Run(command(url, store, more).output().expect("neuronotes runs"))
}

fn command(url: &str, store: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(["store", "sync", url, "--store"]).arg(store).args(more);
    server::environment(&mut command);
    command
}

fn good(run: &Run) -> String {
    assert_eq!(run.code(), 0, "{}{}", run.stdout(), run.stderr());
    run.stdout()
}

/// Commits results numbered from `from`; each has an output of its own and one that several have.
fn commit(folder: &Path, from: usize, count: usize, length: usize) {
    let store = Store::open(folder).expect("a store");
    for number in from..from + count {
        let request = json!({ "kind": "made", "impl_version": 1, "number": number, "uses": [] });
        let key = Digest::of(canonical_json(&request).as_bytes());
        let mut record = Record::new(key, "made", 1, request);
        record.set_result(&store, &json!({ "number": number })).expect("a result");
        let shared = vec![u8::try_from(number % 7).expect("small"); length];
        record.add_output(&store, "shared", "image/png", &shared).expect("an output");
        let own: Vec<u8> =
            (0..length).map(|at| u8::try_from((at * number) % 251).expect("small")).collect();
        record.add_output(&store, "own", "application/octet-stream", &own).expect("an output");
        store.commit(&record).expect("committed");
    }
}

fn filled(count: usize, length: usize) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    commit(dir.path(), 0, count, length);
    dir
}

/// The results of a store with their bytes.
fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = files(&folder.join("v1"));
    all.retain(|name, _| name.starts_with("blobs/") || name.starts_with("records/"));
    all
}

/// Every record in a folder has all its outputs, and every file is what its name says.
fn whole(folder: &Path) -> usize {
    let store = Store::open(folder).expect("a store");
    let keys = store.keys().expect("a list");
    for key in &keys {
        assert!(store.record(key).is_some(), "{key} is not whole");
    }
    let report = store.verify(&mut |_, _| {}).expect("verified");
    assert!(report.wrong.is_empty(), "{report:?}");
    keys.len()
}

/// The same tests for both kinds of object store; the server's are skipped aloud where there is none.
macro_rules! both {
    ($($name:ident),*) => {
        mod folder {
            $(#[test] fn $name() { super::$name(&super::url(None, stringify!($name))); })*
        }
        mod s3 {
            $(#[test] fn $name() {
                if let Some(server) = super::Server::get(stringify!($name)) {
                    super::$name(&super::url(Some(server), stringify!($name)));
                }
            })*
        }
    };
}

both!(
    what_is_pushed_and_pulled_has_the_same_bytes,
    killed_at_any_moment_nothing_is_broken_and_it_goes_on,
    a_damaged_object_is_told_and_not_taken,
    two_who_push_at_once_lose_nothing,
    only_what_is_asked_for_is_pulled,
    workers_without_a_shared_disk_measure_everything_once
);

fn what_is_pushed_and_pulled_has_the_same_bytes(url: &str) {
    let from = filled(40, 3000);
    let dry = good(&sync(url, from.path(), &["--dry-run"]));
    assert!(dry.starts_with("would push 40 results (86 outputs), "), "{dry}");
    assert!(dry.contains(&format!("nothing to pull from {url}")), "{dry}");
    let pushed = good(&sync(url, from.path(), &["--push"]));
    assert!(pushed.starts_with("pushed 40 results (86 outputs), "), "{pushed}");
    assert_eq!(pushed.lines().count(), 1, "{pushed}");
    let to = tempfile::tempdir().expect("a folder");
    let pulled = good(&sync(url, to.path(), &[]));
    assert!(pulled.contains("pulled 40 results (86 outputs), "), "{pulled}");
    assert_eq!(results(to.path()), results(from.path()));
    // Again, there is nothing to do; and what is new on both sides is exchanged.
    let again = good(&sync(url, to.path(), &[]));
    assert_eq!(again, format!("nothing to push to {url}\nnothing to pull from {url}\n"));
    commit(from.path(), 40, 2, 100);
    commit(to.path(), 50, 3, 100);
    good(&sync(url, from.path(), &[]));
    let both = good(&sync(url, to.path(), &["--format", "json"]));
    let both: serde_json::Value = serde_json::from_str(&both).expect("JSON");
    assert_eq!((&both["pushed"]["results"], &both["pulled"]["results"]), (&json!(3), &json!(2)));
    good(&sync(url, from.path(), &["--pull"]));
    assert_eq!(results(to.path()), results(from.path()));
    assert_eq!(whole(to.path()), 45);
    let left = fs::read_dir(to.path().join("v1/tmp")).expect("a folder").count();
    assert_eq!(left, 0, "nothing temporary stays");
}

/// A number below `most` that follows the last one.
fn random(state: &mut u64, most: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % most
}

/// Starts a command 20 times and kills it at a random moment; how often it was not done yet.
fn killed(mut command: impl FnMut() -> Command, mut look: impl FnMut()) -> usize {
    let (mut state, mut unfinished) = (7, 0);
    for round in 0..20 {
        let mut child = command();
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        std::thread::sleep(Duration::from_millis(20 + random(&mut state, 30 * (round + 1))));
        unfinished += usize::from(child.try_wait().expect("a state").is_none());
        let _ = child.kill();
        child.wait().expect("an end");
        look();
    }
    unfinished
}

fn killed_at_any_moment_nothing_is_broken_and_it_goes_on(url: &str) {
    let (from, to) = (filled(300, 5000), tempfile::tempdir().expect("a folder"));
    let local = url.strip_prefix("file://").map(Path::new);
    let cut = killed(|| command(url, from.path(), &["--push"]), || _ = local.map(whole));
    assert!(cut > 0, "it was never killed at work");
    let some = tempfile::tempdir().expect("a folder");
    good(&sync(url, some.path(), &["--pull"]));
    whole(some.path());
    good(&sync(url, from.path(), &["--push"]));
    let cut = killed(|| command(url, to.path(), &["--pull"]), || _ = whole(to.path()));
    assert!(cut > 0, "it was never killed at work");
    good(&sync(url, to.path(), &["--pull"]));
    assert_eq!(results(to.path()), results(from.path()));
}

fn a_damaged_object_is_told_and_not_taken(url: &str) {
    let from = filled(5, 2000);
    good(&sync(url, from.path(), &["--push"]));
    let store = Store::open(from.path()).expect("a store");
    let keys: Vec<Digest> = store.keys().expect("a list").into_iter().collect();
    let record = store.record(&keys[0]).expect("a record");
    let own = record.outputs["own"].digest.hex();
    let other = keys[1].hex();
    server::damage(url, &format!("v1/blobs/{}/{own}", &own[..2]));
    server::damage(url, &format!("v1/records/{}/{other}.json", &other[..2]));
    let to = tempfile::tempdir().expect("a folder");
    let run = sync(url, to.path(), &["--pull"]);
    assert_eq!(run.code(), 1, "{}", run.stderr());
    let said = run.stdout();
    assert!(said.contains("pulled 3 results"), "{said}");
    let blob = format!(
        "error: {url}/v1/blobs/{}/{own}: its bytes have another digest; it was not taken",
        &own[..2]
    );
    assert!(said.contains(&blob), "{said}");
    let record = format!(
        "error: {url}/v1/records/{}/{other}.json: its checksum is wrong; it was not taken",
        &other[..2]
    );
    assert!(said.contains(&record), "{said}");
    assert!(said.contains("\nhint: remove what is damaged there"), "{said}");
    assert_eq!(whole(to.path()), 3);
    // What is damaged here is not pushed.
    let third = store.record(&keys[2]).expect("a record").outputs["own"].digest;
    fs::write(store.blob_path(&third), vec![1; 2000]).expect("damage");
    let second = format!("{url}/second");
    server::prepare(&second);
    let run = sync(&second, from.path(), &["--push"]);
    assert_eq!(run.code(), 1, "{}", run.stderr());
    assert!(run.stdout().contains("damaged here, so it was not pushed"), "{}", run.stdout());
    assert!(run.stdout().contains("pushed 4 results"), "{}", run.stdout());
}

fn two_who_push_at_once_lose_nothing(url: &str) {
    let (one, two) = (filled(60, 1000), tempfile::tempdir().expect("a folder"));
    commit(two.path(), 30, 60, 1000);
    let start = |folder: &Path| {
        command(url, folder, &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started")
    };
    let running = [start(one.path()), start(two.path())];
    for child in running {
        let output: Output = child.wait_with_output().expect("an end");
        good(&Run(output));
    }
    let to = tempfile::tempdir().expect("a folder");
    good(&sync(url, to.path(), &["--pull"]));
    assert_eq!(whole(to.path()), 90);
}

fn only_what_is_asked_for_is_pulled(url: &str) {
    let from = filled(6, 500);
    good(&sync(url, from.path(), &["--push"]));
    let store = Store::open(from.path()).expect("a store");
    let key = *store.keys().expect("a list").first().expect("a key");
    let to = tempfile::tempdir().expect("a folder");
    good(&sync(url, to.path(), &["--pull", "--only", &key.hex()[..12]]));
    let pulled = Store::open(to.path()).expect("a store");
    assert_eq!(pulled.keys().expect("a list").into_iter().collect::<Vec<_>>(), [key]);
    assert_eq!(pulled.record(&key), store.record(&key));
    for (asked, says) in [
        ("0123", "`0123` is not a request key"),
        ("xyzxyz", "`xyzxyz` is not a request key"),
        ("000000", "has no result `000000`"),
    ] {
        let run = sync(url, to.path(), &["--only", asked]);
        assert_eq!(run.code(), 2);
        assert!(run.stderr().contains(says), "{}", run.stderr());
        assert!(run.stderr().contains("\nhint: "), "{}", run.stderr());
    }
}

#[test]
fn a_garden_pulls_what_its_pages_show_and_all_of_it_if_asked() {
    let url = url(None, "garden");
    let notes = [(
        "coins.md",
        "```yaml analysis\nid: examples\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 3\n```\n",
    )];
    let there = Garden::of(&notes);
    assert!(fill(&there) > 0);
    // Another garden's results, which this one has no use for.
    commit(&there.path(".neuronotes/store"), 0, 3, 100);
    let site = {
        there.built();
        there.output()
    };
    let pushed = there.run(&["store", "sync", &url]);
    good(&pushed);
    let here = Garden::of(&notes);
    let dry = good(&here.run(&["store", "sync", &url, "--pull", "--dry-run"]));
    assert!(dry.starts_with("would pull 2 results"), "{dry}");
    let pulled = good(&here.run(&["store", "sync", &url]));
    assert!(pulled.contains("pulled 2 results"), "{pulled}");
    assert!(pulled.starts_with("nothing to push"), "{pulled}");
    let run = here.built();
    assert!(run.summary().contains("0 figures measured, 1 stored"), "{}", run.stderr());
    assert_eq!(here.output(), site);
    let store = here.path(".neuronotes/store");
    let lacks = |all: &BTreeMap<String, Vec<u8>>| {
        let there = results(&there.path(".neuronotes/store"));
        there.keys().filter(|name| !all.contains_key(*name)).count()
    };
    assert!(
        lacks(&results(&store)) > 3 * 3,
        "activations and the other garden's results stay there"
    );
    let verified = good(&here.run(&["store", "verify"]));
    assert!(verified.ends_with("no problems found\n"), "{verified}");
    // Nothing that lacks outputs is pushed, and everything comes if asked for.
    let again = good(&here.run(&["store", "sync", &url]));
    assert_eq!(again, format!("nothing to push to {url}\nnothing to pull from {url}\n"));
    good(&here.run(&["store", "sync", &url, "--all"]));
    assert_eq!(results(&store), results(&there.path(".neuronotes/store")));
}

#[test]
fn an_object_store_that_cannot_be_used_says_why() {
    let store = filled(1, 10);
    let refused = |url: &str, change: &dyn Fn(&mut Command)| {
        let mut command = command(url, store.path(), &[]);
        change(&mut command);
        let run = Run(command.output().expect("neuronotes runs"));
        assert_eq!(run.code(), 2, "{}{}", run.stdout(), run.stderr());
        run.stderr()
    };
    let same = |_: &mut Command| {};
    let told = refused("gopher://a/b", &same);
    assert!(
        told.contains(
            "object stores of the scheme `gopher` are not supported\nhint: use s3://BUCKET/FOLDER"
        ),
        "{told}"
    );
    let told = refused("file:///no/such/folder", &same);
    assert_eq!(told, "error: there is no folder /no/such/folder\nhint: create it\n");
    // Nobody listens at a port that was just given back.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|at| at.local_addr()).expect("a port");
    let told = refused("s3://store/x", &|command| {
        command.env("AWS_ENDPOINT_URL", format!("http://{port}"));
        command.env("AWS_ACCESS_KEY_ID", "one").env("AWS_SECRET_ACCESS_KEY", "two");
    });
    assert!(
        told.starts_with(&format!("error: s3://store/x cannot be reached at http://{port} (")),
        "{told}"
    );
    assert!(told.contains("\nhint: check the network, AWS_ENDPOINT_URL and HTTPS_PROXY"), "{told}");
    if Server::get("errors of S3").is_none() {
        return;
    }
    let told = refused("s3://no-such-bucket/x", &same);
    assert!(
        told.starts_with("error: there is no bucket `no-such-bucket` at http://127.0.0.1:"),
        "{told}"
    );
    let told = refused("s3://store/x", &|command| {
        command.env("AWS_SECRET_ACCESS_KEY", "not-this-secret");
    });
    assert!(
        told.starts_with("error: s3://store/x may not be used (SignatureDoesNotMatch): "),
        "{told}"
    );
    assert!(told.contains("\nhint: check AWS_ACCESS_KEY_ID"), "{told}");
    assert!(!told.contains("not-this-secret"), "{told}");
    let told = refused("s3://store/x", &|command| {
        command.env("AWS_ACCESS_KEY_ID", "AKIANOBODY");
    });
    assert!(
        told.starts_with("error: s3://store/x may not be used (InvalidAccessKeyId): "),
        "{told}"
    );
    assert!(!told.contains("AKIANOBODY"), "{told}");
}

#[test]
fn one_program_at_a_time_moves_files_between_two_stores() {
    let (store, url) = (filled(1, 10), url(None, "one at a time"));
    let mut first = command(&url, store.path(), &["--follow"]);
    let mut first = first.stderr(Stdio::null()).spawn().expect("started");
    let remote = Path::new(url.strip_prefix("file://").expect("a folder"));
    server::until("the first one works", || remote.join("v1/records").is_dir());
    let second = sync(&url, store.path(), &[]);
    first.kill().expect("killed");
    first.wait().expect("an end");
    assert_eq!(second.code(), 2, "{}", second.stdout());
    assert!(second.stderr().contains("another `store sync` moves files"), "{}", second.stderr());
    good(&sync(&url, store.path(), &[]));
}
