//! The values that a pickle describes, which refer to each other by index.

/// A value. Values that no tensor depends on are not distinguished.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// None, a truth value, a float, bytes, or a number of more than 64 bits.
    Plain,
    Int(i64),
    Text(&'a str),
    /// A function or class of Python that may be called.
    Call(Call),
    /// A type of storage, by the type of its elements as safetensors spells it.
    Element(&'static str),
    /// A class of a TorchScript module.
    Class,
    /// An index into [`Heap::lists`]; tuples and lists are one.
    List(usize),
    /// An index into [`Heap::dicts`].
    Dict(usize),
    /// A TorchScript module, an index into [`Heap::objects`].
    Object(usize),
    /// An index into [`Heap::storages`].
    Storage(usize),
    /// An index into [`Heap::tensors`].
    Tensor(usize),
    /// Another object of Python, or what it would make: an index into [`Heap::foreign`].
    Foreign(usize),
}

/// What may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `torch._utils._rebuild_tensor_v2`
    Tensor,
    /// Returns its first argument: a parameter is a tensor, a typed list a list.
    First,
    /// Calls its first argument with its third: a tensor of a class of its own.
    Typed,
    /// `collections.OrderedDict`
    Dict,
}

/// All values.
#[derive(Debug, Default)]
pub struct Heap<'a> {
    pub lists: Vec<Vec<Value<'a>>>,
    pub dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    /// The state that each module was given.
    pub objects: Vec<Value<'a>>,
    pub storages: Vec<Storage<'a>>,
    pub tensors: Vec<Tensor>,
    pub foreign: Vec<Foreign<'a>>,
}

/// An unknown object of Python: its name, and what it was given.
#[derive(Debug)]
pub struct Foreign<'a> {
    pub module: &'a str,
    pub name: &'a str,
    /// Its items, if it is a kind of dictionary.
    pub items: Vec<(Value<'a>, Value<'a>)>,
    /// Its attributes, if it was given some.
    pub state: Value<'a>,
}

/// Bytes elsewhere in the archive.
#[derive(Debug)]
pub struct Storage<'a> {
    /// The type of its elements, as safetensors spells it.
    pub element: &'static str,
    /// The name of the archive's entry.
    pub key: &'a str,
}

/// A view of a storage, in elements. Not checked against the storage.
#[derive(Debug)]
pub struct Tensor {
    pub storage: usize,
    pub offset: u64,
    pub shape: Vec<u64>,
    pub strides: Vec<u64>,
}
