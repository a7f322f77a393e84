//! CLIP's text tower: token numbers in; activations by [`Stage`] and embeddings out.
//!
//! After openai/CLIP `clip/model.py`: no token sees a later one, and the embedding is taken where the greatest
//! token number stands, which is that of the end of the text. n: texts, t: tokens, c: channels of the stream.

use std::ops::ControlFlow;

use neuronotes_core::model::{Activation, Stage, TextArchitecture};
use tch::Tensor;

use super::activations::{Activations, Collector};
use super::tower::Tower;
use super::transformer::{LayerNorm, Transformer};
use super::weights::Weights;
use crate::failure::Failure;

/// The text tower.
#[derive(Debug)]
pub struct TextTransformer {
    token_embedding: Tensor,      // [vocabulary, c]
    positional_embedding: Tensor, // [t, c]
    transformer: Transformer,
    ln_final: LayerNorm,
    text_projection: Tensor, // [c, embedding]
}

impl TextTransformer {
    /// Takes the tower's weights.
    pub(super) fn new(
        sizes: &TextArchitecture,
        embedding: u32,
        activation: Activation,
        weights: &mut Weights,
    ) -> Self {
        let c = i64::from(sizes.sizes.width);
        let (context, vocabulary) = (i64::from(sizes.context), i64::from(sizes.vocabulary));
        Self {
            token_embedding: weights.take("token_embedding.weight", &[vocabulary, c]),
            positional_embedding: weights.take("positional_embedding", &[context, c]),
            transformer: Transformer::new("transformer", &sizes.sizes, activation, weights),
            ln_final: LayerNorm::new("ln_final", c, weights),
            text_projection: weights.take("text_projection", &[c, i64::from(embedding)]),
        }
    }

    /// Returns `[n, embedding]`, unless `out` is complete before.
    fn run(&self, tokens: &Tensor, n: i64, out: &mut Collector<'_>) -> ControlFlow<(), Tensor> {
        let t = self.positional_embedding.size()[0];
        let x = self.token_embedding.index_select(0, &tokens.flatten(0, -1)).view([n, t, -1]); // [n, t, c]
        let x = out.offer(Stage::Input, x)?;
        let x = out.offer(Stage::Stream, x + &self.positional_embedding)?; // [n, t, c]
        let x = self.transformer.forward(x, true, out)?; // [n, t, c]
        let x = out.offer(Stage::Final, self.ln_final.forward(&x))?; // [n, t, c]
        let end = tokens.argmax(1, true).unsqueeze(-1).expand([n, 1, x.size()[2]], false); // [n, 1, c]
        let feature = x.gather(1, &end, false).squeeze_dim(1); // [n, c]
        out.offer(Stage::Embedding, feature.matmul(&self.text_projection)) // [n, embedding]
    }
}

impl Tower for TextTransformer {
    /// Runs the tower on `tokens`, `[n, t]` of type i64, up to the deepest stage that is wanted.
    ///
    /// # Errors
    /// If a text is of another length, or a token is not in the vocabulary.
    fn forward(&self, tokens: &Tensor, mut out: Collector<'_>) -> Result<Activations, Failure> {
        let (n, t) = tokens.size2()?;
        let (context, vocabulary) =
            (self.positional_embedding.size()[0], self.token_embedding.size()[0]);
        if t != context {
            return Err(Failure::new(format!(
                "the model reads texts of {context} tokens, and was given {t}"
            )));
        }
        if n > 0 && tokens.max().int64_value(&[]) >= vocabulary {
            return Err(Failure::new(format!(
                "the model knows {vocabulary} tokens, not all of these"
            )));
        }
        let _ = self.run(tokens, n, &mut out);
        out.done()
    }

    fn fixes_size(&self, _: Stage) -> bool {
        true
    }
}
