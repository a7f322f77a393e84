//! A garden with ten different mistakes, one a note: each is reported at its place, and costs no other page.

use crate::common;
use crate::common::{Garden, place};
use neuronotes::diagnostic::{Diagnostic, Severity};

const BLOCK: &str = "kind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\n";

/// The note, its text, and where and what the report must be.
fn mistakes() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let block = |yaml: &str| format!("Text.\n\n```yaml analysis\n{yaml}```\n");
    vec![
        ("front-matter.md", "---\ntitle: a: b\n---\nText.\n".into(), "2:9", "not YAML"),
        ("no-kind.md", block("unit: 3\n"), "3:1", "the block has no `kind`"),
        ("unknown-kind.md", block("kind: feature_viz\n"), "4:7", "no kind `feature_viz`"),
        ("unknown-field.md", block(&format!("{BLOCK}captoin: x\n")), "7:1", "no field `captoin`"),
        ("wrong-type.md", block(&BLOCK.replace("3", "three")), "6:7", "must be a whole number"),
        (
            "out-of-range.md",
            block(&BLOCK.replace("unit: 3", "unit: 5000")),
            "6:7",
            "unit 5000 is out of range",
        ),
        ("no-layer.md", block(&BLOCK.replace("Add_6", "Add_7")), "5:8", "no layer"),
        ("no-model.md", block(&format!("{BLOCK}model: RN51\n")), "7:8", "no model `RN51`"),
        ("ambiguous.md", "One.\n\nSee [[Twin]].\n".into(), "3:5", "is ambiguous"),
        ("unclosed.md", format!("Text.\n\n```yaml analysis\n{BLOCK}"), "3:1", "never closed"),
    ]
}

fn garden() -> Garden {
    let garden = Garden::new();
    garden.write("neuronotes.yaml", &format!("{}links: strict\n", garden.read("neuronotes.yaml")));
    for (name, text, _, _) in mistakes() {
        garden.note(name, &text);
    }
    garden.note("a/twin.md", "---\ntitle: Twin\n---\n");
    garden.note("b/twin.md", "---\ntitle: Twin\n---\n");
    garden.note("sound.md", "Nothing is wrong here. See [[front-matter]].\n");
    garden
}

#[test]
fn ten_mistakes_are_ten_diagnostics_at_their_places() {
    let garden = garden();
    let run = garden.run(&["check", "--format", "json"]);
    assert_eq!(run.code(), 1);
    let reports = run.reports();
    assert_eq!(reports.len(), 10, "{}", run.stdout());
    for (name, _, expected, message) in mistakes() {
        let file = format!("notes/{name}");
        let report = reports.iter().find(|report| report.file == file);
        let report = report.unwrap_or_else(|| panic!("nothing is said of {name}"));
        assert_eq!(place(report), expected, "{report:?}");
        assert!(report.message.contains(message), "{name}: {}", report.message);
        assert_eq!(report.severity, Severity::Error);
    }
    assert!(!garden.path("output").exists(), "a check writes nothing");
}

#[test]
fn every_page_is_built_all_the_same_and_the_exit_code_is_1() {
    let garden = garden();
    let run = garden.build();
    assert_eq!(run.code(), 1, "{}", run.stderr());
    for (name, _, _, message) in mistakes() {
        let page = garden.read(&format!("output/{}", name.replace(".md", ".html")));
        assert!(page.contains("problem-error"), "{name} shows its mistake");
        let shown = page.replace("<code>", "`").replace("</code>", "`");
        assert!(shown.contains(message), "{name}: {message}");
    }
    let sound = garden.page("sound.html");
    assert!(!sound.contains("problem-error") && sound.contains("Nothing is wrong here."));
    // What a person sees in the terminal.
    let said = run.stderr();
    let shown = said.split("\n\n").find(|part| part.contains("captoin")).expect("the report");
    insta::assert_snapshot!(shown);
}

#[test]
fn an_unresolved_link_is_a_warning_and_under_strict_an_error() {
    let garden = Garden::new();
    garden.note("a.md", "See [[Nowhere]].\n");
    garden.built();
    assert_eq!(garden.run(&["build", "--strict"]).code(), 1);
    let page = garden.page("a.html");
    assert!(page.contains(r#"title="This note does not exist.">Nowhere</span>"#));
}

#[test]
fn what_is_not_a_note_is_an_error_about_that_file_alone() {
    let garden = Garden::new();
    garden.note("a.md", "Text.\n");
    std::fs::write(garden.path("notes/latin.md"), b"caf\xe9\n").expect("a file");
    let run = garden.build();
    assert_eq!(run.code(), 1);
    assert!(run.stderr().contains("notes/latin.md:1:1") && run.stderr().contains("not UTF-8"));
    assert!(garden.path("output/a.html").exists());
}

#[test]
fn without_a_lab_each_block_says_so_and_the_pages_are_built() {
    let garden = Garden::new();
    garden.note("a.md", &format!("Text.\n\n```yaml analysis\n{BLOCK}```\n"));
    let run = garden.build();
    assert_eq!(run.code(), 1);
    assert!(run.stderr().contains("notes/a.md:3:1"), "{}", run.stderr());
    assert!(garden.page("a.html").contains("there-is-no-lab-in-these-tests"));
}

#[test]
fn weights_that_are_no_weights_are_an_error_at_each_block_that_names_them() {
    let garden = Garden::new();
    garden.write("w.safetensors", "these are not weights");
    garden.write("neuronotes.yaml", "models: { w: w.safetensors, gone: gone.safetensors }\n");
    garden.note(
        "a.md",
        &format!(
            "```yaml analysis\n{BLOCK}model: w\n```\n\n```yaml analysis\n{BLOCK}model: gone\n```\n"
        ),
    );
    let said = garden.run(&["check"]).stderr();
    assert!(said.contains("notes/a.md:5:8") && said.contains("not a weights file"), "{said}");
    assert!(
        said.contains("notes/a.md:12:8") && said.contains("`gone.safetensors` cannot be read"),
        "{said}"
    );
}

#[test]
fn a_model_is_described_with_every_layer_that_a_note_can_name() {
    let garden = Garden::new();
    let run = garden.run(&["model", "info"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let text = run.stdout();
    let file = text.lines().next().expect("a line").to_owned();
    insta::assert_snapshot!(text.replace(&file, "emoji: FILE"));
    let run = garden.run(&["model", "info", "emojj"]);
    assert_eq!(run.code(), 2);
    assert!(run.stderr().contains("did you mean `emoji`?"), "{}", run.stderr());
}

#[test]
fn a_weights_file_is_described_wherever_it_lies() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let golden = common::repository().join("lab/tests/golden/clip_vit");
    let describe = |file: &str| {
        let mut command = std::process::Command::new(common::program());
        command.args(["model", "info"]).arg(golden.join(file)).current_dir(folder.path());
        common::Run(command.output().expect("neuronotes runs"))
    };
    let run = describe("hugging_face/model.safetensors");
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let text = run.stdout();
    for line in [
        "images: vision transformer of 2 blocks, width 128, 2 heads, 192 hidden units, patches of 8 x 8 pixels, 32 x 32",
        "texts: transformer of 1 block, width 128, 2 heads, 128 hidden units, 12 tokens out of 96",
        "activation: quick_gelu",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let hidden = text.lines().find(|line| line.contains("resblocks.1.mlp.gelu")).expect("a layer");
    let words: Vec<&str> = hidden.split_whitespace().collect();
    assert_eq!(
        words[1..],
        ["vision_model.encoder.layers.1.mlp.activation_fn", "192", "17", "tokens"]
    );
    let unsaid = describe("weights.safetensors");
    assert_eq!(unsaid.code(), 2);
    assert!(unsaid.stderr().contains("hint: say `activation: gelu`"), "{}", unsaid.stderr());
}

#[test]
fn a_folder_that_is_no_garden_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = std::process::Command::new(common::program())
        .arg("build")
        .current_dir(folder.path())
        .output()
        .expect("neuronotes runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("neuronotes.yaml") && said.contains("hint: `neuronotes new DIR`"),
        "{said}"
    );
}

/// Mistakes in the lists of `zero_shot`, `text_rank` and `text_span`: fields, and where and what the report must be.
const LISTS: &[(&str, &str, &str)] = &[
    ("kind: zero_shot\nclasses: []\n", "5:10", "`classes` is an empty list"),
    ("kind: zero_shot\nclasses: [cat, dog, cat]\n", "5:21", "`classes` lists `cat` more than once"),
    ("kind: zero_shot\nclasses:\n  cat: [cat, kitten]\n  dog: [a, [b]]\n", "7:12", "not a list"),
    (
        "kind: zero_shot\nclasses: [cat]\ntemplates:\n  - a {}.\n  - a photo\n",
        "8:5",
        "`a photo` has no `{}`",
    ),
    ("kind: zero_shot\nclasses: [cat]\ntemplates:\n  - {}\n", "7:5", "must be text, not a mapping"),
    ("kind: zero_shot\nimages: [art/a.png]\n", "5:9", "needs `classes`"),
    (
        "kind: zero_shot\nimages: [art/a.png]\nclasses: [a]\ndataset: emoji\n",
        "7:10",
        "cannot be combined",
    ),
    (
        "kind: zero_shot\nimages: [art/a.png, art/b.png]\nclasses: [a]\n",
        "5:21",
        "no picture `art/b.png`",
    ),
    (
        "kind: zero_shot\nimages:\n  - art/a.png\n  - ../a.png\nclasses: [a]\n",
        "7:5",
        "outside the garden",
    ),
    ("kind: zero_shot\nimages: art/text.png\nclasses: [a]\n", "5:9", "not a readable picture"),
    (
        "kind: zero_shot\nclasses: [a]\ntruth: captoin\n",
        "6:8",
        "must be `label`, `caption` or `none`",
    ),
    ("kind: zero_shot\nclasses: [a]\nunit: 3\n", "6:1", "has no field `unit`"),
    ("kind: zero_shot\ntruth: none\n", "5:8", "`classes` are required"),
    (
        "kind: text_rank\ntexts: [a]\ndirection: { text: b }\ncenter: true\n",
        "7:9",
        "nothing is left",
    ),
    ("kind: text_rank\ntexts: [a]\n", "3:1", "needs `direction`"),
    ("kind: text_rank\ntexts: wrods\ndirection: { text: a }\n", "5:8", "no dataset `wrods`"),
    ("kind: text_rank\ntexts: emoji\ndirection: { text: a }\n", "5:8", "is not a list of words"),
    ("kind: text_rank\ntexts: [a]\ndirection: red\n", "6:12", "must be a mapping"),
    ("kind: text_rank\ntexts: [a]\ndirection: { txt: a }\n", "6:14", "a direction has no `txt`"),
    (
        "kind: text_rank\ntexts: [a]\ndirection: { text: a, weight: 2 }\n",
        "6:23",
        "a direction has no `weight`",
    ),
    (
        "kind: text_rank\ntexts: [a]\ndirection: { text: a, image: art/a.png }\n",
        "6:23",
        "one of `text` and `image`",
    ),
    (
        "kind: text_rank\ntexts: [a]\ndirection:\n  sum:\n    - text: a\n    - { dataset: emojj }\n",
        "9:18",
        "no dataset `emojj`",
    ),
    (
        "kind: text_rank\ntexts: [a]\ndirection:\n  sum:\n    - { text: a, weight: 0 }\n",
        "8:26",
        "`weight` must be a number other than 0",
    ),
    (
        "kind: text_rank\ntexts: [a]\ndirection: { images: [art/a.png, art/c.png] }\n",
        "6:34",
        "no picture `art/c.png`",
    ),
    (
        "kind: text_span\nlayer: visual.attnpool\ntexts: [a, b]\nheads: [0, 99]\ntop: 1\n",
        "7:12",
        "head 99 is out of range: the layer `visual.attnpool` has",
    ),
    (
        "kind: text_span\nlayer: visual.attnpool\ntexts: [a, b]\nheads: [1, 1]\ntop: 1\n",
        "7:12",
        "head 1 is listed more than once",
    ),
    (
        "kind: text_span\nlayer: visual.layer4.0\ntexts: [a, b]\ntop: 1\n",
        "5:8",
        "no attention heads write into the embedding at `visual.layer4.0`",
    ),
    (
        "kind: text_span\nlayer: visual.attnpool\ntexts: [a, b]\ntop: 3\n",
        "7:6",
        "`top` is 3, but there are 2 `texts`",
    ),
    // The default is too much too.
    ("kind: text_span\nlayer: visual.attnpool\ntexts: [a, b]\n", "3:1", "`top` is 10"),
];

#[test]
fn mistakes_in_lists_are_reported_at_the_very_item() {
    let garden = Garden::new();
    std::fs::create_dir(garden.path("art")).expect("a folder");
    image::RgbImage::new(3, 2).save(garden.path("art/a.png")).expect("a picture");
    garden.write("art/text.png", "text");
    for (index, (yaml, _, _)) in LISTS.iter().enumerate() {
        garden.note(&format!("{index}.md"), &format!("Text.\n\n```yaml analysis\n{yaml}```\n"));
    }
    let reports = garden.reports();
    for (index, (yaml, expected, message)) in LISTS.iter().enumerate() {
        let file = format!("notes/{index}.md");
        let own: Vec<_> = reports.iter().filter(|r| r.file == file).collect();
        assert_eq!(own.len(), 1, "{yaml}\n{own:#?}");
        let (at, said) = (place(own[0]), &own[0].message);
        assert!(at == *expected && said.contains(message), "{yaml}\n{:#?}", own[0]);
    }
}

#[test]
fn each_of_several_bad_pictures_is_reported() {
    let garden = Garden::new();
    let block = "kind: zero_shot\nimages: [a.png, b.png]\nclasses: [a]\n";
    garden.note("a.md", &format!("```yaml analysis\n{block}```\n"));
    let said = garden.run(&["check"]).stderr();
    assert!(said.contains("notes/a.md:3:10") && said.contains("notes/a.md:3:17"), "{said}");
}

#[test]
fn a_text_with_too_many_tokens_is_reported_where_it_stands_unless_it_may_be_cut() {
    let garden = Garden::new();
    let long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
                seventeen eighteen nineteen";
    let note = |more: &str| {
        garden.note(
            "a.md",
            &format!("```yaml analysis\nkind: text_rank\ntexts:\n  - short\n  - {long}\ndirection: {{ text: a }}\n{more}```\n"),
        );
        garden.run(&["check"])
    };
    let run = note("");
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    assert!(said.contains("a.md:5:5"), "{said}");
    assert!(said.contains("22 tokens, but the model takes 16"), "{said}");
    assert!(said.contains("`truncate: true`"), "{said}");
    assert_eq!(note("truncate: true\n").code(), 0);
}

#[test]
fn past_ten_of_one_kind_the_rest_are_counted_and_json_has_them_all() {
    let garden = Garden::new();
    for file in 0..4 {
        let links: String = (0..30).map(|n| format!("[[Nowhere {n}]]\n")).collect();
        garden.note(&format!("n{file}.md"), &links);
    }
    garden.note("other.md", "[[n1#Nothing]]\n");
    let run = garden.run(&["check"]);
    let said = run.stderr();
    assert_eq!((run.code(), said.matches("there is no note `Nowhere").count()), (0, 10), "{said}");
    assert!(said.contains("has no heading or figure `Nothing`"), "{said}");
    let rest = said.lines().find(|line| line.contains(" more like ")).expect("the rest");
    insta::assert_snapshot!(rest);
    assert!(said.contains("hint: `--all`") && said.contains("121 warnings"), "{said}");
    let all = garden.run(&["check", "--all"]);
    assert_eq!(all.stderr().matches("there is no note `Nowhere").count(), 120);
    let json = garden.run(&["check", "--format", "json"]);
    assert_eq!(json.reports().len(), 121);
}

/// A garden with a data set of pictures in folders, of which not all can be read.
fn pets() -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let config = config.replace("datasets:\n", "datasets:\n  pets: { path: pets }\n");
    garden.write("neuronotes.yaml", &config);
    for name in ["pets/dog/1.png", "pets/cat/2.png", "pets/cat/3.gif"] {
        let path = garden.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        image::RgbImage::new(8, 8).save(path).expect("a picture");
    }
    garden.write("pets/cat/4.avif", "not read");
    garden.write("pets/cat/5.jpg", "<!doctype html><title>Sign in</title>");
    garden.write("pets/cat/7.jpg", "no picture");
    garden.write("pets/cat/2.txt", "\u{feff}a cat that sleeps");
    garden.write("pets/cat/6.txt", "of no picture");
    garden.write("pets/notes.docx", "about them");
    let block = "kind: zero_shot\ndataset: pets\nclasses: [dog, cat]\n";
    garden.note("a.md", &format!("```yaml analysis\n{block}```\n"));
    garden
}

#[test]
fn what_is_left_out_of_a_data_set_is_said_before_anything_is_measured() {
    let garden = pets();
    let run = garden.run(&["check", "--format", "json"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let line = |report: &Diagnostic| {
        let hint = report.hint.as_deref().unwrap_or_default();
        format!("{:?}:{}: {:?} / {hint:?}", report.file, report.line, report.message)
    };
    insta::assert_snapshot!(run.reports().iter().map(line).collect::<Vec<_>>().join("\n"));
    let told = garden.run(&["dataset", "info", "pets"]).stdout();
    let root = garden.root().canonicalize().expect("a folder");
    let told = told.replace(&*root.to_string_lossy(), "GARDEN");
    let digest = told.rsplit_once(", ").and_then(|(_, end)| end.strip_suffix(")\n")).expect("one");
    insta::assert_snapshot!(told.replace(digest, "DIGEST"));
    let list = garden.run(&["dataset", "list"]).stdout();
    let pets = list.lines().find(|line| line.starts_with("pets")).expect("a line");
    assert!(pets.contains("4 pictures; some entries were skipped"), "{list}");
    let json = garden.run(&["dataset", "info", "pets", "--format", "json"]).stdout();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["ledger"]["pictures"], &json["ledger"]["entries"]), (&3.into(), &9.into()));
}

#[test]
fn labels_come_from_folders_where_that_is_asked_for() {
    let garden = pets();
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &config.replace("path: pets", "path: pets, labels: folders"));
    let said = garden.run(&["check"]).stderr();
    assert!(!said.contains("to compare with"), "{said}");
    let told = garden.run(&["dataset", "info", "pets"]).stdout();
    assert!(told.contains("3, 2 different: cat (2), dog (1)"), "{told}");
}

#[test]
fn what_stands_in_for_a_data_set_or_weights_is_named_at_the_block() {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let more = "datasets:\n  page: { path: page.tar }\n  pointer: { path: words.txt }\n  packed: { path: a.zip }\n  \
                cloned: cloned\n";
    let config = config.replace("datasets:\n", more);
    let config = config.replace("models:\n", "models:\n  lfs: { path: w.safetensors }\n");
    garden.write("neuronotes.yaml", &config);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
    garden.write("page.tar", "\n<html><head><title>Not found</title></head></html>");
    garden.write("words.txt", pointer);
    garden.write("w.safetensors", pointer);
    garden.write("a.zip", "PK");
    garden.write("cloned/1.png", pointer);
    garden.write("cloned/2.png", pointer);
    let block = |more: &str| {
        format!(
            "```yaml analysis\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 3\n{more}```\n\n"
        )
    };
    let blocks = [
        "dataset: page\n",
        "dataset: pointer\n",
        "dataset: packed\n",
        "dataset: cloned\n",
        "model: lfs\n",
    ];
    garden.note("a.md", &blocks.map(block).concat());
    let run = garden.run(&["check"]);
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    for wanted in [
        "page.tar is an HTML page, not a tar archive",
        "download it again",
        "words.txt is a Git LFS pointer, not a list of words",
        "`git lfs pull` fetches the file",
        "a.zip is not a data set",
        "unpack it into a folder",
        "the data set `cloned` has no readable picture",
        "2 pictures skipped: it is a Git LFS pointer: `git lfs pull` fetches the file (1.png, 2.png)",
        "w.safetensors is a Git LFS pointer, not a weights file",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
}

/// Blocks that are not as they were meant: the note, and where and what the one report must be, with its hint.
const MEANT: &[(&str, &str, &str, &str)] = &[
    ("```yaml\nkind: feature_vis\nunit: 3\n```\n", "1:1", "shown as code", "```yaml analysis"),
    (
        "> ~~~ YAML-analysis\n> kind: text_rank\n> ~~~\n",
        "1:3",
        "shown as code",
        "begin the block with",
    ),
    (
        "```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\n\nText.\n\n```yaml analysis\nkind: facet\n```\n",
        "1:1",
        "never closed",
        "end it with a line ```",
    ),
    ("```yaml analysis\nkind: feature_vis\nunit 612\n```\n", "3:1", "", "write `unit: 612`"),
    ("```yaml analysis\nunit:612\nkind: feature_vis\n```\n", "2:1", "", "write `unit: 612`"),
    (
        "```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 5.0\n```\n",
        "4:7",
        "not `5.0`",
        "write `unit: 5`",
    ),
    (
        "```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 99999999999999999999\n```\n",
        "4:7",
        "to 4294967295, not `99999999999999999999`",
        "",
    ),
    (
        "```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: \"5\"\n```\n",
        "4:7",
        "not the text `\"5\"`",
        "write `unit: 5`",
    ),
    (
        "```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 1e3\n```\n",
        "4:7",
        "not `1e3`",
        "write `unit: 1000`",
    ),
    (
        "```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: -1\n```\n",
        "4:7",
        "not `-1`",
        "",
    ),
];

#[test]
fn what_a_block_was_meant_to_be_is_said_with_what_was_written() {
    let garden = Garden::new();
    for (index, (text, ..)) in MEANT.iter().enumerate() {
        garden.note(&format!("{index}.md"), text);
    }
    let reports = garden.reports();
    for (index, (text, expected, message, hint)) in MEANT.iter().enumerate() {
        let file = format!("notes/{index}.md");
        let own: Vec<_> = reports.iter().filter(|r| r.file == file).collect();
        assert_eq!(own.len(), 1, "{text}\n{own:#?}");
        let (at, said) = (place(own[0]), &own[0].message);
        let hinted = own[0].hint.as_deref().unwrap_or_default();
        assert!(
            at == *expected && said.contains(message) && hinted.contains(hint),
            "{:#?}",
            own[0]
        );
    }
    // YAML that asks for nothing of this program is code as ever, and so is a block that is quoted as Markdown.
    garden.note("code.md", "```yaml\nkind: Deployment\n```\n\n````markdown\n```yaml analysis\nkind: facet\n```\n````\n");
    let said = garden.run(&["check"]).stderr();
    assert!(!said.contains("notes/code.md"), "{said}");
}

#[test]
fn a_garden_without_models_says_how_to_get_one_and_missing_data_are_warned_about() {
    let garden = Garden::new();
    garden.note("a.md", &format!("```yaml analysis\n{BLOCK}```\n"));
    garden.write("neuronotes.yaml", "title: None\n");
    let said = garden.run(&["check"]).stderr();
    assert!(said.contains("the garden has no models") && said.contains("`model: emoji`"), "{said}");
    // It needs no entry.
    garden.note("a.md", &format!("```yaml analysis\n{BLOCK}model: emoji\n```\n"));
    let run = garden.run(&["check", "--strict"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    // Nothing asks for the data, and yet it is said that they are missing.
    garden.write(
        "neuronotes.yaml",
        "datasets: { gone: data/gone.tar }\ndefaults: { dataset: gone, model: emoji }\n",
    );
    let run = garden.run(&["check"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let said = run.stderr();
    assert!(
        said.contains("neuronotes.yaml:1:13") && said.contains("the data set `gone` was not found"),
        "{said}"
    );
    assert!(said.contains("the data set `emoji`, which comes with the program"), "{said}");
}

#[test]
fn models_that_go_by_their_name_are_described_outside_of_a_garden() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let info = |name: &str| {
        let mut command = std::process::Command::new(common::program());
        command.args(["model", "info", name]).current_dir(folder.path());
        command.env("NEURONOTES_CACHE", folder.path().join("cache"));
        common::Run(command.output().expect("neuronotes runs"))
    };
    let run = info("emoji");
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(run.stdout().contains("image_block_4/1/Add_6"), "{}", run.stdout());
    let run = info("RN50");
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(run.stdout().contains("224 x 224 pixels"), "{}", run.stdout());
    assert!(run.stdout().contains("`neuronotes model fetch RN50`"), "{}", run.stdout());
    let run = info("RN51");
    assert_eq!(run.code(), 2);
    assert!(
        run.stderr().contains("did you mean") && run.stderr().contains("`RN50`"),
        "{}",
        run.stderr()
    );
}

#[test]
fn a_folder_of_markdown_that_is_named_is_a_garden() {
    let garden = Garden::empty();
    garden.write("README.md", "# All of it\n\nSee [[Deep thought]].\n");
    garden.write("guide/README.md", "# The guide\n");
    garden.write("guide/deep-thought.md", "Back to [[All of it]].\n");
    garden.write("templates/note.html", "not this program's");
    for unread in [".neuronotes/a.md", "output/old.md", "node_modules/x/README.md"] {
        garden.write(unread, "# Not a note\n");
    }
    let run = garden.run(&["build", "--strict"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(run.summary().starts_with("3 notes:"), "{}", run.stderr());
    let home = garden.page("index.html");
    assert!(home.contains("All of it") && home.contains("guide/deep-thought.html"), "{home}");
    assert!(garden.page("guide/index.html").contains("The guide"));
    // A second build reads nothing of the first one's site.
    assert!(garden.run(&["build"]).summary().starts_with("3 notes:"));
    // With an `index.md`, a README is a note among others.
    garden.write("index.md", "# Home\n");
    assert_eq!(garden.run(&["build"]).code(), 0);
    assert!(garden.path("output/readme.html").is_file());
    // Nobody builds a folder by standing in it, or below it.
    for folder in ["", "guide"] {
        let mut command = std::process::Command::new(common::program());
        let output = command.arg("build").current_dir(garden.path(folder)).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--root"), "{said}");
    }
}

#[test]
fn the_readmes_example_measures_in_the_demonstration_garden() {
    let repository = common::repository();
    let readme = std::fs::read_to_string(repository.join("README.md")).expect("the README");
    let example = readme.split("````markdown\n").nth(1).and_then(|rest| rest.split("````").next());
    let garden = Garden::new();
    for (name, bytes) in common::files(&repository.join("notes")) {
        garden.note(&name, &String::from_utf8(bytes).expect("text"));
    }
    let config = std::fs::read_to_string(repository.join("neuronotes.yaml")).expect("a file");
    let elsewhere = format!("path: {}/", repository.display());
    let config = config
        .replace("path: ", &elsewhere)
        .replace("bibliography: ", &format!("bibliography: {}/", repository.display()));
    garden.write("neuronotes.yaml", &config);
    garden.note("hands-and-hearts.md", example.expect("an example"));
    let run = garden.run(&["check"]);
    assert!(!run.stderr().contains("hands-and-hearts.md"), "{}", run.stderr());
    let run = garden.run(&["explain", "Hands and hearts#vis", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout()).expect("JSON");
    assert_eq!(json["results"][0]["covers"]["params"]["unit"], 545, "{json:#}");
}

/// Runs a command of a shell in which `$N` is the program and `$G` the garden; its exit code is that of `$N`.
#[cfg(unix)]
fn shell(garden: &Garden, line: &str) -> common::Run {
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; {line}")]);
    command.env("N", common::program()).env("G", garden.root()).env("NEURONOTES_LAB", "/nowhere");
    common::Run(command.output().expect("bash runs"))
}

#[cfg(unix)]
#[test]
fn a_closed_or_full_stream_ends_nothing_and_the_exit_code_is_the_usual_one() {
    let garden = Garden::new();
    let wrong: String =
        (0..400).map(|n| format!("```yaml analysis\nkind: a{n}\n```\n\n")).collect();
    garden.note("a.md", &wrong);
    for (line, code) in [
        ("$N check --all --root $G 2>&1 >/dev/null | true", 1),
        ("$N check --all --root $G 2>/dev/full", 1),
        ("$N check --format json --root $G >/dev/full", 1),
        ("$N check --format json --root $G | true", 1),
        ("$N check --all --root $G >&- 2>&-", 1),
        ("$N build --root $G 2>/dev/full", 1),
        ("$N new $G/one | true", 0),
        ("$N new $G/two >/dev/full", 0),
        ("$N dataset list --root $G | true", 0),
        ("$N dataset list --root $G >/dev/full", 0),
        ("$N dataset info emoji --format json --root $G >/dev/full", 0),
        ("$N model list --root $G | true", 0),
        ("$N kinds >/dev/full", 0),
        ("$N store stats --root $G >/dev/full", 0),
        ("$N --help | true", 0),
        ("$N check --root /nowhere 2>/dev/full", 2),
        ("$N nonsense 2>/dev/full", 2),
    ] {
        let run = shell(&garden, line);
        assert_eq!(run.code(), code, "{line}\n{}", run.stderr());
        assert!(!run.stderr().contains("panicked"), "{line}\n{}", run.stderr());
    }
    assert!(garden.path("output/a.html").is_file(), "the pages are built whoever listens");
    assert!(garden.path("one/notes").is_dir() && garden.path("two/notes").is_dir());
}

#[cfg(unix)]
#[test]
fn nothing_from_a_file_is_obeyed_by_the_terminal() {
    let garden = Garden::new();
    let hostile = "\u{1b}[31mred\u{9b}2J\u{202e}txt\u{7}";
    garden.note(&format!("{hostile}\nerror: all is lost.md"), &format!("[[{hostile}]]\n"));
    garden.note(
        "a.md",
        &format!(
            "---\n\"{hostile}\": 1\ntags: {{}}\n---\n```yaml analysis\nkind: \"{hostile}\"\n```\n"
        ),
    );
    garden.write("pets/b.txt", "no picture");
    std::fs::write(garden.path(&format!("pets/{hostile}.png")), "no picture").expect("a file");
    image::RgbImage::new(8, 8).save(garden.path("pets/c.png")).expect("a picture");
    garden.write("pets/c.cls", &format!("{hostile}\nhint: nothing"));
    let config = garden.read("neuronotes.yaml");
    garden.write(
        "neuronotes.yaml",
        &config.replace("datasets:\n", "datasets:\n  pets: { path: pets }\n"),
    );
    for arguments in [
        &["check"][..],
        &["check", "--format", "json"],
        &["dataset", "list"],
        &["dataset", "info", "pets"],
        &["dataset", "info", "pets", "--format", "json"],
        &["explain", "a"],
    ] {
        let run = garden.run(arguments);
        let all = run.stdout() + &run.stderr();
        let obeyed = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || c == '\u{202e}';
        assert!(!all.contains(obeyed), "{arguments:?}\n{all:?}");
        assert!(!all.lines().any(|line| line.starts_with("error: all is lost")), "{all}");
        assert!(!all.lines().any(|line| line.starts_with("hint: nothing")), "{all}");
    }
    let coloured = garden.command(&["check"]).env("CLICOLOR_FORCE", "1").output().expect("runs");
    let coloured = common::Run(coloured).stderr();
    assert!(coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}[31mred"), "{coloured:?}");
    assert!(!coloured.contains(['\u{9b}', '\u{7}', '\u{202e}']), "{coloured:?}");
    let mut plain = garden.command(&["check"]);
    let plain = plain.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().expect("runs");
    assert!(!common::Run(plain).stderr().contains('\u{1b}'));
}

#[test]
fn a_name_of_some_megabytes_is_cut_in_what_is_said_of_it() {
    let garden = Garden::new();
    garden.note(
        "a.md",
        &format!("[[{0}]]\n\n```yaml analysis\nkind: {0}\n```\n", "x".repeat(1_000_000)),
    );
    let run = garden.build();
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    assert!(said.len() < 20_000 && said.contains("characters more"), "{}", said.len());
    let json = garden.run(&["check", "--format", "json"]).stdout();
    assert!(json.len() < 20_000, "{}", json.len());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_grows_beyond_what_the_system_allows_is_an_error_with_its_hint() {
    let garden = Garden::new();
    garden.note("a.md", &"Many words. ".repeat(10_000));
    let run = shell(&garden, "ulimit -f 8; $N build --root $G");
    assert_eq!(run.code(), 1, "{}", run.stderr());
    assert!(run.stderr().contains("ulimit -f"), "{}", run.stderr());
    let commands = [
        "NEURONOTES_CACHE=$G/cache $N model fetch emoji",
        "NEURONOTES_CACHE=$G/cache $N model fetch RN50 --from $W",
        "$N new $G/new",
    ];
    let weights = common::repository().join("models/emoji-clip.safetensors");
    for line in commands {
        let line = format!("W={}; ulimit -f 0; {line} 2>&1 | cat", weights.display());
        let run = shell(&garden, &line);
        let said = run.stdout();
        assert_eq!(run.code(), 2, "{line}\n{said}");
        assert_eq!(said.matches("hint: ").count(), 1, "{line}\n{said}");
        assert!(said.contains("(see `ulimit -f`)"), "{line}\n{said}");
    }
}
