//! The labelling sheet in a browser: keys, undo, skipping, closing and going on, several raters, and the file that is saved.

use headless_chrome::Tab;
use neuronotes_core::labelling::{Answers, FORMAT, KEYS};
use serde_json::{Value, json};

use crate::alone::written;
use crate::chromium::{browser, open, overflow, resize, value, wait};
use crate::fault::{axe, barriers};
use crate::garden::Pages;
use crate::tab::go;

/// A picture of one pixel.
const PIXEL: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

/// A sheet of twelve images in a folder, with these labels.
fn sheet(folder: &std::path::Path, categories: &[&str]) -> String {
    let image = |n: u32| json!({ "name": format!("image-{n:02}"), "source": PIXEL });
    let data = json!({
        "format": FORMAT, "sheet": "3f0c", "categories": categories,
        "images": (0..12).map(image).collect::<Vec<_>>(),
    });
    format!("{}#hearts", written(folder, "sheet", &data))
}

const TWO: &[&str] = &["heart", "a face with a rather long name"];

fn press(tab: &Tab, keys: &str) {
    for key in keys.chars() {
        let down = format!("dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}' }}))");
        tab.evaluate(&down, false).expect("evaluates");
    }
}

fn enter(tab: &Tab, rater: &str) {
    let start = format!(
        "document.querySelector('#rater').value = '{rater}'; document.querySelector('#enter').requestSubmit()"
    );
    tab.evaluate(&start, false).expect("evaluates");
}

/// The name and the text of the file that a button saves, which the program reads.
fn saved_by(tab: &Tab, button: &str) -> (String, String) {
    let save = "window.kept = null; URL.createObjectURL = blob => { blob.text().then(text => window.kept = text); return '#'; }; \
                HTMLAnchorElement.prototype.click = function () { window.called = this.download; }; \
                document.querySelector('BUTTON').click()";
    tab.evaluate(&save.replace("BUTTON", button), false).expect("evaluates");
    wait(tab, "window.kept");
    let text = value(tab, "window.kept");
    let text = text.as_str().expect("a text").to_owned();
    Answers::read(text.as_bytes()).expect("a file that the program reads");
    (value(tab, "window.called").as_str().expect("a name").to_owned(), text)
}

/// The file that the sheet saves, and its name.
fn saved(tab: &Tab) -> (String, Value) {
    let (name, text) = saved_by(tab, ".save");
    (name, serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn a_sheet_is_filled_in_by_keys_kept_and_saved() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let address = sheet(folder.path(), TWO);
    let tab = open(&browser, &address);
    let place = "document.querySelector('#place').textContent";
    enter(&tab, "ann lee");
    assert_eq!(value(&tab, place), "1 of 12");
    // Three answers, one taken back, one skipped; `7` is no label.
    press(&tab, "12u71s");
    assert_eq!(value(&tab, place), "4 of 12");
    assert_eq!(value(&tab, "document.querySelector('#said').textContent"), "Skipped.");
    let (name, file) = saved(&tab);
    assert_eq!(name, "hearts-ann-lee.json");
    assert_eq!(file["rater"], "ann lee");
    let labels: Vec<&Value> = file["labels"].as_object().expect("labels").values().collect();
    assert_eq!(labels, ["heart", "heart"]);
    assert_eq!(file["skipped"].as_array().map(Vec::len), Some(1));

    // Opened again, it goes on where it was; another rater begins, in another order.
    tab.reload(true, None).expect("a page").wait_until_navigated().expect("a page");
    wait(&tab, "document.querySelector('#raters button')");
    let known = "document.querySelector('#raters button').textContent";
    assert_eq!(value(&tab, known), "ann lee (3 of 12)");
    tab.evaluate("document.querySelector('#raters button').click()", false).expect("evaluates");
    assert_eq!(value(&tab, place), "4 of 12");
    let orders = "JSON.stringify(['ann lee', 'ben'].map(shuffled))";
    let orders = value(&tab, orders);
    let orders: Vec<Vec<String>> =
        serde_json::from_str(orders.as_str().expect("JSON")).expect("two orders");
    assert_ne!(orders[0], orders[1]);
    tab.evaluate("document.querySelector('#change').click()", false).expect("evaluates");
    enter(&tab, "ben");
    assert_eq!(value(&tab, place), "1 of 12");
    press(&tab, "121212121212");
    let result = value(&tab, "document.querySelector('#result').textContent");
    let result = result.as_str().expect("a text");
    assert!(result.contains("heart 6") && result.contains("long name 6"), "{result}");
    let (name, file) = saved(&tab);
    assert_eq!(name, "hearts-ben.json");
    assert_eq!(file["labels"].as_object().map(serde_json::Map::len), Some(12));
    // The first in ben's order was a heart.
    assert_eq!(file["labels"][&orders[1][0]], "heart");
}

#[test]
fn many_labels_have_letters_and_a_table_is_saved_and_loaded_again() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = (1..KEYS.len()).map(|n| format!("label {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["one, \"two\""]).collect();
    let tab = open(&browser, &sheet(folder.path(), &names));
    for width in [400, 1400] {
        resize(&tab, width);
        assert_eq!(overflow(&tab), 0, "{width} px");
    }
    enter(&tab, "ann; \"lee\"");
    // The first, the tenth, one that is skipped, and the last one.
    press(&tab, "1asz");
    let (name, text) = saved_by(&tab, ".save[data-table]");
    assert_eq!(name, "hearts-ann-lee.csv");
    let answers = Answers::read(text.as_bytes()).expect("a table");
    assert_eq!(answers.rater, "ann; \"lee\"");
    assert_eq!(answers.categories, ["label 1", "label 10", "one, \"two\""]);
    assert_eq!((answers.labels.len(), answers.skipped.len()), (3, 1));

    // Loaded again, also as a spreadsheet writes it that separates by semicolons, and with a picture that is not on the sheet.
    let load = |text: &str, said: &str| {
        let text = serde_json::to_string(text).expect("JSON");
        tab.evaluate(&format!("load(new File([{text}], 'a.csv'))"), true).expect("evaluates");
        assert_eq!(value(&tab, "document.querySelector('#said').textContent"), said);
        value(&tab, "document.querySelector('#name').textContent")
    };
    assert_eq!(load(&text, "Loaded 4 answers."), "ann; \"lee\"");
    assert_eq!(saved_by(&tab, ".save[data-table]").1, text);
    let excel = "\u{feff}Label;Image;Rater\r\n\"one, \"\"two\"\"\";image-03;ben\r\n;image-04;ben\r\nlabel 2;image-99;ben\r\n";
    let said = "Loaded 2 answers; 1 are about other images or labels and were left out.";
    assert_eq!(load(excel, said), "ben");
    assert_eq!(
        value(&tab, "JSON.stringify(answers())"),
        r#"[["image-03","one, \"two\""],["image-04",null]]"#
    );
    load("hearts", "a.csv was not saved from a labelling sheet.");
}

#[test]
fn everybody_can_use_a_sheet_also_on_a_telephone() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let address = sheet(folder.path(), TWO);
    // Not the sheet: to go to the part of a page that is open already is no navigation.
    let tab = open(&browser, "about:blank");
    if let Some(axe) = axe() {
        let pages = Pages::from([("sheet".to_owned(), address.clone())]);
        assert_eq!(barriers(&tab, &axe, &pages), Default::default());
    }
    for width in [320, 400, 1400] {
        resize(&tab, width);
        go(&tab, "about:blank");
        go(&tab, &address);
        assert_eq!(overflow(&tab), 0, "at the start, {width} px");
        enter(&tab, &format!("ann {width}"));
        assert_eq!(overflow(&tab), 0, "at work, {width} px");
        // All of it is on the screen at once, so that nobody scrolls for each image.
        let last = "document.querySelector('#skip').getBoundingClientRect().bottom <= innerHeight";
        assert_eq!(value(&tab, last), true, "{width} px");
        if let (400, Some(axe)) = (width, axe()) {
            tab.evaluate(&axe, false).expect("axe-core");
            let look = "axe.run(document, { resultTypes: ['violations'] }).then(r => window.wrong = \
                        JSON.stringify(r.violations.map(v => v.nodes.map(n => v.id + n.html))))";
            tab.evaluate(look, true).expect("evaluates");
            assert_eq!(value(&tab, "window.wrong"), "[]", "{width} px");
        }
        press(&tab, "111111111111");
        assert_eq!(overflow(&tab), 0, "at the end, {width} px");
    }
}
