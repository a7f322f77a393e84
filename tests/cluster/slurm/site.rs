//! A private Slurm on this machine: munge, a controller and three nodes with pretended GPUs on loopback, with ports and a
//! folder of its own. Nothing outside that folder is touched, and everything ends with the test, also if it is killed.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// One Slurm for all tests that leave it as it is.
pub static SITE: LazyLock<Option<Site>> = LazyLock::new(|| Site::start(""));
/// Tests that need all of its nodes.
static WHOLE: Mutex<()> = Mutex::new(());

/// Holds all of its nodes.
pub fn alone() -> MutexGuard<'static, ()> {
    WHOLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many nodes there are: `n1` has two GPUs, `n2` one, `n3` none.
pub const NODES: usize = 3;

/// A running Slurm.
pub struct Site {
    folder: PathBuf,
    /// Ends everything once its input ends.
    guard: Child,
}

impl Site {
    /// Starts one, or says that Slurm is not installed. `more` are further lines of slurm.conf.
    pub fn start(more: &str) -> Option<Self> {
        if crate::is_left_out() {
            return None;
        }
        if !is_installed() {
            crate::not_tested("Slurm is not installed");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("nn-slurm-").tempdir().expect("a folder");
        let folder = folder.keep();
        // The group of its own is not reached by Ctrl-C.
        let guard = Command::new("bash")
            .args(["-c", include_str!("stop.sh"), "stop.sh"])
            .arg(&folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("bash runs");
        let site = Self { folder, guard };
        site.configure(more);
        site.bring_up();
        Some(site)
    }

    /// Its slurm.conf.
    pub fn conf(&self) -> PathBuf {
        self.path("slurm.conf")
    }

    /// A path below its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command of Slurm that speaks to this one.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SLURM") {
                command.env_remove(name);
            }
        }
        command.env("SLURM_CONF", self.conf()).current_dir("/");
        command
    }

    /// What a command of Slurm prints; it must succeed.
    pub fn said(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.output(program, arguments);
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}\n{}", self.logs());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn output(&self, program: &str, arguments: &[&str]) -> Output {
        // A command waits long for a controller that is not there.
        let mut command = self.command("timeout");
        command.arg("20").arg(program).args(arguments).output().expect("timeout runs")
    }

    /// Kills the controller; jobs go on without it.
    pub fn kill_controller(&self) {
        kill(self.pid("slurmctld"));
    }

    /// Waits until the controller has written down what is so now: it does so every few seconds.
    pub fn wait_until_saved(&self) {
        let now = SystemTime::now();
        self.wait_until("the controller has saved its state", || {
            let saved = fs::metadata(self.path("state/job_state")).and_then(|meta| meta.modified());
            saved.is_ok_and(|saved| saved > now) || self.touch()
        });
    }

    /// Changes a job, so that there is something to be saved. Returns `false`.
    fn touch(&self) -> bool {
        let jobs = self.said("squeue", &["-h", "-o", "%A"]);
        for job in jobs.lines() {
            self.said("scontrol", &["update", &format!("JobId={job}"), "Comment=touched"]);
        }
        false
    }

    /// Starts the controller again with the state that it saved.
    pub fn start_controller(&self) {
        self.daemon("slurmctld", &[]);
    }

    /// Kills a node's daemon alone.
    pub fn kill_daemon(&self, node: &str) {
        kill(self.pid(&format!("slurmd.{node}")));
    }

    /// Kills a node: its daemon, and the steps and programs of its jobs, as if it lost its power.
    pub fn kill_node(&self, node: &str) {
        self.kill_daemon(node);
        let spool = self.path(&format!("spool.{node}"));
        let log = self.path(&format!("log/slurmd.{node}.log"));
        // Steps have their node's log open, jobs their script below its spool.
        for pid in holders(|path| path == log || path.starts_with(&spool)) {
            for child in children(pid) {
                kill(child);
            }
            kill(pid);
        }
    }

    /// Starts a node's daemon again.
    pub fn start_node(&self, node: &str) {
        self.daemon("slurmd", &["-N", node]);
    }

    /// The steps of a job, by its id such as `3_1` and the id that its node knows it by.
    pub fn steps(&self, job: &str) -> Vec<u32> {
        let id = self.said("squeue", &["-h", "-t", "all", "-j", job, "-o", "%A"]);
        let name = format!("slurmstepd: [{}.", id.trim());
        processes().into_iter().filter(|pid| command_line(*pid).starts_with(&name)).collect()
    }

    /// The ends of its logs, for messages.
    pub fn logs(&self) -> String {
        let mut all = String::new();
        for entry in fs::read_dir(self.path("log")).into_iter().flatten().flatten() {
            let text = fs::read(entry.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            let end = lines[lines.len().saturating_sub(8)..].join("\n");
            all.push_str(&format!("{}:\n{end}\n", entry.path().display()));
        }
        all
    }

    fn configure(&self, more: &str) {
        for name in ["state", "log", "run", "munge"] {
            fs::create_dir(self.path(name)).expect("a folder");
        }
        let modes = [("", 0o755), ("munge", 0o711)];
        for (name, mode) in modes {
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("a mode");
        }
        for node in nodes() {
            fs::create_dir(self.path(&format!("spool.{node}"))).expect("a folder");
        }
        let mut key = [0; 128];
        let mut random = fs::File::open("/dev/urandom").expect("random bytes");
        std::io::Read::read_exact(&mut random, &mut key).expect("random bytes");
        fs::write(self.path("munge/key"), key).expect("a key");
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.path("munge/key"), private).expect("a mode");

        let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("a host name");
        let host = host.trim().split('.').next().unwrap_or_default().to_owned();
        let ports = free_ports(NODES + 1);
        let user = Command::new("id").arg("-un").output().expect("id runs").stdout;
        let user = String::from_utf8_lossy(&user).trim().to_owned();
        let mut text = include_str!("slurm.conf")
            .replace("@DIR@", &self.folder.display().to_string())
            .replace("@HOST@", &host)
            .replace("@USER@", &user)
            .replace("@PORT@", &ports[0].to_string());
        let looks = ["Gres=gpu:fake:2 Features=avx512,h100", "Gres=gpu:fake:1 Features=avx2", ""];
        for ((node, look), port) in nodes().zip(looks).zip(&ports[1..]) {
            text.push_str(&format!(
                "NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=4000 {look}\n"
            ));
        }
        text.push_str(PARTITIONS);
        text.push_str(more);
        fs::write(self.conf(), text).expect("slurm.conf");
        let gres = "AutoDetect=off\nNodeName=n1 Name=gpu Type=fake File=/dev/null,/dev/zero\n\
                    NodeName=n2 Name=gpu Type=fake File=/dev/null\n";
        fs::write(self.path("gres.conf"), gres).expect("gres.conf");
    }

    fn bring_up(&self) {
        let munge = |name: &str| self.path(name).display().to_string();
        let mut command = self.command("munged");
        command.args(["--force", "--num-threads=2"]);
        command.arg(format!("--key-file={}", munge("munge/key")));
        command.arg(format!("--socket={}", munge("munge/socket")));
        command.arg(format!("--pid-file={}", munge("run/munged.pid")));
        command.arg(format!("--log-file={}", munge("log/munged.log")));
        command.arg(format!("--seed-file={}", munge("munge/seed")));
        let output = command.output().expect("munged runs");
        assert!(output.status.success(), "{output:?}");
        self.daemon("slurmctld", &["-i"]);
        self.start_node("n1");
        sleep(Duration::from_millis(200));
        // A newer daemon wants a file system of control groups unless told not to; an older one does not know that word.
        let log = fs::read_to_string(self.path("log/slurmd.n1.log")).unwrap_or_default();
        if self.is_dead("slurmd.n1") && log.contains("cgroup") {
            let text = "CgroupPlugin=disabled\n";
            fs::write(self.path("cgroup.conf"), text).expect("cgroup.conf");
            self.start_node("n1");
        }
        for node in nodes().skip(1) {
            self.start_node(&node);
        }
        self.wait_until("all nodes are idle", || {
            let output = self.output("sinfo", &["-h", "-N", "-p", "main", "-o", "%T"]);
            let states = String::from_utf8_lossy(&output.stdout).into_owned();
            states.lines().filter(|state| *state == "idle").count() == NODES
        });
    }

    /// Waits, and fails with what the daemons said if it takes too long.
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < LONGEST, "{what}: not so\n{}", self.logs());
            sleep(Duration::from_millis(100));
        }
    }

    /// Starts a daemon, which goes into the background by itself.
    fn daemon(&self, program: &str, arguments: &[&str]) {
        let mut command = self.command(program);
        command.args(arguments).arg("-f").arg(self.conf());
        // Not a pipe, which the daemon might keep open for ever.
        let errors = fs::File::create(self.path(&format!("log/{program}.err"))).expect("a file");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let _ = command.status().unwrap_or_else(|error| panic!("{program}: {error}"));
    }

    fn pid(&self, daemon: &str) -> u32 {
        let path = self.path(&format!("run/{daemon}.pid"));
        let text = fs::read_to_string(&path).unwrap_or_default();
        let pid = text.trim().parse().ok().filter(|pid| *pid > 1);
        pid.unwrap_or_else(|| panic!("{}: no process\n{}", path.display(), self.logs()))
    }

    fn is_dead(&self, daemon: &str) -> bool {
        let path = self.path(&format!("run/{daemon}.pid"));
        let pid = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
        pid.is_none_or(is_gone)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The longest that these tests wait for anything that Slurm does.
const LONGEST: Duration = Duration::from_secs(60);

const PARTITIONS: &str = "PartitionName=main Nodes=n1,n2,n3 Default=YES MaxTime=60 DefMemPerCPU=100 State=UP PriorityTier=1\n\
                          PartitionName=urgent Nodes=n1,n2,n3 MaxTime=60 DefMemPerCPU=100 State=UP PriorityTier=9 PreemptMode=OFF\n\
                          PartitionName=short Nodes=n3 MaxTime=2 DefMemPerCPU=100 State=UP\n\
                          PartitionName=away Nodes=n3 MaxTime=60 DefMemPerCPU=100 State=DOWN\n";

fn nodes() -> impl Iterator<Item = String> {
    (1..=NODES).map(|n| format!("n{n}"))
}

fn is_installed() -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    ["slurmctld", "slurmd", "sbatch", "munged"]
        .iter()
        .all(|name| std::env::split_paths(&paths).any(|folder| folder.join(name).is_file()))
}

/// Ports that nothing listens at, all different.
fn free_ports(count: usize) -> Vec<u16> {
    let bound: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    bound.iter().map(|socket| socket.local_addr().expect("a port").port()).collect()
}

/// All processes of this machine.
fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The processes that have a file open, or work in a folder, of which that is true.
fn holders(is_meant: impl Fn(&Path) -> bool) -> Vec<u32> {
    let holds = |pid: &u32| {
        let fds = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let cwd = PathBuf::from(format!("/proc/{pid}/cwd"));
        let links = fds.map(|entry| entry.path()).chain([cwd]);
        links.filter_map(|link| fs::read_link(link).ok()).any(|path| is_meant(&path))
    };
    processes().into_iter().filter(holds).collect()
}

/// The processes that a process started, and theirs.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    let own: Vec<u32> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    own.iter().flat_map(|child| children(*child).into_iter().chain([*child])).collect()
}

fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// Kills a process and waits until it is gone; a zombie holds nothing any more.
pub fn kill(pid: u32) {
    let pid_text = pid.to_string();
    let _ = Command::new("kill").args(["-KILL", &pid_text]).stderr(Stdio::null()).status();
    let start = Instant::now();
    while !is_gone(pid) {
        assert!(start.elapsed() < LONGEST, "process {pid} does not end");
        sleep(Duration::from_millis(10));
    }
}

fn is_gone(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(text) => text.contains(") Z "),
        Err(error) => error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(3),
    }
}
