//! Units searched and labelled, as users ask for it: mistakes have a place and a hint, and a note about a unit is begun.

use crate::common::results::fill;
use crate::common::{Garden, block, place};

const LAYER: &str = "layer: image_block_4/1/Add_6\n";

/// A kind, further fields after its layer, where the mistake is reported, what is said, and what the hint says.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "unit_search",
        "positive: { labels: [food-drinks] }\n",
        "4:22",
        "no picture of the data set has the label `food-drinks`",
        "did you mean `food-drink`",
    ),
    (
        "unit_search",
        "positive: { keys: [airplane--notto] }\n",
        "4:20",
        "no picture of the data set has the key `airplane--notto`",
        "did you mean `airplane--noto`",
    ),
    (
        "unit_search",
        "positive: { captions: [cat] }\nnegative: { captions: [cat] }\n",
        "5:11",
        "`positive` and `negative` must be different groups",
        "leave `negative` out",
    ),
    (
        "unit_search",
        "dataset: pets\npositive: { keys: [\"1\", \"2\"] }\n",
        "5:11",
        "the group has all pictures of the data set",
        "give the other group, too",
    ),
    (
        "unit_search",
        "dataset: pets\npositive: { labels: [cat] }\n",
        "5:22",
        "no picture of the data set has the label `cat`",
        "the data set has no labels: write each label into a file beside its picture (`cat.cls`)",
    ),
    (
        "unit_search",
        "dataset: pets\npositive: { keys: [\"1\"] }\nnegative: { keys: [\"2\", \"1\"] }\n",
        "6:11",
        "pictures with the key `1` are in both groups",
        "must have no picture in common",
    ),
    (
        "labels",
        "dataset: pets\ntruth: label\n",
        "5:8",
        "no image of the data set has a label",
        "it has captions: `truth: caption`",
    ),
    (
        "labels",
        "dataset: pets\nmethod: invert\ntexts: [cats, cow]\n",
        "6:8",
        "none of the `texts` is in a caption of the data set",
        "`a cat`",
    ),
    ("labels", "texts: []\n", "4:8", "`texts` is an empty list", "list at least one"),
    (
        "labels",
        "texts: [cat]\nlength: 2\n",
        "5:9",
        "`length` has no effect with `method: soft_wpmi`",
        "use `method: invert`",
    ),
    ("labels", "unit: 768\n", "4:7", "unit 768 is out of range", "count from 0 to 767"),
    (
        "selectivity",
        "dataset: pets\nby: word\ncategories: [cats, dog]\nunit: 3\n",
        "6:14",
        "no picture of the data set has a caption with the words `cats`",
        "`a cat`",
    ),
    (
        "selectivity",
        "dataset: pets\nunit: 3\n",
        "1:1",
        "no image of the data set has a label",
        "use `by` for what there is",
    ),
    (
        "selectivity",
        "categories: [food-drink]\n",
        "3:8",
        "without a `unit` the best one is chosen, which needs images that it is not tested on",
        "`held_out: 0.5`, or `choose` and `test`",
    ),
    (
        "selectivity",
        "choose: { keys: [airplane--noto] }\ntest: { keys: [\"airplane*\"] }\n",
        "5:7",
        "pictures with the key `airplane--noto` are in both `choose` and `test`",
        "what was chosen by an image is not tested by it",
    ),
    (
        "selectivity",
        "choose: { words: [cat] }\n",
        "4:9",
        "`choose` must be a part of the block's data set",
        "list `labels`, `captions` or `keys`",
    ),
    (
        "selectivity",
        "unit: 3\ntest: { labels: [foods] }\n",
        "5:18",
        "no picture of the data set has the label `foods`",
        "did you mean",
    ),
    ("selectivity", "unit: 3\nheld_out: 1\n", "5:11", "must be a number from 0.05 to 0.95", ""),
    (
        "selectivity",
        "unit: 3\nalso: [768]\n",
        "5:8",
        "unit 768 is out of range",
        "count from 0 to 767",
    ),
    (
        "selectivity",
        "unit: 3\nby: caption\nlists: [hands, hand]\n",
        "6:16",
        "the configuration has no list `hand`",
        "did you mean `hands`?",
    ),
    (
        "selectivity",
        "unit: 3\ndataset: pets\nby: caption\nlists: [animals, beasts]\n",
        "7:18",
        "no image of the data set has the caption `a dgo`, which is in the list `beasts`",
        "did you mean `a dog`",
    ),
    (
        "selectivity",
        "unit: 3\ndataset: pets\nby: caption\ncategories: { animals: [a cat] }\nlists: animals\n",
        "8:8",
        "the list `animals` has the name of a category",
        "rename the one in `categories`",
    ),
    ("quiz", "unit: 3\ntrials: 99\n", "5:9", "must be a whole number from 1 to 40", ""),
    ("unit_quality", "across: clearness\n", "4:9", "`across` must be `clarity`", ""),
];

fn garden() -> Garden {
    let garden = Garden::new();
    for (name, caption) in [("1", "a cat"), ("2", "a dog")] {
        garden.write(&format!("pets/{name}.txt"), caption);
        image::RgbImage::new(8, 8).save(garden.path(&format!("pets/{name}.png"))).expect("saved");
    }
    let config = garden.read("neuronotes.yaml");
    let config = config.replace("datasets:\n", "datasets:\n  pets: pets\n");
    let lists = "lists: { hands: [waving hand], animals: [a cat, a dog], beasts: [a cat, a dgo] }";
    garden.write("neuronotes.yaml", &format!("{config}{lists}\n"));
    garden
}

#[test]
fn mistakes_in_searches_and_labels_have_a_place_and_a_hint() {
    let garden = garden();
    for (index, (kind, yaml, ..)) in CASES.iter().enumerate() {
        garden.note(&format!("{index}.md"), &block(&format!("kind: {kind}\n{LAYER}{yaml}")));
    }
    let reports = garden.reports();
    let mut wrong = Vec::new();
    for (index, (kind, yaml, expected, message, hint)) in CASES.iter().enumerate() {
        let file = format!("notes/{index}.md");
        let own: Vec<_> = reports.iter().filter(|report| report.file == file).collect();
        let fits = own.len() == 1
            && place(own[0]) == *expected
            && own[0].message.contains(message)
            && own[0].hint.as_deref().unwrap_or_default().contains(hint);
        if !fits {
            wrong.push(format!("{kind} {yaml}{own:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_asked_for_in_every_way_is_sound() {
    let garden = garden();
    let blocks = [
        "kind: unit_search\npool: max\norder: falling\npositive: { keys: [airplane--noto, whale--noto] }\n",
        "kind: unit_search\npositive: { words: [cat, dog] }\nnegative: { words: [sun] }\n",
        "kind: labels\n",
        "kind: labels\ntruth: caption\nheld_out: 0.4\n",
        "kind: labels\nmethod: invert\nlength: 4\nbeam: 10\ntop: 10\ngroup_by: caption\n",
        "kind: labels\nunit: 3\ntexts: [cat, dog]\ntemplates: [\"a picture of {}\", \"{}\"]\nstrongest: 50\n",
        "kind: selectivity\nunit: 3\ndataset: pets\nby: caption\nlists: [animals]\n",
        "kind: unit_quality\nacross: redundancy\nup: polysemanticity\ncolour: clarity\nstrongest: 10\n",
    ];
    let all: String = blocks.iter().map(|yaml| block(&format!("{yaml}{LAYER}"))).collect();
    garden.note("a.md", &all);
    assert_eq!(garden.said(), "");
}

#[test]
fn a_list_of_the_garden_is_a_category_whose_texts_are_part_of_the_request() {
    let garden = garden();
    garden.note(
        "a.md",
        &block(&format!(
            "kind: selectivity\n{LAYER}unit: 3\ndataset: pets\nby: word\ncategories: [dog]\nlists: animals\n"
        )),
    );
    assert_eq!(fill(&garden), 1);
    garden.built();
    let page = garden.page("a.html");
    assert!(page.contains("animals (a cat · a dog)"), "{page}");
    let change = |from: &str, to: &str| {
        garden.write("neuronotes.yaml", &garden.read("neuronotes.yaml").replace(from, to));
    };
    // Another list is another block's matter.
    change("[waving hand]", "[raised hand]");
    assert_eq!(fill(&garden), 0);
    change("[a cat, a dog]", "[cat]");
    assert_eq!(fill(&garden), 1);
    garden.built();
    assert!(garden.page("a.html").contains("animals (cat)"));
}

#[test]
fn a_note_about_a_unit_is_begun_once_and_is_sound() {
    let garden = garden();
    let make = |more: &[&str]| garden.run(&[&["new", "note", "--unit"], more].concat());
    let made = make(&["image_block_4/1/Add_6/643", "--name", "rackets"]);
    assert_eq!(made.code(), 0, "{}", made.stderr());
    assert!(made.stdout().contains("rackets.md"), "{}", made.stdout());
    let text = garden.read("notes/rackets.md");
    assert!(
        text.contains("unit: 643, name: rackets") && text.contains("kind: feature_vis"),
        "{text}"
    );
    let plain = make(&["visual.layer4.1.add/545"]);
    assert_eq!(plain.code(), 0, "{}", plain.stderr());
    assert_eq!(garden.said(), "", "both are sound");
    // What somebody wrote stays.
    garden.write("notes/rackets.md", "Mine.\n");
    let again = make(&["image_block_4/1/Add_6/643", "--name", "rackets"]);
    assert_eq!(again.code(), 2);
    assert!(again.stderr().contains("is left as it is"), "{}", again.stderr());
    assert_eq!(garden.read("notes/rackets.md"), "Mine.\n");
    for (unit, message, hint) in [
        ("image_block_4/1/Add_6/768", "has no unit 768; its 768 units", ""),
        ("image_block_4/1/Ad_6/3", "no layer `image_block_4/1/Ad_6`", "`image_block_4/1/Add_6`"),
        ("545", "`545` names no unit", "such as `image_block_4/1/Add_6/545`"),
    ] {
        let run = make(&[unit]);
        let said = run.stderr();
        assert!(run.code() == 2 && said.contains(message) && said.contains(hint), "{said}");
    }
    let outside = make(&["image_block_4/1/Add_6/3", "--file", "../three.md"]);
    assert!(outside.code() == 2 && !garden.path("three.md").exists(), "{}", outside.stderr());
}
