//! The recipes in `docs/` for publishing: what they call exists, and what the workflow calls publishes a frozen garden.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use common::{Garden, program, repository, results};
use serde_json::Value;

fn workflow() -> Value {
    let path = repository().join("docs/publish-to-github-pages.yml");
    let text = fs::read_to_string(path).expect("the workflow");
    serde_yaml::from_str(&text).expect("YAML")
}

/// The steps of all jobs.
fn steps(workflow: &Value) -> Vec<Value> {
    let jobs = workflow["jobs"].as_object().expect("jobs");
    jobs.values().flat_map(|job| job["steps"].as_array().expect("steps").clone()).collect()
}

/// The words after `neuronotes` in each line that calls it.
fn calls(text: &str) -> Vec<Vec<String>> {
    let is_call = |word: &&str| *word == "neuronotes" || word.ends_with("/bin/neuronotes");
    let call = |line: &str| {
        let mut words = line.split_whitespace().skip_while(|word| !is_call(word));
        words.next()?;
        Some(words.map(|word| word.trim_matches('"').to_owned()).collect())
    };
    // cargo installs a package of that name, and calls nothing.
    text.lines().filter(|line| !line.contains("cargo")).filter_map(call).collect()
}

/// What `neuronotes COMMAND --help` says.
fn help(command: &str) -> String {
    let output = Command::new(program()).args([command, "--help"]).output().expect("it runs");
    assert!(output.status.success(), "there is no `neuronotes {command}`");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_command_and_option_in_the_recipes_exists() {
    let workflow = workflow();
    let runs: Vec<String> = steps(&workflow)
        .iter()
        .filter_map(|step| step["run"].as_str().map(str::to_owned))
        .collect();
    let recipes = fs::read_to_string(repository().join("docs/publishing.md")).expect("the recipes");
    let fenced: String = recipes.split("```").skip(1).step_by(2).collect();
    let all: BTreeSet<Vec<String>> =
        runs.iter().chain([&fenced]).flat_map(|text| calls(text)).collect();
    assert!(all.len() >= 4, "{all:?}");
    for call in all {
        let help = help(&call[0]);
        for option in call.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(option.as_str()), "`neuronotes {}` has no {option}", call[0]);
        }
    }
}

#[test]
fn the_workflow_has_the_whole_history_and_uploads_what_it_builds() {
    let workflow = workflow();
    let steps = steps(&workflow);
    let used = |name: &str| {
        let found = steps.iter().find(|step| {
            step["uses"].as_str().is_some_and(|uses| uses.starts_with(&format!("{name}@")))
        });
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    assert_eq!(used("actions/checkout")["with"]["fetch-depth"], 0);
    assert_eq!(used("actions/upload-pages-artifact")["with"]["path"], "${{ env.GARDEN }}/output");
    used("actions/deploy-pages");
    for name in ["NEURONOTES_REPOSITORY", "NEURONOTES_COMMIT", "GARDEN"] {
        assert!(workflow["env"][name].is_string(), "{name}");
    }
    for (name, job) in workflow["jobs"].as_object().expect("jobs") {
        let needed = job["needs"].as_str();
        assert!(needed.is_none_or(|needed| !workflow["jobs"][needed].is_null()), "{name}");
    }
}

#[test]
fn what_the_workflow_calls_publishes_a_frozen_garden() {
    let garden = Garden::new();
    garden.note("a.md", "# A note\n\n```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\n```\n");
    assert_eq!(results::fill(&garden), 1);
    assert_eq!(garden.build().code(), 0);
    let expected = garden.output();
    assert_eq!(garden.run(&["freeze"]).code(), 0);
    for folder in ["output", ".neuronotes"] {
        fs::remove_dir_all(garden.path(folder)).expect("removed");
    }
    let steps = steps(&workflow());
    let runs = steps.iter().filter_map(|step| step["run"].as_str());
    let calls: Vec<Vec<String>> = runs.flat_map(calls).collect();
    assert_eq!(calls.len(), 1, "{calls:?}");
    // As the workflow's shell fills it in.
    let words = calls[0].iter().map(|word| word.replace("$GARDEN", "."));
    let mut command = Command::new(program());
    command.args(words).current_dir(garden.root()).env("NEURONOTES_LAB", "/nowhere");
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(garden.output(), expected);
}
