//! Pictures that are shown large.

use crate::chromium::{browser, open, value, wait};
use crate::garden::{garden, pages, published};
use crate::tab::{drag, go, telephone};

#[test]
fn a_picture_is_turned_by_a_finger_and_closed_by_going_back() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    telephone(&tab);
    go(&tab, &pages(&garden, &published(&garden))["deep/figures.html"]);
    let links = "document.querySelectorAll('article a.zoom')";
    tab.evaluate(&format!("({links}[1].focus(), {links}[1].click())"), false).expect("a click");
    let at = |number: u32| {
        wait(
            &tab,
            &format!(
                "document.querySelector('.zoom-dialog')?.open && document.querySelector('.zoom-caption p:last-child')?.textContent.startsWith('{number} of ')"
            ),
        );
    };
    let closed = || {
        wait(
            &tab,
            &format!(
                "!document.querySelector('.zoom-dialog').open && document.activeElement === {links}[1] && location.pathname.endsWith('deep/figures.html')"
            ),
        )
    };
    at(2);
    drag(&tab, &[(300.0, 300.0)], &[(80.0, 310.0)]);
    at(3);
    drag(&tab, &[(80.0, 300.0)], &[(300.0, 310.0)]);
    at(2);
    tab.press_key("ArrowRight").expect("a key");
    at(3);
    tab.evaluate("history.back()", false).expect("evaluates");
    closed();
    // What was closed by a key leaves nothing behind in the history.
    let length = value(&tab, "history.length");
    tab.evaluate(&format!("{links}[1].click()"), false).expect("a click");
    at(2);
    tab.press_key("Escape").expect("a key");
    closed();
    wait(&tab, "history.state?.zoom === undefined");
    assert_eq!(value(&tab, "history.length"), length);
}
