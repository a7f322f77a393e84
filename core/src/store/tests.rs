//! Results that are committed, damaged, lost and frozen.

use std::fs;

use super::*;
use crate::digest::Digest;
use crate::file;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(dir.path()).expect("a store");
    (dir, store)
}

/// A request, and its key.
fn request() -> (Digest, serde_json::Value) {
    let request = serde_json::json!({ "kind": "feature_vis", "impl_version": 1 });
    (Digest::of(crate::canonical::canonical_json(&request).as_bytes()), request)
}

fn record(store: &Store) -> Record {
    let (key, request) = request();
    let mut record = Record::new(key, "feature_vis", 1, request);
    record.add_output(store, "image.png", "image/png", b"picture").expect("an output");
    record
}

#[test]
fn what_was_committed_reads_back() {
    let (_dir, store) = store();
    let record = record(&store);
    let key = record.key;
    assert!(store.record(&key).is_none());
    store.commit(&record).expect("commit");
    assert_eq!(store.record(&key), Some(record.clone()));
    assert_eq!(store.blob(&record.outputs["image.png"].digest), Some(b"picture".to_vec()));
}

#[test]
fn the_records_of_a_kind_are_found_among_others() {
    let (_dir, store) = store();
    let own = record(&store);
    store.commit(&own).expect("commit");
    let request = serde_json::json!({ "kind": "facet", "impl_version": 1, "params": { "of": "feature_vis" } });
    let key = Digest::of(crate::canonical::canonical_json(&request).as_bytes());
    let other = Record::new(key, "facet", 1, request);
    store.commit(&other).expect("commit");
    assert_eq!(store.records_of("feature_vis").expect("records"), std::slice::from_ref(&own));
    assert_eq!(store.records_of("facet").expect("records"), [other]);
    assert_eq!(store.records_of("scan").expect("records"), []);
    assert_eq!(Store::frozen(store.folder()).records_of("feature_vis").expect("records"), [own]);
}

#[test]
fn a_record_whose_blob_is_gone_or_cut_short_counts_as_never_measured() {
    let (_dir, store) = store();
    let record = record(&store);
    let key = record.key;
    store.commit(&record).expect("commit");
    let blob = store.blob_path(&record.outputs["image.png"].digest);
    assert!(store.holds(&record));
    fs::write(&blob, b"pict").expect("cut");
    assert!(store.record(&key).is_none() && !store.holds(&record));
    fs::remove_file(&blob).expect("remove");
    assert!(store.record(&key).is_none() && !store.holds(&record));
    store.put_blob(b"picture").expect("put again");
    assert!(store.holds(&record));
    store.discard(&key);
    assert!(!store.holds(&record));
}

#[test]
fn a_damaged_blob_or_record_is_set_aside() {
    let (_dir, store) = store();
    let digest = store.put_blob(b"picture").expect("put");
    fs::write(store.blob_path(&digest), b"PICTURE").expect("damage");
    assert!(store.blob(&digest).is_none());
    assert!(!store.blob_path(&digest).exists());
    store.put_blob(b"picture").expect("put again");
    assert!(store.blob(&digest).is_some());

    let key = Digest::of(b"key");
    let path = store.record_path(&key);
    file::write_atomic(&path, b"{\"schema\": 1, \"key").expect("write");
    assert!(store.record(&key).is_none());
    assert!(!path.exists());
}

#[test]
fn writing_leaves_no_temporary_file_behind() {
    let (dir, store) = store();
    store.commit(&record(&store)).expect("commit");
    let left: Vec<_> = fs::read_dir(dir.path().join("v1/tmp")).expect("tmp").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_flipped_bit_in_a_record_never_shows() {
    let (_dir, store) = store();
    let mut record = record(&store);
    let key = record.key;
    record.provenance.seconds = 1.5;
    store.commit(&record).expect("commit");
    let path = store.record_path(&key);
    let text = fs::read_to_string(&path).expect("a record");
    let damaged = text.replace("\"seconds\": 1.5", "\"seconds\": 9.5");
    assert_ne!(text, damaged);
    fs::write(&path, damaged).expect("damage");
    assert_eq!(store.record(&key), None);
    assert!(!path.exists(), "it is set aside");
}

#[test]
fn a_record_without_a_checksum_is_one_of_an_earlier_version() {
    let (_dir, store) = store();
    let (key, request) = request();
    let record = Record::new(key, "feature_vis", 1, request);
    let write = |record: &Record| {
        let bytes = serde_json::to_vec_pretty(record).expect("JSON");
        file::write_atomic(&store.record_path(&key), &bytes).expect("written");
    };
    write(&record);
    assert_eq!(store.record(&key), Some(record.clone()));
    // Without a checksum, only the request can be checked, by comparing it with the key.
    let request = serde_json::json!({ "kind": "feature_vis", "impl_version": 2 });
    write(&Record { request, ..record });
    assert_eq!(store.record(&key), None);
}

#[test]
fn a_frozen_store_is_never_changed_and_needs_only_what_pages_show() {
    let (dir, store) = store();
    let mut record = record(&store);
    let key = record.key;
    record.add_output(&store, "weights", "application/x", b"large").expect("an output");
    store.commit(&record).expect("commit");
    fs::remove_file(store.blob_path(&record.outputs["weights"].digest)).expect("removed");
    assert!(store.record(&key).is_none());
    let frozen = Store::frozen(dir.path());
    assert_eq!(frozen.record(&key), Some(record.clone()));
    assert!(frozen.put_blob(b"new").is_err() && frozen.put_figure(&key, &1).is_err());
    let picture = frozen.blob_path(&record.outputs["image.png"].digest);
    fs::write(&picture, b"PICTURE").expect("damage");
    assert!(frozen.blob(&record.outputs["image.png"].digest).is_none());
    assert!(picture.exists(), "it is left where it is");
}
