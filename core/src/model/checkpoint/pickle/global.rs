//! Looks up what a pickle calls by name. Input: a module and a name of Python. Output: what it stands for.
//!
//! | name | stands for |
//! |---|---|
//! | functions that rebuild tensors, types of storages, `OrderedDict` | itself |
//! | a class of TorchScript | a module |
//! | anything that runs programs or code | nothing: the file is refused |
//! | any other, such as `argparse.Namespace` or NumPy's scalars | an opaque value, which is never created |
//!
//! This program never runs a pickle, so it does not need the third row for its own safety: the error warns users of
//! what the file would do in a program that does.

use super::error::PickleError;
use super::heap::{Call, Value};

/// Modules of Python whose functions run programs or code, or change files.
const HARMFUL: [&str; 27] = [
    "os",
    "nt",
    "posix",
    "subprocess",
    "_posixsubprocess",
    "sys",
    "socket",
    "_socket",
    "shutil",
    "pty",
    "runpy",
    "importlib",
    "imp",
    "ctypes",
    "_ctypes",
    "webbrowser",
    "commands",
    "code",
    "codeop",
    "bdb",
    "pdb",
    "pip",
    "timeit",
    "profile",
    "cProfile",
    "pydoc",
    "marshal",
];

/// The built-in names that only make values.
const VALUES: [&str; 18] = [
    "set",
    "frozenset",
    "dict",
    "list",
    "tuple",
    "bytearray",
    "bytes",
    "slice",
    "range",
    "xrange",
    "complex",
    "int",
    "long",
    "float",
    "bool",
    "str",
    "unicode",
    "object",
];

/// The few names of Python that weights need; the others are opaque, or refused.
pub(super) fn global<'a>(module: &str, name: &str) -> Result<Option<Value<'a>>, PickleError> {
    let element = |element| Ok(Some(Value::Element(element)));
    let call = |call| Ok(Some(Value::Call(call)));
    match (module, name) {
        ("torch._utils", "_rebuild_tensor_v2") => call(Call::Tensor),
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            call(Call::First)
        }
        ("torch._tensor", "_rebuild_from_type_v2") => call(Call::Typed),
        (
            "torch.jit._pickle",
            "build_intlist" | "build_tensorlist" | "build_doublelist" | "build_boollist"
            | "restore_type_tag",
        ) => call(Call::First),
        ("collections", "OrderedDict") => call(Call::Dict),
        ("torch", "DoubleStorage") => element("F64"),
        ("torch", "FloatStorage") => element("F32"),
        ("torch", "HalfStorage") => element("F16"),
        ("torch", "BFloat16Storage") => element("BF16"),
        ("torch", "LongStorage") => element("I64"),
        ("torch", "IntStorage") => element("I32"),
        ("torch", "ShortStorage") => element("I16"),
        ("torch", "CharStorage") => element("I8"),
        ("torch", "ByteStorage") => element("U8"),
        ("torch", "BoolStorage") => element("BOOL"),
        _ if module == "__torch__" || module.starts_with("__torch__.") => Ok(Some(Value::Class)),
        _ if refused(module, name) => {
            // Text from a file appears in messages only short and printable.
            let shown: String = format!("{module}.{name}").chars().take(80).collect();
            Err(PickleError::Refused(shown.escape_debug().to_string()))
        }
        _ => Ok(None),
    }
}

fn refused(module: &str, name: &str) -> bool {
    let root = module.split('.').next().unwrap_or_default();
    let built_in = matches!(root, "builtins" | "__builtin__" | "__builtins__");
    HARMFUL.contains(&root)
        || (built_in && !VALUES.contains(&name))
        // Names that only look like classes of TorchScript.
        || root.starts_with("__torch__")
        || !is_path(module)
        || !is_path(name)
}

/// Whether these are identifiers with dots between them.
fn is_path(text: &str) -> bool {
    text.split('.').all(|part| {
        let first = part.chars().next();
        first.is_some_and(|c| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_refused_and_what_only_is_is_opaque() {
        for (module, name) in [
            ("argparse", "Namespace"),
            ("numpy.core.multiarray", "scalar"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
            ("__main__", "TrainingArguments"),
            ("builtins", "set"),
            ("__builtin__", "long"),
            ("pathlib", "PosixPath"),
            ("omegaconf.dictconfig", "DictConfig"),
            ("torch", "float16"),
            ("ostrich", "system"),
        ] {
            assert_eq!(global(module, name), Ok(None), "{module}.{name}");
        }
        for (module, name) in [
            ("os", "system"),
            ("os.path", "join"),
            ("builtins", "getattr"),
            ("__builtin__", "eval"),
            ("subprocess", "Popen"),
            ("importlib", "import_module"),
            ("", "x"),
            ("a..b", "x"),
            ("a", "x y"),
        ] {
            assert!(global(module, name).is_err(), "{module}.{name}");
        }
    }
}
