//! Time from a save until the browser's document changes, in percentiles and by phase (`cargo xtask bench react`).
//!
//! The program serves a garden of each size, and Chromium shows one of its notes. The note is saved alternately by
//! renaming a new file into place and by writing and closing. The clock starts right before that system call, and
//! stops when a `MutationObserver` in the page finds the new text.

#[path = "garden.rs"]
mod garden;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use headless_chrome::{Browser, LaunchOptions, Tab};
use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::kind::feature_vis;

/// Arguments.
#[derive(Debug, Parser)]
struct Arguments {
    /// Numbers of notes of the gardens
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    notes: Vec<usize>,
    /// Number of saves of each kind
    #[arg(long, default_value_t = 100)]
    saves: usize,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// Script that records when a marker of each save appears in the document.
const OBSERVE: &str = "window.seen = {}; \
    const look = () => { \
      const now = performance.timeOrigin + performance.now(); \
      for (const found of (document.querySelector('article')?.textContent ?? '').matchAll(/edit-(\\d+)/g)) \
        if (!(found[1] in seen)) seen[found[1]] = [now, document.documentElement.dataset.milliseconds]; \
    }; \
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });";

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let browser = browser()?;
    println!(
        "milliseconds from the save to the changed document; each of {} saves\n",
        arguments.saves
    );
    println!(
        "{:>7}  {:<22} {:>7} {:>7} {:>7}   phases at the median",
        "notes", "change", "50%", "95%", "most"
    );
    for notes in arguments.notes {
        measure(&browser, notes, arguments.saves)?;
    }
    Ok(())
}

fn measure(browser: &Browser, notes: usize, saves: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().canonicalize()?;
    garden::write(&root, notes)?;
    let number = notes / 2;
    // Two blocks with stored results, between which the saves of the second kind change.
    let block = |unit: usize| {
        format!(
            "```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: {unit}\n```\n"
        )
    };
    for unit in 0..2 {
        std::fs::write(garden::path(&root, number), garden::note(number, notes, &block(unit)))?;
        store_results(&root)?;
    }
    let served = Served::of(&root)?;
    let tab = browser.new_tab()?;
    tab.set_default_timeout(Duration::from_secs(60));
    tab.navigate_to(&format!("{}{}", served.url, garden::page(number)))?.wait_until_navigated()?;
    wait(&tab, "Boolean(document.documentElement.dataset.patched)")?;
    tab.evaluate(OBSERVE, false)?;
    let mut count = 0;
    for what in ["a paragraph", "a block that is stored", "a heading"] {
        let offset = offset(&tab)?;
        let mut all: Vec<(f64, [f64; 3])> = Vec::new();
        for save in 0..saves {
            count += 1;
            let more = match what {
                "a paragraph" => format!("edit-{count}\n"),
                "a heading" => format!("## edit-{count}\n"),
                _ => format!("{}\nedit-{count}\n", block(save % 2)),
            };
            let text = garden::note(number, notes, &more);
            let at = write(&garden::path(&root, number), &text, save % 2 == 0)?;
            let seen = format!("Boolean(window.seen[{count}])");
            wait(&tab, &seen)?;
            let (then, times) = seen_at(&tab, count)?;
            all.push((then - offset - at, times));
            // Nobody saves in step with anything.
            std::thread::sleep(Duration::from_millis(120 + (count * 37) as u64 % 200));
        }
        report(notes, what, &mut all);
    }
    if std::env::var_os("NEURONOTES_LAB").is_some() {
        first_sign(&tab, &root, number, notes)?;
    }
    tab.close(true)?;
    Ok(())
}

/// Measures how long a new measurement takes to show its first sign with a running lab.
fn first_sign(tab: &Tab, root: &Path, number: usize, notes: usize) -> Result<()> {
    let offset = offset(tab)?;
    let signs = "window.signs = {}; new MutationObserver(() => { \
        const figure = document.querySelector('#vis'); \
        const said = figure?.querySelector('[data-status]')?.textContent ?? ''; \
        if (/step/.test(said) || figure?.matches('.done')) signs[figure.dataset.key] ??= performance.timeOrigin + performance.now(); \
      }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });";
    tab.evaluate(signs, false)?;
    let mut all = Vec::new();
    for unit in 0..21 {
        let block = format!(
            "```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: {}\nsize: 64\nsteps: 24\n```\n",
            unit + 10
        );
        let before = value(tab, "Object.keys(signs).length")?;
        let at = write(
            &garden::path(root, number),
            &garden::note(number, notes, &block),
            unit % 2 == 0,
        )?;
        wait(tab, &format!("Object.keys(signs).length > {before}"))?;
        let then = value(tab, "Math.max(...Object.values(signs))")?.as_f64().unwrap_or_default();
        wait(tab, "Boolean(document.querySelector('#vis.done'))")?;
        // The first one starts the lab.
        if unit > 0 {
            all.push((then - offset - at, [0.0; 3]));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    report(notes, "a new measurement", &mut all);
    Ok(())
}

/// Stores made-up results for everything the garden requests, without measuring.
fn store_results(root: &Path) -> Result<()> {
    let mut workspace = Workspace::open(root)?;
    let mut png = Vec::new();
    let image = image::RgbImage::from_pixel(224, 224, image::Rgb([90, 60, 200]));
    image.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)?;
    let store = workspace.store.clone();
    for (_, request) in site::wishes(&mut workspace).missing {
        let sample = (feature_vis::KIND.sample)(&request.params, 2.5);
        let mut record = sample.record(&store, &request, |_| png.clone())?;
        let outcome = feature_vis::Outcome { size: 224, ..feature_vis::sample(1, 2.5) };
        record.set_result(&store, &outcome)?;
        store.commit(&record)?;
    }
    Ok(())
}

/// Saves, and returns when, in milliseconds since 1970: right before the call that finishes it.
fn write(path: &Path, text: &str, by_rename: bool) -> Result<f64> {
    if by_rename {
        let beside = path.with_extension("md~");
        std::fs::write(&beside, text)?;
        let at = now();
        std::fs::rename(beside, path)?;
        return Ok(at);
    }
    let mut file = std::fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
    let at = now();
    drop(file);
    Ok(at)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

/// How far the page's precise clock, set when the page was loaded, is ahead of the system's, which this program uses.
fn offset(tab: &Tab) -> Result<f64> {
    // The system's clock as a page sees it counts whole milliseconds: half of one on average.
    let apart = "(() => { let sum = 0; for (let i = 0; i < 20000; i++) \
                 sum += performance.timeOrigin + performance.now() - Date.now(); return sum / 20000 - 0.5; })()";
    Ok(value(tab, apart)?.as_f64().unwrap_or_default())
}

fn seen_at(tab: &Tab, count: usize) -> Result<(f64, [f64; 3])> {
    let seen = value(tab, &format!("window.seen[{count}]"))?;
    let times =
        seen[1].as_str().unwrap_or_default().split(' ').map(|t| t.parse().unwrap_or_default());
    let times: Vec<f64> = times.collect();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    Ok((seen[0].as_f64().unwrap_or_default(), [at(0), at(1), at(2)]))
}

fn report(notes: usize, what: &str, all: &mut [(f64, [f64; 3])]) {
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |share: f64| all[((all.len() - 1) as f64 * share).round() as usize];
    let (median, [settled, read, rendered]) = at(0.5);
    let phases = match rendered {
        0.0 => String::new(),
        _ => format!(
            "quiet {settled:.1}, read and linked {:.1}, rendered {:.1}, sent and patched {:.1}",
            read - settled,
            rendered - read,
            median - rendered
        ),
    };
    println!(
        "{notes:>7}  {what:<22} {median:>7.1} {:>7.1} {:>7.1}   {phases}",
        at(0.95).0,
        at(1.0).0
    );
}

fn value(tab: &Tab, expression: &str) -> Result<serde_json::Value> {
    let result = tab.evaluate(&format!("JSON.stringify({expression})"), false)?;
    let text = result.value.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

fn wait(tab: &Tab, expression: &str) -> Result<()> {
    let begun = Instant::now();
    while value(tab, expression)? != true {
        if begun.elapsed() > Duration::from_secs(60) {
            bail!("never: {expression}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A running preview, ended on drop.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn of(root: &Path) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_neuronotes"));
        command.args(["serve", "--port", "0", "--root"]).arg(root).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let errors = child.stderr.take().context("standard error")?;
        let mut lines = BufReader::new(errors).lines();
        let first = lines.next().context("no line")??;
        let url = first.split_whitespace().next().context("no address")?.to_owned();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self { child, url })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn browser() -> Result<Arc<Browser>> {
    let path = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"];
    let options = LaunchOptions::default_builder()
        .path(path)
        .sandbox(false)
        .window_size(Some((1200, 900)))
        .idle_browser_timeout(Duration::from_secs(600))
        .args(quiet.map(OsStr::new).to_vec())
        .build()?;
    Ok(Arc::new(Browser::new(options)?))
}
