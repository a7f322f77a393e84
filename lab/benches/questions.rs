//! How long the lab takes over a question to a stored scan: a made-up data set and its scans in; a line of JSON for each kind
//! out.
//!
//! Activations are random, and pictures small. A question is measured as in use, from the request to the committed result. The
//! first question to the data set is asked by a process that has not read it yet; the others follow in the same process, each
//! about another unit. Questions about all units of the layer are asked once each, by such a process, too.

mod common;

use std::fs::{self, File};
use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use common::Common;
use half::f16;
use image::{ImageFormat, Rgb, RgbImage};
use neuronotes_core::dataset::{DatasetRef, Labels, ShardRef, Table, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::kind::scan::{self, ACTIVATIONS, DIGESTS, KEYS, MOMENTS};
use neuronotes_core::kind::{KINDS, Kind};
use neuronotes_core::model::{Conventions, ModelRef, Place, Precision};
use neuronotes_core::request::{Inputs, Request};
use neuronotes_core::store::{Record, Store};
use neuronotes_lab::device::{Device, DeviceChoice};
use neuronotes_lab::kept::{Input, Kept};
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::session::Session;
use neuronotes_lab::table::layout::Rows;
use rand::rngs::SmallRng;
use rand::{RngCore as _, SeedableRng as _};
use serde_json::{Map, Value, json};

/// The layer that the scans are said to be of.
const LAYER: &str = "visual.layer4.1.add";
/// Numbers of an embedding.
const EMBEDDING: usize = 128;
/// Further questions of each kind.
const FURTHER: u32 = 9;

#[derive(Debug, Parser)]
struct Arguments {
    /// The weights
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/emoji-clip.safetensors"))]
    model: PathBuf,
    /// Images of the data set
    #[arg(long, default_value_t = 100_000)]
    images: usize,
    /// Images of a shard
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(32..))]
    shard: u32,
    /// Units of the layer
    #[arg(long, default_value_t = 2_560, value_parser = clap::value_parser!(u32).range(16..))]
    units: u32,
    /// Words that all units are labelled with
    #[arg(long, default_value_t = 10_000)]
    words: u32,
    /// Ask only questions of this kind
    #[arg(long)]
    only: Option<String>,
    #[command(flatten)]
    common: Common,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.common.run(|| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let made = Made::new(arguments, folder.path(), Shown::Pictures)?;
    let words = Made::new(arguments, folder.path(), Shown::Words)?;
    let bytes: u64 =
        made.scans.iter().flat_map(|record| record.outputs.values()).map(|o| o.bytes).sum();
    print(&json!({
        "images": arguments.images,
        "units": arguments.units,
        "shards": made.scans.len(),
        "bytes of the scans": bytes,
        "bytes per image": bytes as f64 / arguments.images as f64,
    }))?;
    for (kind, made, params) in [
        ("activation_histogram", &made, json!({ "bins": 40, "pool": "mean" })),
        ("unit_summary", &made, json!({ "pool": "max" })),
        ("dataset_examples", &made, json!({ "top": 9, "order": "strongest", "pool": "mean" })),
        ("category_response", &made, json!({ "pool": "mean" })),
        ("conditional", &made, json!({ "sample": 50, "seed": 0, "pool": "mean" })),
        ("words", &words, json!({ "top": 10, "pool": "mean" })),
    ] {
        let Some(kind) = asked(arguments, kind) else { continue };
        // A process that has not read anything yet.
        let session = made.session(folder.path())?;
        let ask = |unit: u32| -> Result<f64> {
            let request = made.question(kind, &params, Some(unit));
            let begun = Instant::now();
            session.measure(&request, &mut Silent).map_err(|error| error.to_string())?;
            Ok(begun.elapsed().as_secs_f64() * 1e3)
        };
        let first = ask(0)?;
        let mut further = (1..=FURTHER)
            .map(|at| ask(at * (arguments.units - 1) / FURTHER))
            .collect::<Result<Vec<_>>>()?;
        further.sort_by(f64::total_cmp);
        print(&json!({
            "kind": kind.name,
            "first, ms": first,
            "further, median, ms": further[further.len() / 2],
            "further, longest, ms": further[further.len() - 1],
        }))?;
    }
    let words: Vec<String> = (0..arguments.words).map(|at| format!("word {at}")).collect();
    let half: Vec<String> = (0..6).map(|at| format!("label {at}")).collect();
    let sizes: Vec<Value> = (1..=6)
        .map(|size| json!({ "label": format!("{size} labels"), "names": half[..size] }))
        .collect();
    for (kind, what, params) in [
        (
            "unit_search",
            "one label against all others",
            json!({ "positive": { "labels": ["label 3"] }, "order": "both", "top": 12, "pool": "mean" }),
        ),
        (
            "selectivity",
            "one label, one unit",
            json!({
                "unit": 3, "by": "label", "categories": [{ "label": "label 3", "names": ["label 3"] }], "way": "higher",
                "permutations": 1000, "seed": 0, "pool": "mean",
            }),
        ),
        (
            "selectivity",
            "half of all labels together, one unit",
            json!({
                "unit": 3, "by": "label", "categories": [{ "label": "half", "names": half }], "way": "higher",
                "permutations": 1000, "seed": 0, "pool": "mean",
            }),
        ),
        (
            "selectivity",
            "six categories of different sizes, the best unit for each",
            json!({
                "by": "label", "categories": sizes, "held_out": 0.5, "way": "higher", "permutations": 1000, "seed": 0, "pool": "mean",
            }),
        ),
        (
            "labels",
            "words by SoftWPMI",
            json!({
                "texts": words, "method": "soft_wpmi", "templates": ["{}"], "truncate": false, "strongest": 100, "top": 1,
                "held_out": 0.3, "seed": 0, "pool": "mean",
            }),
        ),
        (
            "labels",
            "formulas by INVERT",
            json!({
                "method": "invert", "length": 3, "beam": 5, "widest": 0.5, "top": 1, "held_out": 0.3, "seed": 0,
                "pool": "mean",
            }),
        ),
        ("unit_quality", "all units", json!({ "strongest": 20, "seed": 0, "pool": "mean" })),
    ] {
        let Some(kind) = asked(arguments, kind) else { continue };
        let session = made.session(folder.path())?;
        let request = made.question(kind, &params, None);
        let begun = Instant::now();
        session.measure(&request, &mut Silent).map_err(|error| error.to_string())?;
        let seconds = begun.elapsed().as_secs_f64();
        print(&json!({
            "kind": kind.name, "of the layer": what, "seconds": seconds, "most resident MB so far": memory(),
        }))?;
    }
    Ok(())
}

/// The kind of that name, if questions of it are asked.
fn asked(arguments: &Arguments, name: &str) -> Option<&'static Kind> {
    let is_asked = arguments.only.as_deref().is_none_or(|only| only == name);
    KINDS.iter().copied().find(|known| known.name == name && is_asked)
}

/// The most memory that this process has had so far, in MB; `None` where the system does not say.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

/// What a data set shows.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    /// Archives of pictures with labels.
    Pictures,
    /// Lists of words, each drawn in one way.
    Words,
}

/// A data set with its scans.
struct Made {
    model: ModelRef,
    dataset: DatasetRef,
    scans: Vec<Record>,
}

impl Made {
    fn new(arguments: &Arguments, folder: &Path, shown: Shown) -> Result<Self> {
        let path = fs::canonicalize(&arguments.model)?;
        let digest = Digest::of_file(&path)?;
        let model =
            ModelRef { name: "model".into(), path, digest, conventions: Conventions::default() };
        let mut picture = Cursor::new(Vec::new());
        RgbImage::from_pixel(32, 32, Rgb([90, 120, 200]))
            .write_to(&mut picture, ImageFormat::Png)?;
        let picture = picture.into_inner();
        let mut digests = FileDigests::default();
        let mut shards = Vec::new();
        let mut keys = Vec::new();
        for start in (0..arguments.images).step_by(arguments.shard as usize) {
            let end = (start + arguments.shard as usize).min(arguments.images);
            let what = if shown == Shown::Words { "word" } else { "picture" };
            let own: Vec<String> = (start..end).map(|at| format!("{what}-{at:07}")).collect();
            let shard = match shown {
                Shown::Pictures => {
                    let path = folder.join(format!("{start:07}.tar"));
                    archive(&path, &own, &picture)?;
                    let digest = digests.digest(&path)?;
                    let pictures = Some(digests.pictures(&path)?);
                    ShardRef { pictures, ..ShardRef::new(path, digest) }
                }
                Shown::Words => {
                    let path = folder.join(format!("{start:07}.txt"));
                    fs::write(&path, own.join("\n"))?;
                    let digest = digests.digest(&path)?;
                    ShardRef::new(path, digest)
                }
            };
            shards.push(shard);
            keys.push(own);
        }
        let dataset = DatasetRef {
            name: "data".into(),
            format: match shown {
                Shown::Pictures => &format::tar::FORMAT,
                Shown::Words => &format::words::FORMAT,
            },
            captions: false,
            labels: Labels::Files,
            table: Table::default(),
            draw: None,
            shards,
        };
        let mut made = Self { model, dataset, scans: Vec::new() };
        let store = Store::open(&folder.join("store"))?;
        looked_at(&store, &made)?;
        let mut random = SmallRng::seed_from_u64(0);
        let place = Place::Layer(LAYER.into());
        let requests =
            scan::requests(&made.model, &made.dataset, &place, &Inputs::default(), Precision::F32);
        for (shard, (request, keys)) in requests.iter().zip(&keys).enumerate() {
            let keys = (shard, keys.as_slice());
            let record = scanned(&store, request, keys, arguments.units as usize, &mut random)?;
            made.scans.push(record);
        }
        Ok(made)
    }

    fn session(&self, folder: &Path) -> Result<Session> {
        let store = Store::open(&folder.join("store"))?;
        Ok(Session::new(store, Device::open(DeviceChoice::Cpu)?))
    }

    /// A question about a unit, or about the whole layer.
    fn question(&self, kind: &Kind, params: &Value, unit: Option<u32>) -> Request {
        let mut params: Map<String, Value> = params.as_object().cloned().unwrap_or_default();
        params.insert("layer".into(), LAYER.into());
        if let Some(unit) = unit {
            params.insert("unit".into(), unit.into());
        }
        let (model, inputs) = (self.model.clone(), Inputs::default());
        let place = Place::Layer(LAYER.into());
        Request {
            kind: kind.name.into(),
            impl_version: kind.impl_version,
            params,
            uses: scan::requests(&model, &self.dataset, &place, &inputs, Precision::F32),
            model,
            dataset: Some(DatasetRef { captions: kind.captions, ..self.dataset.clone() }),
            inputs,
            precision: Precision::F32,
        }
    }
}

/// Does what a scan does before it looks at pictures: digests the weights, and digests and lists the shards. Digests and indexes
/// of shards stay beside the store.
fn looked_at(store: &Store, made: &Made) -> Result<()> {
    let dataset = &made.dataset;
    // A file that has just been written may be written again unnoticed; its digest is taken anew each time.
    thread::sleep(Duration::from_secs(3));
    let kept = Kept::on(Device::open(DeviceChoice::Cpu)?, store.clone());
    kept.digest(&made.model.path, &Input::Weights)?;
    for shard in &dataset.shards {
        for input in [Input::Shard, Input::Pictures] {
            kept.digest(&shard.path, &input(dataset.format, dataset.table.clone()))?;
        }
        kept.shard(dataset, shard, 0)?;
    }
    kept.save();
    Ok(())
}

/// An archive with the same picture and another label under each key.
fn archive(path: &Path, keys: &[String], picture: &[u8]) -> io::Result<()> {
    let mut builder = tar::Builder::new(io::BufWriter::new(File::create(path)?));
    for (at, key) in keys.iter().enumerate() {
        let label = format!("label {}", at % 12);
        for (ending, bytes) in [("png", picture), ("cls", label.as_bytes())] {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, format!("{key}.{ending}"), bytes)?;
        }
    }
    builder.into_inner()?.flush()
}

/// A scan of random activations. No two of the strongest are equal, so that none has to be computed again.
fn scanned(
    store: &Store,
    request: &Request,
    (shard, keys): (usize, &[String]),
    units: usize,
    random: &mut SmallRng,
) -> Result<Record> {
    let mut table = |columns: usize| -> Vec<u8> {
        let mut bytes = Vec::with_capacity(keys.len() * columns * 2);
        for _ in 0..keys.len() * columns {
            let number = f32::from(random.next_u32() as u16) / 65536.0 - 0.5;
            bytes.extend(f16::from_f32(number).to_le_bytes());
        }
        bytes
    };
    let (mut mean, max, embedding) = (table(units), table(units), table(EMBEDDING));
    // Each shard has some of the strongest.
    for unit in 0..units {
        for rank in 0..4 {
            let place = ((rank * 7 + unit) % keys.len() * units + unit) * 2;
            let number = f16::from_f32(1.0 + (shard * 4 + rank) as f32 / 8.0);
            mean[place..place + 2].copy_from_slice(&number.to_le_bytes());
        }
    }
    let rows = Rows { mean: &mean, max: &max, embedding: &embedding };
    let (file, digests) = rows.laid(keys.len(), units, EMBEDDING)?;
    let mut record =
        Record::new(request.key(), &request.kind, request.impl_version, request.canonical());
    for (name, bytes) in
        [(ACTIVATIONS, &file), (DIGESTS, &digests), (KEYS, &serde_json::to_vec(keys)?)]
    {
        record.add_output(store, name, "application/octet-stream", bytes)?;
    }
    let none = || scan::Distribution { mean: vec![0.0; units], sd: vec![1.0; units] };
    let moments = scan::Moments { count: keys.len() as u64, mean: none(), max: none() };
    record.add_output(store, MOMENTS, "application/json", &serde_json::to_vec(&moments)?)?;
    let outcome = scan::Outcome { count: keys.len() as u64, skipped: Vec::new(), ledger: None };
    record.set_result(store, &outcome)?;
    store.commit(&record)?;
    Ok(record)
}

fn print(value: &impl std::fmt::Display) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}
