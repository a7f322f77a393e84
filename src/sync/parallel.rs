//! Several things at once: items and what to do with each in; the first error out.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use neuronotes_core::problem::Problem;

/// Does something with each item, at most `most` at once. After an error no further item is begun.
pub(super) fn each<T: Sync>(
    items: &[T],
    most: usize,
    work: impl Fn(&T) -> Result<(), Problem> + Sync,
) -> Result<(), Problem> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let first = Mutex::new(None);
    let run = || {
        while !stopped.load(Ordering::Relaxed) {
            let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            if let Err(problem) = work(item) {
                stopped.store(true, Ordering::Relaxed);
                first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..most.min(items.len()) {
            scope.spawn(run);
        }
    });
    first.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_done_once_and_an_error_ends_it() {
        let done = Mutex::new(Vec::new());
        let items: Vec<usize> = (0..100).collect();
        each(&items, 7, |item| {
            done.lock().expect("a list").push(*item);
            Ok(())
        })
        .expect("no error");
        let mut done = done.into_inner().expect("a list");
        done.sort_unstable();
        assert_eq!(done, items);
        let count = AtomicUsize::new(0);
        let error = each(&items, 2, |item| {
            count.fetch_add(1, Ordering::Relaxed);
            if *item == 3 { Err(Problem::new("three")) } else { Ok(()) }
        });
        assert_eq!(error, Err(Problem::new("three")));
        assert!(count.into_inner() < 100);
    }
}
