//! `neuronotes review`: appends a stamp to a note's file of reviews; and the troubles of all notes as JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use jiff::{Timestamp, ZonedDateTime};
use neuronotes_core::{file, place, say, suggest};
use serde::Serialize;

use super::garden::{Garden, root};
use crate::config::layout::{STATE, without_ending};
use crate::note::Note;
use crate::page::Trouble;
use crate::plan::asked;
use crate::review::{self, Change, Seen, Stamp, Standing, Verdict};
use crate::site::{Progress, Site};
use crate::workspace::Workspace;

/// Most characters of a remark and of a name.
const LONGEST: usize = 1_000;
/// Maximum size of the file of printed changes in bytes.
const LARGEST: u64 = 16 << 20;
/// Lines of a printed difference.
const LINES: usize = 200;

/// What the command is asked for.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// A note, by name, path or title, or a figure: `coins#vis`
    #[arg(value_name = "NOTE[#FIGURE]")]
    note: String,
    /// Your name
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Whether the figures support what the note says
    #[arg(long, value_enum, default_value_t = Verdict::Agree)]
    verdict: Verdict,
    /// A remark, which is shown on the page
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    garden: Garden,
}

pub(super) fn run(asked: &Asked) -> anyhow::Result<ExitCode> {
    let root = &root(asked.garden.root.clone())?;
    let by = one_line("--by", &asked.by)?;
    let message = asked.message.as_deref().map(|text| one_line("--message", text)).transpose()?;
    let workspace = Workspace::open(root)?;
    let mut site = Site::new(workspace, Progress { preview: true, ..Progress::default() });
    let shared = site.workspace.notes();
    let notes: Vec<&Note> = shared.iter().map(|note| &**note).collect();
    let (name, figure) = match asked.note.rsplit_once('#') {
        Some((name, figure)) => (name, Some(figure)),
        None => (asked.note.as_str(), None),
    };
    let index = asked::named(&notes, name).map_err(told)?;
    let note = notes[index];
    let now = site.seen(index);
    site.workspace.save_digests();
    let seen = match figure {
        Some(id) => of_figure(note, id, &now)?,
        None => now.clone(),
    };
    measured(note, &seen)?;
    let stamps = site.workspace.reviews.of(&note.path);
    let stamp = Stamp {
        by,
        on: Timestamp::now().round(jiff::Unit::Second)?,
        verdict: asked.verdict,
        figure: figure.map(str::to_owned),
        seen,
        commit: commit(&site.workspace.root, &note.file),
        message,
    };
    let standings = review::standings(stamps, &now);
    let mine = |one: &&Standing<'_>| one.stamp.by == stamp.by && one.stamp.figure == stamp.figure;
    let mut printed = Printed::load(&site.workspace.root);
    let key = format!("{} {} {}", note.path, figure.unwrap_or_default(), stamp.by);
    if let Some(own) = standings.iter().find(mine).filter(|own| own.is_stale())
        && printed.of.get(&key) != Some(&now.digest())
    {
        say::out(difference(&site.workspace.root, note, own).trim_end());
        printed.of.insert(key, now.digest());
        printed.save(&site.workspace.root)?;
        say::err(
            "nothing was written: read what changed, then run the command again to record the review",
        );
        return Ok(ExitCode::from(1));
    }
    let file = write(&site.workspace.root, note, &stamp)?;
    if printed.of.remove(&key).is_some() {
        printed.save(&site.workspace.root)?;
    }
    let what = match figure {
        Some(id) => format!("figure {id} of “{}”", note.title),
        None => format!("“{}”", note.title),
    };
    say::err(format_args!(
        "{what} reviewed by {}: {} ({file})",
        say::name(&stamp.by),
        stamp.verdict.shown()
    ));
    Ok(ExitCode::SUCCESS)
}

/// A text of an option, on one line.
fn one_line(option: &str, text: &str) -> anyhow::Result<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        anyhow::bail!("`{option}` is empty");
    }
    if line.chars().count() > LONGEST {
        anyhow::bail!("`{option}` has more than {LONGEST} characters");
    }
    Ok(line)
}

fn told(problem: neuronotes_core::problem::Problem) -> anyhow::Error {
    let hint = problem.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    anyhow::anyhow!("{}{hint}", problem.message)
}

/// What is seen of one figure.
fn of_figure(note: &Note, id: &str, now: &Seen) -> anyhow::Result<Seen> {
    let Some(digest) = now.figures.get(id) else {
        let known = note.blocks.iter().map(|block| block.id.as_str()).collect::<Vec<_>>();
        let hint =
            suggest::hint(id, known).map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        anyhow::bail!("the note {} has no figure `{id}`{hint}", note.path);
    };
    Ok(Seen { figures: [(id.to_owned(), digest.clone())].into(), ..Seen::default() })
}

/// Fails if a figure has no result, which nobody can have read.
fn measured(note: &Note, seen: &Seen) -> anyhow::Result<()> {
    let open: Vec<&String> =
        seen.figures.iter().filter(|(_, digest)| digest.is_none()).map(|(id, _)| id).collect();
    if open.is_empty() {
        return Ok(());
    }
    let figures = if open.len() == 1 { "figure" } else { "figures" };
    anyhow::bail!(
        "the {figures} {} of {} cannot be reviewed without a result\nhint: `neuronotes build` measures what is missing",
        suggest::first(&open),
        note.path
    )
}

/// Appends the stamp, and returns the path of the file in the garden.
fn write(root: &Path, note: &Note, stamp: &Stamp) -> anyhow::Result<String> {
    let name = review::name(without_ending(&note.path));
    let path = place::below(root, &name)?;
    let before = match file::read_in(root, &path, LARGEST).and_then(file::text) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(anyhow::anyhow!("{name} cannot be read ({error})")),
    };
    if let Some(text) = &before
        && let Some(problem) = review::read(&name, text).1.first()
    {
        let hint = problem.hint.as_deref().unwrap_or("correct the file first");
        anyhow::bail!("{}: {}\nhint: {hint}", problem.place(), problem.message);
    }
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder)?;
    file::replace(
        folder,
        &path,
        review::appended(before.as_deref(), &note.file, stamp).as_bytes(),
    )?;
    let (attributes, text) = review::ATTRIBUTES;
    let attributes = place::below(root, format!("{}/{attributes}", review::FOLDER))?;
    if !attributes.exists() {
        file::replace(&root.join(review::FOLDER), &attributes, text.as_bytes())?;
    }
    Ok(name)
}

/// What has changed since a review, for the terminal.
fn difference(root: &Path, note: &Note, own: &Standing<'_>) -> String {
    let Standing { stamp, changes } = own;
    let mut out = format!(
        "{}: since your review of {}:\n",
        note.file,
        stamp.on.strftime("%Y-%m-%d %H:%M UTC")
    );
    for change in changes {
        out.push_str(&match change {
            Change::Text => "  the text reads differently\n".to_owned(),
            Change::Figure(id) => format!("  figure {id} has another result\n"),
            Change::New(id) => format!("  figure {id} is new\n"),
            Change::Gone(id) => format!("  figure {id} is gone\n"),
            Change::Claims => "  the claims changed, or whether they hold\n".to_owned(),
        });
    }
    if !changes.contains(&Change::Text) {
        return out;
    }
    let Some(commit) = &stamp.commit else {
        out.push_str(
            "  the earlier text is unknown: the note was not committed when you reviewed it\n",
        );
        return out;
    };
    let words =
        ["diff", "--no-color", "--no-ext-diff", "--word-diff=plain", commit, "--", &note.file];
    match git(root, &words) {
        Some(text) if text.trim().is_empty() => {
            out.push_str(
                "  the file is unchanged; a value in its text or the bibliography changed\n",
            );
        }
        Some(text) => {
            let lines = text.lines().skip_while(|line| !line.starts_with("@@"));
            let lines: Vec<&str> = lines.collect();
            for line in lines.iter().take(LINES) {
                out.push_str(&format!("{}\n", say::name(line)));
            }
            if lines.len() > LINES {
                out.push_str(&format!(
                    "  and {} more lines: git diff {commit} -- {}\n",
                    lines.len() - LINES,
                    note.file
                ));
            }
        }
        None => out.push_str(&format!(
            "  the commit {commit} is not in this repository; `git fetch` may get it\n"
        )),
    }
    out
}

/// The commit that is checked out, if the note is in it as it is on disk.
fn commit(root: &Path, file: &str) -> Option<String> {
    let head = git(root, &["rev-parse", "--short=12", "HEAD"])?;
    git(root, &["diff", "--quiet", "HEAD", "--", file])?;
    git(root, &["ls-files", "--error-unmatch", "--", file])?;
    Some(head.trim().to_owned())
}

/// Output of git; `None` if it fails.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["-c", "core.quotePath=false"]).args(arguments);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The changes that were printed, so that nobody stamps again what they have not seen: for each note, figure and reviewer the digest of
/// what the note said then.
#[derive(Debug, Default)]
struct Printed {
    of: BTreeMap<String, String>,
}

impl Printed {
    const NAME: &str = "cache/printed.json";

    /// Losing it costs a second look.
    fn load(root: &Path) -> Self {
        let read = place::read(&root.join(STATE).join(Self::NAME), LARGEST);
        let of = read.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { of: of.unwrap_or_default() }
    }

    fn save(&self, root: &Path) -> anyhow::Result<()> {
        let path = root.join(STATE).join(Self::NAME);
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder)?;
        Ok(file::replace(folder, &path, &serde_json::to_vec(&self.of)?)?)
    }
}

/// One line of JSON for each trouble.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    trouble: &'a Trouble,
}

/// Prints the troubles of all notes as lines of JSON.
pub(super) fn list(site: &mut Site) -> anyhow::Result<()> {
    for (file, troubles) in site.troubles(ZonedDateTime::now().date()) {
        for trouble in &troubles {
            say::json(&serde_json::to_string(&Line { trouble, file: &file })?);
        }
    }
    Ok(())
}
