//! Checkpoints: files from which a training resumes exactly.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use neuronotes_core::file::write_atomic;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::adamw::AdamW;
use super::network::Network;
use super::recipe::Recipe;
use crate::failure::Failure;

/// A checkpoint's metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    recipe: Recipe,
    /// Digest of the training set and the names.
    data: String,
    step: u64,
    side: u32,
    seconds: f64,
    losses: Vec<f64>,
}

/// The state of a training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Finished steps.
    pub step: u64,
    /// Seconds spent so far.
    pub seconds: f64,
    /// Losses of the steps since the log's last entry.
    pub losses: Vec<f64>,
}

/// Key of [`State`] in the file's metadata.
const STATE: &str = "training";

/// Writes a checkpoint atomically.
///
/// # Errors
/// If the file cannot be written.
pub fn save(
    path: &Path,
    recipe: &Recipe,
    data: &str,
    standing: &Standing,
    network: &Network,
    optimiser: &AdamW,
) -> Result<(), Failure> {
    let state = State {
        recipe: recipe.clone(),
        data: data.to_owned(),
        step: standing.step,
        side: network.architecture.image_size,
        seconds: standing.seconds,
        losses: standing.losses.clone(),
    };
    let own =
        [("weights", &network.weights), ("mean", &optimiser.mean), ("square", &optimiser.square)];
    let own = own.into_iter().map(|(name, tensor)| (name.to_owned(), tensor));
    let statistics = network.statistics.iter().map(|(name, tensor)| (name.clone(), tensor));
    let held: Vec<(String, Vec<usize>, Vec<u8>)> = own
        .chain(statistics)
        .map(|(name, tensor)| {
            let tensor = tensor.detach().to_device(Device::Cpu).contiguous();
            let mut bytes = vec![0u8; tensor.numel() * 4];
            tensor.copy_data_u8(&mut bytes, tensor.numel());
            (name, tensor.size().iter().map(|&size| size as usize).collect(), bytes)
        })
        .collect();
    let failed =
        |why: String| Failure::new(format!("{} cannot be written ({why})", path.display()));
    let views = held
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| failed(error.to_string()))?;
    let text = serde_json::to_string(&state).map_err(|error| failed(error.to_string()))?;
    let bytes = safetensors::serialize(views, Some(HashMap::from([(STATE.to_owned(), text)])))
        .map_err(|error| failed(error.to_string()))?;
    write_atomic(path, &bytes).map_err(|error| failed(error.to_string()))
}

/// Loads a checkpoint; `None` if there is none.
///
/// # Errors
/// If it is damaged, or of another recipe or other data. A recipe that differs only in later stages counts as the
/// same: the training would have reached the same state.
pub fn load(
    path: &Path,
    recipe: &Recipe,
    data: &str,
    network: &mut Network,
    optimiser: &mut AdamW,
) -> Result<Option<Standing>, Failure> {
    let hint = "delete it to start from scratch, or choose another folder with `--out`";
    let failed = |why: String| Failure::new(format!("{}: {why}", path.display())).hint(hint);
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| failed(error.to_string()))?,
    };
    let damaged =
        |why: &dyn std::fmt::Display| failed(format!("the checkpoint is damaged ({why})"));
    let file = SafeTensors::deserialize(&bytes).map_err(|error| damaged(&error))?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(&error))?;
    let text = metadata.metadata().as_ref().and_then(|all| all.get(STATE));
    let text = text.ok_or_else(|| damaged(&"its metadata is missing"))?;
    let state: State = serde_json::from_str(text).map_err(|error| damaged(&error))?;
    if !recipe.continues(&state.recipe, state.step) {
        return Err(failed("the checkpoint is of another recipe".into()));
    }
    if state.data != data {
        return Err(failed("the checkpoint is of another training set".into()));
    }
    let device = network.weights.device();
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(damaged(&format!("`{name}` is not in single precision")));
        }
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        let tensor = Tensor::f_from_data_size(view.data(), &shape, Kind::Float)?;
        tensors.insert(name, tensor.to_device(device));
    }
    let mut take =
        |name: &str| tensors.remove(name).ok_or_else(|| damaged(&format!("`{name}` is missing")));
    let (weights, mean, square) = (take("weights")?, take("mean")?, take("square")?);
    if mean.size() != weights.size() || square.size() != weights.size() {
        return Err(damaged(&"its parts are not of one size"));
    }
    network.restore(state.side, &weights, &tensors).map_err(|error| damaged(&error))?;
    *optimiser = AdamW { mean, square, steps: state.step };
    Ok(Some(Standing { step: state.step, seconds: state.seconds, losses: state.losses }))
}
