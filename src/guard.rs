//! Runs the work on one note, page or file so that a panic becomes an error about it.
//!
//! A defect that one note triggers must not stop work on all others while somebody is typing. Each unit of work runs
//! through this module: a panic is caught with its message and place, and nothing is printed except the error that
//! the caller reports. The caller must restore or rebuild what the work was changing.
//!
//! Stack overflows and running out of memory cannot be caught; depths and sizes are therefore limited when input is
//! read.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;
use std::thread;

use neuronotes_core::problem::Problem;

/// Hint for a panic.
pub const HINT: &str =
    "this is a bug in Neuronotes: please report it with this message and the file that caused it";

/// Stack size in bytes for work that recurses over nested text; only the part in use takes memory.
const STACK: usize = 64 << 20;

/// Maximum length of a panic's message, which may quote a whole text.
const LONGEST: usize = 300;

/// A panic that was caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked {
    /// The work: `reading the note`.
    pub work: String,
    /// The panic's message, on one line.
    pub message: String,
    /// The source file and line; empty if unknown.
    pub place: String,
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "internal error while {} ({}", self.work, self.message)?;
        match self.place.as_str() {
            "" => f.write_str(")"),
            place => write!(f, "; {place})"),
        }
    }
}

impl From<Panicked> for Problem {
    fn from(panicked: Panicked) -> Self {
        Self::new(panicked.to_string()).hint(HINT)
    }
}

thread_local! {
    /// Nesting depth of guarded work on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Message and place of the last panic in guarded work.
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Runs `work`. `doing` and `name` describe it: `reading the note`, `cats.md`.
///
/// # Errors
/// If it panics.
pub fn run<T>(doing: &str, name: &str, work: impl FnOnce() -> T) -> Result<T, Panicked> {
    listen();
    DEPTH.set(DEPTH.get() + 1);
    let done = panic::catch_unwind(AssertUnwindSafe(|| {
        trip(doing, name);
        work()
    }));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(|payload| {
        // Work that was shared with other threads panicked on one of these.
        let (message, place) =
            LAST.take().unwrap_or_else(|| (said(&*payload).to_owned(), String::new()));
        Panicked { work: doing.to_owned(), message: one_line(&message), place }
    })
}

/// Runs `work` on a thread with enough stack for the maximum nesting; `None` if no such thread can be started.
pub fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    let place = thread::Builder::new().stack_size(STACK);
    thread::scope(|scope| place.spawn_scoped(scope, work).ok()?.join().ok())
}

/// Installs a panic hook that records panics in guarded work instead of printing them.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if DEPTH.get() == 0 {
                return before(info);
            }
            let place = info.location().map(|at| format!("{}:{}", source(at.file()), at.line()));
            let told = (said(info.payload()).to_owned(), place.unwrap_or_default());
            LAST.set(Some(told));
        }));
    });
}

/// The message of a panic.
fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// A source file without the folder that this program was built in.
fn source(file: &str) -> String {
    let file = file.replace('\\', "/");
    let after = |mark: &str| {
        let (_, rest) = file.split_once(mark)?;
        Some(rest.split_once('/')?.1.to_owned())
    };
    after("/registry/src/").or_else(|| after("/rustc/")).unwrap_or(file)
}

/// A message on one line, truncated if it is long.
fn one_line(message: &str) -> String {
    let mut line: String = message
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .collect();
    if message.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

/// Does nothing; the library's tests make it panic.
#[cfg(not(test))]
fn trip(_: &str, _: &str) {}

#[cfg(test)]
pub(crate) use tripped::{on, trip};

#[cfg(test)]
mod tripped {
    use std::sync::{Mutex, PoisonError};

    /// Work that is to panic.
    static TRIPPED: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

    /// While it lives, that work panics for that name, on any thread.
    pub(crate) struct Tripped(String, String);

    pub(crate) fn on(doing: &str, name: &str) -> Tripped {
        let one = (doing.to_owned(), name.to_owned());
        TRIPPED.lock().unwrap_or_else(PoisonError::into_inner).push(one.clone());
        Tripped(one.0, one.1)
    }

    impl Drop for Tripped {
        fn drop(&mut self) {
            let mut all = TRIPPED.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|one| (&one.0, &one.1) != (&self.0, &self.1));
        }
    }

    pub(crate) fn trip(doing: &str, name: &str) {
        let all = TRIPPED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant = all.iter().any(|one| one.0 == doing && one.1 == name);
        drop(all);
        assert!(!is_meant, "tripped\nby a test");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message_and_its_place() {
        let text = "aß".to_owned();
        let at = std::hint::black_box(2);
        let failed = run("reading the note", "a.md", || text[at..].len()).expect_err("a panic");
        assert_eq!(failed.work, "reading the note");
        assert!(failed.message.contains("byte index 2"), "{failed}");
        assert!(failed.place.starts_with("src/guard.rs:"), "{failed}");
        assert!(failed.to_string().starts_with("internal error while reading the note ("));
        assert_eq!(run("reading the note", "a.md", || 7), Ok(7));
    }

    #[test]
    fn work_within_work_fails_by_itself() {
        let outer = run("drawing", "a", || {
            let inner = run("reading", "b", || panic!("{} and\nmore", "one"));
            inner.map(|()| 0).map_err(|failed| failed.message)
        });
        assert_eq!(outer, Ok(Err("one and more".to_owned())));
        let long = run("reading", "b", || panic!("{}", "x".repeat(1000))).expect_err("a panic");
        assert_eq!(long.message.chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_panic_of_another_thread_that_is_passed_on_is_caught_too() {
        let failed = run("sorting", "a", || {
            let work = std::thread::spawn(|| panic::resume_unwind(Box::new("from afar")));
            work.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
        });
        assert_eq!(
            failed.expect_err("a panic").to_string(),
            "internal error while sorting (from afar)"
        );
    }

    #[test]
    fn places_do_not_say_where_the_program_was_built() {
        let dependency = "/home/me/.cargo/registry/src/index-1/liquid-0.26/src/a.rs";
        assert_eq!(source(dependency), "liquid-0.26/src/a.rs");
        assert_eq!(source("/rustc/0a1b/library/core/src/str.rs"), "library/core/src/str.rs");
        assert_eq!(source("src\\note\\mod.rs"), "src/note/mod.rs");
    }
}
