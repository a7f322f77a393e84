//! A headless Chromium for tests. `CHROMIUM` names it; `NEURONOTES_NO_BROWSER=1` leaves the tests that need one out and says so.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::Emulation::SetDeviceMetricsOverride;
use headless_chrome::{Browser, LaunchOptions, Tab};

/// After how long something that a page waits for is a failure: a disk that is busy with others' files has kept a stored
/// result waiting for half a minute.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn browser() -> Option<Browser> {
    if std::env::var_os("NEURONOTES_NO_BROWSER").is_some_and(|value| value == "1") {
        eprintln!("NEURONOTES_NO_BROWSER is set: nothing is tested in a browser");
        return None;
    }
    let named = std::env::var_os("CHROMIUM").map(Into::into);
    let path = named.or_else(|| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let programs = std::env::split_paths(&folders).map(|folder| folder.join("chromium"));
        programs.into_iter().find(|path: &std::path::PathBuf| path.is_file())
    });
    let path = path.expect("a browser: name one in CHROMIUM, or run `cargo xtask test`");
    let quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ];
    let options = LaunchOptions::default_builder()
        .path(Some(path))
        .sandbox(false)
        .window_size(Some((1200, 900)))
        .idle_browser_timeout(Duration::from_secs(300))
        .args(quiet.map(OsStr::new).to_vec())
        .build()
        .expect("options");
    Some(Browser::new(options).expect("Chromium starts"))
}

/// What this JavaScript expression is, as JSON.
pub fn value(tab: &Tab, expression: &str) -> serde_json::Value {
    let result = tab.evaluate(&format!("JSON.stringify({expression})"), false).expect("evaluates");
    let text = result.value.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Waits until this JavaScript expression is true.
pub fn wait(tab: &Tab, expression: &str) {
    let begun = Instant::now();
    while value(tab, &format!("Boolean({expression})")) != true {
        let state = "[document.visibilityState, document.documentElement.dataset.patched]";
        let shown =
            || [state, "document.body.innerText"].map(|shown| value(tab, shown).to_string());
        assert!(begun.elapsed() < PATIENCE, "never: {expression}\n{}", shown().join("\n"));
        std::thread::sleep(Duration::from_millis(15));
    }
}

pub fn open(browser: &Browser, url: &str) -> Arc<Tab> {
    let tab = browser.new_tab().expect("a tab");
    tab.set_default_timeout(PATIENCE);
    tab.navigate_to(url).expect("an address").wait_until_navigated().expect("a page");
    tab
}

/// Makes the window so many pixels wide.
pub fn resize(tab: &Tab, width: u32) {
    let size = serde_json::json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
    let size: SetDeviceMetricsOverride = serde_json::from_value(size).expect("metrics");
    tab.call_method(size).expect("a size");
}

/// How many pixels wider the page is than the window.
pub fn overflow(tab: &Tab) -> serde_json::Value {
    value(tab, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
}
