//! Limits on the Liquid of one note: steps, text and depth are counted during evaluation, and exceeding a limit is an
//! error at the tag that did so.
//!
//! Time is not measured, so that a garden's site is the same on every machine. The library has no limits: tags that
//! loop, store text or include files are our own, and every filter and variable access is charged for the data that
//! it handles.

use std::cell::RefCell;
use std::io::{self, Write};

use liquid_core::model::{KString, KStringCow, KStringRef, ScalarCow, Value, ValueCow, ValueView};
use liquid_core::runtime::{PartialStore, Registers};
use liquid_core::{Error, Result, Runtime};

use neuronotes_core::number::thousands;

/// Steps that one note's Liquid may take. A turn of a loop is several steps, and so are each 64 bytes of data that a
/// filter or variable access handles. Sorting a list of all notes of a garden of 10,000 takes about a tenth of them.
pub const STEPS: u64 = 20_000_000;
/// Maximum size of the output, and of any text within, in bytes.
pub const BYTES: usize = 16 << 20;
/// Maximum total size of all variables in bytes.
pub const KEPT: usize = 64 << 20;
/// Maximum nesting of loops, blocks and included files.
pub const DEPTH: usize = 64;
/// Maximum nesting of lists.
const NESTED: usize = 32;
/// Bytes that count as one step.
const A_STEP: u64 = 64;

/// What has been used so far.
#[derive(Debug, Default)]
struct Spent {
    steps: u64,
    kept: usize,
    depth: usize,
    /// Start of the current tag.
    at: Option<usize>,
    /// The limit that was exceeded, and where.
    exceeded: Option<Exceeded>,
}

/// A limit was exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// Which limit.
    pub message: String,
    /// Start of the tag in the note's body; `None` if the tag is unknown.
    pub at: Option<usize>,
}

thread_local! {
    /// A note's Liquid is evaluated on one thread from beginning to end.
    static SPENT: RefCell<Spent> = RefCell::default();
}

/// Evaluates something with full limits, and returns the limit that it exceeded, if any.
pub fn within<T>(evaluate: impl FnOnce() -> T) -> (T, Option<Exceeded>) {
    SPENT.take();
    let done = evaluate();
    (done, SPENT.take().exceeded)
}

/// Charges steps.
pub fn charge(steps: u64) -> Result<()> {
    SPENT.with_borrow_mut(|spent| {
        spent.steps = spent.steps.saturating_add(steps);
        match spent.exceeded.is_some() || spent.steps > STEPS {
            true => Err(spent.end(format!("takes more than {} steps", thousands(STEPS)))),
            false => Ok(()),
        }
    })
}

/// Charges for handling so many bytes.
pub fn charge_bytes(bytes: usize) -> Result<()> {
    charge(1 + bytes as u64 / A_STEP)
}

/// Charges for a value, and rejects one that is too large for a page's text or nested too deeply.
pub fn charge_value(value: &dyn ValueView) -> Result<usize> {
    let weight =
        weight(value, 0).ok_or_else(|| end(format!("nests lists more than {NESTED} deep")))?;
    charge_bytes(weight)?;
    Ok(weight)
}

/// Rejects a text of so many bytes if that is too long.
pub fn check_size(bytes: usize) -> Result<()> {
    if bytes > BYTES {
        return Err(end(format!("makes a text of more than {} bytes", thousands(BYTES as u64))));
    }
    Ok(())
}

/// Records that a variable now takes so many bytes instead of so many before.
pub fn keep(bytes: usize, before: usize) -> Result<()> {
    let kept = SPENT.with_borrow_mut(|spent| {
        spent.kept = spent.kept.saturating_sub(before).saturating_add(bytes);
        spent.kept
    });
    if kept > KEPT {
        let most = thousands(KEPT as u64);
        return Err(end(format!("keeps more than {most} bytes in its variables")));
    }
    Ok(())
}

/// Evaluates the content of a tag that begins at `at`.
pub fn inside<T>(at: Option<usize>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (depth, outer) = SPENT.with_borrow_mut(|spent| {
        spent.depth += 1;
        let outer = spent.at;
        spent.at = at.or(outer);
        (spent.depth, outer)
    });
    if depth > DEPTH {
        return Err(end(format!("nests loops, blocks and included files more than {DEPTH} deep")));
    }
    let done = work();
    SPENT.with_borrow_mut(|spent| {
        spent.depth -= 1;
        spent.at = outer;
    });
    done
}

fn end(message: String) -> Error {
    SPENT.with_borrow_mut(|spent| spent.end(message))
}

impl Spent {
    fn end(&mut self, message: String) -> Error {
        let at = self.at;
        let told = self.exceeded.get_or_insert(Exceeded { message, at });
        Error::with_msg(told.message.clone())
    }
}

/// Approximate size of a value in memory in bytes; `None` if its lists are nested too deeply.
fn weight(value: &dyn ValueView, depth: usize) -> Option<usize> {
    if depth > NESTED {
        return None;
    }
    if let Some(list) = value.as_array() {
        let mut all = 0_usize;
        for item in list.values() {
            all = all.saturating_add(32).saturating_add(weight(item, depth + 1)?);
        }
        return Some(all);
    }
    if let Some(object) = value.as_object() {
        let mut all = 0_usize;
        for (key, item) in object.iter() {
            all = all.saturating_add(64 + key.len()).saturating_add(weight(item, depth + 1)?);
        }
        return Some(all);
    }
    match value.as_scalar() {
        Some(text) if value.type_name() == "string" => Some(text.to_kstr().len()),
        _ => Some(8),
    }
}

/// A writer that charges for its input and limits its length.
pub struct Charged<'w> {
    to: &'w mut dyn Write,
    left: usize,
}

impl<'w> Charged<'w> {
    /// Remaining bytes before the text's maximum size.
    pub fn new(to: &'w mut dyn Write) -> Self {
        Self { to, left: BYTES }
    }
}

impl Write for Charged<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let charged = charge_bytes(bytes.len());
        let room = charged.and_then(|()| match self.left.checked_sub(bytes.len()) {
            Some(left) => Ok(left),
            None => Err(check_size(BYTES + 1).err().unwrap_or_else(|| Error::with_msg("full"))),
        });
        self.left = room.map_err(|error| io::Error::other(error.to_string()))?;
        self.to.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A runtime in which each variable access is charged for.
pub struct Metered<R>(pub R);

impl<R: Runtime> Runtime for Metered<R> {
    fn partials(&self) -> &dyn PartialStore {
        self.0.partials()
    }

    fn name(&self) -> Option<KStringRef<'_>> {
        self.0.name()
    }

    fn roots(&self) -> std::collections::BTreeSet<KStringCow<'_>> {
        self.0.roots()
    }

    fn try_get(&self, path: &[ScalarCow<'_>]) -> Option<ValueCow<'_>> {
        let found = self.0.try_get(path)?;
        charge_value(found.as_view()).is_ok().then_some(found)
    }

    fn get(&self, path: &[ScalarCow<'_>]) -> Result<ValueCow<'_>> {
        let found = self.0.get(path)?;
        charge_value(found.as_view())?;
        Ok(found)
    }

    fn set_global(&self, name: KString, value: Value) -> Option<Value> {
        self.0.set_global(name, value)
    }

    fn set_index(&self, name: KString, value: Value) -> Option<Value> {
        self.0.set_index(name, value)
    }

    fn get_index<'a>(&'a self, name: &str) -> Option<ValueCow<'a>> {
        self.0.get_index(name)
    }

    fn registers(&self) -> &Registers {
        self.0.registers()
    }
}
