//! Whole gardens, measured by workers of a real Slurm while jobs are cancelled, put back and killed.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::site::{SITE, Site, kill};
use crate::common::{Garden, Run, files, program};
use crate::different;

const LAYER: &str = "image_block_4/0/Add_6";
/// Shards of the data set.
const SHARDS: u32 = 6;

/// A garden with visualisations, and questions to a scan of several shards.
fn garden(run: &str) -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let emoji = config.lines().find(|line| line.contains("emoji.tar")).expect("the data set");
    let ours = format!("  emoji: {{ path: \"data/{{0..{}}}\" }}", SHARDS - 1);
    garden.write("neuronotes.yaml", &format!("{}{run}", config.replace(emoji, &ours)));
    for shard in 0..SHARDS {
        let folder = garden.path(&format!("data/{shard}"));
        fs::create_dir_all(&folder).expect("a folder");
        for at in 0..4 {
            let seed = shard * 4 + at;
            let picture = image::RgbImage::from_fn(48, 48, |x, y| {
                let wave = |band: u32| (x * (seed % 5 + 1) + y * (seed % 3 + band)) as f32 * 0.1;
                image::Rgb([0, 1, 2].map(|band| (127.0 + 120.0 * wave(band).sin()) as u8))
            });
            picture.save(folder.join(format!("{at}.png"))).expect("a picture");
            fs::write(folder.join(format!("{at}.txt")), format!("wave {seed}")).expect("text");
        }
    }
    let vis = "kind: feature_vis\nid: vis\nsize: 48\nsteps: 96\nsweep: { unit: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }\n";
    let histogram = |unit: u32| {
        format!("kind: activation_histogram\nid: histogram-{unit}\nbins: 4\nunit: {unit}\n")
    };
    let blocks = [vis.to_owned(), histogram(3), histogram(4), histogram(5)]
        .map(|block| format!("```yaml analysis\n{block}layer: {LAYER}\n```\n\n"));
    garden.note("index.md", &format!("# Waves\n\n{}", blocks.concat()));
    garden
}

/// The lab that measures, built beside the program.
fn lab() -> PathBuf {
    let given = std::env::var_os("NEURONOTES_LAB").map(PathBuf::from);
    let lab = given.unwrap_or_else(|| program().with_file_name("neuronotes-lab"));
    assert!(lab.is_file(), "{} is not built: run `cargo xtask test`", lab.display());
    lab
}

fn command(garden: &Garden, site: &Site, arguments: &[&str]) -> Command {
    let mut command = garden.command(arguments);
    command.env("NEURONOTES_LAB", lab()).env("SLURM_CONF", site.conf());
    command
}

/// The profile of these tests: workers that do not stay.
fn profile(more: &str) -> String {
    format!("run: {{ slurm: {{ workers: 3, device: cpu, idle: 4 s{more} }} }}\n")
}

/// A build that goes on beside the test.
struct Building<'s> {
    site: &'s Site,
    child: Child,
}

impl<'s> Building<'s> {
    fn of(garden: &Garden, site: &'s Site) -> Self {
        let file = |name: &str| fs::File::create(garden.path(name)).expect("a file");
        let mut command = command(garden, site, &["build", "--on", "slurm"]);
        command.stdin(Stdio::null()).stdout(file("out.txt")).stderr(file("err.txt"));
        Self { site, child: command.spawn().expect("neuronotes runs") }
    }

    fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Its exit code, once it has ended.
    fn code(mut self) -> Option<i32> {
        let site = self.site;
        site.wait_until("the build has ended", || self.is_over());
        self.child.wait().expect("a child").code()
    }
}

impl Drop for Building<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The running workers of a garden's pool: only its jobs are those that have this name.
fn running(site: &Site, name: &str) -> Vec<String> {
    let said = site.said("squeue", &["-h", "-r", "-t", "R", "-n", name, "-o", "%i"]);
    said.lines().map(|line| line.trim().to_owned()).collect()
}

fn records(garden: &Garden) -> usize {
    files(&garden.path(".neuronotes/store/v1/records")).len()
}

fn jobs_name(garden: &Garden) -> String {
    let store = garden.path(".neuronotes/store");
    let store = neuronotes_core::store::Store::open(&store).expect("a store");
    let pool = neuronotes_core::pool::Pool::open(&store, "slurm").expect("a pool");
    pool.job_name().expect("a name")
}

#[test]
fn a_site_is_the_same_whatever_becomes_of_its_workers() {
    let Some(site) = &*SITE else { return };
    let one = garden("");
    let mut alone = one.command(&["build"]);
    let alone = Run(alone.env("NEURONOTES_LAB", lab()).output().expect("neuronotes runs"));
    assert_eq!(alone.code(), 0, "{}", alone.stderr());

    let garden = garden(&profile(""));
    let mut build = Building::of(&garden, site);
    let name = jobs_name(&garden);
    // One is cancelled from outside, one is put back into the queue, and of one the step is killed, so that Slurm loses sight of it.
    let mut done = 0;
    site.wait_until("three workers were disturbed, or all was measured", || {
        if build.is_over() {
            return true;
        }
        let Some(job) = running(site, &name).into_iter().next_back() else { return false };
        let has_begun = records(&garden) > done;
        if has_begun {
            match done {
                0 => drop(site.said("scontrol", &["requeue", &job])),
                1 => drop(site.said("scancel", &[&job])),
                _ => site.steps(&job).into_iter().for_each(kill),
            }
            done += 1;
        }
        done == 3
    });
    assert!(done > 0, "nobody was disturbed: {}", garden.read("err.txt"));
    assert_eq!(build.code(), Some(0), "{}", garden.read("err.txt"));
    assert_eq!(records(&garden), records(&one), "the same results, and no others");
    let blobs = |garden: &Garden| -> Vec<String> {
        files(&garden.path(".neuronotes/store/v1/blobs")).into_keys().collect()
    };
    // Byte for byte, since they are named by their content. Workers also put partial pictures there.
    let stored = blobs(&garden);
    let lost: Vec<String> = blobs(&one).into_iter().filter(|blob| !stored.contains(blob)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let (found, expected) = (garden.output(), one.output());
    assert!(found.keys().eq(expected.keys()), "{:?} {:?}", found.keys(), expected.keys());
    for (name, bytes) in &expected {
        if let Some((one, other)) = different(&found[name], bytes) {
            panic!("{name} is different:\n{one}\n{other}");
        }
    }
    let again = Run(command(&garden, site, &["build", "--on", "slurm"]).output().expect("it runs"));
    assert!(again.summary().contains("0 figures measured"), "{}", again.stderr());
    let _ = command(&garden, site, &["jobs", "cancel"]).output();
}

#[test]
fn what_slurm_refuses_is_said_at_the_figures() {
    let Some(site) = &*SITE else { return };
    let garden = garden(&profile(", partition: nowhere"));
    let build = Building::of(&garden, site);
    assert_eq!(build.code(), Some(1), "{}", garden.read("err.txt"));
    let said = garden.read("err.txt");
    assert!(said.contains("Slurm refused the job: invalid partition specified: nowhere"), "{said}");
    assert!(said.contains("`sinfo -s` lists the partitions"), "{said}");
    assert!(said.contains("notes/index.md"), "{said}");
}

#[test]
fn a_store_that_workers_do_not_see_is_found_by_the_first_of_them() {
    let Some(site) = &*SITE else { return };
    let garden = garden(&profile(", store: /nowhere/store"));
    let build = Building::of(&garden, site);
    assert_eq!(build.code(), Some(1), "{}", garden.read("err.txt"));
    let said = garden.read("err.txt");
    assert!(said.contains("the store"), "{said}");
}
