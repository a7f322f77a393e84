//! Steps of several targets on several cores: parameters of all pictures in; the gradients of all of them out.
//!
//! On a processor the targets are shared by teams of threads, each of which computes its own as if there were no others. On a
//! GPU, and where there are only few cores, there is one team.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

use tch::Tensor;

use super::step::Slope;
use crate::batch::Batch;
use crate::failure::Failure;
use crate::threads::{self, OPERATION};
use crate::vis::job::Job;

/// The loss of some targets, which other threads compute.
struct Shared<'a> {
    slope: &'a Slope<'a>,
    jobs: &'a [&'a Job],
}

// SAFETY: computing a gradient only reads the weights, which do not require gradients, and the tensors of the jobs. Tensors
// are not `Sync` because functions whose names end by `_` write to them; none is applied to these. The text tower's
// cell is not touched.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

/// Gradients and values of some targets.
type Found = (Tensor, Tensor);

impl Shared<'_> {
    /// Gradients and values of the targets in `range`, a batch at a time; `rows` are the parameters of these.
    fn some(
        &self,
        step: u32,
        rows: &Tensor,
        range: Range<usize>,
        batch: &mut Batch,
    ) -> Result<Found, Failure> {
        let jobs = &self.jobs[range];
        let each = if jobs.is_empty() { 0 } else { rows.size()[0] / jobs.len() as i64 };
        let (mut gradients, mut values) = (Vec::new(), Vec::new());
        batch.run(jobs.len(), |part| {
            let own = rows.f_narrow(0, part.start as i64 * each, part.len() as i64 * each)?;
            let (gradient, value) = self.slope.of(step, &own, &jobs[part])?;
            gradients.push(gradient);
            values.push(value);
            Ok(())
        })?;
        Ok((Tensor::f_cat(&gradients, 0)?, Tensor::f_cat(&values, 0)?))
    }
}

impl Slope<'_> {
    /// The gradient at `rows`, the parameters `[jobs * k, …]` of all targets, and the targets' values, `[jobs * k]`. A batch is of
    /// one team.
    ///
    /// # Errors
    /// As of [`Slope::of`].
    pub(super) fn of_all(
        &self,
        step: u32,
        rows: &Tensor,
        jobs: &[&Job],
        batch: &mut Batch,
    ) -> Result<Found, Failure> {
        let teams = threads::teams(rows.device()).clamp(1, jobs.len().max(1));
        let shared = Shared { slope: self, jobs };
        if teams == 1 {
            return shared.some(step, rows, 0..jobs.len(), batch);
        }
        let each = rows.size()[0] / jobs.len() as i64;
        let bound = |team: usize| team * jobs.len() / teams;
        let parts: Vec<(Range<usize>, Tensor)> = (0..teams)
            .map(|team| {
                let range = bound(team)..bound(team + 1);
                let own = rows.f_narrow(0, range.start as i64 * each, range.len() as i64 * each)?;
                Ok((range, own))
            })
            .collect::<Result<_, Failure>>()?;
        let before = tch::get_num_threads();
        let (shared, given) = (&shared, &*batch);
        let found: Vec<Result<(Found, Batch), Failure>> = thread::scope(|scope| {
            let work = |(range, own): (Range<usize>, Tensor)| {
                let mut batch = given.clone();
                move || {
                    // Of this thread alone.
                    tch::set_num_threads(OPERATION);
                    shared.some(step, &own, range, &mut batch).map(|found| (found, batch))
                }
            };
            let teams: Vec<_> = parts.into_iter().map(|part| scope.spawn(work(part))).collect();
            let joined = teams.into_iter().map(|team| match team.join() {
                Ok(found) => found,
                Err(panic) => resume_unwind(panic),
            });
            joined.collect()
        });
        tch::set_num_threads(before);
        let (mut gradients, mut values) = (Vec::new(), Vec::new());
        for found in found {
            let ((gradient, value), used) = found?;
            gradients.push(gradient);
            values.push(value);
            if used.size() < batch.size() {
                *batch = used;
            }
        }
        Ok((Tensor::f_cat(&gradients, 0)?, Tensor::f_cat(&values, 0)?))
    }
}
