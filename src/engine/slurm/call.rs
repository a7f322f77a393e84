//! Calls a command of Slurm: its arguments and standard input in; what it prints, what it refuses, or that there is no answer, out.

use std::ffi::OsStr;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Beginnings of environment variables that are options of Slurm's commands, or come from a job that this program may be in.
const OPTIONS: [&str; 7] =
    ["SLURM_", "SBATCH_", "SQUEUE_", "SCANCEL_", "SCONTROL_", "SRUN_", "SALLOC_"];
/// Those that say which Slurm it is, and who asks.
const KEPT: [&str; 2] = ["SLURM_CONF", "SLURM_JWT"];
/// How long output may take to arrive once a command has ended: a process that it started may hold it open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Most of it that is read, in bytes.
const MOST: u64 = 64 << 20;

/// Calls commands of one Slurm.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    /// Its slurm.conf; `None` for the one that the environment or the system names.
    pub(super) conf: Option<PathBuf>,
}

/// Why there is no output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no such command.
    Absent,
    /// It did not end in time, or Slurm did not answer it: that says nothing about jobs.
    Silent(String),
    /// Slurm refused, or the command did not understand: what it said on standard error.
    Refused(String),
}

impl Caller {
    /// What a command prints on standard output. `input` is its standard input.
    pub(super) fn call<A: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[A],
        input: &str,
        patience: Duration,
    ) -> Result<String, Fault> {
        let mut command = self.command(program);
        command.args(arguments);
        let output = run(command, input, patience).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Fault::Absent,
            io::ErrorKind::TimedOut => {
                let seconds = patience.as_secs();
                Fault::Silent(format!("`{program}` did not answer within {seconds} s"))
            }
            _ => Fault::Silent(format!("`{program}` cannot be started ({error})")),
        })?;
        if output.is_success {
            return Ok(output.printed);
        }
        Err(match is_away(&output.said) {
            true => Fault::Silent(plain(&output.said)),
            false => Fault::Refused(output.said),
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let is_option = OPTIONS.iter().any(|option| text.starts_with(option));
            if is_option && !KEPT.contains(&text.as_ref()) {
                command.env_remove(&name);
            }
        }
        if let Some(conf) = &self.conf {
            command.env("SLURM_CONF", conf);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        {
            // Ctrl-C must not interrupt a submission: it would be unknown whether there is a job.
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        command
    }
}

/// What is wrong, without the names of commands and without repetitions: `Invalid account; Invalid partition`.
pub(super) fn plain(said: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for line in said.lines() {
        let mut line = line.trim();
        for start in ["sbatch: ", "squeue: ", "scancel: ", "scontrol: ", "error: ", "fatal: "] {
            line = line.strip_prefix(start).unwrap_or(line);
        }
        let line = line.strip_prefix("Batch job submission failed: ").unwrap_or(line);
        if !line.is_empty() && !parts.contains(&line) && !line.starts_with("Try \"") {
            parts.push(line);
        }
    }
    match parts.is_empty() {
        true => "it gave no reason".to_owned(),
        false => parts.join("; "),
    }
}

/// Whether Slurm could not be reached, so that asking again later may help.
fn is_away(said: &str) -> bool {
    let signs = [
        "Unable to contact slurm controller",
        "Unable to establish controller machine",
        "Connection refused",
        "connect failure",
        "Connection timed out",
        "Socket timed out",
        "Zero Bytes were transmitted or received",
        "Transport endpoint is not connected",
        "Slurm backup controller in standby mode",
        "Munge encode failed",
        "Failed to access \"",
        "Slurm temporarily unable to accept job",
        "Resource temporarily unavailable",
        "Protocol authentication error",
    ];
    signs.iter().any(|sign| said.contains(sign))
}

struct Output {
    is_success: bool,
    printed: String,
    said: String,
}

/// Runs a command and kills it, with what it started, if it takes too long.
fn run(mut command: Command, input: &str, patience: Duration) -> io::Result<Output> {
    let start = Instant::now();
    let mut child = command.spawn()?;
    let (printed, said) = (listen(child.stdout.take()), listen(child.stderr.take()));
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        // It may end without reading.
        thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let mut pause = Duration::from_millis(2);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > patience {
            kill(&mut child);
            let _ = child.wait();
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    let text = |from: Receiver<Vec<u8>>| {
        let bytes = from.recv_timeout(LAST_WORDS).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Output { is_success: status.success(), printed: text(printed), said: text(said) })
}

fn listen(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            let _ = from.take(MOST).read_to_end(&mut bytes);
        }
        let _ = send.send(bytes);
    });
    receive
}

/// Kills a command and, if it is a script around the real one, that too.
fn kill(child: &mut std::process::Child) {
    #[cfg(unix)]
    {
        let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
    let _ = child.kill();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn call(script: &str, input: &str, patience: u64) -> Result<String, Fault> {
        let patience = Duration::from_millis(patience);
        Caller::default().call("sh", &["-c", script], input, patience)
    }

    #[test]
    fn output_refusals_and_silence_are_told_apart() {
        let long = "x".repeat(1 << 20);
        assert_eq!(call("cat", &long, 30_000), Ok(long.clone()));
        assert_eq!(call("echo 7", &long, 30_000), Ok("7\n".into()), "it need not read its input");
        let refused = "echo 'sbatch: error: Invalid account' >&2; exit 1";
        assert_eq!(
            call(refused, "", 30_000),
            Err(Fault::Refused("sbatch: error: Invalid account\n".into()))
        );
        let away = "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1";
        let Err(Fault::Silent(said)) = call(away, "", 30_000) else { panic!("no news") };
        assert!(said.starts_with("slurm_load_jobs error: Unable to contact"), "{said}");
        let absent = Caller::default().call("no-such-command-here", &[""], "", LAST_WORDS);
        assert_eq!(absent, Err(Fault::Absent));
    }

    #[test]
    fn a_command_that_hangs_is_killed_with_what_it_started() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("pid");
        let script = format!("sleep 1000 & echo $! > '{}'; wait", file.display());
        let Err(Fault::Silent(said)) = call(&script, "", 1000) else { panic!("no news") };
        assert!(said.contains("did not answer within 1 s"), "{said}");
        let pid = std::fs::read_to_string(file).expect("a process");
        let stat = format!("/proc/{}/stat", pid.trim());
        let is_gone = || std::fs::read_to_string(&stat).map_or(true, |text| text.contains(") Z "));
        for _ in 0..500 {
            if is_gone() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("process {pid} lives on");
    }

    #[test]
    fn what_is_wrong_is_said_once_and_plainly() {
        let said = "sbatch: error: invalid partition specified: nope\n\
                    sbatch: error: Batch job submission failed: Invalid partition name specified\n";
        assert_eq!(
            plain(said),
            "invalid partition specified: nope; Invalid partition name specified"
        );
        assert_eq!(plain("sbatch: error: A\nsbatch: error: Batch job submission failed: A\n"), "A");
        let unknown =
            "squeue: unrecognized option '--me'\nTry \"squeue --help\" for more information\n";
        assert_eq!(plain(unknown), "unrecognized option '--me'");
        assert_eq!(plain("\n"), "it gave no reason");
    }
}
