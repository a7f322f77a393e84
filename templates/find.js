// The search: a dialog over the page. The index comes in pieces, as scripts, and only the pieces that a question needs.
"use strict";
(() => {
  const { load, href, make } = window.neuronotes;
  const at = document.querySelector("script[data-search]")?.dataset.search ?? "search/";
  const piece = (name) => load(`search/${name}`, `${at}${name}.js`);
  const PAGES = 12;
  const SECTIONS = 3;

  // Words, as the index has them: folded, runs of letters and digits; scripts without spaces by the character.
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const single = "\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}";
  const word = new RegExp(`(?=[\\p{L}\\p{N}])[${single}]|(?:(?![${single}])[\\p{L}\\p{N}])+`, "gu");
  const cut = (token) => [...token].slice(0, 32).join("");
  const words = (text) => (fold(text).match(word) || []).map(cut);

  // Where a term is: {entries: Map(entry → weight)}; the last word of a question may go on.

  function place(list, value) {
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle] <= value) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  async function lookUp(meta, term, open) {
    const first = place(meta.terms, term);
    const last = open ? Math.min(place(meta.terms, `${term}\uffff`), first + 7) : first;
    const shards = await Promise.all(Array.from({ length: last - first + 1 }, (_, i) => piece(`t${first + i}`)));
    const found = new Map();
    for (const shard of shards) {
      const text = `\n${shard}`;
      const start = open ? `\n${term}` : `\n${term}\t`;
      for (let i = text.indexOf(start); i >= 0; i = text.indexOf(start, i + 1)) {
        const tab = text.indexOf("\t", i);
        const end = text.indexOf("\n", tab);
        const whole = tab - i - 1 === term.length ? 1 : 0.7;
        let entry = -1;
        for (const [, step, weight] of text.slice(tab + 1, end < 0 ? undefined : end).matchAll(/([0-9a-z]+)([A-Z])/g)) {
          entry += parseInt(step, 36);
          const w = weight.charCodeAt(0) - 64;
          found.set(entry, Math.max(found.get(entry) || 0, (whole * w) / (w + 2)));
        }
      }
    }
    const idf = Math.log(1 + meta.entries / (found.size || 1));
    for (const [entry, w] of found) found.set(entry, w * idf);
    return found;
  }

  async function find(question) {
    const meta = await piece("meta");
    const asked = words(question);
    const open = /[\p{L}\p{N}\p{M}]$/u.test(question);
    const terms = [...new Set(asked)];
    if (!terms.length) return null;
    const lists = await Promise.all(terms.map((term) => lookUp(meta, term, open && term === asked.at(-1))));
    if (lists.some((list) => !list.size)) return [];

    // Entries with all words first. A page that has them in several entries counts less, and is looked for only where
    // the pages of whole hits are few.
    const sums = new Map();
    for (const list of lists) for (const [entry, score] of list) {
      const sum = sums.get(entry) || [0, 0];
      sums.set(entry, [sum[0] + score, sum[1] + 1]);
    }
    const ranked = [...sums].sort((a, b) => b[1][1] - a[1][1] || b[1][0] - a[1][0]);
    const wanted = new Set();
    for (const [entry] of ranked) {
      if (wanted.size >= 2 * PAGES) break;
      wanted.add(place(meta.starts, entry));
    }
    const shards = await Promise.all([...wanted].map((i) => piece(`e${i}`)));
    const phrase = asked.join(" ");
    const pages = [];
    for (const [path, title, first, entries] of shards.flat()) {
      const hits = [];
      const seen = new Set();
      entries.forEach(([anchor, heading, text], i) => {
        const sum = sums.get(first + i);
        if (!sum) return;
        lists.forEach((list, term) => list.has(first + i) && seen.add(term));
        let score = sum[0] * (sum[1] / lists.length) ** 2;
        if (asked.length > 1 && words(`${heading || title} ${text}`).join(" ").includes(phrase)) score *= 2;
        hits.push({ anchor, heading, text, score });
      });
      if (seen.size < lists.length) continue;
      hits.sort((a, b) => b.score - a.score);
      const score = hits[0].score + 0.3 * (hits[1]?.score || 0);
      pages.push({ path, title, hits, score });
    }
    return pages.sort((a, b) => b.score - a.score).slice(0, PAGES).map((page) => ({ ...page, terms, open }));
  }

  // The text with the words marked; of a long one about 160 characters around the first.

  function marked(text, { terms, open }, length = Infinity) {
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
    const last = terms.at(-1);
    const spans = [];
    for (const { 0: token, index } of folded.matchAll(word)) {
      const whole = terms.includes(cut(token));
      if (!whole && !(open && token.startsWith(last))) continue;
      let end = origin[index + (whole ? token : last).length];
      // An accent that was folded away belongs to its letter.
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
  const list = make("div", { id: "find-list", role: "listbox", "aria-label": "What was found" });
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
      // Some browsers keep nothing for files.
    }
    return null;
  };

  const options = () => [...list.querySelectorAll("[role=option]")];
  let round = 0;

  async function renew() {
    const now = ++round;
    const question = input.value;
    store("sessionStorage", "neuronotes-find", question);
    const waiting = setTimeout(() => (says.textContent = "Looking through the notes …"), 150);
    let pages = null;
    let trouble = "";
    try {
      pages = await find(question);
    } catch {
      trouble = "A part of the index does not load. Try again.";
    }
    clearTimeout(waiting);
    if (now !== round) return;
    list.replaceChildren(...(pages || []).map(group));
    options().forEach((option, i) => (option.id = `find-${i}`));
    input.setAttribute("aria-expanded", String(Boolean(pages?.length)));
    choose(0);
    list.scrollTop = 0;
    const sections = options().length;
    if (trouble || !pages) says.textContent = trouble;
    else if (!pages.length) says.textContent = `Nothing found for “${question.trim()}”`;
    else says.textContent = `${sections} ${sections === 1 ? "place" : "places"} in ${pages.length} ${pages.length === 1 ? "page" : "pages"}`;
  }

  function group(page) {
    const top = page.hits.slice(0, SECTIONS);
    const head = top.find((hit) => !hit.anchor);
    const link = (anchor, kind, ...parts) => make("a", { role: "option", tabindex: "-1", class: kind, href: href(page.path, anchor), "aria-selected": "false" }, ...parts);
    const excerpt = (hit) => make("span", { class: "find-text" }, ...marked(hit.text, page, 160));
    const name = make("span", { class: "find-name" }, ...marked(page.title, page));
    return make("div", { role: "group", "aria-label": page.title },
      link("", "find-page", name, ...(head?.text ? [excerpt(head)] : [])),
      ...top.filter((hit) => hit !== head).map((hit) => link(hit.anchor, "find-section", make("span", { class: "find-name" }, ...marked(hit.heading || "", page)), excerpt(hit))));
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

  input.addEventListener("input", renew);
  slash.addEventListener("change", () => store("localStorage", "neuronotes-slash", slash.checked ? "on" : "off"));
  dialog.addEventListener("keydown", (event) => {
    if (event.target !== input || event.isComposing) return;
    const now = options().indexOf(chosen());
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined && !event.shiftKey) choose(to);
    else if (event.key === "Escape") dialog.close();
    else if (event.key === "Enter") follow(chosen(), event.ctrlKey || event.metaKey);
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
      if (input.value) renew();
      piece("meta").catch(() => {});
    },
  };
})();
