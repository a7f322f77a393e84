//! Where the labels of pictures come from.

use serde::{Deserialize, Serialize};

/// Where the labels of pictures come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// The files beside the pictures.
    #[default]
    Files,
    /// The folder that each picture is in.
    Folders,
}

impl Labels {
    /// Their names in the configuration, the default first.
    pub const NAMES: [&str; 2] = ["files", "folders"];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "files" => Some(Self::Files),
            "folders" => Some(Self::Folders),
            _ => None,
        }
    }

    /// Whether it is the default, which a request key leaves out.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
