//! Observes an execution: panics in our own code, caught or not, and memory use.

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// Observations of one execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Panics in our own code, or that nothing caught, with their places.
    pub panics: Vec<String>,
    /// Peak memory in bytes, above what was allocated before.
    pub most: usize,
    /// Bytes allocated in total, including those freed: a reproducible measure of work.
    pub asked: usize,
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Runs a function and observes it. Only one at a time: observations are of the whole process.
pub fn watch(run: impl FnOnce()) -> Watched {
    static ONE: Mutex<()> = Mutex::new(());
    static HOOK: Once = Once::new();
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            // A failing test on another thread is not part of the observation.
            if !COUNTS.load(Relaxed) || place.starts_with("fuzz/tests/") {
                return others(panic);
            }
            let what = panic.payload_as_str().unwrap_or("a panic");
            panics().push(format!("{place}: {what}"));
        }));
    });
    panics().clear();
    let before = HELD.load(Relaxed);
    MOST.store(before, Relaxed);
    ASKED.store(0, Relaxed);
    COUNTS.store(true, Relaxed);
    let ended = panic::catch_unwind(AssertUnwindSafe(run));
    COUNTS.store(false, Relaxed);
    let (most, asked) = (MOST.load(Relaxed).saturating_sub(before), ASKED.load(Relaxed));
    let mut panics = std::mem::take(&mut *panics());
    if ended.is_ok() {
        // Libraries may panic if that is caught: only their input is affected.
        panics.retain(|panic| is_ours(panic));
    }
    Watched { panics, most, asked }
}

fn panics() -> MutexGuard<'static, Vec<String>> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a panic's place is in this repository: those of dependencies and of the standard library have absolute
/// paths.
fn is_ours(place: &str) -> bool {
    place.starts_with("src/") || place.starts_with("fuzz/")
}

/// The system's allocator with counters.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
static ASKED: AtomicUsize = AtomicUsize::new(0);
static COUNTS: AtomicBool = AtomicBool::new(false);

fn took(bytes: usize) {
    let held = HELD.fetch_add(bytes, Relaxed).wrapping_add(bytes);
    if COUNTS.load(Relaxed) {
        ASKED.fetch_add(bytes, Relaxed);
        MOST.fetch_max(held, Relaxed);
    }
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        took(size);
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_and_panics_are_told_even_where_they_are_caught() {
        let seen = watch(|| drop(vec![1_u8; 1 << 20]));
        assert!((1 << 20..2 << 20).contains(&seen.most), "{seen:?}");
        assert_eq!(seen.panics, Vec::<String>::new());
        let caught = watch(|| drop(panic::catch_unwind(|| panic!("ours"))));
        assert_eq!(caught.panics.len(), 1, "{caught:?}");
        assert!(
            caught.panics[0].starts_with("fuzz/src/watch.rs") && caught.panics[0].ends_with("ours")
        );
        let outside =
            watch(|| drop(panic::catch_unwind(|| std::panic::resume_unwind(Box::new(0)))));
        assert_eq!(outside.panics, Vec::<String>::new());
    }
}
