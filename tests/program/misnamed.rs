//! Names in blocks that nothing has, found by `neuronotes check` before anything is measured: labels, captions, classes of a
//! probe, and lists, layers and models that do not fit.

use crate::common::{Garden, block, place};

const LAYER: &str = "layer: image_block_4/1/Add_6\n";

/// A block, where its mistake is reported, what is said, and what the hint says.
type Case = (&'static str, &'static str, &'static str, &'static str);

/// The note of each case begins with these two blocks, which are sound.
fn probes() -> String {
    block(&format!("id: groups\nkind: probe\n{LAYER}"))
        + &block(&format!("id: tops\nkind: probe\n{LAYER}pool: max\n"))
}

const CASES: &[Case] = &[
    (
        "kind: composition\nprobe: groups\nclasses: [objects, food-drinks]\n",
        "4:20",
        "the probe has no class `food-drinks`",
        "did you mean `food-drink`?",
    ),
    (
        "kind: direction\nlayer: image_block_4/1/Add_6\nprobe: groups\nclass: obects\n",
        "5:8",
        "the probe has no class `obects`",
        "did you mean `objects`",
    ),
    (
        "kind: direction\nlayer: image_block_4/1/Add_6\nprobe: groups\nclass: objects\nagainst: food\n",
        "6:10",
        "the probe has no class `food`",
        "`food-drink`",
    ),
    (
        "kind: direction\nlayer: image_block_4/0/Add_6\nprobe: groups\nclass: objects\n",
        "4:8",
        "the probe `groups` is at `image_block_4/1/Add_6`, and this block is at `image_block_4/0/Add_6`",
        "give both the same `layer`",
    ),
    (
        "kind: direction\nprobe: groups\nclass: objects\n",
        "3:8",
        "and this block is at `visual.attnpool`",
        "add `layer: image_block_4/1/Add_6`",
    ),
    (
        "kind: direction\nlayer: image_block_4/1/Add_6\nprobe: tops\nclass: objects\n",
        "4:8",
        "the probe has `pool: max`",
        "give the probe `pool: mean`",
    ),
    (
        "kind: direction\nlayer: image_block_4/1/Add_6\nmodel: other\nprobe: groups\nclass: objects\n",
        "5:8",
        "the probe `groups` is one of the model `emoji`, and this block is about `other`",
        "give both the same `model`",
    ),
    (
        "kind: direction\nlayer: image_block_4/1/Add_6\npositive: { labels: [objects, nosuch] }\n",
        "4:31",
        "no picture of the data set has the label `nosuch`",
        "known: `activities`",
    ),
    (
        "kind: direction\nlayer: image_block_4/1/Add_6\npositive: { captions: [bycicle] }\n",
        "4:24",
        "no picture of the data set has a caption with the words `bycicle`",
        "did you mean `bicycle`",
    ),
    (
        "kind: direction\nlayer: image_block_4/1/Add_6\npositive: { captions: [heart] }\nnegative: { captions: [black] }\n",
        "5:11",
        "pictures whose caption is `black heart` are in both groups",
        "must have no picture in common",
    ),
    (
        "kind: concept\nlayer: image_block_4/1/Add_6\npositive: { labels: [objects] }\nnegative: { labels: [object] }\n",
        "5:22",
        "no picture of the data set has the label `object`",
        "did you mean `objects`",
    ),
    (
        "kind: concept\nlayer: image_block_4/1/Add_6\ndataset: pets\npositive: { captions: [cat, dog] }\n",
        "5:11",
        "the group has all pictures of the data set",
        "give the other group, too",
    ),
    (
        "kind: concept\nlayer: image_block_4/1/Add_6\ndataset: pets\npositive: { labels: [cat] }\n",
        "5:22",
        "no picture of the data set has the label `cat`",
        "the data set has no labels: write each label into a file beside its picture (`cat.cls`)",
    ),
    (
        "kind: probe\nlayer: image_block_4/1/Add_6\nclasses: [objects, symbol]\n",
        "4:20",
        "no image of the data set has the label `symbol`",
        "did you mean `symbols`",
    ),
    (
        "kind: probe\nlayer: image_block_4/1/Add_6\nclasses: [objects, Objects]\n",
        "4:10",
        "`classes` lists `Objects` more than once",
        "upper and lower case make no difference",
    ),
    (
        "kind: probe\nlayer: image_block_4/1/Add_6\ndataset: pets\ntruth: label\n",
        "5:8",
        "no image of the data set has a label",
        "it has captions: `truth: caption`",
    ),
    (
        "kind: probe\nlayer: image_block_4/1/Add_6\ndataset: pets\ntruth: caption\n",
        "5:8",
        "no image can be held out",
        "at least one class needs two images",
    ),
    (
        "kind: probe\nlayer: image_block_4/1/Add_6\npenalty: l1\nterms: 900\n",
        "5:8",
        "`terms` is 900, but there are 768 units",
        "ask for fewer terms",
    ),
    (
        "kind: attack\nclasses: [objects, symbol]\nattacks: [objects]\nprobe: groups\n",
        "3:20",
        "the probe has no class `symbol`",
        "did you mean `symbols`",
    ),
    (
        "kind: attack\nmodel: other\nclasses: [objects, symbols]\nattacks: [objects]\nprobe: groups\n",
        "6:8",
        "the probe `groups` is one of the model `emoji`, and this block is about `other`",
        "give both the same `model`",
    ),
    (
        "kind: attribution\nlayer: image_block_4/1/Add_6\nword: apple\ntext: LONG\n",
        "5:7",
        "22 tokens, but the model takes 16",
        "`truncate: true`",
    ),
    (
        "kind: sparse_code\nlayer: image_block_4/1/Add_6\ntexts: names\n",
        "4:8",
        "`texts` has 201 items; at most 200 are allowed",
        "use several blocks",
    ),
    (
        "kind: dataset_examples\nlayer: image_block_4/1/Add_6\nunit: 3\nby: relevance\ntext: LONG\n",
        "6:7",
        "22 tokens, but the model takes 16",
        "`truncate: true`",
    ),
    (
        "kind: dataset_examples\nlayer: image_block_4/1/Add_6\nunit: 3\nby: relevance\nclasses: [cat, dog]\nclass: dogs\n",
        "7:8",
        "`dogs` is not the label of one of the classes",
        "write it as in `classes`",
    ),
    (
        "kind: dataset_examples\nlayer: visual.attnpool\nunit: 3\nmaps: true\n",
        "5:7",
        "has no positions, so that there is no map to show",
        "remove `maps`",
    ),
    (
        "kind: dataset_examples\ndirection: { text: cat }\nby: relevance\ntext: cat\n",
        "4:5",
        "at the embedding the logit is the activation along the text itself",
        "give a `layer` below the embedding",
    ),
    (
        "kind: activation_histogram\nlayer: image_block_4/1/Add_6\nunit: 3\nbeside: { labels: [objects, nosuch] }\n",
        "5:29",
        "no picture of the data set has the label `nosuch`",
        "known: `activities`",
    ),
    (
        "kind: activation_histogram\nlayer: image_block_4/1/Add_6\nunit: 3\nbeside: { dataset: word }\n",
        "5:20",
        "the configuration has no dataset `word`",
        "did you mean `words`?",
    ),
    (
        "kind: activation_histogram\nlayer: image_block_4/1/Add_6\nunit: 3\nalso: [7, 3]\n",
        "5:7",
        "`also` lists the block's own `unit`",
        "list other units only",
    ),
    (
        "kind: activation_histogram\nlayer: image_block_4/1/Add_6\nunit: 3\nalso: [7, 900]\n",
        "5:11",
        "unit 900 is out of range",
        "count from 0 to 767",
    ),
    (
        "kind: activation_histogram\nlayer: image_block_4/1/Add_6\nunit: 3\nabove: [2, many]\n",
        "5:12",
        "`above` must be a list of numbers from 0 to 1000, not the text `many`",
        "",
    ),
    ("kind: stroop\nwords: []\n", "3:8", "`words` is an empty list", "list at least one"),
];

/// A text of 22 tokens.
const LONG: &str = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
                    seventeen eighteen nineteen";

fn garden() -> Garden {
    let garden = Garden::new();
    let words: Vec<String> = (0..201).map(|n| format!("name {n}")).collect();
    garden.write("names.txt", &words.join("\n"));
    for (name, caption) in [("1", "a cat"), ("2", "a dog")] {
        garden.write(&format!("pets/{name}.txt"), caption);
        image::RgbImage::new(8, 8).save(garden.path(&format!("pets/{name}.png"))).expect("saved");
    }
    let config = garden.read("neuronotes.yaml");
    let config = config.replace("datasets:\n", "datasets:\n  names: names.txt\n  pets: pets\n");
    garden.write("neuronotes.yaml", &config);
    garden
}

#[test]
fn names_that_nothing_has_are_reported_at_the_very_item_with_a_hint() {
    let garden = garden();
    let config = garden.read("neuronotes.yaml");
    let other = config.lines().find(|line| line.starts_with("  emoji:")).expect("a model");
    let other = other.replace("emoji: { path: ", "other: { mean: [0.5, 0.5, 0.5], path: ");
    garden.write("neuronotes.yaml", &config.replace("models:\n", &format!("models:\n{other}\n")));
    garden.note("probes.md", &probes());
    for (index, (yaml, ..)) in CASES.iter().enumerate() {
        garden.note(&format!("{index}.md"), &block(&yaml.replace("LONG", LONG)));
    }
    let reports = garden.reports();
    for (index, (yaml, expected, message, hint)) in CASES.iter().enumerate() {
        let file = format!("notes/{index}.md");
        let own: Vec<_> = reports.iter().filter(|r| r.file == file).collect();
        assert_eq!(own.len(), 1, "{yaml}\n{own:#?}");
        let (at, said) = (place(own[0]), &own[0].message);
        assert!(at == *expected && said.contains(message), "{yaml}\n{:#?}", own[0]);
        let hinted = own[0].hint.as_deref().unwrap_or_default();
        assert!(hinted.contains(hint), "{yaml}\n{:#?}", own[0]);
    }
    assert!(!reports.iter().any(|r| r.file == "notes/probes.md"), "{reports:#?}");
}

#[test]
fn labels_are_looked_up_again_when_the_data_set_changes() {
    let garden = garden();
    let cat =
        block(&format!("kind: direction\n{LAYER}dataset: pets\npositive: {{ captions: [fox] }}\n"));
    garden.note("a.md", &cat);
    assert!(garden.said().contains("a caption with the words `fox`"), "{}", garden.said());
    garden.write("pets/1.txt", "a fox");
    assert_eq!(garden.said(), "");
}

#[test]
fn without_a_data_set_there_are_no_other_pictures() {
    let garden = garden();
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &config.replace(", dataset: emoji }", " }"));
    for kind in ["direction", "concept"] {
        garden.note(
            "a.md",
            &block(&format!("kind: {kind}\n{LAYER}positive: {{ words: [cat, dog] }}\n")),
        );
        let said = garden.said();
        assert!(said.contains("a.md:4:11 without `negative` it is all other pictures"), "{said}");
        assert!(said.contains("add `negative`, or a `dataset`"), "{said}");
    }
}

/// The pictures' half of a model: the tensors of a safetensors file whose names begin with `visual.`.
fn seeing(bytes: &[u8]) -> Vec<u8> {
    let size = u64::from_le_bytes(bytes[..8].try_into().expect("a size")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + size]).expect("JSON");
    let (mut entries, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, entry) in header.as_object().expect("tensors") {
        if !name.starts_with("visual.") && name != "__metadata__" {
            continue;
        }
        let mut entry = entry.clone();
        if let Some(offsets) = entry.get("data_offsets").cloned() {
            let at = |n: usize| 8 + size + offsets[n].as_u64().expect("an offset") as usize;
            let start = data.len();
            data.extend_from_slice(&bytes[at(0)..at(1)]);
            entry["data_offsets"] = serde_json::json!([start, data.len()]);
        }
        entries.insert(name.clone(), entry);
    }
    let header = serde_json::to_vec(&entries).expect("JSON");
    [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}

#[test]
fn kinds_that_compare_with_texts_say_so_of_a_model_without_a_text_tower() {
    let garden = garden();
    let whole = crate::common::repository().join("models/emoji-clip.safetensors");
    let model = seeing(&std::fs::read(whole).expect("weights"));
    std::fs::write(garden.path("seeing.safetensors"), model).expect("written");
    let config = garden.read("neuronotes.yaml");
    let models = "models:\n  seeing: { path: seeing.safetensors, activation: quick_gelu }\n";
    garden.write("neuronotes.yaml", &config.replace("models:\n", models));
    let cases = [
        "kind: attack\nclasses: [cat, dog]\nattacks: [cat]\n",
        "kind: stroop\n",
        "kind: sparse_code\ntexts: [cat, dog]\nlayer: image_block_4/1/Add_6\n",
        "kind: attribution\nlayer: image_block_4/1/Add_6\nword: apple\ntext: apple\n",
    ];
    for (at, yaml) in cases.iter().enumerate() {
        garden.note(&format!("{at}.md"), &block(&format!("model: seeing\n{yaml}")));
    }
    // What needs no texts is sound.
    garden.note("sound.md", &block(&format!("model: seeing\nkind: probe\n{LAYER}")));
    let reports = garden.reports();
    assert_eq!(reports.len(), cases.len(), "{reports:#?}");
    for report in &reports {
        assert_eq!(place(report), "2:8", "{report:?}");
        assert!(report.message.contains("the model `seeing` has no text tower"), "{report:?}");
        let hint = report.hint.as_deref().unwrap_or_default();
        assert!(hint.contains("use a CLIP with both towers"), "{report:?}");
    }
}
