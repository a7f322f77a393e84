//! The model family: a weights file in; activations and embeddings of images and texts out.
//!
//! Names of layers and sizes come from `neuronotes_core::model`. Knows nothing of requests or data sets.

pub mod activations;
pub mod hook;
pub mod intervene;
mod loading;
mod pool;
pub mod preprocess;
mod resnet;
mod shuffle;
mod steady;
pub mod terms;
mod text;
mod tower;
mod transformer;
mod vit;
pub mod weights;
pub mod wiring;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use neuronotes_core::model::Precision;
use neuronotes_core::model::{Architecture, Layer, Stage, Visual};
use tch::{Device, Kind, Tensor};

use crate::failure::Failure;
use activations::{Activations, Collector};
use hook::{Hook, Replace};
pub use loading::{BatchNorm, Loading};
use resnet::ResNet;
use terms::Terms;
use text::TextTransformer;
use tower::Tower;
use vit::VisionTransformer;
use weights::{Weights, WeightsError};
use wiring::Wiring;

/// A CLIP on its device.
#[derive(Debug)]
pub struct Clip {
    /// Its sizes.
    pub architecture: Architecture,
    /// The device that it is on.
    pub device: Device,
    visual: Box<dyn Tower>,
    text: OnceCell<TextTransformer>,
    /// The file from which the text tower will be read.
    path: Option<PathBuf>,
    loading: Loading,
    mean: Tensor,      // [1, 3, 1, 1]
    deviation: Tensor, // [1, 3, 1, 1]
    logit_scale: f64,
    bytes: u64,
}

impl Clip {
    /// Reads a weights file. The text tower's tensors are checked, and read when they are first needed.
    ///
    /// # Errors
    /// If the file holds no CLIP, with all missing, surplus and misshapen tensors by name; or if half precision
    /// is requested on a processor.
    pub fn load(path: &Path, loading: Loading) -> Result<Self, Failure> {
        let Loading { device, precision, ref conventions, .. } = loading;
        if precision == Precision::F16 && device == Device::Cpu {
            return Err(Failure::outside("half precision (f16) needs a GPU")
                .hint("processors compute in f32, or faster and coarser in bf16"));
        }
        let mut weights = open(path, device, kind(precision))?;
        let architecture = weights.header().map(|header| {
            Architecture::of_header(header, conventions).map_err(|error| of_model(&error))
        });
        let architecture = architecture.unwrap_or_else(|| Err(no_text()))?;
        let clip = Self::taking(&mut weights, Some(path.to_owned()), architecture, loading);
        weights.finish().map_err(|error| Failure::new(error.to_string()))?;
        Ok(clip)
    }

    /// A CLIP of tensors in memory, by the names and in the shapes of OpenAI's checkpoints, so that what it computes
    /// has gradients with respect to them. Running statistics of [`BatchNorm::Training`] are changed in place.
    ///
    /// # Errors
    /// If tensors are missing, surplus or misshapen, by name.
    pub fn of(
        tensors: &BTreeMap<String, Tensor>,
        architecture: Architecture,
        loading: Loading,
    ) -> Result<Self, Failure> {
        let mut weights = Weights::of(tensors, loading.device, kind(loading.precision));
        let clip = Self::taking(&mut weights, None, architecture, loading);
        weights.finish().map_err(|error| Failure::new(error.to_string()))?;
        Ok(clip)
    }

    /// Takes all weights; those of the text tower only if there is no file to read them from later.
    fn taking(
        weights: &mut Weights,
        path: Option<PathBuf>,
        architecture: Architecture,
        loading: Loading,
    ) -> Self {
        let Loading { device, ref conventions, .. } = loading;
        let (embedding, activation) = (architecture.embedding, conventions.activation);
        let visual =
            weights.shuffling(loading.shuffled, |weights| visual(&architecture, &loading, weights));
        let (mut logit_scale, tower) = (1.0, OnceCell::new());
        if let Some(text) = &architecture.text {
            let take =
                |weights: &mut Weights| TextTransformer::new(text, embedding, activation, weights);
            match path {
                Some(_) => drop(weights.only_checking(take)),
                None => drop(tower.set(take(weights))),
            }
            logit_scale = weights.take_single("logit_scale", &[]).exp().double_value(&[]);
        }
        let row = |values: [f64; 3]| {
            let values = values.map(|value| value as f32);
            Tensor::from_slice(&values).view([1, 3, 1, 1]).to_device(device)
        };
        Self {
            visual,
            text: tower,
            path,
            device,
            mean: row(conventions.mean),
            deviation: row(conventions.deviation),
            logit_scale,
            bytes: weights.bytes(),
            loading,
            architecture,
        }
    }

    /// Normalises colours in 0…1 as in the network's training: `[n, 3, h, w]` to the same.
    pub fn normalise(&self, images: &Tensor) -> Tensor {
        (images - &self.mean) / &self.deviation
    }

    /// Pictures as [`preprocess::prepare`] gives them, one after the other, to the network's input.
    ///
    /// Returns `[n, 3, side, side]`, normalised, on the model's device.
    ///
    /// # Errors
    /// If `pixels` is not `n` pictures long, or memory runs out.
    pub fn input(&self, pixels: &[u8], n: usize) -> Result<Tensor, Failure> {
        let side = self.architecture.image_size as usize;
        if pixels.len() != n * side * side * 3 {
            let what = format!("{} bytes are not {n} pictures of {side} x {side}", pixels.len());
            return Err(Failure::new(what));
        }
        let side = side as i64;
        let shape = [n as i64, side, side, 3]; // [n, h, w, 3]
        let strides = [side * side * 3, side * 3, 3, 1];
        // SAFETY: the tensor reads `pixels` where they are, is not written to, and ends with this function: single precision
        // is a copy.
        let bytes = unsafe {
            Tensor::f_from_blob(pixels.as_ptr(), &shape, &strides, Kind::Uint8, Device::Cpu)?
        };
        let mut images = bytes
            .f_to_device(self.device)?
            .f_permute([0, 3, 1, 2])? // [n, 3, h, w]
            .f_contiguous()?
            .f_to_kind(Kind::Float)?;
        let _ = images.f_div_scalar_(255.0)?.f_sub_(&self.mean)?.f_div_(&self.deviation)?;
        Ok(images)
    }

    /// Runs the visual tower on `images`, `[n, 3, h, w]` normalised, up to the deepest stage in `wanted`.
    /// Activations have the network's precision.
    ///
    /// # Errors
    /// If the network cannot take images of that size so far (see [`Clip::fixes_size`]), or a stage was folded.
    pub fn look(&self, images: &Tensor, wanted: &[Stage]) -> Result<Activations, Failure> {
        self.visual.forward(images, Collector::new(wanted))
    }

    /// Like [`Clip::look`], with the activation at `stage` replaced: everything above sees what `replace` returns. Only the
    /// replacement has gradients, unless `images` require them.
    ///
    /// # Errors
    /// The same as of [`Clip::look`], and of `replace`; or if the replacement has another shape (see [`Replace`]), or all of
    /// `wanted` is found before the pass reaches `stage`.
    pub fn look_replacing(
        &self,
        images: &Tensor,
        wanted: &[Stage],
        stage: Stage,
        replace: &mut Replace<'_>,
    ) -> Result<Activations, Failure> {
        let hook = Hook { stage, replace, reached: false };
        self.visual.forward(images, Collector::hooked(wanted, hook))
    }

    /// The weights by which the units of the visual tower at a stage are computed and read, where they have any.
    pub fn wiring(&self, stage: Stage) -> Wiring {
        tch::no_grad(|| self.visual.wiring(stage))
    }

    /// Like [`Clip::look`], with the graph cut at each ReLU (see [`Cut`](activations::Cut)).
    ///
    /// # Errors
    /// The same as of [`Clip::look`].
    pub fn look_cutting(&self, images: &Tensor, wanted: &[Stage]) -> Result<Activations, Failure> {
        self.visual.forward(images, Collector::cutting(wanted))
    }

    /// The terms of the embeddings of `images`, `[n, 3, side, side]` normalised, and what they add along a direction,
    /// `[embedding]` in single precision. They sum up to the embeddings, not normalised.
    ///
    /// # Errors
    /// If the images are of another size.
    pub fn terms(&self, images: &Tensor, along: &Tensor) -> Result<Terms, Failure> {
        self.terms_at(&self.look(images, &self.term_stages())?, along)
    }

    /// The stages whose activations [`Clip::terms_at`] needs, with that of the embedding.
    pub fn term_stages(&self) -> Vec<Stage> {
        let mut stages = self.visual.term_stages();
        // So that images of another size are refused.
        stages.push(Stage::Embedding);
        stages
    }

    /// Like [`Clip::terms`], given the activations at [`Clip::term_stages`].
    ///
    /// # Errors
    /// If one of them is missing.
    pub fn terms_at(&self, found: &Activations, along: &Tensor) -> Result<Terms, Failure> {
        self.visual.terms(found, along)
    }

    /// Runs the text tower on `tokens`, `[n, context]` of type i64, up to the deepest stage in `wanted`.
    ///
    /// # Errors
    /// If there is no text tower, or the texts have another length or unknown tokens.
    pub fn read(&self, tokens: &Tensor, wanted: &[Stage]) -> Result<Activations, Failure> {
        self.text()?.forward(tokens, Collector::new(wanted))
    }

    /// Embeddings of `images`, `[n, 3, side, side]` normalised: `[n, embedding]` in single precision, not
    /// normalised.
    ///
    /// # Errors
    /// If the images are of another size.
    pub fn encode_images(&self, images: &Tensor) -> Result<Tensor, Failure> {
        let found = self.look(images, &[Stage::Embedding])?;
        Ok(found.get(Stage::Embedding)?.to_kind(Kind::Float))
    }

    /// Embeddings of texts, each of as many token numbers as the model reads: `[n, embedding]` in single
    /// precision, not normalised.
    ///
    /// # Errors
    /// If there is no text tower, or a text is of another length.
    pub fn encode_texts(&self, texts: &[Vec<u32>]) -> Result<Tensor, Failure> {
        let found = self.read(&self.tokens(texts)?, &[Stage::Embedding])?;
        Ok(found.get(Stage::Embedding)?.to_kind(Kind::Float))
    }

    /// Token numbers as a tensor on the model's device: `[n, context]`.
    ///
    /// # Errors
    /// If the texts are not all as long as the model reads.
    pub fn tokens(&self, texts: &[Vec<u32>]) -> Result<Tensor, Failure> {
        let context = self.context()?;
        let numbers: Vec<i64> = texts.iter().flatten().map(|&token| i64::from(token)).collect();
        if texts.iter().any(|text| text.len() != context) {
            return Err(Failure::new(format!("the model reads texts of {context} tokens")));
        }
        let shape = [texts.len() as i64, context as i64];
        Ok(Tensor::from_slice(&numbers).view(shape).to_device(self.device))
    }

    /// The length of a text in tokens that the model reads.
    ///
    /// # Errors
    /// If there is no text tower.
    pub fn context(&self) -> Result<usize, Failure> {
        let text = self.architecture.text.as_ref().ok_or_else(no_text)?;
        Ok(text.context as usize)
    }

    /// The factor of similarities before the softmax over texts, already exponentiated; 1 if there is no text tower.
    pub fn logit_scale(&self) -> f64 {
        self.logit_scale
    }

    /// The text tower, read from the file when first asked for.
    ///
    /// # Errors
    /// If there is none, or the file has changed.
    fn text(&self) -> Result<&TextTransformer, Failure> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let sizes = self.architecture.text.as_ref().ok_or_else(no_text)?;
        let path = self.path.as_ref().ok_or_else(no_text)?;
        let mut weights = open(path, self.device, kind(self.loading.precision))?;
        let activation = self.loading.conventions.activation;
        let text =
            TextTransformer::new(sizes, self.architecture.embedding, activation, &mut weights);
        weights.finish_part().map_err(|error| Failure::new(error.to_string()))?;
        Ok(self.text.get_or_init(|| text))
    }

    /// Bytes of the weights, including those of the text tower.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How it was loaded.
    pub fn loading(&self) -> &Loading {
        &self.loading
    }

    /// The layer of that name, in any spelling.
    ///
    /// # Errors
    /// If the visual tower has no such layer; the hint names the nearest ones.
    pub fn layer(&self, name: &str) -> Result<Layer, Failure> {
        self.architecture.layer(name).map_err(|nearest| {
            Failure::new(format!("the model has no layer `{name}`"))
                .hint(format!("did you mean {}?", nearest.join(" or ")))
        })
    }

    /// Whether that stage can be reached only by images of the model's own size.
    pub fn fixes_size(&self, stage: Stage) -> bool {
        self.visual.fixes_size(stage)
    }

    /// What each unit of a layer adds to the embedding, per activation: `[units, embedding]` in double precision, on the CPU.
    /// Below a ResNet's attention pool that is for activations that are the same everywhere.
    ///
    /// # Errors
    /// If the embedding does not read that layer by a matrix.
    pub fn effects(&self, layer: &Layer) -> Result<Tensor, Failure> {
        self.visual.effects(layer.stage).ok_or_else(|| {
            let layers = self.architecture.layers();
            let read = layers.iter().filter(|layer| self.visual.effects(layer.stage).is_some());
            let names: Vec<&str> = read.map(|layer| layer.name.shown()).collect();
            let name = layer.name.shown();
            Failure::new(format!("the embedding does not read `{name}` by a matrix"))
                .hint(format!("use one of {}", names.join(", ")))
        })
    }
}

/// Takes the weights of the visual tower, of any family.
fn visual(architecture: &Architecture, loading: &Loading, weights: &mut Weights) -> Box<dyn Tower> {
    let (size, embedding) = (architecture.image_size, architecture.embedding);
    let activation = loading.conventions.activation;
    match &architecture.visual {
        Visual::ResNet(sizes) => {
            Box::new(ResNet::new(size, sizes, embedding, loading.norm, weights))
        }
        Visual::Transformer(sizes) => {
            Box::new(VisionTransformer::new(size, sizes, embedding, activation, weights))
        }
    }
}

fn kind(precision: Precision) -> Kind {
    match precision {
        Precision::F32 => Kind::Float,
        Precision::Bf16 => Kind::BFloat16,
        Precision::F16 => Kind::Half,
    }
}

fn open(path: &Path, device: Device, kind: Kind) -> Result<Weights, Failure> {
    Weights::open(path, device, kind).map_err(|error| match error {
        WeightsError::Unreadable { .. } => Failure::outside(error.to_string()),
        _ => Failure::new(error.to_string()),
    })
}

fn of_model(error: &neuronotes_core::model::ModelError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn no_text() -> Failure {
    Failure::new("the weights have no text tower").hint("use a file with both towers of a CLIP")
}
