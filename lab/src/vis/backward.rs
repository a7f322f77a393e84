//! Gradients: a loss over activations in; its gradient with respect to parameters out, past ReLUs that are silent.
//!
//! Lucid's redirected ReLU (`misc/redirected_relu_grad.py`): a ReLU that is negative for a whole image passes no
//! gradient on, and noise often leaves the last layers so. Where the gradient that gets past a ReLU is zero for an image
//! altogether, what would push a negative input up is passed on instead. Here the graph is cut at each ReLU
//! ([`Cut`]), and the cuts are gone through from the last to the first.

use tch::Tensor;

use crate::clip::activations::Cut;
use crate::failure::Failure;

/// ReLUs before it that what follows one can depend on: the two of its block, and the one that the block begins from.
const REACH: usize = 3;

/// A walk backward through cuts.
#[derive(Debug)]
pub struct Redirected {
    /// With respect to the input.
    pub input: Tensor,
    /// With respect to what each ReLU gave, where anything depends on it.
    pub after: Vec<Option<Tensor>>,
}

/// The gradient of `loss`, summed over all its elements, with respect to `input`, and to what the ReLUs gave. `extra` is
/// added to what arrives at a ReLU, by its place. The graph is kept, for two ReLUs may stand behind one pooling.
///
/// # Errors
/// Where memory runs out.
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
        // Every element of the root counts once, so that this is the product with what is passed on.
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
    // A loss may stand behind one ReLU that was computed for nothing.
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

/// What gets past a ReLU: `before` is what it was given, `gradient` that of a loss with respect to what it gave, both
/// `[n, c, h, w]`.
fn passed(before: &Tensor, gradient: &Tensor) -> Tensor {
    let plain = before.threshold_backward(gradient, 0.0);
    let heard = plain.abs().amax([1i64, 2, 3].as_slice(), true).gt(0.0); // [n, 1, 1, 1]
    // Nearly always all are; a look at so few numbers costs less than the other half of this.
    if heard.all().int64_value(&[]) != 0 {
        return plain;
    }
    let negative = before.le(0.0);
    // Against the gradient is where a step goes: a positive one would push a negative input further down.
    let upward = gradient.masked_fill(&negative.logical_and(&gradient.gt(0.0)), 0.0);
    plain.where_self(&heard, &upward)
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
        // The first image is heard somewhere; the second nowhere.
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
    fn where_all_are_heard_it_is_the_plain_gradient() {
        let x = (Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 1, 1, 3]) / 6.0 - 0.2)
            .set_requires_grad(true);
        let (loss, _) = network(&x, false);
        let plain = Tensor::run_backward(&[loss.sum(Kind::Float)], &[&x], false, false).remove(0);
        let (loss, cuts) = network(&x, true);
        let found = redirected(&loss, &cuts, &[], &x).expect("gradients");
        assert!((found.input - &plain).abs().max().double_value(&[]) < 1e-6);
        assert!(found.after.iter().all(Option::is_some));
        // What is added at a ReLU arrives at the input as if the loss had it.
        let extra = cuts[0].after.ones_like();
        let more = redirected(&loss, &cuts, &[(0, extra)], &x).expect("gradients");
        let heard = (&x * 2.0 + 0.1).gt(0.0).to_kind(Kind::Float) * 2.0;
        assert!((more.input - plain - heard).abs().max().double_value(&[]) < 1e-6);
    }
}
