//! The pages of `docs/`: its overviews name all that there is, what the recipes for publishing call exists, and what the workflow
//! calls publishes a frozen garden.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::common::{Garden, program, repository, results};
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
fn the_table_of_contents_names_every_page() {
    let docs = repository().join("docs");
    let contents = fs::read_to_string(docs.join("README.md")).expect("the table of contents");
    let entries = fs::read_dir(docs).expect("the pages");
    let names =
        entries.map(|entry| entry.expect("a page").file_name().into_string().expect("a name"));
    let pages: Vec<String> =
        names.filter(|name| name.ends_with(".md") && name != "README.md").collect();
    assert!(pages.len() >= 10, "{pages:?}");
    let missing: Vec<_> =
        pages.iter().filter(|page| !contents.contains(&format!("]({page})"))).collect();
    assert!(missing.is_empty(), "docs/README.md has no link to {missing:?}");
}

#[test]
fn the_overview_of_kinds_lists_those_of_the_program() {
    let output = Command::new(program()).arg("kinds").output().expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    // Below the example there is a line for each kind: its name, blanks, and what it measures.
    let below = printed.rsplit("```").next().unwrap_or_default();
    let known: BTreeSet<&str> =
        below.lines().filter_map(|line| Some(line.split_once("  ")?.0)).collect();
    assert!(known.len() >= 6, "{printed}");
    let page = fs::read_to_string(repository().join("docs/kinds.md")).expect("the overview");
    let table = page.lines().skip_while(|line| !line.starts_with("| `"));
    let rows = table.map_while(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.collect::<BTreeSet<&str>>(), known, "the first table of docs/kinds.md");
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
    garden.built();
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

/// A picture of many colours and fine detail.
fn photograph(width: u32, height: u32) -> image::RgbImage {
    let mut state = 1_u32;
    image::RgbImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 27) as u8;
        let [red, blue] = [x / 5, x * y / 900].map(|base| (base as u8).wrapping_add(noise));
        image::Rgb([red, (y / 4) as u8 ^ noise, blue])
    })
}

/// A garden whose note shows these pictures.
fn album(names: &[&str]) -> Garden {
    let garden = Garden::new();
    fs::create_dir_all(garden.path("notes")).expect("a folder");
    let shown: Vec<String> = names.iter().map(|name| format!("![]({name})")).collect();
    garden.note("a.md", &format!("# Album\n\n{}\n", shown.join("\n\n")));
    garden
}

/// The addresses and widths of the copies that the page offers of a picture.
fn offered(garden: &Garden, name: &str) -> Vec<(String, u32)> {
    let page = garden.page("a.html");
    let image = page.split("<img").find(|tag| tag.contains(&format!("src=\"files/{name}\"")));
    let image = image.unwrap_or_else(|| panic!("{name} is not shown\n{page}"));
    let Some(set) = image.split("srcset=\"").nth(1).and_then(|rest| rest.split('"').next()) else {
        return vec![];
    };
    let candidate = |one: &str| {
        let (address, width) = one.trim().split_once(' ').expect("an address and a width");
        (address.to_owned(), width.trim_end_matches('w').parse().expect("a width"))
    };
    set.split(',').map(candidate).filter(|(address, _)| !address.starts_with("files/")).collect()
}

#[test]
fn copies_of_pictures_are_offered_where_they_take_fewer_bytes_and_are_kept_as_they_are_made() {
    let garden = album(&["large.png", "small.png", "spare.jpg"]);
    photograph(1300, 700).save(garden.path("notes/large.png")).expect("a picture");
    photograph(300, 200).save(garden.path("notes/small.png")).expect("a picture");
    // So poor that a copy of good quality takes more.
    let mut spare = fs::File::create(garden.path("notes/spare.jpg")).expect("a file");
    let poor = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut spare, 4);
    photograph(1300, 700).write_with_encoder(poor).expect("a picture");
    garden.built();
    let copies = offered(&garden, "large.png");
    assert_eq!(copies.iter().map(|(_, width)| *width).collect::<Vec<_>>(), [480, 960]);
    let whole = fs::metadata(garden.path("output/files/large.png")).expect("the picture").len();
    for (address, width) in &copies {
        let file = garden.path("output").join(address);
        assert_eq!(image::image_dimensions(&file).expect("a picture").0, *width);
        assert!(fs::metadata(&file).expect("a file").len() < whole);
    }
    assert!(offered(&garden, "small.png").is_empty());
    let widths: Vec<u32> = offered(&garden, "spare.jpg").iter().map(|(_, width)| *width).collect();
    assert_eq!(widths, [480], "at 960 a copy would take more than the picture");

    // A build that was broken off goes on where it ended: what is kept is not made again.
    let cache = garden.path(".neuronotes/cache/pictures");
    let kept = |cache: &std::path::Path| {
        let entries = fs::read_dir(cache).expect("the copies").map(|entry| entry.expect("a file"));
        let time =
            |entry: &fs::DirEntry| entry.metadata().and_then(|m| m.modified()).expect("a time");
        entries.map(|entry| (entry.file_name(), time(&entry))).collect::<BTreeSet<_>>()
    };
    let before = kept(&cache);
    // One that is offered, and a word that one is no use, of which there is one for each width that was tried.
    assert_eq!(before.len(), 4, "{before:?}");
    let lost = before.iter().find(|(name, _)| name.to_string_lossy().contains("-480-2-"));
    let lost = lost.expect("the smallest copy").clone();
    fs::remove_file(cache.join(&lost.0)).expect("removed");
    let output = garden.output();
    garden.built();
    let after = kept(&cache);
    assert_eq!(before.intersection(&after).count(), 3, "only the lost one is made again");
    assert_eq!((garden.output(), after.len()), (output.clone(), 4));
    assert_eq!(garden.output(), garden.clean_output());
    // A damaged one, and one under another's name, are made again.
    let copies: Vec<_> =
        after.iter().filter(|(name, _)| name.to_string_lossy().ends_with(".jpg")).collect();
    let paths: Vec<_> = copies.iter().map(|(name, _)| cache.join(name)).collect();
    let bytes: Vec<_> = paths.iter().map(|path| fs::read(path).expect("a copy")).collect();
    let mut flipped = bytes[0].clone();
    let at = flipped.len() / 2;
    flipped[at] ^= 1;
    for (first, second) in [(&flipped, &bytes[1]), (&bytes[1], &bytes[0])] {
        fs::write(&paths[0], first).expect("damage");
        fs::write(&paths[1], second).expect("damage");
        let run = garden.run(&["build", "--strict"]);
        assert_eq!(run.code(), 0, "{}", run.stderr());
        assert_eq!(garden.output(), output);
        assert_eq!(garden.output(), garden.clean_output());
        assert_eq!(fs::read(&paths[0]).expect("a copy"), bytes[0]);
    }
    // A check makes none.
    fs::remove_dir_all(&cache).expect("removed");
    assert_eq!(garden.run(&["check"]).code(), 0);
    assert!(!cache.exists());
}

#[test]
fn a_damaged_picture_is_published_as_it_is_and_said() {
    let garden = album(&["broken.png", "moving.gif"]);
    let path = garden.path("notes/broken.png");
    photograph(900, 600).save(&path).expect("a picture");
    let bytes = fs::read(&path).expect("the picture");
    fs::write(&path, &bytes[..bytes.len() / 3]).expect("a file");
    let still = image::DynamicImage::from(photograph(700, 500));
    still.save(garden.path("notes/moving.gif")).expect("a picture");
    let run = garden.built();
    let said = run.stderr();
    assert!(said.contains("warning: no smaller copies of the picture are made"), "{said}");
    assert!(said.contains("notes/broken.png") && !said.contains("moving.gif"), "{said}");
    assert_eq!(garden.output()["files/broken.png"], bytes[..bytes.len() / 3]);
    assert!(offered(&garden, "broken.png").is_empty() && offered(&garden, "moving.gif").is_empty());
    // What is known to be damaged is not read again, and is said again.
    assert_eq!(garden.build().stderr().matches("no smaller copies").count(), 1);
}
