//! `neuronotes diff`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use neuronotes_core::problem::Problem;
use neuronotes_core::say;

use super::garden::{Garden, root};
use crate::diff::{self, report};

/// The arguments of `neuronotes diff`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to compare: a git revision or a folder of frozen results, against the files on disk; or two of these, as `A..B`
    /// [default: HEAD]
    #[arg(value_name = "A[..B]")]
    ends: Option<String>,
    #[command(flatten)]
    garden: Garden,
    /// Take each side's results from its own `frozen` folder; neither weights nor data are needed
    #[arg(long)]
    frozen: bool,
    /// Also compare drafts
    #[arg(long)]
    drafts: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
    /// Also write a folder of HTML with the pictures of both sides; it works without a server
    #[arg(long, value_name = "DIR")]
    html: Option<PathBuf>,
    /// Exit with 1 if anything differs
    #[arg(long)]
    exit_code: bool,
}

/// How a difference is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Text
    Human,
    /// One JSON object, on standard output
    Json,
    /// Markdown that fits into a comment on GitHub or GitLab
    Markdown,
}

/// Compares, prints, and returns whether the exit code is 1.
pub(super) fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let root = root(arguments.garden.root)?;
    let (a, b) = diff::ends(arguments.ends.as_deref());
    let options = diff::Options { drafts: arguments.drafts, frozen: arguments.frozen };
    let mut sides = diff::open(&root, (&a, &b), options).map_err(failed)?;
    let difference = diff::compare(&mut sides);
    if let Some(folder) = &arguments.html {
        let stores = [&sides.a.site.workspace.store, &sides.b.site.workspace.store];
        report::html::write(&difference, &stores, folder)
            .with_context(|| format!("cannot write {}", folder.display()))?;
        say::err(folder.join("index.html").display());
    }
    match arguments.format {
        Form::Human => say::out(&report::terminal::terminal(&difference)),
        Form::Json => say::json(&report::json::json(&difference)),
        Form::Markdown => say::out(&report::markdown::markdown(&difference)),
    }
    Ok(arguments.exit_code && !difference.is_empty())
}

fn failed(problem: Problem) -> anyhow::Error {
    match problem.hint {
        Some(hint) => anyhow::anyhow!("{}\nhint: {hint}", problem.message),
        None => anyhow::anyhow!("{}", problem.message),
    }
}
