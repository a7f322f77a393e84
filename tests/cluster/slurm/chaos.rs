//! A garden is measured by workers on a real Slurm, while workers, their labs, steps, nodes, the controller and the client
//! itself are killed, requeued and cancelled at random moments. Nothing may be lost, and nothing that is stored measured again.
//!
//! `NEURONOTES_ROUNDS=100 NEURONOTES_SEED=7 cargo test --test cluster chaos -- --nocapture` repeats a longer run, except for timing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use neuronotes_core::digest::Digest;
use neuronotes_core::pool::{Pool, Seen};
use neuronotes_core::store::{Output, Record, Store};

use super::site::{NODES, Site, alone};
use crate::common::{Garden, block, repository};

/// Rounds of a usual run of the tests.
const ROUNDS: u64 = 2;
/// Shards of the data set.
const SHARDS: usize = 40;
/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// Repeatable random numbers: Marsaglia's xorshift64*.
struct Dice(u64);

impl Dice {
    /// A number from 0 to below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end.max(1)
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A garden with 200 figures over a data set of 40 shards.
fn garden() -> Garden {
    let garden = Garden::empty();
    let pictures = garden.path("pictures");
    fs::create_dir_all(garden.path("data")).expect("a folder");
    fs::create_dir(&pictures).expect("a folder");
    let unpack = Command::new("tar")
        .arg("xf")
        .arg(repository().join("data/emoji.tar"))
        .arg("-C")
        .arg(&pictures)
        .status();
    assert!(unpack.expect("tar runs").success());
    let mut names: Vec<String> = fs::read_dir(&pictures)
        .expect("pictures")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".png"))
        .collect();
    names.sort_unstable();
    // Four of a shard are enough.
    for shard in 0..SHARDS {
        let some = names.iter().skip(shard).step_by(SHARDS).take(4);
        let file = garden.path(&format!("data/part-{shard:02}.tar"));
        let packed =
            Command::new("tar").arg("cf").arg(file).arg("-C").arg(&pictures).args(some).status();
        assert!(packed.expect("tar runs").success());
    }
    fs::remove_dir_all(pictures).expect("removed");
    garden.write(
        "neuronotes.yaml",
        &format!(
            "title: Chaos\nmodels:\n  emoji: {{ path: {} }}\ndatasets:\n  parts: {{ path: \"data/part-*.tar\" }}\n\
             defaults: {{ model: emoji, dataset: parts }}\ndevice: cpu\ncontrols: off\n\
             run:\n  slurm: {{ workers: 3, time: 20 min, idle: 4 s, cpus: 1 }}\n",
            repository().join("models/emoji-clip.safetensors").display()
        ),
    );
    let mut note = "# Chaos\n\n".to_owned();
    for unit in 0..180 {
        let layer = "visual.layer4.1.add";
        note +=
            &block(&format!("id: e{unit}\nkind: dataset_examples\nlayer: {layer}\nunit: {unit}\n"));
    }
    for unit in 0..20 {
        let layer = "visual.layer3.1.add";
        note += &block(&format!(
            "id: v{unit}\nkind: feature_vis\nlayer: {layer}\nunit: {unit}\nsteps: 12\nsize: 32\n"
        ));
    }
    garden.note("index.md", &note);
    garden
}

/// All records of a garden by key, with their outputs, bytes on disk and times.
fn records(garden: &Garden) -> BTreeMap<Digest, (BTreeMap<String, Output>, PathBuf, SystemTime)> {
    let store = Store::open(&garden.path(".neuronotes/store")).expect("a store");
    let mut all = BTreeMap::new();
    for path in store.results().expect("a list") {
        let key =
            path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json")?.parse().ok());
        let Some(key) = key else { continue };
        let record: Record =
            store.record(&key).unwrap_or_else(|| panic!("{} is damaged", path.display()));
        let time = path.metadata().and_then(|meta| meta.modified()).expect("a time");
        all.insert(key, (record.outputs, path, time));
    }
    all
}

/// A build on Slurm that is running.
struct Client(Child);

impl Client {
    fn start(garden: &Garden, site: &Site) -> Self {
        let mut command = garden.command(&["build", "--on", "slurm"]);
        let said = fs::File::create(garden.path("said.txt")).expect("a file");
        command.env("SLURM_CONF", site.conf()).env("NEURONOTES_LAB", lab());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        Self(command.spawn().expect("neuronotes runs"))
    }

    fn has_ended(&mut self) -> Option<bool> {
        self.0.try_wait().expect("a state").map(|status| status.success())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lab's program.
fn lab() -> PathBuf {
    let beside = crate::common::program().with_file_name("neuronotes-lab");
    std::env::var_os("NEURONOTES_LAB").map_or(beside, PathBuf::from)
}

fn workers(garden: &Garden) -> Vec<Seen> {
    let store = Store::open(&garden.path(".neuronotes/store")).expect("a store");
    let pool = Pool::open(&store, "slurm").expect("a pool");
    let mut seen = pool.workers().unwrap_or_default();
    seen.retain(|one| Path::new(&format!("/proc/{}", one.status.pid)).exists());
    seen
}

fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// Does one harmful thing, and says what.
fn harm(site: &Site, garden: &Garden, client: &mut Client, dice: &mut Dice) -> String {
    let all = workers(garden);
    let some = (!all.is_empty()).then(|| &all[dice.below(all.len())].status);
    let job = some.and_then(|status| status.job.clone());
    match (dice.below(9), some, job) {
        (0, Some(worker), _) => {
            signal(worker.pid, "KILL");
            "a worker killed".into()
        }
        (1, Some(worker), _) => {
            let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", worker.pid));
            let children = children.unwrap_or_default();
            let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok());
            pids.for_each(|pid| signal(pid, "KILL"));
            "a worker's lab killed".into()
        }
        (2, _, Some(job)) => {
            site.steps(&job).into_iter().for_each(|pid| signal(pid, "KILL"));
            "a step killed, whose worker lives on".into()
        }
        (3, _, _) => {
            let node = format!("n{}", 1 + dice.below(NODES));
            site.kill_node(&node);
            sleep(Duration::from_millis(500));
            site.start_node(&node);
            format!("{node} lost and back")
        }
        (4, _, _) => {
            site.kill_controller();
            sleep(Duration::from_millis(1500));
            site.start_controller();
            "the controller lost and back".into()
        }
        (5, _, Some(job)) => {
            site.said("scancel", &[&job]);
            "a job cancelled from outside".into()
        }
        (6, _, Some(job)) => {
            let _ = site.command("scontrol").args(["requeue", &job]).output();
            "a job requeued".into()
        }
        (7, _, Some(job)) => {
            let _ = site.command("scancel").args(["-b", "-s", "USR1", &job]).output();
            "a job warned of its end".into()
        }
        _ => {
            let _ = client.0.kill();
            let _ = client.0.wait();
            *client = Client::start(garden, site);
            "the client killed and started again".into()
        }
    }
}

#[test]
fn nothing_is_lost_and_nothing_measured_twice_whatever_is_killed() {
    let _alone = alone();
    let Some(site) = Site::start("") else { return };
    let garden = garden();
    let alone = garden.command(&["build"]).env("NEURONOTES_LAB", lab()).output().expect("it runs");
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
    let expected = records(&garden);
    assert_eq!(expected.len(), 200 + SHARDS);
    let seed = number("NEURONOTES_SEED", 1);
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for round in 0..number("NEURONOTES_ROUNDS", ROUNDS) {
        // One in four, of figures and of scans.
        let mut removed = 0;
        for (_, path, _) in records(&garden).values() {
            if dice.below(4) == 0 {
                fs::remove_file(path).expect("removed");
                removed += 1;
            }
        }
        let before = records(&garden);
        let begun = Instant::now();
        let mut client = Client::start(&garden, &site);
        let mut done = Vec::new();
        for _ in 0..1 + dice.below(3) {
            // Before there are workers, there is nobody to harm but the client.
            let patience = Instant::now() + Duration::from_secs(20);
            while client.has_ended().is_none()
                && workers(&garden).is_empty()
                && Instant::now() < patience
            {
                sleep(Duration::from_millis(100));
            }
            sleep(Duration::from_millis(dice.below(4000) as u64));
            if client.has_ended().is_none() {
                done.push(harm(&site, &garden, &mut client, &mut dice));
            }
        }
        let what = done.join(", ");
        let said = || fs::read_to_string(garden.path("said.txt")).unwrap_or_default();
        let succeeded = loop {
            if let Some(succeeded) = client.has_ended() {
                break succeeded;
            }
            let late = begun.elapsed() > PATIENCE;
            assert!(
                !late,
                "round {round} of seed {seed} ({what}) does not end\n{}\n{}",
                said(),
                site.logs()
            );
            sleep(Duration::from_millis(100));
        };
        assert!(succeeded, "round {round} of seed {seed} ({what}) failed\n{}", said());
        let now = records(&garden);
        for (key, (outputs, _, _)) in &expected {
            let (found, _, time) =
                now.get(key).unwrap_or_else(|| panic!("round {round} ({what}): {key} is lost"));
            assert_eq!(found, outputs, "round {round} ({what}): {key} has another result");
            if let Some((_, _, earlier)) = before.get(key) {
                assert_eq!(time, earlier, "round {round} ({what}): {key} was measured again");
            }
        }
        println!(
            "round {round}: {removed} of {} results removed; {what}; {:.1} s",
            expected.len(),
            begun.elapsed().as_secs_f64()
        );
    }
    let again = garden.command(&["build"]).output().expect("it runs");
    let summary = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.success() && summary.contains("0 figures measured"), "{summary}");
}
