//! The arguments of `cargo xtask` and their help.

pub mod bench;
pub mod model;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

pub use bench::{Bench, BenchClip, BenchPictures, BenchReact, BenchSite, BenchVis, Benched};
use model::Model;

/// Set-up and developer commands of Neuronotes
///
/// Each command first installs what it needs: libtorch is fetched once into a cache folder that all clones share, and
/// everything is compiled in release mode. Run an interrupted command again to resume it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = ENVIRONMENT)]
pub struct Arguments {
    /// The command to run.
    #[command(subcommand)]
    pub command: Task,
}

/// Environment variables, listed below the help.
const ENVIRONMENT: &str = "\
Environment:
  NEURONOTES_CACHE      folder for libtorch, instead of the system's cache folder
  LIBTORCH              your own libtorch (a folder with include and lib); nothing is fetched
  LIBTORCH_USE_PYTORCH  if set, the libtorch of your Python's torch is used; nothing is fetched
  CHROMIUM              the browser for the tests that open pages
  AXE                   axe-core's axe.min.js, which those tests use; nothing is fetched
  NEURONOTES_PYTHON     a Python with the packages in tests/reference/requirements.txt; nothing is installed
  NEURONOTES_RAY        a virtual environment with Ray for the tests that start it; nothing is installed
  NEURONOTES_S3         a Python with those in tests/reference/s3.txt, for a server that speaks S3; nothing is installed";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Build the demonstration site: set up, compile, measure what is missing, and write output/
    Site,
    /// Set up, compile, and open the preview, which updates as you edit
    Serve(Serve),
    /// Set up, and run all checks and tests
    Test(Test),
    /// Fetch libtorch only, and show how to use cargo without xtask
    ///
    /// libtorch comes from PyPI's wheel of torch, through your own pip with its mirror and proxy. It takes 0.5 GB in
    /// the cache folder. Only Linux on x86-64 is tested.
    Setup(Setup),
    /// Compare the lab with open_clip at full size: pixels, tokens, every layer, embeddings, logits, gradients
    ///
    /// open_clip creates each model with random weights and saves it; the lab reads that file and gets the same
    /// pictures and texts. The command prints the largest relative error of a layer, |ours - PyTorch's| / |PyTorch's|
    /// in single precision on the CPU, next to the error of each against double precision. The exit code is 1 if an
    /// error exceeds 1e-4, a pixel differs by more than one grey level, or a token differs.
    ///
    /// Gradients are compared where no ReLU is near its kink; single precision cannot resolve others to 1e-4.
    ///
    /// Your own pip installs PyTorch and open_clip once into a virtual environment in the cache folder: 5 GB, because
    /// PyPI's torch for Linux includes the libraries for GPUs. If your pip knows an index with a CPU-only torch
    /// (PIP_EXTRA_INDEX_URL), it uses that. The four default models need 8 GB of memory and, meanwhile, 4 GB of disk.
    Parity(Parity),
    /// Measure speed
    Bench(Bench),
    /// Kill the programs, damage files and fill disks, and check that nothing breaks, is lost or is shown wrong
    ///
    /// A garden with quick figures is edited, built, served and cleaned up by processes that share its store, while
    /// they or their labs are killed with SIGKILL. In a quarter of the rounds, files of the store and caches are
    /// corrupted, truncated, emptied, removed or swapped; in another quarter the store or the site is on a full disk
    /// (with `unshare`; skipped with a message if the machine does not allow that). After each round every record
    /// must be readable, every committed result must be there, undamaged results must not have been measured again,
    /// and the site must equal that of a clean build, byte for byte. The first failure ends the command with exit
    /// code 1 and keeps the garden. 500 rounds take about an hour on two cores.
    Torture(Torture),
    /// Fuzz the readers: notes, weights, archives and others
    ///
    /// libFuzzer makes hostile inputs, keeps those that reach new code, and passes them to the targets in fuzz/,
    /// which check the invariants of each reader. Targets take turns. The command prints the executions of each
    /// target and what was found. Each failing input is saved in fuzz/found, with the command that reproduces it.
    /// Inputs that reached new code stay in target/fuzz/corpus, where the next run starts. The exit code is 1 if
    /// anything was found. Compiling takes some minutes the first time, and 1 GB in target/fuzz.
    ///
    /// The tests replay fuzz/corpus and a few thousand inputs derived from it without any of this. Copy an input
    /// there once its bug is fixed.
    Fuzz(Fuzz),
    /// Rebuild Emoji-CLIP: the data, the training, the report
    ///
    /// The given steps run in the order in which they depend on each other. Pictures and fonts come as npm packages,
    /// through your own npm with its registry and proxy: 96 MB, kept in target/emoji and checked against recorded
    /// digests. Drawing them takes half a minute on two cores.
    Emoji(Emoji),
}

/// Arguments of `parity`.
#[derive(Debug, Args)]
pub struct Parity {
    /// Architectures to compare, by OpenAI's names
    #[arg(value_enum, value_name = "MODEL", default_values_t = Model::USUAL)]
    pub models: Vec<Model>,
    /// Keep weights, pictures and activations, and print where they are
    #[arg(long)]
    pub keep: bool,
}

/// Arguments of `emoji`.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("steps").required(true).multiple(true).args(["data", "train", "report"]))]
pub struct Emoji {
    /// Draw the training set into target/emoji, and write concepts.json, words.txt and the picture archives to data/
    #[arg(long)]
    pub data: bool,
    /// Train, on a GPU if there is one, and copy weights, log and curves to models/
    #[arg(long)]
    pub train: bool,
    /// Evaluate models/emoji-clip.safetensors, including on held-out pictures and words
    #[arg(long)]
    pub report: bool,
    /// Arguments for `neuronotes-lab train`
    #[arg(last = true, requires = "train")]
    pub args: Vec<OsString>,
}

/// Arguments of `torture`.
#[derive(Debug, Args)]
pub struct Torture {
    /// Number of rounds
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub rounds: u64,
    /// Seed, to repeat the choices of an earlier run
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Use the programs in this folder instead of compiling them
    #[arg(long, value_name = "FOLDER")]
    pub programs: Option<PathBuf>,
}

/// Arguments of `fuzz`.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// Total time for all targets
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    pub minutes: f64,
    /// Run only this target, a folder in fuzz/corpus; can be repeated
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// Only execute this input, with the target given by --target
    #[arg(long, value_name = "FILE", requires = "targets")]
    pub input: Option<PathBuf>,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Arguments for `neuronotes serve`, such as `--port 8000`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Run only the tests, or only the checks of the code: formatting, lints, documentation
    #[arg(long, value_enum)]
    pub only: Option<Half>,
    /// Skip the tests that open pages in a browser
    ///
    /// By default, Chromium is looked for in CHROMIUM and on PATH, and installed on Debian as root. npm fetches
    /// axe-core (0.7 MB), which checks the pages for accessibility problems.
    #[arg(long)]
    pub no_browser: bool,
    /// Skip the tests that save notes with vim, Emacs, nano and rsync, and on a file system without events
    ///
    /// By default, these programs are looked for on PATH, and installed on Debian as root.
    #[arg(long)]
    pub no_editors: bool,
    /// Skip the tests that start Slurm and Ray
    ///
    /// By default, Slurm is looked for on PATH, and installed on Debian as root; Ray (400 MB) is installed into a virtual
    /// environment in the cache folder. Where this is impossible, the summary says which tests did not run.
    #[arg(long)]
    pub no_cluster: bool,
    /// Arguments for `cargo test`, such as `-- --test program linking` or `-- -- --nocapture`
    #[arg(last = true)]
    pub args: Vec<OsString>,
}

/// A part of `test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Half {
    /// cargo test
    Tests,
    /// cargo fmt, clippy and doc
    Lint,
}

/// Arguments of `setup`.
#[derive(Debug, Args)]
pub struct Setup {
    /// Also fetch the libraries for NVIDIA GPUs: 2.5 GB to download, 3.6 GB in the cache folder
    ///
    /// Nothing has to be compiled again: the lab finds and loads them when it starts.
    #[arg(long)]
    pub cuda: bool,
}

#[cfg(test)]
mod tests {
    use super::bench::Visualised;
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn models_go_by_their_published_names() -> Result<(), clap::Error> {
        let parsed = Arguments::try_parse_from(["xtask", "parity"])?;
        let Task::Parity(parity) = parsed.command else { panic!("it is `parity`") };
        assert_eq!(parity.models, Model::USUAL);

        let list = "--models=RN50x64,ViT-L/14@336px";
        let parsed = Arguments::try_parse_from(["xtask", "bench", "clip", list])?;
        let Task::Bench(Bench { what: Benched::Clip(bench) }) = parsed.command else {
            panic!("it is `bench clip`")
        };
        assert_eq!(bench.models, [Model::Rn50x64, Model::ViTL14Px336]);
        assert!(Arguments::try_parse_from(["xtask", "parity", "RN51"]).is_err());
        assert!(Arguments::try_parse_from(["xtask", "bench", "vis", "--model=RN50x64"]).is_ok());
        assert!(Arguments::try_parse_from(["xtask", "bench", "vis", "--model=ViT-B/32"]).is_err());
        Ok(())
    }

    /// The scripts have the same list.
    #[test]
    fn the_scripts_know_every_model() {
        let script = include_str!("../../tests/reference/models.py");
        for model in Model::value_variants() {
            assert!(script.contains(&format!("\n    \"{}\": ", model.name())), "{model:?}");
        }
        let models: Vec<String> =
            Model::value_variants().iter().map(|model| model.name()).collect();
        for model in Visualised::value_variants() {
            assert!(*model == Visualised::Emoji || models.contains(&model.name()), "{model:?}");
        }
    }

    #[test]
    fn emoji_wants_a_step_and_passes_on_only_to_training() -> Result<(), clap::Error> {
        let parse = |arguments: &[&str]| {
            Arguments::try_parse_from([&["xtask", "emoji"], arguments].concat())
        };
        assert!(parse(&[]).is_err());
        assert!(parse(&["--data", "--", "--steps", "3"]).is_err());
        let parsed = parse(&["--train", "--data", "--", "--steps", "3"])?;
        let Task::Emoji(emoji) = parsed.command else { panic!("it is `emoji`") };
        assert!(emoji.data && emoji.train && !emoji.report);
        assert_eq!(emoji.args, ["--steps", "3"]);
        Ok(())
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
