//! The targets: a reader, its inputs, and the invariants of its results.

mod bibliography;
mod block;
mod claim;
mod file;
mod garden;
mod jekyll;
mod note;
mod table;
mod text;
mod wire;

use crate::watch::watch;

/// A reader and its invariants.
#[derive(Debug)]
pub struct Target {
    /// Its name, also that of its folder of inputs.
    pub name: &'static str,
    /// A short description of its input.
    pub about: &'static str,
    /// Words of its format, which are inserted into inputs.
    pub words: &'static [&'static str],
    /// Maximum memory in bytes per byte of input, in addition to `spare`.
    pub memory: usize,
    /// Bytes that any input may allocate: tables that are built once, buffers of a fixed size.
    pub spare: usize,
    run: fn(&[u8]),
}

/// Enough for all targets but pictures, whose decoders have buffers of up to 128 MiB.
const SPARE: usize = 64 << 20;

/// All targets.
pub static TARGETS: &[Target] = &[
    Target {
        name: "note",
        about: "a note: its Markdown, parsed and made into a page",
        words: note::WORDS,
        memory: 20_000,
        spare: SPARE,
        run: note::note,
    },
    Target {
        name: "front-matter",
        about: "a note's front matter",
        words: note::FRONT_WORDS,
        memory: 4_000,
        spare: SPARE,
        run: note::front,
    },
    Target {
        name: "block",
        about: "an analysis block, from its YAML to its requests",
        words: block::WORDS,
        memory: 20_000,
        spare: SPARE,
        run: block::block,
    },
    Target {
        name: "values",
        about: "a value of a figure in prose, such as `= vis.activation | .1f`",
        words: note::VALUE_WORDS,
        memory: 4_000,
        spare: SPARE,
        run: note::values,
    },
    Target {
        name: "claim",
        about: "a condition of `expect:`, such as `top[0].deviations > 5`",
        words: claim::WORDS,
        memory: 20_000,
        spare: SPARE,
        run: claim::claim,
    },
    Target {
        name: "links",
        about: "links between the notes of a small garden",
        words: garden::WORDS,
        memory: 40_000,
        spare: SPARE,
        run: garden::links,
    },
    Target {
        name: "bibtex",
        about: "a bibliography, and citations of what is in it",
        words: bibliography::WORDS,
        memory: 100_000,
        spare: SPARE,
        run: bibliography::bibtex,
    },
    Target {
        name: "liquid",
        about: "a page of a Jekyll garden with Liquid in it",
        words: jekyll::WORDS,
        memory: 100_000,
        spare: SPARE,
        run: jekyll::liquid,
    },
    Target {
        name: "configuration",
        about: "neuronotes.yaml, and a Jekyll garden's _config.yml",
        words: text::CONFIGURATION_WORDS,
        memory: 4_000,
        spare: SPARE,
        run: text::configuration,
    },
    Target {
        name: "yaml",
        about: "any YAML: what is read is written and read again",
        words: text::YAML_WORDS,
        memory: 4_000,
        spare: SPARE,
        run: text::yaml,
    },
    Target {
        name: "pickle",
        about: "weights of PyTorch: an archive, or the pickle in one",
        words: file::PICKLE_WORDS,
        memory: 2_000,
        spare: SPARE,
        run: file::pickle,
    },
    Target {
        name: "safetensors",
        about: "weights in a safetensors file",
        words: file::SAFETENSORS_WORDS,
        memory: 1_000,
        spare: SPARE,
        run: file::safetensors,
    },
    Target {
        name: "tar",
        about: "a data set in a tar archive",
        words: file::TAR_WORDS,
        memory: 1_000,
        spare: SPARE,
        run: file::tar,
    },
    Target {
        name: "csv",
        about: "a data set in a table (CSV)",
        words: table::CSV_WORDS,
        memory: 1_000,
        spare: SPARE,
        run: table::csv,
    },
    Target {
        name: "jsonl",
        about: "a data set in a table (JSON Lines)",
        words: table::JSONL_WORDS,
        memory: 1_000,
        spare: SPARE,
        run: table::jsonl,
    },
    Target {
        name: "parquet",
        about: "a data set in a table (Parquet)",
        words: table::PARQUET_WORDS,
        memory: 2_000,
        // A page may be unpacked to 64 MiB whatever its size.
        spare: 4 * SPARE,
        run: table::parquet,
    },
    Target {
        name: "picture",
        about: "a picture's first bytes and its header",
        words: file::PICTURE_WORDS,
        memory: 1_000,
        spare: 3 * SPARE,
        run: file::picture,
    },
    Target {
        name: "record",
        about: "a record of the store",
        words: wire::RECORD_WORDS,
        memory: 1_000,
        spare: SPARE,
        run: wire::record,
    },
    Target {
        name: "protocol",
        about: "a line between the program and the lab",
        words: wire::PROTOCOL_WORDS,
        memory: 1_000,
        spare: SPARE,
        run: wire::protocol,
    },
    Target {
        name: "labels",
        about: "a file of labels that a rater saved, and the data of a labelling sheet",
        words: wire::LABEL_WORDS,
        memory: 1_000,
        spare: SPARE,
        run: wire::labels,
    },
];

impl Target {
    /// The target of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Runs the target on an input.
    ///
    /// # Errors
    /// Names the invariant that is violated.
    pub fn run(&self, input: &[u8]) -> Result<(), String> {
        let seen = watch(|| (self.run)(input));
        let most = self.spare + input.len() * self.memory;
        match seen.panics.as_slice() {
            [] if seen.most <= most => Ok(()),
            [] => Err(format!(
                "{} bytes were allocated at once for an input of {} bytes; the limit is {most}",
                seen.most,
                input.len()
            )),
            panics => Err(panics.join("\n")),
        }
    }
}

/// An input as text; invalid UTF-8 is replaced by replacement characters.
fn text(input: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(input)
}
