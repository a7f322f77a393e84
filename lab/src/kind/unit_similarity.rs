//! Measures `unit_similarity`: the units nearest to a unit or a direction, or a map of all units of a layer.

mod chart;
mod groups;
mod list;

use neuronotes_core::kind::unit_similarity::{Outcome, Params};

use crate::failure::Failure;
use crate::fit::column::columns;
use crate::monitor::Progress;
use crate::table::matrix::{Columns, Matrix};
use crate::table::tie;
use crate::workbench::Workbench;
use list::Target;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let dataset = bench.dataset()?;
    let mut matrix = Matrix::read(bench, dataset, Columns::Units(&params.layer, params.pool))?;
    matrix.tell(bench, dataset)?;
    let units = matrix.rows.size()[1] as usize;
    let ties = tie::places(&matrix.samples, |sample| &sample.key);
    let columns = columns(&matrix.rows, (params.strongest as usize, &ties), |done| {
        bench.monitor.check()?;
        bench.monitor.progress(&Progress {
            stage: "reading activations",
            step: done as u64,
            total: units as u64,
            unit: "unit",
            picture: None,
        });
        Ok(())
    })?;
    let is_constant = |unit: &usize| !columns[*unit].varies() && !matrix.is_spoiled(*unit);
    let constant = (0..units).filter(is_constant).count();
    let empty = Outcome {
        count: matrix.samples.len() as u64,
        units: units as u64,
        constant: constant as u64,
        spoiled: matrix.spoiled.clone(),
        mean: None,
        sd: None,
        target: None,
        nearest: Vec::new(),
        chart: None,
    };
    let outcome = match Target::of(bench, &params, &matrix)? {
        Some(target) => list::measure(bench, &params, &matrix, &columns, &target, empty)?,
        None => {
            Outcome { chart: Some(chart::measure(bench, &params, &matrix, &columns)?), ..empty }
        }
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}
