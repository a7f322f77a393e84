//! What test programs say that they do not test, because something that they need is not there: lines of their standard error.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::say::{self, Step};

/// How such a line begins.
const MARK: &str = "NOT TESTED: ";

/// What is not tested according to a program's standard error.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| Some(line.strip_prefix(MARK)?.trim().to_owned()))
}

/// One line about all of them; `None` if everything was tested.
pub fn summary(all: &[String]) -> Option<String> {
    let mut different: Vec<&str> = Vec::new();
    for what in all {
        if !different.contains(&what.as_str()) {
            different.push(what);
        }
    }
    let what = different.join("; ");
    match all.len() {
        0 => None,
        1 => Some(format!("1 group of tests was NOT TESTED: {what}")),
        number => Some(format!("{number} groups of tests were NOT TESTED: {what}")),
    }
}

/// Runs a program as [`crate::run::run`] does, passes its standard error on, and returns its exit code and what it did not test.
pub fn run(what: &str, command: &mut Command) -> Result<(i32, Vec<String>)> {
    let step = Step::begin(what);
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} did not start", command.get_program().display()))?;
    let output = child.stderr.take().context("it has no standard error")?;
    let not_tested = heard(output, |line| say::plain(line))?;
    let code = child.wait()?.code().unwrap_or(1);
    if code == 0 {
        step.done()
    } else {
        step.failed()
    }
    Ok((code, not_tested))
}

/// Shows each line as it comes, and returns what is not tested according to all of them.
fn heard(output: impl Read, mut show: impl FnMut(&str)) -> Result<Vec<String>> {
    let mut not_tested = Vec::new();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        not_tested.extend(lines(&line));
        show(&line);
    }
    Ok(not_tested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_begin_so_count() {
        let text = "running 2 tests\nNOT TESTED: Slurm is not installed\n  NOT TESTED: x\nsaid NOT TESTED: y\r\n\
                    NOT TESTED: Ray is not installed\r\nNOT TESTED\n";
        let found: Vec<String> = lines(text).collect();
        assert_eq!(found, ["Slurm is not installed", "Ray is not installed"]);
    }

    #[test]
    fn the_summary_counts_all_and_names_each_once() {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(summary(&[]), None);
        let one = summary(&all(&["Ray is not installed"]));
        assert_eq!(one.as_deref(), Some("1 group of tests was NOT TESTED: Ray is not installed"));
        let three = summary(&all(&["a", "b", "a"]));
        assert_eq!(three.as_deref(), Some("3 groups of tests were NOT TESTED: a; b"));
    }

    // Not by a program: its lines would count as those of these tests.
    #[test]
    fn what_is_not_tested_is_counted_line_by_line_and_everything_is_shown() -> Result<()> {
        let mut shown = Vec::new();
        let said = "NOT TESTED: it\nother\nNOT TESTED: end";
        let not_tested = heard(said.as_bytes(), |line| shown.push(line.to_owned()))?;
        assert_eq!(not_tested, ["it", "end"]);
        assert_eq!(shown, said.lines().collect::<Vec<_>>());
        Ok(())
    }
}
