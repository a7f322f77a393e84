//! The arguments of `cargo xtask`, with the texts that teach them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

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
  CHROMIUM              the browser for the tests that open pages
  AXE                   axe-core's axe.min.js, which those tests look at pages with: nothing is fetched
  NEURONOTES_PYTHON     a Python that has the packages in tests/reference/requirements.txt: nothing is installed";

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
    /// Hold the lab against open_clip at full size: pixels, tokens, every layer, embeddings, logits, gradients
    ///
    /// Each model is made in open_clip with random weights and saved; the lab reads the file and is shown pictures and
    /// texts. Printed is the greatest relative error of a layer, |ours - PyTorch's| / |PyTorch's| in single precision
    /// on the processor, beside what both stray from double precision. The exit code is 1 where an error is above
    /// 1e-4, a pixel is off by more than one grey level, or a token differs.
    ///
    /// Gradients are taken where no ReLU is near its kink; elsewhere single precision cannot tell them to 1e-4, not
    /// PyTorch's either.
    ///
    /// PyTorch and open_clip are installed into a virtual environment in the cache folder by your own pip, once: 5 GB,
    /// for PyPI's torch for Linux brings the libraries for GPUs along. If your pip knows an index with torch for
    /// processors only (PIP_EXTRA_INDEX_URL), it takes that. The four models that are compared where none is named need
    /// 8 GB of memory and 4 GB in the cache folder, which are given back.
    Parity(Parity),
    /// Measure how fast it is
    Bench(Bench),
    /// Kill the programs, damage files and fill disks, and see that nothing breaks, is lost or is shown wrong
    ///
    /// A garden whose figures take moments is edited, built, served and collected by processes that share its store, and
    /// that are killed with SIGKILL, or whose labs are. In a quarter of the rounds files of the store and the caches are
    /// flipped, cut, emptied, removed or swapped before, and in another the store or the site lies on a disk without room
    /// (by `unshare`; where a machine does not allow that, this is said). After each round every record must read whole,
    /// every result that was committed must be there, what was not damaged must not have been measured again, and the site
    /// must be that of a clean build, byte for byte. The first failure ends it with exit code 1 and keeps the garden. 500
    /// rounds take about an hour on two cores.
    Torture(Torture),
    /// Look for inputs that a reader of ours does not stand: notes, weights, archives and others
    ///
    /// Hostile inputs are made by libFuzzer, which keeps those that reach new code, and given to the targets in fuzz/, which say
    /// what must hold of each. Targets take turns. Printed are the executions of each target and what was found; each input that
    /// was found lies in fuzz/found, with the command that executes it again. The inputs that reached new code stay in
    /// target/fuzz/corpus, where the next run begins. The exit code is 1 where anything was found. Compiling takes some minutes the
    /// first time, and 1 GB below target/fuzz.
    ///
    /// The tests replay fuzz/corpus, and a few thousand inputs made of these, without all this: an input that was found and mended
    /// is copied there.
    Fuzz(Fuzz),
    /// Make Emoji-CLIP anew: the data, the training, its report
    ///
    /// The steps that are named are performed in the order in which they build on each other. Pictures and fonts come as
    /// npm packages, by your own npm with its registry and proxy: 96 MB, kept in target/emoji and checked against
    /// recorded digests. Drawing them takes half a minute on two cores.
    Emoji(Emoji),
}

/// What `parity` takes.
#[derive(Debug, Args)]
pub struct Parity {
    /// The architectures, by OpenAI's names
    #[arg(value_enum, value_name = "MODEL", default_values_t = Model::USUAL)]
    pub models: Vec<Model>,
    /// Keep weights, pictures and activations, and say where they lie
    #[arg(long)]
    pub keep: bool,
}

/// What `emoji` takes.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("steps").required(true).multiple(true).args(["data", "train", "report"]))]
pub struct Emoji {
    /// Draw the training set into target/emoji, and write data/: concepts.json, words.txt, and the archives of pictures
    #[arg(long)]
    pub data: bool,
    /// Train, on a GPU if there is one, and put weights, log and curves into models/
    #[arg(long)]
    pub train: bool,
    /// Measure how good models/emoji-clip.safetensors is, on pictures and words that were kept from training too
    #[arg(long)]
    pub report: bool,
    /// Passed on to `neuronotes-lab train`
    #[arg(last = true, requires = "train")]
    pub args: Vec<OsString>,
}

/// What `bench` takes.
#[derive(Debug, Args)]
pub struct Bench {
    /// What is measured.
    #[command(subcommand)]
    pub what: Benched,
}

/// What `torture` takes.
#[derive(Debug, Args)]
pub struct Torture {
    /// Rounds
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub rounds: u64,
    /// Repeats the choices of an earlier run
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Uses the two programs in this folder, and compiles none
    #[arg(long, value_name = "FOLDER")]
    pub programs: Option<PathBuf>,
}

/// What `fuzz` takes.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// How long, all targets together
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    pub minutes: f64,
    /// Only this target, a folder of fuzz/corpus; may be repeated
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// Only execute this input, of the target that is named
    #[arg(long, value_name = "FILE", requires = "targets")]
    pub input: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum Benched {
    /// Milliseconds from a save to the changed page in a browser
    ///
    /// A garden is made of each size and served; Chromium shows one of its notes. Printed are the 50th and the 95th
    /// percentile and the longest, for a changed paragraph, for a block whose result is stored, for a heading, and for the
    /// first sign of a new measurement while the lab is warm; and where the time went: until nothing more was waited for,
    /// until it was read and linked, until the page was rendered, until the browser had it.
    React(BenchReact),
    /// Seconds a whole site of ours beside other generators' of the same notes, as a ratio
    ///
    /// Made-up notes, with tags and links to each other, are given to each generator in its own form. They take turns, and
    /// start cold. Printed are medians: time, processor time, the most memory, and what was written; and below it, what
    /// the sites do not have in common. Hugo, mdBook and Zola are looked for in the cache folder's bench/bin and on PATH.
    /// NEURONOTES names a program of ours; else it is compiled. Of 10,000 notes mdBook makes a site in ten minutes and
    /// with more than 2.5 GB of memory: `--with hugo` leaves it out.
    Site(BenchSite),
    /// Seconds for smaller copies of screenshots beside Hugo's and Pillow's, as a ratio
    ///
    /// Made-up screenshots are given to each, which makes copies of three widths of each with Lanczos' filter, as JPEG of
    /// quality 85, on all cores. They take turns, and start cold. Hugo is looked for in the cache folder's bench/bin and on
    /// PATH; Pillow is set up in a virtual environment of its own in the cache folder. NEURONOTES names a program of ours;
    /// else it is compiled.
    Pictures(BenchPictures),
    /// What a preview takes over thousands of edits, for each thousand of them
    ///
    /// A garden's notes are edited in turn while a preview serves it, and each edit is waited for on its page. Printed are
    /// the 50th and the 95th percentile of that time, processor time an edit, memory, open files, and what the preview keeps
    /// on disk. Bounded edits put one text in the place of another, and nothing should grow with them; growing ones add a
    /// paragraph with a broken link each. Linux only. NEURONOTES names a program of ours; else it is compiled.
    Endure(crate::bench::endure::BenchEndure),
    /// Images a second of the lab beside open_clip in PyTorch, as a ratio
    ///
    /// Both compute embeddings of the same random weights, on the processor, with as many threads, the same precision
    /// and batch, in turns in one run; medians are printed. Of PyTorch's layouts and ways to bf16 the fastest is found
    /// first. Where other work shares the cores, the ratio of processor time is the steadier one. Python is set up as
    /// for `parity`.
    Clip(BenchClip),
    /// Seconds a feature visualisation of the lab beside Lucent in PyTorch, as a ratio
    ///
    /// Both make pictures of the same units with the same weights, on the processor in f32, with as many steps and
    /// threads, in turns in one run; medians are printed. There is a unit of the first block, a unit of the last one,
    /// and sixteen units of the last one. Of Lucent's ways to make sixteen, and of PyTorch's layouts, the fastest is
    /// found first. Python is set up as for `parity`.
    Vis(BenchVis),
}

/// What `bench react` takes.
#[derive(Debug, Args)]
pub struct BenchReact {
    /// Notes of each garden, with commas between them
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1_000, 10_000])]
    pub notes: Vec<u32>,
    /// Saves of each kind
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..))]
    pub saves: u32,
}

/// What `bench site` takes.
#[derive(Debug, Args)]
pub struct BenchSite {
    /// Notes
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub notes: u32,
    /// How often they take turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// The other generators, with commas between them
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_values = ["hugo", "mdbook", "zola"])]
    pub with: Vec<String>,
    /// Print every number as JSON
    #[arg(long)]
    pub json: bool,
}

/// What `bench pictures` takes.
#[derive(Debug, Args)]
pub struct BenchPictures {
    /// Screenshots
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    pub pictures: u32,
    /// How often they take turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// What else makes copies, with commas between them
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_values = ["hugo", "pillow"])]
    pub with: Vec<String>,
    /// Print every number as JSON
    #[arg(long)]
    pub json: bool,
}

/// What `bench clip` takes.
#[derive(Debug, Args)]
pub struct BenchClip {
    /// The architectures, by OpenAI's names, with commas between them
    #[arg(long, value_enum, value_name = "MODEL,…", value_delimiter = ',', default_values_t = Model::USUAL)]
    pub models: Vec<Model>,
    /// The arithmetic
    #[arg(long = "precision", value_enum, value_name = "NAME,…", value_delimiter = ',', default_values_t = [Precision::F32, Precision::Bf16])]
    pub precisions: Vec<Precision>,
    /// Images or texts at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// About how long each side runs in a round
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    pub seconds: f64,
    /// How often the two take turns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Threads of each side; else as many as PyTorch chooses
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
    /// Measure texts a second too
    #[arg(long)]
    pub texts: bool,
}

/// What `bench vis` takes.
#[derive(Debug, Args)]
pub struct BenchVis {
    /// The network: the one that comes along, or one of OpenAI's architectures with random weights
    #[arg(long, value_enum, value_name = "MODEL", default_value_t = Visualised::Emoji)]
    pub model: Visualised,
    /// Side of the pictures, in pixels
    #[arg(long, value_name = "PX", default_value_t = 128, value_parser = clap::value_parser!(u32).range(16..))]
    pub size: u32,
    /// Steps of Adam
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..))]
    pub steps: u32,
    /// How often the two take turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Threads of each side; else as many as PyTorch chooses
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
}

/// What `bench vis` makes pictures of: networks without a fixed size of what they see, but for their last part.
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
    /// Its name, which the script takes too.
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
    /// What is taken where none is named: both families, small and large.
    pub const USUAL: [Self; 4] = [Self::Rn50, Self::Rn50x4, Self::ViTB32, Self::ViTL14];

    /// OpenAI's name, which the scripts take too.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Arithmetic that processors have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// Single precision
    F32,
    /// Brain floating point
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
    /// Without this, a Chromium is looked for in CHROMIUM and on PATH, and on Debian, as root, installed. npm brings
    /// axe-core (0.7 MB), which looks through the pages for what keeps people from using them.
    #[arg(long)]
    pub no_browser: bool,
    /// Leave out the tests that save notes with vim, Emacs, nano, rsync, and on a file system without events
    ///
    /// Without this, these programs are looked for on PATH, and on Debian, as root, installed.
    #[arg(long)]
    pub no_editors: bool,
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
