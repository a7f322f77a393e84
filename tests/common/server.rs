//! A small server over HTTP for one file, which behaves as badly as it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is done about one request.
pub enum Reply {
    /// What was asked for.
    Right,
    /// What was asked for, but the connection ends after so many bytes.
    Cut(usize),
    /// What was asked for, but after so many bytes nothing comes any more.
    Hang(usize),
    /// What was asked for, a piece of so many bytes every few milliseconds.
    Slow(usize),
    /// The whole file, whatever was asked for.
    Whole,
    /// These bytes are the answer, head and all.
    Raw(Vec<u8>),
    /// No file.
    Status(u16),
}

/// A request and what it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The first line.
    pub line: String,
    /// The offset of `Range: bytes=N-`.
    pub from: Option<usize>,
    /// Bytes of the file that were sent.
    pub sent: usize,
}

pub struct Server {
    pub address: String,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Serves `content`; `act` says what is done about the n-th request, from 0.
    pub fn of(content: Vec<u8>, act: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (kept, shared) = (Arc::clone(&log), Arc::new((content, act)));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, shared) = (Arc::clone(&kept), Arc::clone(&shared));
                thread::spawn(move || answer(stream, &shared.0, &shared.1, &log));
            }
        });
        Self { address, log }
    }

    pub fn url(&self) -> String {
        format!("http://{}/w.pt", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.log.lock().expect("the log").clone()
    }

    /// The offsets that were asked for, one a request.
    pub fn offsets(&self) -> Vec<Option<usize>> {
        self.asked().into_iter().map(|asked| asked.from).collect()
    }

    /// All bytes of the file that were sent.
    pub fn sent(&self) -> usize {
        self.asked().iter().map(|asked| asked.sent).sum()
    }
}

fn answer(
    mut stream: TcpStream,
    content: &[u8],
    act: &impl Fn(usize) -> Reply,
    log: &Mutex<Vec<Asked>>,
) {
    let mut head = Vec::new();
    let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let from = head.iter().find_map(|line| {
        let range = line.to_lowercase().strip_prefix("range: bytes=")?.to_owned();
        range.strip_suffix('-')?.parse::<usize>().ok()
    });
    let line = head.first().cloned().unwrap_or_default();
    let at = {
        let mut log = log.lock().expect("the log");
        log.push(Asked { line, from, sent: 0 });
        log.len() - 1
    };
    let start = from.unwrap_or(0);
    let count = |n: usize| log.lock().expect("the log")[at].sent += n;
    // Whoever asked may be gone; what was sent is counted before, so that a test sees it.
    let mut say = |bytes: &[u8]| stream.write_all(bytes).and_then(|()| stream.flush()).is_ok();
    let total = content.len();
    let head = |start: usize| match start {
        0 => format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\nConnection: close\r\n\r\n"),
        _ if start >= total => format!(
            "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        _ => format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{total}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            total - 1,
            total - start
        ),
    };
    let rest = content.get(start..).unwrap_or_default();
    let mut give = |start: usize, bytes: &[u8]| {
        count(bytes.len());
        say(head(start).as_bytes()) && say(bytes)
    };
    match act(at) {
        Reply::Right => drop(give(start, rest)),
        Reply::Whole => drop(give(0, content)),
        Reply::Cut(n) => drop(give(start, &rest[..n.min(rest.len())])),
        Reply::Hang(n) => {
            give(start, &rest[..n.min(rest.len())]);
            thread::sleep(Duration::from_secs(20));
        }
        Reply::Slow(n) => {
            say(head(start).as_bytes());
            for piece in rest.chunks(n) {
                count(piece.len());
                if !say(piece) {
                    return;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
        Reply::Raw(bytes) => drop(say(&bytes)),
        Reply::Status(status) => {
            let text = format!(
                "HTTP/1.1 {status} Other\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
            );
            say(text.as_bytes());
        }
    }
}
