//! How many threads work, so that no result depends on it.
//!
//! libtorch sums parts of long products and of large sums by thread, so that an operation on another number of threads has
//! other last bits: of what this lab computes, convolutions over 320 channels and more, gradients with respect to three
//! colours, linear layers, and sums of more than 32,768 numbers. So while something is measured on a processor, each operation
//! has [`OPERATION`] threads, whatever the processor has; more cores work on several independent parts at once, which do not
//! know of each other. On a GPU nothing of this is needed.

use std::cell::Cell;

use tch::Device;

/// Threads of one operation on a processor. On two cores they are as fast as libtorch's own choice, and more than there are
/// cores would wait for each other.
pub const OPERATION: i32 = 2;

thread_local! {
    /// How many threads this one may keep busy, while [`Fixed`] is there.
    static WORKERS: Cell<Option<usize>> = const { Cell::new(None) };
}

/// While it is there, operations of this thread have [`OPERATION`] threads.
#[derive(Debug)]
pub struct Fixed {
    /// The threads of one operation before, and what [`WORKERS`] was; `None` on a GPU.
    before: Option<(i32, Option<usize>)>,
}

impl Fixed {
    /// Begins on a device.
    pub fn on(device: Device) -> Self {
        if device != Device::Cpu {
            return Self { before: None };
        }
        let threads = tch::get_num_threads();
        let outer = WORKERS.replace(Some(workers()));
        tch::set_num_threads(OPERATION);
        Self { before: Some((threads, outer)) }
    }
}

impl Drop for Fixed {
    fn drop(&mut self) {
        if let Some((threads, outer)) = self.before {
            WORKERS.set(outer);
            tch::set_num_threads(threads);
        }
    }
}

/// How many threads may be kept busy: as many as operations had when [`Fixed`] began, which is libtorch's own choice or the
/// user's.
pub fn workers() -> usize {
    let own = || usize::try_from(tch::get_num_threads()).unwrap_or(1);
    WORKERS.get().unwrap_or_else(own).max(1)
}

/// How many independent parts of work may be at work at once, each with operations of [`OPERATION`] threads.
pub fn teams(device: Device) -> usize {
    match device {
        Device::Cpu => (workers() / OPERATION.unsigned_abs() as usize).max(1),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_fixed_and_come_back() {
        let before = tch::get_num_threads();
        tch::set_num_threads(7);
        {
            let _fixed = Fixed::on(Device::Cpu);
            assert_eq!((tch::get_num_threads(), workers(), teams(Device::Cpu)), (OPERATION, 7, 3));
            let inner = Fixed::on(Device::Cpu);
            assert_eq!(workers(), 7);
            drop(inner);
            assert_eq!((tch::get_num_threads(), workers()), (OPERATION, 7));
        }
        assert_eq!((tch::get_num_threads(), workers()), (7, 7));
        drop(Fixed::on(Device::Cuda(0)));
        assert_eq!(tch::get_num_threads(), 7);
        tch::set_num_threads(before);
    }
}
