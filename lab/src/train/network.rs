//! The network in training: weights with gradients, made from a recipe's sizes, and the resulting file.
//!
//! All weights are in one flat tensor in single precision, so that an optimiser step is a few operations on all of
//! it; the tensors that [`Clip`] consists of are views of its parts. Each step creates the towers again, which casts
//! the weights to the step's precision as autocast would.

use std::collections::BTreeMap;

use neuronotes_core::model::Precision;
use neuronotes_core::model::{Architecture, Conventions, Visual};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tch::{Device, Kind, Tensor};

use super::recipe::Recipe;
use crate::clip::{BatchNorm, Clip, Loading};
use crate::failure::Failure;

/// Rows of CLIP's vocabulary.
const CLIP_VOCABULARY: i64 = 49408;
/// CLIP's limit of the factor of similarities.
const STEEPEST: f64 = 100.0;

/// A network in training.
#[derive(Debug)]
pub struct Network {
    /// Its sizes; the image size grows with the stages.
    pub architecture: Architecture,
    device: Device,
    /// All weights, `[count]`; those with weight decay first.
    pub weights: Tensor,
    /// Number of weights with decay: kernels and matrices.
    pub decaying: i64,
    /// Views of the parts of `weights`, by OpenAI's names.
    parts: BTreeMap<String, Tensor>,
    /// Running means and variances of BatchNorm, by OpenAI's names.
    pub statistics: BTreeMap<String, Tensor>,
}

/// A part: its name, shape and initialisation.
struct Part {
    name: String,
    shape: Vec<i64>,
    begin: Begin,
}

/// The initialisation of a part.
#[derive(Clone, Copy)]
enum Begin {
    Value(f64),
    /// Normal with this standard deviation.
    Normal(f64),
}

impl Part {
    fn decays(&self) -> bool {
        self.shape.len() > 1 && !self.name.ends_with("positional_embedding")
    }
}

impl Network {
    /// A new network with a recipe's sizes.
    ///
    /// Kernels are initialised as by He et al. 2015; everything else as in openai/CLIP `clip/model.py`.
    pub fn new(recipe: &Recipe, vocabulary: u32, device: Device) -> Self {
        let architecture = recipe.architecture(recipe.stage(0).side, vocabulary);
        let (parts, statistics) = layout(&architecture);
        let mut rng = ChaCha8Rng::seed_from_u64(recipe.seed);
        // No sample's.
        rng.set_stream(u64::MAX);
        let mut values: Vec<f32> = Vec::new();
        for part in &parts {
            let count: i64 = part.shape.iter().product();
            values.extend((0..count).map(|_| match part.begin {
                Begin::Value(value) => value as f32,
                Begin::Normal(deviation) => {
                    let draw: f64 = StandardNormal.sample(&mut rng);
                    (draw * deviation) as f32
                }
            }));
        }
        let weights = Tensor::from_slice(&values).to_device(device);
        let statistics = statistics
            .into_iter()
            .map(|part| {
                let Begin::Value(value) = part.begin else {
                    unreachable!("statistics begin at 0 or 1")
                };
                (part.name, Tensor::full(&part.shape, value, (Kind::Float, device)))
            })
            .collect();
        let mut network =
            Self { architecture, device, weights, decaying: 0, parts: BTreeMap::new(), statistics };
        network.view(&parts);
        network
    }

    /// Creates the views again after `weights` was replaced.
    fn view(&mut self, layout: &[Part]) {
        let (mut at, mut decaying) = (0, 0);
        self.parts.clear();
        for part in layout {
            let count: i64 = part.shape.iter().product();
            let view = self.weights.narrow(0, at, count).view(part.shape.as_slice()).detach();
            self.parts.insert(part.name.clone(), view.set_requires_grad(true));
            at += count;
            if part.decays() {
                decaying = at;
            }
        }
        self.decaying = decaying;
    }

    /// The current network, with gradients if `norm` is for training.
    ///
    /// # Errors
    /// If the parts do not match the architecture, which never happens.
    pub fn clip(&self, precision: Precision, norm: BatchNorm) -> Result<Clip, Failure> {
        let all = self.parts.iter().chain(&self.statistics);
        let all = all.map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        let loading =
            Loading { precision, norm, ..Loading::new(self.device, Conventions::default()) };
        Clip::of(&all, self.architecture.clone(), loading)
    }

    /// Subtracts what all embeddings have in common: the mean picture's embedding, `[embedding]`, and the mean input
    /// of the text tower's projection, `[c]`. Initially, ReLUs make all pictures similar, and the shared end token
    /// all texts; a training that has to unlearn that first takes longer.
    pub fn centre(&mut self, picture: &Tensor, text: &Tensor) {
        tch::no_grad(|| {
            for (name, mean) in [("visual.attnpool.c_proj.bias", picture), ("ln_final.bias", text)]
            {
                if let Some(bias) = self.parts.get_mut(name) {
                    let _ = bias.g_sub_(&mean.to_kind(Kind::Float));
                }
            }
        });
    }

    /// The factor of similarities, with its gradient.
    pub fn steepness(&self) -> Tensor {
        self.parts["logit_scale"].clamp_max(STEEPEST.ln()).exp()
    }

    /// The gradients of all weights, `[count]`; they are then cleared.
    pub fn gradient(&mut self) -> Tensor {
        let (order, _) = layout(&self.architecture);
        let gradients: Vec<Tensor> = order
            .iter()
            .map(|part| {
                let tensor = &self.parts[&part.name];
                match tensor.grad() {
                    gradient if gradient.defined() => gradient.flatten(0, -1),
                    _ => tensor.zeros_like().flatten(0, -1),
                }
            })
            .collect();
        let gradient = Tensor::cat(&gradients, 0);
        for tensor in self.parts.values_mut() {
            tensor.zero_grad();
        }
        gradient
    }

    /// Continues with pictures of another size: the attention pool's position embeddings are interpolated. `others`
    /// are flat tensors of the same length that are changed in the same way, such as an optimiser's state.
    pub fn resize(&mut self, side: u32, others: &mut [&mut Tensor]) {
        const POSITIONS: &str = "visual.attnpool.positional_embedding";
        if side == self.architecture.image_size {
            return;
        }
        let (old, _) = layout(&self.architecture);
        self.architecture.image_size = side;
        let (new, _) = layout(&self.architecture);
        let cells = i64::from(side / 32);
        let resized = |flat: &Tensor| {
            let mut at = 0;
            let mut pieces = Vec::new();
            for part in &old {
                let count: i64 = part.shape.iter().product();
                let piece = flat.narrow(0, at, count);
                at += count;
                if part.name != POSITIONS {
                    pieces.push(piece);
                    continue;
                }
                let table = piece.view(part.shape.as_slice()); // [before² + 1, c]
                let (rows, c) = (part.shape[0] - 1, part.shape[1]);
                let before = rows.isqrt();
                let map = table.narrow(0, 1, rows).tr().reshape([1, c, before, before]);
                let map = map.upsample_bilinear2d([cells, cells], false, None, None); // [1, c, cells, cells]
                pieces.push(table.get(0));
                pieces.push(map.reshape([c, cells * cells]).tr().flatten(0, -1));
            }
            Tensor::cat(&pieces, 0)
        };
        tch::no_grad(|| {
            self.weights = resized(&self.weights);
            for other in others {
                **other = resized(other);
            }
        });
        self.view(&new);
    }

    /// Restores saved weights and statistics, for pictures of that size.
    ///
    /// # Errors
    /// If their number does not match.
    pub fn restore(
        &mut self,
        side: u32,
        weights: &Tensor,
        statistics: &BTreeMap<String, Tensor>,
    ) -> Result<(), Failure> {
        self.resize(side, &mut []);
        let same = |own: &BTreeMap<String, Tensor>| {
            own.len() == statistics.len()
                && own.iter().all(|(name, tensor)| {
                    statistics.get(name).is_some_and(|kept| kept.size() == tensor.size())
                })
        };
        if weights.size() != self.weights.size() || !same(&self.statistics) {
            return Err(Failure::new("the saved weights do not match this network"));
        }
        tch::no_grad(|| {
            self.weights.copy_(weights);
            for (name, tensor) in &mut self.statistics {
                tensor.copy_(&statistics[name]);
            }
        });
        Ok(())
    }

    /// The weights as a safetensors file in half precision, with the rows of CLIP's whole vocabulary: those not in
    /// `vocabulary` are zero.
    ///
    /// # Errors
    /// If a number exceeds the range of half precision.
    pub fn file(&self, vocabulary: &[u32]) -> Result<Vec<u8>, Failure> {
        let mut halves: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (name, tensor) in self.parts.iter().chain(&self.statistics) {
            let mut tensor = tensor.detach().to_device(Device::Cpu);
            if name == "token_embedding.weight" {
                let places: Vec<i64> = vocabulary.iter().map(|&token| i64::from(token)).collect();
                let whole =
                    Tensor::zeros([CLIP_VOCABULARY, tensor.size()[1]], (Kind::Float, Device::Cpu));
                tensor = whole.index_copy(0, &Tensor::from_slice(&places), &tensor);
            }
            let shape = tensor.size().iter().map(|&size| size as usize).collect();
            let half = tensor.to_kind(Kind::Half).contiguous();
            if half.isfinite().all().int64_value(&[]) == 0 {
                return Err(Failure::new(format!(
                    "`{name}` has a number that half precision cannot hold"
                ))
                .hint("the training diverged: give the recipe a lower `rate`"));
            }
            let mut bytes = vec![0u8; half.numel() * 2];
            half.copy_data_u8(&mut bytes, half.numel());
            halves.push((name.clone(), shape, bytes));
        }
        let views = halves
            .iter()
            .map(|(name, shape, bytes)| {
                TensorView::new(Dtype::F16, shape.clone(), bytes).map(|view| (name.as_str(), view))
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Failure::new(error.to_string()))?;
        safetensors::serialize(views, None).map_err(|error| Failure::new(error.to_string()))
    }
}

/// All weights in order, those with decay first, and BatchNorm's statistics.
fn layout(architecture: &Architecture) -> (Vec<Part>, Vec<Part>) {
    let mut list = List { learned: Vec::new(), statistics: Vec::new() };
    if let Visual::ResNet(sizes) = &architecture.visual {
        let width = i64::from(sizes.width);
        list.conv("visual.conv1", "visual.bn1", [width / 2, 3, 3, 3]);
        list.conv("visual.conv2", "visual.bn2", [width / 2, width / 2, 3, 3]);
        list.conv("visual.conv3", "visual.bn3", [width, width / 2, 3, 3]);
        let mut from = width;
        for layer in 1..=4 {
            let planes = width << (layer - 1);
            for block in 0..sizes.blocks[layer - 1] {
                let key = format!("visual.layer{layer}.{block}");
                let mut conv = |name: &str, bn: &str, shape| {
                    list.conv(&format!("{key}.{name}"), &format!("{key}.{bn}"), shape);
                };
                conv("conv1", "bn1", [planes, from, 1, 1]);
                conv("conv2", "bn2", [planes, planes, 3, 3]);
                conv("conv3", "bn3", [planes * 4, planes, 1, 1]);
                if block == 0 {
                    conv("downsample.0", "downsample.1", [planes * 4, from, 1, 1]);
                }
                from = planes * 4;
            }
        }
        let cells = i64::from(architecture.image_size / 32);
        let deviation = (from as f64).powf(-0.5);
        let key = "visual.attnpool";
        list.normal(format!("{key}.positional_embedding"), &[cells * cells + 1, from], deviation);
        for (name, to) in [
            ("q_proj", from),
            ("k_proj", from),
            ("v_proj", from),
            ("c_proj", i64::from(architecture.embedding)),
        ] {
            list.normal(format!("{key}.{name}.weight"), &[to, from], deviation);
            list.value(format!("{key}.{name}.bias"), &[to], 0.0);
        }
    }
    if let Some(text) = &architecture.text {
        let (c, layers) = (i64::from(text.sizes.width), f64::from(text.sizes.layers));
        let width = c as f64;
        list.normal("token_embedding.weight".into(), &[i64::from(text.vocabulary), c], 0.02);
        list.normal("positional_embedding".into(), &[i64::from(text.context), c], 0.01);
        let projection = width.powf(-0.5) * (2.0 * layers).powf(-0.5);
        for block in 0..text.sizes.layers {
            let key = format!("transformer.resblocks.{block}");
            let m = i64::from(text.sizes.hidden);
            for (name, to, from, deviation) in [
                ("attn.in_proj_", 3 * c, c, width.powf(-0.5)),
                ("attn.out_proj.", c, c, projection),
                ("mlp.c_fc.", m, c, (2.0 * width).powf(-0.5)),
                ("mlp.c_proj.", c, m, projection),
            ] {
                list.normal(format!("{key}.{name}weight"), &[to, from], deviation);
                list.value(format!("{key}.{name}bias"), &[to], 0.0);
            }
            list.norm(&format!("{key}.ln_1"), c);
            list.norm(&format!("{key}.ln_2"), c);
        }
        list.norm("ln_final", c);
        list.normal(
            "text_projection".into(),
            &[c, i64::from(architecture.embedding)],
            width.powf(-0.5),
        );
        list.value("logit_scale".into(), &[], (1.0f64 / 0.07).ln());
    }
    list.learned.sort_by_key(|part| !part.decays());
    (list.learned, list.statistics)
}

struct List {
    learned: Vec<Part>,
    statistics: Vec<Part>,
}

impl List {
    fn normal(&mut self, name: String, shape: &[i64], deviation: f64) {
        self.learned.push(Part { name, shape: shape.to_vec(), begin: Begin::Normal(deviation) });
    }

    fn value(&mut self, name: String, shape: &[i64], value: f64) {
        self.learned.push(Part { name, shape: shape.to_vec(), begin: Begin::Value(value) });
    }

    fn norm(&mut self, key: &str, c: i64) {
        self.value(format!("{key}.weight"), &[c], 1.0);
        self.value(format!("{key}.bias"), &[c], 0.0);
    }

    /// A convolution to `shape[0]` channels with its BatchNorm.
    fn conv(&mut self, key: &str, bn: &str, shape: [i64; 4]) {
        let inputs = shape[1] * shape[2] * shape[3];
        self.normal(format!("{key}.weight"), &shape, (2.0 / inputs as f64).sqrt());
        self.norm(bn, shape[0]);
        for (name, value) in [("running_mean", 0.0), ("running_var", 1.0)] {
            let (name, begin) = (format!("{bn}.{name}"), Begin::Value(value));
            self.statistics.push(Part { name, shape: vec![shape[0]], begin });
        }
    }
}
