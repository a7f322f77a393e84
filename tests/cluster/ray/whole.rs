//! Whole gardens, measured by workers of a real Ray while one of them is killed and another's node is lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::cluster::{Cluster, kill, processes};
use super::until;
use crate::common::{self, Garden, Run, program};
use crate::different;

/// The environment variable that the profile names for the token.
const TOKEN: &str = "TOKEN_OF_THE_TESTS";
/// Shards of the data set.
const SHARDS: u32 = 4;

/// A garden with visualisations, and questions to a scan of several shards.
fn garden(run: &str) -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let emoji = config.lines().find(|line| line.contains("emoji.tar")).expect("the data set");
    let ours = format!("  emoji: {{ path: \"data/{{0..{}}}\" }}", SHARDS - 1);
    garden.write("neuronotes.yaml", &format!("{}{run}", config.replace(emoji, &ours)));
    for shard in 0..SHARDS {
        fs::create_dir_all(garden.path(&format!("data/{shard}"))).expect("a folder");
        for at in 0..3 {
            let [red, green] = [shard, at].map(|n| u8::try_from(60 * n + 20).expect("a colour"));
            let picture = image::RgbImage::from_fn(48, 48, |x, y| {
                image::Rgb([red, green, if (x / 8 + y / 8) % 2 == 0 { 40 } else { 220 }])
            });
            picture.save(garden.path(&format!("data/{shard}/{at}.png"))).expect("a picture");
        }
    }
    let vis = "kind: feature_vis\nid: vis\nsize: 48\nsteps: 24\nsweep: { unit: [1, 2, 3, 4, 5, 6, 7, 8] }\n";
    let histogram = |unit: u32| {
        format!("kind: activation_histogram\nid: histogram-{unit}\nbins: 4\nunit: {unit}\n")
    };
    let blocks = [vis.to_owned(), histogram(3), histogram(4)]
        .map(|block| format!("```yaml analysis\n{block}layer: image_block_4/0/Add_6\n```\n\n"));
    garden.note("index.md", &format!("# Squares\n\n{}", blocks.concat()));
    garden
}

/// The lab that measures, built beside the program.
fn lab() -> PathBuf {
    let given = std::env::var_os("NEURONOTES_LAB").map(PathBuf::from);
    let lab = given.unwrap_or_else(|| program().with_file_name("neuronotes-lab"));
    assert!(lab.is_file(), "{} is not built: run `cargo xtask test`", lab.display());
    lab
}

fn command(garden: &Garden, token: &str, arguments: &[&str]) -> Command {
    let mut command = garden.command(arguments);
    command.env("NEURONOTES_LAB", lab()).env(TOKEN, token);
    command
}

fn profile(cluster: &Cluster, more: &str) -> String {
    format!(
        "run: {{ ray: {{ address: \"{}\", token: {TOKEN}, workers: 2, device: cpu, idle: 4 s{more} }} }}\n",
        cluster.address
    )
}

/// A build that goes on beside the test.
struct Building(Child);

impl Building {
    fn of(garden: &Garden, token: &str) -> Self {
        let file = |name: &str| fs::File::create(garden.path(name)).expect("a file");
        let mut command = command(garden, token, &["build", "--on", "ray"]);
        command.stdin(Stdio::null()).stdout(file("out.txt")).stderr(file("err.txt"));
        Self(command.spawn().expect("neuronotes runs"))
    }

    fn is_over(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_some()
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn records(garden: &Garden) -> usize {
    common::files(&garden.path(".neuronotes/store/v1/records")).len()
}

/// The worker of this garden on a machine, as it is seen in the list of processes.
fn worker(garden: &Garden) -> Option<u32> {
    let store = garden.path(".neuronotes/store").display().to_string();
    let is_worker =
        |command: &str| command.contains("neuronotes-lab work ") && command.contains(&store);
    processes().find(|(_, command)| is_worker(command)).map(|(pid, _)| pid)
}

/// A site is the same when one worker is killed and the node of another is lost.
pub fn a_site_is_the_same_whatever_becomes_of_its_workers(cluster: &mut Cluster, node: &str) {
    let one = garden("");
    let alone = Run(command(&one, "", &["build"]).output().expect("neuronotes runs"));
    assert_eq!(alone.code(), 0, "{}", alone.stderr());

    let garden = garden(&profile(cluster, ""));
    let mut build = Building::of(&garden, &cluster.token);
    let (mut killed, mut lost) = (false, false);
    let mut over = false;
    until("the build ends", || {
        over = build.is_over();
        let measured = records(&garden);
        if !killed && measured > 0 {
            if let Some(pid) = worker(&garden) {
                kill(pid);
                killed = true;
            }
        } else if killed && !lost && measured > 3 {
            cluster.lose(node);
            lost = true;
        }
        over
    });
    let said = garden.read("err.txt");
    assert!(killed, "nobody was killed: {said}");
    assert_eq!(build.0.wait().expect("a child").code(), Some(0), "{said}");
    assert_eq!(records(&garden), records(&one), "the same results, and no others");
    let (found, expected): (BTreeMap<_, _>, BTreeMap<_, _>) = (garden.output(), one.output());
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, bytes) in &expected {
        if let Some((one, other)) = different(&found[name], bytes) {
            panic!("{name} is different:\n{one}\n{other}");
        }
    }
    for (name, bytes) in common::files(garden.root()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(&cluster.token), "{name} has the token");
    }
    let again = command(&garden, &cluster.token, &["build", "--on", "ray"]).output();
    let again = Run(again.expect("neuronotes runs"));
    assert!(again.summary().contains("0 figures measured"), "{}", again.stderr());
}

/// What is wrong with the profile is said at the figures.
pub fn what_is_wrong_is_said_at_the_figures(cluster: &Cluster) {
    let build = |run: &str, token: &str| {
        let garden = garden(run);
        let run = command(&garden, token, &["build", "--on", "ray"]).output();
        let run = Run(run.expect("neuronotes runs"));
        assert_eq!(run.code(), 1, "{}", run.stderr());
        run.stderr()
    };
    let said = build(&profile(cluster, ""), "wrong");
    assert!(said.contains("denied access"), "{said}");
    let said = build("run: { ray: { address: \"http://127.0.0.1:9\", device: cpu } }\n", "");
    assert!(said.contains("Ray was not found at http://127.0.0.1:9"), "{said}");
}
