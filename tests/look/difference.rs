//! What differs between two states of a garden, in a browser: the folder of HTML from the disk, and the preview's page, both
//! by keys.

use headless_chrome::Tab;
use serde_json::{Value, json};

use crate::chromium::{browser, open, overflow, resize, value, wait};
use crate::common::Garden;
use crate::common::history::{commit, garden, store};
use crate::common::preview::Preview;
use crate::fault::{axe, barriers};
use crate::garden::Pages;
use crate::tab::{click, colours, go, settled, unfold};

/// Writes the folder of HTML; the address of its page.
fn folder(garden: &Garden) -> String {
    let folder = garden.path("difference");
    let to = folder.display().to_string();
    let run = garden.run(&["diff", "HEAD~1..HEAD", "--html", &to]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    format!("file://{to}/index.html")
}

fn press(tab: &Tab, key: &str) {
    tab.press_key(key).unwrap_or_else(|error| panic!("{key}: {error}"));
}

/// What is shown of the focused pair of pictures.
fn shown(tab: &Tab, expression: &str) -> Value {
    let script = format!(
        "(() => {{ const box = document.activeElement.closest('.compare'); const [a, b] = box.querySelectorAll('.pair > div'); \
         const style = of => getComputedStyle(of); const slider = box.querySelector('input'); return {expression}; }})()"
    );
    value(tab, &script)
}

/// The way in which it is shown, by the button that is pressed.
fn way(tab: &Tab) -> Value {
    shown(tab, "box.querySelector('[aria-pressed=true]').textContent")
}

#[test]
fn pictures_are_compared_in_every_way_by_keys() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, &folder(&garden));
    resize(&tab, 1400);
    assert_eq!(value(&tab, "document.querySelectorAll('.compare').length"), 4);
    let broken = "[...document.images].filter(image => { image.loading = 'eager'; return image.complete && !image.naturalWidth; }).length";
    assert_eq!(value(&tab, broken), 0);
    for _ in 0..40 {
        press(&tab, "Tab");
        if value(&tab, "Boolean(document.activeElement.closest('.compare'))") == true {
            break;
        }
    }
    assert_eq!(shown(&tab, "box === document.activeElement"), true, "the pictures have the focus");
    let apart = "a.getBoundingClientRect().right <= b.getBoundingClientRect().left";
    let over = "Math.abs(a.getBoundingClientRect().left - b.getBoundingClientRect().left) < 1";
    assert_eq!((way(&tab), shown(&tab, apart)), ("Side by side".into(), true.into()));

    press(&tab, "2");
    assert_eq!((way(&tab), shown(&tab, over)), ("Swipe".into(), true.into()));
    let edge = "style(b).clipPath";
    assert_eq!(shown(&tab, edge), "inset(0px 0px 0px 50%)");
    press(&tab, "ArrowRight");
    assert_eq!(shown(&tab, edge), "inset(0px 0px 0px 55%)", "the line goes where the key points");
    for _ in 0..12 {
        press(&tab, "ArrowLeft");
    }
    assert_eq!(shown(&tab, edge), "inset(0px 0px 0px 0%)", "no further than to the end");

    press(&tab, "3");
    assert_eq!((way(&tab), shown(&tab, over)), ("Onion skin".into(), true.into()));
    press(&tab, "ArrowRight");
    assert_eq!(shown(&tab, "[style(b).opacity, style(b).clipPath]"), json!(["0.05", "none"]));

    press(&tab, "b");
    assert_eq!(way(&tab), "Blink");
    // The other one is there by itself, and by the same key.
    wait(&tab, "document.querySelector('.blink.later')");
    wait(&tab, "document.querySelector('.blink:not(.later)')");
    let later = "style(b).visibility";
    press(&tab, "b");
    let before = shown(&tab, later);
    press(&tab, "b");
    assert_ne!(before, shown(&tab, later), "it stops, and the key shows the other one");

    press(&tab, "1");
    assert_eq!((way(&tab), shown(&tab, "slider.hidden")), ("Side by side".into(), true.into()));
    let scale = "[a, b].map(side => style(side.querySelector('img')).transform)";
    let inside = "[a, b].every(side => style(side).overflow === 'hidden')";
    assert_eq!(shown(&tab, scale), json!(["matrix(1, 0, 0, 1, 0, 0)", "matrix(1, 0, 0, 1, 0, 0)"]));
    press(&tab, "+");
    press(&tab, "+");
    assert_eq!(shown(&tab, scale), json!(["matrix(4, 0, 0, 4, 0, 0)", "matrix(4, 0, 0, 4, 0, 0)"]));
    assert_eq!(shown(&tab, inside), true, "what is enlarged covers nothing else");
    press(&tab, "-");
    assert_eq!(shown(&tab, "box.dataset.zoom"), "2");
    press(&tab, "0");
    assert_eq!(shown(&tab, "box.dataset.zoom"), "1");
    // Only the pair that has the focus.
    assert_eq!(value(&tab, "document.querySelectorAll('.compare.side').length"), 4);

    // The buttons say the same, to a pointer.
    let first = "document.querySelector('.compare')";
    click(&tab, ".compare .ways button:nth-child(2)");
    wait(&tab, &format!("{first}.classList.contains('swipe')"));
    click(&tab, ".compare .ways button:nth-child(1)");
    wait(&tab, &format!("{first}.classList.contains('side')"));
}

/// What is wider than the window, in either colours and at either width, and what is a barrier.
fn faults(tab: &Tab, pages: &Pages) {
    for (page, address) in pages {
        go(tab, address);
        unfold(tab);
        for scheme in ["light", "dark"] {
            colours(tab, scheme);
            let mut grounds = Vec::new();
            for width in [400, 1400] {
                resize(tab, width);
                settled(tab);
                assert_eq!(overflow(tab), 0, "{page}, {scheme}, {width} px");
                grounds.push(value(tab, "getComputedStyle(document.body).backgroundColor"));
            }
            let is_dark =
                "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) < 128";
            assert_eq!(value(tab, is_dark), scheme == "dark", "{grounds:?}");
        }
    }
    if let Some(axe) = axe() {
        let found = barriers(tab, &axe, pages);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn the_folder_has_no_barriers_and_fits_into_every_window() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    faults(&tab, &Pages::from([("index.html".to_owned(), folder(&garden))]));
    // In each way of showing pictures.
    for key in ["2", "3", "b"] {
        value(&tab, "(document.querySelector('.compare').focus(), true)");
        press(&tab, key);
        for width in [400, 1400] {
            resize(&tab, width);
            assert_eq!(overflow(&tab), 0, "{key} at {width} px");
        }
    }
}

#[test]
fn a_key_leads_to_what_differs_which_follows_each_save_and_back() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let preview = Preview::of(&garden);
    let tab = open(&browser, &format!("{}links.html", preview.url));
    wait(&tab, "document.documentElement.dataset.patched");
    press(&tab, "d");
    wait(&tab, "location.pathname === '/-/diff' && document.querySelector('main')");
    wait(&tab, "document.querySelector('main').textContent.includes('No differences')");
    wait(&tab, "document.documentElement.dataset.refreshed");
    tab.evaluate("window.sameDocument = true", false).expect("evaluates");
    let text = garden.read("notes/links.md");
    garden.note("links.md", &text.replace("for any coin", "for few coin"));
    wait(&tab, "document.querySelector('#text ins')?.textContent.includes('few')");
    assert_eq!(value(&tab, "document.querySelector('#text del').textContent"), "any");
    garden.note("links.md", &text.replace("for any coin", "for most coin"));
    wait(&tab, "document.querySelector('#text ins')?.textContent.includes('most')");
    assert_eq!(value(&tab, "window.sameDocument"), true, "nothing was loaded again");
    garden.note("links.md", &text);
    wait(&tab, "!document.querySelector('#text')");
    faults(
        &tab,
        &Pages::from([(
            "the preview".to_owned(),
            format!("{}-/diff?page=links.html", preview.url),
        )]),
    );
    press(&tab, "d");
    wait(&tab, "location.pathname === '/links.html'");
}

#[test]
fn what_changed_since_a_review_is_a_link_to_the_difference() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let review = garden.run(&["review", "links", "--by", "Ada"]);
    assert_eq!(review.code(), 0, "{}", review.stderr());
    let text = garden.read("notes/links.md");
    garden.note("links.md", &text.replace("for any coin", "for few coin"));
    // Two commits later, it is still the difference to what was reviewed.
    commit(&garden, "third");
    garden.note("links.md", &text.replace("for any coin", "for some coin"));
    commit(&garden, "fourth");
    let preview = Preview::of(&garden);
    let tab = open(&browser, &format!("{}links.html", preview.url));
    let changed = ".reviews .stale a[href*='since=']";
    wait(
        &tab,
        &format!("document.querySelector(\"{changed}\")?.textContent === 'text changed since'"),
    );
    click(&tab, changed);
    wait(&tab, "location.pathname === '/-/diff' && document.querySelector('#text ins')");
    assert_eq!(value(&tab, "document.querySelector('#text ins').textContent"), "some");
    assert_eq!(value(&tab, "location.hash"), "#text");
    go(&tab, &format!("{}review.html", preview.url));
    let item = "#group-stale ~ ul a[href*='since=']";
    wait(
        &tab,
        &format!(
            "document.querySelector(\"{item}\")?.textContent.includes('text changed since Ada')"
        ),
    );
    click(&tab, item);
    wait(&tab, "location.pathname === '/-/diff' && document.querySelector('#text ins')");
    // On a site that is published, nothing can compare: a command does.
    store(&garden, |_| Some((1.0, 1)));
    assert_eq!(garden.build().code(), 0);
    let page = garden.page("links.html");
    let said = page.split("class=\"reviews\"").nth(1).expect("reviews");
    let said = &said[..said.find("</ul>").expect("an end")];
    assert!(said.contains("(<code>neuronotes diff ") && !said.contains("-/diff"), "{said}");
}
