//! Results that were never measured: for every request of a garden, what its page needs.

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{activation_histogram, dataset_examples, feature_vis, scan, text_rank};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};

use super::Garden;

/// A PNG of one colour.
pub fn picture(colour: [u8; 3]) -> Vec<u8> {
    sized(6, 4, colour)
}

fn sized(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb(colour))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a PNG");
    bytes.into_inner()
}

/// Commits a result for everything that the garden asks for and the store does not have, and for what that uses.
pub fn fill(garden: &Garden) -> usize {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let missing = site::wishes(&mut workspace).missing;
    for (_, request) in &missing {
        commit_used(&workspace.store, request);
        commit(&workspace.store, request);
    }
    missing.len()
}

/// Commits what a request uses, such as scans, where the store does not have it.
pub fn commit_used(store: &Store, request: &Request) {
    for used in request.uses.iter().filter(|used| store.record(&used.key()).is_none()) {
        commit(store, used);
    }
}

/// A colour and a number that differ from request to request.
fn shade(key: &Digest) -> u8 {
    u8::from_str_radix(&key.hex()[..2], 16).expect("a number")
}

fn commit(store: &Store, request: &Request) {
    let key = request.key();
    let mut record = Record::new(key, &request.kind, request.impl_version, request.canonical());
    let image = picture([shade(&key), 0, 0]);
    let number = f64::from(shade(&key)) + 0.25;
    let put = |record: &mut Record, name: &str, media_type: &str, bytes: &[u8]| {
        record.add_output(store, name, media_type, bytes).expect("an output");
    };
    match request.kind.as_str() {
        "scan" => {
            put(&mut record, scan::ACTIVATIONS, "application/octet-stream", &[7; 5000]);
            put(&mut record, scan::SAMPLES, "application/json", b"[]");
            let all = || scan::Distribution { mean: vec![1.0; 256], sd: vec![0.5; 256] };
            let moments = scan::Moments { count: 6, mean: all(), max: all() };
            let json = serde_json::to_vec(&moments).expect("JSON");
            put(&mut record, scan::MOMENTS, "application/json", &json);
            let outcome = scan::Outcome { count: 6, skipped: vec![], ledger: None };
            record.set_result(store, &outcome).expect("a result");
        }
        "feature_vis" => {
            // As wide and as high as its result says.
            let image = sized(6, 6, [shade(&key), 0, 0]);
            put(&mut record, &feature_vis::picture(0), "image/png", &image);
            let made = feature_vis::Made {
                activation: number,
                activation_at_start: 0.5,
                strength: None,
                curve: vec![(0, 0.5), (511, number)],
            };
            let frames = request.params.get("frames").and_then(serde_json::Value::as_u64);
            let film = frames.filter(|frames| *frames > 0).map(|_| {
                let mut bytes = std::io::Cursor::new(Vec::new());
                image::RgbImage::from_pixel(6, 6, image::Rgb([9, shade(&key), 9]))
                    .write_to(&mut bytes, image::ImageFormat::WebP)
                    .expect("a film");
                put(&mut record, &feature_vis::film(0), "image/webp", bytes.get_ref());
                6
            });
            let (web, restarted_with) = (None, None);
            let outcome =
                feature_vis::Outcome { size: 6, web, film, images: vec![made], restarted_with };
            record.set_result(store, &outcome).expect("a result");
        }
        "dataset_examples" => {
            put(&mut record, "example-0.png", "image/png", &image);
            let example = dataset_examples::Example {
                key: "one".into(),
                caption: None,
                label: None,
                activation: number,
                picture: "example-0.png".into(),
                width: 6,
                height: 4,
            };
            let (count, mean, sd, top) = (6, 0.5, 1.0, vec![example]);
            let outcome = dataset_examples::Outcome { count, mean, sd, top };
            record.set_result(store, &outcome).expect("a result");
        }
        "activation_histogram" => {
            let outcome = activation_histogram::Outcome {
                count: 6,
                mean: 0.5,
                sd: 1.0,
                min: -1.0,
                max: number,
                quantiles: vec![(0.5, 0.4).into(), (0.99, 2.9).into()],
                edges: vec![-1.0, 1.0, number.max(1.5)],
                counts: vec![4, 2],
            };
            record.set_result(store, &outcome).expect("a result");
        }
        "text_rank" => {
            let ranked = vec![("red".to_owned(), 0.5).into(), ("green".to_owned(), 0.25).into()];
            let outcome =
                text_rank::Outcome { count: 2, mean: 0.375, sd: 0.125, ranked, pictures: vec![] };
            record.set_result(store, &outcome).expect("a result");
        }
        other => panic!("no results for {other}"),
    }
    record.provenance.device = "cpu".into();
    record.provenance.device_name = "a processor".into();
    record.provenance.started = "2026-01-02T03:04:05Z".into();
    record.provenance.seconds = 1.5;
    record.provenance.model = request.model.name.clone();
    store.commit(&record).expect("a record");
}
