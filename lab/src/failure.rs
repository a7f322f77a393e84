//! Why a request came to no result. Knows nothing of what was measured.

use neuronotes::store::StoreError;
use tch::TchError;

/// Why a request came to no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// Nobody wants it any more.
    #[error("cancelled")]
    Cancelled,
    /// It cannot be measured.
    #[error("{message}")]
    Failed {
        /// What is wrong.
        message: String,
        /// What to do, where known.
        hint: Option<String>,
    },
}

impl Failure {
    /// A failure without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    pub fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Failed { message, .. } => Self::Failed { message, hint: Some(text.into()) },
            Self::Cancelled => Self::Cancelled,
        }
    }

    /// What libtorch said, without its stack, and with a hint where memory ran out.
    pub fn of_libtorch(text: &str) -> Self {
        let first = text
            .split("\\nException raised from")
            .next()
            .unwrap_or_default()
            .split("\nException raised from")
            .next()
            .unwrap_or_default()
            .trim();
        let memory = ["out of memory", "can't allocate memory", "alloc_cpu"];
        let failure = Self::new(format!("libtorch failed ({first})"));
        if memory.iter().any(|sign| text.contains(sign)) {
            return failure.hint("memory ran out: ask for a smaller `size`, or use another device");
        }
        failure
    }
}

impl From<TchError> for Failure {
    fn from(error: TchError) -> Self {
        Self::of_libtorch(&error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_running_out_comes_with_advice_and_without_a_stack() {
        let text = "CUDA out of memory. Tried to allocate 2 GiB.\nException raised from malloc at x.cpp:12";
        let Failure::Failed { message, hint } = Failure::of_libtorch(text) else {
            panic!("a failure");
        };
        assert!(!message.contains("Exception"), "{message}");
        assert!(hint.is_some_and(|hint| hint.contains("smaller")));
    }
}
