//! Data sets of words that are drawn in several fonts, sizes, colours and positions.

use neuronotes_core::request::Request;
use serde_json::Value;

use crate::common::{Garden, repository};

/// A garden whose data set `w` has this entry.
fn garden(entry: &str) -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    garden.write(
        "neuronotes.yaml",
        &config.replace("datasets:\n", &format!("datasets:\n  w: {entry}\n")),
    );
    for (name, file) in [("Serif", "DejaVuSerif"), ("Mono", "DejaVuSansMono-Bold")] {
        let from = repository().join(format!("data/fonts/{file}.ttf"));
        std::fs::copy(from, garden.path(&format!("{name}.ttf"))).expect("a font");
    }
    garden.write("words.txt", "love\nhate\nNew York\n");
    garden.note("a.md", BLOCK);
    garden
}

const BLOCK: &str = "```yaml analysis\nid: a\nkind: words\ndataset: w\nlayer: image_block_4/0/Add_6\nunit: 4\n```\n";

fn info(garden: &Garden) -> String {
    let run = garden.run(&["dataset", "info", "w"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    run.stdout()
}

#[test]
fn the_count_of_drawings_is_said_with_what_varies() {
    let all = garden(
        "{ path: words.txt, draw: { fonts: [DejaVu Sans Bold, Serif.ttf, Mono.ttf], colours: [black, red], \
         backgrounds: [white, black], positions: [centre, top left] } }",
    );
    assert_eq!(all.run(&["check"]).code(), 0);
    let told = info(&all);
    // Black on black is left out.
    assert!(told.contains("words      3\n"), "{told}");
    assert!(told.contains("pictures   54: 3 fonts × 3 pairs of colours × 2 positions\n"), "{told}");
    let list = all.run(&["dataset", "list"]).stdout();
    assert!(list.contains("54 pictures of words"), "{list}");
    let json = all.run(&["dataset", "info", "w", "--format", "json"]).stdout();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["words"], 3);
    assert_eq!(json["draw"]["looks"]["positions"][1], "top left");
}

#[test]
fn words_in_the_configuration_are_drawn_like_those_of_a_file() {
    let written = garden("{ words: [love, hate, New York], draw: { positions: [top, bottom] } }");
    assert!(info(&written).contains("pictures   6: 2 positions"));
    let listed = garden("{ path: words.txt, draw: { positions: [top, bottom] } }");
    let keys = [&written, &listed].map(|garden| asked(garden).uses[0].key());
    assert_eq!(keys[0], keys[1], "the same words are scanned once");
}

/// The request of the garden's block.
fn asked(garden: &Garden) -> Request {
    let mut workspace = neuronotes::workspace::Workspace::open(garden.root()).expect("a garden");
    let plan = neuronotes::site::wishes(&mut workspace).plan;
    (*plan.requests.first().expect("a request").1).clone()
}

#[test]
fn a_list_that_is_drawn_as_ever_keeps_its_key() {
    let [plain, same, other] = [
        "{ path: words.txt }",
        "{ path: words.txt, draw: { fonts: DejaVu Sans Bold, sizes: fit, colours: black, positions: centre } }",
        "{ path: words.txt, draw: { positions: top } }",
    ]
    .map(|entry| asked(&garden(entry)).uses[0].key());
    assert_eq!(plain, same);
    assert_ne!(plain, other);
}

#[test]
fn what_cannot_be_drawn_is_said_by_check_at_the_data_set() {
    let garden = garden(
        "{ path: words.txt, draw: { fonts: [DejaVu Sans Bold, Serif.ttf], sizes: [fit, 0.2] } }",
    );
    garden.write("words.txt", "love\nlove\nétoile\nantidisestablishmentarianism\n銀行\n");
    let run = garden.run(&["check"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let said = run.stderr();
    for expected in [
        "the word is in the list already (love)",
        "Serif has no `é` (U+00E9) (étoile)",
        "it is too wide at size 0.2 in DejaVu Sans Bold (antidisestablishmentarianism)",
        "it is too wide at size 0.2 in Serif (antidisestablishmentarianism)",
        "has no `銀` (U+9280) (銀行)",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(said.contains("neuronotes.yaml:6:3"), "{said}");
    // `love` in four ways, `étoile` in two, and the long one where it fits.
    assert!(info(&garden).contains("pictures   8: 2 fonts × 2 sizes"));
}

#[test]
fn mistakes_are_errors_at_the_block_or_in_the_configuration() {
    let said = |entry: &str, change: &dyn Fn(&Garden)| {
        let garden = garden(entry);
        change(&garden);
        let run = garden.run(&["check"]);
        assert_eq!(run.code(), 1, "{entry}");
        run.stderr()
    };
    let nothing = |_: &Garden| {};
    let draw = "{ path: words.txt, draw: { fonts: [Serif.ttf] } }";
    let text = said(draw, &|garden| garden.write("Serif.ttf", "<html>"));
    assert!(
        text.contains("the font `Serif.ttf` cannot be used: it is not a TrueType or OpenType font")
    );
    assert!(text.contains("neuronotes.yaml:6:41") && text.contains("notes/a.md:4:10"), "{text}");
    let text = said(draw, &|garden| garden.remove("Serif.ttf"));
    assert!(text.contains("the font `Serif.ttf` was not found"), "{text}");
    let text = said("{ path: words.txt, draw: { colours: [yelow] } }", &nothing);
    assert!(text.contains("did you mean `yellow`"), "{text}");
    let text = said("{ path: words.txt, draw: { positions: top } }", &|garden| {
        garden.write("words.txt", "# nothing\n\n");
    });
    assert!(text.contains("the data set `w` has no word"), "{text}");
    let text = said("{ path: words.txt, draw: { positions: top } }", &|garden| {
        garden.write("words.txt", "銀\n行\n");
    });
    assert!(text.contains("the data set `w` has no word"), "{text}");
    let emoji = repository().join("data/emoji.tar");
    let text =
        said(&format!("{{ path: {}, draw: {{ positions: top }} }}", emoji.display()), &nothing);
    assert!(text.contains("is a tar archive, which is not drawn"), "{text}");
    let text = said(&format!("{{ path: {} }}", emoji.display()), &nothing);
    assert!(text.contains("the data set `w` has pictures, not words"), "{text}");
}
