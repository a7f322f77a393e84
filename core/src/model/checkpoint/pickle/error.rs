//! Why a pickle is refused.

/// Most operations: more than any checkpoint has; RN50x64's has tens of thousands.
pub(super) const OPERATIONS: usize = 1 << 20;

/// Why a pickle is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PickleError {
    #[error(
        "it asks for Python's `{0}`, but only tensors are read from a weights file; save the model's state_dict() or a TorchScript archive of it"
    )]
    Refused(String),
    #[error("it calls an object that it created, which weights never need")]
    Call,
    #[error("the operation {0:#04x} at byte {1} is not one that PyTorch writes")]
    Operation(u8, usize),
    #[error("it is cut short")]
    Cut,
    #[error("it is malformed at byte {0}: {1}")]
    Malformed(usize, &'static str),
    #[error("it has more than {OPERATIONS} operations")]
    Long,
}
