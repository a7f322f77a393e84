//! The arguments of `cargo xtask bench` and their help.

use clap::{Args, Subcommand, ValueEnum};

use super::model::Model;

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// The benchmark to run.
    #[command(subcommand)]
    pub what: Benched,
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
    /// Seconds per sparse probe of the lab, compared with scikit-learn's saga
    ///
    /// Both get the same made-up scan on the CPU. Measured are the lab's path of penalties from none to 30 weights a
    /// class, its path down to one penalty of about three, and saga for that penalty alone, until its objective is as
    /// low as the lab's, up to the lab's tolerance. saga takes minutes at the default size. scikit-learn
    /// is installed into the cache folder, unless NEURONOTES_PYTHON names a Python that has it.
    Probe(crate::bench::probe::BenchProbe),
    /// How far a garden's results are the same with other numbers of threads and other vector instructions
    ///
    /// The garden is built, and `neuronotes reproduce` measures it once more under each setting. Printed are, for each kind, how
    /// many results have the same bytes, are within their own noise, or are different, the largest difference, and texts that
    /// are others, such as classes. Measuring the demonstration once takes minutes; `--note` chooses some of it.
    Same(crate::bench::same::BenchSame),
    /// Seconds per figure of the kind `concept`, over a made-up scan
    ///
    /// The scan is compared in every way that the kind compares, with four controls and a group of pictures in another
    /// form. Printed are the seconds after which each step began and those of the whole, without reading the scan from
    /// the store.
    Concept(crate::bench::concept::BenchConcept),
    /// Pictures per second that the lab takes in, compared with a PyTorch DataLoader, Pillow and open_clip
    ///
    /// Both sides take in the same JPEGs of 500 x 375 and of 4000 x 3000 with the same threads, in turns in one run, first only
    /// to decode, resize and normalise them, then to scan a layer of Emoji-CLIP; medians are printed. If other work shares the
    /// cores, the ratio of processor times is the more stable one. Python is set up as for `parity`.
    Data(crate::bench::data::BenchData),
    /// Milliseconds per question to a stored scan
    ///
    /// A data set and its scans are made up. Questions of several kinds about a unit are measured from the request to the
    /// stored result: the first one in a new process, and further ones about other units. No Python is needed.
    Questions(crate::bench::data::BenchQuestions),
    /// Seconds per attribution by integrated gradients, compared with the passes that it needs
    ///
    /// A network of RN50x4's shape with random weights is shown one picture, and a logit is attributed to three layers.
    /// Printed is the time beside that of the ideal, one pass below the layer and a forward and backward pass above it for
    /// each node, both also in forward and backward passes of the whole network. They take turns in one run; medians are
    /// printed. No Python is needed.
    Attribution(crate::bench::attribution::BenchAttribution),
    /// Requests per second that a pool of workers and the store carry, and operations of the file system per request
    ///
    /// Workers are processes that claim units of work and commit their requests through the store, as on a cluster, but measure
    /// nothing. Printed are the seconds to put all units of work and to work them off, and the system calls of each request that
    /// open, look at, list, rename, link and remove files, or wait for the disk, counted by `strace` in runs of their own. What
    /// grows with the number of workers limits a cluster. Linux only. No Python is needed.
    Scale(crate::bench::scale::BenchScale),
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
