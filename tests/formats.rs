//! Weights as PyTorch saves them: the same tensors as in safetensors, or an error that says what is wrong.
//!
//! The golden files are those of `tests/reference/formats.py`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use neuronotes::model::Header;
use zip::write::SimpleFileOptions;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats").join(name)
}

/// Type, shape and bytes of every tensor.
fn tensors(path: &Path) -> BTreeMap<String, (String, Vec<u64>, Vec<u8>)> {
    let bytes = fs::read(path).expect("a file");
    let header = Header::read(path).expect("a header");
    let read = |(name, info): (String, neuronotes::model::TensorInfo)| {
        let data = bytes[info.data.start as usize..info.data.end as usize].to_vec();
        (name, (info.dtype, info.shape, data))
    };
    header.tensors.into_iter().map(read).collect()
}

/// Why a file with these bytes is refused, which has to be found out at once.
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("w.pt");
    fs::write(&path, bytes).expect("write");
    let started = Instant::now();
    let error = Header::read(&path).expect_err("refused").to_string();
    assert!(started.elapsed().as_secs() < 2, "{error}");
    error
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in entries {
        writer.start_file(*name, options).expect("an entry");
        writer.write_all(bytes).expect("write");
    }
    writer.finish().expect("an archive").into_inner()
}

fn pickled(pickle: &[u8]) -> Vec<u8> {
    archive(&[("w/data.pkl", pickle), ("w/data/0", &[0; 24])])
}

/// A state dict of one tensor; each size is one byte.
fn one_tensor(offset: &[u8], shape: &[u8], strides: &[u8]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n((".to_vec();
    pickle.extend_from_slice(b"X\x07\0\0\0storagectorch\nFloatStorage\n");
    pickle.extend_from_slice(b"X\x01\0\0\x000X\x03\0\0\0cpuK\x06tQ");
    pickle.extend_from_slice(offset);
    for sizes in [shape, strides] {
        pickle.push(b'(');
        pickle.extend(sizes.iter().flat_map(|&size| [b'K', size]));
        pickle.push(b't');
    }
    pickle.extend_from_slice(b"\x89ccollections\nOrderedDict\n)RtRs.");
    pickle
}

#[test]
fn every_format_holds_the_same_tensors() {
    let expected = tensors(&golden("weights.safetensors"));
    assert_eq!(expected.len(), 8);
    for file in ["state_dict.pt", "torchscript.pt", "checkpoint.pt"] {
        assert_eq!(tensors(&golden(file)), expected, "{file}");
    }
}

#[test]
fn a_file_that_would_run_something_is_refused_by_what_it_would_run() {
    let error = refused(&pickled(b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R."));
    assert!(error.contains("asks for Python's `os.system`"), "{error}");
    assert!(error.contains("state_dict()"), "{error}");
    // Hidden in a state dict, beside a tensor.
    let mut hidden = one_tensor(b"K\0", &[6], &[1]);
    hidden.pop();
    hidden.extend_from_slice(b"X\x01\0\0\0bcbuiltins\neval\nX\x01\0\0\x001\x85Rs.");
    let error = refused(&pickled(&hidden));
    assert!(error.contains("asks for Python's `builtins.eval`"), "{error}");
}

#[test]
fn a_tensor_lies_in_its_storage_or_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("w.pt");
    fs::write(&path, pickled(&one_tensor(b"K\0", &[2, 3], &[3, 1]))).expect("write");
    assert_eq!(Header::read(&path).expect("a header").tensors["a"].shape, [2, 3]);
    let huge = &[255; 8][..];
    for (offset, shape, strides, why) in [
        (&b"K\x01"[..], &[2, 3][..], &[3, 1][..], "`a` reaches beyond the end of its storage"),
        (b"K\0", &[7], &[1], "`a` reaches beyond the end of its storage"),
        (b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", &[6], &[1], "beyond the end of its storage"),
        (b"J\xff\xff\xff\xff", &[6], &[1], "offset is negative"),
        (b"K\0", &[2, 3], &[1, 2], "`a` is not contiguous"),
        (b"K\0", &[2, 3], &[3], "`a` is not contiguous"),
        (b"K\0", huge, huge, "`a` is not contiguous"),
        (b"K\0", &[1; 9], &[1; 9], "no short list of numbers"),
    ] {
        let error = refused(&pickled(&one_tensor(offset, shape, strides)));
        assert!(error.contains(why), "{error}");
    }
    let error = refused(&archive(&[("w/data.pkl", &one_tensor(b"K\0", &[6], &[1]))]));
    assert!(error.contains("entry `w/data/0` is missing"), "{error}");
    let error = refused(&fs::read(golden("strided.pt")).expect("a file"));
    assert!(error.contains("`a` is not contiguous; save it again after .contiguous()"), "{error}");
}

#[test]
fn other_files_are_refused_by_what_they_are() {
    for (bytes, why) in [
        (b"these are not weights".to_vec(), "is not a weights file"),
        (fs::read(golden("old.pt")).expect("a file"), "was saved by an old PyTorch"),
        (b"PK\x03\x04 and no more".to_vec(), "no complete zip archive"),
        (archive(&[("word/document.xml", b"<a/>")]), "holds no data.pkl"),
        (pickled(b"\x80\x02}."), "holds no tensors"),
        (pickled(b"\x80\x02K\x01."), "holds no tensors"),
        (archive(&[("w/data.pkl", b"\x80\x02}."), ("w/byteorder", b"big")]), "big-endian"),
        (archive(&[("w/data.pkl", &vec![b'N'; 17 << 20])]), "data.pkl is larger than 16 MiB"),
    ] {
        let error = refused(&bytes);
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_packed_entry_is_never_unpacked() {
    let whole = pickled(&one_tensor(b"K\0", &[6], &[1]));
    for name in ["w/data.pkl", "w/data/0"] {
        let mut bytes = whole.clone();
        // In the directory a name stands 46 bytes after its record's beginning, the method at 10.
        let found = bytes.windows(name.len()).rposition(|at| at == name.as_bytes());
        bytes[found.expect("a record") - 36] = 8;
        let error = refused(&bytes);
        assert!(error.contains(&format!("`{name}` is compressed")), "{error}");
    }
}

#[test]
fn modules_in_themselves_and_in_each_other_are_refused() {
    // A module whose attribute it is itself.
    let error = refused(&pickled(b"\x80\x02c__torch__\nM\n)\x81q\0}X\x01\0\0\0mh\0sb."));
    assert!(error.contains("too deep"), "{error}");
    // Each module holds the one before it twice: 2^30 of them.
    let mut pickle = b"\x80\x02c__torch__\nM\nq\0)\x81}bq\x01".to_vec();
    for _ in 0..30 {
        pickle.extend_from_slice(b"h\0)\x81}(X\x01\0\0\0ah\x01X\x01\0\0\0bh\x01ubq\x01");
    }
    pickle.push(b'.');
    let error = refused(&pickled(&pickle));
    assert!(error.contains("too many"), "{error}");
}

#[test]
fn a_damaged_file_is_an_error_or_has_its_tensors_in_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("w.pt");
    for file in ["state_dict.pt", "torchscript.pt"] {
        let whole = fs::read(golden(file)).expect("a file");
        for length in (0..whole.len()).step_by(7) {
            fs::write(&path, &whole[..length]).expect("write");
            assert!(Header::read(&path).is_err(), "{file} cut at {length}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x91;
            fs::write(&path, &bytes).expect("write");
            for info in Header::read(&path).into_iter().flat_map(|header| header.tensors) {
                assert!(info.1.data.end <= bytes.len() as u64, "{file} with another byte {at}");
            }
        }
    }
}
