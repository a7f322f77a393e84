//! A running preview, and what it says over HTTP.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::Garden;

/// A running preview, ended with its test.
pub struct Preview {
    child: Child,
    pub url: String,
    /// What it said so far, line by line.
    said: Arc<Mutex<Vec<String>>>,
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

    /// What a command, which is `serve`, serves.
    pub fn by(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("neuronotes runs");
        let mut lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let first = lines.next().expect("a line").expect("text");
        let url = first.split_whitespace().next().expect("an address").to_owned();
        let said = Arc::new(Mutex::new(vec![first]));
        let hear = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                hear.lock().expect("lines").push(line);
            }
        });
        Self { child, url, said }
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("lines").join("\n")
    }

    /// Waits until it has said something.
    pub fn says(&self, text: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        while !self.said().contains(text) {
            assert!(Instant::now() < until, "`{text}` is not said, but\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a page shows a text.
    pub fn shows(&self, path: &str, text: &str) {
        self.becomes(path, text, |status, page| status == 200 && page.contains(text));
    }

    /// Waits until there is no such page.
    pub fn misses(&self, path: &str) {
        self.becomes(path, "nothing", |status, _| status == 404);
    }

    fn becomes(&self, path: &str, what: &str, is: impl Fn(u16, &str) -> bool) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let (status, page) = self.get(path);
            if is(status, &page) {
                return;
            }
            let main = page.split_once("<main").map_or(&*page, |(_, main)| main);
            let said = self.said();
            assert!(
                Instant::now() < until,
                "{path} does not show {what}, but {status} {main}\n{said}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
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

    /// What an open page is told from now on.
    pub fn news(&self, page: &str) -> News {
        let (sender, receiver) = mpsc::channel();
        let url = format!("{}-/events?page={page}", self.url);
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
        let news = News(receiver);
        let hello = news.next();
        assert_eq!(hello["type"], "hello");
        // As the script does: it fetches the page, and hears of every change from then on.
        self.get(page);
        news
    }

    /// Says something to the preview as an open page does; the status.
    pub fn post(&self, path: &str, origin: Option<&str>, body: &str) -> u16 {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent.post(format!("{}{path}", self.url));
        request = request.header("Content-Type", "application/json");
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        request.send(body).expect("an answer").status().as_u16()
    }
}

/// What a page is told.
pub struct News(mpsc::Receiver<String>);

impl News {
    /// The next of it.
    pub fn next(&self) -> serde_json::Value {
        let text = self.0.recv_timeout(Duration::from_secs(10)).expect("news");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The next of a type.
    pub fn next_of(&self, what: &str) -> serde_json::Value {
        loop {
            let news = self.next();
            if news["type"] == what {
                return news;
            }
        }
    }

    /// Whether nothing comes for a while.
    pub fn is_quiet(&self) -> bool {
        self.0.recv_timeout(Duration::from_millis(400)).is_err()
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the preview said:\n{}", self.said());
        }
    }
}
