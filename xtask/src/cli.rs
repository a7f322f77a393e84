//! The arguments of `cargo xtask` and their help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

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
  NEURONOTES_PYTHON     a Python with the packages in tests/reference/requirements.txt; nothing is installed";

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

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// The benchmark to run.
    #[command(subcommand)]
    pub what: Benched,
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

/// The benchmarks.
#[derive(Debug, Subcommand)]
pub enum Benched {
    /// Milliseconds from a save to the changed page in a browser
    ///
    /// A garden of each size is created and served, and Chromium shows one of its notes. Printed are the median, the
    /// 95th percentile and the maximum for a changed paragraph, for a block whose result is stored, for a heading,
    /// and for the first sign of a new measurement with a running lab; and how long each phase took: waiting for more
    /// changes, reading and linking, rendering, and sending and patching.
    React(BenchReact),
    /// Seconds to build a whole site, compared with other generators
    ///
    /// Each generator gets the same generated notes, with tags and links, in its own format. They take turns and
    /// start cold. Printed are medians of time, processor time, peak memory and written bytes, and below them how the
    /// sites differ. Hugo, mdBook and Zola are looked for in the cache folder's bench/bin and on PATH. NEURONOTES can
    /// name a compiled program; otherwise it is compiled. mdBook takes ten minutes and more than 2.5 GB of memory for
    /// 10,000 notes; `--with hugo` skips it.
    Site(BenchSite),
    /// Seconds for smaller copies of screenshots, compared with Hugo and Pillow
    ///
    /// Each makes copies of the same generated screenshots in three widths, with a Lanczos filter, as JPEG at quality
    /// 85, on all cores. They take turns and start cold. Hugo is looked for in the cache folder's bench/bin and on
    /// PATH; Pillow is installed into a virtual environment of its own in the cache folder. NEURONOTES can name a
    /// compiled program; otherwise it is compiled.
    Pictures(BenchPictures),
    /// Costs of a preview over thousands of edits, for each thousand
    ///
    /// A garden's notes are edited in turn while a preview serves it, and each edit is awaited on its page. Printed
    /// are the median and the 95th percentile of that time, processor time per edit, memory, open files, and the disk
    /// space that the preview uses. Bounded edits replace one text by another, so nothing should grow; growing edits
    /// add a paragraph with a broken link each. Linux only. NEURONOTES can name a compiled program; otherwise it is
    /// compiled.
    Endure(crate::bench::endure::BenchEndure),
    /// Images per second of the lab, compared with open_clip in PyTorch
    ///
    /// Both compute embeddings with the same random weights on the CPU, with the same number of threads, precision
    /// and batch size, in turns in one run; medians are printed. The fastest of PyTorch's memory layouts and ways to
    /// use bf16 is found first. If other work shares the cores, the ratio of processor times is the more stable one.
    /// Python is set up as for `parity`.
    Clip(BenchClip),
    /// Seconds per feature visualisation of the lab, compared with Lucent in PyTorch
    ///
    /// Both visualise the same units with the same weights on the CPU in f32, with the same number of steps and
    /// threads, in turns in one run; medians are printed. Measured are a unit of the first block, a unit of the last
    /// block, and sixteen units of the last block. The fastest of Lucent's ways to make sixteen and of PyTorch's
    /// memory layouts is found first. Python is set up as for `parity`.
    Vis(BenchVis),
}

/// Arguments of `bench react`.
#[derive(Debug, Args)]
pub struct BenchReact {
    /// Numbers of notes of the gardens, separated by commas
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1_000, 10_000])]
    pub notes: Vec<u32>,
    /// Number of saves of each kind
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..))]
    pub saves: u32,
}

/// Arguments of `bench site`.
#[derive(Debug, Args)]
pub struct BenchSite {
    /// Number of notes
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub notes: u32,
    /// Number of rounds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Generators to compare with, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_values = ["hugo", "mdbook", "zola"])]
    pub with: Vec<String>,
    /// Print every number as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `bench pictures`.
#[derive(Debug, Args)]
pub struct BenchPictures {
    /// Number of screenshots
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    pub pictures: u32,
    /// Number of rounds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Programs to compare with, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_values = ["hugo", "pillow"])]
    pub with: Vec<String>,
    /// Print every number as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `bench clip`.
#[derive(Debug, Args)]
pub struct BenchClip {
    /// Architectures, by OpenAI's names, separated by commas
    #[arg(long, value_enum, value_name = "MODEL,…", value_delimiter = ',', default_values_t = Model::USUAL)]
    pub models: Vec<Model>,
    /// Precision of the arithmetic
    #[arg(long = "precision", value_enum, value_name = "NAME,…", value_delimiter = ',', default_values_t = [Precision::F32, Precision::Bf16])]
    pub precisions: Vec<Precision>,
    /// Batch size: images or texts at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Approximate time of each side per round
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    pub seconds: f64,
    /// Number of rounds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Threads of each side [default: as many as PyTorch chooses]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
    /// Also measure texts per second
    #[arg(long)]
    pub texts: bool,
}

/// Arguments of `bench vis`.
#[derive(Debug, Args)]
pub struct BenchVis {
    /// The network: the bundled one, or one of OpenAI's architectures with random weights
    #[arg(long, value_enum, value_name = "MODEL", default_value_t = Visualised::Emoji)]
    pub model: Visualised,
    /// Width and height of the pictures, in pixels
    #[arg(long, value_name = "PX", default_value_t = 128, value_parser = clap::value_parser!(u32).range(16..))]
    pub size: u32,
    /// Number of Adam steps
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..))]
    pub steps: u32,
    /// Number of rounds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Threads of each side [default: as many as PyTorch chooses]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
}

/// Networks for `bench vis`: those that accept pictures of any size, except for their last part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Visualised {
    /// models/emoji-clip.safetensors
    #[value(name = "emoji")]
    Emoji,
    #[value(name = "RN50")]
    Rn50,
    #[value(name = "RN101")]
    Rn101,
    #[value(name = "RN50x4")]
    Rn50x4,
    #[value(name = "RN50x16")]
    Rn50x16,
    #[value(name = "RN50x64")]
    Rn50x64,
}

impl Visualised {
    /// Its name, also for the script.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// OpenAI's architectures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Model {
    #[value(name = "RN50")]
    Rn50,
    #[value(name = "RN101")]
    Rn101,
    #[value(name = "RN50x4")]
    Rn50x4,
    #[value(name = "RN50x16")]
    Rn50x16,
    #[value(name = "RN50x64")]
    Rn50x64,
    #[value(name = "ViT-B/32")]
    ViTB32,
    #[value(name = "ViT-B/16")]
    ViTB16,
    #[value(name = "ViT-L/14")]
    ViTL14,
    #[value(name = "ViT-L/14@336px")]
    ViTL14Px336,
}

impl Model {
    /// The default: both families, small and large.
    pub const USUAL: [Self; 4] = [Self::Rn50, Self::Rn50x4, Self::ViTB32, Self::ViTL14];

    /// OpenAI's name, also for the scripts.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// The precision of the arithmetic on a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// Single precision
    F32,
    /// bfloat16
    Bf16,
}

impl Precision {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
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
