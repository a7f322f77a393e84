//! `neuronotes jobs` where there is nothing to list, or no engine.

use std::fs;

use neuronotes_core::pool::Pool;
use neuronotes_core::store::Store;

use crate::common::{Garden, Run};

fn garden(run: &str) -> Garden {
    let garden = Garden::of(&[("index.md", "# Nothing\n")]);
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}{run}"));
    garden
}

#[test]
fn without_profiles_or_workers_it_says_how_to_begin() {
    let run = garden("").run(&["jobs"]);
    assert_eq!(run.code(), 2);
    let said = run.stderr();
    assert!(said.contains("no workers on other machines: neuronotes.yaml has no `run`"), "{said}");
    assert!(
        said.contains("hint: add a profile, such as run: { cluster: { engine: slurm"),
        "{said}"
    );

    let garden = garden("run: { cluster: { engine: slurm } }\n");
    for arguments in [["jobs", "follow", "clutser"], ["jobs", "cancel", "clutser"]] {
        let run = garden.run(&arguments);
        assert_eq!(run.code(), 2);
        assert!(run.stderr().contains("`run` has no profile `clutser`"), "{}", run.stderr());
        assert!(run.stderr().contains("did you mean `cluster`?"), "{}", run.stderr());
    }
    let run = garden.run(&["jobs"]);
    assert_eq!((run.code(), run.stdout().as_str()), (0, ""));
    assert!(run.stderr().contains("`neuronotes build --on cluster` does"), "{}", run.stderr());
    assert!(!garden.path(".neuronotes/store/v1/pools/cluster").exists(), "looking makes nothing");
}

#[test]
fn an_engine_that_is_not_there_is_named() {
    let garden = garden("run: { slurm: , old: { engine: slurm } }\n");
    let store = Store::open(&garden.path(".neuronotes/store")).expect("a store");
    Pool::open(&store, "slurm").expect("a pool");
    fs::create_dir(garden.path("bin")).expect("a folder");
    let run = |arguments: &[&str]| {
        let mut command = garden.command(arguments);
        Run(command.env("PATH", garden.path("bin")).output().expect("neuronotes runs"))
    };
    let absent = "Slurm was not found: there is no `sbatch` on the PATH";
    let listed = run(&["jobs"]);
    assert_eq!(listed.code(), 0, "{}", listed.stderr());
    let expected = format!("slurm (Slurm): 0 workers, 0 units of work left\n  {absent}\n");
    assert_eq!(listed.stdout(), expected);
    for command in ["follow", "cancel"] {
        let refused = run(&["jobs", command]);
        assert_eq!(refused.code(), 2);
        assert!(refused.stderr().contains(absent), "{}", refused.stderr());
        assert!(refused.stderr().contains("hint: run this on a machine"), "{}", refused.stderr());
    }
}
