//! A labelling sheet from the first build to the figure of what raters answered.

use serde_json::{Value, json};

use super::{block, garden};

/// The data of the sheet that a page links to.
fn data(page: &str) -> Value {
    let start = "<script type=\"application/json\" id=\"data\">";
    let (_, rest) = page.split_once(start).expect("the data");
    serde_json::from_str(rest.split_once("</script>").expect("its end").0).expect("JSON")
}

/// A rater's file: warm colours by their names, except that this one is wrong about some.
fn answers(data: &Value, rater: &str, wrong: &[&str]) -> String {
    let label = |name: &str| {
        let warm = ["red", "white"].contains(&name) != wrong.contains(&name);
        if warm { "warm" } else { "cold" }
    };
    let images = data["images"].as_array().expect("images");
    let names = images.iter().map(|image| image["name"].as_str().expect("a name"));
    let labels: serde_json::Map<String, Value> =
        names.map(|name| (name.to_owned(), label(name).into())).collect();
    let file = json!({
        "format": data["format"], "sheet": data["sheet"], "rater": rater,
        "categories": data["categories"], "labels": labels,
    });
    file.to_string()
}

#[test]
fn what_raters_answer_on_a_sheet_comes_back_into_the_figure() {
    let garden = garden();
    let shares = block(
        "conditional",
        3,
        "id: shares\nbins: 2\nleast: 1\ncategories: [warm, cold]\nlabels: sheets/shares-*.json\n",
    );
    let alpha = "Alpha `= shares.alpha | .3f`, of `= shares.images_labelled` and `= shares.images_tied` ties.\n\n";
    garden.note("a.md", &shares);
    let first = garden.built();
    assert!(first.stderr().contains("not labelled yet"), "{}", first.stderr());
    let page = garden.page("a.html");
    let (_, link) = page.split_once("<p class=\"sheet-link\"><a href=\"").expect("a link");
    let link = link.split('"').next().expect("an address");
    let (file, id) = link.split_once('#').expect("the figure's name");
    assert_eq!(id, "shares");
    let sheet = String::from_utf8(garden.output()[file].clone()).expect("text");
    let data = data(&sheet);
    assert_eq!(data["categories"], json!(["warm", "cold"]));
    assert_eq!(data["images"].as_array().map(Vec::len), Some(5));
    assert!(!sheet.contains("visual.layer4") && !sheet.contains("image_block"), "blind");

    let response = block("category_response", 3, "id: groups\nlabels: [sheets/shares-ann.json]\n");
    garden.note("a.md", &format!("{alpha}{shares}{response}"));
    std::fs::create_dir_all(garden.path("sheets")).expect("a folder");
    garden.write("sheets/shares-ann.json", &answers(&data, "ann", &[]));
    garden.write("sheets/shares-ben.json", &answers(&data, "ben", &["grey"]));
    let second = garden.built();
    assert!(second.summary().contains("no problems found"), "{}", second.stderr());
    let page = garden.page("a.html");
    // Ten labels, five of them warm: 1 − (2 / 10) / (2 · 5 · 5 / (10 · 9)).
    assert!(page.contains(">0.640<"), "{page}");
    assert!(page.contains("labelled by ann (5), ben (5)"), "{page}");
    assert!(page.contains("share-1") && page.contains(">warm</li>"), "{page}");
    assert!(page.contains("Median activation") && page.contains("(2 images)"), "{page}");
    assert!(garden.output().contains_key(file), "the same sample has the same sheet");

    // Another sample: the plan cannot know it, the lab names the images.
    let narrow = shares.replace("bins: 2\n", "bins: 2\nsample: 1\n");
    garden.note("a.md", &narrow);
    let third = garden.build();
    assert_eq!(third.code(), 1);
    let said = third.stderr();
    assert!(said.contains("`sheets/shares-ann.json` is about images that are not in"), "{said}");
    // Another data set.
    garden.note("a.md", &shares);
    garden.remove("data/red.png");
    let fourth = garden.build();
    let said = fourth.stderr();
    assert!(said.contains("images that the data set does not have: `red`"), "{said}");
}
