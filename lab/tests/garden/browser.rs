//! The site in headless Chromium: the published pages from the file system, and the preview while its notes
//! are edited. `CHROMIUM` names the browser; `NEURONOTES_NO_BROWSER=1` leaves these tests out and says so.

#[path = "../../../tests/common/browser.rs"]
mod chromium;

use std::sync::Arc;

use headless_chrome::{Browser, Tab};

pub(crate) use chromium::{browser, open, value, wait};

use super::common::Garden;
use super::common::preview::Preview;
use super::{block, garden, vis};

pub(crate) fn preview(garden: &Garden, browser: &Browser, page: &str) -> (Preview, Arc<Tab>) {
    let preview = Preview::of(garden);
    let tab = open(browser, &format!("{}{page}", preview.url));
    // The first patch is the one after the connection: from here on the page hears of every change.
    wait(&tab, "document.documentElement.dataset.patched");
    tab.evaluate("window.sameDocument = true", false).expect("evaluates");
    (preview, tab)
}

#[test]
fn a_published_page_opens_from_the_file_system_with_all_its_figures() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let blocks =
        [vis(3, 3), block("dataset_examples", 3, "top: 4\n"), block("activation_histogram", 3, "")];
    garden.note(
        "deep/a.md",
        &format!(
            "# A note\n\nSee [[B]].\n\n{}\n## One\n\nText.\n\n## Two\n\nText.\n",
            blocks.concat()
        ),
    );
    garden.note("b.md", "---\ntitle: B\n---\nText.\n");
    garden.built();
    let tab = open(&browser, &format!("file://{}", garden.path("output/index.html").display()));
    for element in tab.find_elements("a[href='deep/a.html']").expect("a link to the note") {
        if element.click().is_ok() {
            break;
        }
    }
    tab.wait_for_element("#vis").expect("the note's page");
    let loaded = "[...document.images].map(i => { i.loading = 'eager'; return i; }).every(i => i.complete && i.naturalWidth > 0)";
    wait(&tab, loaded);
    assert_eq!(value(&tab, "document.images.length"), 5);
    // The histogram, and the visualisation's curve.
    assert_eq!(value(&tab, "document.querySelectorAll('figure svg').length"), 2);
    assert_eq!(
        value(&tab, "[...document.scripts].filter(s => s.src.includes('preview.js')).length"),
        0
    );
    for width in [320, 400, 800, 1400] {
        chromium::resize(&tab, width);
        let overflow = chromium::overflow(&tab);
        assert_eq!(overflow, 0, "at {width} pixels the page is wider than the window");
    }
}

#[test]
fn a_save_patches_the_open_page_and_keeps_the_place() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let filler = "A paragraph that fills the page.\n\n".repeat(120);
    let text = |changed: &str| {
        format!(
            "# A note\n\n{filler}<details><summary>Fold</summary>Folded.</details>\n\n{changed}\n\n{filler}"
        )
    };
    garden.note("a.md", &text("Before."));
    let (_preview, tab) = preview(&garden, &browser, "a.html");
    tab.evaluate(
        "document.querySelector('article details').open = true; window.scrollTo({ top: 1500, behavior: 'instant' })",
        false,
    )
    .expect("evaluates");
    let place = value(&tab, "window.scrollY");
    garden.note("a.md", &text("After."));
    wait(&tab, "document.body.innerText.includes('After.')");
    assert_eq!(value(&tab, "window.sameDocument"), true, "the page was not loaded again");
    assert_eq!(value(&tab, "window.scrollY"), place);
    assert_eq!(value(&tab, "document.querySelector('article details').open"), true);
    assert_eq!(value(&tab, "document.body.innerText.includes('Before.')"), false);

    // An error at its block, with nothing else gone, and gone when it is mended.
    garden.note(
        "a.md",
        &format!("{}\n\n```yaml analysis\nid: bad\nkind: feature_viz\n```\n", text("After.")),
    );
    wait(&tab, "document.querySelector('#bad .problem-error')?.innerText.includes('did you mean')");
    assert_eq!(value(&tab, "window.scrollY"), place);
    garden.note("a.md", &text("Mended."));
    wait(&tab, "!document.querySelector('#bad') && document.body.innerText.includes('Mended.')");
    assert_eq!(value(&tab, "window.sameDocument"), true);
}

#[test]
fn a_film_plays_without_a_script_and_a_sweeps_pictures_sharpen_side_by_side() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let film = block("feature_vis", 3, "id: film\nsize: 64\nsteps: 6\nframes: 5\n");
    garden.note("a.md", &format!("# A note\n\n{film}"));
    garden.built();
    let tab = open(&browser, &format!("file://{}", garden.path("output/a.html").display()));
    let film = "document.querySelector('#film .film-play')";
    assert_eq!(value(&tab, &format!("{film}.open")), false, "it never plays by itself");
    tab.find_element("#film .film-play summary").expect("a control").click().expect("a click");
    wait(&tab, &format!("{film}.open && {film}.querySelector('img').naturalWidth === 64"));
    // The film lies over the picture.
    let places = "JSON.stringify(['#film img', '#film .film-play img'].map(at => { \
                  const box = document.querySelector(at).getBoundingClientRect(); \
                  return [box.left, box.top, box.width, box.height].map(Math.round); }))";
    let places = value(&tab, places);
    let places: Vec<Vec<i64>> =
        serde_json::from_str(places.as_str().expect("text")).expect("boxes");
    assert_eq!(places[0], places[1]);

    let sweep = |steps: u32| {
        let layer = crate::LAYER;
        format!(
            "# A note\n\n```yaml analysis\nid: all\nkind: feature_vis\nlayer: {layer}\nsize: 64\nsteps: {steps}\nsweep: {{unit: [1, 2]}}\n```\n"
        )
    };
    garden.note("a.md", &sweep(60_000));
    let (_preview, tab) = preview(&garden, &browser, "a.html");
    let both = |part: &str| {
        format!("[...document.querySelectorAll('#all li')].filter(li => {part}).length === 2")
    };
    wait(&tab, &both("/step \\d+ of 60000/.test(li.querySelector('[data-status]')?.textContent)"));
    wait(&tab, &both("li.querySelector('img[data-partial]')?.naturalWidth > 0"));
    garden.note("a.md", &sweep(3));
    wait(&tab, &both("li.matches('.done') && li.querySelector('img')?.naturalWidth > 0"));
}

#[test]
fn a_figure_in_work_shows_its_step_and_a_picture_that_sharpens() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.note("a.md", &format!("# A note\n\n{}", vis(3, 60_000)));
    let (_preview, tab) = preview(&garden, &browser, "a.html");
    wait(
        &tab,
        "/step \\d+ of 60000/.test(document.querySelector('#vis [data-status]')?.textContent)",
    );
    let picture = "document.querySelector('#vis img[data-partial]')";
    wait(&tab, &format!("{picture}?.naturalWidth > 0 && !{picture}.hidden"));
    let first = value(&tab, &format!("{picture}.src"));
    wait(&tab, &format!("{picture}.src !== {first}"));

    // Another title: the page shows it, and what is being measured goes on and is not begun again.
    let step = "Number(/step (\\d+) of/.exec(document.querySelector('#vis [data-status]')?.textContent)?.[1])";
    wait(&tab, &format!("{step} > 20"));
    let before = value(&tab, step).as_u64().expect("a step");
    let config = garden.read("neuronotes.yaml").replace("A test garden", "Another title");
    garden.write("neuronotes.yaml", &config);
    wait(&tab, "document.title.includes('Another title')");
    let after = value(&tab, step).as_u64().expect("a step");
    assert!(after >= before, "{after} after {before}");
    assert_eq!(value(&tab, &format!("{picture}.hidden")), false, "the picture stays");

    // An edit while it runs: what is no longer wanted stops, and the new figure appears in its place.
    garden.note("a.md", &format!("# A note\n\n{}", vis(3, 4)));
    wait(&tab, "document.querySelector('#vis.done img')?.naturalWidth > 0");
    assert_eq!(value(&tab, "window.sameDocument"), true);
    let done = value(&tab, "document.querySelector('#vis img').src");

    // Another unit, and back: the stored result is there at once.
    garden.note("a.md", &format!("# A note\n\n{}", vis(4, 4)));
    wait(
        &tab,
        &format!(
            "document.querySelector('#vis.done img')?.src !== {done} && document.querySelector('#vis.done img')"
        ),
    );
    garden.note("a.md", &format!("# A note\n\n{}", vis(3, 4)));
    wait(&tab, &format!("document.querySelector('#vis.done img')?.src === {done}"));
}

#[test]
fn a_list_put_above_a_figure_in_work_leaves_its_picture_and_open_folds() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let fold = "<details><summary>Fold</summary>\n\nFolded.\n\n</details>\n\n";
    let text = |above: &str| format!("# A note\n\n{above}Text.\n\n{fold}{}", vis(3, 60_000));
    garden.note("a.md", &text(""));
    let (_preview, tab) = preview(&garden, &browser, "a.html");
    let picture = "document.querySelector('#vis img[data-partial]')";
    wait(&tab, &format!("{picture}?.naturalWidth > 0 && !{picture}.hidden"));
    tab.evaluate(
        "window.kept = ['#vis', '#vis img[data-partial]', '#vis [data-status]', 'article details'].map(at => document.querySelector(at)); \
         kept[3].open = true",
        false,
    )
    .expect("evaluates");
    garden.note("a.md", &text("A paragraph.\n\n- a list\n- of two\n\n"));
    wait(&tab, "document.querySelector('article ul')");
    let all = "[kept.every(e => e.isConnected), !kept[1].hidden, kept[3].open]";
    assert_eq!(value(&tab, all), serde_json::json!([true, true, true]));
    // The next picture may be on its way.
    wait(&tab, "kept[1].naturalWidth > 0");
    // The news still reach what was kept.
    let status = value(&tab, "kept[2].textContent");
    wait(&tab, &format!("kept[2].textContent !== {status}"));
}

#[test]
fn a_figure_measured_again_keeps_its_place_and_size_from_the_save_to_the_end() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let layer = crate::LAYER;
    let text = |steps: u32| {
        format!(
            "# A note\n\nText.\n\n{}## After one\n\n```yaml analysis\nid: all\nkind: feature_vis\nlayer: {layer}\nsize: 64\n\
             steps: {steps}\nsweep: {{unit: [1, 2]}}\n```\n\n## After both\n\nText.\n",
            vis(3, steps)
        )
    };
    garden.note("a.md", &text(4));
    let (_preview, tab) = preview(&garden, &browser, "a.html");
    let done = "document.querySelector('#vis.done img')?.naturalWidth > 0 && document.querySelectorAll('#all li.done img').length === 2";
    wait(&tab, done);
    // At a width at which everything is in the window: what is outside of it cannot shift. A node that is gone by the
    // time of the report has moved nothing that is still there.
    tab.evaluate(
        "document.documentElement.style.zoom = .4; window.shifts = []; \
         new PerformanceObserver(list => shifts.push(...list.getEntries().filter(s => s.sources.some(n => n.node)).map(s => [s.value, s.sources.map(n => n.node?.outerHTML?.slice(0, 120))]))).observe({ type: 'layout-shift' })",
        false,
    )
    .expect("evaluates");
    std::thread::sleep(std::time::Duration::from_millis(300));
    tab.evaluate("shifts.length = 0", false).expect("evaluates");
    let places = "JSON.stringify(['#vis .drawing-picture img', '#vis figcaption', '#after-one', '#all li:nth-child(1) img', '#all li:nth-child(2) img', '#all figcaption', '#after-both', '.backlinks'] \
                  .map(at => { const box = document.querySelector(at).getBoundingClientRect(); return [box.left, box.top, box.width, box.height].map(Math.round); }))";
    let before = value(&tab, places);
    garden.note("a.md", &text(60_000));
    for figure in ["#vis", "#all li:nth-child(1)", "#all li:nth-child(2)"] {
        let partial = format!("document.querySelector('{figure} img[data-partial]')");
        wait(&tab, &format!("{partial}?.naturalWidth > 0 && !{partial}.hidden"));
        // Exactly over the last one.
        let boxes = format!(
            "['{figure} img:not([data-partial])', '{figure} img[data-partial]'].map(at => {{ \
             const box = document.querySelector(at).getBoundingClientRect(); \
             return [box.left, box.top, box.width, box.height].map(n => Math.round(n * 10)); }})"
        );
        let boxes = value(&tab, &boxes);
        assert_eq!(boxes[0], boxes[1], "{figure}");
    }
    assert_eq!(value(&tab, places), before, "while it is measured");
    garden.note("a.md", &text(5));
    wait(&tab, done);
    assert_eq!(value(&tab, places), before, "when it is done");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(value(&tab, "shifts"), serde_json::json!([]));
}
