//! Ctrl-C while workers of a pool measure: the first asks what becomes of them, the second leaves them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use neuronotes_core::say;

/// The exit code of a program that was interrupted.
pub const CODE: i32 = 130;

/// Who hears of the next interruption, and what is said if nobody does.
static HEARS: Mutex<Option<Hears>> = Mutex::new(None);

struct Hears {
    /// Called at the first interruption.
    tell: Option<Box<dyn FnOnce() + Send>>,
    /// Said at the second one.
    words: String,
}

/// While this lives, an interruption is told.
pub struct Interrupts(());

impl Interrupts {
    /// From now on the first interruption calls `tell`, and the second one says `words` and ends the program.
    pub fn to(tell: impl FnOnce() + Send + 'static, words: String) -> Self {
        *hears() = Some(Hears { tell: Some(Box::new(tell)), words });
        listen();
        Self(())
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        *hears() = None;
    }
}

fn hears() -> MutexGuard<'static, Option<Hears>> {
    HEARS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn listen() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Without a handler the program just ends, and the workers are left.
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
            return;
        };
        std::thread::spawn(move || {
            for _ in signals.forever() {
                let mut hears = hears();
                if let Some(tell) = hears.as_mut().and_then(|hears| hears.tell.take()) {
                    tell();
                    continue;
                }
                if let Some(hears) = &*hears {
                    say::err(&hears.words);
                }
                std::process::exit(CODE);
            }
        });
    });
}

#[cfg(not(unix))]
fn listen() {}
