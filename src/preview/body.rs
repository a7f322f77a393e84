//! Response bodies: a file, a stored picture or bytes in memory, whole or as the range that a browser requests, with
//! the media type.
//!
//! Files are read in pieces on other threads, so that a video of gigabytes needs no memory and blocks no page.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_stream::wrappers::ReceiverStream;

use crate::handles;

/// Size of a piece in bytes.
const PIECE: usize = 64 << 10;

/// The content of a response.
#[derive(Debug)]
pub enum Content {
    /// These bytes.
    Bytes(Bytes),
    /// An open file.
    File(Opened),
}

/// A file with known length.
#[derive(Debug)]
pub struct Opened {
    file: File,
    length: u64,
    tag: String,
}

impl Opened {
    /// Opens a regular file.
    ///
    /// # Errors
    /// If it does not exist, cannot be read, or is not a regular file.
    pub fn new(path: &Path) -> io::Result<Self> {
        let file = neuronotes_core::file::open(path)?;
        let meta = file.metadata()?;
        let age = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let tag = format!("\"{:x}-{:x}\"", meta.len(), age.unwrap_or_default().as_nanos());
        Ok(Self { file, length: meta.len(), tag })
    }

    /// Tells this state of the file from another.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

/// The outcome of opening a file.
#[derive(Debug)]
pub enum Found {
    /// It was opened.
    Content(Content),
    /// It does not exist.
    Not,
    /// Unknown: for example, no file handle was free.
    Later,
}

impl Found {
    /// Classifies what opening a file returned.
    pub fn by(opened: io::Result<Opened>) -> Self {
        match opened {
            Ok(opened) => Self::Content(Content::File(opened)),
            Err(error) if handles::is_passing(&error) => Self::Later,
            Err(_) => Self::Not,
        }
    }
}

/// Opens a file on another thread.
pub async fn found(file: PathBuf) -> Found {
    spawn_blocking(move || Found::by(Opened::new(&file))).await.unwrap_or(Found::Not)
}

/// A response with these bytes, with the media type of this file name extension.
pub fn answer(method: &Method, headers: &HeaderMap, name: &str, content: Content) -> Response {
    let (length, tag) = match &content {
        Content::Bytes(bytes) => (bytes.len() as u64, None),
        Content::File(opened) => (opened.length, Some(opened.tag.clone())),
    };
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // If a film's file is replaced while it plays, it must not continue with bytes of the new one.
    let same = text(header::IF_RANGE).is_none_or(|shown| Some(shown) == tag.as_deref());
    let range = text(header::RANGE).filter(|_| same && *method == Method::GET);
    let wanted = range.map_or(Wanted::All, |range| wanted(range, length));
    let (first, count) = match wanted {
        Wanted::All => (0, length),
        Wanted::Part { first, last } => (first, last - first + 1),
        Wanted::Nothing => {
            let mut refused = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(&mut refused, header::CONTENT_RANGE, &format!("bytes */{length}"));
            return refused;
        }
    };
    let mut response = match content {
        _ if *method == Method::HEAD => Body::empty(),
        Content::Bytes(bytes) => {
            let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
            Body::from(bytes.slice(at(first)..at(first + count)))
        }
        Content::File(opened) => {
            Body::from_stream(ReceiverStream::new(read(opened.file, first, count)))
        }
    }
    .into_response();
    if let Wanted::Part { first, last } = wanted {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
    }
    set(&mut response, header::CONTENT_TYPE, &media_type(name));
    set(&mut response, header::CONTENT_LENGTH, &count.to_string());
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    // Browsers keep nothing (`no-store`): drafts would stay on the disk of a shared machine, and asking whether a page
    // is current costs as much as sending it. So tags are only compared between the parts of one file.
    if let Some(tag) = tag {
        set(&mut response, header::ETAG, &tag);
    }
    response
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Streams a part of a file as fast as the browser receives it. Each piece is read on a pool thread, so that slow
/// browsers do not block others.
fn read(mut file: File, first: u64, count: u64) -> mpsc::Receiver<io::Result<Bytes>> {
    let (sender, pieces) = mpsc::channel(2);
    tokio::spawn(async move {
        let (mut at, end) = (first, first + count);
        while at < end {
            let reading = spawn_blocking(move || {
                let piece = piece(&mut file, at, end - at);
                (file, piece)
            });
            let Ok((back, piece)) = reading.await else { return };
            file = back;
            let read = piece.as_ref().map_or(0, |piece| piece.len() as u64);
            at += read;
            // The browser may be gone.
            if sender.send(piece).await.is_err() || read == 0 {
                return;
            }
        }
    });
    pieces
}

/// Reads the next bytes of a file, at least one.
fn piece(file: &mut File, at: u64, left: u64) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(at))?;
    let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
    let read = loop {
        match file.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    // The file was truncated meanwhile: the connection is closed, so that the client does not take this for all of it.
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    piece.truncate(read);
    Ok(Bytes::from(piece))
}

/// The requested range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    /// Inclusive bounds.
    Part {
        first: u64,
        last: u64,
    },
    /// A range outside the file.
    Nothing,
}

/// Parses a `Range` header. Invalid and multiple ranges count as the whole file, as the standard allows.
fn wanted(range: &str, length: u64) -> Wanted {
    let Some((unit, spec)) = range.split_once('=') else { return Wanted::All };
    let Some((from, to)) = spec.trim().split_once('-') else { return Wanted::All };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !unit.trim().eq_ignore_ascii_case("bytes") || !digits(from) || !digits(to) {
        return Wanted::All;
    }
    // A number that is too large to represent is beyond the end.
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    match (from, to) {
        ("", "") => Wanted::All,
        ("", count) if number(count) == 0 || length == 0 => Wanted::Nothing,
        ("", count) => {
            Wanted::Part { first: length.saturating_sub(number(count)), last: length - 1 }
        }
        (first, "") if number(first) < length => {
            Wanted::Part { first: number(first), last: length - 1 }
        }
        (_, "") => Wanted::Nothing,
        (first, last) if number(first) > number(last) => Wanted::All,
        (first, last) if number(first) < length => {
            Wanted::Part { first: number(first), last: number(last).min(length - 1) }
        }
        _ => Wanted::Nothing,
    }
}

/// The media type of a file name, with the charset for text.
pub fn media_type(name: &str) -> String {
    let guessed = mime_guess::from_path(name).first_or_octet_stream();
    let (kind, subtype) = (guessed.type_().as_str(), guessed.subtype().as_str());
    let is_text = kind == "text"
        || guessed.suffix().is_some_and(|suffix| matches!(suffix.as_str(), "xml" | "json"))
        || matches!(subtype, "json" | "javascript" | "xml" | "x-sh" | "toml" | "yaml");
    match is_text {
        true => format!("{}; charset=utf-8", guessed.essence_str()),
        false => guessed.essence_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_those_that_browsers_take() {
        for (name, wanted) in [
            ("garden-0a1b.js", "text/javascript; charset=utf-8"),
            ("search/meta.js", "text/javascript; charset=utf-8"),
            ("style-0a1b.css", "text/css; charset=utf-8"),
            ("a.html", "text/html; charset=utf-8"),
            ("feed.xml", "text/xml; charset=utf-8"),
            ("data.json", "application/json; charset=utf-8"),
            ("notes.txt", "text/plain; charset=utf-8"),
            ("table.csv", "text/csv; charset=utf-8"),
            ("drawing.svg", "image/svg+xml; charset=utf-8"),
            ("films/a.MP4", "video/mp4"),
            ("a.webm", "video/webm"),
            ("a.mp3", "audio/mpeg"),
            ("a.png", "image/png"),
            ("a.avif", "image/avif"),
            ("paper.pdf", "application/pdf"),
            ("font.woff2", "font/woff2"),
            ("weights.bin", "application/octet-stream"),
            ("nothing", "application/octet-stream"),
        ] {
            assert_eq!(media_type(name), wanted, "{name}");
        }
    }

    #[test]
    fn ranges_are_read_as_the_standard_has_them() {
        let part = |first, last| Wanted::Part { first, last };
        for (range, is) in [
            ("bytes=0-", part(0, 99)),
            ("bytes=0-0", part(0, 0)),
            ("bytes=10-19", part(10, 19)),
            ("bytes=90-200", part(90, 99)),
            ("bytes=-5", part(95, 99)),
            ("bytes=-500", part(0, 99)),
            ("Bytes= 3-4", part(3, 4)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=100-200", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=0-99999999999999999999999", part(0, 99)),
            ("bytes=5-4", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("items=0-1", Wanted::All),
            ("bytes", Wanted::All),
        ] {
            assert_eq!(wanted(range, 100), is, "{range}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(wanted("bytes=-1", 0), Wanted::Nothing);
    }
}
