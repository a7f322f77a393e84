//! CLIP's text tower, a transformer: its sizes, its layers, and their names in Hugging Face's files.

use serde::{Deserialize, Serialize};

use super::shapes::{Shapes, narrow};
use super::transformer::{self, TransformerSizes, exchange};
use crate::model::error::ModelError;
use crate::model::layer::{Layer, LayerName, Positions, Stage};
use crate::model::source::Source;

/// A tensor that every text tower has, by OpenAI's name.
pub const MARK: &str = "token_embedding.weight";

/// Sizes of the text tower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextArchitecture {
    /// Tokens in a text.
    pub context: u32,
    /// Tokens known.
    pub vocabulary: u32,
    /// Its blocks.
    pub sizes: TransformerSizes,
}

impl TextArchitecture {
    /// Reads the sizes. `heads` is the number of attention heads, if a configuration gives it.
    ///
    /// # Errors
    /// Fails if a tensor is missing or misshapen.
    pub fn read(shapes: &Shapes<'_>, heads: Option<u32>) -> Result<Self, ModelError> {
        let [vocabulary, _] = shapes.of(MARK)?;
        let [context, _] = shapes.of("positional_embedding")?;
        // The visual tower's rule for wide ones does not hold here: heads have 64 channels.
        let heads = |width: u32| heads.unwrap_or((width / 64).max(1));
        let sizes = TransformerSizes::read(shapes, "", heads)?;
        Ok(Self { context: narrow(context), vocabulary: narrow(vocabulary), sizes })
    }

    /// The layers of the text tower, in the order in which a forward pass reaches them; the last is the embedding.
    pub fn layers(&self, embedding: u32) -> Vec<Layer> {
        let (width, tokens) = (self.sizes.width, Positions::Tokens(self.context));
        let input = LayerName::plain("token_embedding")
            .in_hugging_face("text_model.embeddings.token_embedding");
        let stream =
            LayerName::plain("transformer.resid_pre").in_hugging_face("text_model.embeddings");
        let mut layers = vec![
            Layer::new(input, Stage::Input, width, tokens),
            Layer::new(stream, Stage::Stream, width, tokens),
        ];
        self.sizes.add_layers(&mut layers, "", "text_model", tokens);
        let last = LayerName::plain("ln_final").in_hugging_face("text_model.final_layer_norm");
        layers.push(Layer::new(last, Stage::Final, width, tokens));
        let name = LayerName::plain("text_projection");
        layers.push(Layer::new(name, Stage::Embedding, embedding, Positions::One));
        layers
    }
}

/// The place of a tensor of the tower, or of the logits' scale, in a Hugging Face file.
pub fn in_hugging_face(name: &str) -> Source {
    match name {
        "text_projection" => return Source::Transposed("text_projection.weight".into()),
        "logit_scale" => return Source::Whole(name.into()),
        _ => {}
    }
    let tower = "text_model";
    if let Some(source) = transformer::in_hugging_face(tower, name) {
        return source;
    }
    let rest = match name {
        "positional_embedding" => "embeddings.position_embedding.weight".to_owned(),
        "token_embedding.weight" => "embeddings.token_embedding.weight".to_owned(),
        _ => exchange(name, &[("ln_final", "final_layer_norm")]),
    };
    Source::Whole(format!("{tower}.{rest}"))
}
