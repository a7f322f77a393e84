//! A garden with two commits, between which everything happened that can happen: results, claims, sentences, text, links and
//! names differ. Its results were never measured.

use std::process::Command;

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::kind::{Kind, Painted, Sample, scan};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use serde_json::{Value, json};

use super::results::{commit_used, measured};
use super::{Garden, block};

/// Runs git in a garden; what it says.
pub fn git(garden: &Garden, arguments: &[&str]) -> String {
    let own = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"];
    let mut command = Command::new("git");
    command.arg("-C").arg(garden.root()).args(own).args(arguments);
    let dates = [
        ("GIT_AUTHOR_DATE", "2026-01-02T12:00:00Z"),
        ("GIT_COMMITTER_DATE", "2026-01-02T12:00:00Z"),
    ];
    let output = command.envs(dates).output().expect("git");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn commit(garden: &Garden, message: &str) {
    git(garden, &["add", "-A"]);
    git(garden, &["commit", "-q", "-m", message]);
}

const LAYER: &str = "layer: image_block_4/0/Add_6\n";

/// A block of this kind about a unit, with more lines.
fn of(id: &str, kind: &str, unit: u32, more: &str) -> String {
    block(&format!("id: {id}\nkind: {kind}\n{LAYER}unit: {unit}\n{more}"))
}

/// Its data change, and it does not.
fn claims() -> String {
    let words = "dataset: words\ntop: 3\nexpect: [\"top[0].activation > 3\"]\n";
    [
        "# Claims\n\nUnit 3 reaches `= flips.top[0].activation | .2f`.\n\n".to_owned(),
        of("flips", "dataset_examples", 3, words),
        of("recovers", "dataset_examples", 4, words),
        of("silent", "dataset_examples", 5, words),
        of("shape", "activation_histogram", 3, "dataset: words\n"),
    ]
    .concat()
}

fn pictures(later: bool) -> String {
    let (steps, other, number) = if later { (77, "added", 4) } else { (512, "dropped", 3) };
    let steps = |more: &str| format!("steps: {steps}\n{more}");
    // Some are new, one is gone.
    let expected = if later { "activation > -9, activation > 99" } else { "activation > -99" };
    let swept = format!("id: grid\nkind: feature_vis\n{LAYER}sweep: {{ unit: [11, 12] }}\n");
    [
        "# Pictures\n\nIt was optimised to `= vis.activation | .1f`.\n\n".to_owned(),
        of("vis", "feature_vis", 3, &steps("caption: It reaches `= vis.activation`.\n")),
        of("seeds", "feature_vis", 3, &steps("seed: 1\n")),
        of("same", "activation_histogram", 6, &format!("bins: {}\n", 29 + number)),
        of("late", "feature_vis", 8, &steps("")),
        block(&format!("{swept}{}", steps(""))),
        of(other, "feature_vis", 9, &format!("steps: {number}\n")),
        of("kept", "feature_vis", 10, &format!("expect: [{expected}]\n")),
    ]
    .concat()
}

const WORDS: &str =
    "An umbrella, a clock and a paper bag were among the pictures that the unit liked.\n";
const OTHERS: &str =
    "Nothing here was kept: this describes another unit, from scratch, with new examples only.\n";

fn state(garden: &Garden, later: bool) {
    let note = |name: &str, text: &str| garden.note(name, text);
    garden.write("data/words.txt", if later { "red\ngreen\nblue\n" } else { "red\ngreen\n" });
    note("claims.md", &claims());
    note("pictures.md", &pictures(later));
    note("quotes.md", "# Quotes\n\nThe other reached `= pictures#vis.activation | .1f`, a lot.\n");
    let (some, old, second) = match later {
        true => ("[[pictures]] and [[nowhere]]", "new-name", "any"),
        false => ("[[claims]] and [[void]]", "old-name", "every"),
    };
    note(
        "links.md",
        &format!(
            "# Links\n\nIt mentions [[first]] and [[second]].\n\nSee {some}, and [[{old}]].\n\n\
             The unit fires for {second} coin, <b>bold</b> or not, and for the word bank.\n"
        ),
    );
    let first = ("first.md", "# First\n\nIt goes away in the end.\n");
    let second = ("second.md", "# Second\n\nQuite another story, of twelve umbrellas.\n");
    let ((here, text), (gone, _)) = if later { (second, first) } else { (first, second) };
    note(here, text);
    note(&format!("{old}.md"), "# A name\n\nThe same words below another name.\n");
    note("rewritten.md", &format!("# Rewritten\n\n{}", if later { OTHERS } else { WORDS }));
    note("plain.md", "# Plain\n\nNothing ever happens.\n");
    if later {
        for name in [gone, "old-name.md"] {
            garden.remove(&format!("notes/{name}"));
        }
    }
}

/// The garden, at its second commit; all is stored but one result of each.
pub fn garden() -> Garden {
    let garden = Garden::new();
    let configured = garden.read("neuronotes.yaml");
    let own = configured.replace("datasets:\n", "datasets:\n  words: { path: data/words.txt }\n");
    garden.write("neuronotes.yaml", &own);
    garden.write(".gitignore", ".neuronotes/\noutput/\n");
    git(&garden, &["init", "-q", "-b", "main"]);
    for later in [false, true] {
        state(&garden, later);
        store(&garden, |request| result(request, later));
        commit(&garden, if later { "second" } else { "first" });
    }
    garden
}

/// A made-up result: what it reaches, and how bright its pictures are.
pub type Reached = Option<(f64, u8)>;

/// Commits a made-up result for all that the garden asks for, does not have, and `reached` says something of.
pub fn store(garden: &Garden, reached: impl Fn(&Request) -> Reached) {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    for (_, request) in site::wishes(&mut workspace).missing {
        let store = &workspace.store;
        match reached(&request) {
            _ if request.kind == scan::NAME => {}
            None => {}
            Some(reached) => {
                commit_used(store, &request);
                store.commit(&made(store, &request, reached)).expect("a record");
            }
        }
    }
}

fn result(request: &Request, later: bool) -> Reached {
    let unit = request.params.get("unit").and_then(Value::as_u64);
    let seed = request.params.get("seed").and_then(Value::as_u64);
    let (strong, weak) = if later { ((1.5, 60), (5.5, 60)) } else { ((5.25, 90), (1.25, 90)) };
    match (request.kind.as_str(), unit) {
        ("dataset_examples", Some(3)) => Some(strong),
        ("dataset_examples", Some(4)) => Some(weak),
        ("dataset_examples", Some(5)) => (!later).then_some(strong),
        ("activation_histogram", Some(6)) => Some((2.0, 0)),
        ("activation_histogram", _) => Some((if later { 2.5 } else { 2.0 }, 0)),
        ("feature_vis", Some(8)) => later.then_some((1.0, 10)),
        // How far seeds are from each other.
        ("feature_vis", Some(3)) if seed == Some(1) => {
            Some(if later { (20.5, 150) } else { (80.25, 50) })
        }
        ("feature_vis", Some(3)) => Some(if later { (68.5, 128) } else { (32.25, 80) }),
        ("feature_vis", Some(unit)) => {
            Some((unit as f64 + f64::from(later), if later { 120 } else { 30 }))
        }
        _ => None,
    }
}

/// A made-up record with pictures that have a pattern, a list of images and embeddings, all of which follow what was reached.
pub fn made(store: &Store, request: &Request, (number, shade): (f64, u8)) -> Record {
    let kind = Kind::named(&request.kind).expect("a kind");
    let Sample { mut result, mut pictures } = (kind.sample)(&request.params, number);
    if let Some(images) = result.get("images").and_then(Value::as_array).cloned() {
        result["size"] = 96.into();
        let angle = (number / 100.0) as f32;
        let embedding = json!([angle.cos(), angle.sin()]);
        for at in 0..images.len() {
            result["images"][at]["embedding"] = embedding.clone();
        }
        pictures.iter_mut().for_each(|picture| picture.size = (96, 96));
    }
    if let Some(first) = result.pointer("/top/0").cloned() {
        let names: &[&str] =
            if number > 3.0 { &["red", "green", "grey"] } else { &["green", "blue", "red"] };
        let item = |(at, name): (usize, &&str)| {
            let mut item = first.clone();
            (item["key"], item["caption"]) = ((*name).into(), (*name).into());
            item["activation"] = json!(number - at as f64 / 4.0);
            item["picture"] = format!("example-{at}.png").into();
            item
        };
        result["top"] = names.iter().enumerate().map(item).collect();
        let more = |at: usize| Painted {
            output: format!("example-{at}.png"),
            media_type: "image/png",
            size: (6, 4),
        };
        pictures.extend((1..names.len()).map(more));
    }
    let mut record =
        Record::new(request.key(), &request.kind, request.impl_version, request.canonical());
    for (at, picture) in pictures.iter().enumerate() {
        let bytes = pattern(picture, shade.saturating_add(at as u8 * 20));
        record.add_output(store, &picture.output, picture.media_type, &bytes).expect("an output");
    }
    record.set_result(store, &result).expect("a result");
    measured(&mut record);
    record
}

/// Stripes of a width and a colour that follow the shade.
fn pattern(picture: &Painted, shade: u8) -> Vec<u8> {
    let (width, height) = picture.size;
    let stripe = 6 + u32::from(shade) / 32;
    let pixel = |x: u32, y: u32| {
        let light = if ((x + y) / stripe).is_multiple_of(2) { 200 } else { 60 };
        image::Rgb([shade, light, (255 * y / height) as u8])
    };
    let format = image::ImageFormat::from_mime_type(picture.media_type).expect("a format");
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_fn(width, height, pixel).write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}
