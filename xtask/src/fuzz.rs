//! `cargo xtask fuzz`: searches for inputs that break a reader, guided by code coverage.
//!
//! The targets are those of the package in `fuzz/`, compiled with LLVM's own instrumentation, which stable compilers
//! have, and without memory sanitizers, which they lack. Targets take turns. Each runs in a process of its own that
//! records in a file how many executions it has made and the current input, so that both survive a crash. Failing
//! inputs are saved in `fuzz/found`; inputs that reached new code stay in the target folder, where the next run
//! starts.

mod build;
mod state;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Fuzz;
use crate::run::repository;
use crate::say::{out, say, seconds};
use build::Built;
use state::State;

/// Number of failures that ends a target's turn, since further ones are usually duplicates.
const MOST_FOUND: usize = 10;
/// Interval at which the count is read.
const MOMENT: Duration = Duration::from_millis(500);

/// Runs `fuzz`.
pub fn fuzz(arguments: &Fuzz) -> Result<i32> {
    let repository = repository()?;
    let all = targets(&repository)?;
    let chosen: Vec<&String> = match &*arguments.targets {
        [] => all.iter().collect(),
        some => some.iter().collect(),
    };
    if let Some(unknown) = chosen.iter().find(|name| !all.contains(name)) {
        bail!("unknown target `{unknown}`; known: {}", all.join(", "));
    }
    let program = match build::build(&repository)? {
        Built::Failed(code) => return Ok(code),
        Built::Program(program) => program,
    };
    if let Some(input) = &arguments.input {
        let [target] = chosen[..] else { bail!("give the input's target with --target") };
        return once(&repository, &program, target, input);
    }
    let turn = Duration::from_secs_f64(arguments.minutes * 60.0 / chosen.len() as f64);
    say(format_args!("{} each for {}", seconds(turn), list(&chosen)));
    let mut told = Vec::new();
    for target in chosen {
        let done = Turn::new(&repository, &program, target)?.run(turn)?;
        say(format_args!("{target}: {}", done.line()));
        told.push((target, done));
    }
    out(format_args!(
        "{:<16} {:>14} {:>14} {:>8} {:>7}\n",
        "target", "executions", "in all runs", "a second", "found"
    ));
    for (target, done) in &told {
        let rate = done.executions as f64 / done.time.as_secs_f64().max(0.001);
        out(format_args!(
            "{target:<16} {:>14} {:>14} {rate:>8.0} {:>7}\n",
            done.executions,
            done.in_all,
            done.found.len()
        ));
    }
    let found =
        told.iter().flat_map(|(target, done)| done.found.iter().map(move |it| (target, it)));
    let mut code = 0;
    for (target, (file, why)) in found {
        code = 1;
        let shown = file.strip_prefix(&repository).unwrap_or(file).display();
        out(format_args!(
            "\n{target}: {why}\n  cargo xtask fuzz --target {target} --input {shown}\n"
        ));
    }
    Ok(code)
}

/// The names of the targets: each has a folder of inputs.
fn targets(repository: &Path) -> Result<Vec<String>> {
    let corpus = repository.join("fuzz/corpus");
    let folders = fs::read_dir(&corpus).with_context(|| format!("{}", corpus.display()))?;
    let mut names = Vec::new();
    for folder in folders {
        names.push(folder?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn list(names: &[&String]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Executes one input and prints the outcome.
fn once(repository: &Path, program: &Path, target: &str, input: &Path) -> Result<i32> {
    let state = build::folder(repository).join("state").join("once");
    fs::create_dir_all(state.parent().context("a folder")?)?;
    let mut command = Command::new(program);
    // Paths are relative to the caller's folder, where cargo starts this program.
    command.arg(target).arg(&state).arg(input);
    let status = limited(&mut command).status().context("the program did not start")?;
    match status.success() {
        true => say(format_args!("{target} passed")),
        false => say(format_args!("{target} failed ({status})")),
    }
    Ok(i32::from(!status.success()))
}

/// Uses a stack as small as the program's own threads have, so that infinite recursion is found early.
#[cfg(unix)]
fn limited(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    let limit = || {
        let stack = libc::rlimit { rlim_cur: 2 << 20, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: the limit is read, and nothing else of this process is used.
        unsafe { libc::setrlimit(libc::RLIMIT_STACK, &stack) };
        Ok(())
    };
    // SAFETY: setrlimit may be called between fork and exec.
    unsafe { command.pre_exec(limit) }
}

#[cfg(not(unix))]
fn limited(command: &mut Command) -> &mut Command {
    command
}

/// The outcome of one target's turn.
struct Done {
    executions: u64,
    in_all: u64,
    time: Duration,
    /// The failing inputs, each with its error.
    found: BTreeMap<PathBuf, String>,
}

impl Done {
    fn line(&self) -> String {
        let found = match self.found.len() {
            0 => "nothing found".to_owned(),
            count => format!("{count} found"),
        };
        format!("{} executions in {}, {found}", self.executions, seconds(self.time))
    }
}

/// Runs one target's turn.
struct Turn<'a> {
    target: &'a str,
    program: &'a Path,
    seeds: PathBuf,
    /// Folder of the inputs that reached new code.
    kept: PathBuf,
    found: PathBuf,
    state: PathBuf,
    /// What the target's process has recorded.
    log: PathBuf,
    /// Executions of all runs.
    total: PathBuf,
}

impl<'a> Turn<'a> {
    fn new(repository: &Path, program: &'a Path, target: &'a str) -> Result<Self> {
        let folder = build::folder(repository);
        let turn = Self {
            target,
            program,
            seeds: repository.join("fuzz/corpus").join(target),
            kept: folder.join("corpus").join(target),
            found: repository.join("fuzz/found").join(target),
            state: folder.join("state").join(target),
            log: folder.join("state").join(format!("{target}.log")),
            total: folder.join("state").join(format!("{target}.executions")),
        };
        for folder in [&turn.kept, &turn.found, &folder.join("state")] {
            fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        }
        Ok(turn)
    }

    fn run(&self, time: Duration) -> Result<Done> {
        let bar = ProgressBar::new(time.as_secs());
        if let Ok(style) = ProgressStyle::with_template("{prefix}: {wide_bar} {msg}, {eta} left") {
            bar.set_style(style);
        }
        bar.set_prefix(self.target.to_owned());
        let begun = Instant::now();
        let (mut executions, mut found) = (0, BTreeMap::new());
        while begun.elapsed() < time && found.len() < MOST_FOUND {
            let left = time.saturating_sub(begun.elapsed());
            let mut child = self.start(left)?;
            let mut said = Instant::now();
            let status = loop {
                if let Some(status) = child.try_wait()? {
                    break status;
                }
                std::thread::sleep(MOMENT);
                let now = executions + State::read(&self.state).map_or(0, |state| state.executions);
                let rate = now as f64 / begun.elapsed().as_secs_f64();
                bar.set_position(begun.elapsed().as_secs().min(time.as_secs()));
                bar.set_message(format!("{now} executions, {rate:.0}/s, {} found", found.len()));
                if bar.is_hidden() && said.elapsed() > Duration::from_secs(60) {
                    said = Instant::now();
                    let left = seconds(time.saturating_sub(begun.elapsed()));
                    say(format_args!(
                        "{}: {now} executions, {rate:.0}/s, {} found, {left} left",
                        self.target,
                        found.len()
                    ));
                }
            };
            let state = State::read(&self.state).context("the target recorded no count")?;
            executions += state.executions;
            if status.success() {
                // It ends by itself only when its time is over.
                break;
            }
            if state.executions == 0 {
                bail!("{} does not run: {}", self.target, self.last_words());
            }
            let file = self.found.join(state.name());
            fs::write(&file, &state.input).with_context(|| format!("{}", file.display()))?;
            let why = self.last_words();
            bar.suspend(|| say(format_args!("{}: found {}: {why}", self.target, file.display())));
            let again = found.insert(file, why).is_some();
            if again {
                // Its initial inputs already fail, so the rest of the time would show nothing else.
                break;
            }
        }
        bar.finish_and_clear();
        let before: u64 = fs::read_to_string(&self.total)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0);
        let in_all = before + executions;
        fs::write(&self.total, in_all.to_string())
            .with_context(|| format!("{}", self.total.display()))?;
        Ok(Done { executions, in_all, time: begun.elapsed(), found })
    }

    fn start(&self, time: Duration) -> Result<Child> {
        let log = fs::File::create(&self.log).with_context(|| format!("{}", self.log.display()))?;
        let _ = fs::remove_file(&self.state);
        let mut command = Command::new(self.program);
        command.arg(self.target).arg(&self.state).arg(&self.kept).arg(&self.seeds).args([
            format!("-max_total_time={}", time.as_secs().max(1)),
            "-timeout=20".to_owned(),
            "-rss_limit_mb=3000".to_owned(),
            "-max_len=4096".to_owned(),
            "-use_value_profile=0".to_owned(),
            "-reload=0".to_owned(),
            // The input is kept by its state file, however the process ends.
            format!("-artifact_prefix={}/", build::folder_of(&self.state).display()),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        limited(&mut command).spawn().context("the target did not start")
    }

    /// The reason that the process printed before it ended.
    fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let telling = ["FOUND ", "ERROR: libFuzzer: ", "has overflowed its stack"];
        let line = log.lines().find(|line| telling.iter().any(|word| line.contains(word)));
        let line = line.or(log.lines().last()).unwrap_or("it printed nothing");
        line.chars().take(400).collect()
    }
}
