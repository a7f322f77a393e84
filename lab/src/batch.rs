//! Batches that fit into the device's memory.
//!
//! How much memory a network needs is not known beforehand. So the first batch is large; one that does not fit is halved
//! and tried again, and later batches have the size that fitted. Knows nothing of what is computed.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tch::Device;

use crate::failure::Failure;

/// The batch size, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    size: usize,
}

impl Batch {
    /// A size that keeps the device busy: a processor gains nothing beyond some tens of images, a GPU
    /// nothing beyond some hundreds.
    pub fn on(device: Device) -> Self {
        Self::of(if device == Device::Cpu { 32 } else { 512 })
    }

    /// A batch of that size.
    pub fn of(size: usize) -> Self {
        Self { size: size.max(1) }
    }

    /// Halves the batch size if `halve`.
    pub fn halved(self, halve: bool) -> Self {
        if halve { Self::of(self.size / 2) } else { self }
    }

    /// The batch size, as far as it is known.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Does `work` on `0..count`, in order, a batch at a time. `work` must change nothing if it runs out of memory.
    ///
    /// # Errors
    /// The errors of `work`, including panics of libtorch; that memory ran out only if it did so for a batch of one.
    pub fn run(
        &mut self,
        count: usize,
        mut work: impl FnMut(Range<usize>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut start = 0;
        while start < count {
            let rows = start..(start + self.size).min(count);
            let done = catch_unwind(AssertUnwindSafe(|| work(rows.clone())));
            match done.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref()))) {
                Ok(()) => start = rows.end,
                Err(failure) if failure.is_of_memory() && rows.len() > 1 => {
                    self.size = rows.len() / 2;
                    neuronotes_core::say::err(format_args!(
                        "neuronotes-lab: memory ran out; the batch size is now {}",
                        self.size
                    ));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Works on 100 with a memory for `room`, and says in which batches.
    fn sizes(room: usize, count: usize) -> Result<Vec<usize>, Failure> {
        let mut batch = Batch::of(64);
        let mut done = Vec::new();
        batch.run(count, |rows| {
            assert_eq!(rows.start, done.iter().sum::<usize>(), "none is left out or done twice");
            if rows.len() > room {
                // As tch's plain functions do it.
                panic!("called `Result::unwrap()` on an `Err` value: Torch(\"CUDA out of memory. Tried\")");
            }
            done.push(rows.len());
            Ok(())
        })?;
        assert_eq!(done.iter().sum::<usize>(), count);
        Ok(done)
    }

    #[test]
    fn a_batch_that_memory_does_not_hold_is_halved_and_no_work_is_lost() {
        assert_eq!(sizes(64, 100), Ok(vec![64, 36]));
        assert_eq!(sizes(20, 100), Ok([&[16; 6][..], &[4]].concat()));
        assert_eq!(sizes(1, 3), Ok(vec![1, 1, 1]));
        assert!(sizes(0, 3).expect_err("not even one").is_of_memory());
    }

    #[test]
    fn other_failures_are_not_tried_again() {
        let mut calls = 0;
        let failed = Batch::of(8).run(8, |_| {
            calls += 1;
            Err(Failure::new("broken"))
        });
        assert_eq!((failed, calls), (Err(Failure::new("broken")), 1));
    }
}
