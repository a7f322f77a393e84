//! Layers: their spellings, the shapes of their activations, and where a forward pass reaches them. Which layers a model
//! has is said by its family.

/// A layer of a model: its names and the shape of its activations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// All spellings.
    pub name: LayerName,
    /// Where in its tower it stands.
    pub stage: Stage,
    /// Channels.
    pub units: u32,
    /// Where each unit answers, at the model's own input size.
    pub positions: Positions,
}

/// Where a layer's units answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// Once an image or text: activations are `[n, units]`.
    One,
    /// At each point of a square map of that side: `[n, units, side, side]`.
    Map(u32),
    /// At each of so many tokens: `[n, tokens, units]`. Of an image, the class token is the first, and the
    /// patches follow row by row.
    Tokens(u32),
}

/// A layer's spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerName {
    /// As PyTorch's module tree spells it; the one in keys.
    pub canonical: String,
    /// As the article's graph spells it, where it has the layer.
    pub article: Option<String>,
    /// As Hugging Face's module tree spells it, where it has the layer.
    pub hugging_face: Option<String>,
}

/// Where in its tower a layer stands, deepest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The stem's convolution 1, 2 or 3, in a ResNet.
    Stem(u32, StemTap),
    /// The stem's output.
    StemOutput,
    /// In a bottleneck of a ResNet.
    Bottleneck {
        /// 1 to 4.
        stage: u32,
        /// From 0.
        block: u32,
        /// Which of its activations.
        tap: Tap,
    },
    /// The patches of a vision transformer, or the tokens of a text before their positions are added.
    Input,
    /// The residual stream where it begins.
    Stream,
    /// In a block of a transformer.
    Residual {
        /// From 0.
        block: u32,
        /// Which of its activations.
        tap: BlockTap,
    },
    /// After the last LayerNorm: of an image's class token, or of all tokens of a text.
    Final,
    /// The embedding of the image or the text, not normalised.
    Embedding,
}

/// An activation of the stem, in the order they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StemTap {
    /// Before BatchNorm.
    Conv,
    /// After BatchNorm.
    Norm,
    /// After the ReLU.
    Relu,
}

/// An activation inside a bottleneck, in the order they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tap {
    /// The first convolution, before its BatchNorm.
    Conv1,
    /// After its BatchNorm.
    Norm1,
    /// After its ReLU.
    Relu1,
    /// The second convolution, before its BatchNorm.
    Conv2,
    /// After its BatchNorm.
    Norm2,
    /// After its ReLU, before the pooling.
    Relu2,
    /// After the pooling.
    Pool,
    /// The third convolution, before its BatchNorm.
    Conv3,
    /// After its BatchNorm.
    Norm3,
    /// The shortcut's convolution, before its BatchNorm.
    ShortcutConv,
    /// The shortcut, where it is not the block's input.
    Shortcut,
    /// The residual sum, before the last ReLU.
    Add,
    /// The block's output.
    Output,
}

/// An activation inside a transformer's block, in the order they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockTap {
    /// After the first LayerNorm.
    Norm1,
    /// What the attention adds to the residual stream.
    Attention,
    /// The residual stream between attention and MLP.
    Middle,
    /// After the second LayerNorm.
    Norm2,
    /// The MLP's hidden units before their nonlinearity.
    HiddenInput,
    /// The MLP's hidden units.
    Hidden,
    /// What the MLP adds to the residual stream.
    Mlp,
    /// The residual stream after the block.
    Output,
}

impl Stage {
    /// Whether it lies between a convolution and its BatchNorm, which are computed as one unless it is asked for.
    pub fn splits_norm(self) -> bool {
        match self {
            Self::Stem(_, tap) => tap == StemTap::Conv,
            Self::Bottleneck { tap, .. } => {
                matches!(tap, Tap::Conv1 | Tap::Conv2 | Tap::Conv3 | Tap::ShortcutConv)
            }
            _ => false,
        }
    }
}

impl LayerName {
    pub(in crate::model) fn plain(canonical: impl Into<String>) -> Self {
        Self { canonical: canonical.into(), article: None, hugging_face: None }
    }

    pub(in crate::model) fn in_article(self, article: impl Into<String>) -> Self {
        Self { article: Some(article.into()), ..self }
    }

    pub(in crate::model) fn in_hugging_face(self, name: impl Into<String>) -> Self {
        Self { hugging_face: Some(name.into()), ..self }
    }

    /// Whether `name` is one of the spellings.
    pub fn is(&self, name: &str) -> bool {
        self.canonical == name || self.other() == Some(name)
    }

    /// The spelling that is not the canonical one. No layer has two of those.
    pub fn other(&self) -> Option<&str> {
        self.article.as_deref().or(self.hugging_face.as_deref())
    }

    /// All spellings, the canonical one first.
    pub fn spellings(&self) -> Vec<String> {
        std::iter::once(self.canonical.clone()).chain(self.other().map(str::to_owned)).collect()
    }

    /// The article's spelling where there is one: what a reader of the article expects to see.
    pub fn shown(&self) -> &str {
        self.article.as_deref().unwrap_or(&self.canonical)
    }
}

impl Layer {
    pub(in crate::model) fn new(
        name: LayerName,
        stage: Stage,
        units: u32,
        positions: Positions,
    ) -> Self {
        Self { name, stage, units, positions }
    }
}
