//! What every page of a site does in a browser, wherever the site is: one list, for the published site and for the preview.
//!
//! Each check starts at a page as it is opened. Where pages are patched, `change` makes a patch arrive in the middle of it:
//! what works before must work after, and nothing may be there twice.

use headless_chrome::Tab;
use headless_chrome::browser::tab::ModifierKey;
use headless_chrome::browser::tab::point::Point;
use serde_json::Value;

use super::chromium::{resize, value, wait};

/// The notes that the checks look at, and the paths of their pages.
pub const NOTES: [(&str, &str); 3] = [
    ("index.md", "# A garden to be checked\n\nIt begins with [[Figures of it]].\n"),
    (
        "deep/figures.md",
        "---\ntitle: Figures of it\n---\nAs [[A plain text]] says.\n\n<details id=\"mine\"><summary>A fold</summary>\n\nWhat is folded.\n\n</details>\n\n\
         ```yaml analysis\nid: film\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\nframes: 5\n```\n\n\
         ```yaml analysis\nid: histogram\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 3\n```\n\n\
         ```python\nprint(\"to be copied\")\n```\n",
    ),
    ("text.md", ""),
];

/// A long text with sections; `more` stands above them.
pub fn text(more: &str) -> String {
    let section = |n: usize| {
        format!(
            "## Section {n}\n\n{}See [[Figures of it#film]].\n\n",
            "Words follow words. ".repeat(60)
        )
    };
    let sections: String = (1..8).map(section).collect();
    format!("---\ntitle: A plain text\n---\nIt says zebra.\n\n{more}\n\n{sections}")
}

/// Where the site is, and how a page of it is changed.
pub struct Site<'a> {
    /// The address of its folder, with a slash at the end.
    pub base: String,
    /// Changes the page that is open, and what it links to; none where pages stay as they are.
    pub change: Option<&'a dyn Fn(&Tab)>,
}

impl Site<'_> {
    fn go(&self, tab: &Tab, page: &str) {
        let address = format!("{}{page}", self.base);
        tab.navigate_to(&address).expect("an address").wait_until_navigated().expect("a page");
        if self.change.is_some() {
            // From here on the page hears of every change.
            wait(tab, "document.documentElement.dataset.patched");
        }
        wait(tab, "window.neuronotes");
    }

    fn change(&self, tab: &Tab) -> bool {
        if let Some(change) = self.change {
            change(tab);
        }
        self.change.is_some()
    }
}

/// A check and its name.
pub type Check = (&'static str, fn(&Tab, &Site<'_>));

/// All of them.
pub const CHECKS: [Check; 9] = [
    ("search", search),
    ("previews of links", previews),
    ("folds", folds),
    ("pictures enlarged", zoom),
    ("contents that follow", contents),
    ("films", films),
    ("code to copy", copies),
    ("the graph", graph),
    ("tables sorted", tables),
];

/// Runs all of them, and looks after each whether something is there twice.
pub fn all(tab: &Tab, site: &Site<'_>) {
    resize(tab, 1400);
    for (name, check) in CHECKS {
        println!("{name} at {}", site.base);
        check(tab, site);
        doubled(tab, name);
    }
}

/// Does something as the page is opened, and once more after a patch.
fn twice(tab: &Tab, site: &Site<'_>, act: impl Fn(&Tab)) {
    act(tab);
    if site.change(tab) {
        act(tab);
    }
}

fn search(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "deep/figures.html");
    let dialog = "document.querySelector('.find-dialog[open]')";
    twice(tab, site, |tab| {
        tab.press_key_with_modifiers("k", Some(&[ModifierKey::Ctrl])).expect("a key");
        wait(tab, dialog);
        tab.type_str("zebra").expect("a word");
        wait(tab, &format!("{dialog}.querySelector('[role=option][href$=\"text.html\"]')"));
        tab.press_key("Escape").expect("a key");
        wait(tab, &format!("!{dialog}"));
        value(
            tab,
            "sessionStorage.removeItem('neuronotes-find'), document.querySelector('.find-dialog input').value = ''",
        );
    });
    assert_eq!(value(tab, "document.querySelectorAll('.find-dialog').length"), 1);
    // Open while a patch comes, it stays open, with what was found.
    tab.press_key_with_modifiers("k", Some(&[ModifierKey::Ctrl])).expect("a key");
    tab.type_str("zebra").expect("a word");
    wait(tab, &format!("{dialog}?.querySelector('[role=option]')"));
    site.change(tab);
    wait(tab, &format!("{dialog}?.querySelector('[role=option]')"));
    tab.press_key("Enter").expect("a key");
    wait(tab, "location.pathname.endsWith('/text.html')");
}

fn previews(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "deep/figures.html");
    let link = "document.querySelector('article a.internal[href*=\"text.html\"]')";
    let boxes = "document.querySelectorAll('.preview-box').length";
    twice(tab, site, |tab| {
        wait(tab, link);
        point(tab, link);
        wait(tab, "document.querySelector('.preview-box')?.textContent.includes('zebra')");
        assert_eq!(value(tab, boxes), 1);
        tab.move_mouse_to_point(Point { x: 5.0, y: 890.0 }).expect("away");
        wait(tab, &format!("{boxes} === 0"));
    });
    // Open while a patch comes, it stays.
    point(tab, link);
    wait(tab, &format!("{boxes} === 1"));
    site.change(tab);
    assert_eq!(value(tab, boxes), 1);
}

fn folds(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "deep/figures.html");
    let fold = "document.querySelector('#film .provenance')";
    press(tab, &format!("{fold}.querySelector('summary')"));
    press(tab, "document.querySelector('#mine summary')");
    let open = format!("{fold}.open && document.querySelector('#mine').open");
    wait(tab, &open);
    site.change(tab);
    assert_eq!(value(tab, &open), true, "folds stay open");
    press(tab, "document.querySelector('#mine summary')");
    wait(tab, &format!("{fold}.open && !document.querySelector('#mine').open"));
    site.change(tab);
    assert_eq!(value(tab, "document.querySelector('#mine').open"), false, "and closed");
}

fn zoom(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "deep/figures.html");
    let dialog = "document.querySelector('.zoom-dialog[open]')";
    twice(tab, site, |tab| {
        press(tab, "document.querySelector('#film a.zoom')");
        wait(tab, &format!("{dialog}?.querySelector('.zoom-picture img')?.naturalWidth > 0"));
        tab.press_key("Escape").expect("a key");
        wait(tab, &format!("!{dialog}"));
    });
    press(tab, "document.querySelector('#film a.zoom')");
    wait(tab, dialog);
    site.change(tab);
    assert_eq!(value(tab, &format!("{dialog} !== null")), true, "a patch closes nothing");
    assert_eq!(value(tab, "document.querySelectorAll('.zoom-dialog').length"), 1);
}

fn contents(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "text.html");
    let current = "document.querySelector('.contents-side [aria-current]')?.hash";
    twice(tab, site, |tab| {
        for section in [3, 5, 2] {
            let to = format!(
                "document.querySelector('#section-{section}').scrollIntoView({{ behavior: 'instant' }})"
            );
            value(tab, &format!("({to}, dispatchEvent(new Event('wheel')), true)"));
            wait(tab, &format!("{current} === '#section-{section}'"));
        }
    });
}

fn films(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "deep/figures.html");
    let film = "document.querySelector('#film .film-play')";
    let plays = format!("{film}.open && {film}.querySelector('img').naturalWidth > 0");
    press(tab, &format!("{film}.querySelector('summary')"));
    wait(tab, &plays);
    if site.change(tab) {
        assert_eq!(value(tab, &plays), true, "it plays on");
        press(tab, &format!("{film}.querySelector('summary')"));
        wait(tab, &format!("!{film}.open"));
        press(tab, &format!("{film}.querySelector('summary')"));
        wait(tab, &plays);
    }
}

fn copies(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "deep/figures.html");
    let buttons = "document.querySelectorAll('pre:has(.language-python) .copy').length";
    twice(tab, site, |tab| {
        wait(tab, &format!("{buttons} === 1"));
        press(tab, "document.querySelector('pre:has(.language-python) .copy')");
        wait(tab, "document.querySelector('.says').textContent === 'Copied'");
        value(tab, "(document.querySelector('.says').textContent = '', true)");
    });
}

fn graph(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "graph.html");
    let drawn = "document.querySelectorAll('[data-graph-root] canvas').length === 1";
    wait(tab, drawn);
    // Another title is a change of this page too.
    site.change(tab);
    wait(tab, drawn);
}

fn tables(tab: &Tab, site: &Site<'_>) {
    site.go(tab, "deep/figures.html");
    let data = "document.querySelector('#histogram .data')";
    press(tab, &format!("{data}.querySelector('summary')"));
    let heading = format!("{data}.querySelector('th:last-child .sort')");
    let sorted = |way: &str, sign: &str| {
        format!(
            "{heading}.closest('th').ariaSort === '{way}' && \
             (c => c.length > 1 && c.every((n, i) => !i || {sign} * (n - c[i - 1]) >= 0))\
             ([...{data}.querySelectorAll('tbody tr')].map(r => parseFloat(r.lastElementChild.textContent.replace(',', ''))))"
        )
    };
    // Numbers begin with the greatest.
    wait(tab, &heading);
    press(tab, &heading);
    wait(tab, &sorted("descending", "-1"));
    if site.change(tab) {
        assert_eq!(value(tab, &sorted("descending", "-1")), true, "a patch leaves it as it is");
    }
    press(tab, &heading);
    wait(tab, &sorted("ascending", "1"));
    assert_eq!(value(tab, &format!("{data}.querySelectorAll('th:last-child .sort').length")), 1);
}

/// Nothing is there twice that must be there once, and nothing was refused.
fn doubled(tab: &Tab, name: &str) {
    let twice = value(
        tab,
        "(() => { const all = selector => [...document.querySelectorAll(selector)]; \
           const twice = list => list.filter((one, at) => list.indexOf(one) !== at); \
           return [ \
             twice(all('[id]').map(e => e.id)), \
             twice(all('script[src]').map(e => e.src)), \
             twice(all('link[rel=stylesheet]').map(e => e.href)), \
             all('pre').filter(e => e.querySelectorAll('.copy').length > 1).map(e => e.outerHTML), \
             twice(all('body > [class], body > [id]').map(e => e.id || e.className)), \
           ].flat(); })()",
    );
    assert_eq!(twice, Value::Array(vec![]), "{name}: there twice");
    let refused = value(
        tab,
        "performance.getEntriesByType('resource').filter(e => e.responseStatus >= 400).map(e => e.name)",
    );
    assert_eq!(refused, Value::Array(vec![]), "{name}: refused");
}

/// The middle of what is seen of an element, in the window.
fn middle(tab: &Tab, element: &str) -> Point {
    wait(tab, element);
    let at = value(
        tab,
        &format!(
            "(e => {{ e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); const box = e.getClientRects()[0]; \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})({element})"
        ),
    );
    let at = |axis: usize| at[axis].as_f64().unwrap_or_else(|| panic!("{element}: {at}"));
    Point { x: at(0), y: at(1) }
}

fn point(tab: &Tab, element: &str) {
    let at = middle(tab, element);
    // From elsewhere, so that it comes to be over it.
    tab.move_mouse_to_point(Point { x: at.x, y: at.y + 60.0 }).expect("near");
    tab.move_mouse_to_point(at).expect("over it");
}

fn press(tab: &Tab, element: &str) {
    let at = middle(tab, element);
    tab.click_point(at).expect("a click");
}
