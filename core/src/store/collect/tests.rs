//! Collection of stores that contain wanted, old and new results.

use super::*;
use crate::canonical::canonical_json;
use crate::store::Root;

const OPTIONS: Options = Options { older_than: DAY, dry_run: false };

struct Shelf {
    _dir: tempfile::TempDir,
    store: Store,
}

impl Shelf {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        Self { _dir: dir, store }
    }

    /// Commits a record with an output, and one that it shares with all others.
    fn put(&self, name: &str, uses: &[Digest]) -> Digest {
        let record = self.record(name, uses);
        self.store.commit(&record).expect("committed");
        record.key
    }

    fn record(&self, name: &str, uses: &[Digest]) -> Record {
        let uses: Vec<String> = uses.iter().map(Digest::hex).collect();
        let request = serde_json::json!({ "kind": name, "impl_version": 1, "uses": uses });
        let key = Digest::of(canonical_json(&request).as_bytes());
        let mut record = Record::new(key, name, 1, request);
        for bytes in [name.as_bytes(), b"shared"] {
            let output = String::from_utf8_lossy(bytes);
            record.add_output(&self.store, &output, "text/plain", bytes).expect("an output");
        }
        record
    }

    fn want(&self, garden: &str, requests: &[Digest]) {
        let garden = Path::new(garden);
        let root = Root {
            garden: garden.to_owned(),
            requests: requests.iter().copied().collect(),
            ..Root::default()
        };
        self.store.put_root(garden, &root).expect("a root");
    }

    fn age(&self, days: u32) {
        for entry in walkdir::WalkDir::new(self.store.folder()) {
            let entry = entry.expect("an entry");
            if entry.file_type().is_file() {
                set_age(entry.path(), days);
            }
        }
    }

    fn collect(&self) -> Collected {
        self.store.collect(OPTIONS).expect("collected")
    }

    fn blob(&self, name: &str) -> PathBuf {
        self.store.blob_path(&Digest::of(name.as_bytes()))
    }
}

fn set_age(path: &Path, days: u32) {
    let file = fs::File::options().append(true).open(path).expect("a file");
    file.set_modified(SystemTime::now() - DAY * days).expect("another time");
}

#[test]
fn what_is_wanted_and_what_that_used_stays_and_the_rest_goes() {
    let shelf = Shelf::new();
    let scan = shelf.put("scan", &[]);
    let wanted = shelf.put("wanted", &[scan]);
    let old = shelf.put("old", &[]);
    let last = shelf.put("last", &[]);
    shelf.want("/", &[wanted]);
    let mut root = shelf.store.root(Path::new("/")).expect("a root");
    root.blocks.insert("a.md#vis".into(), vec![last]);
    shelf.store.put_root(Path::new("/"), &root).expect("a root");
    shelf.age(2);
    let new = shelf.put("new", &[]);

    let dry = shelf.store.collect(Options { dry_run: true, ..OPTIONS }).expect("counted");
    assert!(shelf.store.record(&old).is_some(), "nothing was taken");
    let done = shelf.collect();
    assert_eq!(dry, done);
    assert_eq!((done.records.count, done.blobs.count, done.kept), (1, 1, 4));
    assert_eq!(done.blobs.bytes, 3);
    for key in [scan, wanted, last, new] {
        assert!(shelf.store.record(&key).is_some(), "{key}");
    }
    assert!(shelf.store.record(&old).is_none() && !shelf.blob("old").exists());
    assert_eq!(shelf.collect().records, Tally::default());
}

#[test]
fn what_is_younger_than_a_day_stays_with_what_it_used_whatever_is_asked() {
    let shelf = Shelf::new();
    let scan = shelf.put("scan", &[]);
    shelf.age(5);
    let young = shelf.put("young", &[scan]);
    let options = Options { older_than: Duration::ZERO, dry_run: false };
    shelf.store.collect(options).expect("collected");
    assert!(shelf.store.record(&young).is_some() && shelf.store.record(&scan).is_some());
    shelf.age(1);
    let days = Options { older_than: DAY * 3, dry_run: false };
    assert_eq!(shelf.store.collect(days).expect("collected").records.count, 0);
    assert_eq!(shelf.collect().records.count, 2);
}

#[test]
fn a_blob_that_is_put_again_is_young_and_outlives_collection() {
    let shelf = Shelf::new();
    shelf.put("old", &[]);
    shelf.age(9);
    // Its outputs are put before the collection, and the record is committed after it.
    let record = shelf.record("old", &[]);
    let done = shelf.collect();
    assert_eq!((done.records.count, done.blobs.count), (1, 0));
    shelf.store.commit(&record).expect("committed");
    assert_eq!(shelf.store.record(&record.key), Some(record));
}

#[test]
fn an_output_that_is_gone_when_the_record_is_there_is_no_success() {
    let shelf = Shelf::new();
    let record = shelf.record("slow", &[]);
    fs::remove_file(shelf.blob("slow")).expect("removed");
    let error = shelf.store.commit(&record).expect_err("it is lost").to_string();
    assert!(error.contains("lost the output `slow`"), "{error}");
    assert_eq!(shelf.store.record(&record.key), None);
}

#[test]
fn a_file_that_became_young_in_the_collections_hands_is_put_back() {
    let shelf = Shelf::new();
    let key = shelf.put("one", &[]);
    shelf.want("/", &[key]);
    let taken = shelf.store.root.join("tmp").join(format!("gc-blobs-{}", Digest::of(b"one")));
    // A collection was killed after it renamed the file, which was made young just before.
    fs::rename(shelf.blob("one"), &taken).expect("renamed");
    assert!(shelf.store.record(&key).is_none());
    shelf.collect();
    assert!(shelf.store.record(&key).is_some());
    // One that was old is garbage.
    fs::copy(shelf.blob("one"), &taken).expect("copied");
    set_age(&taken, 3);
    assert_eq!(shelf.collect().leftovers.count, 1);
    assert!(!taken.exists());
}

#[test]
fn leftovers_go_after_a_day_and_failures_with_what_they_are_about() {
    let shelf = Shelf::new();
    let (wanted, other) = (Digest::of(b"wanted"), Digest::of(b"other"));
    shelf.want("/", &[wanted]);
    let write = |name: String| {
        let path = shelf.store.root.join(name);
        fs::write(&path, "{}").expect("a file");
        path
    };
    let gone = [
        write(format!("claims/{wanted}.json")),
        write(format!("partial/{wanted}.png")),
        write("tmp/bad-x".into()),
        write("tmp/.new-x".into()),
        write(format!("failures/{other}.json")),
    ];
    let stays = [write(format!("failures/{wanted}.json")), write("failures/mine.txt".into())];
    shelf.store.put_figure(&wanted, br#"{"a":1}"#).expect("a drawing");
    let young = shelf.collect();
    assert_eq!((young.leftovers.count, young.failures.count), (0, 0));
    shelf.age(2);
    let old = shelf.collect();
    assert_eq!((old.leftovers.count, old.failures.count, old.drawings.count), (4, 1, 0));
    assert!(gone.iter().all(|path| !path.exists()) && stays.iter().all(|path| path.exists()));
    // Looking at a drawing is using it.
    shelf.age(8);
    assert!(shelf.store.figure::<serde_json::Value>(&wanted).is_some());
    assert_eq!(shelf.collect().drawings.count, 0);
    shelf.age(8);
    assert_eq!(shelf.collect().drawings.count, 1);
}

#[test]
fn a_garden_that_is_long_gone_wants_nothing_and_a_damaged_root_stops_everything() {
    let shelf = Shelf::new();
    let key = shelf.put("one", &[]);
    shelf.want("/no/such/garden", &[key]);
    shelf.age(20);
    assert_eq!(shelf.collect().gardens, Vec::<PathBuf>::new());
    shelf.age(31);
    let done = shelf.collect();
    assert_eq!(done.gardens, [PathBuf::from("/no/such/garden")]);
    assert_eq!(done.records.count, 1);

    shelf.put("two", &[]);
    shelf.want("/", &[]);
    shelf.age(2);
    fs::write(shelf.store.root_path(Path::new("/")), "{}").expect("damage");
    let error = shelf.store.collect(OPTIONS).expect_err("nobody knows");
    assert!(matches!(error, StoreError::DamagedRoot(_)));
    assert_eq!(shelf.store.stats().expect("stats").kinds["two"].count, 1);
}

#[test]
fn what_others_put_while_it_is_collected_is_never_lost() {
    let shelf = Shelf::new();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let names: Vec<String> = (0..8).map(|n| format!("result {n}")).collect();
    std::thread::scope(|scope| {
        let collectors: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        let _ = shelf.store.collect(OPTIONS);
                    }
                })
            })
            .collect();
        for round in 0..20 {
            for name in &names {
                let key = shelf.put(name, &[]);
                // It may be in a collection's hands for a moment, which puts it back.
                let there = |_| {
                    std::thread::sleep(Duration::from_millis(1));
                    shelf.store.record(&key)
                };
                let kept = (0..200).find_map(there);
                let kept = kept.unwrap_or_else(|| panic!("{name} is lost in round {round}"));
                for output in kept.outputs.values() {
                    let there = |_| {
                        std::thread::sleep(Duration::from_millis(1));
                        shelf.store.blob(&output.digest)
                    };
                    assert!((0..200).find_map(there).is_some(), "{name} in round {round}");
                }
            }
            // All old at once, blobs without records among them.
            for entry in walkdir::WalkDir::new(shelf.store.folder()).into_iter().flatten() {
                if entry.file_type().is_file() {
                    let file = fs::File::options().append(true).open(entry.path());
                    let _ = file.and_then(|file| file.set_modified(SystemTime::now() - DAY * 2));
                }
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        for collector in collectors {
            collector.join().expect("collected");
        }
    });
}

#[test]
fn what_pools_left_behind_goes_after_a_day_and_units_of_work_after_a_month() {
    let shelf = Shelf::new();
    let pool = shelf.store.folder().join("v1/pools/cluster");
    let put = |kind: &str, name: &str, days: u32| {
        std::fs::create_dir_all(pool.join(kind)).expect("a folder");
        let path = pool.join(kind).join(name);
        std::fs::write(&path, "12345").expect("a file");
        set_age(&path, days);
        path
    };
    let kept = [
        put("journals", "new.jsonl", 0),
        put("units", "000-a.json", 20),
        put("workers", "new.json", 0),
    ];
    let gone = [
        put("journals", "old.jsonl", 2),
        put("logs", "33_4.log", 2),
        put("units", "000-b.json", 40),
        put("workers", "old.json", 2),
    ];
    let collected = shelf.collect();
    assert_eq!(collected.leftovers, Tally { count: 4, bytes: 20 });
    assert!(kept.iter().all(|path| path.exists()) && !gone.iter().any(|path| path.exists()));
    assert_eq!(shelf.store.verify(&mut |_, _| {}).expect("verified").foreign, Vec::<String>::new());
}
