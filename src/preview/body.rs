//! The bytes of an answer: a file, a stored picture or bytes at hand in; the whole of it or the part that a browser wants
//! out, with its media type.
//!
//! Files are read a piece at a time on other threads, so that a film of gigabytes costs no memory and keeps no page waiting.

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

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// What an answer is made of.
#[derive(Debug)]
pub enum Content {
    /// These bytes.
    Bytes(Bytes),
    /// An open file.
    File(Opened),
}

/// A file whose length is known.
#[derive(Debug)]
pub struct Opened {
    file: File,
    length: u64,
    tag: String,
}

impl Opened {
    /// Opens a file; nothing else, such as a folder or a pipe, is one.
    ///
    /// # Errors
    /// Where it is not there, cannot be read, or is no file.
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

/// What was found of a file.
#[derive(Debug)]
pub enum Found {
    /// It is there.
    Content(Content),
    /// It is not there.
    Not,
    /// Nobody can say: no handle was left, or the like.
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

/// An answer with these bytes, of the media type that a name of that ending has.
pub fn answer(method: &Method, headers: &HeaderMap, name: &str, content: Content) -> Response {
    let (length, tag) = match &content {
        Content::Bytes(bytes) => (bytes.len() as u64, None),
        Content::File(opened) => (opened.length, Some(opened.tag.clone())),
    };
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // A film whose file was replaced while it played goes on with none of the new one's bytes.
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
    // Nothing is kept by browsers (`no-store`): drafts would stay on the disk of a shared machine, and asking whether a page
    // is still right costs as much as sending it. So no tag is ever compared but between the parts of one file.
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

/// Reads a part of a file, no faster than the browser takes it. Each piece is read on a thread that waits for nobody, so that
/// however many browsers are slow, others are answered.
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
            // Whoever asked may be gone.
            if sender.send(piece).await.is_err() || read == 0 {
                return;
            }
        }
    });
    pieces
}

/// The next bytes of a file, at least one.
fn piece(file: &mut File, at: u64, left: u64) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(at))?;
    let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
    let read = loop {
        match file.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    // It was cut short meanwhile: the connection breaks off, so that nobody takes this for the whole.
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    piece.truncate(read);
    Ok(Bytes::from(piece))
}

/// Which bytes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    /// Both are included.
    Part {
        first: u64,
        last: u64,
    },
    /// None that are there.
    Nothing,
}

/// Reads a header `Range`. What is no range, and several of them, stand for the whole, as the standard allows.
fn wanted(range: &str, length: u64) -> Wanted {
    let Some((unit, spec)) = range.split_once('=') else { return Wanted::All };
    let Some((from, to)) = spec.trim().split_once('-') else { return Wanted::All };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !unit.trim().eq_ignore_ascii_case("bytes") || !digits(from) || !digits(to) {
        return Wanted::All;
    }
    // More than can be counted is more than there is.
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

/// The media type of a file by its name; that of text says how it is written.
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
