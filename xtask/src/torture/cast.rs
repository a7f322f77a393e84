//! The programs that work on the tortured garden, and how they end.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Told;
use super::garden::Garden;
use crate::programs::Programs;

/// Longest time that a program may run without being killed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest time that a lab may outlive the program that started it.
const ORPHANED: Duration = Duration::from_secs(10);

/// What a program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Build,
    Serve,
    Collect,
    Verify,
}

/// Which processes a kill hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    Program,
    Lab,
    Both,
}

/// A running program.
#[derive(Debug)]
pub struct Player {
    part: Part,
    child: Child,
    /// Its labs seen so far.
    labs: Vec<u32>,
    killed: bool,
}

impl Player {
    /// Starts the program.
    pub fn start(part: Part, programs: &Programs, garden: &Garden) -> Result<Self> {
        let mut command = programs.command();
        match part {
            Part::Build => command.arg("build"),
            Part::Serve => command.args(["serve", "--port", "0"]),
            Part::Collect => command.args(["store", "gc"]),
            Part::Verify => command.args(["store", "verify"]),
        };
        command.arg("--root").arg(garden.root());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("neuronotes did not start")?;
        Ok(Self { part, child, labs: Vec::new(), killed: false })
    }

    /// Kills the program, its labs, or both, after a delay.
    pub fn kill(&mut self, whom: Killed, told: &mut Told) {
        self.labs = labs_of(self.child.id());
        if whom != Killed::Program {
            for lab in &self.labs {
                let status = Command::new("kill")
                    .args(["-9", &lab.to_string()])
                    .stderr(Stdio::null())
                    .status();
                told.labs += u64::from(status.is_ok_and(|status| status.success()));
            }
        }
        if whom != Killed::Lab && self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.killed = true;
            told.programs += u64::from(self.child.kill().is_ok());
        }
    }

    /// Waits for its end. A preview, which never ends, is killed. Checks that no lab is left.
    pub fn end(mut self, told: &mut Told) -> Result<()> {
        if self.labs.is_empty() {
            self.labs = labs_of(self.child.id());
        }
        if self.part == Part::Serve && !self.killed {
            self.kill(Killed::Program, told);
        }
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                let _ = self.child.kill();
                bail!("{:?} hangs", self.part);
            }
            self.labs.extend(labs_of(self.child.id()));
            std::thread::sleep(Duration::from_millis(20));
        };
        // 2: it could not work at all. A build whose lab was killed may have failed at a figure.
        if !self.killed && !matches!(status.code(), Some(0 | 1)) {
            bail!("{:?} ended with {status}", self.part);
        }
        told.ended += u64::from(!self.killed);
        let begun = Instant::now();
        while let Some(lab) = self.labs.iter().find(|lab| is_lab(**lab)) {
            if begun.elapsed() > ORPHANED {
                bail!("the lab {lab} outlives its {:?}", self.part);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// The labs that a program has started.
fn labs_of(program: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|process| parent(*process) == Some(program) && is_lab(*process)).collect()
}

/// The fields of `/proc/N/stat` after the name, which may contain spaces.
fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a lab is running with this process id; zombies do not count.
fn is_lab(process: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    stat.contains("(neuronotes-lab)") && state != Some("Z")
}
