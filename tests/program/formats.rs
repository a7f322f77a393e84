//! Weights as PyTorch saves them: the same tensors as in safetensors, or an error that says what is wrong.
//!
//! The golden files are those of `tests/reference/formats.py`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use neuronotes_core::model::Header;
use zip::write::SimpleFileOptions;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats").join(name)
}

/// Type, shape and bytes of every tensor.
fn tensors(path: &Path) -> BTreeMap<String, (String, Vec<u64>, Vec<u8>)> {
    let bytes = fs::read(path).expect("a file");
    let header = Header::read(path).expect("a header");
    let read = |(name, info): (String, neuronotes_core::model::TensorInfo)| {
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
        (b"K\0", &[1; 9], &[1; 9], "not a short list of numbers"),
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
        (b"PK\x03\x04 and no more".to_vec(), "not a complete zip archive"),
        (archive(&[("word/document.xml", b"<a/>")]), "has no data.pkl"),
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

/// A pickle of a dictionary whose items are these, each a text and what makes its value.
fn dictionary(items: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut pickle = b"}(".to_vec();
    for (key, value) in items {
        pickle.extend(text(key));
        pickle.extend(value);
    }
    pickle.push(b'u');
    pickle
}

fn text(text: &str) -> Vec<u8> {
    [b"X".as_slice(), &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

/// A tensor of so many numbers, which all lie in one storage.
fn tensor(size: u8) -> Vec<u8> {
    let whole = one_tensor(b"K\0", &[size], &[1]);
    // Without the dictionary around it.
    whole[9..whole.len() - 2].to_vec()
}

/// An object of a class with a few attributes, as pickle writes it in protocol 2.
fn object(class: &str, attributes: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (module, name) = class.rsplit_once('.').expect("a module");
    [
        format!("c{module}\n{name}\n)").into_bytes(),
        vec![0x81],
        dictionary(attributes),
        b"b".to_vec(),
    ]
    .concat()
}

/// `numpy.float64(…)` as pickle writes it in protocol 2.
fn scalar() -> Vec<u8> {
    let kind = b"cnumpy\ndtype\nX\x02\0\0\0f8K\0K\x01\x87R(K\x03X\x01\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb";
    let bytes = b"c_codecs\nencode\nX\x08\0\0\0abcdefghX\x06\0\0\0latin1\x86R";
    [b"cnumpy.core.multiarray\nscalar\n".as_slice(), kind, bytes, b"\x86R"].concat()
}

/// `numpy.ones(3)` likewise.
fn array() -> Vec<u8> {
    let made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85X\x01\0\0\0b\x87R";
    let kind = b"cnumpy\ndtype\nX\x02\0\0\0f8K\0K\x01\x87R";
    [made.as_slice(), b"(K\x01K\x03\x85", kind, b"\x89X\x03\0\0\0abctb"].concat()
}

fn saved(pickle: &[u8]) -> Vec<u8> {
    pickled(&[b"\x80\x02", pickle, b"."].concat())
}

/// Names and sizes of the tensors that are found.
fn found(bytes: &[u8]) -> BTreeMap<String, u64> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("w.pt");
    fs::write(&path, bytes).expect("write");
    let header = Header::read(&path).unwrap_or_else(|error| panic!("{error}"));
    header.tensors.into_iter().map(|(name, info)| (name, info.shape[0])).collect()
}

#[test]
fn the_models_state_dict_is_found_in_a_checkpoint_whatever_is_beside_it() {
    let state =
        || dictionary(&[("visual.a", tensor(2)), ("visual.b", tensor(3)), ("c", tensor(4))]);
    let averaged = || {
        dictionary(&[
            ("visual.a", tensor(5)),
            ("visual.b", tensor(5)),
            ("c", tensor(5)),
            ("n", tensor(1)),
        ])
    };
    let expected: BTreeMap<String, u64> =
        [("visual.a", 2), ("visual.b", 3), ("c", 4)].map(|(n, s)| (n.to_owned(), s)).into();
    // Of the optimizer, by the numbers of its parameters.
    let optimizer = || {
        let one = [
            b"}K\0".to_vec(),
            dictionary(&[("exp_avg", tensor(6)), ("step", tensor(1))]),
            b"s".to_vec(),
        ];
        dictionary(&[("state", one.concat()), ("param_groups", b"]".to_vec())])
    };
    let beside = [
        ("epoch", b"K\x03".to_vec()),
        (
            "args",
            object(
                "argparse.Namespace",
                &[("lr", b"G?PbM\xd2\xf1\xa9\xfc".to_vec()), ("best", scalar())],
            ),
        ),
        ("best", scalar()),
        ("history", array()),
        (
            "config",
            object(
                "__main__.TrainingConfig",
                &[("root", b"cpathlib\nPosixPath\nX\x01\0\0\0/\x85R".to_vec())],
            ),
        ),
        ("optimizer", optimizer()),
        ("seen", b"c__builtin__\nset\n](K\x01K\x02e\x85R".to_vec()),
        ("random", b"\x8a\x10abcdefghijklmnop".to_vec()),
        (
            "counts",
            b"ccollections\ndefaultdict\nc__builtin__\nint\n\x85RX\x01\0\0\0aK\x01s".to_vec(),
        ),
    ];
    for key in ["model", "state_dict", "model_state_dict", "net", "module", "my_encoder"] {
        let mut items = beside.to_vec();
        items.insert(2, (key, state()));
        assert_eq!(found(&saved(&dictionary(&items))), expected, "{key}");
        // By itself, and deeper.
        assert_eq!(found(&saved(&dictionary(&[(key, state())]))), expected, "{key}");
        assert_eq!(found(&saved(&dictionary(&[("checkpoint", dictionary(&items))]))), expected);
        // Of a class of its own that is a dictionary.
        let own =
            [b"ceasydict\nEasyDict\n)\x81".to_vec(), text("visual.a"), tensor(6), b"s".to_vec()];
        let own = found(&saved(&dictionary(&[(key, own.concat()), beside[0].clone()])));
        assert_eq!(own, BTreeMap::from([("visual.a".to_owned(), 6)]));
    }
    // A state dict that has something beside its tensors; a running average beside the model, which is larger.
    let with_more =
        [("visual.a", tensor(2)), ("visual.b", tensor(3)), ("c", tensor(4)), beside[1].clone()];
    assert_eq!(found(&saved(&dictionary(&with_more))), expected);
    let two = [("model_ema", averaged()), ("model", state())];
    assert_eq!(found(&saved(&dictionary(&two))), expected);
    // Nothing says which is meant.
    let two = [("teacher", averaged()), ("student", state())];
    let error = refused(&saved(&dictionary(&two)));
    assert!(error.contains("several state dicts (`teacher`, `student`)"), "{error}");
    // A whole model is an object, whose class would have to be run.
    let module = || object("clip.model.CLIP", &[("training", b"\x89".to_vec())]);
    for whole in [module(), dictionary(&[("epoch", b"K\x03".to_vec()), ("model", module())])] {
        let error = refused(&saved(&whole));
        assert!(error.contains("class `clip.model.CLIP`"), "{error}");
    }
}

#[test]
fn parts_are_one_model() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let whole = tensors(&golden("weights.safetensors"));
    let part = |name: &str, range: std::ops::Range<usize>| {
        let mut json = serde_json::Map::new();
        let mut data = Vec::new();
        for (name, (dtype, shape, bytes)) in whole.iter().skip(range.start).take(range.len()) {
            let offsets = [data.len(), data.len() + bytes.len()];
            data.extend_from_slice(bytes);
            let entry =
                serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": offsets });
            json.insert(name.clone(), entry);
        }
        let json = serde_json::to_vec(&json).expect("JSON");
        let bytes = [&(json.len() as u64).to_le_bytes()[..], &json, &data].concat();
        fs::write(dir.path().join(name), bytes).expect("write");
    };
    let (first, second) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    part(first, 0..3);
    part(second, 3..8);
    let places =
        whole.keys().enumerate().map(|(at, name)| (name, if at < 3 { first } else { second }));
    let places: BTreeMap<&String, &str> = places.collect();
    let index = dir.path().join("model.safetensors.index.json");
    let write = |places: &BTreeMap<&String, &str>| {
        let json = serde_json::json!({ "metadata": { "total_size": 1 }, "weight_map": places });
        fs::write(&index, serde_json::to_vec_pretty(&json).expect("JSON")).expect("write");
    };
    write(&places);
    for path in [&index, dir.path()] {
        let header = Header::read(path).expect("a header");
        let read = header.tensors.into_iter().map(|(name, info)| {
            let bytes = fs::read(&header.files[info.file]).expect("a part");
            let data = bytes[info.data.start as usize..info.data.end as usize].to_vec();
            (name, (info.dtype, info.shape, data))
        });
        assert_eq!(read.collect::<BTreeMap<_, _>>(), whole);
    }
    // A part that has not what the index says, two that have the same, one that is missing.
    let wrong = || Header::read(&index).expect_err("refused").to_string();
    let name = whole.keys().next().expect("a tensor");
    write(&places.keys().map(|tensor| (*tensor, second)).chain([(name, second)]).collect());
    assert!(wrong().contains(&format!("the tensor `{name}` is not in")), "{}", wrong());
    write(&places);
    part(second, 2..8);
    assert!(wrong().contains("in an earlier part"), "{}", wrong());
    fs::remove_file(dir.path().join(second)).expect("removed");
    assert!(wrong().contains("cannot be read"), "{}", wrong());
}
