//! Runs test programs, two at a time: those that wait for a browser leave the processor to others.

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

use super::program::TestProgram;
use super::{Ran, skipped};
use crate::say::{self, Step};

/// How many programs run at a time. Each has as many threads as there are cores.
const LANES: usize = 2;

/// Those that take longest begin first: the last to end then end together.
const LONGEST: [&str; 4] = ["look", "suite", "program", "garden"];

/// Runs all programs, prints the output of each when it has ended, and returns the names of those that failed and what they
/// did not test.
pub fn run(
    mut programs: Vec<TestProgram>,
    prepare: &(impl Fn(&mut Command) + Sync),
) -> Result<Ran> {
    programs.sort_by_key(|program| rank(&program.name));
    let waiting = Mutex::new(VecDeque::from(programs));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let lane = || -> Result<Ran> {
        let mut ran = Ran::default();
        while let Some(program) = next() {
            let step = Step::begin(format!("tests: {}", program.name));
            let mut command = program.command();
            prepare(&mut command);
            let output = command
                .output()
                .with_context(|| format!("the tests of {} did not start", program.name))?;
            // One text, so that two programs do not mix theirs.
            let [out, err] =
                [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
            say::out(format_args!("\n     Running {}\n{out}{err}", program.name));
            ran.not_tested.extend(skipped::lines(&err));
            if output.status.success() {
                step.done();
            } else {
                step.failed();
                ran.failed.push(format!("{} ({})", program.name, output.status));
            }
        }
        Ok(ran)
    };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        let mut all = Ran::default();
        for lane in lanes {
            let ran = lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            all.failed.extend(ran.failed);
            all.not_tested.extend(ran.not_tested);
        }
        Ok(all)
    })
}

/// The place of a program in the order in which they begin.
fn rank(name: &str) -> usize {
    let what = name.rsplit(' ').next().unwrap_or(name);
    LONGEST.iter().position(|long| *long == what).unwrap_or(LONGEST.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_programs_begin_first() {
        let mut names = ["neuronotes_core", "lab garden", "look", "lab suite"];
        names.sort_by_key(|name| rank(name));
        assert_eq!(names, ["look", "lab suite", "lab garden", "neuronotes_core"]);
    }
}
