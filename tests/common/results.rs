//! Results that were never measured: for every request of a garden, what its page needs.

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::quiz::{self, Quiz, Trial};
use neuronotes_core::kind::{Kind, Painted, scan};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};

use super::Garden;

/// A PNG of one colour.
pub fn picture(colour: [u8; 3]) -> Vec<u8> {
    paint(&Painted { output: String::new(), media_type: "image/png", size: (6, 4) }, colour)
}

/// A picture of a made-up result.
fn paint(picture: &Painted, colour: [u8; 3]) -> Vec<u8> {
    let format = image::ImageFormat::from_mime_type(picture.media_type).expect("a format");
    let (width, height) = picture.size;
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb(colour))
        .write_to(&mut bytes, format)
        .expect("a picture");
    bytes.into_inner()
}

/// A made-up scan of 256 units.
fn scanned(store: &Store, request: &Request) -> Record {
    let (key, version) = (request.key(), request.impl_version);
    let mut record = Record::new(key, &request.kind, version, request.canonical());
    let mut put = |name: &str, media_type: &str, bytes: &[u8]| {
        record.add_output(store, name, media_type, bytes).expect("an output");
    };
    put(scan::ACTIVATIONS, "application/octet-stream", &[7; 5000]);
    put(scan::SAMPLES, "application/json", b"[]");
    let all = || scan::Distribution { mean: vec![1.0; 256], sd: vec![0.5; 256] };
    let moments = scan::Moments { count: 6, mean: all(), max: all() };
    put(scan::MOMENTS, "application/json", &serde_json::to_vec(&moments).expect("JSON"));
    let outcome = scan::Outcome { count: 6, skipped: vec![], ledger: None };
    record.set_result(store, &outcome).expect("a result");
    measured(&mut record);
    record
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

/// Commits what a request uses, such as scans, and what that uses, where the store does not have it.
pub fn commit_used(store: &Store, request: &Request) {
    for used in &request.uses {
        commit_used(store, used);
        if store.record(&used.key()).is_none() {
            commit(store, used);
        }
    }
}

/// A colour and a number that differ from request to request.
fn shade(key: &Digest) -> u8 {
    u8::from_str_radix(&key.hex()[..2], 16).expect("a number")
}

/// A made-up record of a request, whose numbers follow `number`; `shade` is how red its pictures are.
pub fn record(store: &Store, request: &Request, number: f64, shade: u8) -> Record {
    let kind = Kind::named(&request.kind).unwrap_or_else(|| panic!("no kind {}", request.kind));
    let sample = (kind.sample)(&request.params, number);
    let paint = |picture: &Painted| paint(picture, [shade, 0, 0]);
    let mut record = sample.record(store, request, paint).expect("a record");
    if request.kind == quiz::KIND.name {
        let quiz = serde_json::to_vec(&quiz()).expect("JSON");
        record.add_output(store, quiz::QUIZ, "application/json", &quiz).expect("an output");
    }
    measured(&mut record);
    record
}

/// A made-up quiz of 20 trials and 3 catch trials. The n-th trial's right-hand picture is right if n is a multiple of three.
pub fn quiz() -> Quiz {
    let (scored, catches) = (20, 3);
    let picture = |at: usize| {
        let colour = format!("hsl({} 70% 50%)", at * 37 % 360);
        let svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9' fill='{colour}'/></svg>"
        );
        format!("data:image/svg+xml,{}", svg.replace('%', "%25").replace('#', "%23"))
    };
    let images = (0..scored * 4).map(picture).collect();
    let trial = |at: usize| {
        let first = (at % scored * 4) as u32;
        let catch = at >= scored;
        let [strong, weak] = if catch { [first, first + 1] } else { [first + 2, first + 3] };
        let pair = if at.is_multiple_of(3) { [weak, strong] } else { [strong, weak] };
        Trial { strongest: vec![first; 9], weakest: vec![first + 1; 9], pair, catch }
    };
    let trials: Vec<Trial> = (0..scored + catches).map(trial).collect();
    let right: Vec<bool> = (0..trials.len()).map(|at| at.is_multiple_of(3)).collect();
    Quiz::new(images, trials, &right)
}

/// How it was measured, as a record says it.
pub fn measured(record: &mut Record) {
    record.provenance.device = "cpu".into();
    record.provenance.started = "2026-01-02T03:04:05Z".into();
    record.provenance.seconds = 1.5;
}

/// Commits a made-up result of a request.
pub fn commit(store: &Store, request: &Request) {
    let shade = shade(&request.key());
    let mut record = match request.kind.as_str() {
        scan::NAME => scanned(store, request),
        _ => record(store, request, f64::from(shade) + 0.25, shade),
    };
    record.provenance.device_name = "a processor".into();
    record.provenance.model = request.model.name.clone();
    store.commit(&record).expect("a record");
}
