//! A running preview, and what it says over HTTP.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::Garden;

/// A running preview, ended with its test.
pub struct Preview {
    child: Child,
    pub url: String,
}

impl Preview {
    pub fn of(garden: &Garden) -> Self {
        Self::by(garden.command(&["serve", "--port", "0"]))
    }

    /// Of a garden whose lab is another program.
    pub fn with_lab(garden: &Garden, lab: &Path) -> Self {
        let mut command = garden.command(&["serve", "--port", "0"]);
        command.env("NEURONOTES_LAB", lab);
        Self::by(command)
    }

    fn by(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("neuronotes runs");
        let mut lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let first = lines.next().expect("a line").expect("text");
        let url = first.split_whitespace().next().expect("an address").to_owned();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, url }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        self.request(path, None, None)
    }

    pub fn request(&self, path: &str, host: Option<&str>, origin: Option<&str>) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .into();
        let mut request = agent.get(format!("{}{path}", self.url));
        if let Some(host) = host {
            request = request.header("Host", host);
        }
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let mut answer = request.call().expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_string().unwrap_or_default())
    }

    /// What open pages are told from now on.
    pub fn news(&self) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel();
        let url = format!("{}-/events", self.url);
        std::thread::spawn(move || {
            let mut answer = ureq::get(url).call().expect("events");
            let mut reader = BufReader::new(answer.body_mut().as_reader());
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 0) {
                if let Some(data) = line.strip_prefix("data:")
                    && sender.send(data.trim().to_owned()).is_err()
                {
                    return;
                }
                line.clear();
            }
        });
        assert_eq!(
            receiver.recv_timeout(Duration::from_secs(5)).as_deref(),
            Ok(r#"{"type":"hello"}"#)
        );
        receiver
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
