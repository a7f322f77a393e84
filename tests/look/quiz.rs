//! A quiz in a browser: answered by keys, closed and gone on with, scored, and saved; and nothing that tells what is right before.

use std::fs;

use headless_chrome::Tab;
use neuronotes_core::kind::quiz::{Quiz, Trial, needed};
use neuronotes_core::statistics::wilson;
use serde_json::Value;

use crate::chromium::{browser, open, overflow, resize, value, wait};
use crate::common::repository;
use crate::fault::{axe, barriers};
use crate::garden::Pages;
use crate::tab::go;

/// Trials that are scored, and catch trials.
const TRIALS: (usize, usize) = (20, 3);

/// A quiz in a folder. The n-th trial's right-hand picture is right if n is a multiple of three.
fn quiz(folder: &std::path::Path) -> (Quiz, String) {
    let (scored, catches) = TRIALS;
    let picture = |at: usize| {
        let colour = format!("hsl({} 70% 50%)", at * 37 % 360);
        let svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9' fill='{colour}'/></svg>"
        );
        format!("data:image/svg+xml,{}", svg.replace('%', "%25").replace('#', "%23"))
    };
    let images = (0..scored * 4).map(picture).collect();
    let trial = |at: usize| {
        let first = (at % scored * 4) as u32;
        let catch = at >= scored;
        let [strong, weak] = if catch { [first, first + 1] } else { [first + 2, first + 3] };
        let pair = if at.is_multiple_of(3) { [weak, strong] } else { [strong, weak] };
        Trial { strongest: vec![first; 9], weakest: vec![first + 1; 9], pair, catch }
    };
    let trials: Vec<Trial> = (0..scored + catches).map(trial).collect();
    let right: Vec<bool> = (0..trials.len()).map(|at| at.is_multiple_of(3)).collect();
    let quiz = Quiz::new(images, trials, &right);
    let page = fs::read_to_string(repository().join("src/site/quiz.html")).expect("the page");
    let data = serde_json::to_string(&quiz).expect("JSON").replace('<', "\\u003c");
    let path = folder.join("quiz.html");
    fs::write(&path, page.replacen("{{ data }}", &data, 1)).expect("a file");
    (quiz, format!("file://{}#hands", path.display()))
}

fn press(tab: &Tab, key: &str) {
    let down = format!("dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}' }}))");
    tab.evaluate(&down, false).expect("evaluates");
}

/// Answers the trials from `from` up to `to`, rightly except those in `wrong`.
fn answer(tab: &Tab, quiz: &Quiz, trials: std::ops::Range<usize>, wrong: &[usize]) {
    for at in trials {
        let right = quiz.right(at).expect("a trial") != wrong.contains(&at);
        press(tab, if right { "ArrowRight" } else { "ArrowLeft" });
        press(tab, if wrong.contains(&at) { "1" } else { "3" });
    }
}

fn text(tab: &Tab, id: &str) -> String {
    let found = value(tab, &format!("document.querySelector('#{id}').textContent"));
    found.as_str().expect("a text").to_owned()
}

/// What is saved, and under which name.
fn saved(tab: &Tab, button: &str) -> (String, String) {
    let save = format!(
        "window.kept = null; URL.createObjectURL = blob => {{ blob.text().then(text => window.kept = text); return '#'; }}; \
         HTMLAnchorElement.prototype.click = function () {{ window.called = this.download; }}; \
         document.querySelector('#{button}').click()"
    );
    tab.evaluate(&save, false).expect("evaluates");
    wait(tab, "window.kept");
    let [name, text] = ["window.called", "window.kept"].map(|what| value(tab, what));
    (name.as_str().expect("a name").to_owned(), text.as_str().expect("a text").to_owned())
}

#[test]
fn all_trials_are_answered_by_keys_scored_and_saved() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (quiz, address) = quiz(folder.path());
    let tab = open(&browser, &address);
    press(&tab, "ArrowLeft");
    assert_eq!(value(&tab, "document.querySelector('#work').hidden"), true, "not begun");
    press(&tab, "Enter");
    assert_eq!(text(&tab, "place"), "1 of 23");
    // Nobody is sure of nothing, and a key that is none does nothing.
    for key in ["3", "x", "9"] {
        press(&tab, key);
    }
    assert_eq!(text(&tab, "place"), "1 of 23");
    let pictures = "document.querySelectorAll('#weakest img, #strongest img, .choices img').length";
    assert_eq!(value(&tab, pictures), 20);
    // What is seen says the same whichever side is right: texts, descriptions and attributes are those of the trial before.
    let seen = "(() => { const all = document.querySelector('#work').cloneNode(true); \
                all.querySelectorAll('img').forEach(img => img.removeAttribute('src')); all.querySelector('.progress').remove(); return all.outerHTML; })()";
    let first = value(&tab, seen);
    answer(&tab, &quiz, 0..1, &[]);
    press(&tab, "u");
    press(&tab, "ArrowRight");
    press(&tab, "Backspace");
    assert_eq!((text(&tab, "place"), value(&tab, seen)), ("1 of 23".to_owned(), first.clone()));
    let shut = |seen: &Value| seen.as_str().expect("HTML").replace(" disabled=\"\"", "");
    answer(&tab, &quiz, 0..7, &[2, 5]);
    assert_eq!(text(&tab, "place"), "8 of 23");
    assert_eq!(shut(&value(&tab, seen)), shut(&first), "nothing but the pictures is another");
    // Closed and opened again, it goes on.
    tab.reload(true, None).expect("a page").wait_until_navigated().expect("a page");
    wait(&tab, "document.querySelector('#place').textContent === '8 of 23'");
    answer(&tab, &quiz, 7..23, &[11, 20]);

    let (right, trials) = (17u64, 20u64);
    let (low, high) = wilson(right, trials);
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    assert_eq!(
        text(&tab, "result"),
        format!(
            "{right} of {trials} right (85 %; 95 % interval {} to {}).",
            percent(low),
            percent(high)
        )
    );
    let least = needed(trials).expect("twenty are enough");
    let chance = text(&tab, "chance");
    assert_eq!(chance, format!("Better than chance is shown by {least} of 20. You reached it."));
    assert!(
        text(&tab, "caught").contains("2 of 3") && text(&tab, "caught").contains("means little")
    );
    assert_eq!(
        text(&tab, "certain"),
        "How sure you were, from 1 to 3: 3.0 where you were right, 1.0 where you were wrong."
    );
    assert_eq!(value(&tab, "document.querySelectorAll('#wrong li').length"), 4);
    for counted in 0..=40u64 {
        let own = value(&tab, &format!("needed({counted})"));
        assert_eq!(own.as_u64(), needed(counted), "{counted}");
    }

    tab.evaluate("document.querySelector('#reader').value = '=Ann'", false).expect("evaluates");
    let (name, file) = saved(&tab, "json");
    assert_eq!(name, "hands-Ann.json");
    let file: Value = serde_json::from_str(&file).expect("JSON");
    assert_eq!((file["correct"].as_u64(), file["caught"].as_u64()), (Some(17), Some(2)));
    assert!((file["low"].as_f64().expect("a number") - low).abs() < 1e-12);
    for (at, row) in file["answers"].as_array().expect("answers").iter().enumerate() {
        assert_eq!(row["correct"], ![2, 5, 11, 20].contains(&at), "{at}");
        assert_eq!(row["right"] == "right", quiz.right(at).expect("a trial"), "{at}");
    }
    let (name, file) = saved(&tab, "csv");
    assert_eq!((&*name, file.lines().count()), ("hands-Ann.csv", 24));
    assert!(file.contains("\"'=Ann\""), "no formula: {file}");
    // Letters go into the name.
    tab.evaluate("document.querySelector('#again').click()", false).expect("evaluates");
    assert_eq!(value(&tab, "document.querySelector('#start').hidden"), false);
    tab.reload(true, None).expect("a page").wait_until_navigated().expect("a page");
    wait(&tab, "!document.querySelector('#start').hidden");
}

#[test]
fn everybody_can_use_a_quiz_also_on_a_telephone() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (quiz, address) = quiz(folder.path());
    let tab = open(&browser, "about:blank");
    if let Some(axe) = axe() {
        let pages = Pages::from([("quiz".to_owned(), address.clone())]);
        assert_eq!(barriers(&tab, &axe, &pages), Default::default());
    }
    let look = "axe.run(document, { resultTypes: ['violations'] }).then(r => window.wrong = \
                JSON.stringify(r.violations.map(v => v.nodes.map(n => v.id + n.html))))";
    for width in [320, 400, 1400] {
        resize(&tab, width);
        go(&tab, "about:blank");
        go(&tab, &address);
        assert_eq!(overflow(&tab), 0, "at the start, {width} px");
        press(&tab, "Enter");
        press(&tab, "ArrowRight");
        assert_eq!(overflow(&tab), 0, "at work, {width} px");
        // The pictures and the buttons are on the screen at once, so that nobody scrolls for each trial.
        let last = "document.querySelector('#sure').getBoundingClientRect().bottom <= innerHeight";
        assert_eq!(value(&tab, last), true, "{width} px");
        let check = |when: &str| {
            let Some(axe) = axe() else { return };
            tab.evaluate(&axe, false).expect("axe-core");
            tab.evaluate(look, true).expect("evaluates");
            assert_eq!(value(&tab, "window.wrong"), "[]", "{when}, {width} px");
        };
        check("at work");
        answer(&tab, &quiz, 0..23, &[1]);
        assert_eq!(overflow(&tab), 0, "at the end, {width} px");
        check("at the end");
        tab.evaluate("document.querySelector('#again').click()", false).expect("evaluates");
    }
}
