//! How many pictures a second the lab takes in: a folder of pictures and weights in; on standard input a line for each
//! measurement, on standard output a line of JSON for each.
//!
//! `cargo xtask bench data` runs it in turns with a PyTorch DataLoader, Pillow and open_clip. By hand:
//! `echo prepare | data --folder FOLDER`, where `prepare` decodes, resizes and normalises all pictures, and `scan` makes the
//! scan of a layer and commits it to a new store. `grow N` scans archives of N small pictures together, and says how much memory
//! the process has at each tenth of them.

mod common;

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufWriter, Cursor, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use common::Common;
use image::{ImageFormat, Rgb, RgbImage};
use neuronotes_core::dataset::{DatasetRef, Format, Labels, ShardRef, Table, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::kind::scan;
use neuronotes_core::model::{Conventions, ModelRef, Place, Precision};
use neuronotes_core::request::Inputs;
use neuronotes_core::store::Store;
use neuronotes_lab::batch::Batch;
use neuronotes_lab::clip::{Clip, Loading};
use neuronotes_lab::dataset::{self, Shard};
use neuronotes_lab::device::{Device, DeviceChoice};
use neuronotes_lab::feed::feed;
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::session::Session;
use serde_json::json;

/// Pictures of an archive.
const SHARD: usize = 4_000;

#[derive(Debug, Parser)]
struct Arguments {
    /// The folder of pictures
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The weights
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/emoji-clip.safetensors"))]
    model: PathBuf,
    /// The layer
    #[arg(long, default_value = "visual.layer4.1.add")]
    layer: String,
    /// Threads of libtorch, and of decoding; else as many as there are cores
    #[arg(long)]
    threads: Option<usize>,
    /// `cpu`, or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceChoice,
    #[command(flatten)]
    common: Common,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.common.run(|| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<()> {
    let device = Device::open(arguments.device)?;
    if let Some(threads) = arguments.threads {
        tch::set_num_threads(i32::try_from(threads)?);
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    let path = fs::canonicalize(&arguments.model)?;
    let digest = Digest::of_file(&path)?;
    let model =
        ModelRef { name: "model".into(), path, digest, conventions: Conventions::default() };
    let folder = arguments.folder.clone().unwrap_or_default();
    let bench = Bench { device, model, layer: arguments.layer.clone() };
    print(&json!({ "device": bench.device.name, "threads": tch::get_num_threads() }))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_once(' ').unwrap_or((&line, "")) {
            ("prepare", _) => bench.prepare(&folder)?,
            ("scan", _) => {
                bench.scan(std::slice::from_ref(&folder), &format::folder::FORMAT, |_| ())?
            }
            ("grow", count) => bench.grow(count.parse()?)?,
            (other, _) => {
                return Err(format!("`{other}` is not `prepare`, `scan` or `grow`").into());
            }
        };
        print(&answer)?;
    }
    Ok(())
}

struct Bench {
    device: Device,
    model: ModelRef,
    layer: String,
}

impl Bench {
    /// Decodes, resizes and normalises all pictures of a folder.
    fn prepare(&self, folder: &Path) -> Result<serde_json::Value> {
        let loading = Loading::new(self.device.torch, Conventions::default());
        let clip = Clip::load(&self.model.path, loading)?;
        let begun = Instant::now();
        let shard = dataset::open(folder, &format::folder::FORMAT, &Labels::Files.into(), 0)?;
        let rows: Vec<(&dyn Shard, usize)> =
            (0..shard.samples().len()).map(|row| (shard.as_ref(), row)).collect();
        let mut done = 0;
        let chunk = Batch::on(self.device.torch).size();
        feed(&rows[..], clip.architecture.image_size, chunk, |batch| {
            let input = clip.input(&batch.pixels, batch.good.len())?;
            done += input.size()[0];
            Ok(())
        })?;
        Ok(json!({ "done": done, "seconds": begun.elapsed().as_secs_f64() }))
    }

    /// Scans shards into a new store. `step` is called with the number of shards that are done.
    fn scan(
        &self,
        shards: &[PathBuf],
        format: &'static Format,
        mut step: impl FnMut(usize),
    ) -> Result<serde_json::Value> {
        let (mut digests, table) = (FileDigests::default(), Table::default());
        let shards = shards.iter().map(|path| {
            let digest = (format.digest)(&mut digests, path, &table)?;
            let pictures = format.pictures.map(|of| of(&mut digests, path, &table)).transpose()?;
            Ok(ShardRef { pictures, ..ShardRef::new(path.clone(), digest) })
        });
        let dataset = DatasetRef {
            name: "data".into(),
            format,
            captions: false,
            labels: Labels::Files,
            shards: shards.collect::<io::Result<_>>()?,
            table,
            draw: None,
        };
        let place = Place::Layer(self.layer.clone());
        let requests =
            scan::requests(&self.model, &dataset, &place, &Inputs::default(), Precision::F32);
        let folder = tempfile::tempdir()?;
        let session = Session::new(Store::open(folder.path())?, self.device.clone());
        let begun = Instant::now();
        let mut done = 0;
        for (at, request) in requests.iter().enumerate() {
            let record = session.measure(request, &mut Silent)?;
            let outcome: scan::Outcome = record.result(session.store()).ok_or("no result")?;
            done += outcome.count;
            step(at + 1);
        }
        Ok(json!({ "done": done, "seconds": begun.elapsed().as_secs_f64() }))
    }

    /// Scans that many small pictures, in archives of some thousand each.
    fn grow(&self, count: usize) -> Result<serde_json::Value> {
        let folder = tempfile::tempdir()?;
        let mut paths = Vec::new();
        for first in (0..count).step_by(SHARD) {
            let path = folder.path().join(format!("{first:08}.tar"));
            archive(&path, first..(first + SHARD).min(count))?;
            paths.push(path);
        }
        let mut resident = vec![memory("VmRSS")];
        let shards = paths.len();
        let answer = self.scan(&paths, &format::tar::FORMAT, |done| {
            if done * 10 / shards >= resident.len() {
                resident.push(memory("VmRSS"));
                eprintln!("{done} of {shards} archives: {} MB", memory("VmRSS"));
            }
        })?;
        Ok(json!({
            "done": answer["done"],
            "seconds": answer["seconds"],
            "resident MB at each tenth": resident,
            "most resident MB": memory("VmHWM"),
        }))
    }
}

/// Memory of this process in MB, by its name in /proc; 0 where the system does not tell.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let bytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    bytes.unwrap_or_default() / 1024
}

/// An archive of small JPEGs, of which some hundred differ.
fn archive(path: &Path, numbers: Range<usize>) -> Result<()> {
    let pictures = (0..256u32).map(|seed| {
        let level = |x: u32, y: u32| ((x * (seed % 7 + 1) + y * (seed % 5 + 2) + seed) % 256) as u8;
        let picture = RgbImage::from_fn(64, 48, |x, y| Rgb([level(x, y), level(y, x), seed as u8]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Jpeg).map(|()| bytes.into_inner())
    });
    let pictures = pictures.collect::<std::result::Result<Vec<_>, _>>()?;
    let mut builder = tar::Builder::new(BufWriter::new(File::create(path)?));
    for at in numbers {
        let bytes = &pictures[at % pictures.len()];
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("{at:08}.jpg"), bytes.as_slice())?;
    }
    Ok(builder.into_inner()?.flush()?)
}

fn print(value: &impl std::fmt::Display) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}
