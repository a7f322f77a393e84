//! OpenAI's architectures, as arguments name them.

use clap::ValueEnum;

/// OpenAI's architectures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Model {
    #[value(name = "RN50")]
    Rn50,
    #[value(name = "RN101")]
    Rn101,
    #[value(name = "RN50x4")]
    Rn50x4,
    #[value(name = "RN50x16")]
    Rn50x16,
    #[value(name = "RN50x64")]
    Rn50x64,
    #[value(name = "ViT-B/32")]
    ViTB32,
    #[value(name = "ViT-B/16")]
    ViTB16,
    #[value(name = "ViT-L/14")]
    ViTL14,
    #[value(name = "ViT-L/14@336px")]
    ViTL14Px336,
}

impl Model {
    /// The default: both families, small and large.
    pub const USUAL: [Self; 4] = [Self::Rn50, Self::Rn50x4, Self::ViTB32, Self::ViTL14];

    /// OpenAI's name, also for the scripts.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
