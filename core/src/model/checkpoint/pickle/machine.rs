//! Runs a pickle, one operation after the other. Input: bytes. Output: values in a heap.
//!
//! The operations are those of Python's `pickletools`, as far as PyTorch writes them. What an operation would make of
//! Python's objects is kept as a value; nothing of Python is called.

use std::collections::HashMap;

use super::bytes::Bytes;
use super::error::{OPERATIONS, PickleError};
use super::global::global;
use super::heap::{Call, Foreign, Heap, Storage, Tensor, Value};

/// Most dimensions: more than any weight has.
const RANK: usize = 8;

/// Runs a whole pickle and returns the value that it describes and the heap that holds its parts.
///
/// # Errors
/// Fails if the pickle is malformed or asks for anything but tensors.
pub fn read(bytes: &[u8]) -> Result<(Value<'_>, Heap<'_>), PickleError> {
    let mut machine = Machine {
        input: Bytes::new(bytes),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        heap: Heap::default(),
    };
    for _ in 0..OPERATIONS {
        if let Some(value) = machine.step()? {
            return Ok((value, machine.heap));
        }
    }
    Err(PickleError::Long)
}

/// The stack machine that a pickle is a program of.
struct Machine<'a> {
    input: Bytes<'a>,
    stack: Vec<Value<'a>>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    heap: Heap<'a>,
}

impl<'a> Machine<'a> {
    /// Runs one operation and returns the value once the pickle ends.
    fn step(&mut self) -> Result<Option<Value<'a>>, PickleError> {
        let start = self.input.at();
        let operation = self.input.byte()?;
        match operation {
            // PROTO: what a later version may write shows as an operation that is unknown.
            0x80 => drop(self.input.byte()?),
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Plain),
            b'G' => {
                self.input.take(8)?;
                self.stack.push(Value::Plain);
            }
            // FRAME: how far a reader may read ahead.
            0x95 => drop(self.input.take(8)?),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.since_mark()?),
            b'K' => {
                let value = self.input.byte()?;
                self.stack.push(Value::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.input.array()?);
                self.stack.push(Value::Int(value.into()));
            }
            b'J' => {
                let value = i32::from_le_bytes(self.input.array()?);
                self.stack.push(Value::Int(value.into()));
            }
            0x8a | 0x8b => {
                let value = self.input.long(operation == 0x8a)?;
                self.stack.push(value.map_or(Value::Plain, Value::Int));
            }
            b'X' | 0x8c | 0x8d => {
                let bytes = self.input.counted(match operation {
                    0x8c => 1,
                    b'X' => 4,
                    _ => 8,
                })?;
                let value = self.input.text(bytes)?;
                self.stack.push(Value::Text(value));
            }
            // Texts of Python 2, which may be any bytes.
            b'U' | b'T' => {
                let bytes = self.input.counted(if operation == b'U' { 1 } else { 4 })?;
                let text = std::str::from_utf8(bytes).map_or(Value::Plain, Value::Text);
                self.stack.push(text);
            }
            b'C' | b'B' | 0x8e | 0x96 => {
                self.input.counted(match operation {
                    b'C' => 1,
                    b'B' => 4,
                    _ => 8,
                })?;
                self.stack.push(Value::Plain);
            }
            b'q' | b'r' => {
                let index = self.input.index(operation == b'q')?;
                let value = self.top()?;
                self.memo.insert(index, value);
            }
            0x94 => {
                let index = u32::try_from(self.memo.len()).unwrap_or(u32::MAX);
                let value = self.top()?;
                self.memo.insert(index, value);
            }
            b'h' | b'j' => {
                let index = self.input.index(operation == b'h')?;
                let value = self.memo.get(&index).copied();
                self.stack.push(value.ok_or_else(|| {
                    self.input.malformed("it refers to a value that was never stored")
                })?);
            }
            b')' | b']' | 0x8f => self.push_list(Vec::new()),
            b't' | 0x91 => {
                let items = self.since_mark()?;
                self.push_list(items);
            }
            0x85..=0x87 => {
                let count = usize::from(operation - 0x84);
                let items = self.pop_many(count)?;
                self.push_list(items);
            }
            b'}' => self.push_dict(),
            b'a' | b'e' | 0x90 => {
                let items = if operation == b'a' { self.pop_many(1)? } else { self.since_mark()? };
                match self.top()? {
                    Value::List(list) => self.heap.lists[list].extend(items),
                    Value::Foreign(_) => {}
                    _ => {
                        return Err(self
                            .input
                            .malformed("it appends to something that is not a list"));
                    }
                }
            }
            b's' | b'u' => {
                let items = if operation == b's' { self.pop_many(2)? } else { self.since_mark()? };
                let top = self.top()?;
                if items.len() % 2 == 1 {
                    return Err(self.input.malformed("a key has no value"));
                }
                let pairs = items.chunks_exact(2).map(|pair| (pair[0], pair[1]));
                match top {
                    Value::Dict(dict) => self.heap.dicts[dict].extend(pairs),
                    Value::Foreign(foreign) => self.heap.foreign[foreign].items.extend(pairs),
                    _ => {
                        return Err(self
                            .input
                            .malformed("it sets an item of something that is not a dictionary"));
                    }
                }
            }
            b'c' => {
                let module = self.input.line()?;
                let name = self.input.line()?;
                self.push_global(module, name)?;
            }
            0x93 => {
                let [module, name] = self.pop_many(2)?[..] else { return Err(PickleError::Cut) };
                let (Value::Text(module), Value::Text(name)) = (module, name) else {
                    return Err(self.input.malformed("it imports something that is not a name"));
                };
                self.push_global(module, name)?;
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.stack.push(storage);
            }
            b'R' => {
                let arguments = self.pop()?;
                let function = self.pop()?;
                self.call(function, arguments)?;
            }
            0x81 | 0x92 => {
                let _arguments = self.pop_many(if operation == 0x81 { 1 } else { 2 })?;
                match self.pop()? {
                    Value::Class => {
                        self.heap.objects.push(Value::Plain);
                        self.stack.push(Value::Object(self.heap.objects.len() - 1));
                    }
                    Value::Foreign(class) => self.push_foreign_of(class),
                    _ => return Err(PickleError::Call),
                }
            }
            b'b' => {
                let state = self.pop()?;
                match self.top()? {
                    Value::Object(object) => self.heap.objects[object] = state,
                    Value::Foreign(foreign) => self.heap.foreign[foreign].state = state,
                    // A state dict carries versions of its modules.
                    Value::Dict(_) => {}
                    _ => {
                        return Err(self
                            .input
                            .malformed("it sets the state of a value that has none"));
                    }
                }
            }
            other => return Err(PickleError::Operation(other, start)),
        }
        Ok(None)
    }

    fn call(&mut self, function: Value<'a>, arguments: Value<'a>) -> Result<(), PickleError> {
        let (call, list) = match (function, arguments) {
            (Value::Call(call), Value::List(list)) => (call, list),
            (Value::Foreign(function), Value::List(_)) => {
                self.push_foreign_of(function);
                return Ok(());
            }
            _ => return Err(PickleError::Call),
        };
        match (call, self.heap.lists[list].as_slice()) {
            (Call::Dict, []) => self.push_dict(),
            (Call::First, &[value, ..]) => self.stack.push(value),
            // The inner call must be another one, so nesting goes no deeper.
            (Call::Typed, &[inner, _, arguments, ..]) if inner != Value::Call(Call::Typed) => {
                return self.call(inner, arguments);
            }
            (Call::Tensor, &[Value::Storage(storage), Value::Int(offset), shape, strides, ..]) => {
                let offset = u64::try_from(offset)
                    .map_err(|_| self.input.malformed("a tensor's offset is negative"))?;
                let (shape, strides) = (self.sizes(shape)?, self.sizes(strides)?);
                self.heap.tensors.push(Tensor { storage, offset, shape, strides });
                self.stack.push(Value::Tensor(self.heap.tensors.len() - 1));
            }
            // Tensors of types that weights do not have, such as complex numbers.
            (Call::Tensor, &[Value::Foreign(storage), ..]) => self.push_foreign_of(storage),
            _ => {
                return Err(self
                    .input
                    .malformed("a call has other arguments than PyTorch gives it"));
            }
        }
        Ok(())
    }

    /// `("storage", type, key, device, elements)`
    fn storage(&mut self, id: Value<'a>) -> Result<Value<'a>, PickleError> {
        if let Value::List(list) = id
            && let [Value::Text("storage"), element, Value::Text(key), ..] =
                self.heap.lists[list][..]
        {
            match element {
                Value::Element(element) => {
                    self.heap.storages.push(Storage { element, key });
                    return Ok(Value::Storage(self.heap.storages.len() - 1));
                }
                Value::Foreign(_) => return Ok(element),
                _ => {}
            }
        }
        Err(self.input.malformed("a storage is not described as PyTorch does"))
    }

    fn push_global(&mut self, module: &'a str, name: &'a str) -> Result<(), PickleError> {
        match global(module, name)? {
            Some(value) => self.stack.push(value),
            None => self.push_foreign(module, name),
        }
        Ok(())
    }

    fn push_foreign(&mut self, module: &'a str, name: &'a str) {
        let foreign = Foreign { module, name, items: Vec::new(), state: Value::Plain };
        self.heap.foreign.push(foreign);
        self.stack.push(Value::Foreign(self.heap.foreign.len() - 1));
    }

    /// Pushes what an unknown object would make.
    fn push_foreign_of(&mut self, maker: usize) {
        let Foreign { module, name, .. } = self.heap.foreign[maker];
        self.push_foreign(module, name);
    }

    fn sizes(&self, value: Value<'a>) -> Result<Vec<u64>, PickleError> {
        let sizes = match value {
            Value::List(list) if self.heap.lists[list].len() <= RANK => self.heap.lists[list]
                .iter()
                .map(|size| match size {
                    Value::Int(size) => u64::try_from(*size).ok(),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        sizes
            .ok_or_else(|| self.input.malformed("a tensor's sizes are not a short list of numbers"))
    }

    fn push_list(&mut self, items: Vec<Value<'a>>) {
        self.heap.lists.push(items);
        self.stack.push(Value::List(self.heap.lists.len() - 1));
    }

    fn push_dict(&mut self) {
        self.heap.dicts.push(Vec::new());
        self.stack.push(Value::Dict(self.heap.dicts.len() - 1));
    }

    fn pop(&mut self) -> Result<Value<'a>, PickleError> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value<'a>>, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(from) if from >= floor => Ok(self.stack.split_off(from)),
            _ => Err(self.input.malformed("it takes a value from an empty stack")),
        }
    }

    /// The topmost value above the last mark.
    fn top(&self) -> Result<Value<'a>, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let value = self.stack.get(floor..).and_then(<[_]>::last).copied();
        value.ok_or_else(|| self.input.malformed("it takes a value from an empty stack"))
    }

    fn since_mark(&mut self) -> Result<Vec<Value<'a>>, PickleError> {
        let mark = self.marks.pop().ok_or_else(|| self.input.malformed("it lacks a mark"))?;
        Ok(self.stack.split_off(mark))
    }
}
