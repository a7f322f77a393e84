//! `activations`: images and texts in; a safetensors file with a model's activations and embeddings out.
//!
//! With it this program can be compared with others. Knows nothing of requests or the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use neuronotes_core::file::write_atomic;
use neuronotes_core::model::Precision;
use neuronotes_core::model::{
    Activation, Architecture, Conventions, Given, Header, Layer, ModelError, Stage,
};
use neuronotes_core::suggest;
use neuronotes_core::tokenizer::Tokenizer;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tch::{Kind, Tensor};

use crate::clip::activations::by_unit;
use crate::clip::preprocess::prepare;
use crate::clip::{BatchNorm, Clip, Loading};
use crate::device::Device;
use crate::failure::Failure;
use crate::picture::Picture;

/// What to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The weights.
    pub model: PathBuf,
    /// The nonlinearity of the MLPs, if given; otherwise it is looked up in or beside the weights.
    pub activation: Option<Activation>,
    /// Arithmetic of the forward pass.
    pub precision: Precision,
    /// Names of layers of either tower, in any spelling.
    pub layers: Vec<String>,
    /// Picture files.
    pub images: Vec<PathBuf>,
    /// A safetensors file whose tensor `pixels`, `[n, 3, side, side]`, is used instead.
    pub pixels: Option<PathBuf>,
    /// Texts.
    pub texts: Vec<String>,
    /// Whether to cut texts that are too long.
    pub truncate: bool,
    /// Layers and units whose gradients to write.
    pub gradients: Vec<(String, u32)>,
}

/// Layers that were found, by tower.
#[derive(Debug, Default)]
struct Found {
    images: Vec<Layer>,
    texts: Vec<Layer>,
    gradients: Vec<(Layer, u32)>,
}

/// Computes all tensors.
///
/// | name | shape | what it is |
/// |---|---|---|
/// | `pixels` | `[n, 3, side, side]` | the preprocessed images |
/// | `tokens` | `[m, context]`, i64 | the tokens of the texts |
/// | `image_features`, `text_features` | `[n or m, embedding]` | embeddings, not normalised |
/// | `logits` | `[n, m]` | the scaled cosines of both |
/// | a layer's canonical name | as `neuronotes_core::model::Positions` says | its activation |
/// | `gradient/LAYER:UNIT` | `[n, 3, side, side]` | the gradient of the unit's mean over an image's positions, with respect to that image's pixels |
///
/// All except the tokens are in single precision.
///
/// # Errors
/// If the weights hold no CLIP, the model has no such layer or unit, a picture cannot be read, or a text is too long.
pub fn compute(wanted: &Options, device: &Device) -> Result<BTreeMap<String, Tensor>, Failure> {
    let header = Header::read(&wanted.model).map_err(|error| Failure::new(error.to_string()))?;
    let given = Given { activation: wanted.activation, ..Given::default() };
    let hinted = |error: ModelError| {
        let failure = Failure::new(error.to_string());
        match (&error, error.hint()) {
            // Here there is no configuration to set it in.
            (ModelError::Activation, _) => {
                failure.hint("set it with `--activation gelu` or `--activation quick_gelu`")
            }
            (_, Some(hint)) => failure.hint(hint),
            (_, None) => failure,
        }
    };
    let conventions = Conventions::of(&wanted.model, &header, &given).map_err(hinted)?;
    let architecture = Architecture::of_header(&header, &conventions).map_err(hinted)?;
    let found = find(wanted, &architecture)?;
    if !found.texts.is_empty() && wanted.texts.is_empty() {
        return Err(Failure::new(format!(
            "`{}` is a layer of the text tower, and there is no text",
            found.texts[0].name.canonical
        ))
        .hint("give one with `--text`"));
    }
    let looks = !wanted.images.is_empty() || wanted.pixels.is_some();
    let of_images = found.images.iter().chain(found.gradients.iter().map(|(layer, _)| layer));
    if let Some(layer) = of_images.clone().next().filter(|_| !looks) {
        let name = &layer.name.canonical;
        return Err(Failure::new(format!("`{name}` is a layer of images, and there is no image"))
            .hint("give one with `--image`"));
    }
    let loading = Loading {
        precision: wanted.precision,
        norm: match of_images.clone().any(|layer| layer.stage.splits_norm()) {
            true => BatchNorm::Apart,
            false => BatchNorm::Folded,
        },
        ..Loading::new(device.torch, conventions)
    };
    let clip = Clip::load(&wanted.model, loading)?;
    let mut out = BTreeMap::new();
    if looks {
        let pixels = pixels(wanted, &clip)?;
        show(&clip, &pixels, &found, &mut out)?;
        out.insert("pixels".into(), pixels);
    }
    if !wanted.texts.is_empty() {
        let tokens = clip.tokens(&tokens(wanted, clip.context()?)?)?;
        let stages: Vec<_> = found.texts.iter().map(|layer| layer.stage).collect();
        let texts = tch::no_grad(|| clip.read(&tokens, &with_embedding(&stages)))?;
        for layer in &found.texts {
            out.insert(layer.name.canonical.clone(), texts.get(layer.stage)?.shallow_clone());
        }
        let features = texts.get(Stage::Embedding)?.shallow_clone();
        out.insert("text_features".into(), features);
        out.insert("tokens".into(), tokens);
    }
    if let (Some(images), Some(texts)) = (out.get("image_features"), out.get("text_features")) {
        let unit = |x: &Tensor| {
            let x = x.to_kind(Kind::Float);
            &x / x.norm_scalaropt_dim(2, [-1i64].as_slice(), true)
        };
        let logits = unit(images).matmul(&unit(texts).tr()) * clip.logit_scale();
        out.insert("logits".into(), logits);
    }
    Ok(out)
}

fn with_embedding(stages: &[Stage]) -> Vec<Stage> {
    let embedding = std::iter::once(Stage::Embedding);
    stages.iter().copied().chain(embedding).collect()
}

/// Looks up every name before anything is computed.
fn find(wanted: &Options, architecture: &Architecture) -> Result<Found, Failure> {
    let unknown = |name: &str, nearest: &[String]| {
        let failure = Failure::new(format!("the model has no layer `{name}`"));
        match nearest {
            [] => failure,
            near => failure.hint(format!("did you mean {}?", suggest::quoted(near, "or"))),
        }
    };
    let mut found = Found::default();
    for name in &wanted.layers {
        if name == "all" {
            if !wanted.images.is_empty() || wanted.pixels.is_some() {
                found.images.extend(architecture.layers());
            }
            if !wanted.texts.is_empty() {
                found.texts.extend(architecture.text_layers());
            }
            continue;
        }
        match (architecture.layer(name), architecture.text_layer(name)) {
            (Ok(layer), _) => found.images.push(layer),
            (_, Ok(layer)) => found.texts.push(layer),
            (Err(images), Err(texts)) => {
                return Err(unknown(name, if images.is_empty() { &texts } else { &images }));
            }
        }
    }
    for (name, unit) in &wanted.gradients {
        let layer = architecture.layer(name).map_err(|nearest| unknown(name, &nearest))?;
        if *unit >= layer.units {
            return Err(Failure::new(format!(
                "`{name}` has no unit {unit}; its {} units are counted from 0",
                layer.units
            )));
        }
        found.gradients.push((layer, *unit));
    }
    Ok(found)
}

/// The network's input: `[n, 3, side, side]`.
fn pixels(wanted: &Options, clip: &Clip) -> Result<Tensor, Failure> {
    let side = clip.architecture.image_size;
    if let Some(path) = &wanted.pixels {
        let unusable = |why: String| Failure::new(format!("{} {why}", path.display()));
        let tensors = Tensor::read_safetensors(path)
            .map_err(|error| unusable(format!("is not a safetensors file ({error})")))?;
        let pixels = tensors.into_iter().find(|(name, _)| name == "pixels");
        let pixels = pixels.ok_or_else(|| unusable("has no tensor `pixels`".into()))?.1;
        let size = i64::from(side);
        return match pixels.size().as_slice() {
            [_, 3, height, width] if (*height, *width) == (size, size) => {
                Ok(pixels.to_kind(Kind::Float).to_device(clip.device))
            }
            other => Err(unusable(format!("has pixels {other:?}, not [n, 3, {size}, {size}]"))),
        };
    }
    let mut bytes = Vec::new();
    for path in &wanted.images {
        let picture = Picture::open(path).and_then(|picture| prepare(picture, side));
        let picture = picture.map_err(|why| {
            Failure::new(format!("the picture {} cannot be read ({why})", path.display()))
        })?;
        bytes.extend_from_slice(picture.as_raw());
    }
    clip.input(&bytes, wanted.images.len())
}

fn tokens(wanted: &Options, context: usize) -> Result<Vec<Vec<u32>>, Failure> {
    let tokenizer = Tokenizer::clip();
    let texts = wanted.texts.iter();
    texts
        .map(|text| {
            tokenizer.tokens(text, context, wanted.truncate).map_err(|error| {
                Failure::new(format!("{error}: {text}"))
                    .hint("`--truncate` cuts texts that are too long")
            })
        })
        .collect()
}

/// Runs the visual tower, with gradients if some are wanted.
fn show(
    clip: &Clip,
    pixels: &Tensor,
    found: &Found,
    out: &mut BTreeMap<String, Tensor>,
) -> Result<(), Failure> {
    let of_gradients = found.gradients.iter().map(|(layer, _)| layer.stage);
    let stages: Vec<_> = found.images.iter().map(|layer| layer.stage).collect();
    let images = tch::no_grad(|| clip.look(pixels, &with_embedding(&stages)))?;
    for layer in &found.images {
        out.insert(layer.name.canonical.clone(), images.get(layer.stage)?.shallow_clone());
    }
    let features = images.get(Stage::Embedding)?;
    out.insert("image_features".into(), features.shallow_clone());
    if found.gradients.is_empty() {
        return Ok(());
    }
    let stages: Vec<_> = of_gradients.collect();
    let leaf = pixels.detach().copy().set_requires_grad(true); // [n, 3, side, side]
    let images = clip.look(&leaf, &stages)?;
    for (layer, unit) in &found.gradients {
        let units = by_unit(images.get(layer.stage)?); // [n, units, positions]
        let mean =
            units.select(1, i64::from(*unit)).mean_dim([1i64].as_slice(), false, Kind::Float); // [n]
        // One image's unit does not depend on another's pixels, so the sum keeps them apart.
        let gradient = Tensor::f_run_backward(&[mean.sum(Kind::Float)], &[&leaf], true, false)?;
        let name = format!("gradient/{}:{unit}", layer.name.canonical);
        out.insert(name, gradient[0].shallow_clone());
    }
    Ok(())
}

/// Writes tensors to a safetensors file, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write(tensors: &BTreeMap<String, Tensor>, path: &Path) -> Result<(), Failure> {
    let unwritable = |why: &dyn std::fmt::Display| {
        Failure::new(format!("{} cannot be written ({why})", path.display()))
    };
    let data: Vec<(&str, Dtype, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let (kind, dtype) = match name.as_str() {
                "tokens" => (Kind::Int64, Dtype::I64),
                _ => (Kind::Float, Dtype::F32),
            };
            let tensor = tensor.detach().to_kind(kind).to_device(tch::Device::Cpu).contiguous();
            let shape = tensor.size().iter().map(|&size| size as usize).collect();
            let mut bytes = vec![0; tensor.numel() * kind.elt_size_in_bytes()];
            tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
            Ok((name.as_str(), dtype, shape, bytes))
        })
        .collect::<Result<_, Failure>>()?;
    let views = data.iter().map(|(name, dtype, shape, bytes)| {
        TensorView::new(*dtype, shape.clone(), bytes).map(|view| (*name, view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(|error| unwritable(&error))?;
    let bytes = safetensors::serialize(views, None).map_err(|error| unwritable(&error))?;
    write_atomic(path, &bytes).map_err(|error| unwritable(&error))
}
