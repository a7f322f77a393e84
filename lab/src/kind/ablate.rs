//! Measures `ablate`: what the model says of pictures as they are, with something changed, and with something else changed.

mod matched;
mod moments;
mod planned;
mod reading;

use std::cell::RefCell;

use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::ablate::{
    By, ClassChange, Control, Estimate, Flips, Outcome, Params, Read,
};
use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::zero_shot::Truth;
use neuronotes_core::model::{Layer, Place, Stage};
use neuronotes_core::statistics::{part, wilson};
use tch::{Kind, Tensor};

use super::term::of_terms;
use super::truth::{by_label, labels, truth};
use crate::attribution::logit::{Logit, against};
use crate::clip::Clip;
use crate::clip::activations::arranged;
use crate::clip::intervene::{Intervention, beside};
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::fit::bootstrap::{Mean, paired};
use crate::monitor::Monitor;
use crate::pass::{Pass, Variants};
use crate::readout::Readout;
use crate::table::matrix::{Columns, Matrix};
use crate::table::unsound;
use crate::vector::{Prompts, Row};
use crate::workbench::Workbench;
use moments::Moments;
use planned::{How, Planned};
use reading::Reading;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let Place::Layer(name) = &params.layer else {
        let message = "units of a layer can be changed, not features of a dictionary";
        return Err(Failure::new(message).hint("use the layer that the dictionary is over"));
    };
    let read_at = params.read_unit.as_ref().map(|read| read.layer.as_str());
    let names: Vec<&str> = std::iter::once(name.as_str()).chain(read_at).collect();
    let clip = bench.clip(&names)?;
    let layer = clip.layer(name)?;
    let dataset = bench.dataset()?;
    let shards: Vec<Box<dyn Shard>> =
        (0..dataset.shards.len()).map(|at| bench.shard(dataset, at)).collect::<Result<_, _>>()?;
    let pictures = Pictures::of(&params, &shards)?;
    let reading = reading(bench, &clip, &params, &pictures.classes)?;
    let (stage, planned) = planned(bench, &clip, &layer, &params, &pictures)?;
    let shown = shown(bench.monitor, &clip, stage, &planned.changes, &reading, &pictures)?;
    let outcome = outcome(&params, &pictures, &planned, &shown)?;
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The pictures that are read.
struct Pictures<'a> {
    rows: Vec<(&'a dyn Shard, usize)>,
    /// The class of each picture; 0 if it makes no difference.
    truths: Vec<u32>,
    classes: Vec<Class>,
    /// How many pictures were left out.
    outside: u64,
}

impl<'a> Pictures<'a> {
    fn of(params: &Params, shards: &'a [Box<dyn Shard>]) -> Result<Self, Failure> {
        let sample = |(shard, row): (&'a dyn Shard, usize)| -> &'a Sample { &shard.samples()[row] };
        let all = shards
            .iter()
            .flat_map(|shard| (0..shard.samples().len()).map(move |row| (shard.as_ref(), row)));
        let all: Vec<(&dyn Shard, usize)> = all.collect();
        let all = match params.images {
            Some(most) => spread(all, most as usize),
            None => all,
        };
        let by = params.truth.unwrap_or(Truth::Label);
        let reads_class = params.read == Read::Accuracy || params.class.is_some();
        if !reads_class {
            let truths = vec![0; all.len()];
            return Ok(Self { rows: all, truths, classes: Vec::new(), outside: 0 });
        }
        let classes = match params.classes.is_empty() {
            false => params.classes.clone(),
            true => labels(all.iter().map(|row| sample(*row)), by)?,
        };
        if classes.len() < 2 {
            let message = "all images of the data set have one label, so that there is no choice";
            return Err(Failure::new(message).hint("name the `classes`"));
        }
        let known = by_label(&classes);
        let wanted = params.class.as_ref().map(|label| index(&known, label)).transpose()?;
        if by == Truth::None {
            let truths = vec![0; all.len()];
            return Ok(Self { rows: all, truths, classes, outside: 0 });
        }
        let (mut rows, mut truths, mut outside) = (Vec::new(), Vec::new(), 0);
        for row in all {
            let class = truth(sample(row), by);
            match class.and_then(|label| known.get(&label.to_lowercase())) {
                None => outside += 1,
                // Of another class than the one that is read.
                Some(class) if wanted.is_some_and(|wanted| wanted != *class) => {}
                Some(class) => {
                    rows.push(row);
                    truths.push(*class);
                }
            }
        }
        if rows.is_empty() {
            let what = match &params.class {
                Some(label) => format!("has the true class `{label}`"),
                None => "has one of the classes as its true class".to_owned(),
            };
            let hint = match by {
                Truth::Caption => "compare the classes with the captions of the data set",
                _ => "compare the classes with the labels of the data set, or use `truth: caption`",
            };
            return Err(Failure::new(format!("no image of the data set {what}")).hint(hint));
        }
        Ok(Self { rows, truths, classes, outside })
    }
}

/// The place of a class.
fn index(known: &std::collections::HashMap<String, u32>, label: &str) -> Result<u32, Failure> {
    known.get(&label.to_lowercase()).copied().ok_or_else(|| {
        Failure::new(format!("`{label}` is not the label of one of the classes"))
            .hint("write it as in `classes`, or as the data set has it")
    })
}

/// `most` of a list, evenly spread.
fn spread<T: Copy>(all: Vec<T>, most: usize) -> Vec<T> {
    match all.len() <= most {
        true => all,
        false => (0..most).map(|at| all[at * all.len() / most]).collect(),
    }
}

/// What is read.
fn reading(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    params: &Params,
    classes: &[Class],
) -> Result<Reading, Failure> {
    if let (Read::Unit, Some(read)) = (params.read, &params.read_unit) {
        return Ok(Reading::Unit(clip.layer(&read.layer)?.stage, read.unit));
    }
    let truncate = params.truncate.unwrap_or_default();
    let prompts = Prompts { templates: &params.templates, truncate };
    let logit =
        |direction: &[f64]| Reading::Logit(Logit::new(direction, clip.logit_scale(), clip.device));
    if let Some(text) = &params.text {
        let rows = prompts.encode(clip, &[std::slice::from_ref(text)], bench.monitor)?;
        return Ok(logit(&rows[0]));
    }
    let groups: Vec<&[String]> = classes.iter().map(|class| &*class.names).collect();
    let rows: Vec<Row> = prompts.encode(clip, &groups, bench.monitor)?;
    match (params.read, &params.class) {
        (Read::Logit, Some(class)) => {
            let own = index(&by_label(classes), class)? as usize;
            let others =
                rows.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, row)| &**row);
            Ok(logit(&against(&rows[own], &others.collect::<Vec<_>>())))
        }
        _ => Ok(Reading::accuracy(&rows, clip.device)),
    }
}

/// What is changed, where, and its controls.
fn planned(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    layer: &Layer,
    params: &Params,
    pictures: &Pictures<'_>,
) -> Result<(Stage, Planned), Failure> {
    let how = How {
        by: params.by,
        sd: params.sd.unwrap_or_default(),
        controls: params.controls as usize,
        seed: params.seed,
        device: clip.device,
    };
    if how.by == By::Shift && params.sd.is_none() {
        return Err(Failure::new("`by: shift` needs `sd`").hint("add `sd: 2`"));
    }
    if !params.heads.is_empty() {
        let none = || Failure::new(format!("the layer `{}` has no heads", layer.name.shown()));
        let heads = clip.architecture.heads_of(layer).ok_or_else(none)?;
        let moments = moments(bench, clip, heads.stage, pictures, "averaging what heads read")?;
        return Ok((heads.stage, planned::heads(&params.heads, heads, &moments, how)?));
    }
    let columns = Columns::Units(&params.layer, Pool::Mean);
    let Matrix { rows, spoiled, .. } = Matrix::read(bench, bench.dataset()?, columns)?;
    if let Some(first) = spoiled.first() {
        // What is measured is the network's answer, which such a unit would be part of.
        return Err(unsound(bench.request.inputs.place_name(&params.layer), first));
    }
    if !params.units.is_empty() {
        let moments = moments(bench, clip, layer.stage, pictures, "measuring how large units are")?;
        return Ok((layer.stage, planned::units(&params.units, &rows, &moments, how)?));
    }
    let at = Readout::of(bench, clip, &params.layer)?;
    let mut directions = Vec::new();
    for terms in &params.directions {
        directions.push(of_terms(bench, clip, &at, terms)?);
    }
    Ok((layer.stage, planned::directions(&directions, &rows, how)?))
}

/// The moments of a stage over the pictures.
fn moments(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    stage: Stage,
    pictures: &Pictures<'_>,
    title: &str,
) -> Result<Moments, Failure> {
    let (stages, mut moments) = ([stage], Moments::default());
    let pass = Pass::new(clip, &stages, title);
    pass.run(&pictures.rows[..], bench.monitor, |_, found| moments.add(found.get(stage)?))?;
    Ok(moments)
}

/// What was read.
struct Shown {
    /// Of each variant, a number for each picture that can be read; as it is first.
    numbers: Vec<Vec<f64>>,
    /// The class of each of these pictures.
    truths: Vec<u32>,
    /// The square of the norm of the activation itself, and then of each change, summed up over pictures.
    squares: Vec<f64>,
    skipped: u64,
}

/// Shows all pictures with all changes.
fn shown(
    monitor: &mut dyn Monitor,
    clip: &Clip,
    stage: Stage,
    changes: &[Intervention],
    reading: &Reading,
    pictures: &Pictures<'_>,
) -> Result<Shown, Failure> {
    let count = 1 + changes.len();
    // Of the batch that is being looked at.
    let squares: RefCell<Vec<f64>> = RefCell::default();
    let make = |x: &Tensor| {
        let whole = arranged(x).f_to_kind(Kind::Double)?.f_square()?; // [n, units, positions]
        let whole = whole.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
        let whole =
            whole.f_mean_dim([1i64].as_slice(), false, Kind::Double)?.f_sum(Kind::Double)?;
        let mut sums = vec![whole.double_value(&[])];
        for change in changes {
            sums.push(change.squares(x)?.f_sum(Kind::Double)?.double_value(&[]));
        }
        *squares.borrow_mut() = sums;
        beside(x, changes)
    };
    let variants = Variants { stage, count, make: &make };
    let stages = [reading.stage()];
    let title = "looking at pictures with and without the change";
    let pass = Pass { variants: Some(&variants), ..Pass::new(clip, &stages, title) };
    let mut shown = Shown {
        numbers: vec![Vec::new(); count],
        truths: Vec::new(),
        squares: vec![0.0; count],
        skipped: 0,
    };
    let skipped = pass.run(&pictures.rows[..], monitor, |places, found| {
        let truths: Vec<u32> = places.iter().map(|at| pictures.truths[*at]).collect();
        let numbers = reading.numbers(found, &truths)?;
        for (all, own) in shown.numbers.iter_mut().zip(numbers.chunks_exact(places.len().max(1))) {
            all.extend(own);
        }
        shown.truths.extend(truths);
        let more = squares.borrow();
        shown.squares.iter_mut().zip(more.iter()).for_each(|(sum, more)| *sum += more);
        Ok(())
    })?;
    shown.skipped = skipped.len() as u64;
    match (shown.truths.is_empty(), skipped.first()) {
        (true, Some(first)) => {
            let failure = Failure::new("no picture of the data set can be read");
            Err(failure.hint(format!("the first of {} failed: {}", skipped.len(), first.why)))
        }
        (true, None) => Err(Failure::new("the data set has no picture")),
        _ => Ok(shown),
    }
}

fn estimate(mean: Mean) -> Estimate {
    (mean.value, mean.low, mean.high).into()
}

fn outcome(
    params: &Params,
    pictures: &Pictures<'_>,
    planned: &Planned,
    shown: &Shown,
) -> Result<Outcome, Failure> {
    let [before, after, others @ ..] = &shown.numbers[..] else {
        return Err(Failure::new("nothing was changed"));
    };
    let count = shown.truths.len() as f64;
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / count;
    let norm = |sum: &f64| (sum / count).sqrt();
    let mut estimates = paired(before, after, params.seed).map(estimate);
    let is_accuracy = params.read == Read::Accuracy;
    if is_accuracy {
        for (estimate, numbers) in estimates.iter_mut().zip([before, after]) {
            let right = numbers.iter().sum::<f64>().round() as u64;
            (estimate.low, estimate.high) = wilson(right, shown.truths.len() as u64);
        }
    }
    let flips = is_accuracy.then(|| {
        let flipped = |from: f64, to: f64| {
            let both = before.iter().zip(after);
            both.filter(|(was, is)| (**was, **is) == (from, to)).count() as u64
        };
        Flips { lost: flipped(1.0, 0.0), gained: flipped(0.0, 1.0) }
    });
    let start = mean(before);
    let control = |(at, numbers): (usize, &Vec<f64>)| Control {
        of: planned.of.get(at).cloned().unwrap_or_default(),
        change: mean(numbers) - start,
        norm: norm(&shown.squares[at + 2]),
    };
    let classes = match is_accuracy && params.class.is_none() {
        true => by_class(params, pictures, shown),
        false => Vec::new(),
    };
    let [before, after, change] = estimates;
    Ok(Outcome {
        images: shown.truths.len() as u64,
        skipped: shown.skipped,
        outside: pictures.outside,
        before,
        after,
        change,
        flips,
        norm: norm(&shown.squares[1]),
        whole: norm(&shown.squares[0]),
        spread: planned.spread.clone(),
        controls: others.iter().enumerate().map(control).collect(),
        classes,
    })
}

/// The accuracies over the images of each class that has any.
fn by_class(params: &Params, pictures: &Pictures<'_>, shown: &Shown) -> Vec<ClassChange> {
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); pictures.classes.len()];
    for (at, class) in shown.truths.iter().enumerate() {
        places[*class as usize].push(at);
    }
    let one = |(class, places): (&Class, &Vec<usize>)| {
        let own = |numbers: &[f64]| places.iter().map(|at| numbers[*at]).collect::<Vec<f64>>();
        let right = |numbers: &[f64]| own(numbers).iter().sum::<f64>().round() as u64;
        let of = places.len() as u64;
        let (before, after) = (right(&shown.numbers[0]), right(&shown.numbers[1]));
        let [.., change] = paired(&own(&shown.numbers[0]), &own(&shown.numbers[1]), params.seed);
        let control = |numbers: &Vec<f64>| part(right(numbers), of) - part(before, of);
        ClassChange {
            label: class.label.clone(),
            of,
            before,
            after,
            change: estimate(change),
            controls: shown.numbers[2..].iter().map(control).collect(),
        }
    };
    let all = pictures.classes.iter().zip(&places);
    all.filter(|(_, places)| !places.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests;
