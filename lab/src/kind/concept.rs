//! Measures `concept`: how well one unit, sums of units, directions and a curved boundary tell the pictures of a concept from
//! others.

mod judge;
mod ranks;

use neuronotes_core::kind::concept::{FEWEST, Outcome, Params, Written};
use neuronotes_core::model::Place;
use tch::Tensor;

use super::term::of_terms;
use crate::failure::Failure;
use crate::group::{Members, Own, members, two};
use crate::monitor::{Monitor, Progress};
use crate::vector::{Row, dot, project_out, unit};
use crate::workbench::Workbench;
use judge::{Side, Task};

/// Steps that progress counts.
const STEPS: u64 = 6;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let Place::Layer(name) = &params.layer else {
        return Err(Failure::new("a concept needs a layer, not a dictionary"));
    };
    let clip = bench.clip(&[name])?;
    let layer = clip.layer(name)?;
    let own = match bench.request.dataset {
        Some(_) => Some(Own::read(bench, &layer)?),
        None => None,
    };
    let (positive, negative) =
        two(bench, &clip, &layer, (&params.positive, params.negative.as_ref()), own.as_ref())?;
    let by_caption = params.group_by.is_some();
    let split = |name: &str, group: &Members| {
        let (train, held_out) = group.divided(params.held_out, by_caption, params.seed);
        let (some, others) = (train.size()[0], held_out.size()[0]);
        match some < 2 || others < 2 {
            true => Err(Failure::new(format!("`{name}` has too few pictures: {}", some + others))
                .hint(format!(
                    "a group needs at least {FEWEST}, and two on each side of the split"
                ))),
            false => Ok((train, held_out)),
        }
    };
    let (positive, held_positive) = split("positive", &positive)?;
    let (negative, held_negative) = split("negative", &negative)?;
    let train = Side::of(&positive, &negative);
    let held_out = Side::of(&held_positive, &held_negative);
    let mut controls: Vec<Row> = Vec::new();
    for terms in params.controls.iter().flatten() {
        controls.push(of_terms(bench, &clip, &layer, terms)?);
    }
    let mut written = Vec::new();
    for group in params.written.iter().chain(&params.written_others) {
        written.push(members(bench, &clip, &layer, group, own.as_ref())?.rows);
    }
    let counts = |a: &Tensor, b: &Tensor| (a.size()[0] as u64, b.size()[0] as u64);
    let sides = (counts(&positive, &held_positive), counts(&negative, &held_negative));
    let task = Task {
        train: &train,
        held_out: &held_out,
        regularisation: params.regularisation,
        seed: params.seed,
    };
    let found = tch::no_grad(|| compared(&task, &controls, &written, bench.monitor))?;
    let outcome = Outcome { positive: sides.0, negative: sides.1, units: layer.units, ..found };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// Everything that is compared, without the numbers of pictures.
fn compared(
    task: &Task<'_>,
    controls: &[Row],
    written: &[Tensor],
    monitor: &mut dyn Monitor,
) -> Result<Outcome, Failure> {
    let mut done = 0;
    let mut next = |monitor: &mut dyn Monitor| {
        let stage = "comparing units, sums and directions";
        let (step, unit) = (done, "step");
        monitor.progress(&Progress { stage, step, total: STEPS, unit, picture: None });
        done += 1;
        monitor.check()
    };
    let (held_out, seed) = (task.held_out, task.seed);
    next(monitor)?;
    let best = task.unit()?;
    next(monitor)?;
    let sums = task.sums(best.unit, &mut || monitor.check())?;
    next(monitor)?;
    let means = held_out.along(&task.means()?, seed)?;
    let direction = unit(task.logistic(&mut || monitor.check())?, "the logistic regression")?;
    let logistic = held_out.along(&direction, seed)?;
    next(monitor)?;
    let (curved, curved_on) = task.curved()?;
    next(monitor)?;
    let chance = task.chance(&mut || monitor.check())?;
    next(monitor)?;
    let controlled = match controls.is_empty() {
        true => None,
        false => Some(held_out.along(&project_out(&direction, controls)?.0, seed)?),
    };
    let written = match written {
        [positive, negative] => {
            let side = Side::of(positive, negative);
            Some(Written {
                positive: positive.size()[0] as u64,
                negative: negative.size()[0] as u64,
                unit: side.of_unit(best.unit, best.low, seed)?,
                direction: side.along(&direction, seed)?,
            })
        }
        _ => None,
    };
    Ok(Outcome {
        positive: (0, 0),
        negative: (0, 0),
        units: 0,
        unit: best,
        sums,
        means,
        logistic,
        curved,
        curved_on: curved_on as u64,
        controlled,
        cosines: controls.iter().map(|control| dot(control, &direction)).collect(),
        written,
        chance,
    })
}

#[cfg(test)]
mod tests;
