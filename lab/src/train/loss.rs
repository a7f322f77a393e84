//! Losses: what the network makes of a batch in; how far that is from what it is to learn out.

use tch::{Kind, Tensor};

/// Rows of length 1: `[n, e]` to the same.
pub fn unit(rows: &Tensor) -> Tensor {
    let rows = rows.to_kind(Kind::Float);
    let length = rows.square().sum_dim_intlist([-1i64].as_slice(), true, None).sqrt(); // [n, 1]
    rows / length.clamp_min(1e-12)
}

/// CLIP's loss of `[batch, texts]` logits, where `column`, `[batch]`, says which text is right for a picture. For a
/// text all its pictures are equally right; one that has none counts only against pictures of others.
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

/// How unlike the last layer's answers `[batch, c, h, w]` are to samples of one name, told by `column`, `[batch]`,
/// against all others: non-negative contrastive learning (Wang et al. 2024), where samples are compared by the mean of
/// each unit after its ReLU. What is never negative can only be alike where the same units are active, and
/// unlike where others are; so a unit comes to stand for few things, and for each of them drawn and written.
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
