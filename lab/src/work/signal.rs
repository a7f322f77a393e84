//! Signals that ask a worker to end: those of an engine whose job is over or preempted, and of a person.

use std::sync::atomic::{AtomicI32, Ordering};

use libc::c_int;

/// The signal that came last; 0 if none did.
static CAME: AtomicI32 = AtomicI32::new(0);

/// The signals, and what their sender asked for.
const SIGNALS: [(c_int, &str); 4] = [
    (libc::SIGUSR1, "the engine asked it to end (USR1)"),
    (libc::SIGTERM, "it was asked to end (TERM)"),
    (libc::SIGINT, "it was interrupted (INT)"),
    (libc::SIGHUP, "its terminal was closed (HUP)"),
];

extern "C" fn note(signal: c_int) {
    CAME.store(signal, Ordering::Relaxed);
}

/// Notes signals from now on instead of ending at once. Programs that are started do not inherit this.
pub fn listen() {
    let handler: extern "C" fn(c_int) = note;
    for (signal, _) in SIGNALS {
        // SAFETY: the handler only stores a number, which is allowed in one.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
}

/// Why the worker was asked to end, if it was.
pub fn came() -> Option<&'static str> {
    let came = CAME.load(Ordering::Relaxed);
    SIGNALS.iter().find(|(signal, _)| *signal == came).map(|(_, why)| *why)
}
