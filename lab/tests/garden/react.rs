//! The preview in headless Chromium while its garden changes and its programs come and go: what a reader has before the
//! eyes stays, and what is shown is right.

use super::browser::{browser, open, preview, value, wait};
use super::common::preview::Preview;
use super::{garden, vis};

#[test]
fn several_pages_follow_at_once_and_keep_what_their_reader_is_at() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.note("a.md", "# A\n\nSee [[b|the other note]].\n\nBefore.\n");
    garden.note("b.md", "# B\n\nText.\n");
    let (preview, first) = preview(&garden, &browser, "a.html");
    let second = open(&browser, &format!("{}a.html", preview.url));
    let other = open(&browser, &format!("{}b.html", preview.url));
    for tab in [&second, &other] {
        wait(tab, "document.documentElement.dataset.patched");
    }
    first
        .evaluate("document.querySelector('article a.internal').focus()", false)
        .expect("evaluates");
    garden.note("a.md", "# A\n\nSee [[b|the other note]].\n\nAfter.\n\nAnd more.\n");
    // A page that nobody sees leaves its connection to others; it catches up once it is looked at.
    for tab in [&second, &first] {
        tab.bring_to_front().expect("a window");
        wait(tab, "document.querySelector('article').textContent.includes('After.')");
    }
    assert_eq!(value(&first, "document.activeElement.textContent"), "the other note");
    // A backlink, in a page that nobody saved.
    garden.note("a.md", "# A\n\nQuite another sentence about [[b|the other note]].\n");
    other.bring_to_front().expect("a window");
    wait(&other, "document.querySelector('.backlinks').textContent.includes('Quite another')");
    assert_eq!(value(&first, "window.sameDocument"), true);
    // A new title goes everywhere: the window's, the page's, the backlink's.
    garden.note("a.md", "---\ntitle: Renamed\n---\nAbout [[b]].\n");
    wait(&other, "document.querySelector('.backlinks').textContent.includes('Renamed')");
    first.bring_to_front().expect("a window");
    wait(&first, "document.title.startsWith('Renamed')");
    assert_eq!(value(&first, "window.sameDocument"), true);
}

#[test]
fn a_preview_that_was_gone_is_found_again_and_the_page_catches_up() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.note("a.md", "# A\n\nBefore.\n");
    let (preview, tab) = preview(&garden, &browser, "a.html");
    let port = preview.url.trim_end_matches('/').rsplit(':').next().expect("a port").to_owned();
    drop(preview);
    wait(&tab, "document.querySelector('#preview-says')?.textContent.includes('has stopped')");
    garden.note("a.md", "# A\n\nWhile it was gone.\n");
    let _preview = Preview::by(garden.command(&["serve", "--port", &port]));
    wait(&tab, "document.querySelector('article').textContent.includes('While it was gone.')");
    wait(&tab, "!document.querySelector('#preview-says')");
    garden.note("a.md", "# A\n\nAfterwards.\n");
    wait(&tab, "document.querySelector('article').textContent.includes('Afterwards.')");
    assert_eq!(value(&tab, "window.sameDocument"), true);
}

#[test]
fn what_is_wrong_outside_notes_lies_over_the_page_until_it_is_mended_or_put_aside() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.note("a.md", "# A\n\nText.\n");
    let (_preview, tab) = preview(&garden, &browser, "a.html");
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}titel: A\n"));
    let shown = "document.querySelector('#preview-problems')";
    wait(&tab, &format!("{shown}?.textContent.includes('titel')"));
    // It stays while the page under it changes.
    garden.note("a.md", "# A\n\nOther text.\n");
    wait(&tab, "document.querySelector('article').textContent.includes('Other text.')");
    assert_eq!(value(&tab, &format!("Boolean({shown})")), true);
    tab.find_element("#preview-problems button").expect("a button").click().expect("a click");
    wait(&tab, &format!("!{shown}"));
    garden.write("neuronotes.yaml", &format!("{config}fooder: A\n"));
    wait(&tab, &format!("{shown}?.textContent.includes('fooder')"));
    garden.write("neuronotes.yaml", &config);
    wait(&tab, &format!("!{shown}"));
    // A note that cannot be read has no page to say it on.
    std::fs::write(garden.path("notes/b.md"), b"\xff\xfe").expect("no text");
    wait(&tab, &format!("{shown}?.textContent.includes('UTF-8')"));
    garden.note("b.md", "Text.\n");
    wait(&tab, &format!("!{shown}"));
}

#[test]
fn a_page_that_is_not_there_yet_appears_and_one_that_is_gone_says_so() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.note("a.md", "# A\n\nText.\n");
    let preview = Preview::of(&garden);
    let tab = open(&browser, &format!("{}new.html", preview.url));
    wait(&tab, "document.documentElement.dataset.patched");
    garden.note("new.md", "# A new note\n\nText.\n");
    wait(&tab, "document.querySelector('h1')?.textContent === 'A new note'");
    wait(&tab, "getComputedStyle(document.querySelector('article')).display !== ''");
    garden.remove("notes/new.md");
    wait(
        &tab,
        "document.querySelector('#preview-says')?.textContent.includes('no longer part of the garden')",
    );
    garden.note("new.md", "# A newer note\n\nText.\n");
    wait(&tab, "document.querySelector('h1')?.textContent === 'A newer note'");
}

#[test]
fn a_value_in_the_prose_waits_with_its_figure_and_follows_it() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let text =
        |unit: u32| format!("# A\n\nIt reaches `= vis.activation | .2f`.\n\n{}", vis(unit, 3));
    garden.note("a.md", &text(3));
    let (_preview, tab) = preview(&garden, &browser, "a.html");
    let shown = "document.querySelector('article data.value')?.textContent";
    wait(&tab, &format!("/^\\d+\\.\\d\\d$/.test({shown})"));
    let before = value(&tab, shown);
    garden.note("a.md", &text(4));
    wait(&tab, &format!("{shown} && {shown} !== {before}"));
    garden.note("a.md", &text(3));
    wait(&tab, &format!("{shown} === {before}"));
}
