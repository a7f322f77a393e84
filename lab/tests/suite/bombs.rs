//! Small files that claim or unfold to much: each is refused, or read, in little memory and no time.
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use neuronotes_lab::picture::Picture;

/// Names the file that the process is to read.
const FILE: &str = "NEURONOTES_TEST_PICTURE";
/// Begins the line that it answers with.
const ANSWER: &str = "answer: ";

fn png(width: u32, height: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let first: (&[u8; 4], &[u8]) = (b"IHDR", &header);
    for (name, data) in [first].iter().chain(chunks).chain(&[(b"IEND", [].as_slice())]) {
        file.extend((data.len() as u32).to_be_bytes());
        let body = [name.as_slice(), data].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&body);
        file.extend(body);
        file.extend(sum.sum().to_be_bytes());
    }
    file
}

/// Zeros, deflated: about a thousandth of their number.
fn zeros(megabytes: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..megabytes {
        encoder.write_all(&[0; 1 << 20]).expect("written");
    }
    encoder.finish().expect("finished")
}

/// A little-endian grey TIFF of one byte a pixel, `data` at 8.
fn tiff(width: u32, height: u32, compression: u32, strips: u32, data: &[u8]) -> Vec<u8> {
    let rows = if strips == 1 { height } else { 1 };
    let tags = [
        (256u16, 1, width),
        (257, 1, height),
        (258, 1, 8),
        (259, 1, compression),
        (262, 1, 1),
        (273, strips, 8),
        (277, 1, 1),
        (278, 1, rows),
        (279, strips, data.len() as u32),
    ];
    let mut file = b"II*\0".to_vec();
    file.extend((8 + data.len() as u32).to_le_bytes());
    file.extend(data);
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, count, value) in tags {
        file.extend(tag.to_le_bytes());
        file.extend(4u16.to_le_bytes());
        file.extend(u32::to_le_bytes(count));
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file
}

fn gif(side: u16) -> Vec<u8> {
    let side = side.to_le_bytes();
    let canvas = [side, side].concat();
    let frame = [b",\0\0\0\0".as_slice(), &canvas, b"\0\x02\x02\x44\x01\0;"].concat();
    [b"GIF89a".as_slice(), &canvas, b"\x80\0\0\0\0\0\xff\xff\xff", &frame].concat()
}

/// `lossless`: a picture of 16383 x 16383; else an animation's of 2^24 x 256.
fn webp(lossless: bool) -> Vec<u8> {
    let chunk = match lossless {
        true => b"VP8L\x06\0\0\0\x2f\xfe\xbf\xff\x0f\0".to_vec(),
        false => b"VP8X\x0a\0\0\0\x02\0\0\0\xff\xff\xff\xff\0\0".to_vec(),
    };
    let length = (4 + chunk.len() as u32).to_le_bytes();
    [b"RIFF".as_slice(), &length, b"WEBP", &chunk].concat()
}

fn bmp(side: i32) -> Vec<u8> {
    let mut file = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    file.extend([side.to_le_bytes(), side.to_le_bytes()].concat());
    file.extend(b"\x01\0\x18\0");
    file.extend([0; 24]);
    file
}

/// A grey JPEG that ends where its data would begin, after `scans` of them.
fn jpeg(side: u16, scans: usize) -> Vec<u8> {
    let side = side.to_be_bytes();
    let mut file = b"\xff\xd8\xff\xdb\0\x43\0".to_vec();
    file.extend([1; 64]);
    file.extend(b"\xff\xc4\0\x14\0\x01");
    file.extend([0; 16]);
    file.extend([b"\xff\xc2\0\x0b\x08".as_slice(), &side, &side, b"\x01\x01\x11\0"].concat());
    for _ in 0..scans {
        file.extend(b"\xff\xda\0\x08\x01\x01\0\0\0\0");
    }
    file
}

/// Does nothing in a run of all tests: the other test starts it, in a process whose memory is its own.
#[test]
fn one_picture_in_a_process_of_its_own() {
    let Some(path) = env::var_os(FILE) else { return };
    let file = fs::read(path).expect("a file");
    // Pages that the process has had before tell nothing about the picture.
    fs::write("/proc/self/clear_refs", "5").expect("a peak that is set back");
    let before = peak();
    let begun = Instant::now();
    let said = match Picture::decode(&file) {
        Ok(picture) => format!("read {:?}", picture.dimensions()),
        Err(why) => why,
    };
    let (took, peak) = (begun.elapsed().as_millis(), peak() - before);
    println!("\n{ANSWER}{took} {peak} {said}");
}

/// The most memory that the process has held, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

fn alone(path: &Path) -> (Duration, u64, String) {
    let output = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "bombs::one_picture_in_a_process_of_its_own", "--nocapture"])
        .env(FILE, path)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {text}", path.display());
    let answer = text.lines().find_map(|line| line.strip_prefix(ANSWER)).expect("an answer");
    let mut parts = answer.splitn(3, ' ');
    let mut number = || parts.next().and_then(|part| part.parse().ok()).expect("a number");
    let (took, peak) = (Duration::from_millis(number()), number());
    (took, peak, parts.next().unwrap_or_default().to_owned())
}

#[test]
fn small_files_that_claim_much_take_little() {
    let big = zeros(256);
    let few = zeros(1);
    let rows = {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&[0; 25 * 8]).expect("written");
        encoder.finish().expect("finished")
    };
    let text = [b"a\0\0".as_slice(), &big].concat();
    let international = [b"a\0\x01\0\0\0".as_slice(), &big].concat();
    let cases: [(&str, Vec<u8>, &str); 19] = [
        ("header.png", png(60_000, 60_000, &[(b"IDAT", &few)]), "more than 512 MiB"),
        ("short.png", png(13_000, 13_000, &[(b"IDAT", &rows)]), "damaged"),
        ("idat.png", png(8, 8, &[(b"IDAT", &big)]), "read (8, 8)"),
        ("ztxt.png", png(8, 8, &[(b"zTXt", &text), (b"IDAT", &rows)]), "read (8, 8)"),
        ("itxt.png", png(8, 8, &[(b"iTXt", &international), (b"IDAT", &rows)]), "read (8, 8)"),
        ("iccp.png", png(8, 8, &[(b"iCCP", &text), (b"IDAT", &rows)]), "read (8, 8)"),
        ("canvas.gif", gif(u16::MAX), "more than 512 MiB"),
        ("short.gif", gif(12_000), "damaged"),
        ("header.tif", tiff(60_000, 60_000, 1, 1, b"abcd"), "more than 512 MiB"),
        ("strips.tif", tiff(1, 20_000_000, 1, 20_000_000, b"abcd"), "damaged"),
        ("count.tif", tiff(8, 8, 1, u32::MAX, b"abcd"), "damaged"),
        ("short.tif", tiff(8000, 8000, 8, 1, &rows), "damaged"),
        ("deflate.tif", tiff(8, 8, 8, 1, &big), "read (8, 8)"),
        ("canvas.webp", webp(false), "damaged"),
        ("lossless.webp", webp(true), "more than 512 MiB"),
        ("header.bmp", bmp(60_000), "more than 512 MiB"),
        ("header.jpg", jpeg(65_000, 1), "more than 512 MiB"),
        ("scans.jpg", jpeg(9000, 2000), "2000 scans"),
        ("text.png", b"this is no picture".to_vec(), "it is not a PNG"),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    for (name, file, expected) in cases {
        assert!(file.len() < 1 << 20, "{name} is no small file");
        let path = dir.path().join(name);
        fs::write(&path, file).expect("written");
        let (took, peak, said) = alone(&path);
        assert!(said.contains(expected), "{name}: {said}");
        assert!(took < Duration::from_secs(1), "{name}: {took:?}");
        assert!(peak < 32 << 10, "{name}: {peak} KiB");
    }
}
