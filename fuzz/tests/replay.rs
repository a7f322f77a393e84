//! Every input that is kept, and a few thousand that are made of these, given to each target. The same inputs each time.

use std::collections::BTreeSet;

use neuronotes_fuzz::{Mutator, TARGETS, Target, folder, inputs};

/// Inputs that are made for each target; `FUZZ_EXECUTIONS` tries that many others.
const EXECUTIONS: u32 = 1500;

fn replay(name: &str) {
    let target = Target::named(name).expect("a target");
    let kept = inputs(&folder(name)).expect("inputs that are kept");
    assert!(kept.len() >= 3, "{name} has no seeds");
    for (file, input) in &kept {
        if let Err(wrong) = target.run(input) {
            panic!("fuzz/corpus/{name}/{file}: {wrong}");
        }
    }
    let asked = std::env::var("FUZZ_EXECUTIONS").ok().and_then(|number| number.parse().ok());
    let seeds: Vec<Vec<u8>> = kept.into_iter().map(|(_, input)| input).collect();
    let mut mutator = Mutator::new(&seeds, target.words, 16);
    for number in 0..asked.unwrap_or(EXECUTIONS) {
        let input = mutator.next_input();
        if let Err(wrong) = target.run(&input) {
            panic!("input {number} of {name}: {wrong}\n{:?}", String::from_utf8_lossy(&input));
        }
    }
}

macro_rules! targets {
    ($($name:ident = $text:literal),* $(,)?) => {
        const REPLAYED: &[&str] = &[$($text),*];
        $(#[test]
        fn $name() {
            replay($text);
        })*
    };
}

targets! {
    note = "note",
    front_matter = "front-matter",
    block = "block",
    values = "values",
    claim = "claim",
    links = "links",
    bibtex = "bibtex",
    liquid = "liquid",
    configuration = "configuration",
    yaml = "yaml",
    pickle = "pickle",
    safetensors = "safetensors",
    tar = "tar",
    csv = "csv",
    jsonl = "jsonl",
    parquet = "parquet",
    picture = "picture",
    record = "record",
    protocol = "protocol",
    labels = "labels",
}

#[test]
fn every_target_is_replayed_and_every_folder_is_a_targets() {
    let named: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(named, REPLAYED.iter().copied().collect());
    let corpus = folder("");
    let folders = std::fs::read_dir(corpus).expect("the folder of inputs");
    let folders = folders.map(|entry| entry.expect("a folder").file_name().into_string());
    let folders: BTreeSet<String> = folders.collect::<Result<_, _>>().expect("names in UTF-8");
    assert_eq!(folders, named.into_iter().map(str::to_owned).collect());
}
