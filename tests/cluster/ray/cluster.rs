//! A Ray of several nodes on this machine, with ports and folders of its own and a token, which ends with the test.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Ends everything whose environment or command names the folder, once the test has ended, however it did.
const GUARD: &str = "\
import os, shutil, sys, time
sys.stdin.read()
folder = os.environ['GUARDED'].encode()
for _ in range(20):
    found = False
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            text = open(f'/proc/{pid}/environ', 'rb').read() + open(f'/proc/{pid}/cmdline', 'rb').read()
            if folder in text and int(pid) != os.getpid():
                os.kill(int(pid), 9)
                found = True
        except OSError:
            pass
    if not found:
        break
    time.sleep(0.1)
shutil.rmtree(folder, ignore_errors=True)
";

/// A running Ray.
pub struct Cluster {
    venv: PathBuf,
    folder: PathBuf,
    /// The address of its jobs.
    pub address: String,
    /// Its token.
    pub token: String,
    /// The address of its head for other nodes.
    head: String,
    nodes: BTreeMap<String, Child>,
    guard: Child,
    guarded: Option<ChildStdin>,
}

impl Cluster {
    /// A head on which nothing runs, and nodes of one processor and one resource of their own name; `None` without Ray.
    pub fn start(nodes: &[&str]) -> Option<Self> {
        if crate::is_left_out() {
            crate::not_tested("Ray (left out)");
            return None;
        }
        let Some(venv) = std::env::var_os("NEURONOTES_RAY").filter(|venv| !venv.is_empty()) else {
            crate::not_tested("Ray is not installed");
            return None;
        };
        let venv = PathBuf::from(venv);
        assert!(venv.join("bin/ray").exists(), "{} has no Ray", venv.display());
        // A socket's path may have 107 characters.
        let folder =
            tempfile::Builder::new().prefix("nnray").tempdir_in("/tmp").expect("a folder").keep();
        let mut guard = Command::new(venv.join("bin/python"));
        guard.args(["-c", GUARD]).env("GUARDED", &folder).stdin(Stdio::piped());
        // An interrupt from the terminal is not for it.
        std::os::unix::process::CommandExt::process_group(&mut guard, 0);
        let mut guard = guard.spawn().expect("a guard");
        let guarded = guard.stdin.take();
        let [port, dashboard, client] = ports();
        let mut cluster = Self {
            venv,
            folder,
            address: format!("http://127.0.0.1:{dashboard}"),
            token: "0123456789abcdef0123456789abcdef".to_owned(),
            head: format!("127.0.0.1:{port}"),
            nodes: BTreeMap::new(),
            guard,
            guarded,
        };
        let head = [
            "--head".to_owned(),
            "--node-ip-address=127.0.0.1".to_owned(),
            format!("--port={port}"),
            "--dashboard-host=127.0.0.1".to_owned(),
            format!("--dashboard-port={dashboard}"),
            "--include-dashboard=true".to_owned(),
            format!("--ray-client-server-port={client}"),
            "--num-cpus=0".to_owned(),
        ];
        cluster.spawn("head", &head);
        cluster.until("the head answers", |cluster| cluster.get("/api/version").is_some());
        for name in nodes {
            cluster.add(name);
        }
        let count = nodes.len() + 1;
        cluster.until("all nodes are there", |cluster| cluster.alive() == count);
        Some(cluster)
    }

    /// Starts a node in place of one that was lost, and waits until it is there and the other is not.
    pub fn replace(&mut self, lost: &str, name: &str) {
        self.add(name);
        let count = self.nodes.len() - 1;
        self.until("the lost node is replaced", |cluster| cluster.alive() == count);
        if let Some(mut lost) = self.nodes.remove(lost) {
            let _ = lost.kill();
            let _ = lost.wait();
        }
    }

    /// Starts another node.
    fn add(&mut self, name: &str) {
        let node = [
            format!("--address={}", self.head),
            "--num-cpus=1".to_owned(),
            format!("--resources={{\"{name}\":1}}"),
        ];
        self.spawn(name, &node);
    }

    fn spawn(&mut self, name: &str, arguments: &[String]) {
        let [agent] = ports();
        let log = File::create(self.folder.join(format!("{name}.out"))).expect("a log");
        let mut ray = Command::new(self.venv.join("bin/ray"));
        ray.arg("start").args(arguments);
        ray.args([
            "--block",
            "--disable-usage-stats",
            "--object-store-memory=80000000",
            "--memory=1000000000",
        ]);
        ray.arg(format!("--dashboard-agent-listen-port={agent}"));
        // A folder each: two nodes that start in one take the same socket.
        ray.arg(format!("--temp-dir={}", self.folder.join(name).display()));
        ray.env("RAY_AUTH_MODE", "token").env("RAY_AUTH_TOKEN", &self.token);
        ray.env("RAY_USAGE_STATS_ENABLED", "0").env("RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S", "0");
        // A lost node is noticed in seconds, not in half a minute.
        ray.env("RAY_health_check_period_ms", "500").env("RAY_health_check_failure_threshold", "3");
        ray.env("RAY_health_check_initial_delay_ms", "500");
        ray.env("NEURONOTES_TEST_RAY", &self.folder);
        ray.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        std::os::unix::process::CommandExt::process_group(&mut ray, 0);
        self.nodes.insert(name.to_owned(), ray.spawn().expect("Ray starts"));
    }

    /// Loses a node: its raylet is killed, as if the machine were cut off. What runs on it lives on.
    pub fn lose(&mut self, name: &str) {
        let folder = format!("{}/", self.folder.join(name).display());
        let is_raylet =
            |command: &str| command.contains("/raylet/raylet") && command.contains(&folder);
        let pid = processes().find(|(_, command)| is_raylet(command)).expect("a raylet").0;
        kill(pid);
    }

    /// What Ray answers; `None` if it does not, or with an error.
    pub fn get(&self, path: &str) -> Option<Value> {
        let call = ureq::get(format!("{}{path}", self.address));
        let call = call.header("Authorization", format!("Bearer {}", self.token));
        let mut answer = call.call().ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }

    /// How many nodes are alive.
    pub fn alive(&self) -> usize {
        let nodes = self.get("/api/v0/nodes").unwrap_or_default();
        let nodes = nodes["data"]["result"]["result"].as_array().cloned().unwrap_or_default();
        nodes.iter().filter(|node| node["state"] == "ALIVE").count()
    }

    fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < Duration::from_secs(120), "{what}: never\n{}", self.said());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// What its processes have printed.
    fn said(&self) -> String {
        let read =
            |name| fs::read_to_string(self.folder.join(format!("{name}.out"))).unwrap_or_default();
        self.nodes.keys().map(|name| format!("{name}: {}\n", read(name))).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guarded.take());
        let _ = self.guard.wait();
        for node in self.nodes.values_mut() {
            let _ = node.wait();
        }
    }
}

/// Free ports, beyond those that Ray gives to its workers.
fn ports<const N: usize>() -> [u16; N] {
    let held: Vec<TcpListener> =
        std::iter::repeat_with(|| TcpListener::bind("127.0.0.1:0").expect("a port"))
            .filter(|held| held.local_addr().is_ok_and(|address| address.port() >= 20_000))
            .take(N)
            .collect();
    std::array::from_fn(|at| held[at].local_addr().expect("an address").port())
}

/// All processes of this machine and their commands.
pub fn processes() -> impl Iterator<Item = (u32, String)> {
    let folders = fs::read_dir("/proc").expect("processes").flatten();
    folders.filter_map(|folder| {
        let pid = folder.file_name().to_str()?.parse().ok()?;
        let command = fs::read(folder.path().join("cmdline")).ok()?;
        Some((pid, String::from_utf8_lossy(&command).replace('\0', " ")))
    })
}

/// Kills a process that this test has started.
pub fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is killed");
}

/// Whether a process is there and has not ended.
pub fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.is_ok_and(|stat| {
        !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
    })
}
