//! Layers: their spellings, the shapes of their activations, and where a forward pass reaches them. The family of a
//! model determines which layers it has.

/// A layer of a model: its names and the shape of its activations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// All spellings.
    pub name: LayerName,
    /// Its position in its tower.
    pub stage: Stage,
    /// How many units it has: its channels.
    pub units: u32,
    /// The positions at which each unit has an activation, at the model's own input size.
    pub positions: Positions,
}

/// The positions at which a layer's units have activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// One per image or text: activations are `[n, units]`.
    One,
    /// The points of a square map of that side: `[n, units, side, side]`.
    Map(u32),
    /// That many tokens: `[n, tokens, units]`. Of an image, the class token is the first, and the patches follow row by
    /// row.
    Tokens(u32),
}

/// A layer's spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerName {
    /// PyTorch's module path, which request keys have.
    pub canonical: String,
    /// The name in the article's graph, if that has the layer.
    pub article: Option<String>,
    /// The module path in Hugging Face's models, if those have the layer.
    pub hugging_face: Option<String>,
}

/// A layer's position in its tower; the deepest is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// In a ResNet's stem, at its convolution 1, 2 or 3.
    Stem(u32, StemTap),
    /// The output of a ResNet's stem.
    StemOutput,
    /// In a bottleneck of a ResNet.
    Bottleneck {
        /// The stage, 1 to 4.
        stage: u32,
        /// The block, from 0.
        block: u32,
        /// Which of its activations.
        tap: Tap,
    },
    /// The patches of a vision transformer, or the tokens of a text before their positions are added.
    Input,
    /// The residual stream at its beginning.
    Stream,
    /// In a block of a transformer.
    Residual {
        /// The block, from 0.
        block: u32,
        /// Which of its activations.
        tap: BlockTap,
    },
    /// After the last LayerNorm: of an image's class token, or of all tokens of a text.
    Final,
    /// What the heads of a ResNet's attention pool read, side by side, before it is projected. No layer is named after it.
    Pooled,
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
    /// The shortcut, if it is not the block's input.
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
    /// What the attention's heads read, side by side, before it is projected. No layer is named after it.
    Heads,
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
    /// Whether it is between a convolution and its BatchNorm, which are computed together unless it is requested.
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
    pub(super) fn plain(canonical: impl Into<String>) -> Self {
        Self { canonical: canonical.into(), article: None, hugging_face: None }
    }

    pub(super) fn in_article(self, article: impl Into<String>) -> Self {
        Self { article: Some(article.into()), ..self }
    }

    pub(super) fn in_hugging_face(self, name: impl Into<String>) -> Self {
        Self { hugging_face: Some(name.into()), ..self }
    }

    /// Whether `name` is one of the spellings.
    pub fn is(&self, name: &str) -> bool {
        self.canonical == name || self.other() == Some(name)
    }

    /// The spelling besides the canonical one. No layer has two of those.
    pub fn other(&self) -> Option<&str> {
        self.article.as_deref().or(self.hugging_face.as_deref())
    }

    /// All spellings, the canonical one first.
    pub fn spellings(&self) -> Vec<String> {
        std::iter::once(self.canonical.clone()).chain(self.other().map(str::to_owned)).collect()
    }

    /// The article's spelling if there is one, since readers know it; else the canonical one.
    pub fn shown(&self) -> &str {
        self.article.as_deref().unwrap_or(&self.canonical)
    }
}

impl Layer {
    pub(super) fn new(name: LayerName, stage: Stage, units: u32, positions: Positions) -> Self {
        Self { name, stage, units, positions }
    }
}
