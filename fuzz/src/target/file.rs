//! Files of bytes: weights, data sets, pictures.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use neuronotes::picture;
use neuronotes_core::dataset;
use neuronotes_core::dataset::{Labels, format};
use neuronotes_core::model::{Architecture, Conventions, Header};
use neuronotes_core::sniff;

/// A file that each input is written to, in memory if the system allows it.
struct Scratch {
    file: File,
    path: PathBuf,
}

/// Writes the input to a file and reads that.
pub(super) fn with_file(parts: &[&[u8]], read: impl FnOnce(&std::path::Path)) {
    static SCRATCH: OnceLock<Mutex<Scratch>> = OnceLock::new();
    let scratch = SCRATCH.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(folder).expect("a temporary folder").keep();
        let path = folder.join("input");
        Mutex::new(Scratch { file: File::create(&path).expect("a temporary file"), path })
    });
    let mut scratch = scratch.lock().unwrap_or_else(PoisonError::into_inner);
    let Scratch { file, path } = &mut *scratch;
    let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
    written.expect("an empty file");
    for part in parts {
        file.write_all(part).expect("written");
    }
    read(path);
}

/// The invariants of a header of weights.
fn header(path: &std::path::Path) {
    let size = std::fs::metadata(path).expect("a file").len();
    let header = match Header::read(path) {
        Ok(header) => header,
        Err(error) => {
            let said = error.to_string();
            assert!(said.len() < 4096, "{} bytes of a message", said.len());
            return;
        }
    };
    for (name, tensor) in &header.tensors {
        assert!(
            tensor.data.start <= tensor.data.end && tensor.data.end <= size,
            "{name:?} {tensor:?} beyond {size}"
        );
        assert!(tensor.file < header.files.len());
    }
    match Architecture::of_header(&header, &Conventions::default()) {
        Ok(architecture) => drop(architecture.layers()),
        Err(error) => assert!(
            error.to_string().len() < 8192,
            "{} bytes of a message",
            error.to_string().len()
        ),
    }
}

pub const PICKLE_WORDS: &[&str] = &[
    "\u{2}",
    "}",
    "(",
    "X\u{4}\0\0\0",
    "ccollections\nOrderedDict\n",
    "ctorch._utils\n_rebuild_tensor_v2\n",
    "ctorch\nFloatStorage\n",
    "cposix\nsystem\n",
    ")",
    "R",
    "tQ",
    "K\u{1}",
    "M\0\u{1}",
    "J\u{ff}",
    "q\u{1}",
    "h\u{1}",
    "r",
    "j",
    "t",
    "u",
    "s",
    "e",
    "a",
    "]",
    "0",
    "1",
    "2",
    "b",
    "o",
    "i",
    "\u{81}",
    "\u{85}",
    "\u{86}",
    "\u{87}",
    "\u{8a}",
    "\u{8c}",
    "\u{8d}",
    "\u{93}",
    "\u{94}",
    "\u{95}",
    ".",
    "cpu",
    "storage",
    "0",
    "PK\u{1}\u{2}",
    "PK\u{3}\u{4}",
    "PK\u{5}\u{6}",
    "PK\u{6}\u{6}",
    "data.pkl",
];

/// The CRC-32 of zip archives.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// An archive as PyTorch writes it, with these entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let number = |number: usize| u32::try_from(number).expect("a small archive").to_le_bytes();
    for (name, bytes) in entries {
        let offset = number(out.len());
        // Version, flags, method, time and date; then what both headers have.
        let mut shared = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        shared.extend(crc32(bytes).to_le_bytes());
        shared.extend([number(bytes.len()), number(bytes.len())].concat());
        shared.extend([name.len() as u8, 0, 0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&shared);
        out.extend(name.as_bytes());
        out.extend(*bytes);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&shared);
        directory.extend([0; 10]);
        directory.extend(offset);
        directory.extend(name.as_bytes());
    }
    let (start, count) = (number(out.len()), entries.len() as u8);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, 0, count, 0]);
    out.extend(number(directory.len()));
    out.extend(start);
    out.extend([0, 0]);
    out
}

pub fn pickle(input: &[u8]) {
    if input.starts_with(b"PK") {
        return with_file(&[input], header);
    }
    let zeros = [0; 256];
    let whole = archive(&[("m/data.pkl", input), ("m/byteorder", b"little"), ("m/data/0", &zeros)]);
    with_file(&[&whole], header);
}

pub const SAFETENSORS_WORDS: &[&str] = &[
    "{\"",
    "\":{\"dtype\":\"",
    "F32",
    "F16",
    "BF16",
    "F8_E4M3",
    "I64",
    "\",\"shape\":[",
    "],\"data_offsets\":[",
    "]}",
    "__metadata__",
    "18446744073709551615",
    "4294967296",
    "0,",
    "-1",
    "1e3",
    "1.5",
    "visual.conv1.weight",
    "visual.layer4.2.conv3.weight",
    "visual.proj",
    "text_projection",
    "positional_embedding",
    "token_embedding.weight",
    "logit_scale",
    "transformer.resblocks.0.ln_1.weight",
    "vision_model.encoder.layers.0.",
    "null",
    "[[[[",
    "\\u0000",
    "weight_map",
    "model-00001-of-00002.safetensors",
    "../",
    "/etc/passwd",
];

pub fn safetensors(input: &[u8]) {
    if input.starts_with(&[0]) {
        // A header of the right length, so that its JSON is tested.
        let json = &input[1..];
        let zeros = [0; 64];
        return with_file(&[&(json.len() as u64).to_le_bytes(), json, &zeros], header);
    }
    with_file(&[input], header);
}

pub const TAR_WORDS: &[&str] = &[
    "a.png",
    "a.json",
    "a.txt",
    "a.cls",
    "./",
    "../",
    "ustar\0",
    "ustar  \0",
    "0000644\0",
    "00000000100\0",
    "77777777777\0",
    "0",
    "1",
    "2",
    "5",
    "x",
    "g",
    "L",
    "K",
    "S",
    "30 path=a.png\n",
    "27 size=99999999999\n",
    "GNU.sparse.",
    "{\"caption\": \"",
    "\", \"label\": 7}",
    "\u{0}\u{0}\u{0}\u{0}",
    "\u{1f}\u{8b}",
    "末",
    "\u{fffe}",
];

pub fn tar(input: &[u8]) {
    with_file(&[input], |path| {
        let size = std::fs::metadata(path).expect("a file").len();
        let listing = match dataset::list(path, &format::tar::FORMAT, &Labels::Files.into()) {
            Ok(listing) => listing,
            Err(error) => {
                assert!(
                    error.to_string().len() < 4096,
                    "{} bytes of a message",
                    error.to_string().len()
                );
                return;
            }
        };
        // No picture is larger than the archive, unless that was compressed.
        let is_packed =
            input.starts_with(&[0x1f, 0x8b]) || input.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        for row in 0..listing.samples.len().min(16) {
            let start = listing.start(row).expect("the beginning of a picture that was found");
            let whole = listing.picture(row).expect("a picture that was found");
            assert!(whole.starts_with(&start));
            assert!(is_packed || whole.len() as u64 <= size, "{} bytes out of {size}", whole.len());
        }
        assert!(listing.start(listing.samples.len()).is_err());
        for sentence in listing.ledger.left_out() {
            assert!(!sentence.is_empty());
        }
    });
}

pub const PICTURE_WORDS: &[&str] = &[
    "\u{89}PNG\r\n\u{1a}\n",
    "IHDR",
    "IDAT",
    "IEND",
    "PLTE",
    "eXIf",
    "acTL",
    "iCCP",
    "GIF89a",
    "RIFF",
    "WEBPVP8 ",
    "VP8L",
    "VP8X",
    "ANIM",
    "BM",
    "II*\0",
    "MM\0*",
    "Exif\0\0",
    "JFIF\0",
    "P6\n",
    "P4 ",
    "65535 65535\n",
    "255\n",
    "# c\n",
    "\u{0}\u{0}\u{0}\u{d}",
    "<svg",
    "<html>",
    "version https://git-lfs.github.com/",
    "ftypavif",
    "\u{0}\u{0}\u{0}\u{c}jP  ",
];

pub fn picture(input: &[u8]) {
    let start = &input[..input.len().min(sniff::ENOUGH)];
    for found in [sniff::other(start), sniff::stand_in(start)].into_iter().flatten() {
        assert!(found.what.starts_with("a ") || found.what.starts_with("an "), "{found:?}");
    }
    let _ = (sniff::is_picture(start), sniff::is_late_picture(start));
    with_file(&[input], |path| {
        assert_eq!(sniff::start_of(path), start);
        if let Some((width, height)) = picture::size(path) {
            assert!(width > 0 && height > 0, "a picture of {width} × {height}");
            let small = u64::from(width) * u64::from(height) <= 1 << 16;
            if small && let Ok(copies) = picture::copies(input, &[16]) {
                assert!(copies.len() <= 1 && copies.iter().all(|copy| copy.width == 16));
            }
        }
    });
}
