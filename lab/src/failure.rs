//! Why a request has no result. Knows nothing of what was measured.

use std::any::Any;
use std::io;
use std::path::Path;

use neuronotes_core::dataset::ShardError;
use neuronotes_core::problem::Problem;
use neuronotes_core::protocol::Cause;
use neuronotes_core::store::StoreError;
use tch::TchError;

use crate::device::Unusable;

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// Another process is measuring it, and there is other work to do meanwhile.
    #[error("another process is measuring it")]
    Elsewhere,
    /// It cannot be measured.
    #[error("{message}")]
    Failed {
        /// What is wrong.
        message: String,
        /// What to do, if known.
        hint: Option<String>,
        /// Whether it would fail again.
        cause: Cause,
    },
}

/// Parts of libtorch's messages when memory runs out.
const MEMORY: [&str; 3] = ["out of memory", "can't allocate memory", "alloc_cpu"];
/// Parts of libtorch's messages when the device has failed, rather than the operation.
const DEVICE: [&str; 3] = ["CUDA error", "CUDNN_STATUS", "CUBLAS_STATUS"];

impl Failure {
    /// A failure of the request itself, without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        let memory = MEMORY.iter().any(|sign| message.contains(sign));
        let cause = if memory { Cause::Resource } else { Cause::Deterministic };
        Self::Failed { message, hint: None, cause }
    }

    /// A failure whose reason the request's key does not cover, such as a file that cannot be read.
    pub fn outside(message: impl Into<String>) -> Self {
        Self::new(message).because(Cause::Environment)
    }

    /// The failure to read a file or folder that was there when the request was made.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        let failure = Self::outside(format!("{} cannot be read ({error})", path.display()));
        match error.kind() {
            io::ErrorKind::PermissionDenied => failure.hint("make it readable, then try again"),
            _ => failure.hint(
                "if it is on a network share or a removable disk, reconnect that and try again; \
                 what was scanned before is kept",
            ),
        }
    }

    /// The failure to draw a word or a text as a picture.
    pub fn undrawn(text: &str, why: impl std::fmt::Display) -> Self {
        Self::new(format!("`{text}` cannot be drawn ({why})"))
            .hint("use letters that the font has, such as Latin, Greek and Cyrillic ones, digits and signs")
    }

    fn because(self, cause: Cause) -> Self {
        match self {
            Self::Failed { message, hint, .. } => Self::Failed { message, hint, cause },
            other => other,
        }
    }

    /// Adds what to do about it.
    pub fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Failed { message, cause, .. } => {
                Self::Failed { message, hint: Some(text.into()), cause }
            }
            other => other,
        }
    }

    /// A failure with libtorch's message, without its stack, and with a hint if memory ran out.
    pub fn of_libtorch(text: &str) -> Self {
        // Its stack follows, on lines of its own or escaped in one.
        let stack =
            ["\nException raised from", "\\nException raised from", "\nframe #", "\\nframe #"];
        let end = stack.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
        let first = text[..end].trim();
        let failure = Self::new(format!("libtorch failed ({first})"));
        if failure.is_of_memory() {
            return failure.hint("memory ran out: try a smaller `size`, or use another device");
        }
        // A GPU that has failed once fails from then on.
        if DEVICE.iter().any(|sign| first.contains(sign)) {
            return failure.because(Cause::Environment);
        }
        failure
    }

    /// A failure with the message of a panic: libtorch's errors come as panics of tch's plain functions.
    pub fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        match text.split_once("Torch(\"") {
            Some((_, text)) => Self::of_libtorch(text.trim_end_matches("\")")),
            None => Self::new(format!("internal error in the lab ({text})"))
                .hint("this is a bug in neuronotes-lab; its log says where"),
        }
    }

    /// Whether the device or the machine ran out of memory.
    pub fn is_of_memory(&self) -> bool {
        matches!(self, Self::Failed { cause: Cause::Resource, .. })
    }
}

impl From<TchError> for Failure {
    fn from(error: TchError) -> Self {
        Self::of_libtorch(&error.to_string())
    }
}

impl From<Unusable> for Failure {
    fn from(Unusable { message, hint }: Unusable) -> Self {
        Self::Failed { message, hint, cause: Cause::Environment }
    }
}

impl From<Problem> for Failure {
    fn from(Problem { message, hint }: Problem) -> Self {
        match hint {
            Some(hint) => Self::new(message).hint(hint),
            None => Self::new(message),
        }
    }
}

impl From<ShardError> for Failure {
    fn from(error: ShardError) -> Self {
        let failure = match error {
            ShardError::Io { .. } => Self::outside(error.to_string()),
            ShardError::Malformed { .. } | ShardError::Instead { .. } => {
                Self::new(error.to_string())
            }
        };
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::outside(error.to_string());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_running_out_comes_with_advice_and_without_a_stack() {
        let text = "CUDA out of memory. Tried to allocate 2 GiB.\nException raised from malloc at x.cpp:12";
        let Failure::Failed { message, hint, cause } = Failure::of_libtorch(text) else {
            panic!("a failure");
        };
        assert_eq!(cause, Cause::Resource);
        assert!(!message.contains("Exception"), "{message}");
        let processor =
            r"DefaultCPUAllocator: can't allocate memory: 9 bytes.\nframe #0: c10::alloc_cpu";
        let failure = Failure::of_libtorch(processor);
        assert!(failure.is_of_memory() && !failure.to_string().contains("frame"), "{failure}");
        assert!(hint.is_some_and(|hint| hint.contains("smaller")));
        let device = Failure::of_libtorch("CUDA error: an illegal memory access was encountered");
        assert!(matches!(device, Failure::Failed { cause: Cause::Environment, .. }), "{device:?}");
        let own = Failure::of_libtorch("mat1 and mat2 shapes cannot be multiplied");
        assert!(matches!(own, Failure::Failed { cause: Cause::Deterministic, .. }), "{own:?}");
    }
}
