//! What is measured, what is not measured again, and what becomes of a lab that dies.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::common::{Garden, files};
use super::{block, garden, vis};

fn three(unit: u32, caption: &str) -> String {
    let examples =
        block("dataset_examples", unit, &format!("id: examples\ntop: 5\ncaption: {caption}\n"));
    let histogram = block("activation_histogram", unit, "bins: 4\n");
    format!("Text.\n\n{}{examples}{histogram}", vis(7, 3))
}

/// How many stored results there are of each kind.
pub(super) fn stored(garden: &Garden) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for bytes in files(&garden.path(".neuronotes/store/v1/records")).into_values() {
        let record: serde_json::Value = serde_json::from_slice(&bytes).expect("a record");
        *kinds.entry(record["kind"].as_str().expect("a kind").to_owned()).or_default() += 1;
    }
    kinds
}

fn times(folder: &Path) -> BTreeMap<String, SystemTime> {
    let time = |name: &String| {
        let meta = std::fs::metadata(folder.join(name)).expect("a file");
        meta.modified().expect("a time")
    };
    files(folder).keys().map(|name| (name.clone(), time(name))).collect()
}

#[test]
fn each_figure_is_measured_once() {
    let garden = garden();
    garden.note("a.md", &three(3, "One."));
    garden.note("b.md", &three(3, "The same figures in another note."));
    let first = garden.built();
    assert!(
        first.summary().starts_with("2 notes: 3 figures measured, 0 stored"),
        "{}",
        first.stderr()
    );
    let kinds = |n: usize, scans: usize| {
        [("activation_histogram", n), ("dataset_examples", n), ("feature_vis", 1), ("scan", scans)]
            .map(|(kind, n)| (kind.to_owned(), n))
            .into()
    };
    assert_eq!(stored(&garden), kinds(1, 1));
    let page = garden.page("a.html");
    for wanted in [
        "<dt>device</dt><dd>cpu (",
        "a red square",
        "<svg",
        "<dt>steps</dt><dd>3</dd>",
        "libtorch 2.11",
        ", after a scan of the layer in ",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    // The numbers of a figure are files too: what its fold shows, and the result in full.
    let data = page.split("id=\"examples\"").nth(1).expect("the figure");
    let linked = |ending: &str| {
        let mut hrefs = data.split("href=\"").filter_map(|rest| rest.split('"').next());
        hrefs.find(|href| href.starts_with("figures/data/") && href.ends_with(ending))
    };
    let read = |href: Option<&str>| garden.read(&format!("output/{}", href.expect("a link")));
    let csv = read(linked(".csv"));
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0][..2], ["key", "caption"], "{csv}");
    assert_eq!(rows.len(), 6);
    let json: serde_json::Value = serde_json::from_str(&read(linked(".json"))).expect("JSON");
    for (row, example) in rows[1..].iter().zip(json["top"].as_array().expect("a list")) {
        assert_eq!(row[0], example["key"]);
        let shown: f64 = row[row.len() - 2].parse().expect("a number");
        let whole = example["activation"].as_f64().expect("a number");
        assert!((shown - whole).abs() < 1e-5, "{shown} {whole}");
    }

    // Nothing changed: no lab is started, for there is none, and no file is touched.
    let before = times(&garden.path("output"));
    let none = garden.path("no-such-lab");
    let again = garden.command(&["build"]).env("NEURONOTES_LAB", none).output().expect("a run");
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(times(&garden.path("output")), before);

    // A caption measures nothing.
    garden.note("a.md", &three(3, "Another caption."));
    assert!(garden.build().summary().contains("0 figures measured, 3 stored;"));

    // The unit of one block: one request, and no forward pass, since the layer has been scanned.
    let one = three(3, "One.").replacen("unit: 3\nid: examples", "unit: 4\nid: examples", 1);
    garden.note("a.md", &one);
    assert!(garden.build().summary().contains("1 figure measured, 3 stored"));
    assert_eq!(stored(&garden)["scan"], 1);

    // A caption of the data set: what shows it, and no picture goes through the network again.
    garden.write("data/red.txt", "a very red square");
    let run = garden.build();
    assert!(run.summary().contains("2 figures measured, 2 stored"), "{}", run.summary());
    assert_eq!(stored(&garden)["scan"], 1);
    assert!(garden.page("a.html").contains("a very red square"));

    // A picture of the data set: all that read it, and nothing else.
    std::fs::copy(garden.path("data/red.png"), garden.path("data/red-again.png")).expect("copied");
    let run = garden.build();
    assert!(run.summary().contains("3 figures measured, 1 stored"), "{}", run.summary());
    assert_eq!(stored(&garden)["scan"], 2);
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn a_device_that_is_asked_for_and_absent_is_an_error() {
    let garden = garden();
    garden.note("a.md", &vis(3, 2));
    let run = |device: &str| {
        let mut command = garden.command(&["build"]);
        command.env("NEURONOTES_DEVICE", device).output().expect("a run")
    };
    let failed = run("cuda:63");
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(said.contains("notes/a.md:1:1") && said.contains("cuda:63"), "{said}");
    assert_eq!(stored(&garden), BTreeMap::new(), "nothing is measured elsewhere instead");
    assert_eq!(run("cpu").status.code(), Some(0));
}

#[test]
fn a_damaged_result_is_measured_again_and_never_shown() {
    let garden = garden();
    garden.note("a.md", &vis(3, 2));
    garden.built();
    let clean = garden.output();
    let blobs = garden.path(".neuronotes/store/v1/blobs");
    for name in files(&blobs).into_keys() {
        let path = blobs.join(name);
        let mut bytes = std::fs::read(&path).expect("a blob");
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, bytes).expect("cut short");
    }
    std::fs::remove_dir_all(garden.path("output")).expect("removed");
    let run = garden.build();
    assert!(run.summary().contains("1 figure measured"), "{}", run.stderr());
    let pictures = |files: &BTreeMap<String, Vec<u8>>| {
        files
            .iter()
            .filter(|(name, _)| name.ends_with(".png"))
            .map(|(_, b)| b.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(pictures(&garden.output()), pictures(&clean), "the same key gives the same bytes");
}

#[test]
fn kinds_that_compare_with_texts_scan_once_and_follow_their_pictures() {
    let garden = garden();
    std::fs::create_dir_all(garden.path("notes")).expect("a folder");
    let paint = |grey: u8| {
        let picture = image::RgbImage::from_pixel(96, 96, image::Rgb([grey, 20, 20]));
        picture.save(garden.path("notes/a.png")).expect("a picture");
    };
    paint(200);
    let block = |yaml: &str| format!("```yaml analysis\n{yaml}```\n\n");
    let guess = |classes: &str| {
        block(&format!(
            "kind: zero_shot\ntruth: caption\nclasses: [{classes}]\ntemplates: [\"{{}}\"]\n"
        ))
    };
    let rest = block("kind: zero_shot\nimages: [notes/a.png]\nclasses: [red circle, frog]\n")
        + &block(
            "kind: text_rank\ntexts: [red circle, frog, leaf]\ndirection:\n  sum:\n    - image: notes/a.png\n    \
             - { dataset: emoji, weight: -0.5 }\n    - words: [red, rose]\n",
        );
    let note = |classes: &str| garden.note("a.md", &(guess(classes) + &rest));
    note("a red square, a blue square");
    let first = garden.built();
    assert!(first.summary().contains("3 figures measured, 0 stored"), "{}", first.summary());
    let page = garden.page("a.html");
    for wanted in [
        "of 2 classes; top 1 ",
        "3 images have another true class",
        "Confusion matrix",
        "a.png",
        "picture notes/a.png − 0.5 × mean of the data set emoji + mean of pictures of the words red · rose",
        "<dt>classes</dt><dd>a red square · a blue square</dd>",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    assert!(!page.contains("<dt>unit</dt>") && !page.contains("<dt>layer</dt>"));
    assert!(garden.build().summary().contains("0 figures measured, 3 stored; 0 files written"));

    // Another class: that block alone, and nothing is seen again.
    note("a red square, a blue square, a green square");
    assert!(garden.build().summary().contains("1 figure measured, 2 stored"));
    assert_eq!(stored(&garden)["scan"], 1);

    // Other bytes of the picture: both blocks that name it, and not the third.
    paint(30);
    assert!(garden.build().summary().contains("2 figures measured, 1 stored"));

    // How it is shown measures nothing.
    garden.note(
        "a.md",
        &(guess("a red square, a blue square, a green square")
            + &rest.replace("frog]\n```", "frog]\ntop: 1\n```")),
    );
    assert!(garden.build().summary().contains("0 figures measured, 3 stored"));
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn arithmetic_decides_what_is_measured() {
    let garden = garden();
    let note = |precision: &str| {
        let block = block("dataset_examples", 3, &format!("top: 5\nprecision: {precision}\n"));
        garden.note("a.md", &block);
        garden.build()
    };
    assert!(note("f32").summary().contains("1 figure measured"));
    // bfloat16 rounds otherwise, so neither the figure nor the scan will do.
    let coarse = note("bf16");
    assert!(coarse.summary().contains("1 figure measured"), "{}", coarse.stderr());
    assert_eq!(stored(&garden)["scan"], 2);
    let page = garden.page("a.html");
    assert!(page.contains("<dt>arithmetic</dt><dd>bf16</dd>"), "{page}");
    let refused = note("f16");
    assert_eq!(refused.code(), 1);
    assert!(refused.stderr().contains("half precision (f16) needs a GPU"), "{}", refused.stderr());
    assert!(note("f32").summary().contains("0 figures measured, 1 stored"));
}

#[test]
fn shards_in_whatever_form_are_one_data_set_with_a_ledger() {
    let garden = garden();
    let png = |shade: u8| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_pixel(96, 96, image::Rgb([shade, 40, 90]));
        picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a PNG");
        bytes.into_inner()
    };
    let archive = |files: &[(&str, &[u8])]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).expect("an entry");
        }
        builder.into_inner().expect("an archive")
    };
    // Two archives in one file, with dots in their names; and one that is compressed.
    let first = archive(&[("22.05.png", &png(1)), ("22.05.txt", b"\xef\xbb\xbfthe fifth")]);
    let joined = archive(&[("1.png", &png(90)), ("1.cls", b"7"), ("2.avif", b"not read")]);
    std::fs::create_dir_all(garden.path("shards")).expect("a folder");
    std::fs::write(garden.path("shards/s-000.tar"), [first, joined].concat()).expect("written");
    let packed = std::fs::File::create(garden.path("shards/s-001.tar.gz")).expect("a file");
    let mut gzip = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    let packed = archive(&[("last.png", &png(200)), ("last.json", br#"{"cls": 8}"#)]);
    std::io::Write::write_all(&mut gzip, &packed).expect("written");
    gzip.finish().expect("finished");
    let config = garden.read("neuronotes.yaml");
    let all = "datasets:\n  sharded: { path: \"shards/s-*.tar*\" }\n";
    garden.write("neuronotes.yaml", &config.replace("datasets:\n", all));
    garden.note("a.md", &block("dataset_examples", 3, "dataset: sharded\ntop: 5\n"));
    let run = garden.built();
    assert_eq!(stored(&garden)["scan"], 2, "one a shard");
    let page = garden.page("a.html");
    for wanted in [
        "of 3 images",
        "the fifth",
        "<dt>pictures</dt><dd>3 of 3 read, in 7 entries; 1 with a caption, 2 with a label</dd>",
        "<dt>skipped</dt><dd>1 picture skipped: AVIF is not supported (2.avif)</dd>",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    let said = run.stderr();
    assert!(said.contains("data set `sharded`: 1 picture skipped"), "{said}");
    assert!(garden.build().summary().contains("0 figures measured, 1 stored"));
    assert_eq!(garden.output(), garden.clean_output());
}
