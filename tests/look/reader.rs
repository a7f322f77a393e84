//! What a reader needs: pages without scripts, light or dark ones, and pages on paper.

use headless_chrome::protocol::cdp::Emulation::{
    MediaFeature, SetEmulatedMedia, SetScriptExecutionDisabled,
};
use serde_json::Value;

use crate::chromium::{browser, open, resize, value, wait};
use crate::garden::{everywhere, garden, pages, published};
use crate::tab::{click, colours, go, unfold};

#[test]
fn without_scripts_contents_folds_and_links_work() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    tab.call_method(SetScriptExecutionDisabled { value: true }).expect("no scripts");
    everywhere(&garden, |base| {
        let pages = pages(&garden, base);
        let click = |selector: &str| click(&tab, selector);
        let top = "document.querySelector('#two-of-them').getBoundingClientRect().top";
        resize(&tab, 1400);
        go(&tab, &pages["deep/figures.html"]);
        click(".contents-side a[href='#two-of-them']");
        wait(&tab, &format!("location.hash === '#two-of-them' && Math.abs({top}) < 200"));
        resize(&tab, 400);
        go(&tab, &pages["deep/figures.html"]);
        click(".contents-fold summary");
        click(".contents-fold a[href='#two-of-them']");
        wait(&tab, &format!("location.hash === '#two-of-them' && Math.abs({top}) < 200"));
        click("#vis .provenance summary");
        wait(&tab, "document.querySelector('#vis .provenance pre').checkVisibility()");
        click("#vis .caption a.internal");
        wait(&tab, "location.pathname.endsWith('/text.html')");
        click(".masthead .site-title");
        wait(&tab, "location.pathname.endsWith('/index.html')");
        for (page, address) in &pages {
            go(&tab, address);
            // What only a script can do is not offered.
            let idle = "[...document.querySelectorAll('button')].filter(b => b.checkVisibility()).map(b => b.outerHTML)";
            assert_eq!(value(&tab, idle), Value::Array(vec![]), "{page}");
        }
    });
}

#[test]
fn light_and_dark_are_the_readers_choice_and_paper_is_white() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    let pages = pages(&garden, &published(&garden));
    let paper = "getComputedStyle(document.body).backgroundColor";
    let (light, dark) = ("rgb(253, 253, 251)", "rgb(21, 22, 27)");
    let shows = |colour: &str| wait(&tab, &format!("{paper} === {colour:?}"));
    colours(&tab, "dark");
    go(&tab, &pages["text.html"]);
    shows(dark);
    click(&tab, "button[data-theme-choice]");
    shows(light);
    wait(
        &tab,
        "document.querySelector('button[data-theme-choice]').getAttribute('aria-label') === 'Theme: light'",
    );
    // The browser keeps the choice in another process, which a page that follows at once may ask too early.
    std::thread::sleep(std::time::Duration::from_secs(1));
    // It is there before the first style on every page, and what the system has does not matter.
    go(&tab, &pages["deep/figures.html"]);
    shows(light);
    let first = "[...document.head.children].findIndex(e => e.textContent.includes('neuronotes-theme')) < \
                 [...document.head.children].findIndex(e => e.rel === 'stylesheet')";
    assert_eq!(value(&tab, first), true);
    colours(&tab, "light");
    click(&tab, "button[data-theme-choice]");
    shows(dark);
    let print = SetEmulatedMedia { media: Some("print".into()), features: None };
    tab.call_method(print).expect("paper");
    shows("rgb(255, 255, 255)");
    wait(&tab, "getComputedStyle(document.body).color === 'rgb(0, 0, 0)'");
    let screen = SetEmulatedMedia { media: Some(String::new()), features: None };
    tab.call_method(screen).expect("a screen");
    // The button is not on paper: a click before the screen is painted again hits nothing.
    let painted =
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))";
    tab.evaluate(painted, true).expect("painted");
    click(&tab, "button[data-theme-choice]");
    shows(light);
    assert_eq!(value(&tab, "document.documentElement.dataset.theme ?? null"), Value::Null);
    // Without scripts it is as the system has it.
    tab.call_method(SetScriptExecutionDisabled { value: true }).expect("no scripts");
    colours(&tab, "dark");
    go(&tab, &pages["text.html"]);
    shows(dark);
}

#[test]
fn on_paper_and_in_the_systems_colours_bars_and_tables_are_whole() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    let pages = pages(&garden, &published(&garden));
    resize(&tab, 700);
    let media = |media: &str, forced: &str| {
        let feature = MediaFeature { name: "forced-colors".into(), value: forced.into() };
        let media = SetEmulatedMedia { media: Some(media.into()), features: Some(vec![feature]) };
        tab.call_method(media).expect("a medium");
    };
    let cut = "[...document.querySelectorAll('.table, pre, .matrix')].filter(e => e.checkVisibility() && \
               (getComputedStyle(e).overflowX !== 'visible' || e.getBoundingClientRect().left + e.scrollWidth > innerWidth)).map(e => e.outerHTML.slice(0, 80))";
    let bars = "[...document.querySelectorAll('.bars .track i.bar')].map(e => getComputedStyle(e))";
    for page in ["prose.html", "deep/figures.html"] {
        go(&tab, &pages[page]);
        unfold(&tab);
        media("print", "none");
        assert_eq!(value(&tab, cut), Value::Array(vec![]), "{page}");
        media("", "none");
    }
    media("print", "none");
    let exact = format!("{bars}.length > 0 && {bars}.every(s => s.printColorAdjust === 'exact')");
    assert_eq!(value(&tab, &exact), true);
    // Nothing that may not be parted takes a page's title away from its text.
    assert_eq!(value(&tab, "getComputedStyle(document.querySelector('.note')).display"), "block");
    media("", "active");
    let seen = format!(
        "{bars}.every(s => (s.backgroundColor !== getComputedStyle(document.body).backgroundColor || s.borderTopWidth !== '0px') \
         && s.forcedColorAdjust === 'none')"
    );
    assert_eq!(value(&tab, &seen), true);
}
