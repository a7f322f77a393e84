//! What the tests share: paths, requests, golden tensors.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};

use half::f16;
use image::{ImageFormat, RgbImage};
use neuronotes_core::dataset::{DatasetRef, Format, Labels, Piece, ShardRef, Table, piece};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::kind::scan;
use neuronotes_core::model::Conventions;
use neuronotes_core::model::{ModelRef, Place, Precision};
use neuronotes_core::request::{Inputs, Request};
use neuronotes_core::store::{Record, Store};
use neuronotes_lab::clip::{Clip, Loading};
use neuronotes_lab::device::{Device, DeviceChoice};
use neuronotes_lab::session::Session;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use tch::Tensor;

pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

pub fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The tensors of a golden file.
pub fn tensors(name: &str) -> HashMap<String, Tensor> {
    let tensors = Tensor::read_safetensors(golden(name)).expect("golden tensors");
    tensors.into_iter().collect()
}

/// The small network with random weights.
pub fn small_weights() -> PathBuf {
    golden("clip_resnet/weights.safetensors")
}

pub fn small_clip() -> Clip {
    load(&small_weights())
}

/// A model whose MLPs have QuickGELU, on the processor in single precision.
pub fn load(path: &Path) -> Clip {
    let loading = Loading::new(tch::Device::Cpu, Conventions::default());
    Clip::load(path, loading).expect("a model")
}

/// The real network.
pub fn emoji_weights() -> PathBuf {
    repository("models/emoji-clip.safetensors")
}

/// |found - expected| over |expected|, both as vectors.
pub fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let length = |tensor: &Tensor| tensor.norm().double_value(&[]);
    length(&(found - expected)) / length(expected)
}

pub fn session(folder: &Path) -> Session {
    let store = Store::open(&folder.join("store")).expect("a store");
    Session::new(store, Device::open(DeviceChoice::Cpu).expect("a processor"))
}

pub fn model(path: &Path) -> ModelRef {
    ModelRef {
        name: "model".into(),
        path: path.to_owned(),
        digest: Digest::of_file(path).expect("a digest"),
        conventions: Conventions::default(),
    }
}

pub fn dataset(format: &'static Format, paths: &[&Path]) -> DatasetRef {
    let (mut digests, table) = (FileDigests::default(), Table::default());
    let shards = paths.iter().map(|path| {
        let digest = (format.digest)(&mut digests, path, &table).expect("a digest");
        let of_pictures = format.pictures;
        let pictures = of_pictures.map(|of| of(&mut digests, path, &table).expect("a digest"));
        ShardRef { pictures, ..ShardRef::new(path.to_path_buf(), digest) }
    });
    let shards = shards.collect();
    let (name, labels, captions, draw) = ("data".into(), Labels::Files, false, None);
    DatasetRef { name, format, labels, table, draw, captions, shards }
}

/// A data set of one shard, cut into pieces of at most `most` pictures.
pub fn in_pieces(format: &'static Format, path: &Path, most: usize) -> DatasetRef {
    cut(dataset(format, &[path]), most)
}

/// The same of a data set that is read in some way.
pub fn cut(whole: DatasetRef, most: usize) -> DatasetRef {
    let (path, format) = (&whole.shards[0].path, whole.format);
    let listing =
        neuronotes_core::dataset::list(path, format, &whole.reading()).expect("a listing");
    let pieces = piece::pieces(&listing, &mut FileDigests::default(), most).expect("pieces");
    let one = |(piece, digest): (Piece, Digest)| ShardRef {
        pictures: Some(digest),
        count: Some(piece.count as u64),
        piece: Some(piece),
        ..whole.shards[0].clone()
    };
    DatasetRef { shards: pieces.into_iter().map(one).collect(), ..whole }
}

pub fn vis_request(model: ModelRef, change: Value) -> Request {
    let params = json!({
        "layer": "visual.layer4.0.add", "unit": 3, "objective": "channel", "sign": "positive", "images": 1,
        "diversity": 1.0, "strength": 5.0, "penalty": 0.0, "cosine_power": 0.0, "start": "noise",
        "parametrisation": "fourier", "size": 48, "steps": 30, "learning_rate": 0.05, "transforms": "lucid",
        "redirect": 16, "frames": 0, "seed": 0,
    });
    let version = neuronotes_core::kind::feature_vis::KIND.impl_version;
    Request { impl_version: version, ..request("feature_vis", model, None, params, change) }
}

pub fn examples_request(model: ModelRef, dataset: DatasetRef, change: Value) -> Request {
    let params = json!({
        "layer": "visual.layer4.0.add", "unit": 3, "top": 3, "order": "strongest", "pool": "mean",
    });
    let dataset = DatasetRef { captions: true, ..dataset };
    let request = request("dataset_examples", model, Some(dataset), params, change);
    let version = neuronotes_core::kind::dataset_examples::KIND.impl_version;
    with_scans(Request { impl_version: version, ..request })
}

pub fn histogram_request(model: ModelRef, dataset: DatasetRef, change: Value) -> Request {
    let params = json!({ "layer": "visual.layer4.0.add", "unit": 3, "bins": 5, "pool": "mean" });
    with_scans(request("activation_histogram", model, Some(dataset), params, change))
}

/// The same request with the scans that it needs.
pub fn with_scans(mut request: Request) -> Request {
    let place = Place::of(&request.params).expect("a place");
    let Request { model, dataset, inputs, precision, .. } = &request;
    let dataset = dataset.as_ref().expect("a data set");
    request.uses = scan::requests(model, dataset, &place, inputs, *precision);
    request
}

/// The scans of a layer in single precision.
pub fn scans(model: &ModelRef, dataset: &DatasetRef, layer: &str) -> Vec<Request> {
    let place = Place::Layer(layer.to_owned());
    scan::requests(model, dataset, &place, &Inputs::default(), Precision::F32)
}

fn request(
    kind: &str,
    model: ModelRef,
    dataset: Option<DatasetRef>,
    mut params: Value,
    change: Value,
) -> Request {
    let params = params.as_object_mut().expect("a map");
    for (name, value) in change.as_object().expect("a map") {
        params.insert(name.clone(), value.clone());
    }
    Request {
        kind: kind.into(),
        impl_version: 1,
        params: params.clone(),
        model,
        dataset,
        inputs: Inputs::default(),
        uses: Vec::new(),
        precision: Precision::F32,
    }
}

/// A picture with some structure, another for each seed.
pub fn picture(seed: u32, width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([0, 1, 2].map(|band| {
            let wave = (x * (seed % 5 + 1) + y * (seed % 3 + band)) as f32 * 0.15 + seed as f32;
            (127.0 + 120.0 * wave.sin()) as u8
        }))
    })
}

pub fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
    bytes.into_inner()
}

/// A tar archive of these files.
pub fn archive(path: &Path, files: &[(String, Vec<u8>)]) {
    let mut builder = tar::Builder::new(File::create(path).expect("a file"));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).expect("an entry");
    }
    builder.finish().expect("an archive");
}

/// A folder with `a.tar`: pictures 0, 1, 2, a broken one, 4 … `count` - 1, with captions.
pub fn shard(folder: &Path, count: u32) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder");
    let mut files = Vec::new();
    for i in 0..count {
        let bytes = match i {
            3 => b"not a picture".to_vec(),
            _ => png(&picture(i, 70 + i * 3, 64 + i)),
        };
        files.push((format!("{i:03}.png"), bytes));
        files
            .push((format!("{i:03}.json"), format!(r#"{{"caption": "number {i}"}}"#).into_bytes()));
    }
    let path = folder.join("a.tar");
    archive(&path, &files);
    path
}

/// A scan's table by name, `mean`, `max` or `embedding`: its values, row by row, and its columns.
pub fn scanned(store: &Store, record: &Record, name: &str) -> (Vec<f64>, usize) {
    let bytes = store.blob(&record.outputs[scan::ACTIVATIONS].digest).expect("a blob");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    let by_unit = tensors.tensor(&format!("{name}_by_unit"));
    let view = by_unit.as_ref().ok().cloned();
    let view = view.unwrap_or_else(|| tensors.tensor(name).expect("a table"));
    let (cells, _) = view.data().as_chunks::<2>();
    let values: Vec<f64> = cells.iter().map(|cell| f16::from_le_bytes(*cell).to_f64()).collect();
    let [rows, columns] = [view.shape()[0], view.shape()[1]];
    match by_unit {
        Ok(_) => {
            let number = |at: usize| values[at % rows * columns + at / rows];
            ((0..values.len()).map(number).collect(), rows)
        }
        Err(_) => (values, columns),
    }
}
