//! The arguments of `cargo xtask`, with the texts that teach them.

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Set-up and developers' commands of Neuronotes
///
/// Each command first sees to what it needs: libtorch is fetched once into a cache folder that all clones share, then
/// everything is compiled in release mode. A command that was broken off goes on where it ended when it is given again.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = ENVIRONMENT)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Task,
}

/// The variables that matter, below the help.
const ENVIRONMENT: &str = "\
Environment:
  NEURONOTES_CACHE      where libtorch is kept, instead of the system's folder for caches
  LIBTORCH              a libtorch of your own (a folder with include and lib): nothing is fetched
  LIBTORCH_USE_PYTORCH  the libtorch of your Python's torch, if set: nothing is fetched
  CHROMIUM              the browser for the tests that open pages";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Build the demonstration site: set up, compile, measure what is missing, write output/
    Site,
    /// Set up, compile, and open the preview, which follows what you save
    Serve(Serve),
    /// Set up, and run every check and every test
    Test(Test),
    /// Only fetch libtorch, and say how to use cargo without xtask
    ///
    /// The libtorch that is fetched is the one in PyPI's wheel of torch, by way of your own pip with its mirror and
    /// proxy. It takes 0.5 GB in the cache folder. Only Linux on x86-64 is tested.
    Setup(Setup),
}

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct Serve {
    /// Passed on to `neuronotes serve`, such as `--port 8000`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// What `test` takes.
#[derive(Debug, Args)]
pub struct Test {
    /// Run only the tests, or only what reads the code: formatting, lints, documentation
    #[arg(long, value_enum)]
    pub only: Option<Half>,
    /// Leave out the tests that open pages in a browser
    ///
    /// Without this, a Chromium is looked for in CHROMIUM and on PATH, and on Debian, as root, installed.
    #[arg(long)]
    pub no_browser: bool,
    /// Passed on to `cargo test`: `-- --test linking`, or `-- -- --nocapture`
    #[arg(last = true)]
    pub args: Vec<OsString>,
}

/// Half of what `test` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Half {
    /// cargo test
    Tests,
    /// cargo fmt, clippy and doc
    Lint,
}

/// What `setup` takes.
#[derive(Debug, Args)]
pub struct Setup {
    /// Fetch the libraries for NVIDIA's GPUs too: some 2.5 GB to download, 3.6 GB in the cache folder
    ///
    /// Nothing is compiled anew: the lab loads them when it starts and finds them beside the rest.
    #[arg(long)]
    pub cuda: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_follows_is_passed_on() -> Result<(), clap::Error> {
        let parsed = Arguments::try_parse_from([
            "xtask",
            "test",
            "--no-browser",
            "--",
            "--",
            "--nocapture",
        ])?;
        let Task::Test(test) = parsed.command else { panic!("it is `test`") };
        assert!(test.no_browser);
        assert_eq!(test.args, ["--", "--nocapture"]);

        let parsed =
            Arguments::try_parse_from(["xtask", "serve", "--port", "8000", "--root", "x"])?;
        let Task::Serve(serve) = parsed.command else { panic!("it is `serve`") };
        assert_eq!(serve.args, ["--port", "8000", "--root", "x"]);
        Ok(())
    }
}
