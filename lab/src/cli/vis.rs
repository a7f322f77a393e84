//! `vis`: feature visualisation to a folder, without a garden.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use neuronotes_core::file::write_atomic;
use neuronotes_core::files::FileDigests;
use neuronotes_core::kind::{Kind, Role, Type, feature_vis};
use neuronotes_core::model::{Activation, Architecture, Conventions, Given, Header, parts};
use neuronotes_core::model::{ModelRef, Precision};
use neuronotes_core::request::{Inputs, Request};
use neuronotes_core::store::{Record, Store};
use serde_json::{Map, Value, json};

use super::argument::{activation, precision};
use super::bar::Bar;
use crate::device::{Device, DeviceChoice};
use crate::failure::Failure;
use crate::monitor::{Monitor, Silent};
use crate::session::Session;

/// Arguments of `vis`.
#[derive(Debug, Args)]
pub(super) struct Vis {
    /// The weights: safetensors, a PyTorch state dict, or OpenAI's .pt
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The layer, in any spelling; `neuronotes model info` lists them. With a text, it is the embedding
    #[arg(long, value_name = "LAYER", required_unless_present = "text")]
    layer: Option<String>,
    /// Units of the layer, separated by commas: one picture of each, all made together
    #[arg(long, value_name = "UNIT,…", value_delimiter = ',', required_unless_present = "text")]
    unit: Vec<u32>,
    /// A text instead of units: makes a picture with a similar embedding
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["unit", "layer"])]
    text: Option<String>,
    /// The recipe; `neuronotes kinds feature_vis` lists and describes them
    #[arg(long, value_name = "NAME", default_value = feature_vis::KIND.recipes[0].name)]
    recipe: String,
    /// Another value for a field that `neuronotes kinds feature_vis` lists, such as `steps=1024`
    #[arg(long, value_name = "FIELD=VALUE", value_parser = setting)]
    set: Vec<(String, Value)>,
    /// Number of frames of an animated WebP of each picture's optimisation
    #[arg(long, value_name = "N")]
    frames: Option<u32>,
    /// Random seed for the initial noise and the transforms
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Activation function of the MLPs, if neither the weights nor the files beside them specify it
    #[arg(long, value_name = "NAME", value_parser = activation)]
    activation: Option<Activation>,
    /// `f32`, `bf16`, or on a GPU `f16`
    #[arg(long, value_name = "NAME", default_value = "f32", value_parser = precision)]
    precision: Precision,
    /// The folder to write to; created if it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// `auto` (the first GPU, or else the CPU), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
}

/// Parses `FIELD=VALUE`; the value is JSON or a word.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as `steps=1024`")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

/// Makes the pictures, and prints their paths and activations.
pub(super) fn run(wanted: &Vis) -> Result<String, Failure> {
    let model = model(wanted)?;
    let targets: Vec<Map<String, Value>> = match &wanted.text {
        Some(text) => {
            vec![target(&[("direction", json!([{ "weight": 1.0, "of": { "text": text } }]))])]
        }
        None => wanted.unit.iter().map(|unit| target(&[("unit", json!(unit))])).collect(),
    };
    let shared = params(wanted, &model)?;
    let requests: Vec<Request> = targets
        .into_iter()
        .map(|own| Request {
            kind: feature_vis::KIND.name.to_owned(),
            impl_version: feature_vis::KIND.impl_version,
            params: shared.clone().into_iter().chain(own).collect(),
            model: model.clone(),
            dataset: None,
            inputs: Inputs::default(),
            uses: Vec::new(),
            precision: wanted.precision,
        })
        .collect();
    let of_system = |error: std::io::Error| {
        Failure::new(format!("{} cannot be written ({error})", wanted.out.display()))
    };
    fs::create_dir_all(&wanted.out).map_err(of_system)?;
    // Results go through a store as all do; this one lasts as long as the command.
    let folder = Scratch(wanted.out.join(format!(".vis-{}", std::process::id())));
    let store = Store::open(&folder.0)?;
    let session = Session::new(store, Device::open(wanted.device).map_err(Failure::from)?);
    let mut bar = Bar::default();
    let mut silent: Vec<Silent> = requests.iter().skip(1).map(|_| Silent).collect();
    let mut monitors: Vec<&mut dyn Monitor> = vec![&mut bar];
    monitors.extend(silent.iter_mut().map(|silent| silent as &mut dyn Monitor));
    let all: Vec<&Request> = requests.iter().collect();
    let results = session.measure_together(&all, &mut monitors, &mut |_, _| {});
    bar.clear();
    let mut lines = Vec::new();
    for (request, result) in requests.iter().zip(results) {
        let name = match request.params.get("unit") {
            Some(unit) => format!("unit-{unit}"),
            None => "text".to_owned(),
        };
        lines.extend(write(session.store(), &result?, &wanted.out, &name)?);
    }
    Ok(lines.join("\n"))
}

/// A temporary folder that is removed on drop.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn target(own: &[(&str, Value)]) -> Map<String, Value> {
    own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn model(wanted: &Vis) -> Result<ModelRef, Failure> {
    let path = &wanted.model;
    let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let header = Header::read(path).map_err(|error| failed(&error))?;
    let given = Given { activation: wanted.activation, ..Given::default() };
    let conventions = Conventions::of(path, &header, &given).map_err(|error| {
        Failure::new(error.to_string()).hint("specify it with --activation gelu or quick_gelu")
    })?;
    let path = &parts::locate(path).map_err(|error| failed(&error))?;
    let digest = parts::digest(&mut FileDigests::default(), path)
        .map_err(|error| Failure::new(format!("{} cannot be read ({error})", path.display())))?;
    Ok(ModelRef { name: path.display().to_string(), path: path.clone(), digest, conventions })
}

/// All parameters except the target's.
fn params(wanted: &Vis, model: &ModelRef) -> Result<Map<String, Value>, Failure> {
    let kind: &Kind = &feature_vis::KIND;
    if kind.recipe(&wanted.recipe).is_none() {
        let known: Vec<&str> = kind.recipes.iter().map(|recipe| recipe.name).collect();
        return Err(Failure::new(format!("unknown recipe `{}`", wanted.recipe))
            .hint(format!("the recipes are {}", known.join(", "))));
    }
    let architecture = Architecture::of_file(&model.path, &model.conventions)
        .map_err(|error| Failure::new(error.to_string()))?;
    let layer = match &wanted.layer {
        None => architecture.embedding_layer(),
        Some(name) => architecture.layer(name).map_err(|nearest| {
            Failure::new(format!("the model has no layer `{name}`"))
                .hint(format!("did you mean {}?", nearest.join(" or ")))
        })?,
    };
    let mut params = Map::new();
    params.insert("layer".into(), layer.name.canonical.into());
    let computed = || kind.fields.iter().filter(|field| field.role == Role::Compute);
    for field in computed() {
        if let Some(value) = kind.default(field, Some(&wanted.recipe)) {
            params.insert(field.name.into(), value);
        }
    }
    params.insert("seed".into(), wanted.seed.into());
    if let Some(frames) = wanted.frames {
        params.insert("frames".into(), frames.into());
    }
    for (name, value) in &wanted.set {
        let known = |field: &&neuronotes_core::kind::Field| {
            field.name == name && !matches!(field.ty, Type::Picture | Type::Block(_))
        };
        let Some(field) = computed().find(known) else {
            return Err(Failure::new(format!("unknown field `{name}`")).hint(
                "`neuronotes kinds feature_vis` lists the fields; facets and pictures need a garden",
            ));
        };
        // A whole number is a number too.
        let value = match (field.ty, value.as_f64()) {
            (Type::Number { .. }, Some(number)) => number.into(),
            _ => value.clone(),
        };
        params.insert(name.clone(), value);
    }
    Ok(params)
}

/// Writes a record's pictures, films and parameters.
fn write(store: &Store, record: &Record, out: &Path, name: &str) -> Result<Vec<String>, Failure> {
    let gone = || Failure::new("the result is missing from the disk");
    let outcome: feature_vis::Outcome = record.result(store).ok_or_else(gone)?;
    let mut lines = Vec::new();
    for (at, made) in outcome.images.iter().enumerate() {
        let name = if outcome.images.len() == 1 { name.to_owned() } else { format!("{name}-{at}") };
        for (output, ending) in [(feature_vis::picture(at), "png"), (feature_vis::film(at), "webp")]
        {
            let Some(output) = record.outputs.get(&output) else { continue };
            let bytes = store.blob(&output.digest).ok_or_else(gone)?;
            let path = out.join(format!("{name}.{ending}"));
            write_atomic(&path, &bytes).map_err(|error| {
                Failure::new(format!("{} cannot be written ({error})", path.display()))
            })?;
            lines.push(match ending {
                "png" => format!(
                    "{}: activation {:.4}, from {:.4}",
                    path.display(),
                    made.activation,
                    made.activation_at_start
                ),
                _ => format!(
                    "{}: {} frames were requested",
                    path.display(),
                    record.request["params"]["frames"]
                ),
            });
        }
    }
    Ok(lines)
}
