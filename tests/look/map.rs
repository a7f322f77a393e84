//! A map of as many units as a layer of RN50x4 has: keys, fingers, zoom, filters, colours, and how long they take.

use std::time::Duration;

use headless_chrome::Tab;
use headless_chrome::browser::tab::point::Point as Place;
use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::kind::unit_similarity::{Chart, Outcome, Point, Sheet, Tally, Tile, sample};
use neuronotes_core::kind::{Painted, Sample};

use crate::chromium::{browser, open, overflow, resize, value, wait};
use crate::common::preview::Preview;
use crate::common::{Garden, results};
use crate::fault::{axe, barriers};
use crate::garden::{Pages, published};
use crate::tab::{awaited, drag, go, telephone};

/// Units of the map.
const UNITS: u32 = 2_560;
/// Groups of units.
const GROUPS: u32 = 8;
/// Pictures in a row of the sheet.
const ACROSS: u32 = 35;
/// Side of a picture in pixels.
const TILE: u32 = 40;

/// A note with the map. Unit 42 has a page, since another figure is about it.
const NOTE: &str = "# A map\n\n```yaml analysis\nid: map\nkind: unit_similarity\nlayer: image_block_4/0/Add_6\n\
    groups: 8\ncolour: group\n```\n\n```yaml analysis\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 42\ntop: 1\n```\n";

/// The made-up map: groups of units in a circle, every group a spiral.
fn outcome() -> Outcome {
    let (mut outcome, _) = sample(true, 0.75);
    let tally = |n: u32| Tally { label: format!("label {n}"), units: u64::from(UNITS / GROUPS) };
    let point = |unit: u32| {
        let group = unit % GROUPS;
        let (turn, within) = (
            f64::from(group) / f64::from(GROUPS) * std::f64::consts::TAU,
            f64::from(unit / GROUPS),
        );
        let (angle, radius) = (within * 2.4, within.sqrt() * 0.2);
        Point {
            unit,
            x: 10.0 * turn.cos() + radius * angle.cos(),
            y: 10.0 * turn.sin() + radius * angle.sin(),
            kurtosis: within,
            deviations: within / 10.0,
            label: Some(group),
            votes: 5,
            group: Some(group),
            tile: unit % (ACROSS * ACROSS),
        }
    };
    let tile = |n: u32| Tile { caption: format!("picture {n}") };
    outcome.units = u64::from(UNITS);
    outcome.chart = outcome.chart.take().map(|chart| Chart {
        labels: (0..GROUPS).map(tally).collect(),
        groups: (0..GROUPS).map(tally).collect(),
        points: (0..UNITS).map(point).collect(),
        sheet: Sheet {
            side: ACROSS * TILE,
            tile: TILE,
            tiles: (0..ACROSS * ACROSS).map(tile).collect(),
            ..chart.sheet
        },
        ..chart
    });
    outcome
}

/// A sheet on which each picture has a colour of its own.
fn sheet(painted: &Painted) -> Vec<u8> {
    let (width, height) = painted.size;
    let colour = |x: u32, y: u32| {
        let n = (y / TILE) * ACROSS + x / TILE;
        image::Rgb([(n * 37 % 256) as u8, (n * 91 % 256) as u8, (n * 151 % 256) as u8])
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_fn(width, height, colour)
        .write_to(&mut bytes, image::ImageFormat::WebP)
        .expect("a picture");
    bytes.into_inner()
}

fn garden() -> Garden {
    let garden = Garden::new();
    garden.note("index.md", NOTE);
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let missing = site::wishes(&mut workspace).missing;
    let (_, request) =
        missing.iter().find(|(_, request)| request.kind == "unit_similarity").expect("the map");
    let size = (ACROSS * TILE, ACROSS * TILE);
    let painted = Painted { output: "sheet.webp".to_owned(), media_type: "image/webp", size };
    let result = serde_json::to_value(outcome()).expect("JSON");
    let made = Sample { result, pictures: vec![painted] };
    let record = made.record(&workspace.store, request, sheet).expect("a record");
    workspace.store.commit(&record).expect("stored");
    results::fill(&garden);
    garden.built();
    garden
}

const CANVAS: &str = "document.querySelector('.map-live canvas')";
const FIELD: &str = "document.querySelector('.map-live input')";
const SAYS: &str = "document.querySelector('.map-says p').textContent";
const COUNT: &str = "document.querySelector('.map-count').textContent";

/// Opens the map and waits until it is drawn.
fn show(tab: &Tab, base: &str) {
    go(tab, &format!("{base}index.html"));
    wait(tab, &format!("{CANVAS}?.width > 100"));
    value(
        tab,
        &format!("({CANVAS}.scrollIntoView({{ block: 'center', behavior: 'instant' }}), true)"),
    );
    frame(tab);
}

/// Waits until everything that was begun is drawn. Returns the milliseconds that `act` and drawing what it changed took.
fn timed(tab: &Tab, act: &str) -> f64 {
    let took = format!(
        "new Promise(done => {{ const begun = performance.now(); {act}; \
         requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun))); }})"
    );
    awaited(tab, &took).as_f64().expect("a number")
}

fn frame(tab: &Tab) {
    timed(tab, "0");
}

/// Types a text into the field of the search. Returns the milliseconds until the map was drawn again.
fn find(tab: &Tab, text: &str) -> f64 {
    timed(
        tab,
        &format!(
            "{FIELD}.value = {text:?}; {FIELD}.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ),
    )
}

fn key(tab: &Tab, key: &str) {
    tab.press_key(key).expect("a key");
    frame(tab);
}

/// Where a unit is in the window while the whole map is shown.
fn place(tab: &Tab, unit: u32) -> (f64, f64) {
    let at = value(
        tab,
        &format!(
            "(() => {{ const {{ units, x, y, size }} = JSON.parse(document.querySelector('[data-map-data]').content.textContent); \
             const box = {CANVAS}.getBoundingClientRect(), i = units.indexOf({unit}), k = Math.min({CANVAS}.clientWidth / size[0], {CANVAS}.clientHeight / size[1]); \
             return [box.left + box.width / 2 + (x[i] - size[0] / 2) * k, box.top + box.height / 2 + (y[i] - size[1] / 2) * k]; }})()"
        ),
    );
    (at[0].as_f64().expect("a place"), at[1].as_f64().expect("a place"))
}

#[test]
fn a_map_of_thousands_of_units_is_walked_through_by_keys_and_searched_at_once() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let base = published(&garden);
    let tab = open(&browser, "about:blank");
    tab.bring_to_front().expect("the front");
    resize(&tab, 1400);
    let begun = std::time::Instant::now();
    show(&tab, &base);
    println!("a map of {UNITS} units is there after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(value(&tab, COUNT), "2560 units");
    // From unit to unit, each another, and back.
    value(&tab, &format!("({CANVAS}.focus(), true)"));
    let mut seen = Vec::new();
    for arrow in ["ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"] {
        key(&tab, arrow);
        let says = value(&tab, SAYS);
        assert!(says.as_str().is_some_and(|says| says.starts_with("Unit ")), "{says}");
        assert_ne!(seen.last(), Some(&says), "{arrow}");
        seen.push(says);
    }
    key(&tab, "Escape");
    assert_eq!(value(&tab, SAYS), "Point at a unit, or walk with the arrow keys.");
    // What is typed is found while it is typed.
    let took = [find(&tab, "p"), find(&tab, "picture 7"), find(&tab, "")];
    println!("a keystroke takes {took:.0?} ms");
    assert!(took.iter().all(|took| *took < 500.0), "{took:?}");
    find(&tab, "picture 1224");
    assert_eq!(value(&tab, COUNT), "2 of 2560 units");
    find(&tab, "42");
    assert_eq!(value(&tab, COUNT), "1 of 2560 units", "a number is a unit, not a part of one");
    assert!(
        value(&tab, SAYS)
            .as_str()
            .is_some_and(|says| says.starts_with("Unit 42 picture 42; label 2")),
        "{}",
        value(&tab, SAYS)
    );
    // Enter goes from the field to the map, and from the map to the unit's page.
    value(&tab, &format!("({FIELD}.focus(), true)"));
    key(&tab, "Enter");
    assert_eq!(value(&tab, &format!("document.activeElement === {CANVAS}")), true);
    tab.press_key("Enter").expect("a key");
    wait(&tab, "location.pathname.endsWith('/units/emoji/image_block_4-0-add_6/42.html')");
}

/// The table of a map has a row for each of the first thousand units.
#[test]
fn a_long_table_is_filtered_by_words_and_by_whole_numbers() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    resize(&tab, 1400);
    go(&tab, &format!("{}index.html", published(&garden)));
    let field = "document.querySelector('#map .table-filter input')";
    wait(&tab, field);
    let filter = |text: &str| {
        let act = format!(
            "{field}.value = {text:?}; {field}.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        );
        let took = timed(&tab, &act);
        assert!(took < 1000.0, "{took} ms");
        let shown = "[...document.querySelectorAll('#map .data tbody tr')].filter(row => !row.hidden).length";
        let said = "document.querySelector('#map .table-filter [role=status]').textContent";
        (value(&tab, shown), value(&tab, said))
    };
    assert_eq!(filter("42"), (1.into(), "1 of 1000 rows".into()), "not unit 420");
    // Of the label 3, or of the third group, which has another label.
    assert_eq!(filter("LABEL 3"), (250.into(), "250 of 1000 rows".into()));
    assert_eq!(filter(""), (1000.into(), "".into()));
}

#[test]
fn a_map_is_zoomed_moved_and_coloured_by_groups() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    // A canvas with a picture from the disk cannot be read; one with a picture of the preview can.
    let preview = Preview::of(&garden);
    let tab = open(&browser, "about:blank");
    resize(&tab, 1400);
    show(&tab, &preview.url);
    let drawn = format!("{CANVAS}.toDataURL()");
    let keep = || tab.evaluate(&format!("window.before = {drawn}; 0"), false).expect("evaluates");
    let changed = || {
        frame(&tab);
        value(&tab, &format!("{drawn} !== before"))
    };
    wait(&tab, "document.querySelector('.map-picture').style.backgroundImage.includes('http')");
    std::thread::sleep(Duration::from_millis(300));
    keep();
    assert_eq!(changed(), false, "it is at rest");
    let press = |label: &str| {
        timed(
            &tab,
            &format!("document.querySelector('.map-buttons [aria-label^=\"{label}\"]').click()"),
        )
    };
    let took = press("Zoom in");
    println!("a step of zoom takes {took:.0} ms");
    assert!(took < 500.0, "{took}");
    assert_eq!(changed(), true, "zoomed in");
    press("Reset");
    assert_eq!(changed(), false, "as it was");
    // A wheel scrolls the page until the map has the focus.
    let (x, y) = place(&tab, 42);
    let wheel = format!(
        "{CANVAS}.dispatchEvent(new WheelEvent('wheel', {{ deltaY: -200, clientX: {x}, clientY: {y}, bubbles: true, cancelable: true }}))"
    );
    timed(&tab, &wheel);
    assert_eq!(changed(), false, "without the focus");
    value(&tab, &format!("({CANVAS}.focus(), true)"));
    frame(&tab);
    keep();
    timed(&tab, &wheel);
    assert_eq!(changed(), true, "with the focus");
    key(&tab, "0");
    assert_eq!(changed(), false, "the key 0 shows all");
    for plus in ["+", "-"] {
        tab.evaluate(&format!("{CANVAS}.dispatchEvent(new KeyboardEvent('keydown', {{ key: {plus:?}, bubbles: true }}))"), false).expect("a key");
    }
    key(&tab, "0");
    // Each group is a colour, and a button that leaves it alone.
    let legend = "[...document.querySelectorAll('.map-live .map-legend button')]";
    assert_eq!(value(&tab, &format!("{legend}.map(b => b.textContent)[1]")), "2. label 1 320");
    let colours =
        format!("new Set({legend}.map(b => getComputedStyle(b, '::before').backgroundColor)).size");
    assert_eq!(value(&tab, &colours), GROUPS);
    keep();
    timed(&tab, &format!("{legend}[1].click()"));
    assert_eq!(value(&tab, COUNT), "320 of 2560 units");
    assert_eq!(changed(), true);
    timed(&tab, &format!("{legend}[1].click()"));
    assert_eq!(value(&tab, COUNT), "2560 units");
    assert_eq!(changed(), false);
    // A click on a unit with a page opens it.
    find(&tab, "42");
    key(&tab, "0");
    let (x, y) = place(&tab, 42);
    tab.click_point(Place { x, y }).expect("a click");
    wait(&tab, "location.pathname.endsWith('/42.html')");
}

#[test]
fn one_finger_scrolls_past_a_map_two_zoom_it_and_a_tap_tells() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let preview = Preview::of(&garden);
    let tab = open(&browser, "about:blank");
    telephone(&tab);
    show(&tab, &preview.url);
    std::thread::sleep(Duration::from_millis(300));
    let drawn = format!("{CANVAS}.toDataURL()");
    value(&tab, "(scrollTo({ top: 0, behavior: 'instant' }), true)");
    tab.evaluate(&format!("window.before = {drawn}; 0"), false).expect("evaluates");
    let middle = || {
        let at = value(
            &tab,
            &format!(
                "(b => [b.x + b.width / 2, b.y + b.height / 2])({CANVAS}.getBoundingClientRect())"
            ),
        );
        (at[0].as_f64().expect("a place"), at[1].as_f64().expect("a place"))
    };
    let (x, y) = middle();
    drag(&tab, &[(x, y + 60.0)], &[(x, y - 140.0)]);
    wait(&tab, "scrollY > 100");
    assert_eq!(value(&tab, &format!("{drawn} === before")), true, "the map moved");
    value(&tab, "(scrollTo({ top: 0, behavior: 'instant' }), true)");
    wait(&tab, "scrollY === 0");
    let (x, y) = middle();
    drag(&tab, &[(x - 40.0, y), (x + 40.0, y)], &[(x - 120.0, y - 30.0), (x + 120.0, y + 60.0)]);
    wait(&tab, &format!("{drawn} !== before"));
    assert_eq!(value(&tab, "[scrollY, visualViewport.scale]"), serde_json::json!([0, 1]));
    timed(&tab, "document.querySelector('.map-buttons [aria-label^=\"Reset\"]').click()");
    let (x, y) = place(&tab, 0);
    drag(&tab, &[(x, y)], &[(x, y)]);
    wait(&tab, &format!("{SAYS}.startsWith('Unit ')"));
}

#[test]
fn a_page_with_a_map_is_for_everybody_and_not_too_heavy() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let page = garden.page("index.html").len();
    println!("the page of a map of {UNITS} units has {page} bytes");
    assert!(page < 1_000_000, "{page}");
    let tab = open(&browser, "about:blank");
    let address = format!("{}index.html", published(&garden));
    for width in [320, 400, 1400] {
        resize(&tab, width);
        go(&tab, &address);
        wait(&tab, &format!("{CANVAS}?.width > 100"));
        assert_eq!(overflow(&tab), 0, "{width} px");
    }
    let Some(axe) = axe() else { return };
    let found = barriers(&tab, &axe, &Pages::from([("index.html".to_owned(), address)]));
    assert!(found.is_empty(), "{found:#?}");
}
