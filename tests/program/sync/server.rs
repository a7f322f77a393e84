//! Object stores for tests: folders, and moto, a server in Python that speaks S3 over HTTP.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::common::repository;

/// A server that is as old as this test program, and ends with it: its standard input closes then.
pub struct Server {
    facts: Facts,
    child: Mutex<(Child, BufReader<std::process::ChildStdout>)>,
}

#[derive(Deserialize)]
struct Facts {
    endpoint: String,
    key: String,
    secret: String,
}

impl Server {
    /// The server; `None`, said aloud, where no Python with its packages is named.
    pub fn get(what: &str) -> Option<&'static Self> {
        let server = Self::known();
        if server.is_none() {
            eprintln!(
                "NOT TESTED: no S3 server for {what}: NEURONOTES_S3 names no Python with moto (`cargo xtask test` sets one up)"
            );
        }
        server
    }

    fn known() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        let python = std::env::var_os("NEURONOTES_S3").filter(|python| !python.is_empty())?;
        let mut child = Command::new(python)
            .arg(repository().join("tests/reference/s3.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("NEURONOTES_S3 is a Python");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("its address");
        let facts = serde_json::from_str(&line)
            .expect("NEURONOTES_S3 has the packages of tests/reference/s3.txt");
        Some(Self { facts, child: Mutex::new((child, lines)) })
    }

    /// Has the server do something, and waits for it.
    fn ask(&self, what: &str) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let (child, lines) = &mut *child;
        let input = child.stdin.as_mut().expect("a pipe");
        writeln!(input, "{what}").and_then(|()| input.flush()).expect("asked");
        let mut line = String::new();
        lines.read_line(&mut line).expect("an answer");
        assert_eq!(line, "done\n");
    }
}

/// Sets the server's address and keys, if there is a server; never those of whoever runs the tests.
pub fn environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    if let Some(server) = Server::known() {
        let Facts { endpoint, key, secret } = &server.facts;
        command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
    }
}

/// The URL of a folder of its own: on the server, or on disk until the tests end.
pub fn url(server: Option<&Server>, name: &str) -> String {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    match server {
        Some(_) => format!("s3://store/{name}"),
        None => {
            let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder"));
            let url = format!("file://{}", folder.path().join(name.replace(' ', "-")).display());
            prepare(&url);
            url
        }
    }
}

fn path(url: &str) -> Option<PathBuf> {
    url.strip_prefix("file://").map(PathBuf::from)
}

/// Makes the folder of a URL, if it is one.
pub fn prepare(url: &str) {
    if let Some(folder) = path(url) {
        fs::create_dir_all(folder).expect("a folder");
    }
}

/// Changes a byte of an object.
pub fn damage(url: &str, object: &str) {
    match path(url) {
        Some(folder) => spoil(&folder.join(object)),
        None => {
            let server = Server::get("damage").expect("a server");
            server.ask(&format!("damage {}/{object}", url.trim_start_matches("s3://store/")));
        }
    }
}

fn spoil(path: &Path) {
    let mut bytes = fs::read(path).expect("an object");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("damage");
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
