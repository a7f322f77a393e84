//! Reads tar archives. Input: an archive. Output: where its files are.
//!
//! Nothing is unpacked: headers are read once, and files are read in place. A compressed archive is unpacked into a
//! temporary file that no other process sees. Archives joined by `cat` are read one after the other. Links are followed
//! only within the archive.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::dataset::file::{Ahead, read_at};
use crate::dataset::group;
use crate::dataset::ledger::{Ledger, What};
use crate::dataset::listing::Malformed;
use crate::sniff;

/// Bytes of a block of an archive.
const BLOCK: u64 = 512;
/// Most links that are followed one after the other.
const MOST_LINKS: usize = 8;

/// Why an entry with an absolute path, or one with too many `..`, is skipped.
pub const OUTSIDE: &str = "its path leads out of the archive";

/// Where a file is in an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// The offset of its first byte.
    pub offset: u64,
}

/// The files of one archive, up to the mark at its end.
pub type Part = Vec<group::File<Place>>;

/// Lists the archives in a file: usually one, several if they were joined.
///
/// # Errors
/// Fails if it cannot be read, is damaged or cut short, or is not an archive.
pub fn parts(file: &File, ledger: &mut Ledger) -> Result<Vec<Part>, Malformed> {
    let length = file.metadata().map_err(Malformed::Io)?.len();
    let mut parts: Vec<Part> = Vec::new();
    let mut files = 0;
    let mut base = 0;
    loop {
        let part = part(file, base, length, files, ledger)?;
        files += part.files.len();
        parts.push(part.files);
        let Some(next) = beyond_zeros(file, part.end, length).map_err(Malformed::Io)? else {
            return Ok(parts);
        };
        if !is_header(file, next).map_err(Malformed::Io)? {
            let bytes = length - next;
            let why = "what follows the end of the archive is not an archive";
            ledger.lose(What::Part, why, format!("{bytes} bytes"));
            return Ok(parts);
        }
        base = next;
    }
}

/// The files of one archive, and where it ends.
struct Found {
    files: Part,
    end: u64,
}

fn part(
    file: &File,
    base: u64,
    length: u64,
    before: usize,
    ledger: &mut Ledger,
) -> Result<Found, Malformed> {
    let mut archive = tar::Archive::new(Window { file: Ahead::of(file), base, at: 0 });
    let mut files: Part = Vec::new();
    let mut links: Vec<(usize, String)> = Vec::new();
    let mut end = base;
    for entry in archive.entries_with_seek().map_err(Malformed::Io)? {
        let seen = before + files.len();
        let damaged = |error: io::Error| {
            let after = count(seen);
            // As the reader says it of a header of which only a part is there.
            let is_cut = error.kind() == io::ErrorKind::UnexpectedEof
                || error.to_string().contains("read entire block");
            Malformed::Form(match is_cut {
                true => format!("cut short after {after}"),
                false => format!("damaged after {after}: {error}"),
            })
        };
        let entry = entry.map_err(|error| match start(file) {
            // If the first block is not a header, the file may be of another known type.
            start if seen == 0 && sniff::other(&start).is_some() => instead(&start),
            _ => damaged(error),
        })?;
        let kind = entry.header().entry_type();
        let path = entry.path().map_err(damaged)?;
        let name = crate::file::name(&path);
        let is_text = crate::file::is_text(&path);
        let (offset, bytes) = (base + entry.raw_file_position(), entry.size());
        if kind.is_dir() || kind.is_pax_global_extensions() {
            end = offset;
            continue;
        }
        ledger.entries += 1;
        let regular = kind.is_file() || kind.is_contiguous();
        if regular && offset.saturating_add(bytes) > length {
            return Err(Malformed::Form(format!("cut short after {}", count(seen))));
        }
        end = offset + if regular { bytes.next_multiple_of(BLOCK) } else { 0 };
        // Nothing is unpacked, so that it could do no harm; but it is no archive of pictures that names such files.
        if name.starts_with('/') || normal(&name).is_none() {
            ledger.lose(group::meant(&name), OUTSIDE, name);
            continue;
        }
        let is_new = !kind.is_file() || !is_text;
        match entry.link_name().map_err(damaged)? {
            _ if regular => {}
            Some(target) if kind.is_hard_link() || kind.is_symlink() => {
                let target = crate::file::name(&target);
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = match kind.is_symlink() && !target.starts_with('/') {
                    true => normal(&format!("{folder}/{target}")),
                    false => normal(&target),
                };
                links.push((files.len(), target.unwrap_or_default()));
            }
            _ => {
                let why = match kind.is_gnu_sparse() {
                    true => "a sparse file is not supported",
                    false => "it is a device, a pipe or the like, not a file",
                };
                let what = group::meant(&name);
                ledger.lose(what, why, name);
                continue;
            }
        }
        files.push(group::File { name, place: Place { offset }, bytes, is_new });
    }
    follow(&mut files, &links, ledger);
    Ok(Found { files, end })
}

/// Gives links the places of their targets, and skips links without a target.
fn follow(files: &mut Part, links: &[(usize, String)], ledger: &mut Ledger) {
    if links.is_empty() {
        return;
    }
    let by_name: HashMap<String, usize> =
        files.iter().enumerate().filter_map(|(at, file)| Some((normal(&file.name)?, at))).collect();
    let targets: HashMap<usize, Option<usize>> =
        links.iter().map(|(at, target)| (*at, by_name.get(target).copied())).collect();
    let mut dropped = Vec::new();
    for (link, _) in links {
        let mut at = Some(*link);
        for _ in 0..MOST_LINKS {
            match at.and_then(|at| targets.get(&at)) {
                Some(next) => at = *next,
                None => break,
            }
        }
        match at.filter(|at| !targets.contains_key(at)) {
            Some(target) => {
                (files[*link].place, files[*link].bytes) =
                    (files[target].place, files[target].bytes);
            }
            None => dropped.push(*link),
        }
    }
    for at in dropped.into_iter().rev() {
        let file = files.remove(at);
        let why = "a link that leads to no file of the archive is not followed";
        ledger.lose(group::meant(&file.name), why, file.name);
    }
}

/// A path without `.` and `..`; `None` if it leads out of the archive.
fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn count(files: usize) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}

fn start(file: &File) -> Vec<u8> {
    let mut start = vec![0; sniff::ENOUGH];
    let mut read = 0;
    while let Ok(more) = read_at(file, &mut start[read..], read as u64) {
        read += more;
        if more == 0 || read == start.len() {
            break;
        }
    }
    start.truncate(read);
    start
}

/// Says that a file is not an archive.
pub fn instead(start: &[u8]) -> Malformed {
    match sniff::other(start) {
        Some(found) => Malformed::Instead(found),
        None => Malformed::Form("it has no valid header".into()),
    }
}

/// The offset of the next block that is not all zeros, from a block on; `None` if there is none.
fn beyond_zeros(file: &File, from: u64, length: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; 1 << 16];
    let mut at = from;
    while at < length {
        let read = read_at(file, &mut buffer, at)?;
        if read == 0 {
            break;
        }
        if let Some(found) = buffer[..read].iter().position(|byte| *byte != 0) {
            return Ok(Some(from + (at + found as u64 - from) / BLOCK * BLOCK));
        }
        at += read as u64;
    }
    Ok(None)
}

/// Whether a block is a header with the right checksum.
fn is_header(file: &File, at: u64) -> io::Result<bool> {
    let mut block = [0; BLOCK as usize];
    let mut read = 0;
    while read < block.len() {
        match read_at(file, &mut block[read..], at + read as u64)? {
            0 => return Ok(false),
            more => read += more,
        }
    }
    let header = tar::Header::from_byte_slice(&block);
    // The checksum counts itself as blanks.
    let sum: u32 = block[..148].iter().chain(&block[156..]).map(|byte| u32::from(*byte)).sum();
    Ok(header.cksum().is_ok_and(|said| said == sum + 8 * u32::from(b' ')))
}

/// A file from an offset on.
struct Window<'f> {
    file: Ahead<'f>,
    base: u64,
    at: u64,
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.base + self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(_) => None,
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// Most bytes that an archive may unpack to.
const LARGEST: u64 = 64 << 30;

/// Opens an archive; one that is compressed is unpacked into a temporary file. Returns whether it is the archive itself.
///
/// # Errors
/// Fails if it cannot be read, is compressed in a way that is not read, damaged, or too large.
pub fn open(path: &Path) -> Result<(File, bool), Malformed> {
    let file = crate::file::open(path).map_err(Malformed::Io)?;
    let start = start(&file);
    let unpacked = match start.as_slice() {
        [0x1f, 0x8b, ..] => {
            unpack(&mut flate2::read::MultiGzDecoder::new(io::BufReader::new(file)))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = ruzstd::decoding::StreamingDecoder::new(io::BufReader::new(file))
                .map_err(|error| Malformed::Form(format!("damaged: {error}")))?;
            unpack(&mut decoder)
        }
        _ if sniff::other(&start).is_some() => Err(instead(&start)),
        _ => return Ok((file, true)),
    };
    unpacked.map(|file| (file, false))
}

fn unpack(decoder: &mut dyn Read) -> Result<File, Malformed> {
    let damaged = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull => Malformed::Io(error),
        _ => Malformed::Form(format!("its compression is damaged: {error}")),
    };
    let mut out = tempfile::tempfile().map_err(Malformed::Io)?;
    let mut begun = Vec::new();
    (&mut *decoder).take(sniff::ENOUGH as u64).read_to_end(&mut begun).map_err(damaged)?;
    if sniff::other(&begun).is_some() {
        return Err(instead(&begun));
    }
    let rest = (&mut *decoder).take(LARGEST);
    let written = io::copy(&mut begun.as_slice().chain(rest), &mut out).map_err(damaged)?;
    if written >= LARGEST {
        return Err(Malformed::Form(format!("it unpacks to more than {} GiB", LARGEST >> 30)));
    }
    Ok(out)
}
