//! Concepts on a page: mistakes in their groups, controls that contain them, and what unit and direction respond to.

use neuronotes::diagnostic::Severity;

use super::LAYER;
use super::common::Garden;

/// A garden of eight red squares with one caption, eight others that differ, and a grey one.
fn garden() -> Garden {
    let garden = super::garden();
    for name in ["red", "green", "blue", "grey", "white"] {
        for ending in ["png", "txt"] {
            std::fs::remove_file(garden.path(&format!("data/{name}.{ending}"))).expect("removed");
        }
    }
    let add = |name: &str, caption: &str, colour: [u8; 3]| {
        let path = garden.path(&format!("data/{name}.png"));
        image::RgbImage::from_pixel(96, 96, image::Rgb(colour)).save(path).expect("a picture");
        garden.write(&format!("data/{name}.txt"), caption);
    };
    for at in 0..8u8 {
        add(&format!("red-{at}"), "a red square", [200 + at * 6, 20 + at * 5, 30]);
        let other = [20 + at * 4, 60 + at * 20, 250 - at * 9];
        add(&format!("cool-{at}"), &format!("a cool square, number {at}"), other);
    }
    add("grey", "a grey square", [128, 128, 128]);
    garden
}

fn block(id: &str, more: &str) -> String {
    format!("```yaml analysis\nid: {id}\nkind: concept\nlayer: {LAYER}\n{more}```\n\n")
}

#[test]
fn mistakes_in_the_groups_of_a_concept_are_reported_at_their_blocks_with_a_hint() {
    let garden = garden();
    let mistakes = [
        (
            "everything",
            "positive: { dataset: emoji }\n",
            "the group has all pictures of the data set",
            "give the other group, too",
        ),
        (
            "single",
            "positive: { captions: [grey] }\n",
            "`positive` has too few pictures: 1",
            "a group needs at least 4, and two on each side of the split",
        ),
        (
            "alone",
            "positive: { captions: [red] }\nnegative: { captions: [grey] }\n",
            "`negative` has too few pictures: 1",
            "a group needs at least 4",
        ),
        (
            "nowhere",
            "positive: { captions: [red, gray] }\n",
            "no picture of the data set has a caption with the words `gray`",
            "",
        ),
        (
            "unlabelled",
            "positive: { labels: [red] }\n",
            "no picture of the data set has the label `red`",
            "the data set has no labels",
        ),
        (
            "emptied",
            "positive: { captions: [red] }\ngroup_by: caption\n",
            "the split leaves 0 of the 8 pictures of `positive` held out and 8 to train on",
            "pictures of one caption stay together",
        ),
        (
            "nameless",
            "positive: { captions: [red] }\nnegative: { words: [sky, sea, ice, rain, snow, fog, mist, dew] }\nname: red\n",
            "`name` needs groups of pictures of the block's own data set",
            "use `labels`, `captions` or `dataset` for both groups",
        ),
        (
            "overlapping",
            "positive: { captions: [red] }\nnegative: { captions: [square] }\n",
            "are in both groups",
            "must have no picture in common",
        ),
    ];
    let notes: String = mistakes.iter().map(|(id, fields, ..)| block(id, fields)).collect();
    garden.note("a.md", &notes);
    let run = garden.run(&["build", "--format", "json"]);
    assert_eq!(run.code(), 1);
    let reports = run.reports();
    let mut line = 1;
    for (id, fields, message, hint) in mistakes {
        let lines = line..line + block(id, fields).lines().count();
        line = lines.end;
        let report = reports.iter().find(|report| lines.contains(&report.line));
        let report = report.unwrap_or_else(|| panic!("nothing about {id}: {reports:#?}"));
        assert!(report.severity == Severity::Error, "{id}: {report:?}");
        assert!(report.message.contains(message), "{id}: {}", report.message);
        assert!(report.hint.as_deref().unwrap_or_default().contains(hint), "{id}: {report:?}");
        // The page says it, too; what is in backticks is code there.
        let page = garden.page("a.html");
        // An apostrophe is escaped.
        let mut pieces = report.message.split(['`', '\'']);
        assert!(pieces.all(|piece| page.contains(piece)), "{id}: {}", report.message);
    }
}

#[test]
fn controls_that_contain_the_concept_are_warned_of_on_the_page_and_at_the_field() {
    let garden = garden();
    let direction = |id: &str, positive: &str| {
        format!(
            "```yaml analysis\nid: {id}\nkind: direction\nlayer: {LAYER}\npositive: {positive}\n```\n\n"
        )
    };
    let all = [
        direction("warm", "{ captions: [red, grey] }"),
        direction("cool", "{ captions: [number] }"),
        block("contained", "positive: { captions: [red] }\ncontrols: [cool, warm]\n"),
        block("fine", "positive: { captions: [red] }\ncontrols: [cool]\n"),
    ];
    garden.note("a.md", &all.concat());
    let run = garden.built();
    let said = run.stderr();
    let warning = "`controls` contain the concept: 8 of its 8 pictures are among those that number 2 of them points to";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    let lines = all[..2].concat().lines().count();
    assert!(said.contains(&format!("a.md:{}:11", lines + 6)), "{said}");
    assert!(said.contains("leave the concept's own pictures out of them"), "{said}");
    let page = garden.page("a.html");
    let note = "<p class=\"drawing-note\">";
    let warned = |note: &&str| note.contains("warning: the control warm contains the concept");
    let notes: Vec<&str> =
        page.split(note).skip(1).filter_map(|n| n.split("</p>").next()).collect();
    assert_eq!(notes.iter().filter(|note| warned(note)).count(), 1, "{notes:#?}");
    // It is still said when nothing is measured, and counts in strict mode.
    assert_eq!(garden.run(&["check", "--strict"]).code(), 1);
}

#[test]
fn the_figure_shows_what_the_unit_and_the_direction_respond_to() {
    let garden = garden();
    let more = "positive: { captions: [red] }\npictures: 3\nvisualise: draft\nname: heart\ntemplates: [\"red {}\"]\n";
    let said = "`= it.looks.direction.strongest.of_concept` of `= it.looks.direction.strongest.pictures[0].key`\n\n";
    garden.note("a.md", &format!("{said}{}", block("it", more)));
    garden.built();
    let page = garden.page("a.html");
    for title in [
        "Made from noise, for the best unit and for the direction",
        "pictures of unit ",
        "Strongest pictures of the direction: 3 of 3 show the concept",
    ] {
        assert!(page.contains(title), "{title}: {page}");
    }
    for text in [
        "Held-out pictures by the logit of “heart” (AUC), without",
        "Change of the logit of “heart” for pictures of the concept",
        "20 random changes of the same size",
        "for 2 held-out pictures of the concept, the logit of “heart” is ",
        "of 20 random changes of the same size move it as far",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(page.matches("a red square</").count(), 6, "{page}");
    // As of any figure with pictures, others can use them.
    let use_them = "```yaml analysis\nkind: zero_shot\nuse: it\nclasses: [red, blue]\n```\n";
    garden.note("b.md", use_them);
    garden.built();
    assert!(garden.page("b.html").contains("it · direction"), "{}", garden.page("b.html"));
}
