//! `vis`: a feature visualisation without a garden, to a folder.

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

use super::{Bar, activation, precision};
use crate::device::{Device, Wish};
use crate::failure::Failure;
use crate::monitor::{Monitor, Silent};
use crate::session::Session;

/// What is drawn, of what, and how.
#[derive(Debug, Args)]
pub(super) struct Vis {
    /// The weights: safetensors, a state dict of PyTorch, or OpenAI's .pt
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The layer, in any spelling; `neuronotes model info` lists them. For a text it is the embedding
    #[arg(long, value_name = "LAYER", required_unless_present = "text")]
    layer: Option<String>,
    /// Units of the layer, with commas between them: a picture of each, all made together
    #[arg(long, value_name = "UNIT,…", value_delimiter = ',', required_unless_present = "text")]
    unit: Vec<u32>,
    /// A text, in place of units: a picture that the model finds it fits
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["unit", "layer"])]
    text: Option<String>,
    /// `lucid`, `paper`, `draft` or `maco`; `neuronotes kinds feature_vis` says what they are
    #[arg(long, value_name = "NAME", default_value = "lucid")]
    recipe: String,
    /// Another value of any field that `neuronotes kinds feature_vis` lists, such as `steps=1024`
    #[arg(long, value_name = "FIELD=VALUE", value_parser = setting)]
    set: Vec<(String, Value)>,
    /// Make a film with so many frames of how each picture came about: an animated WebP
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=120))]
    frames: u32,
    /// Of the first noise and of the transforms
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The nonlinearity of the MLPs, where nothing in or beside the weights says it
    #[arg(long, value_name = "NAME", value_parser = activation)]
    activation: Option<Activation>,
    /// `f32`, `bf16`, or on a GPU `f16`
    #[arg(long, value_name = "NAME", default_value = "f32", value_parser = precision)]
    precision: Precision,
    /// The folder to write to; made where it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// `auto` (the first GPU, else the processor), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Wish,
}

/// `FIELD=VALUE`, where the value is JSON or a word.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as `steps=1024`")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

/// Makes the pictures, and says which files they are in and what was reached.
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

/// A folder that goes with its value.
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
        Failure::new(error.to_string()).hint("say it with --activation gelu or quick_gelu")
    })?;
    let path = &parts::locate(path).map_err(|error| failed(&error))?;
    let digest = parts::digest(&mut FileDigests::default(), path)
        .map_err(|error| Failure::new(format!("{} cannot be read ({error})", path.display())))?;
    Ok(ModelRef { name: path.display().to_string(), path: path.clone(), digest, conventions })
}

/// All parameters but the target's.
fn params(wanted: &Vis, model: &ModelRef) -> Result<Map<String, Value>, Failure> {
    let kind: &Kind = &feature_vis::KIND;
    if kind.recipe(&wanted.recipe).is_none() {
        let known: Vec<&str> = kind.recipes.iter().map(|recipe| recipe.name).collect();
        return Err(Failure::new(format!("there is no recipe `{}`", wanted.recipe))
            .hint(format!("known are {}", known.join(", "))));
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
    params.insert("frames".into(), wanted.frames.into());
    for (name, value) in &wanted.set {
        let known = |field: &&neuronotes_core::kind::Field| {
            field.name == name && !matches!(field.ty, Type::Picture | Type::Block(_))
        };
        let Some(field) = computed().find(known) else {
            return Err(Failure::new(format!("there is no field `{name}` to set")).hint(
                "`neuronotes kinds feature_vis` lists them; facets and pictures need a garden",
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

/// Writes a record's pictures and films, and what is known of them.
fn write(store: &Store, record: &Record, out: &Path, name: &str) -> Result<Vec<String>, Failure> {
    let gone = || Failure::new("the result is gone from the disk");
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
                    "{}: {} frames asked for",
                    path.display(),
                    record.request["params"]["frames"]
                ),
            });
        }
    }
    Ok(lines)
}
