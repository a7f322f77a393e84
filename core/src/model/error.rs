//! Why weights are not those of a CLIP that can be used.

use std::path::PathBuf;

use super::checkpoint::HeaderError;

/// Why a weights file is not a CLIP that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read, or is not a weights file.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The weights are of another kind of network.
    #[error(
        "these are not a CLIP's weights: there is no {marks} among the {count} tensors{}",
        if .some.is_empty() { String::new() } else { format!(", which are {}", .some) }
    )]
    Other {
        /// The tensors that tell the families, each with its family.
        marks: String,
        /// How many tensors there are.
        count: usize,
        /// The names of a few of them.
        some: String,
    },
    /// Several CLIPs are in one file.
    #[error("the weights are of several models ({}), and nothing tells which one is meant", .0.join(", "))]
    Several(Vec<String>),
    /// A tensor that every such CLIP has is missing.
    #[error("the weights have no tensor `{0}`, which every such CLIP has")]
    Missing(String),
    /// A tensor has a shape that no CLIP has.
    #[error("the tensor `{name}` has the shape {shape:?}, but {expected} is expected")]
    Misshapen {
        /// The tensor, by OpenAI's name.
        name: String,
        /// Its shape.
        shape: Vec<u64>,
        /// What was expected.
        expected: String,
    },
    /// Nothing says which nonlinearity the MLPs have.
    #[error("the weights do not say whether their MLPs use GELU or QuickGELU")]
    Activation,
    /// A configuration beside the weights cannot be used.
    #[error("{}, beside the weights, cannot be used ({why})", path.display())]
    Beside {
        /// The file.
        path: PathBuf,
        /// The cause.
        why: String,
    },
}

impl ModelError {
    /// What to do, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Activation => Some(
                "say `activation: gelu` or `activation: quick_gelu` beside the model's path in neuronotes.yaml \
                 (OpenAI's have quick_gelu, most of open_clip's gelu); or put the model's open_clip_config.json, or \
                 Hugging Face's config.json, beside the weights",
            ),
            Self::Several(_) => {
                Some("save the state_dict() of the one that is meant in a file of its own")
            }
            Self::Header(error) => error.hint(),
            _ => None,
        }
    }
}
