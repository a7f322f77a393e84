//! What a reader sees on demand: the images behind the bars of a histogram, the heat map over a picture, and controls.

use headless_chrome::Tab;
use headless_chrome::browser::tab::point::Point;

use crate::chromium::{browser, open, overflow, resize, value, wait};
use crate::common::{Garden, results};
use crate::fault::{axe, barriers};
use crate::garden::{Pages, published};
use crate::tab::go;

const NOTE: &str = "# On demand\n\n```yaml analysis\nid: bars\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 42\n\
    examples: 2\n```\n\n```yaml analysis\nid: list\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 42\n\
    maps: true\ncontrols: on\ntop: 2\n```\n";

/// What is said of the bar whose images are shown.
const SAYS: &str = "[...document.querySelectorAll('.behind-says')].filter(it => getComputedStyle(it).visibility === 'visible')\
    .map(it => it.firstChild.textContent).join()";

fn garden() -> Garden {
    let garden = Garden::new();
    garden.note("index.md", NOTE);
    results::fill(&garden);
    garden.built();
    garden
}

/// Moves the pointer to the middle of an element.
fn point(tab: &Tab, selector: &str) {
    value(
        tab,
        &format!(
            "(document.querySelector('{selector}').scrollIntoView({{ block: 'center', behavior: 'instant' }}), true)"
        ),
    );
    let found = tab.find_element(selector).expect("an element");
    found.move_mouse_over().expect("a pointer");
}

#[test]
fn images_behind_a_bar_are_shown_to_a_pointer_and_to_keys() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let address = format!("{}index.html", published(&garden));
    let tab = open(&browser, "about:blank");
    resize(&tab, 1400);
    go(&tab, &address);
    // At first those of the last bar.
    wait(&tab, "document.querySelectorAll('.behind-bars label').length === 2");
    assert!(value(&tab, SAYS).as_str().is_some_and(|says| says.ends_with("2 images")));
    point(&tab, ".behind-bars label");
    wait(&tab, &format!("{SAYS}.endsWith('4 images')"));
    // One bar is reached by Tab, the others by arrows.
    tab.move_mouse_to_point(Point { x: 1.0, y: 1.0 }).expect("a pointer");
    wait(&tab, &format!("{SAYS}.endsWith('2 images')"));
    value(&tab, "(document.querySelector('.behind :checked').focus(), true)");
    tab.press_key("ArrowLeft").expect("a key");
    wait(&tab, &format!("{SAYS}.endsWith('4 images')"));
    for width in [320, 400, 1400] {
        resize(&tab, width);
        assert_eq!(overflow(&tab), 0, "{width} px");
    }
    let Some(axe) = axe() else { return };
    let found = barriers(&tab, &axe, &Pages::from([("index.html".to_owned(), address)]));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_map_is_shown_while_a_picture_is_pointed_at_and_where_it_is_enlarged() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let address = format!("{}index.html", published(&garden));
    let tab = open(&browser, "about:blank");
    resize(&tab, 1400);
    go(&tab, &address);
    let seen = "Number(getComputedStyle(document.querySelector('#list .under')).opacity)";
    wait(&tab, &format!("{seen} === 0"));
    point(&tab, "#list a.zoom");
    wait(&tab, &format!("{seen} === 1"));
    tab.find_element("#list a.zoom").expect("a picture").click().expect("a click");
    let shown = "document.querySelector('.zoom-picture img')?.src";
    wait(&tab, &format!("{shown} === document.querySelector('#list a.zoom').href"));
    let map = "document.querySelector('#list .under').src";
    tab.find_element(".zoom-other").expect("a button").click().expect("a click");
    wait(&tab, &format!("{shown} === {map}"));
    tab.press_key("m").expect("a key");
    wait(&tab, &format!("{shown} === document.querySelector('#list a.zoom').href"));
}

#[test]
fn pictures_of_controls_are_loaded_when_their_fold_is_opened() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let address = format!("{}index.html", published(&garden));
    let tab = open(&browser, "about:blank");
    resize(&tab, 1400);
    go(&tab, &address);
    let loaded =
        "[...document.querySelectorAll('.controls img')].filter(it => it.naturalWidth > 0).length";
    wait(&tab, "document.querySelector('#list img').naturalWidth > 0");
    assert_eq!(value(&tab, loaded), 0);
    value(&tab, "(document.querySelector('#list .controls > summary').focus(), true)");
    tab.press_key("Enter").expect("a key");
    point(&tab, "#list .controls img");
    wait(&tab, &format!("{loaded} > 0"));
    for width in [320, 400, 1400] {
        resize(&tab, width);
        assert_eq!(overflow(&tab), 0, "{width} px");
    }
}
