//! Golden results of every kind: what a kind measures may change only together with its `impl_version`, since stored
//! results are found again under it.
//!
//! Each kind's own example is measured with the repository's network over ten pictures and a few words. Numbers may
//! differ by rounding, since machines do; pictures are compared by the colours of sixteen fields.
//! `NEURONOTES_GOLDEN=write` makes goldens for kinds that have none or whose version was raised.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::kind::{KINDS, scan};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use neuronotes_lab::monitor::Silent;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

use crate::support::{golden, repository, session};

/// As far as numbers may lie apart: relative, and absolute near zero.
const APART: (f64, f64) = (2e-3, 1e-4);
/// As far as grey levels may lie apart.
const LEVELS: f64 = 6.0;
/// Differences that are named.
const NAMED: usize = 5;

/// What is added to a kind's example, so that it is measured in a moment.
fn brief(kind: &str) -> &'static str {
    match kind {
        "feature_vis" => "size: 48\nsteps: 12\n",
        "quiz" => "trials: 2\nreferences: 2\n",
        "direction" | "concept" | "labels" => "held_out: 0.5\n",
        // They need several images of a class.
        "probe" | "category_response" | "conditional" => "dataset: attacks\n",
        _ => "",
    }
}

/// The request of every kind's example, and of a scan.
pub(crate) fn requests(garden: &Path) -> BTreeMap<String, Request> {
    let write = |name: &str, text: &str| {
        let path = garden.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    // A facet needs at least ten of each.
    let words =
        ["apple", "guitar", "New York", "wolf", "bank", "red", "spring", "castle", "one", "face"];
    write("words.txt", &words.join("\n"));
    let path = |name: &str| repository(name).canonicalize().expect("a file").display().to_string();
    let (model, data) = (path("models/emoji-clip.safetensors"), path("data/blank-notes.tar"));
    let attacks = path("data/attacks.tar");
    write(
        "neuronotes.yaml",
        &format!(
            "models:\n  emoji: {{ path: {model} }}\ndatasets:\n  emoji: {{ path: {data} }}\n  words: {{ path: words.txt }}\n  attacks: {{ path: {attacks} }}\n\
             defaults: {{ model: emoji, dataset: emoji }}\n"
        ),
    );
    for kind in KINDS {
        let block = format!("{}{}", kind.example, brief(kind.name));
        write(&format!("notes/{}.md", kind.name), &format!("```yaml analysis\n{block}```\n"));
    }
    let mut workspace = Workspace::open(garden).expect("a garden");
    let plan = site::wishes(&mut workspace).plan;
    let all = plan.requests.iter().map(|(_, request)| (**request).clone());
    let mut all: BTreeMap<_, _> = all.map(|request| (request.kind.clone(), request)).collect();
    let mut scans = all["activation_histogram"].uses.iter();
    let scan = scans.find(|used| used.kind == scan::NAME).expect("a scan").clone();
    all.insert(scan.kind.clone(), scan);
    all
}

/// A number with six digits that count.
fn rounded(number: f64) -> Value {
    format!("{number:.5e}").parse::<f64>().map_or(Value::Null, Value::from)
}

/// JSON whose numbers with a fraction are rounded.
fn brought_down(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => rounded(number.as_f64().unwrap_or_default()),
        Value::Array(items) => items.into_iter().map(brought_down).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, brought_down(value))).collect()
        }
        other => other,
    }
}

/// The mean colours of a picture's sixteen fields.
fn colours(bytes: &[u8]) -> Value {
    let picture = image::load_from_memory(bytes).expect("a picture").to_rgb8();
    let (width, height) = picture.dimensions();
    let mut fields = vec![[0.0f64; 4]; 16];
    for (x, y, pixel) in picture.enumerate_pixels() {
        let field = &mut fields[((y * 4 / height) * 4 + x * 4 / width) as usize];
        (0..3).for_each(|band| field[band] += f64::from(pixel.0[band]));
        field[3] += 1.0;
    }
    let means = fields.iter().map(|[r, g, b, n]| [r / n, g / n, b / n].map(f64::round));
    json!({ "size": [width, height], "colours": means.collect::<Vec<_>>() })
}

/// Of each tensor its shape, its mean and its deviation.
fn tensors(bytes: &[u8]) -> Value {
    let tensors = SafeTensors::deserialize(bytes).expect("tensors");
    let mut out = Map::new();
    for (name, view) in tensors.iter() {
        let data = view.data();
        let values: Vec<f64> = match view.dtype() {
            Dtype::F32 => data
                .chunks_exact(4)
                .map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
                .collect(),
            Dtype::F16 => data
                .chunks_exact(2)
                .map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f64())
                .collect(),
            other => panic!("numbers of the type {other:?}"),
        };
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
        let (mean, sd) = (rounded(mean), rounded(sd));
        out.insert(name.to_owned(), json!({ "shape": view.shape(), "mean": mean, "sd": sd }));
    }
    Value::Object(out)
}

/// What came out, as far as it is to stay the same.
fn outputs(store: &Store, record: &Record) -> Value {
    let mut out = Map::new();
    // Digests are those of numbers whose last digits may differ.
    for (name, output) in record.outputs.iter().filter(|(name, _)| *name != scan::DIGESTS) {
        let bytes = store.blob(&output.digest).expect("a blob");
        let value = match output.media_type.as_str() {
            "application/json" => brought_down(serde_json::from_slice(&bytes).expect("JSON")),
            kind if kind.starts_with("image/") => colours(&bytes),
            _ if name.ends_with(".safetensors") => tensors(&bytes),
            other => panic!("nothing compares outputs of the type {other}"),
        };
        out.insert(name.clone(), value);
    }
    Value::Object(out)
}

/// Names every place where two outputs lie further apart than they may.
fn compare(place: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(before), Value::Object(now)) if before.keys().eq(now.keys()) => {
            for (name, old) in before {
                compare(&format!("{place}.{name}"), old, &now[name], found);
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (index, (old, new)) in before.iter().zip(now).enumerate() {
                compare(&format!("{place}[{index}]"), old, new, found);
            }
        }
        (Value::Number(before), Value::Number(now)) => {
            let numbers = before.as_f64().zip(now.as_f64());
            let (old, new) = numbers.unwrap_or((f64::NAN, f64::NAN));
            let may = match place.contains(".colours[") {
                true => LEVELS,
                false if before.is_f64() => APART.1.max(APART.0 * old.abs()),
                false => 0.0,
            };
            // Also where one of them is none.
            let apart = (old - new).abs();
            if apart.is_nan() || apart > may {
                found.push(format!("{place}: {old} → {new}"));
            }
        }
        _ if old == new => {}
        _ => found.push(format!("{place}: {old} → {new}")),
    }
}

/// What is wrong with a golden, given what was measured now; nothing where they agree.
fn judge(kind: &str, golden: Option<&Value>, now: &Value) -> Option<String> {
    let write = "make it anew with NEURONOTES_GOLDEN=write";
    let Some(golden) = golden else { return Some(format!("{kind} has no golden result: {write}")) };
    for (field, what) in
        [("impl_version", "version"), ("model", "weights"), ("params", "parameters")]
    {
        if golden[field] != now[field] {
            return Some(format!(
                "the golden result of {kind} is of another {what} ({} → {}): {write}",
                golden[field], now[field]
            ));
        }
    }
    let mut found = Vec::new();
    compare("", &golden["outputs"], &now["outputs"], &mut found);
    let first = found.iter().take(NAMED).cloned().collect::<Vec<_>>().join("\n  ");
    (!found.is_empty()).then(|| {
        format!(
            "what {kind} measures has changed, and its impl_version has not; raise it, or mend what changed:\n  {first}\n  \
             ({} differences)",
            found.len()
        )
    })
}

#[test]
fn what_a_kind_measures_changes_only_with_its_version() {
    let dir = tempfile::tempdir().expect("a folder");
    let requests = requests(&dir.path().join("garden"));
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).chain([scan::NAME]).collect();
    let session = session(dir.path());
    let writes = std::env::var_os("NEURONOTES_GOLDEN").is_some_and(|value| value == "write");
    let mut wrong = Vec::new();
    for kind in &kinds {
        let request = requests.get(*kind).unwrap_or_else(|| panic!("{kind} has no example"));
        let record = session.measure(request, &mut Silent).expect(kind);
        let now = json!({
            "kind": kind,
            "impl_version": request.impl_version,
            "model": request.model.digest,
            "params": request.params,
            "outputs": outputs(session.store(), &record),
        });
        let path = golden(&format!("kinds/{kind}.json"));
        let known = fs::read(&path).ok();
        let known: Option<Value> =
            known.map(|bytes| serde_json::from_slice(&bytes).expect("a golden result"));
        let Some(message) = judge(kind, known.as_ref(), &now) else { continue };
        // A change under the same version is never made right by writing it down.
        if writes && message.contains("NEURONOTES_GOLDEN=write") {
            let mut text = serde_json::to_string_pretty(&now).expect("JSON");
            text.push('\n');
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, text).expect("written");
            continue;
        }
        wrong.push(message);
    }
    for entry in fs::read_dir(golden("kinds")).expect("goldens") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if !kinds.contains(&name.trim_end_matches(".json")) {
            wrong.push(format!("the golden result {name} is of no kind: remove it"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_change_is_told_from_rounding() {
    let golden = json!({
        "impl_version": 1, "model": "a", "params": {},
        "outputs": { "r": { "x": 2.5, "n": 4, "s": "a" }, "p": { "colours": [[10.0, 20.0, 30.0]] } },
    });
    let judged = |pointer: &str, value: Value| {
        let mut now = golden.clone();
        *now.pointer_mut(pointer).expect("a place") = value;
        judge("kind", Some(&golden), &now).unwrap_or_default()
    };
    assert_eq!(judged("/outputs/r/x", json!(2.504)), "");
    assert!(judged("/outputs/r/x", json!(2.51)).contains("raise it, or mend what changed"));
    assert!(judged("/outputs/r/x", Value::Null).contains(".r.x: 2.5 → null"));
    assert!(judged("/outputs/r/n", json!(5)).contains(".r.n: 4 → 5"));
    assert!(judged("/outputs/r/s", json!("b")).contains("(1 differences)"));
    assert_eq!(judged("/outputs/p/colours/0/1", json!(26.0)), "");
    assert!(judged("/outputs/p/colours/0/1", json!(27.0)).contains("mend"));
    assert!(judged("/impl_version", json!(2)).contains("another version (1 → 2): make it anew"));
    assert!(judge("kind", None, &golden).expect("none").contains("has no golden result"));
}
