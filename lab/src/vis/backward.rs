//! Gradients: a loss over activations in; its gradient with respect to parameters out, also through ReLUs whose output is
//! zero.
//!
//! Lucid's redirected ReLU (`misc/redirected_relu_grad.py`): a ReLU whose input is negative everywhere in an
//! image passes no gradient on, which is common in the last layers for noise. If the gradient that passes a ReLU is zero
//! everywhere in an image, the part that would push negative inputs up is passed on instead. Here the graph is cut at each
//! ReLU ([`Cut`]), and the cuts are processed from the last to the first.

use tch::Tensor;

use crate::clip::activations::Cut;
use crate::failure::Failure;

/// How many of the ReLUs before it a ReLU can depend on: the two of its block, and the one that the block starts from.
const REACH: usize = 3;

/// The gradients of a backward pass through cuts.
#[derive(Debug)]
pub struct Redirected {
    /// The gradient with respect to the input.
    pub input: Tensor,
    /// The gradient with respect to the output of each ReLU, if anything depends on it.
    pub after: Vec<Option<Tensor>>,
}

/// The gradient of `loss`, summed over all its elements, with respect to `input` and to the outputs of the ReLUs. `extra` is
/// added to the gradient that arrives at a ReLU, by its index. The graph is kept, since two ReLUs may follow one pooling.
///
/// # Errors
/// If memory runs out.
pub fn redirected(
    loss: &Tensor,
    cuts: &[Cut],
    extra: &[(usize, Tensor)],
    input: &Tensor,
) -> Result<Redirected, Failure> {
    let mut after: Vec<Option<Tensor>> = cuts.iter().map(|_| None).collect();
    for (place, gradient) in extra {
        after[*place] = Some(gradient.shallow_clone());
    }
    let mut of_input = None;
    spread(loss, cuts, cuts.len(), input, &mut after, &mut of_input)?;
    for place in (0..cuts.len()).rev() {
        let Some(gradient) = &after[place] else { continue };
        let passed = passed(&cuts[place].before.detach(), gradient);
        // Every element of the root counts once, so this is the product with the gradient that is passed on.
        let root = &cuts[place].before * passed;
        spread(&root, cuts, place, input, &mut after, &mut of_input)?;
    }
    let input = of_input.unwrap_or_else(|| input.zeros_like());
    Ok(Redirected { input, after })
}

/// Adds the gradient of `root` to what arrives at the ReLUs before `place`, and at the input.
fn spread(
    root: &Tensor,
    cuts: &[Cut],
    place: usize,
    input: &Tensor,
    after: &mut [Option<Tensor>],
    of_input: &mut Option<Tensor>,
) -> Result<(), Failure> {
    // The loss may not depend on the last ReLU that was computed.
    let reach = if place == cuts.len() { REACH + 1 } else { REACH };
    let near = place.saturating_sub(reach);
    let mut leaves: Vec<&Tensor> = cuts[near..place].iter().map(|cut| &cut.after).collect();
    leaves.push(input);
    let gradients = Tensor::f_run_backward(&[root], &leaves, true, false)?;
    let slots = after[near..place].iter_mut().chain([of_input]);
    for (slot, gradient) in slots.zip(gradients) {
        if !gradient.defined() {
            continue;
        }
        *slot = Some(match slot.take() {
            Some(sum) => sum + gradient,
            None => gradient,
        });
    }
    Ok(())
}

/// The gradient that passes a ReLU: `before` is its input, `gradient` that of a loss with respect to its output, both
/// `[n, c, h, w]`.
fn passed(before: &Tensor, gradient: &Tensor) -> Tensor {
    let plain = before.threshold_backward(gradient, 0.0);
    let passes = plain.abs().amax([1i64, 2, 3].as_slice(), true).gt(0.0); // [n, 1, 1, 1]
    // Nearly always all do; checking so few numbers is cheaper than the rest of this function.
    if passes.all().int64_value(&[]) != 0 {
        return plain;
    }
    let negative = before.le(0.0);
    // A step goes against the gradient: a positive one would push a negative input further down.
    let upward = gradient.masked_fill(&negative.logical_and(&gradient.gt(0.0)), 0.0);
    plain.where_self(&passes, &upward)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn map(values: &[f32]) -> Tensor {
        Tensor::from_slice(values).view([-1, 1, 1, 3])
    }

    #[test]
    fn what_gets_past_is_lucids_rule_image_by_image() {
        // Some gradient passes for the first image, none for the second.
        let before = map(&[-1.0, 2.0, -3.0, -1.0, -2.0, -3.0]);
        let gradient = map(&[5.0, -6.0, -7.0, 5.0, -6.0, -7.0]);
        let expected = map(&[0.0, -6.0, 0.0, 0.0, -6.0, -7.0]);
        assert_eq!(passed(&before, &gradient), expected);
    }

    /// Two ReLUs and a shortcut around the second.
    fn network(x: &Tensor, cutting: bool) -> (Tensor, Vec<Cut>) {
        let mut cuts = Vec::new();
        let mut relu = |before: Tensor| {
            let after = before.relu();
            if !cutting {
                return after;
            }
            let after = after.detach().set_requires_grad(true);
            cuts.push(Cut { before, after: after.shallow_clone() });
            after
        };
        let first = relu(x * 2.0 + 0.1);
        let second = relu(&first * 3.0 - 0.5);
        (((second + first) * x.ones_like()).square(), cuts)
    }

    #[test]
    fn if_every_gradient_passes_it_is_the_plain_gradient() {
        let x = (Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 1, 1, 3]) / 6.0 - 0.2)
            .set_requires_grad(true);
        let (loss, _) = network(&x, false);
        let plain = Tensor::run_backward(&[loss.sum(Kind::Float)], &[&x], false, false).remove(0);
        let (loss, cuts) = network(&x, true);
        let found = redirected(&loss, &cuts, &[], &x).expect("gradients");
        assert!((found.input - &plain).abs().max().double_value(&[]) < 1e-6);
        assert!(found.after.iter().all(Option::is_some));
        // What is added at a ReLU arrives at the input as if it were part of the loss.
        let extra = cuts[0].after.ones_like();
        let more = redirected(&loss, &cuts, &[(0, extra)], &x).expect("gradients");
        let passes = (&x * 2.0 + 0.1).gt(0.0).to_kind(Kind::Float) * 2.0;
        assert!((more.input - plain - passes).abs().max().double_value(&[]) < 1e-6);
    }
}
