//! `neuronotes dataset`: lists data sets and shows what was read from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use neuronotes_core::cut::Cut as _;
use neuronotes_core::dataset::ledger::{Ledger, What};
use neuronotes_core::dataset::{self, Draw, FORMATS, Labels, Listing, Samples, piece};
use neuronotes_core::files::FileDigests;
use neuronotes_core::number::thousands;
use neuronotes_core::say;
use neuronotes_core::sniff;
use neuronotes_core::suggest;
use serde::Serialize;

use super::extent::{Extent, Scan};
use super::format::Format;
use super::garden::{Garden, root};
use crate::bundled::{self, Bundled};
use crate::config::DatasetSource;
use crate::resource;
use crate::workspace::Workspace;

/// Maximum number of labels that are listed.
const NAMED: usize = 12;
/// Maximum number of shards that are listed for a person.
const SHARDS: usize = 12;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the garden's data sets and what is in them
    List {
        #[command(flatten)]
        garden: Garden,
    },
    /// Show what was read from a data set, and what was skipped
    ///
    /// Lists the number of pictures and their sizes, captions and labels, what a scan of it costs, and everything that was
    /// skipped, with the reason.
    Info {
        /// Name from `datasets:` in `neuronotes.yaml`; `emoji` or `words`, which come with the program; or a file or folder
        /// [default: the one in `defaults:`]
        name: Option<String>,
        /// Use the names of the pictures' folders as labels, as `labels: folders` does; for a file or folder
        #[arg(long)]
        folders: bool,
        #[command(flatten)]
        garden: Garden,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

/// The formats of data sets, for the command line's help.
pub(super) fn formats() -> String {
    let mut out = "Formats:\n".to_owned();
    for format in FORMATS {
        let _ = writeln!(out, "  {:<8} {}", format.name, format.doc);
    }
    out.push_str("\nA data set may have several shards, all of one format.");
    out
}

pub(super) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { garden } => say::out(&list(&root(garden.root)?)?),
        Command::Info { name, folders, garden, format } => {
            let scan = root(garden.root.clone()).ok().and_then(|root| Scan::of(&root));
            let (name, source) = named(garden.root, name, folders)?;
            let info = Info::of(&name, &source, scan)?;
            match format {
                Format::Human => say::out(&info.text()),
                Format::Json => say::json(&serde_json::to_string(&info)?),
            }
        }
    }
    Ok(())
}

fn list(root: &Path) -> anyhow::Result<String> {
    let mut workspace = Workspace::open(root)?;
    let mut resources = resource::Resources::default();
    let names: Vec<String> = workspace.config.datasets.keys().cloned().collect();
    let mut out = String::new();
    for name in &names {
        let found = resources.looked_at(&workspace.config, &mut workspace.digests, name);
        let said = match found {
            Ok(found) => {
                let ledger = &found.ledger;
                let what = match found.reference.draw {
                    Some(_) => "pictures of words",
                    None => found.reference.format.samples.noun(),
                };
                let left = ledger.warnings().len();
                let left = match left {
                    0 => String::new(),
                    _ => format!(
                        "; some entries were skipped: `neuronotes dataset info {name}` lists them"
                    ),
                };
                let count = counted(ledger.pictures, what);
                let shards = found.reference.files().len();
                let shards =
                    if shards == 1 { String::new() } else { format!(" in {shards} shards") };
                format!("{count}{shards}{left}")
            }
            Err(error) => error.message,
        };
        let written = workspace.config.datasets[name].shown();
        let (name, written) = (say::name(name), say::name(&written));
        let _ = writeln!(out, "{name:<15} {written:<32} {}", say::name(&said));
    }
    for name in bundled::DATASETS.iter().filter(|name| !names.iter().any(|own| own == **name)) {
        let summary = bundled::dataset(name).map_or("", |bundled| bundled.summary);
        let _ = writeln!(out, "{name:<15} {:<32} {summary}", "comes with the program");
    }
    if names.is_empty() {
        out.push_str("the garden has no data sets of its own; add them to neuronotes.yaml: `datasets: { NAME: { path: … } }`\n");
    }
    workspace.save_digests();
    Ok(out)
}

/// `1,494 pictures`, `1 picture`.
fn counted(count: u64, nouns: &str) -> String {
    let noun = match count {
        1 => nouns.trim_end_matches(" of words").trim_end_matches('s'),
        _ => nouns,
    };
    format!("{} {noun}", thousands(count))
}

/// A data set that comes with the program.
fn with_program(name: &str, bundled: &Bundled) -> anyhow::Result<(String, DatasetSource)> {
    let path = bundled
        .unpacked(&mut FileDigests::default())
        .map_err(|error| anyhow::anyhow!("{error}\nhint: {}", error.hint()))?;
    Ok((name.to_owned(), DatasetSource::of_file(&path)))
}

/// The data set with a name or path. A name from the garden's configuration, or of a data set that comes with the program,
/// takes precedence over a file.
fn named(
    garden: Option<PathBuf>,
    name: Option<String>,
    folders: bool,
) -> anyhow::Result<(String, DatasetSource)> {
    let opened = root(garden).and_then(|root| Ok(Workspace::open(&root)?));
    let labels = if folders { Labels::Folders } else { Labels::Files };
    let of_path = |name: &str| {
        let here = std::env::current_dir()?;
        let source = DatasetSource::of_path(name.to_owned(), here);
        anyhow::Ok((name.to_owned(), DatasetSource { labels, ..source }))
    };
    let is_path = |name: &str| Path::new(name).exists() || name.contains(['*', '{']);
    let workspace = match (opened, &name) {
        (Ok(workspace), _) => workspace,
        (Err(error), None) => return Err(error),
        (Err(error), Some(name)) => {
            return match bundled::dataset(name) {
                Some(bundled) => with_program(name, bundled),
                None if is_path(name) => of_path(name),
                None => Err(error),
            };
        }
    };
    let datasets = &workspace.config.datasets;
    let only = (datasets.len() == 1).then(|| datasets.keys().next().cloned()).flatten();
    let Some(name) = name.or(workspace.config.defaults.dataset.clone()).or(only) else {
        let names = workspace.config.dataset_names();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        anyhow::bail!(
            "no data set was given, and `defaults:` has none\nhint: known: {}",
            suggest::quoted(&names, "and")
        );
    };
    match (datasets.get(&name), bundled::dataset(&name)) {
        (Some(source), _) => Ok((name, source.clone())),
        (None, Some(bundled)) => with_program(&name, bundled),
        (None, None) if is_path(&name) => of_path(&name),
        (None, None) => {
            let hint = suggest::hint(&name, workspace.config.dataset_names());
            let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            anyhow::bail!("`{name}` is neither a data set of the garden nor a file{hint}")
        }
    }
}

/// What was read from a data set.
#[derive(Debug, Serialize)]
struct Info {
    name: String,
    path: Vec<String>,
    format: &'static dataset::Format,
    /// How words are drawn, if not as by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    draw: Option<Draw>,
    /// Number of different words, if it is said how they are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<u64>,
    shards: Vec<Shard>,
    /// Number of pieces that are scanned one by one: shards, or parts of large ones.
    pieces: usize,
    ledger: Ledger,
    /// The columns of a table that were read, by what they are for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    columns: BTreeMap<&'static str, String>,
    /// Number of occurrences of each label.
    labels: BTreeMap<String, u64>,
    /// How large the pictures are.
    pictures: Extent,
    /// What a scan costs, in a garden.
    #[serde(skip_serializing_if = "Option::is_none")]
    scan: Option<Scan>,
}

#[derive(Debug, Serialize)]
struct Shard {
    path: PathBuf,
    digest: String,
    ledger: Ledger,
}

impl Info {
    fn of(name: &str, source: &DatasetSource, scan: Option<Scan>) -> anyhow::Result<Self> {
        let hinted = |message: String, hint: Option<String>| {
            let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            anyhow::anyhow!("{message}{hint}")
        };
        let found = resource::shards(source).map_err(|error| hinted(error.message, error.hint))?;
        let mut info = Self {
            name: name.to_owned(),
            path: source.paths.clone(),
            format: found.format,
            draw: None,
            words: None,
            shards: Vec::new(),
            pieces: 0,
            ledger: found.ledger,
            columns: BTreeMap::new(),
            labels: BTreeMap::new(),
            pictures: Extent::default(),
            scan,
        };
        let (mut digests, mut reading) = (FileDigests::default(), source.reading());
        reading.draw = resource::draw(name, source, found.format, &mut digests)
            .map_err(|error| hinted(error.message, error.hint))?;
        let mut words = BTreeSet::new();
        for path in found.paths {
            let listing = dataset::list(&path, found.format, &reading)
                .map_err(|error| hinted(error.to_string(), error.hint().map(str::to_owned)))?;
            let digest = (found.format.digest)(&mut digests, &path, &reading.table)?;
            info.pieces += match found.format.samples {
                Samples::Pictures => piece::count(&listing),
                Samples::Words => 1,
            };
            info.columns.extend(listing.columns.iter().cloned());
            let ledger = info.look_into(&listing);
            info.ledger.merge(&ledger);
            info.pictures.add(&listing);
            info.shards.push(Shard { path, digest: digest.hex(), ledger });
            if reading.draw.is_some() {
                words.extend(listing.samples.into_iter().filter_map(|sample| sample.caption));
            }
        }
        info.words = reading.draw.is_some().then_some(words.len() as u64);
        info.draw = reading.draw;
        Ok(info)
    }

    /// Counts a shard's labels, and returns its ledger without files whose first bytes are not those of a picture.
    fn look_into(&mut self, listing: &Listing) -> Ledger {
        let mut ledger = listing.ledger.clone();
        for (row, sample) in listing.samples.iter().enumerate() {
            let why = match listing.start(row) {
                _ if self.format.samples == Samples::Words => None,
                Ok(start) if sniff::is_picture(&start) => None,
                Ok(_) => Some("its first bytes are not those of a picture".to_owned()),
                Err(why) => Some(format!("it cannot be read ({why})")),
            };
            if let Some(why) = why {
                ledger.pictures -= 1;
                ledger.captions -= u64::from(sample.caption.is_some());
                ledger.labels -= u64::from(sample.label.is_some());
                ledger.lose(What::Picture, why, sample.key.clone());
            } else if let Some(label) = &sample.label {
                *self.labels.entry(label.clone()).or_default() += 1;
            }
        }
        ledger
    }

    fn text(&self) -> String {
        let path = match self.path.as_slice() {
            [] => format!("words in {}", crate::config::FILE),
            paths => paths.join(", "),
        };
        let mut out = format!("{}: {}\n", say::name(&self.name), say::name(&path));
        let ledger = &self.ledger;
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "  {name:<10} {}", say::name(&value));
        };
        let format = self.format.summary;
        line(
            "format",
            match self.shards.len() {
                1 => format.to_owned(),
                count => format!("{format}, {count} shards"),
            },
        );
        if !self.columns.is_empty() {
            let column = |(role, name): (&&str, &String)| format!("{role}: `{name}`");
            let columns: Vec<String> = self.columns.iter().map(column).collect();
            line("columns", columns.join(", "));
        }
        line("entries", thousands(ledger.entries));
        match (&self.draw, self.words) {
            (Some(draw), Some(words)) => {
                line("words", thousands(words));
                line("pictures", format!("{}: {}", thousands(ledger.pictures), draw.summary()));
            }
            _ => line(self.format.samples.noun(), thousands(ledger.pictures)),
        }
        if let Some(sizes) = self.pictures.text(ledger.pictures) {
            line("sizes", sizes);
        }
        line("captions", thousands(ledger.captions));
        line("labels", self.labels());
        if ledger.folders > 0 {
            line("folders", thousands(ledger.folders));
        }
        if self.pieces > self.shards.len() {
            line("pieces", format!("{}, each scanned by itself", thousands(self.pieces as u64)));
        }
        if let Some(scan) = &self.scan {
            line("scan", scan.text(ledger.pictures));
        }
        match ledger.left_out().as_slice() {
            [] => line("skipped", "nothing".to_owned()),
            all => {
                for (index, one) in all.iter().enumerate() {
                    line(if index == 0 { "skipped" } else { "" }, one.clone());
                }
            }
        }
        for shard in self.shards.iter().take(SHARDS) {
            let what = match self.draw {
                Some(_) => Samples::Pictures,
                None => self.format.samples,
            };
            let pictures = counted(shard.ledger.pictures, what.noun());
            let digest = shard.digest.cut(..12);
            line("shard", format!("{} ({pictures}, {digest})", shard.path.display()));
        }
        if let Some(more) = self.shards.len().checked_sub(SHARDS).filter(|more| *more > 0) {
            line("", format!("and {} more; `--format json` lists all", thousands(more as u64)));
        }
        out
    }

    fn labels(&self) -> String {
        let count = thousands(self.ledger.labels);
        if self.labels.is_empty() {
            return count;
        }
        let mut all: Vec<(&String, &u64)> = self.labels.iter().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let named: Vec<String> =
            all.iter().take(NAMED).map(|(label, count)| format!("{label} ({count})")).collect();
        let more = if all.len() > NAMED { ", …" } else { "" };
        format!("{count}, {} different: {}{more}", all.len(), named.join(", "))
    }
}
