//! Words drawn in several ways, and which of them move a unit, through a session.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use image::RgbImage;
use neuronotes_core::dataset::{Colour, DatasetRef, Draw, FontFile, Looks, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::drawn_words::{self, Outcome};
use neuronotes_core::kind::scan;
use neuronotes_core::lettering::{Position, Size};
use neuronotes_core::model::Precision;
use neuronotes_core::request::{Inputs, Request};
use neuronotes_core::store::Record;
use neuronotes_lab::clip::preprocess::prepare;
use neuronotes_lab::dataset::open;
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::session::Session;
use neuronotes_lab::table::Scanned;
use serde_json::json;

use crate::support::{
    dataset, emoji_weights, golden, model, repository, session, small_weights, with_scans,
};

const WORDS: &str = "bank\nNew York\nspring\nbank\nwolf\n銀行\n";

/// Two fonts, two colours, two positions.
fn drawn(folder: &Path) -> DatasetRef {
    let (words, font) = (folder.join("words.txt"), folder.join("Serif.ttf"));
    fs::write(&words, WORDS).expect("words");
    fs::copy(repository("data/fonts/DejaVuSerif.ttf"), &font).expect("a font");
    let digest = Digest::of_file(&font).expect("a digest");
    let serif = FontFile { name: "Serif".to_owned(), path: Some(font), digest };
    let looks = Looks {
        sizes: vec![Size::Fit],
        colours: vec![Colour::BLACK, Colour([255, 0, 0])],
        backgrounds: vec![Colour::WHITE],
        positions: vec![Position::CENTRE, Position::named("top").expect("a position")],
    };
    let draw = Some(Draw { fonts: vec![FontFile::built_in(), serif], looks });
    DatasetRef { draw, ..dataset(&format::words::FORMAT, &[&words]) }
}

fn request(dataset: DatasetRef, top: u32) -> Request {
    asked(&emoji_weights(), dataset, 3, top)
}

fn asked(weights: &Path, dataset: DatasetRef, unit: u32, top: u32) -> Request {
    let params =
        json!({ "layer": "visual.layer4.0.add", "unit": unit, "top": top, "pool": "mean" });
    with_scans(Request {
        kind: drawn_words::KIND.name.into(),
        impl_version: drawn_words::KIND.impl_version,
        params: params.as_object().expect("a map").clone(),
        model: model(weights),
        dataset: Some(dataset),
        inputs: Inputs::default(),
        uses: Vec::new(),
        precision: Precision::F32,
    })
}

fn measure(session: &Session, request: &Request) -> Record {
    session.measure(request, &mut Silent).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The key and the activation of each drawing, from the stored scan.
fn scanned(session: &Session, request: &Request) -> Vec<(String, f64)> {
    let record = session.store().record(&request.uses[0].key()).expect("a scan");
    let place = "visual.layer4.0.add";
    let scanned = Scanned::read(session.store(), &record, place, 3, scan::Pool::Mean);
    let Scanned { activations, keys } = scanned.expect("a table").expect("blobs");
    keys.iter().map(str::to_owned).zip(activations).collect()
}

#[test]
fn words_are_ranked_by_the_means_of_their_drawings_as_by_brute_force() {
    let dir = tempfile::tempdir().expect("a folder");
    let session = session(dir.path());
    let request = request(drawn(dir.path()), 2);
    let record = measure(&session, &request);
    let outcome: Outcome = record.result(session.store()).expect("a result");
    let all = scanned(&session, &request);
    // Four words in eight ways; one is in the list twice, and no font has the last.
    assert_eq!((all.len(), outcome.drawings, outcome.words), (32, 32, 4));
    assert_eq!(all[0].0, "bank (DejaVu Sans Bold, black, centre)");
    assert_eq!(all[31].0, "wolf (Serif, red, top)");
    let mut words: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (key, activation) in &all {
        let word = key.split(" (").next().expect("a word");
        words.entry(word).or_default().push(*activation);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut ranked: Vec<(f64, &str)> = words.iter().map(|(word, of)| (mean(of), *word)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let up: Vec<&str> = outcome.up.iter().map(|moved| &*moved.word).collect();
    let down: Vec<&str> = outcome.down.iter().map(|moved| &*moved.word).collect();
    assert_eq!(up, [ranked[0].1, ranked[1].1]);
    assert_eq!(down, [ranked[3].1, ranked[2].1]);
    for (moved, is_up) in
        outcome.up.iter().map(|m| (m, true)).chain(outcome.down.iter().map(|m| (m, false)))
    {
        let of = &words[&*moved.word];
        let sd = mean(&of.iter().map(|x| (x - mean(of)).powi(2)).collect::<Vec<_>>()).sqrt();
        assert!((moved.mean - mean(of)).abs() < 1e-9);
        assert!((moved.sd.expect("a spread") - sd).abs() < 1e-9 && moved.drawings == 8);
        let shown = moved.shown.as_ref().expect("a drawing");
        let end = if is_up { moved.max } else { moved.min };
        assert_eq!(shown.activation, end);
        assert!(all.contains(&(shown.key.clone(), end)));
        assert!(record.outputs.contains_key(&shown.picture));
    }
    let values: Vec<f64> = all.iter().map(|(_, activation)| *activation).collect();
    let total = values.iter().map(|x| (x - mean(&values)).powi(2)).sum::<f64>();
    let between = words.values().map(|of| 8.0 * (mean(of) - mean(&values)).powi(2)).sum::<f64>();
    assert!((outcome.explained.expect("a fraction") - between / total).abs() < 1e-9);
    let median = f64::midpoint(ranked[1].0, ranked[2].0);
    assert!((outcome.median - median).abs() < 1e-9);

    // What could not be drawn is in the scan's ledger.
    let scan = session.store().record(&request.uses[0].key()).expect("a scan");
    let scan: scan::Outcome = scan.result(session.store()).expect("a result");
    let lost = scan.ledger.expect("a ledger").warnings().join("\n");
    assert!(
        lost.contains("Serif has no `銀` (U+9280)") && lost.contains("already (bank)"),
        "{lost}"
    );
}

#[derive(serde::Deserialize)]
struct Golden {
    mean: Vec<f64>,
    sd: Vec<f64>,
    words: BTreeMap<String, Word>,
}

#[derive(serde::Deserialize)]
struct Word {
    mean: Vec<f64>,
    sd: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
}

#[test]
fn the_means_of_words_are_those_of_open_clip_and_numpy() {
    const SIDE: u32 = 64;
    let dir = tempfile::tempdir().expect("a folder");
    let drawn = drawn(dir.path());
    // The drawings that tests/reference/words.py looked at.
    let shard = open(&drawn.shards[0].path, drawn.format, &drawn.reading(), SIDE).expect("words");
    let mut sheet = RgbImage::new(SIDE, SIDE * shard.samples().len() as u32);
    for (row, y) in (0..shard.samples().len()).zip((0..).step_by(SIDE as usize)) {
        let picture = prepare(shard.picture(row).expect("a drawing"), SIDE).expect("a drawing");
        image::imageops::replace(&mut sheet, &picture, 0, y);
    }
    let keys: String = shard.samples().iter().map(|sample| format!("{}\n", sample.key)).collect();
    let (of_sheet, of_keys) = (golden("words.png"), golden("words.txt"));
    if std::env::var_os("NEURONOTES_GOLDEN").is_some_and(|value| value == "write") {
        sheet.save(&of_sheet).expect("written");
        fs::write(&of_keys, &keys).expect("written");
    }
    assert!(image::open(&of_sheet).expect("a sheet").to_rgb8() == sheet, "other drawings");
    assert_eq!(fs::read_to_string(&of_keys).expect("keys"), keys);

    let known = fs::read(golden("words.json")).expect("a golden file");
    let known: Golden = serde_json::from_slice(&known).expect("JSON");
    let session = session(dir.path());
    for unit in [0, 3, 17] {
        let request = asked(&small_weights(), drawn.clone(), unit, 9);
        let record = measure(&session, &request);
        let outcome: Outcome = record.result(session.store()).expect("a result");
        let unit = unit as usize;
        let near = |found: f64, known: &[f64], what: &str| {
            let expected = known[unit];
            let apart = (found - expected).abs();
            assert!(apart < 1e-3 * expected.abs().max(1.0), "{what}: {found} {expected}");
        };
        near(outcome.mean, &known.mean, "mean");
        near(outcome.sd, &known.sd, "deviation");
        assert_eq!(outcome.up.len(), known.words.len());
        for moved in outcome.up.iter().chain(&outcome.down) {
            let word = &known.words[&moved.word];
            near(moved.mean, &word.mean, &moved.word);
            near(moved.sd.expect("a spread"), &word.sd, &moved.word);
            near(moved.min, &word.min, &moved.word);
            near(moved.max, &word.max, &moved.word);
        }
        // Rounding does not change the order of words that lie further apart.
        let means = |list: &[drawn_words::Moved]| -> Vec<f64> {
            list.iter().map(|moved| known.words[&moved.word].mean[unit]).collect()
        };
        assert!(means(&outcome.up).windows(2).all(|two| two[0] > two[1] - 2e-3));
        assert!(means(&outcome.down).windows(2).all(|two| two[0] < two[1] + 2e-3));
    }
}

#[test]
fn a_style_is_part_of_the_scans_key_and_a_plain_list_keeps_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let drawn = drawn(dir.path());
    let plain = DatasetRef { draw: None, ..drawn.clone() };
    let canonical = request(plain.clone(), 2).uses[0].canonical();
    assert_eq!(canonical["dataset"].as_object().expect("a map").len(), 2, "{canonical}");
    let mut other = drawn.clone();
    other.draw.as_mut().expect("a draw").looks.positions.pop();
    let mut font = drawn.clone();
    font.draw.as_mut().expect("a draw").fonts[1].digest = Digest::of(b"another");
    let keys = [&plain, &drawn, &other, &font].map(|set| request(set.clone(), 2).uses[0].key());
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), 4);
}

#[test]
fn a_font_that_changed_since_is_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let request = request(drawn(dir.path()), 2);
    fs::copy(repository("data/fonts/DejaVuSansMono-Bold.ttf"), dir.path().join("Serif.ttf"))
        .expect("another font");
    let session = session(dir.path());
    let failure = session.measure(&request, &mut Silent).expect_err("another font");
    assert!(format!("{failure:?}").contains("has changed since the request was made"));
}
