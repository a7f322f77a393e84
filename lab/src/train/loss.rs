//! Loss functions.

use tch::{Kind, Tensor};

/// Normalises rows to length 1: `[n, e]` to the same.
pub fn unit(rows: &Tensor) -> Tensor {
    let rows = rows.to_kind(Kind::Float);
    let length = rows.square().sum_dim_intlist([-1i64].as_slice(), true, None).sqrt(); // [n, 1]
    rows / length.clamp_min(1e-12)
}

/// CLIP's loss of `[batch, texts]` logits; `column`, `[batch]`, has the index of each picture's text. For a text, all
/// its pictures are equally correct; a text without pictures only counts as a negative.
pub fn contrast(logits: &Tensor, column: &Tensor) -> Tensor {
    let of_pictures =
        logits.cross_entropy_loss(column, None::<Tensor>, tch::Reduction::Mean, -100, 0.0);
    let right = column.one_hot(logits.size()[1]).to_kind(Kind::Float).tr(); // [texts, batch]
    let count = right.sum_dim_intlist([1i64].as_slice(), true, None); // [texts, 1]
    let target = &right / count.clamp_min(1.0);
    let of_texts = -(logits.tr().log_softmax(1, None) * target).sum(None::<Kind>); // a sum over texts that are shown
    let shown = count.clamp_max(1.0).sum(None::<Kind>);
    (of_pictures + of_texts / shown) / 2.0
}

/// The kinship loss: how little the last layer's responses `[batch, c, h, w]` agree among samples of the same name,
/// given by `column`, `[batch]`, compared with all others. It is non-negative contrastive learning (Wang et al. 2024)
/// on the mean of each unit after its ReLU. Non-negative activations can only be similar if the same units are
/// active, and dissimilar if others are; so each unit comes to stand for few things, both drawn and written.
pub fn kinship(last: &Tensor, column: &Tensor, temperature: f64) -> Tensor {
    let active = last.to_kind(Kind::Float).relu().mean_dim([2i64, 3].as_slice(), false, None); // [batch, c]
    let active = unit(&active);
    let n = active.size()[0];
    let itself = Tensor::eye(n, (Kind::Bool, active.device())); // [batch, batch]
    let alike = (active.matmul(&active.tr()) / temperature).masked_fill(&itself, f64::NEG_INFINITY);
    let kin =
        column.unsqueeze(0).eq_tensor(&column.unsqueeze(1)).logical_and(&itself.logical_not());
    let kin = kin.to_kind(Kind::Float); // [batch, batch]
    let count = kin.sum_dim_intlist([1i64].as_slice(), false, None); // [batch]
    let surprise = -(alike.log_softmax(1, None).masked_fill(&itself, 0.0) * &kin);
    let each = surprise.sum_dim_intlist([1i64].as_slice(), false, None) / count.clamp_min(1.0); // [batch]
    each.sum(None::<Kind>) / count.clamp_max(1.0).sum(None::<Kind>).clamp_min(1.0)
}
