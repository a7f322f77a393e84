//! What is done to a page in a tab of the browser.

use std::time::Duration;

use headless_chrome::Tab;
use headless_chrome::browser::tab::point::Point;
use headless_chrome::protocol::cdp::Emulation::{
    MediaFeature, SetEmulatedMedia, SetTouchEmulationEnabled,
};
use headless_chrome::protocol::cdp::Input::{
    DispatchTouchEvent, DispatchTouchEventTypeOption as Type, TouchPoint,
};
use serde_json::Value;

use crate::chromium::{resize, value, wait};

pub fn go(tab: &Tab, address: &str) {
    tab.navigate_to(address).expect("an address").wait_until_navigated().expect("a page");
}

pub fn colours(tab: &Tab, scheme: &str) {
    let feature = MediaFeature { name: "prefers-color-scheme".into(), value: scheme.into() };
    let media = SetEmulatedMedia { media: None, features: Some(vec![feature]) };
    tab.call_method(media).expect("a scheme of colours");
}

/// What this JavaScript promises, as JSON.
pub fn awaited(tab: &Tab, promise: &str) -> Value {
    let script = format!("({promise}).then(value => JSON.stringify(value))");
    let result = tab.evaluate(&script, true).expect("evaluates").value;
    serde_json::from_str(result.as_ref().and_then(Value::as_str).unwrap_or_default()).expect("JSON")
}

/// Scrolls to the end, a window at a time, and waits until the pictures are there.
pub fn read_through(tab: &Tab) {
    awaited(
        tab,
        "(async () => { \
           const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 30))); \
           for (let at = 0; at < document.documentElement.scrollHeight; at += innerHeight / 2) { \
             scrollTo({ top: at, behavior: 'instant' }); await frame(); } \
           await Promise.all([...document.images].filter(i => i.checkVisibility()).map(i => i.decode().catch(() => {}))); \
           await frame(); return true; })()",
    );
}

/// What is folded away is not looked at.
pub fn unfold(tab: &Tab) {
    let all = "for (const fold of document.querySelectorAll('details')) fold.open = true";
    tab.evaluate(all, false).expect("evaluates");
}

/// Waits until what a change of the window or of its colours sets in motion has come to rest.
pub fn settled(tab: &Tab) {
    awaited(
        tab,
        "(async () => { \
           const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0))); \
           await frame(); await Promise.race([Promise.all(document.getAnimations().map(a => a.finished.catch(() => {}))), \
             new Promise(done => setTimeout(done, 500))]); \
           await frame(); return true; })()",
    );
}

/// Clicks what is seen of an element. The browser's client would wait for a script to scroll to it, and none runs here.
pub fn click(tab: &Tab, selector: &str) {
    let seen =
        format!("[...document.querySelectorAll({selector:?})].find(e => e.checkVisibility())");
    wait(tab, &seen);
    let middle = format!(
        "(e => {{ e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); const box = e.getClientRects()[0]; \
         return [box.x + box.width / 2, box.y + box.height / 2]; }})({seen})"
    );
    let middle = value(tab, &middle);
    let at = |axis: usize| middle[axis].as_f64().unwrap_or_else(|| panic!("{selector}: {middle}"));
    tab.click_point(Point { x: at(0), y: at(1) }).expect("a click");
}

/// Puts fingers down, moves them and lifts them.
pub fn drag(tab: &Tab, from: &[(f64, f64)], to: &[(f64, f64)]) {
    let send = |r#type: Type, points: Vec<(f64, f64)>| {
        let point = |(id, (x, y)): (usize, (f64, f64))| TouchPoint {
            x,
            y,
            radius_x: None,
            radius_y: None,
            rotation_angle: None,
            force: None,
            tangential_pressure: None,
            tilt_x: None,
            tilt_y: None,
            twist: None,
            id: Some(id as f64),
        };
        let touch_points = points.into_iter().enumerate().map(point).collect();
        let event =
            DispatchTouchEvent { Type: r#type, touch_points, modifiers: None, timestamp: None };
        tab.call_method(event).expect("a touch");
    };
    send(Type::TouchStart, from.to_vec());
    for step in 1..=8 {
        let share = f64::from(step) / 8.0;
        let between = |(a, b): (&(f64, f64), &(f64, f64))| {
            (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
        };
        send(Type::TouchMove, from.iter().zip(to).map(between).collect());
        std::thread::sleep(Duration::from_millis(16));
    }
    send(Type::TouchEnd, vec![]);
}

pub fn telephone(tab: &Tab) {
    resize(tab, 390);
    let fingers = SetTouchEmulationEnabled { enabled: true, max_touch_points: Some(5) };
    tab.call_method(fingers).expect("fingers");
}
