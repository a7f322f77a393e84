//! Every kind gives the same bytes with any number of threads, on a processor.

use std::collections::BTreeMap;

use neuronotes_core::kind::{KINDS, scan};
use neuronotes_core::store::Output;
use neuronotes_lab::monitor::Silent;
use rayon::ThreadPoolBuilder;

use crate::support::session;
use crate::versions::requests;

/// The outputs of every kind's example, measured with that many threads: of libtorch, and of everything else.
fn outputs(threads: usize) -> BTreeMap<String, BTreeMap<String, Output>> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        tch::set_num_threads(threads.try_into().expect("a few"));
        let dir = tempfile::tempdir().expect("a folder");
        let requests = requests(&dir.path().join("garden"));
        let session = session(dir.path());
        let kinds = KINDS.iter().map(|kind| kind.name).chain([scan::NAME]);
        let measured = |kind: &str| {
            let record = session.measure(&requests[kind], &mut Silent).expect(kind);
            (kind.to_owned(), record.outputs)
        };
        kinds.map(measured).collect()
    })
}

/// Compares the bytes of all outputs with those by one thread.
fn compare(counts: &[usize]) {
    let expected = outputs(1);
    let mut wrong = Vec::new();
    for &threads in counts {
        let found = outputs(threads);
        for (kind, outputs) in &expected {
            for (name, output) in outputs {
                if found[kind].get(name) != Some(output) {
                    wrong.push(format!("{threads} threads: {kind} {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "other bytes than with one thread:\n{}", wrong.join("\n"));
}

#[test]
fn every_kind_gives_the_same_bytes_with_any_number_of_threads() {
    compare(&[2, 5]);
}

#[test]
#[ignore = "takes minutes; `cargo test -p neuronotes-lab --test suite threads:: -- --ignored`"]
fn every_kind_gives_the_same_bytes_with_1_to_16_threads() {
    compare(&Vec::from_iter(2..=16));
}
