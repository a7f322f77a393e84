//! What heads of the real network's attention pool write, through a session.

use std::path::Path;

use neuronotes_core::dataset::{DatasetRef, format};
use neuronotes_core::kind::text_span::{self, Outcome};
use neuronotes_core::model::Precision;
use neuronotes_core::request::{Inputs, Request};
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::picture::Picture;
use serde_json::{Value, json};

use crate::support::{archive, dataset, emoji_weights, model, picture, png, session};

const TEXTS: [&str; 8] = ["apple", "guitar", "wolf", "red", "face", "night", "hand", "book"];

fn request(shards: &[&Path], change: &Value) -> Request {
    let mut params = json!({
        "layer": "visual.attnpool", "heads": [2, 5], "texts": TEXTS, "templates": ["{}"], "truncate": false,
        "top": 4, "rank": 80, "examples": 2, "seed": 0,
    });
    for (name, value) in change.as_object().expect("a map") {
        params[name] = value.clone();
    }
    let dataset = DatasetRef { captions: true, ..dataset(&format::tar::FORMAT, shards) };
    Request {
        kind: text_span::KIND.name.into(),
        impl_version: text_span::KIND.impl_version,
        params: params.as_object().expect("a map").clone(),
        model: model(&emoji_weights()),
        dataset: Some(dataset),
        inputs: Inputs::default(),
        uses: Vec::new(),
        precision: Precision::F32,
    }
}

/// Two shards of twelve pictures, one of them broken.
fn shards(folder: &Path) -> [std::path::PathBuf; 2] {
    [0, 12].map(|first| {
        let files = (first..first + 12).flat_map(|at| {
            let bytes = match at {
                3 => b"not a picture".to_vec(),
                _ => png(&picture(at, 70 + at * 3, 64 + at)),
            };
            let caption = format!(r#"{{"caption": "number {at}"}}"#).into_bytes();
            [(format!("{at:03}.png"), bytes), (format!("{at:03}.json"), caption)]
        });
        let path = folder.join(format!("{first}.tar"));
        archive(&path, &files.collect::<Vec<_>>());
        path
    })
}

#[test]
fn heads_of_the_pool_have_texts_with_their_images_and_what_cannot_be_read_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = shards(folder.path());
    let paths: Vec<&Path> = paths.iter().map(|path| &**path).collect();
    let session = session(folder.path());
    let record = session.measure(&request(&paths, &json!({})), &mut Silent).expect("a record");
    let outcome: Outcome = record.result(session.store()).expect("a result");
    assert_eq!((outcome.count, outcome.skipped), (23, 1));
    assert!(outcome.gap < 1e-5, "{}", outcome.gap);
    assert_eq!(outcome.heads.iter().map(|head| head.head).collect::<Vec<_>>(), [2, 5]);
    for head in &outcome.heads {
        assert!(head.variance > 0.0 && head.variance < outcome.variance, "{head:?}");
        // As wide as a head, but no more than there are images.
        assert!((4..=23).contains(&head.rank), "{}", head.rank);
        assert_eq!(head.texts.len(), 4);
        assert!(head.explained() <= head.components + 1e-9 && head.components < 1.0);
        assert!(head.random_texts.high <= head.components + 1e-9);
        for chosen in &head.texts {
            assert!(TEXTS.contains(&&*chosen.text));
            assert_eq!(chosen.examples.len(), 2);
            let [first, second] = &chosen.examples[..] else { panic!("two images") };
            assert!(first.deviations >= second.deviations && first.deviations > 0.0);
            for example in &chosen.examples {
                let number: u32 = example.key.parse().expect("a number");
                assert_eq!(example.caption.as_deref(), Some(&*format!("number {number}")));
                let blob = session.store().blob(&record.outputs[&example.picture].digest);
                let shown = Picture::decode(&blob.expect("a blob")).expect("a picture");
                assert_eq!(shown.dimensions(), (70 + number * 3, 64 + number));
            }
        }
    }
    // A head is described alike whichever others are asked for.
    let alone = request(&paths, &json!({ "heads": [5] }));
    let record = session.measure(&alone, &mut Silent).expect("a record");
    let alone: Outcome = record.result(session.store()).expect("a result");
    let texts = |head: &text_span::Head| {
        head.texts.iter().map(|chosen| chosen.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&alone.heads[0]), texts(&outcome.heads[1]));
    assert_eq!(alone.heads[0].random_directions, outcome.heads[1].random_directions);
}

#[test]
fn too_few_pictures_and_layers_without_heads_are_errors_that_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let few: Vec<_> = (0..5).map(|at| (format!("{at}.png"), png(&picture(at, 64, 64)))).collect();
    let path = folder.path().join("few.tar");
    archive(&path, &few);
    let broken = folder.path().join("broken.tar");
    archive(&broken, &[("a.png".to_owned(), b"no picture".to_vec())]);
    let session = session(folder.path());
    let failure = |path: &Path, change: Value| {
        let failure = session.measure(&request(&[path], &change), &mut Silent);
        failure.expect_err("a failure").to_string()
    };
    let message = failure(&path, json!({ "top": 5 }));
    assert!(
        message.contains("`top` is 5") && message.contains("at most 4 directions"),
        "{message}"
    );
    let message = failure(&broken, json!({}));
    assert!(message.contains("no picture of the data set can be read"), "{message}");
    let message = failure(&path, json!({ "layer": "visual.layer4.0" }));
    assert!(message.contains("no attention heads"), "{message}");
    let message = failure(&path, json!({ "heads": [99] }));
    assert!(message.contains("no such head"), "{message}");
}
