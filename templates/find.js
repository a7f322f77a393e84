// The search: a dialog over the page. The index is loaded in pieces, as scripts, and only as far as a query needs.
"use strict";
(() => {
  const { load, href, make } = window.neuronotes;
  const at = document.querySelector("script[data-search]")?.dataset.search ?? "search/";
  const piece = (name) => load(`search/${name}`, `${at}${name}.js`);
  const PAGES = 12;
  const SECTIONS = 3;

  // Terms as in the index: folded runs of letters and digits; single characters in scripts without spaces.
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const single = "\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}";
  const word = new RegExp(`(?=[\\p{L}\\p{N}])[${single}]|(?:(?![${single}])[\\p{L}\\p{N}])+`, "gu");
  const cut = (token) => [...token].slice(0, 32).join("");
  const words = (text) => (fold(text).match(word) || []).map(cut);

  // British and American spellings: the second group is what varies, in two forms.

  const ENDS = "(?=s?$)";
  const RE = "(cent|theat|met|lit|fib|calib|spect|somb|lust|sab|meag|och)";
  const VARIES = [
    ["(arm|ard|behavi|cand|clam|col|endeav|fav|flav|harb|hon|hum|lab|neighb|od|parl|ranc|rig|rum|sav|splend|tum|val|vap|vig)(our|or)", "our", "or"],
    [`${RE}(re|er)${ENDS}`, "re", "er"], [`${RE}(red|ered)$`, "red", "ered"], [`${RE}(ring|ering)$`, "ring", "ering"],
    ["(..i|ly)([sz])(?=(?:e|ed|er|es|ers|ing|able|ation|ations|ational)$)", "s", "z"],
    [`((?:anal|catal|dial|epil|homol|monol|prol)og)(ue|)${ENDS}`, "ue", ""],
    ["([aeiou].*[^aeiou][aeiou])(ll|l)(?=(?:ed|ing|er|ers|or|ors|ous|ation|ations)$)", "ll", "l"],
    ["^(disti|enro|fulfi|insta|insti|ski|wi)(ll|l)(?=$|s$|ment|ful)", "ll", "l"],
    ["(def|lic|off|pret)(ence|ense)", "ence", "ense"], ["(practi)([cs])(?=e|i)", "c", "s"],
  ].map(([pattern, ...ways]) => [new RegExp(pattern), ways]);
  const PAIRS = "acknowledgement acknowledgment,aeroplane airplane,aesthet esthet,ageing aging,aluminium aluminum,anaem anem,anaesth anesth,archaeo archeo,artefact artifact,burnt burned,cheque check,cosy cozy,cypher cipher,diarrhoea diarrhea,disc disk,doughnut donut,draught draft,encyclopaed encycloped,faec fec,foetal fetal,foetus fetus,gramme gram,grey gray,haemo hemo,jewellery jewelry,judgement judgment,kerb curb,learnt learned,leukaem leukem,manoeuvr maneuver,maths math,mediaeval medieval,mould mold,moustache mustache,oestro estro,paediatr pediatr,palaeo paleo,plough plow,programme program,pyjama pajama,sceptic skeptic,smoulder smolder,spelt spelled,storey story,sulphur sulfur,towards toward,tyre tire".split(",").map((pair) => pair.split(" "));

  // The word and its other spellings: `colourise` has four.
  function spellings(term) {
    const all = new Set([term]);
    for (const one of all) {
      for (const [pattern, ways] of VARIES) all.add(one.replace(pattern, (_, stem, way) => stem + ways[Number(way === ways[0])]));
      for (const pair of PAIRS) {
        const which = pair.findIndex((start) => one.startsWith(start));
        if (which >= 0) all.add(pair[1 - which] + one.slice(pair[which].length));
      }
      if (all.size > 7) break;
    }
    return [...all];
  }

  // Whether two words differ by one inserted, deleted, replaced or two swapped letters.
  function isSlip(a, b) {
    if (a.length > b.length) [a, b] = [b, a];
    let i = 0;
    while (i < a.length && a[i] === b[i]) i++;
    if (a.length < b.length) return a.slice(i) === b.slice(i + 1);
    return a.slice(i + 1) === b.slice(i + 1) || (a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2));
  }

  async function slips(meta, term) {
    const { length } = [...term];
    if (length < 4 || !/^\p{L}+$/u.test(term)) return [];
    const lists = [length - 1, length, length + 1].filter((one) => meta.words.includes(one));
    return (await Promise.all(lists.map((one) => piece(`w${one}`)))).flatMap((list) => {
      let last = "";
      const all = list.split("\n").slice(0, -1).map((line) => (last = last.slice(0, parseInt(line[0], 36)) + line.slice(1)));
      return all.filter((one) => isSlip(term, one));
    });
  }

  // The entries of a term: entry → score. The last word of a query may be incomplete.

  function place(list, value) {
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle] <= value) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  async function lookUp(meta, term, open, worth = 1) {
    const first = place(meta.terms, term);
    const last = open ? Math.min(place(meta.terms, `${term}\uffff`), first + 7) : first;
    const shards = await Promise.all(Array.from({ length: last - first + 1 }, (_, i) => piece(`t${first + i}`)));
    // The word itself, and words that begin with it.
    const found = [new Map(), new Map()];
    for (const shard of shards) {
      const text = `\n${shard}`;
      const start = open ? `\n${term}` : `\n${term}\t`;
      for (let i = text.indexOf(start); i >= 0; i = text.indexOf(start, i + 1)) {
        const tab = text.indexOf("\t", i);
        const end = text.indexOf("\n", tab);
        const into = found[Number(tab - i - 1 > term.length)];
        let entry = -1;
        for (const [, step, weight] of text.slice(tab + 1, end < 0 ? undefined : end).matchAll(/([0-9a-z]+)([A-Z])/g)) {
          entry += parseInt(step, 36);
          const w = weight.charCodeAt(0) - 64;
          // From 20 on, the term is a name of the entry.
          into.set(entry, Math.max(into.get(entry) || 0, w < 20 ? w / (w + 2) : 3));
        }
      }
    }
    const scores = new Map();
    [worth, worth * 0.4].forEach((part, i) => {
      const rare = Math.log(1 + meta.entries / (found[i].size || 1));
      for (const [entry, w] of found[i]) scores.set(entry, Math.max(scores.get(entry) || 0, part * rare * w));
    });
    return scores;
  }

  // A word of the query as typed, or else corrected: {list: entry → score, words: to highlight, meant}.
  async function sought(meta, term, open) {
    let ways = spellings(term);
    const look = async (worth, open) => {
      const lists = await Promise.all(ways.map((way, i) => lookUp(meta, way, open, i ? worth * 0.9 : worth)));
      const list = new Map();
      for (const one of lists) for (const [entry, score] of one) list.set(entry, Math.max(list.get(entry) || 0, score));
      return list;
    };
    let list = await look(1, open);
    let meant = false;
    if (!list.size) {
      // The first eight digits of a figure's key are indexed.
      const key = /^[0-9a-f]{9,}$/.test(term) && /\d/.test(term) && term.slice(0, 8);
      ways = key ? [key] : await slips(meta, term);
      list = await look(0.5, false);
      meant = Boolean(list.size && !key);
    }
    return { term, list, words: ways, open, meant };
  }

  // A tag as written, with everything after the sign, or else its words.
  async function soughtTag(meta, text) {
    const list = await lookUp(meta, cut(fold(text).trim().replace(/\s+/g, " ")), true);
    return list.size ? [{ term: text, list, words: words(text), open: true, meant: false }] : null;
  }

  async function find(question) {
    const meta = await piece("meta");
    const asked = words(question);
    const open = /[\p{L}\p{N}\p{M}]$/u.test(question);
    const terms = [...new Set(asked)];
    const tag = question.trim().startsWith("#") && (await soughtTag(meta, question));
    if (!terms.length && !tag) return null;
    const all = tag || (await Promise.all(terms.map((term) => sought(meta, term, open && term === asked.at(-1)))));
    const lists = all.map(({ list }) => list);

    // Parts of the index in which one entry has many of the words come first, then those with many of the words in any entry.
    const sums = new Map();
    const parts = new Map();
    lists.forEach((list, term) => {
      for (const [entry, score] of list) {
        const sum = sums.get(entry) || [0, 0];
        sums.set(entry, [sum[0] + score, sum[1] + 1]);
        const at = place(meta.starts, entry);
        const part = parts.get(at) || { terms: new Set(), most: 0, best: 0 };
        part.terms.add(term);
        parts.set(at, part);
      }
    });
    for (const [entry, [score, count]] of sums) {
      const part = parts.get(place(meta.starts, entry));
      [part.most, part.best] = [Math.max(part.most, count), Math.max(part.best, score)];
    }
    const order = [...parts].sort(([, a], [, b]) => b.most - a.most || b.terms.size - a.terms.size || b.best - a.best);
    const shards = await Promise.all(order.slice(0, 2 * PAGES).map(([at]) => piece(`e${at}`)));
    const phrase = ` ${asked.join(" ")}`;
    const pages = [];
    for (const [path, title, first, entries] of shards.flat()) {
      const hits = [];
      const seen = new Set();
      entries.forEach(([anchor, heading, text], i) => {
        const sum = sums.get(first + i);
        if (!sum) return;
        lists.forEach((list, term) => list.has(first + i) && seen.add(term));
        const name = ` ${words(heading || title).join(" ")} `;
        let score = sum[0] * (sum[1] / lists.length) ** 2;
        if (name === `${phrase} `) score *= 3;
        else if (asked.length > 1) {
          const whole = `${name}${words(text).join(" ")} `;
          if (whole.includes(`${phrase} `)) score *= 2;
          else if (open && whole.includes(phrase)) score *= 1.4;
        }
        hits.push({ anchor, heading, text, score });
      });
      if (!hits.length) continue;
      hits.sort((a, b) => b.score - a.score);
      const score = hits[0].score + 0.3 * (hits[1]?.score || 0);
      const missing = all.filter((_, term) => !seen.has(term)).map(({ term }) => term);
      pages.push({ path, title, hits, score, missing });
    }
    // Pages with all words come before those with some.
    pages.sort((a, b) => a.missing.length - b.missing.length || b.score - a.score);
    const whole = new Set(all.flatMap(({ words }) => words));
    const starts = all.filter(({ open }) => open).flatMap(({ words }) => words);
    return { pages: pages.slice(0, PAGES), marks: { whole, starts }, meant: all.filter(({ meant }) => meant) };
  }

  // The text with the words highlighted; about 160 characters around the first if it is long.

  function marked(text, { whole, starts }, length = Infinity) {
    let folded = "";
    const origin = [];
    let i = 0;
    for (const character of text) {
      const part = fold(character);
      for (let n = 0; n < part.length; n++) origin.push(i);
      folded += part;
      i += character.length;
    }
    origin.push(text.length);
    const spans = [];
    for (const { 0: token, index } of folded.matchAll(word)) {
      const part = whole.has(cut(token)) ? token : starts.find((start) => token.startsWith(start));
      if (!part) continue;
      let end = origin[index + part.length];
      // A folded accent belongs to its letter.
      while (end < text.length && /\p{M}/u.test(text[end])) end++;
      spans.push([origin[index], end]);
    }
    let from = 0;
    if (text.length > length) from = Math.max(0, Math.min((spans[0]?.[0] || 0) - 60, text.length - length));
    if (from > 0) from = text.indexOf(" ", from - 1) + 1 || from;
    if (from > (spans[0]?.[0] ?? Infinity)) [[from]] = spans;
    let to = Math.min(text.length, from + length);
    if (to < text.length && text.lastIndexOf(" ", to) > to - 20) to = text.lastIndexOf(" ", to);
    const parts = [from > 0 ? "…" : ""];
    for (const [start, end] of spans) {
      if (start < from || end > to) continue;
      parts.push(text.slice(from, start), make("mark", {}, text.slice(start, end)));
      from = end;
    }
    parts.push(text.slice(from, to), to < text.length ? "…" : "");
    return parts;
  }

  // The dialog

  const HIDDEN = { "data-preview": "" };
  const input = make("input", {
    type: "search", role: "combobox", placeholder: "Search", autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "go",
    "aria-label": "Search", "aria-expanded": "false", "aria-controls": "find-list", "aria-autocomplete": "list",
  });
  const list = make("div", { id: "find-list", role: "listbox", "aria-label": "Search results" });
  const says = make("p", { class: "find-says", role: "status" });
  const slash = make("input", { type: "checkbox" });
  const keys = make("p", { class: "find-keys" }, make("span", {}, "↑ ↓ to choose, Enter to open"), make("label", {}, slash, " The key ", make("kbd", {}, "/"), " opens the search"));
  const shut = make("button", { type: "button", class: "find-close" }, "Close");
  const dialog = make("dialog", { class: "find-dialog", "aria-label": "Search", ...HIDDEN }, make("div", { class: "find-head" }, input, shut), says, list, keys);
  document.body.append(dialog);

  const store = (area, name, value) => {
    try {
      if (value === undefined) return window[area].getItem(name);
      window[area].setItem(name, value);
    } catch {
      // Some browsers store nothing for files.
    }
    return null;
  };

  const options = () => [...list.querySelectorAll("[role=option]")];
  let round = 0;
  let latest = Promise.resolve();
  const quoted = (words) => words.map((one) => `“${one}”`).join(", ");

  async function renew() {
    const now = ++round;
    const question = input.value;
    store("sessionStorage", "neuronotes-find", question);
    const waiting = setTimeout(() => (says.textContent = "Searching …"), 150);
    let found = null;
    let trouble = "";
    try {
      found = await find(question);
    } catch {
      trouble = "A part of the search index failed to load. Try again.";
    }
    clearTimeout(waiting);
    if (now !== round) return;
    const pages = found?.pages || [];
    list.replaceChildren(...pages.map((page) => group(page, found.marks)));
    options().forEach((option, i) => (option.id = `find-${i}`));
    input.setAttribute("aria-expanded", String(pages.length > 0));
    choose(0);
    list.scrollTop = 0;
    const sections = options().length;
    if (trouble || !found) says.textContent = trouble;
    else if (!pages.length) says.textContent = `Nothing found for “${question.trim()}”`;
    else {
      const slip = ({ term, words }) => `No match for “${term}”; showing results for ${quoted(words)}. `;
      says.textContent = `${found.meant.map(slip).join("")}${sections} ${sections === 1 ? "place" : "places"} in ${pages.length} ${pages.length === 1 ? "page" : "pages"}`;
    }
  }

  // The first result of a page leads to its top, or to the best section if the top has none of the words.
  function group(page, marks) {
    const top = page.hits.filter(({ score }) => score > page.hits[0].score / 5).slice(0, SECTIONS);
    const head = top.find((hit) => !hit.anchor) || top[0];
    const link = (anchor, kind, ...parts) => make("a", { role: "option", tabindex: "-1", class: kind, href: href(page.path, anchor), "aria-selected": "false" }, ...parts);
    const excerpt = (hit) => make("span", { class: "find-text", dir: "auto" }, ...marked(hit.text, marks, 160));
    const name = (text) => make("span", { class: "find-name", dir: "auto" }, ...marked(text, marks));
    const first = [name(page.title)];
    if (head.anchor) first.push(make("span", { class: "find-place", dir: "auto" }, ...marked(head.heading || "", marks)));
    if (head.text) first.push(excerpt(head));
    if (page.missing.length) first.push(make("span", { class: "find-text" }, `Missing: ${quoted(page.missing)}`));
    return make("div", { role: "group", "aria-label": page.title },
      link(head.anchor, "find-page", ...first),
      ...top.filter((hit) => hit !== head).map((hit) => link(hit.anchor, "find-section", name(hit.heading || ""), excerpt(hit))));
  }

  const chosen = () => list.querySelector("[aria-selected=true]");

  function choose(index) {
    const all = options();
    chosen()?.setAttribute("aria-selected", "false");
    const option = all.at(index % (all.length || 1));
    if (!option) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function follow(option, apart) {
    if (!option) return;
    if (apart) window.open(option.href, "_blank", "noopener");
    else {
      dialog.close();
      location.href = option.href;
    }
  }

  input.addEventListener("input", () => (latest = renew()));
  slash.addEventListener("change", () => store("localStorage", "neuronotes-slash", slash.checked ? "on" : "off"));
  dialog.addEventListener("keydown", (event) => {
    if (event.target !== input || event.isComposing) return;
    const now = options().indexOf(chosen());
    // Home and End move within the text.
    const to = { ArrowDown: now + 1, ArrowUp: now - 1 }[event.key];
    if (to !== undefined && !event.shiftKey) choose(to);
    else if (event.key === "Escape") dialog.close();
    else if (event.key === "Enter") latest.then(() => follow(chosen(), event.ctrlKey || event.metaKey));
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      follow(option);
    } else if (event.target === dialog || event.target === shut) dialog.close();
  });

  window.neuronotes.find = {
    open() {
      if (dialog.open) return;
      slash.checked = store("localStorage", "neuronotes-slash") !== "off";
      input.value ||= store("sessionStorage", "neuronotes-find") || "";
      dialog.showModal();
      input.focus();
      input.select();
      if (input.value) latest = renew();
      piece("meta").catch(() => {});
    },
  };
})();
