//! The search in a page.

use crate::chromium::{browser, open, wait};
use crate::common::{Garden, results};
use crate::tab::click;

/// What a reader may be looking for, and what is to be found first.
#[test]
fn the_search_has_what_was_meant_first() {
    let Some(browser) = browser() else { return };
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}bibliography: refs.bib\n"));
    garden.write("refs.bib", "@article{olah2017feature, title={Feature Visualization}, author={Olah, Chris}, journal={Distill}, year={2017}}\n");
    let block = |unit: u32, more: &str| {
        format!(
            "```yaml analysis\nid: u{unit}\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: {unit}\n{more}```\n\n"
        )
    };
    let many: String =
        (0..3).map(|n| format!("## Unit 71 again {n}\n\nUnit 71, unit 71.\n\n")).collect();
    let units = "units:\n  - { layer: image_block_4/0/Add_6, unit: 71, name: lamps }\n";
    garden.note(
        "lamps.md",
        &format!("---\ntitle: Lamps\n{units}tags: [light, \"C++\"]\n---\nUnit 71 answers to lamps.\n\n{many}{}{}", block(7, ""), block(71, "caption: A chandelier.\n")),
    );
    garden.note("organise.md", "---\ntags: [lighting]\n---\nA grey harbour, organised at the centre, as @olah2017feature says.\n");
    garden.note("words.md", "---\ntitle: Words in pictures\n---\nA marmalade sandwich.\n\n```yaml analysis\nid: ranked\nkind: text_rank\ndirection: { text: a coin }\ntexts: [red, green]\n```\n");
    garden.note("two.md", "A marmalade jar.\n");
    assert!(results::fill(&garden) > 0);
    garden.built();
    let lamps = garden.page("lamps.html");
    let key = lamps.split("id=\"u71\"").nth(1).and_then(|rest| rest.split("data-key=\"").nth(1));
    let key = &key.expect("a figure")[..64];
    let tab = open(&browser, &format!("file://{}", garden.path("output/words.html").display()));
    click(&tab, "button[data-search]");
    wait(&tab, "document.querySelector('.find-dialog')?.open");
    let ask = |question: &str| {
        let question = serde_json::Value::from(question);
        let put = format!(
            "(i => {{ i.value = {question}; i.dispatchEvent(new Event('input', {{ bubbles: true }})) }})(document.querySelector('.find-dialog input'))"
        );
        tab.evaluate(&put, false).expect("evaluates");
    };
    let unit = |unit: u32| format!("units/emoji/image_block_4-0-add_6/{unit}.html");
    for (question, first) in [
        ("71", unit(71).as_str()),
        ("unit 7", &unit(7)),
        ("unit 71", &unit(71)),
        (&key[..8], "lamps.html#u71"),
        (&key[..20], "lamps.html#u71"),
        (key, "lamps.html#u71"),
        ("#light", "tags/light.html"),
        ("#lightin", "tags/lighting.html"),
        ("chandeleir", "lamps.html#u71"),
        ("hcandelier", "lamps.html#u71"),
        ("harbor", "organise.html"),
        ("gray", "organise.html"),
        ("organized", "organise.html"),
        ("center", "organise.html"),
        ("Olah 2017", "organise.html#ref-olah2017feature"),
        ("olah2017feature", "organise.html#ref-olah2017feature"),
        ("green", "words.html#ranked"),
        ("marmalade sandwich zebra", "words.html"),
        ("marmalade jar", "two.html"),
    ] {
        ask(question);
        let found = format!(
            "document.querySelector('#find-list [role=option]')?.getAttribute('href') === {first:?}"
        );
        wait(&tab, &found);
    }
    ask("#C++");
    wait(&tab, "document.querySelector('#find-list [role=option]')?.innerText.startsWith('#C++')");
    // A number that is slightly another is another, and what is nowhere is not found.
    for question in ["9071", "xylophone"] {
        ask(question);
        wait(&tab, "document.querySelector('.find-says').textContent.startsWith('Nothing found')");
    }
    ask("marmalade sandwich zebra");
    wait(&tab, "document.querySelector('#find-list').innerText.includes('Missing: “zebra”')");
    ask("chandeleir");
    wait(
        &tab,
        "document.querySelector('.find-says').textContent.includes('results for “chandelier”')",
    );
    // Home and End move the cursor, and the choice stays.
    ask("marmalade");
    wait(&tab, "document.querySelectorAll('#find-list [role=option]').length === 2");
    tab.evaluate("document.querySelector('.find-dialog input').focus()", false).expect("evaluates");
    tab.press_key("ArrowDown").expect("a key");
    for (key, at) in [("Home", 0), ("End", 9)] {
        tab.press_key(key).expect("a key");
        wait(
            &tab,
            &format!("document.querySelector('.find-dialog input').selectionStart === {at}"),
        );
        wait(
            &tab,
            "document.querySelectorAll('#find-list [role=option]')[1].getAttribute('aria-selected') === 'true'",
        );
    }
}
