//! A quiz in a browser: answered by keys, closed and gone on with, scored, and saved; and nothing that tells what is right before.

use headless_chrome::Tab;
use neuronotes_core::kind::quiz::{Quiz, needed};
use neuronotes_core::statistics::wilson;
use serde_json::Value;

use crate::alone::written;
use crate::chromium::{browser, open, overflow, resize, value, wait};
use crate::common::preview::Preview;
use crate::common::{Garden, block, results};
use crate::fault::{axe, barriers};
use crate::garden::{Pages, published};
use crate::tab::{click, go};

/// A garden with a note of a quiz, built.
fn garden() -> Garden {
    let garden = Garden::new();
    let figure = block("id: hands\nkind: quiz\nlayer: image_block_4/0/Add_6\nunit: 3\n");
    garden.note("unit.md", &format!("# A unit\n\n{figure}"));
    results::fill(&garden);
    garden.built();
    garden
}

/// Opens the quiz as a reader does who is on the note's page.
fn enter(tab: &Tab, base: &str) {
    go(tab, &format!("{base}unit.html"));
    click(tab, "#hands .sheet-link a");
    wait(tab, "document.querySelector('#begin') && location.hash === '#hands'");
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
fn all_trials_are_answered_by_keys_scored_and_saved_on_the_published_site() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    enter(&tab, &published(&garden));
    answered(&tab);
}

#[test]
fn all_trials_are_answered_by_keys_scored_and_saved_in_the_preview() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let preview = Preview::of(&garden);
    let tab = open(&browser, "about:blank");
    enter(&tab, &preview.url);
    answered(&tab);
}

/// Answers a quiz that is open, from its beginning to the files that it saves.
fn answered(tab: &Tab) {
    let quiz = results::quiz();
    press(tab, "ArrowLeft");
    assert_eq!(value(tab, "document.querySelector('#work').hidden"), true, "not begun");
    press(tab, "Enter");
    assert_eq!(text(tab, "place"), "1 of 23");
    // Nobody is sure of nothing, and a key that is none does nothing.
    for key in ["3", "x", "9"] {
        press(tab, key);
    }
    assert_eq!(text(tab, "place"), "1 of 23");
    let pictures = "document.querySelectorAll('#weakest img, #strongest img, .choices img').length";
    assert_eq!(value(tab, pictures), 20);
    // What is seen says the same whichever side is right: texts, descriptions and attributes are those of the trial before.
    let seen = "(() => { const all = document.querySelector('#work').cloneNode(true); \
                all.querySelectorAll('img').forEach(img => img.removeAttribute('src')); all.querySelector('.progress').remove(); return all.outerHTML; })()";
    let first = value(tab, seen);
    answer(tab, &quiz, 0..1, &[]);
    press(tab, "u");
    press(tab, "ArrowRight");
    press(tab, "Backspace");
    assert_eq!((text(tab, "place"), value(tab, seen)), ("1 of 23".to_owned(), first.clone()));
    let shut = |seen: &Value| seen.as_str().expect("HTML").replace(" disabled=\"\"", "");
    answer(tab, &quiz, 0..7, &[2, 5]);
    assert_eq!(text(tab, "place"), "8 of 23");
    assert_eq!(shut(&value(tab, seen)), shut(&first), "nothing but the pictures is another");
    // Closed and opened again, it goes on. The browser keeps the answers in another process, which a page that follows at once
    // may ask too early.
    std::thread::sleep(std::time::Duration::from_secs(1));
    tab.reload(true, None).expect("a page").wait_until_navigated().expect("a page");
    wait(tab, "document.querySelector('#place').textContent === '8 of 23'");
    answer(tab, &quiz, 7..23, &[11, 20]);

    let (right, trials) = (17u64, 20u64);
    let (low, high) = wilson(right, trials);
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    assert_eq!(
        text(tab, "result"),
        format!(
            "{right} of {trials} right (85 %; 95 % interval {} to {}).",
            percent(low),
            percent(high)
        )
    );
    let least = needed(trials).expect("twenty are enough");
    let chance = text(tab, "chance");
    assert_eq!(chance, format!("Better than chance is shown by {least} of 20. You reached it."));
    assert!(text(tab, "caught").contains("2 of 3") && text(tab, "caught").contains("means little"));
    assert_eq!(
        text(tab, "certain"),
        "How sure you were, from 1 to 3: 3.0 where you were right, 1.0 where you were wrong."
    );
    assert_eq!(value(tab, "document.querySelectorAll('#wrong li').length"), 4);
    for counted in 0..=40u64 {
        let own = value(tab, &format!("needed({counted})"));
        assert_eq!(own.as_u64(), needed(counted), "{counted}");
    }

    tab.evaluate("document.querySelector('#reader').value = '=Ann'", false).expect("evaluates");
    let (name, file) = saved(tab, "json");
    assert_eq!(name, "hands-Ann.json");
    let file: Value = serde_json::from_str(&file).expect("JSON");
    assert_eq!((file["correct"].as_u64(), file["caught"].as_u64()), (Some(17), Some(2)));
    assert!((file["low"].as_f64().expect("a number") - low).abs() < 1e-12);
    for (at, row) in file["answers"].as_array().expect("answers").iter().enumerate() {
        assert_eq!(row["correct"], ![2, 5, 11, 20].contains(&at), "{at}");
        assert_eq!(row["right"] == "right", quiz.right(at).expect("a trial"), "{at}");
    }
    let (name, file) = saved(tab, "csv");
    assert_eq!((&*name, file.lines().count()), ("hands-Ann.csv", 24));
    assert!(file.contains("\"'=Ann\""), "no formula: {file}");
    // Letters go into the name.
    tab.evaluate("document.querySelector('#again').click()", false).expect("evaluates");
    assert_eq!(value(tab, "document.querySelector('#start').hidden"), false);
    tab.reload(true, None).expect("a page").wait_until_navigated().expect("a page");
    wait(tab, "!document.querySelector('#start').hidden");
}

#[test]
fn everybody_can_use_a_quiz_also_on_a_telephone() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let quiz = results::quiz();
    let address = format!("{}#hands", written(folder.path(), "quiz", &quiz));
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
