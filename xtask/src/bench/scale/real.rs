//! Real workers, as processes of this machine: what their start costs, and what more of them gain.
//!
//! A garden of visualisations is built with and without workers. Times come from what lies in the store: when a worker first said
//! that it measures, and when the first and the last result were written.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};

use crate::programs::{Compiled, Programs, compile};
use crate::run::repository;
use crate::say::out;

/// How often the store is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How long workers may take to end.
const LEAVE: Duration = Duration::from_secs(15);

/// Seconds of one build.
struct Times {
    /// From the start to a worker, or the lab, that measures.
    begins: f64,
    /// From there to the last result.
    measures: f64,
    /// From there to the end of the program, with the site written.
    ends: f64,
}

/// Measures a garden of so many visualisations with each of these numbers of workers, and without any.
pub fn real(counts: &[u32], figures: u32, parent: &Path) -> Result<i32> {
    let repository = repository()?;
    let programs = match compile(&repository)? {
        Compiled::Failed(code) => return Ok(code),
        Compiled::Programs(programs) => programs,
    };
    out(format_args!(
        "\n{:>8} {:>9} {:>10} {:>10} {:>8} {:>11}\n",
        "workers", "figures", "begins s", "measures s", "ends s", "efficiency"
    ));
    let mut one = None;
    for count in std::iter::once(None).chain(counts.iter().copied().map(Some)) {
        let times = build(&programs, &repository, figures, count, parent)?;
        if count == Some(1) {
            one = Some(times.measures);
        }
        let efficiency = one.zip(count).map(|(one, count)| one / times.measures / f64::from(count));
        out(format_args!(
            "{:>8} {figures:>9} {:>10.2} {:>10.2} {:>8.2} {:>11}\n",
            count.map_or("no pool".to_owned(), |count| count.to_string()),
            times.begins,
            times.measures,
            times.ends,
            efficiency.map_or_else(String::new, |part| format!("{:.0}%", 100.0 * part)),
        ));
    }
    Ok(0)
}

fn build(
    programs: &Programs,
    repository: &Path,
    figures: u32,
    workers: Option<u32>,
    parent: &Path,
) -> Result<Times> {
    let garden = tempfile::tempdir_in(parent)
        .with_context(|| format!("{} cannot be used", parent.display()))?;
    let root = garden.path();
    let model = repository.join("models/emoji-clip.safetensors");
    let config = format!(
        "title: Scale\nmodels:\n  emoji: {{ path: {} }}\ndefaults: {{ model: emoji }}\ndevice: cpu\ncontrols: off\n\
         run:\n  pool: {{ engine: local, workers: {}, device: cpu, idle: 2 s }}\n",
        model.display(),
        workers.unwrap_or(1)
    );
    fs::write(root.join("neuronotes.yaml"), config)?;
    fs::create_dir(root.join("notes"))?;
    let units: Vec<String> = (0..figures).map(|unit| unit.to_string()).collect();
    let note = format!(
        "# Scale\n\n```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/1/Add_6\nsize: 96\nsteps: 64\n\
         sweep: {{ unit: [{}] }}\n```\n",
        units.join(", ")
    );
    fs::write(root.join("notes/index.md"), note)?;
    let mut command = Command::new(&programs.neuronotes);
    command.args(["build", "--root"]).arg(root).env("NEURONOTES_LAB", &programs.lab);
    if workers.is_some() {
        command.args(["--on", "pool"]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let (started, clock) = (SystemTime::now(), Instant::now());
    let mut child = command.spawn().context("neuronotes did not start")?;
    let store = root.join(".neuronotes/store/v1");
    let mut begins = None;
    let status = loop {
        if begins.is_none() && measures(&store, workers.is_some()) {
            begins = Some(clock.elapsed().as_secs_f64());
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(LOOK);
    };
    let all = clock.elapsed().as_secs_f64();
    if workers.is_some() {
        end(programs, root, &store)?;
    }
    if !status.success() {
        bail!("the build with {workers:?} workers failed");
    }
    let last = last_record(&store)?.duration_since(started)?.as_secs_f64();
    let begins = begins.context("no worker was seen at work")?;
    Ok(Times { begins, measures: last - begins, ends: all - last })
}

/// Ends the workers, which would wait for the store once its folder is gone.
fn end(programs: &Programs, root: &Path, store: &Path) -> Result<()> {
    let mut command = Command::new(&programs.neuronotes);
    command.args(["jobs", "cancel", "pool", "--root"]).arg(root);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().context("neuronotes did not start")?;
    let until = Instant::now() + LEAVE;
    let workers = store.join("pools/pool/workers");
    while Instant::now() < until && fs::read_dir(&workers)?.next().is_some() {
        thread::sleep(LOOK);
    }
    Ok(())
}

/// Whether somebody measures: a worker says so, or without a pool the lab has claimed a request.
fn measures(store: &Path, is_pool: bool) -> bool {
    let folder = store.join(if is_pool { "pools/pool/workers" } else { "claims" });
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let mut paths = entries.flatten().map(|entry| entry.path());
    match is_pool {
        true => paths.any(|path| {
            fs::read_to_string(path).is_ok_and(|status| status.contains("\"working\""))
        }),
        false => paths.next().is_some(),
    }
}

/// When the last result was written.
fn last_record(store: &Path) -> Result<SystemTime> {
    let mut last = None;
    for folder in fs::read_dir(store.join("records"))? {
        for record in fs::read_dir(folder?.path())? {
            last = last.max(Some(record?.metadata()?.modified()?));
        }
    }
    last.context("nothing was measured")
}
