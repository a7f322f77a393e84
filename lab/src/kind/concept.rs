//! Measures `concept`: how well one unit, sums of units, directions and a curved boundary tell the pictures of a concept from
//! others.

mod causal;
mod judge;
mod looks;
mod ranks;
mod shared;

use neuronotes_core::kind::concept::{FEWEST, Outcome, Params, Written};
use neuronotes_core::kind::scan::Pool;
use tch::Tensor;

use super::term::{of_terms, weightless};
use crate::failure::Failure;
use crate::group::{Members, Own, leave_out, members, two};
use crate::monitor::{Monitor, Progress};
use crate::readout::Readout;
use crate::vector::{Row, dot, left_of, unit};
use crate::workbench::Workbench;
use causal::Removal;
pub use judge::{Side, Task};
use looks::Subject;
use shared::Concept;

/// Steps that progress counts.
const STEPS: u64 = 6;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[params.layer.layer()])?;
    let at = Readout::of(bench, &clip, &params.layer)?;
    let own = match bench.request.dataset {
        Some(_) => Some(Own::read(bench, &at, Pool::Mean)?),
        None => None,
    };
    let (mut of_concept, mut others) = two(
        bench,
        &clip,
        (&at, Pool::Mean),
        (&params.positive, params.negative.as_ref()),
        own.as_ref(),
    )?;
    let mut written = Vec::new();
    for group in params.written.iter().chain(&params.written_others) {
        written.push(members(bench, &clip, (&at, Pool::Mean), group, own.as_ref())?);
    }
    let mut all: Vec<&mut Members> = vec![&mut of_concept, &mut others];
    all.extend(&mut written);
    leave_out(&mut all, at.is_scaled())?;
    let written: Vec<Tensor> = written.into_iter().map(|group| group.rows).collect();
    let spoiled = of_concept.spoiled.clone();
    let (positive, held_positive) = split("positive", &of_concept, &params)?;
    let (negative, held_negative) = split("negative", &others, &params)?;
    let train = Side::of(&positive, &negative, params.seed);
    let held_out = Side::of(&held_positive, &held_negative, params.seed);
    let concept = Concept {
        group: &params.positive,
        members: &of_concept,
        own: own.as_ref(),
        request: bench.request,
    };
    let (mut controls, mut shared): (Vec<Row>, Vec<(u32, u64)>) = (Vec::new(), Vec::new());
    for (index, terms) in (0..).zip(params.controls.iter().flatten()) {
        let control = of_terms(bench, &clip, &at, terms)?;
        controls.push(weightless(control, &spoiled, "a control")?);
        shared.push((index, concept.shared(terms)));
    }
    shared.retain(|(_, pictures)| *pictures > 0);
    let counts = |a: &Tensor, b: &Tensor| (a.size()[0] as u64, b.size()[0] as u64);
    let sides = (counts(&positive, &held_positive), counts(&negative, &held_negative));
    let task = Task {
        train: &train,
        held_out: &held_out,
        regularisation: params.regularisation,
        seed: params.seed,
    };
    let (found, direction) = tch::no_grad(|| compared(&task, &controls, &written, bench.monitor))?;
    let subject = Subject {
        clip: &clip,
        at: &at,
        own: own.as_ref(),
        positive: &of_concept.own,
        unit: &found.unit,
        direction: &direction,
    };
    let looks = subject.looks(bench, &params)?;
    let removal = Removal {
        clip: &clip,
        layer: &at.layer,
        own: own.as_ref(),
        held_out: [held_out_of(&of_concept, &params), held_out_of(&others, &params)],
        train: &train,
        outcome: &found,
        direction: &direction,
    };
    let causal = removal.causal(bench, &params)?;
    let outcome = Outcome {
        positive: sides.0,
        negative: sides.1,
        units: at.units() as u32,
        spoiled,
        shared,
        looks,
        causal,
        ..found
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The places of a group's held-out pictures in the data set; none if the group is no part of it.
fn held_out_of(group: &Members, params: &Params) -> Vec<usize> {
    let split = group.split(params.held_out, params.group_by.is_some(), params.seed);
    split.held_out.iter().filter_map(|row| group.own.get(*row).copied()).collect()
}

/// The rows of a group that are trained on, and those held out.
fn split(name: &str, group: &Members, params: &Params) -> Result<(Tensor, Tensor), Failure> {
    let by_caption = params.group_by.is_some();
    let (train, held_out) = group.divided(params.held_out, by_caption, params.seed);
    let (some, others) = (train.size()[0], held_out.size()[0]);
    if some >= 2 && others >= 2 {
        return Ok((train, held_out));
    }
    let all = some + others;
    let (message, hint) = match by_caption && all >= FEWEST as i64 {
        // Enough pictures, but too few captions.
        true => (
            format!(
                "the split leaves {others} of the {all} pictures of `{name}` held out and {some} to train on"
            ),
            "pictures of one caption stay together: name more captions, or remove `group_by`"
                .to_owned(),
        ),
        false => (
            format!("`{name}` has too few pictures: {all}"),
            format!("a group needs at least {FEWEST}, and two on each side of the split"),
        ),
    };
    Err(Failure::new(message).hint(hint))
}

/// Everything that is compared, without the numbers of pictures; and the direction of the logistic regression, of length 1.
///
/// # Errors
/// If a regression does not converge, activations are all equal, or the monitor says so.
pub fn compared(
    task: &Task<'_>,
    controls: &[Row],
    written: &[Tensor],
    monitor: &mut dyn Monitor,
) -> Result<(Outcome, Row), Failure> {
    let mut done = 0;
    let mut next = |monitor: &mut dyn Monitor| {
        let stage = "comparing units, sums and directions";
        let (step, unit) = (done, "step");
        monitor.progress(&Progress { stage, step, total: STEPS, unit, picture: None });
        done += 1;
        monitor.check()
    };
    let held_out = task.held_out;
    next(monitor)?;
    let lots = task.lots();
    let aucs = task.aucs(&lots, &mut || monitor.check())?;
    let best = task.unit(&aucs.get(0))?;
    next(monitor)?;
    let sums = task.sums(best.unit, &mut || monitor.check())?;
    next(monitor)?;
    let means = held_out.along(&task.means()?)?;
    let direction = unit(task.logistic(&mut || monitor.check())?, "the logistic regression")?;
    let logistic = held_out.along(&direction)?;
    next(monitor)?;
    let (curved, curved_on) = task.curved()?;
    next(monitor)?;
    let chance = task.chance(lots, &aucs, &mut || monitor.check())?;
    next(monitor)?;
    let controlled = match controls.is_empty() {
        true => None,
        false => match left_of(&direction, controls) {
            Some((left, _)) => Some(held_out.along(&left)?),
            None => None,
        },
    };
    let written = match written {
        [positive, negative] => {
            let side = Side::of(positive, negative, task.seed);
            Some(Written {
                positive: positive.size()[0] as u64,
                negative: negative.size()[0] as u64,
                unit: side.of_unit(best.unit, best.low)?,
                direction: side.along(&direction)?,
            })
        }
        _ => None,
    };
    let outcome = Outcome {
        positive: (0, 0),
        negative: (0, 0),
        units: 0,
        spoiled: vec![],
        unit: best,
        sums,
        means,
        logistic,
        curved,
        curved_on: curved_on as u64,
        controlled,
        shared: vec![],
        cosines: controls.iter().map(|control| dot(control, &direction)).collect(),
        written,
        chance,
        looks: None,
        causal: None,
    };
    Ok((outcome, direction))
}

#[cfg(test)]
mod tests;
