//! How a page in the preview becomes another.

use serde_json::Value;

use crate::chromium::{browser, open, value, wait};
use crate::common::preview::Preview;
use crate::common::{Garden, results};

#[test]
fn what_is_put_above_leaves_all_below_as_it_is() {
    let Some(browser) = browser() else { return };
    let garden = Garden::new();
    let note = |above: &str, between: &str, end: &str| {
        format!(
            "# A note\n\n{above}A paragraph of some words.\n\n<details><summary>One</summary>\n\nFolded.\n\n</details>\n\n\
             {between}Another paragraph, [linked](https://example.org/).\n\n- a list\n- of things\n\n\
             ```yaml analysis\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 3\n```\n\n\
             > [!info]- A callout\n> With a text.\n\n{end}\n"
        )
    };
    garden.note("a.md", &note("", "", "The end."));
    results::fill(&garden);
    let preview = Preview::of(&garden);
    let tab = open(&browser, &format!("{}a.html", preview.url));
    wait(&tab, "document.documentElement.dataset.patched && window.neuronotes");
    tab.evaluate(
        "window.kept = [...document.querySelectorAll('article > *, article details, article a, article svg')]; \
         for (const fold of document.querySelectorAll('article details')) fold.open = true; \
         window.focused = document.querySelector('article a.external'); focused.focus(); \
         window.open_ = [...document.querySelectorAll('article details')];",
        false,
    )
    .expect("evaluates");
    let all = "[kept.filter(e => !e.isConnected).map(e => e.outerHTML), open_.every(e => e.open), document.activeElement === focused]";
    let same = serde_json::json!([[], true, true]);
    for (round, (above, between, end)) in [
        ("A new paragraph.\n\n", "", "The end."),
        ("A new paragraph.\n\n1. a numbered\n2. list\n\n", "", "The end."),
        ("", "", "The end."),
        ("<details><summary>Zero</summary>\n\nAnother fold.\n\n</details>\n\n", "- a list between\n\n", "The end."),
        ("- [ ] to do\n\n", "## A heading\n\nText.\n\n", "The end, and at once something else."),
        ("```yaml analysis\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 300\n```\n\n", "", "The end, and at once something else."),
    ]
    .into_iter()
    .enumerate()
    {
        garden.note("a.md", &note(above, between, &format!("{end} {round}")));
        wait(&tab, &format!("document.querySelector('article').textContent.includes('{end} {round}')"));
        assert_eq!(value(&tab, all), same, "round {round}");
        let zero = "[...document.querySelectorAll('article > details')].filter(e => e.open && /Zero/.test(e.textContent)).length";
        assert_eq!(value(&tab, zero), 0, "a new fold is closed");
        let twice = "(ids => ids.filter((id, at) => ids.indexOf(id) !== at))([...document.querySelectorAll('[id]')].map(e => e.id))";
        assert_eq!(value(&tab, twice), Value::Array(vec![]), "round {round}");
    }
}

/// Pages by chance, each turned into the next. Says where one is not what it is to be, how many nodes of others were kept,
/// and whether what a script has put there stays.
const CHANGES: &str = r#"
    const parse = html => new DOMParser().parseFromString(`<!doctype html><html lang="en"><head><title>t</title></head><body>${html}</body></html>`, 'text/html');
    let seed = 11;
    const chance = n => { seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff; return (seed >> 8) % n; };
    const words = 'coin bank note vault silver piggy'.split(' ');
    const word = () => words[chance(6)];
    function some(depth) {
      let html = '';
      for (let n = chance(6); n > 0; n--) {
        const kind = chance(10);
        if (kind < 2) html += '\n';
        else if (kind < 3) html += `<!--${word()}-->`;
        else if (kind < 5) html += `${word()} `;
        else if (kind < 6) html += `<svg><g data-x="${chance(3)}"></g></svg>`;
        else if (kind < 7) html += `<p>${word()} ${word()}</p>`;
        else {
          const tag = ['div', 'details', 'b', 'figure', 'section'][chance(5)];
          const id = chance(3) ? '' : ` id="i${chance(5)}"`;
          const key = chance(5) ? '' : ` data-key="k${chance(3)}"`;
          html += `<${tag}${id}${key}>${depth ? some(depth - 1) : word()}</${tag}>`;
        }
      }
      return html;
    }
    const wrong = [];
    for (let n = 0; n < 2000 && !wrong.length; n++) {
      const html = some(3);
      neuronotesMorph(parse(html));
      if (!document.body.isEqualNode(parse(html).body)) wrong.push(html);
    }
    const long = (add, change) => '<main>' + Array.from({ length: 3000 }, (_, i) => `<p>Paragraph ${i} of ${change} words</p>`).join('\n') + add + '</main>';
    neuronotesMorph(parse(long('', 'some')));
    const all = [...document.querySelectorAll('p')];
    document.querySelector('main').prepend(document.createElement('aside'));
    neuronotesMorph(parse(long('', 'some').replace('<main>', '<main><p>One more</p>')));
    neuronotesMorph(parse(long('<p>Last</p>', 'other')));
    const kept = all.filter(p => p.isConnected).length;
    const stays = document.querySelector('main > aside:first-child') !== null;
    const sections = ['a', 'b', 'c'].map(id => `<section id="${id}"><p>${id} ${id}</p></section>`);
    neuronotesMorph(parse(sections.join('')));
    const places = ['a', 'b', 'c'].map(id => document.getElementById(id));
    neuronotesMorph(parse([sections[2], sections[0], sections[1]].join('')));
    const moved = places.map(section => section.isConnected && [...document.body.children].indexOf(section));
    "#;

#[test]
fn any_page_becomes_any_other_and_keeps_what_both_have() {
    let Some(browser) = browser() else { return };
    let tab = open(&browser, "data:text/html,<!doctype html><title>t</title><p>Some text.");
    tab.evaluate(include_str!("../../src/preview/morph.js"), false).expect("evaluates");
    tab.evaluate(CHANGES, false).expect("evaluates");
    assert_eq!(value(&tab, "wrong"), Value::Array(vec![]));
    assert_eq!(value(&tab, "kept"), 3000, "paragraphs of a long page of which each is another");
    assert_eq!(value(&tab, "stays"), true, "what a script has put there");
    assert_eq!(value(&tab, "moved"), serde_json::json!([1, 2, 0]), "sections in another order");
}
