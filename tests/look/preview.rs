//! The preview, with patches in between and behind proxies, and the published site held against the same checks.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use headless_chrome::{Browser, Tab};
use serde_json::Value;

use crate::checks::{self, Site};
use crate::chromium::{browser, open, value, wait};
use crate::common::Garden;
use crate::common::preview::Preview;
use crate::garden::{checked, published};
use crate::proxy::{Proxy, Way};
use crate::tab::{click, go};

#[test]
fn every_check_of_the_list_holds_on_the_published_site() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let tab = open(&browser, "about:blank");
    checks::all(&tab, &Site { base: published(&garden), change: None });
}

/// Changes every page that the checks look at, and waits until the open one has heard of it.
fn change(garden: &Garden, tab: &Tab) {
    static ROUND: AtomicU32 = AtomicU32::new(0);
    let round = ROUND.fetch_add(1, Ordering::Relaxed);
    let before = value(tab, "Number(document.documentElement.dataset.patched)");
    let (_, figures) = checks::NOTES[1];
    let (title, more) = (format!("A plain text {round}"), format!("Patch {round} has come.\n\n"));
    let above = format!("\n---\n{more}- A list\n- of two\n\nAs");
    let figures =
        figures.replace("\n---\nAs", &above).replace("[[A plain text]]", &format!("[[{title}]]"));
    // A title is part of every page that links to the note or lists it.
    garden.note("text.md", &checks::text(&more).replace("A plain text", &title));
    garden.note("deep/figures.md", &figures);
    wait(
        tab,
        &format!(
            "document.documentElement.dataset.patched > {before} && !document.querySelector('article .unresolved') && \
             document.querySelector('main').textContent.includes(document.querySelector('article') ? 'Patch {round} has come' : {title:?})"
        ),
    );
}

#[test]
fn every_check_of_the_list_holds_on_the_preview_with_patches_in_between() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let preview = Preview::of(&garden);
    let tab = open(&browser, "about:blank");
    let patch = |tab: &Tab| change(&garden, tab);
    checks::all(&tab, &Site { base: preview.url.clone(), change: Some(&patch) });
}

/// What a browser makes of a preview that it reaches in some way: the checks, and a page that comes to be while its address is open.
fn through(browser: &Browser, garden: &Garden, base: &str) {
    let tab = open(browser, "about:blank");
    let patch = |tab: &Tab| change(garden, tab);
    checks::all(&tab, &Site { base: base.to_owned(), change: Some(&patch) });
    go(&tab, &format!("{base}deep/later.html"));
    wait(&tab, "document.querySelector('h1')?.textContent === 'Page not found'");
    wait(
        &tab,
        "getComputedStyle(document.querySelector('.masthead')).display !== 'inline' && document.documentElement.dataset.patched",
    );
    garden.note("deep/later.md", "It has come.\n");
    wait(&tab, "document.querySelector('article')?.textContent.includes('It has come')");
    garden.remove("notes/deep/later.md");
    wait(
        &tab,
        "document.querySelector('#preview-says')?.textContent.includes('no longer part of the garden')",
    );
    let inside = format!(
        "[...document.querySelectorAll('[href], [src]')].map(e => e.href || e.src)\
                          .filter(a => a.startsWith('http://localhost') && !a.startsWith({base:?}))"
    );
    assert_eq!(value(&tab, &inside), Value::Array(vec![]), "addresses that lead out of {base}");
}

#[test]
fn through_a_forwarded_port_everything_works() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let preview = Preview::of(&garden);
    through(&browser, &garden, &Proxy::to(&preview.url, Way::Port).url);
}

#[test]
fn below_a_path_of_a_proxy_everything_works_whether_it_is_taken_off_or_not() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let preview = Preview::of(&garden);
    let proxy = Proxy::to(&preview.url, Way::Stripped("/user/x/proxy/4321/"));
    through(&browser, &garden, &proxy.url);
    drop(preview);
    let path = "/user/x/proxy/absolute/4321/";
    let preview = Preview::by(garden.command(&["serve", "--port", "0", "--base", path]));
    let proxy = Proxy::to(&preview.url, Way::Whole(path));
    let tab = open(&browser, &proxy.url);
    wait(&tab, "document.documentElement.dataset.patched && document.querySelector('h1')");
    garden.note("index.md", "# Changed behind a proxy\n");
    wait(&tab, "document.querySelector('h1').textContent === 'Changed behind a proxy'");
    // Without the last slash the links of the page would lead elsewhere.
    go(&tab, preview.url.trim_end_matches('/'));
    wait(&tab, &format!("location.pathname === {path:?}"));
}

#[test]
fn what_the_preview_says_itself_stands_at_the_top_and_leads_to_where_a_note_went() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let preview = Preview::of(&garden);
    let tab = open(&browser, &format!("{}deep/figures.html", preview.url));
    wait(&tab, "document.documentElement.dataset.patched");
    let top = "document.querySelector('article').getBoundingClientRect().top";
    let before = value(&tab, top);
    fs::rename(garden.path("notes/deep/figures.md"), garden.path("notes/drawings.md"))
        .expect("renamed");
    let bar = "document.querySelector('#preview-says')";
    wait(&tab, &format!("{bar}?.querySelector('a')?.textContent === 'Figures of it'"));
    let looks = format!(
        "(b => [Math.round(b.top), b.width === document.documentElement.clientWidth, getComputedStyle({bar}).position, \
          getComputedStyle({bar}).backgroundColor !== 'rgba(0, 0, 0, 0)'])({bar}.getBoundingClientRect())"
    );
    assert_eq!(value(&tab, &looks), serde_json::json!([0, true, "fixed", true]));
    assert_eq!(value(&tab, top), before, "nothing is moved");
    click(&tab, "#preview-says a");
    wait(
        &tab,
        "location.pathname === '/drawings.html' && document.documentElement.dataset.patched",
    );
    assert_eq!(value(&tab, &format!("{bar} === null")), true);
    go(&tab, &format!("{}deep/figures.html", preview.url));
    wait(&tab, "document.querySelector('main a.internal')?.textContent === 'Figures of it'");
    go(&tab, &format!("{}drawings.html", preview.url));
    wait(&tab, "document.documentElement.dataset.patched");
    drop(preview);
    wait(&tab, &format!("{bar}?.textContent.includes('has stopped')"));
}
