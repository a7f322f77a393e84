//! Graphs: of units and classes in a figure, and of the notes of a garden.

use std::time::Duration;

use crate::chromium::{browser, open, resize, value, wait};
use crate::garden::{everywhere, garden, pages, published};
use crate::tab::{drag, go, telephone};

/// Classes that share a unit, each with two units.
#[test]
fn a_graph_of_units_is_turned_filtered_and_walked_through_by_the_keyboard() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    tab.bring_to_front().expect("the front");
    everywhere(&garden, |base| {
        resize(&tab, 1400);
        go(&tab, &pages(&garden, base)["deep/figures.html"]);
        let graph = "document.querySelector('#made-of [data-bipartite]')";
        let shown = format!(
            "[...{graph}.querySelectorAll('path')].filter(e => e.checkVisibility()).map(e => e.dataset.value).sort().join()"
        );
        let active = "document.activeElement.textContent.trim()";
        wait(&tab, &format!("{graph}.querySelector('[data-choice=class]')"));
        let all = value(&tab, &shown);
        assert_eq!(all.as_str().map(|all| all.split(',').count()), Some(4), "{all}");
        let choose = |name: &str, chosen: &str| {
            let act = format!(
                "(e => {{ e.value = {chosen:?}; e.dispatchEvent(new Event('input', {{ bubbles: true }})); return true; }})\
                 ({graph}.querySelector('[data-choice={name}]'))"
            );
            value(&tab, &act);
        };
        // The class of two units, of which one is of both classes.
        choose("class", "1");
        assert_eq!(value(&tab, &shown), "2,−0.2");
        choose("class", "");
        // Half of the largest weight.
        let most = value(&tab, &format!("{graph}.querySelector('[data-choice=least]').max / 2"));
        choose("least", &most.to_string());
        assert_eq!(value(&tab, &shown).as_str().map(|all| all.contains('−')), Some(false));
        choose("least", "0");
        assert_eq!(value(&tab, &shown), all);
        // From a class to its strongest unit and back to the strongest class of that.
        let name = "barn spider";
        let class = format!(
            "[...{graph}.querySelectorAll('.bipartite-classes li')].find(e => e.textContent.includes({name:?}))"
        );
        value(&tab, &format!("({class}.focus(), true)"));
        tab.press_key("ArrowLeft").expect("a key");
        assert_eq!(value(&tab, active), "unit 9");
        tab.press_key("ArrowRight").expect("a key");
        assert_eq!(value(&tab, active), name);
        tab.press_key("ArrowUp").expect("a key");
        assert_eq!(value(&tab, active), "piggy bank");
        let side = |name: &str| {
            format!("{graph}.querySelector('.bipartite-{name}').getBoundingClientRect()")
        };
        let (units, classes) = (side("units"), side("classes"));
        for way in [
            format!("{units}.right <= {classes}.left"),
            format!("{units}.bottom <= {classes}.top"),
            format!("{units}.left >= {classes}.right"),
            format!("{units}.top >= {classes}.bottom"),
        ] {
            assert_eq!(value(&tab, &way), true, "{way}");
            value(&tab, &format!("({graph}.querySelector('[data-turns]').click(), true)"));
        }
    });
}

#[test]
fn one_finger_scrolls_past_the_graph_and_two_move_it() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    telephone(&tab);
    go(&tab, &pages(&garden, &published(&garden))["graph.html"]);
    wait(&tab, "document.querySelector('.graph canvas')?.width > 100");
    std::thread::sleep(Duration::from_millis(300));
    let drawn = "document.querySelector('.graph canvas').toDataURL()";
    tab.evaluate(&format!("window.before = {drawn}"), false).expect("evaluates");
    let box_ = value(
        &tab,
        "(b => [b.x + b.width / 2, b.y])(document.querySelector('.graph canvas').getBoundingClientRect())",
    );
    let (x, y) = (box_[0].as_f64().expect("a place"), box_[1].as_f64().expect("a place"));
    drag(&tab, &[(x, y + 250.0)], &[(x, y + 50.0)]);
    wait(&tab, "scrollY > 100");
    assert_eq!(value(&tab, &format!("{drawn} === before")), true, "the graph moved");
    tab.evaluate("scrollTo({ top: 0, behavior: 'instant' })", false).expect("evaluates");
    wait(&tab, "scrollY === 0");
    drag(
        &tab,
        &[(x - 40.0, y + 150.0), (x + 40.0, y + 150.0)],
        &[(x - 120.0, y + 100.0), (x + 130.0, y + 260.0)],
    );
    wait(&tab, &format!("{drawn} !== before"));
    assert_eq!(value(&tab, "[scrollY, visualViewport.scale]"), serde_json::json!([0, 1]));
    // The list says who links to whom.
    wait(&tab, "document.querySelector('.linked').innerText.includes('Linked from')");
}
