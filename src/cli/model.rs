//! `neuronotes model`: lists and describes models, and fetches weights into the cache folder.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use indicatif::DecimalBytes;
use neuronotes_core::files::FileDigests;
use neuronotes_core::model::ModelRef;
use neuronotes_core::model::{
    Architecture, Conventions, Given, Header, ModelError, describe, parts,
};
use neuronotes_core::say;
use neuronotes_core::suggest;

use super::garden::{Garden, nearest_garden, root};
use crate::bundled;
use crate::config::{self, Config, DictionarySource, Place, Weights};
use crate::measure::progress::Transfer;
use crate::resource::Resources;
use crate::weights::catalogue::{self, KNOWN, Known};
use crate::weights::fetch::{Fetch, Fetched, Origin, Patience, Status, Wanted, status};
use crate::workspace::Workspace;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List known models, which of them are on this machine, and the garden's own
    List {
        #[command(flatten)]
        garden: Garden,
    },
    /// Fetch the weights of a known model
    ///
    /// Weights come from OpenAI and go to `models` in the cache folder, for all gardens. The cache folder is
    /// NEURONOTES_CACHE, or else `neuronotes` in the system's cache folder. `models: { RN50x4: {} }` in
    /// `neuronotes.yaml` then uses them. An interrupted fetch resumes where it stopped; a file gets its final name
    /// only once it is complete and its SHA-256 matches. HTTPS_PROXY, ALL_PROXY and NO_PROXY are respected.
    Fetch {
        /// Name such as RN50x4 or ViT-B/32 (ViT-B-32 also works); `neuronotes model list` lists them
        name: String,
        /// Fetch from another place: a URL, a file, or a folder that contains the file
        ///
        /// The SHA-256 is verified as usual. A URL that ends in `/` is a mirror of OpenAI's folder, with the file at
        /// SHA256/FILE; a folder has the file there or directly.
        #[arg(long, value_name = "URL|FILE")]
        from: Option<String>,
        /// Read weights that are already there and compare their SHA-256; fetch them again if it differs
        #[arg(long)]
        verify: bool,
    },
    /// Describe a model: sizes, parameters, digest, layers in both spellings with their numbers of units, and dictionaries
    /// over these
    ///
    /// Files and known models can be described outside a garden too.
    Info {
        /// Name from `models:` in `neuronotes.yaml` or from `model list`, or a file or folder of weights [default:
        /// the one in `defaults:`]
        name: Option<String>,
        #[command(flatten)]
        garden: Garden,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { garden } => say::out(&list(garden.root)?),
        Command::Fetch { name, from, verify } => fetch(&name, from.as_deref(), verify)?,
        Command::Info { name, garden } => say::out(&info(garden.root, name)?),
    }
    Ok(())
}

/// The folder that holds fetched weights.
fn folder() -> anyhow::Result<PathBuf> {
    catalogue::folder().map_err(|nowhere| {
        let variable = neuronotes_core::cache::VARIABLE;
        anyhow::anyhow!("no folder for weights: {nowhere}\nhint: set {variable} to a folder")
    })
}

fn list(garden: Option<PathBuf>) -> anyhow::Result<String> {
    let folder = folder()?;
    let mut out = format!(
        "{:<15} {:<32} {:>6}  {:>10}  weights in {}\n",
        "name",
        "pictures",
        "pixels",
        "parameters",
        folder.display()
    );
    for known in KNOWN {
        let millions = known.parameters as f64 / 1e6;
        let _ = writeln!(
            out,
            "{:<15} {:<32} {:>6}  {millions:>8.1} M  {}",
            known.name,
            known.tower.to_string(),
            known.pixels,
            state(&folder, known)
        );
    }
    if let Some(bundled) = bundled::model(bundled::MODEL) {
        let (name, size) = (bundled::MODEL, DecimalBytes(bundled.bytes().len() as u64));
        let _ = writeln!(out, "{name:<15} {}; comes with the program ({size})", bundled.summary);
    }
    out.push_str(
        "\n`neuronotes model fetch NAME` fetches weights; `model: NAME` in a block then uses them\n",
    );
    let here = std::env::current_dir()?;
    if let Some(root) = garden.as_deref().or_else(|| nearest_garden(&here)) {
        let file = root.join(config::FILE);
        let text = neuronotes_core::file::read(&file, config::LONGEST)
            .and_then(neuronotes_core::file::text)
            .map_err(|error| anyhow::anyhow!("{} cannot be read ({error})", file.display()))?;
        let (config, problems) = config::parse(&text, root);
        let _ = writeln!(out, "\n{}:", file.display());
        for (name, weights) in &config.models {
            let _ = writeln!(out, "{name:<15} {}", configured(&folder, weights));
        }
        if !problems.is_empty() {
            out.push_str("this file has errors; `neuronotes check` lists them\n");
        }
    }
    Ok(out)
}

/// Which part of a known model's weights is on this machine.
fn state(folder: &Path, known: &Known) -> String {
    let whole = (known.bytes as f64 / 1e6).round();
    match status(folder, known.file) {
        Status::There(bytes) => {
            format!("{} ({})", folder.join(known.file).display(), DecimalBytes(bytes))
        }
        Status::Partly(bytes) => format!("fetched {} of about {whole} MB", DecimalBytes(bytes)),
        Status::Missing => format!("missing (about {whole} MB)"),
    }
}

fn configured(folder: &Path, weights: &Weights) -> String {
    match &weights.place {
        Place::Known(known) => format!("{}: {}", known.name, state(folder, known)),
        Place::Bundled(bundled) => format!("comes with the program: {}", bundled.summary),
        Place::File(source) => match fs::metadata(&source.path) {
            Ok(_) => format!("{} ({})", source.written, DecimalBytes(parts::size(&source.path))),
            Err(error) => format!("{}: cannot be read ({error})", source.written),
        },
    }
}

fn fetch(name: &str, from: Option<&str>, verify: bool) -> anyhow::Result<()> {
    if let Some(bundled) = bundled::model(name) {
        let unpacked = bundled.unpacked(&mut FileDigests::default());
        let path = unpacked.map_err(|error| anyhow::anyhow!("{error}\nhint: {}", error.hint()))?;
        say::err(format_args!("{name} comes with the program; unpacked to:"));
        say::out(&format!("{}\n", path.display()));
        return Ok(());
    }
    let Some(known) = catalogue::find(name) else {
        let hint = suggest::hint(name, config::known_models()).unwrap_or_default();
        anyhow::bail!("unknown model `{name}`\nhint: {hint}");
    };
    let wanted = Wanted { name: known.name.into(), file: known.file.into(), sha256: known.sha256 };
    let origin = match from {
        Some(text) => Origin::parse(text, &wanted)?,
        None => Origin::Url(known.url()),
    };
    let patience = Patience::default();
    let fetch = Fetch { wanted, origin, folder: folder()?, verify, patience };
    let fetched = fetch.run(&mut Transfer::of(known.name))?;
    let path = fetch.path();
    match (fetched, verify) {
        (Fetched::Now, _) => {
            say::err(format_args!("{} was fetched, and its sha256 matches:", known.name));
        }
        (Fetched::Before, true) => {
            say::err(format_args!("{} was already there, and its sha256 matches:", known.name));
        }
        (Fetched::Before, false) => {
            say::err(format_args!(
                "{} was already there (`--verify` checks its sha256):",
                known.name
            ));
        }
    }
    say::out(&format!("{}\n", path.display()));
    Ok(())
}

fn info(garden: Option<PathBuf>, name: Option<String>) -> anyhow::Result<String> {
    // The garden's own models take precedence; then files; then models that are known by name everywhere.
    let asked_for_garden = garden.is_some();
    let opened = root(garden).and_then(|root| Ok(Workspace::open(&root)?));
    let (config, mut workspace) = match opened {
        Ok(workspace) => (workspace.config.clone(), Some(workspace)),
        Err(error) if asked_for_garden || name.is_none() => return Err(error),
        Err(_) => (Config::default(), None),
    };
    let own = |name: &String| config.models.contains_key(name);
    if let Some(name) = name.as_ref().filter(|name| !own(name))
        && Path::new(name).exists()
    {
        return info_of_file(Path::new(name));
    }
    let only = (config.models.len() == 1).then(|| config.models.keys().next().cloned()).flatten();
    let Some(name) = name.or(config.defaults.model.clone()).or(only) else {
        let names: Vec<String> = config.model_names().into_iter().map(str::to_owned).collect();
        anyhow::bail!(
            "no model was given, and `defaults:` has none\nhint: known: {}",
            suggest::quoted(&names, "and")
        );
    };
    let mut none = FileDigests::default();
    let digests = workspace.as_mut().map_or(&mut none, |workspace| &mut workspace.digests);
    let mut resources = Resources::default();
    let model = match resources.model(&config, digests, &name) {
        Ok(model) => model,
        Err(error) => match config.model(&name).map(|weights| weights.place.clone()) {
            // Without its weights, a known model can still be described.
            Some(Place::Known(known)) if !known.path().is_ok_and(|path| path.exists()) => {
                return Ok(info_without_weights(known, &folder()?));
            }
            _ => {
                let hint = error.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
                anyhow::bail!("{}{hint}", error.message)
            }
        },
    };
    let path = &model.reference.path;
    let file = match config.model(&name).map(|weights| weights.place.clone()) {
        Some(Place::File(source)) => source.written,
        _ => path.display().to_string(),
    };
    let header = Header::read(path)?;
    let dictionaries = dictionaries(&config, digests, &mut resources, &name);
    if let Some(workspace) = &mut workspace {
        workspace.save_digests();
    }
    Ok(describe(&file, &model.reference, &header, &model.architecture) + &dictionaries)
}

/// The garden's dictionaries over layers of a model; empty if there are none.
fn dictionaries(
    config: &Config,
    digests: &mut FileDigests,
    resources: &mut Resources,
    model: &str,
) -> String {
    let over = |source: &&DictionarySource| config.model_of(source) == Some(model);
    let rows: Vec<[String; 3]> = config
        .dictionaries
        .iter()
        .filter(|(_, source)| over(source))
        .map(|(name, source)| {
            let found = resources.dictionary(config, digests, name);
            let size = match found {
                Ok(found) => format!("{} features", found.features),
                Err(problem) => problem.message,
            };
            [name.clone(), source.layer.clone(), size]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["dictionary", "over the layer", "size"].map(str::to_owned);
    let all = || std::iter::once(&head).chain(&rows);
    let width = |at: usize| all().map(|row: &[String; 3]| row[at].len()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let line =
        |[name, layer, size]: &[String; 3]| format!("{name:first$}  {layer:second$}  {size}\n");
    format!("\n{}", all().map(line).collect::<String>())
}

/// Describes a model whose weights are not on this machine.
fn info_without_weights(known: &Known, folder: &Path) -> String {
    format!(
        "{}\npictures: {}, {} x {} pixels\nparameters: {:.1} M\nweights: {}\n\n\
         `neuronotes model fetch {}` fetches its weights; its layers are listed then\n",
        known.name,
        known.tower,
        known.pixels,
        known.pixels,
        known.parameters as f64 / 1e6,
        state(folder, known),
        known.name
    )
}

fn info_of_file(path: &Path) -> anyhow::Result<String> {
    let hinted = |error: ModelError| {
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        anyhow::anyhow!("{error}{hint}")
    };
    let path = &parts::locate(path)?;
    let header = Header::read(path).map_err(|error| hinted(error.into()))?;
    let conventions = Conventions::of(path, &header, &Given::default()).map_err(hinted)?;
    let architecture = Architecture::of_header(&header, &conventions).map_err(hinted)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let digest = parts::digest(&mut FileDigests::default(), path)?;
    let model = ModelRef { name, path: path.to_owned(), digest, conventions };
    Ok(describe(&path.display().to_string(), &model, &header, &architecture))
}
