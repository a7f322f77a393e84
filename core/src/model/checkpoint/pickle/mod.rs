//! Reads the part of Python's pickle that PyTorch writes. Input: bytes. Output: a tree of values.
//!
//! A pickle is a program that may call anything in Python. Here a call is one of the few that rebuild tensors, and its
//! arguments are kept; or what it would make stays opaque; or the file is refused (see [`mod@global`]). Nothing is ever
//! run. Values are in an arena and refer to each other by index, so neither nesting nor cycles cost anything, and the
//! number of operations bounds the memory. Knows nothing of the archive around it.

mod bytes;
mod error;
mod global;
mod heap;
mod machine;

pub use error::PickleError;
pub use heap::{Heap, Value};
pub use machine::read;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        let started = std::time::Instant::now();
        let error = read(bytes).expect_err("refused").to_string();
        assert!(started.elapsed().as_secs() < 2, "{error}");
        error
    }

    #[test]
    fn what_a_pickle_could_run_is_named_and_not_run() {
        let system = refused(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.");
        assert!(system.contains("asks for Python's `os.system`"), "{system}");
        let eval = refused(b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.");
        assert!(eval.contains("`builtins.eval`"), "{eval}");
        let posix = refused(b"\x80\x02(cposix\nsystem\nX\x02\x00\x00\x00lsQ.");
        assert!(posix.contains("`posix.system`"), "{posix}");
        let alike = refused(b"\x80\x02c__torch__evil\nsystem\n.");
        assert!(alike.contains("`__torch__evil.system`"), "{alike}");
        let terminal = refused(b"\x80\x02c\x1b[2J\nx\n.");
        assert!(!terminal.contains('\x1b'), "{terminal}");
        // By names that were texts before: STACK_GLOBAL.
        let stacked = refused(b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x8c\x02ls\x85R.");
        assert!(stacked.contains("`os.system`"), "{stacked}");
    }

    #[test]
    fn only_what_is_known_is_called() {
        let text = refused(b"\x80\x02X\x02\x00\x00\x00ls)R.");
        assert!(text.contains("calls an object that it created"), "{text}");
        refused(b"\x80\x02c__torch__\nM\n)R.");
        refused(b"\x80\x02ccollections\nOrderedDict\n)\x81.");
        refused(b"\x80\x02ccollections\nOrderedDict\n]K\x01a\x85R.");
        refused(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.");
        // Operations that look names up at run time: INST, OBJ, EXT1.
        for operation in [b'i', b'o', 0x82] {
            let error = refused(&[0x80, 2, operation]);
            assert!(error.contains("is not one that PyTorch writes"), "{error}");
        }
    }

    #[test]
    fn what_is_not_known_is_opaque_and_takes_what_it_is_given() {
        // A Namespace with an attribute, a scalar of NumPy's, a subclass of list, a set, a path, a random generator's
        // number.
        let named = b"\x80\x02cargparse\nNamespace\n)\x81}X\x02\0\0\0lrG????????sb.";
        let (value, heap) = read(named).expect("opaque");
        let Value::Foreign(at) = value else { panic!("{value:?}") };
        assert_eq!((heap.foreign[at].module, heap.foreign[at].name), ("argparse", "Namespace"));
        assert!(matches!(heap.foreign[at].state, Value::Dict(_)));
        for bytes in [
            &b"\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\0\0\0f8K\0K\x01\x87R(K\x03X\x01\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tbc_codecs\nencode\nX\x01\0\0\0aX\x06\0\0\0latin1\x86R\x86R."[..],
            b"\x80\x02c__main__\nRow\n)\x81(K\x01K\x02e.",
            b"\x80\x02c__builtin__\nset\n]K\x01a\x85R.",
            b"\x80\x02cpathlib\nPosixPath\nX\x01\0\0\0/\x85R.",
            b"\x80\x04\x95\x01\0\0\0\0\0\0\0\x8c\x01a\x94\x8c\x01b\x93)}\x92.",
            b"\x80\x03C\x02ab.",
        ] {
            let (value, _) = read(bytes).expect("opaque");
            assert!(matches!(value, Value::Foreign(_) | Value::Plain), "{value:?}");
        }
        assert_eq!(read(b"\x8a\x09123456789.").expect("a number").0, Value::Plain);
        // Inputs that are cut short.
        for bytes in
            [&b"C\xff."[..], b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", b"\x8b\xff\xff\xff\x7f."]
        {
            assert_eq!(refused(bytes), PickleError::Cut.to_string());
        }
    }

    #[test]
    fn malformed_pickles_are_errors() {
        for bytes in [
            &b""[..],
            b"\x80",
            b".",
            b"t",
            b"(K\x01",
            b"(.",
            b"K\x01(a",
            b"h\x07.",
            b"q\x00",
            b"X\xff\xff\xff\xffa",
            b"X\x01\x00\x00\x00\xff.",
            b"cos",
            b"Q",
            b"K\x01Q.",
            b"K\x01K\x02s.",
            b"K\x01}b.",
            b"\x86.",
        ] {
            refused(bytes);
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        // A list in a list in a list, and the same by way of modules' states.
        let mut deep = vec![b']'; 400_000];
        deep.extend(vec![b'a'; 399_999]);
        deep.push(b'.');
        assert!(read(&deep).is_ok(), "nesting costs nothing");
        assert_eq!(refused(&vec![b'('; 8 << 20]), PickleError::Long.to_string());
        assert_eq!(refused(&vec![b'}'; 8 << 20]), PickleError::Long.to_string());
        // A list that holds itself.
        assert!(read(b"]q\x00h\x00a.").is_ok());
    }

    #[test]
    fn numbers_have_their_sign() {
        for (bytes, number) in [
            (&b"K\xff."[..], 255),
            (b"M\xff\xff.", 65_535),
            (b"J\xff\xff\xff\xff.", -1),
            (b"\x8a\x00.", 0),
            (b"\x8a\x01\xff.", -1),
            (b"\x8a\x02\xff\x00.", 255),
        ] {
            assert_eq!(read(bytes).expect("a number").0, Value::Int(number));
        }
    }
}
