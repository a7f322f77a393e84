//! Measures `labels`: the words that describe the units of a layer best, chosen by some images of a data set and tested on the others.

mod chosen;
mod judge;
mod truth;

use neuronotes_core::kind::labels::{Label, Method, Outcome, Params, RATE, Row};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use tch::{Kind, Tensor};

use crate::failure::Failure;
use crate::fit::column::columns;
use crate::fit::formula::{Formula, Search, Shown};
use crate::fit::rank::ranked;
use crate::fit::wpmi::soft_wpmi;
use crate::group::embedding_rows;
use crate::monitor::Progress;
use crate::table::matrix::{Columns, Matrix};
use crate::table::{check_sound, check_unit, tie};
use crate::vector::Prompts;
use crate::workbench::Workbench;
use chosen::{AT_ONCE, Chosen, What};
use judge::{Judge, judged};
use truth::Words;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let dataset = bench.dataset()?;
    let mut matrix = Matrix::read(bench, dataset, Columns::Units(&params.layer, params.pool))?;
    matrix.tell(bench, dataset)?;
    let units = matrix.rows.size()[1] as usize;
    if let Some(unit) = params.unit {
        let place = bench.request.inputs.place_name(&params.layer);
        check_unit(place, units, unit)?;
        check_sound(place, &matrix.spoiled, unit)?;
    }
    let words = Words::of(&params, &matrix)?;
    let sides = words.split(&params, &matrix)?;
    let [train, held_out] = sides.each_ref().map(|rows| -> Result<Side, Failure> {
        Ok(Side { table: taken(&matrix.rows, rows)?, shown: words.shown(rows) })
    });
    let (train, held_out) = (train?, held_out?);
    let wanted: Vec<usize> = match params.unit {
        Some(unit) => vec![unit as usize],
        None => (0..units).collect(),
    };
    let (chosen, varies) = match params.method {
        Method::SoftWpmi => {
            let ties = tie::places(&matrix.samples, |sample| &sample.key);
            let ties: Vec<u32> = sides[0].iter().map(|row| ties[*row]).collect();
            by_model(bench, &params, &words, (&train, &sides[0], &ties), &wanted)?
        }
        Method::Invert => by_data(bench, &params, &train, &wanted)?,
    };
    let constant = varies
        .iter()
        .enumerate()
        .filter(|(unit, varies)| !**varies && !matrix.is_spoiled(*unit))
        .count();
    let judge = Judge { table: &held_out.table, shown: &held_out.shown };
    let rows = judged(bench, &judge, &words.texts, &chosen)?;
    let outcome = outcome(
        rows,
        Outcome {
            train: sides[0].len() as u64,
            held_out: sides[1].len() as u64,
            units: units as u64,
            constant: constant as u64,
            spoiled: matrix.spoiled.clone(),
            texts: words.texts.len() as u64,
            shown: words.count_shown() as u64,
            tested: 0,
            holding: 0,
            median: None,
            rows: vec![],
        },
    );
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// One side of the split.
struct Side {
    /// `[images, units]`.
    table: Tensor,
    /// Which words its images show.
    shown: Shown,
}

/// Some rows of a table.
fn taken(table: &Tensor, rows: &[usize]) -> Result<Tensor, Failure> {
    let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
    Ok(table.f_index_select(0, &Tensor::from_slice(&rows))?)
}

/// Words by the model's similarity to each unit's strongest images, and which units of the layer vary.
fn by_model(
    bench: &mut Workbench<'_>,
    params: &Params,
    words: &Words,
    (train, rows, ties): (&Side, &[usize], &[u32]),
    wanted: &[usize],
) -> Result<(Vec<Chosen>, Vec<bool>), Failure> {
    let strongest = params.strongest.unwrap_or(100) as usize;
    let total = train.table.size()[1] as u64;
    let all = columns(&train.table, (strongest, ties), |done| {
        bench.monitor.check()?;
        let (stage, step) = ("reading activations", done as u64);
        bench.monitor.progress(&Progress { stage, step, total, unit: "unit", picture: None });
        Ok(())
    })?;
    let varies: Vec<bool> = all.iter().map(|column| column.varies()).collect();
    let dataset = bench.dataset()?;
    let images = taken(&embedding_rows(bench, dataset)?, rows)?;
    let texts = texts(bench, params, &words.texts)?;
    // Units that never vary have no strongest images, and are not among those that others are compared with.
    let units: Vec<usize> = (0..all.len()).filter(|unit| varies[*unit]).collect();
    let strongest: Vec<Vec<usize>> = units.iter().map(|unit| all[*unit].largest.clone()).collect();
    let scores = soft_wpmi(&strongest, &images, &texts, |done, total| {
        bench.monitor.check()?;
        let (stage, step, total) = ("comparing words", done as u64, total as u64);
        bench.monitor.progress(&Progress { stage, step, total, unit: "image", picture: None });
        Ok(())
    })?;
    let chosen = units.into_iter().zip(scores).filter(|(unit, _)| wanted.contains(unit));
    let best = |(unit, scores): (usize, Vec<f32>)| {
        let labels = best(&scores, params.top as usize).into_iter();
        let labels = labels.map(|at| (What::Word(at), f64::from(scores[at]))).collect();
        Chosen { unit, labels }
    };
    Ok((chosen.map(best).collect(), varies))
}

/// The places of the largest scores, the largest first; of equal ones the first.
fn best(scores: &[f32], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let by = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
    if most < order.len() {
        order.select_nth_unstable_by(most, by);
        order.truncate(most);
    }
    order.sort_unstable_by(by);
    order
}

/// The embeddings of the words, of unit length: `[words, width]`.
fn texts(bench: &mut Workbench<'_>, params: &Params, texts: &[String]) -> Result<Tensor, Failure> {
    let clip = bench.clip(&[])?;
    let whole = ["{}".to_owned()];
    let templates = params.templates.as_deref().unwrap_or(&whole);
    let prompts = Prompts { templates, truncate: params.truncate.unwrap_or_default() };
    let groups: Vec<&[String]> = texts.iter().map(std::slice::from_ref).collect();
    let rows = prompts.encode(&clip, &groups, bench.monitor)?;
    Ok(Tensor::from_slice(&rows.concat())
        .f_view([texts.len() as i64, -1])?
        .f_to_kind(Kind::Float)?)
}

/// Formulas by the AUC of each unit, and which units vary.
fn by_data(
    bench: &mut Workbench<'_>,
    params: &Params,
    train: &Side,
    wanted: &[usize],
) -> Result<(Vec<Chosen>, Vec<bool>), Failure> {
    let search = Search {
        length: params.length.unwrap_or(3) as usize,
        beam: params.beam.unwrap_or(5) as usize,
        widest: params.widest.unwrap_or(0.5),
    };
    let units = train.table.size()[1] as usize;
    // A unit that does not vary has the same rank everywhere.
    let (mut varies, shown) = (vec![true; units], &train.shown);
    let mut chosen = Vec::new();
    for (index, some) in wanted.chunks(AT_ONCE).enumerate() {
        bench.monitor.check()?;
        bench.monitor.progress(&Progress {
            stage: "searching formulas",
            step: (index * AT_ONCE) as u64,
            total: wanted.len() as u64,
            unit: "unit",
            picture: None,
        });
        let numbers = judge::columns_of(&train.table, some)?;
        let found: Vec<(usize, Option<Vec<Formula>>)> = some
            .iter()
            .copied()
            .zip(numbers)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(unit, numbers)| {
                let same = numbers.iter().all(|number| *number == numbers[0]);
                (unit, (!same).then(|| shown.search(&ranked(&numbers), search)))
            })
            .collect();
        for (unit, formulas) in found {
            let Some(formulas) = formulas else {
                varies[unit] = false;
                continue;
            };
            let labels = formulas.into_iter().take(params.top as usize);
            let labels = labels.map(|formula| (formula.area, formula));
            let labels = labels.map(|(area, formula)| (What::Formula(formula), area)).collect();
            chosen.push(Chosen { unit, labels });
        }
    }
    Ok((chosen, varies))
}

/// Counts whose first label holds.
fn outcome(rows: Vec<Row>, empty: Outcome) -> Outcome {
    let first = |row: &Row| row.labels.first().and_then(|label: &Label| label.test.clone());
    let tests: Vec<_> = rows.iter().filter_map(first).collect();
    let mut areas: Vec<f64> = tests.iter().map(|test| test.auc).collect();
    areas.sort_by(f64::total_cmp);
    let median = match areas.len() {
        0 => None,
        count => Some((areas[(count - 1) / 2] + areas[count / 2]) / 2.0),
    };
    debug_assert!(tests.iter().all(|test| !test.holds() || test.q < RATE));
    Outcome {
        tested: tests.len() as u64,
        holding: tests.iter().filter(|test| test.holds()).count() as u64,
        median,
        rows,
        ..empty
    }
}
