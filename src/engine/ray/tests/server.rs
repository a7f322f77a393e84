//! A small server that records what it is asked and answers as a test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// A call as the server saw it.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET /api/version`.
    pub line: String,
    pub authorization: Option<String>,
    pub body: Value,
}

/// What the server answers: a status and a body; `None` to close the connection without an answer.
pub type Answer = Option<(u16, String)>;

pub struct Server {
    pub address: String,
    pub calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    /// A server that answers each call by itself.
    pub fn new(answer: impl Fn(&Call, usize) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let seen = Arc::clone(&calls);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some((call, mut stream)) = heard(stream) else { continue };
                let mut seen = seen.lock().expect("calls");
                let earlier = seen.iter().filter(|other| other.line == call.line).count();
                seen.push(call.clone());
                drop(seen);
                if let Some((status, body)) = answer(&call, earlier) {
                    let length = body.len();
                    let _ = write!(
                        stream,
                        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                    );
                }
            }
        });
        Self { address, calls }
    }

    pub fn calls(&self, line: &str) -> Vec<Call> {
        let calls = self.calls.lock().expect("calls");
        calls.iter().filter(|call| call.line == line).cloned().collect()
    }
}

fn heard(stream: TcpStream) -> Option<(Call, TcpStream)> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let line = first.rsplit_once(" HTTP/").map_or(first.clone(), |(line, _)| line.to_owned());
    Some((Call { line, authorization, body }, stream))
}
