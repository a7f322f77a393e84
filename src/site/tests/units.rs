//! A drawing refers to units: the page shows their current names, and a note that declares a unit lists the figures that use it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use neuronotes_core::digest::Digest;
use neuronotes_core::model::Place;
use neuronotes_core::store::Record;

use super::super::*;
use crate::figure::part::{Bar, Bars, Part};
use crate::figure::table::Table;
use crate::figure::{Drawing, UnitRef};

const LAYER: &str = "image_block_4/0/Add_6";

/// A garden of a note that declares unit 5, one that draws unit 7, and one whose drawing names both and a third.
fn garden() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = here.join("models/emoji-clip.safetensors");
    let data = here.join("data/emoji.tar");
    fs::create_dir_all(dir.path().join("notes/deep")).expect("a folder");
    let config = format!(
        "title: T\nmodels:\n  emoji: {{ path: {} }}\ndatasets:\n  emoji: {{ path: {} }}\n\
         defaults: {{ model: emoji, dataset: emoji }}\n",
        model.display(),
        data.display()
    );
    fs::write(dir.path().join("neuronotes.yaml"), config).expect("a file");
    let block = |unit: u32| {
        format!(
            "```yaml analysis\nid: sum\nkind: unit_summary\nlayer: {LAYER}\nunit: {unit}\n```\n"
        )
    };
    write(&dir, "seven.md", &format!("# Seven\n\n{}", block(7)));
    write(&dir, "deep/use.md", &format!("# Use\n\n{}", block(7)));
    declare(&dir, "finance");
    dir
}

fn write(dir: &tempfile::TempDir, name: &str, text: &str) {
    fs::write(dir.path().join("notes").join(name), text).expect("a file");
}

fn declare(dir: &tempfile::TempDir, name: &str) {
    let units = format!("units:\n  - {{ layer: {LAYER}, unit: 5, name: {name} }}\n");
    write(dir, "money.md", &format!("---\ntitle: Money\n{units}---\nText.\n"));
}

/// The page of a note, where the figure of `deep/use.md` is made up.
fn page(site: &mut Site, path: &str) -> String {
    site.settle_all();
    let at = site.notes.iter().position(|note| note.path == "deep/use.md").expect("a note");
    let crate::plan::Wanted::Measurement(measurement) = &site.plan.wanted(at)[0] else {
        panic!("one")
    };
    let (model, place, _) = measurement.named().expect("a unit");
    let named =
        |unit: u32, place: Place| Bar { unit: Some(UnitRef { model, place, unit }), ..bar(unit) };
    let bar = |unit: u32| named(unit, place.clone());
    let rows = vec![bar(5), bar(7), bar(9)];
    let head = ["unit".to_owned(), "part".to_owned()];
    let bars = Bars { title: String::new(), picture: None, head, rows };
    let parts = vec![Part::Bars(bars)];
    let table = Table { head: vec![], rows: vec![], units: None };
    let drawing = Drawing::Parts { parts, table, note: String::new() };
    let record = Record::new(Digest::of(b"key"), "unit_summary", 1, serde_json::json!({}));
    let done =
        Settled::Done { record: Arc::new(record), drawing: Arc::new(drawing), scanned: None };
    site.settled[at] = [done].into();
    site.page(path).expect("a page").expect("a whole page").html.to_string()
}

fn bar(unit: u32) -> Bar {
    let (label, value) = (format!("unit {unit}"), String::new());
    let dots = Vec::new();
    Bar { label, value, from: 0.0, to: 1.0, below: false, interval: None, dots, unit: None }
}

#[test]
fn a_drawing_names_units_as_notes_do_at_the_time() {
    let dir = garden();
    let workspace = Workspace::open(dir.path()).expect("a garden");
    let mut site = Site::new(workspace, Progress { preview: true, ..Progress::default() });
    let shown = page(&mut site, "deep/use.html");
    let money = r#"<a class="internal" href="../money.html">finance <span class="unit-number">5</span></a>"#;
    assert!(shown.contains(money), "{shown}");
    let seven = r#"/7.html">unit 7</a></th>"#;
    assert!(shown.contains(seven), "{shown}");
    assert!(shown.contains(r#"title="unit 9">unit 9</th>"#), "{shown}");
    // The unit of a note is used in the figures of others that name it.
    let used = r#"<a href="deep/use.html#sum">Figure 1 of Use</a>"#;
    let of_money = page(&mut site, "money.html");
    assert!(of_money.contains("Used in") && of_money.contains(used), "{of_money}");

    // A new name is shown at once, although the drawing is unchanged.
    declare(&dir, "money bags");
    let touched = site.workspace.apply(["notes/money.md"]);
    site.update(&touched);
    assert!(page(&mut site, "deep/use.html").contains(">money bags <span"));

    // Without its note, the unit is known by its number alone.
    fs::remove_file(dir.path().join("notes/money.md")).expect("removed");
    let touched = site.workspace.apply(["notes/money.md"]);
    site.update(&touched);
    let shown = page(&mut site, "deep/use.html");
    assert!(shown.contains(r#"title="unit 5">unit 5</th>"#), "{shown}");
}

#[test]
fn a_note_says_which_figures_of_others_are_about_its_unit() {
    let dir = garden();
    write(
        &dir,
        "seven.md",
        &format!(
            "---\ntitle: Seven\nunits:\n  - {{ layer: {LAYER}, unit: 7, name: bags }}\n---\nText.\n"
        ),
    );
    let workspace = Workspace::open(dir.path()).expect("a garden");
    let mut site = Site::new(workspace, Progress::default());
    let whole = |site: &mut Site, path: &str| {
        site.page(path).expect("a page").expect("a whole page").html.to_string()
    };
    let seven = whole(&mut site, "seven.html");
    assert!(
        seven.contains(">unit 7 · bags</a>: <a href=\"deep/use.html#sum\">Figure 1 of Use</a>"),
        "{seven}"
    );
    assert!(!whole(&mut site, "money.html").contains("Used in"));
    write(&dir, "deep/use.md", "# Use\n\nNothing is measured any more.\n");
    let touched = site.workspace.apply(["notes/deep/use.md"]);
    site.update(&touched);
    assert!(!whole(&mut site, "seven.html").contains("Used in"));
}
