//! What the Liquid of one note may cost: steps, text and depth are counted while it is evaluated, and what goes beyond is an
//! error at the tag that did.
//!
//! Nothing is timed, so that a garden is the same on every machine. The library knows of no budget: the tags that loop, keep a
//! text or include one are our own, and every filter and every look at a variable is charged for the data that it handles.

use std::cell::RefCell;
use std::io::{self, Write};

use liquid_core::model::{KString, KStringCow, KStringRef, ScalarCow, Value, ValueCow, ValueView};
use liquid_core::runtime::{PartialStore, Registers};
use liquid_core::{Error, Result, Runtime};

use neuronotes_core::number::thousands;

/// Steps that one note's Liquid may take: a turn of a loop is some of them, and so are each 64 bytes of data that a filter or a
/// variable handles. A list of all notes of a garden with 10,000, sorted, takes about a tenth.
pub const STEPS: u64 = 20_000_000;
/// Bytes of text that may come out, and that a text within may have.
pub const BYTES: usize = 16 << 20;
/// Bytes that all variables together may hold.
pub const KEPT: usize = 64 << 20;
/// So many loops, blocks and included files may be within each other.
pub const DEPTH: usize = 64;
/// So many lists may be within each other.
const NESTED: usize = 32;
/// Bytes that are handled in a step.
const A_STEP: u64 = 64;

/// What was spent of it so far.
#[derive(Debug, Default)]
struct Spent {
    steps: u64,
    kept: usize,
    depth: usize,
    /// Where the tag begins that is at work.
    at: Option<usize>,
    /// What is spent, and where it was.
    exceeded: Option<Exceeded>,
}

/// A budget that is spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// Which one.
    pub message: String,
    /// Where the tag begins, in the note's body; none where the tag is not known.
    pub at: Option<usize>,
}

thread_local! {
    /// A note's Liquid is evaluated on one thread, from its beginning to its end.
    static SPENT: RefCell<Spent> = RefCell::default();
}

/// Evaluates something with nothing spent, and says which budget it went beyond.
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

/// Charges for a value, and refuses one that is too large to be a text of a page or too deep to be walked.
pub fn charge_value(value: &dyn ValueView) -> Result<usize> {
    let weight = weight(value, 0)
        .ok_or_else(|| end(format!("makes lists within lists, more than {NESTED} deep")))?;
    charge_bytes(weight)?;
    Ok(weight)
}

/// Refuses what would have so many bytes.
pub fn check_size(bytes: usize) -> Result<()> {
    if bytes > BYTES {
        return Err(end(format!("makes a text of more than {} bytes", thousands(BYTES as u64))));
    }
    Ok(())
}

/// A variable now holds so many bytes, where it held so many before.
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

/// Does what stands within a tag that begins at `at`.
pub fn inside<T>(at: Option<usize>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (depth, outer) = SPENT.with_borrow_mut(|spent| {
        spent.depth += 1;
        let outer = spent.at;
        spent.at = at.or(outer);
        (spent.depth, outer)
    });
    if depth > DEPTH {
        return Err(end(format!(
            "has more than {DEPTH} loops, blocks and included files within each other"
        )));
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

/// About how many bytes a value has in memory; none where its lists are too deep.
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

/// What is written is charged for, and has an end.
pub struct Charged<'w> {
    to: &'w mut dyn Write,
    left: usize,
}

impl<'w> Charged<'w> {
    /// Up to the most that a text may have.
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

/// A runtime of which each look at a variable is charged for.
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
