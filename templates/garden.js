// Interactive features of pages: link previews, contents that follow scrolling, enlarged pictures, code to copy, keys for
// the search. Every page works without it, and nothing is fetched: data are loaded as scripts.
//
// The preview of `neuronotes serve` may patch the page at any time. So listeners are on the document, elements are looked up when
// needed, and elements added to the body are marked `data-preview`, which patches leave alone.
"use strict";
(() => {
  const { root = "", page: own = "", previews = 1, find, zoom: zooming, boxes: sheet } = document.currentScript.dataset;
  const home = new URL(root || "./", document.baseURI).href;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const on = (types, act, options) => types.split(" ").forEach((type) => document.addEventListener(type, act, options));

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  const button = (text, attributes) => make("button", { type: "button", ...attributes }, text);

  // Data

  const taken = new Map();
  const loading = new Map();

  function load(name, address = `${root}${name}.js`) {
    if (!loading.has(name)) {
      const coming = new Promise((resolve, reject) => {
        const script = make("script", { src: address });
        script.onload = () => {
          script.remove();
          resolve(taken.get(name));
        };
        script.onerror = () => {
          script.remove();
          reject(new Error(`${address} does not load`));
        };
        document.head.append(script);
      });
      coming.catch(() => loading.delete(name));
      loading.set(name, coming);
    }
    return loading.get(name);
  }

  const href = (path, anchor) => root + path.split("/").map(encodeURIComponent).join("/") + (anchor ? `#${encodeURIComponent(anchor)}` : "");
  window.neuronotes = { take: (name, data) => taken.set(name, data), load, href, make, button, all, bare };

  // The style sheet of boxes and dialogs, loaded with the first of them.
  let looks;
  const styled = () => (looks ||= new Promise((resolve) => {
    const link = make("link", { rel: "stylesheet", href: sheet, "data-preview": "" });
    link.onload = link.onerror = resolve;
    document.head.append(link);
  }));

  const status = make("div", { class: "says", role: "status", "data-preview": "" });
  document.body.append(status);
  function say(text) {
    status.textContent = "";
    setTimeout(() => (status.textContent = text), 50);
  }

  // What a preview shows

  const LINKS = ".note :is(a.internal, .footnote a, a.cite, a.quoted, a.unit)";
  const linkAt = (target) => target?.closest?.(LINKS);

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  function goalOf(link) {
    const [address] = link.href.split(/[?#]/);
    if (!address.startsWith(home)) return null;
    const path = decoded(address.slice(home.length)).replace(/(^|\/)$/, "$1index.html");
    const anchor = decoded(link.hash.slice(1));
    // Links to the page itself and footnotes in the margin need no box.
    const margin = link.parentNode.nextElementSibling;
    if ((path === own && !anchor) || (margin?.matches(".sidenote") && margin.offsetWidth)) return null;
    return { path, anchor };
  }

  // FNV-1a over the path's UTF-8 selects the file with a page's previews.
  function shard(path) {
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(path)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return hash % previews;
  }

  async function contentOf({ path, anchor }, link) {
    if (path === own) return fromHere(anchor, link);
    const page = (await load(`previews/${shard(path)}`))?.[path];
    if (!page) return null;
    const { content } = Object.assign(document.createElement("template"), {
      innerHTML: (anchor !== "title" && Object.hasOwn(page, anchor) && page[anchor]) || page[""] || "",
    });
    const based = (value) => (/^([a-z][\w+.-]*:|\/)/i.test(value) ? value : (value[0] === "#" ? href(path) : root) + value);
    for (const name of ["href", "src", "srcset"]) {
      for (const element of all(`[${name}]`, content)) {
        const parts = name === "srcset" ? element.srcset.split(/,\s+/) : [element.getAttribute(name)];
        element.setAttribute(name, parts.map(based).join(", "));
      }
    }
    return { title: page.title, body: content };
  }

  // A section up to the next heading (three blocks, about 900 characters), a footnote, a reference, a figure, a block.
  function fromHere(anchor, link) {
    const goal = document.getElementById(anchor);
    if (!goal?.closest(".note, .footnotes, .references")) return null;
    const body = new DocumentFragment();
    if (/^H[1-6]$/.test(goal.tagName)) {
      for (let node = goal, length = 0; node && body.childElementCount < 4 && length < 900; node = node.nextElementSibling) {
        if (node !== goal && node.matches("h1, h2, h3, h4, h5, h6, section, .note-footer")) break;
        body.append(node.cloneNode(true));
        length += node.textContent.length;
      }
    } else if (goal.matches("li, dd, td")) body.append(...goal.cloneNode(true).childNodes);
    else body.append((goal.closest("figure, p, li, blockquote, pre, .table, dd") || goal).cloneNode(true));
    const label = link.closest(".footnote, .cite") && (link.getAttribute("aria-label") || "Reference");
    return { title: label || document.querySelector("h1")?.textContent, body };
  }

  function bare(body) {
    for (const part of all(".anchor, .copy-room, .bipartite-tools, .sidenote, .mentions, .fold, .film-play, button, script, a[href^='#cite-']", body)) part.remove();
    for (const element of all("*", body)) for (const name of ["id", "data-key", "data-block", "aria-busy", "loading"]) element.removeAttribute(name);
    return body;
  }

  // Boxes with previews: {element, link, parent, depth, how: hover | focus | touch, pinned, timer, left, top}

  const boxes = new Set();
  const boxAt = (target) => [...boxes].find((box) => box.element.contains(target));
  const boxOf = (link) => [...boxes].find((box) => box.link === link);
  let count = 0;
  let hovered = null; // what the pointer is over
  let wanted = null; // the link whose preview is on its way
  let quiet = null; // the link whose preview was dismissed, until it is left
  let timer = 0;
  let touching = false;

  function above(box) {
    const line = new Set();
    for (; box; box = box.parent) line.add(box);
    return line;
  }

  async function open(link, how, point) {
    const goal = goalOf(link);
    const parent = boxAt(link);
    if (!goal || parent?.depth >= 3 || boxOf(link)) return;
    wanted = link;
    const [found] = await Promise.all([contentOf(goal, link).catch(() => null), styled()]);
    if (wanted !== link || !link.isConnected) return;
    wanted = null;
    if (!found?.body.hasChildNodes()) {
      if (how === "touch") location.href = link.href;
      return;
    }
    const kept = above(parent);
    closeAll((box) => !kept.has(box));
    const id = `preview-${++count}`;
    const name = make("b", { id: `${id}-title` }, found.title || "");
    const move = button("Move", { "data-act": "move", "aria-label": "Move to the other side" });
    const pin = button("Pin", { "data-act": "pin", "aria-pressed": "false" });
    const head = make("div", { class: "preview-head" }, name, make("a", { href: link.href }, "Open"), move, pin, button("Close", { "data-act": "close" }));
    const body = make("div", { class: "note preview-body", id: `${id}-body`, tabindex: "0" }, bare(found.body));
    const element = make("div", { class: "preview-box", id, role: "dialog", "aria-labelledby": name.id, "data-preview": "" }, head, body);
    if (how === "focus") element.append(make("p", { class: "preview-keys" }, "↓ to go in, Esc to close"));
    const box = { element, link, parent, how, depth: (parent?.depth || 0) + 1 };
    boxes.add(box);
    document.body.append(element);
    link.setAttribute("aria-expanded", "true");
    link.setAttribute("aria-describedby", body.textContent.length < 300 ? body.id : name.id);

    // Below the line of the pointer, or else above it.
    const rects = [...link.getClientRects()];
    const line = rects.find((rect) => point?.y >= rect.top - 2 && point.y <= rect.bottom + 2) || rects[0];
    const [up, down] = [line.top - 14, innerHeight - line.bottom - 14];
    element.style.setProperty("--room", `${Math.max(up, down, 120)}px`);
    const height = element.offsetHeight;
    place(box, (point?.x ?? line.left) - 32, height <= down || down >= up ? line.bottom + 6 : line.top - 6 - height);
    settle(300);
  }

  // Always inside the window. A pinned box stays in place, others scroll with the page.
  function place(box, left, top) {
    const { element, pinned } = box;
    box.left = Math.max(8, Math.min(left, document.documentElement.clientWidth - element.offsetWidth - 8));
    box.top = Math.max(8, Math.min(top, innerHeight - element.offsetHeight - 8));
    element.style.left = `${box.left + (pinned ? 0 : scrollX)}px`;
    element.style.top = `${box.top + (pinned ? 0 : scrollY)}px`;
  }

  function close(box) {
    if (!boxes.delete(box)) return;
    const { element, link } = box;
    clearTimeout(box.timer);
    closeAll((one) => one.parent === box);
    if (element.contains(document.activeElement)) {
      quiet = link;
      link.focus({ preventScroll: true });
    }
    element.remove();
    link.removeAttribute("aria-expanded");
    link.removeAttribute("aria-describedby");
  }

  function closeAll(which = () => true) {
    for (const box of [...boxes]) if (!box.pinned && which(box)) close(box);
  }

  function dismiss(box) {
    quiet = box.link;
    close(box);
  }

  // A box without pointer or focus closes after a while.
  function settle(delay) {
    const active = document.activeElement;
    const kept = new Set();
    for (const box of boxes) {
      const { element, link, how } = box;
      const held = element.contains(hovered) || element.contains(active) || link.contains(hovered) || (how === "focus" && link === active);
      if (box.pinned || how === "touch" || (held && link.isConnected)) for (const one of above(box)) kept.add(one);
    }
    for (const box of boxes) {
      if (kept.has(box)) box.timer = clearTimeout(box.timer);
      else box.timer ||= setTimeout(close, delay, box);
    }
  }

  function consider(link, how, point) {
    clearTimeout(timer);
    wanted = null;
    if (link !== quiet) quiet = null;
    if (link && !quiet) timer = setTimeout(open, 150, link, how, point);
  }

  const acts = {
    close: dismiss,
    move: (box) => place(box, box.left * 2 < innerWidth - box.element.offsetWidth ? innerWidth : 0, box.top),
    pin(box) {
      const { left, top } = box.element.getBoundingClientRect();
      Object.assign(box, { pinned: !box.pinned, parent: null, how: "hover" });
      box.element.classList.toggle("pinned", box.pinned);
      box.element.querySelector("[data-act=pin]").setAttribute("aria-pressed", box.pinned);
      place(box, left, top);
    },
  };

  on("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const from = hovered;
    hovered = event.target;
    const link = linkAt(hovered);
    if (link !== linkAt(from)) consider(link, "hover", { x: event.clientX, y: event.clientY });
    settle(boxAt(from) ? 500 : 300);
  });
  document.documentElement.addEventListener("pointerleave", () => {
    hovered = null;
    consider(null);
    settle(300);
  });
  on("focusin", ({ target }) => {
    if (target.matches(":focus-visible")) consider(linkAt(target), "focus");
    settle(300);
  });
  on("focusout", () => setTimeout(settle, 0, 300));

  on("pointerdown", (event) => {
    const { target, pointerId, clientX, clientY } = event;
    touching = event.pointerType === "touch";
    const box = boxAt(target);
    if (!box) closeAll((one) => one.how === "touch" && one.link !== linkAt(target));
    // A pinned box is moved by its head.
    const head = target.closest?.(".pinned > .preview-head");
    if (!head || target.closest("a, button")) return;
    const [x, y] = [box.left - clientX, box.top - clientY];
    head.setPointerCapture(pointerId);
    head.onpointermove = (move) => place(box, x + move.clientX, y + move.clientY);
    head.onlostpointercapture = () => (head.onpointermove = null);
    event.preventDefault();
  });

  // Enlarged pictures and the search: each has a script of its own, loaded once.

  async function start(name, address, from = null) {
    closeAll(({ element }) => !element.contains(from));
    if (!window.neuronotes[name]) await load(name, address).catch(() => {});
    await styled();
    return window.neuronotes[name];
  }

  async function zoom(link) {
    const box = await start("zoom", zooming, link);
    if (box) box.open(link);
    else location.href = link.href;
  }

  async function search() {
    const box = await start("find", find);
    if (box) box.open();
    else say("The search failed to load.");
  }

  // Some figures have a script of their own, on pages that have one. A patch may bring the first, or change it.
  async function figures(name, which) {
    const address = document.querySelector("link[data-map]")?.dataset[name];
    if (!address || !document.querySelector(which)) return;
    if (!window.neuronotes[name]) await load(name, address).catch(() => {});
    window.neuronotes[name]?.renew();
  }

  // Code to copy

  function offer(pre) {
    if (!pre || pre.querySelector(".copy-room")) return;
    pre.prepend(make("span", { class: "copy-room" }, button("Copy", { class: "copy" })));
  }

  async function copy(offered) {
    const code = offered.closest("pre").querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    offered.textContent = "Copied";
    say("Copied");
    setTimeout(() => (offered.textContent = "Copy"), 2000);
  }

  on("pointerover focusin", ({ target }) => offer(target.closest?.("article.note pre:has(code)")));

  // Clicks and keys

  on("click", (event) => {
    const { target, button: which, ctrlKey, metaKey, shiftKey, altKey } = event;
    if (which || ctrlKey || metaKey || shiftKey || altKey || event.defaultPrevented || !target.closest) return;
    const near = (selector) => target.closest(selector);
    const act = near("[data-act]");
    if (act) return acts[act.dataset.act](boxAt(act));
    if (near("button[data-search]")) return search();
    if (near("button[data-theme-choice]")) return choose();
    if (near(".copy")) return copy(near(".copy"));
    // With the keyboard, the link itself is clicked.
    if (zooming && near("a.zoom")?.querySelector("img, svg")) {
      event.preventDefault();
      return zoom(near("a.zoom"));
    }
    const link = linkAt(target);
    const touch = event.pointerType ? event.pointerType === "touch" : touching && event.detail;
    // Fingers cannot hover: the first tap shows the preview, the second follows the link.
    if (link && touch && wanted !== link && !boxOf(link) && goalOf(link) && !(boxAt(link)?.depth >= 3)) {
      event.preventDefault();
      return open(link, "touch", { x: event.clientX, y: event.clientY });
    }
    if (!near("a")) return;
    consider(null);
    closeAll();
    hold(near("a").hash);
  });

  on("keydown", (event) => {
    const { key, target } = event;
    const bare = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (document.querySelector("dialog[open]")) return;
    const typing = target.isContentEditable || target.matches?.("input, textarea, select");
    const slash = key === "/" && bare && !typing && setting("slash") !== "off";
    if (find && (slash || (key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey))) {
      event.preventDefault();
      search();
      return;
    }
    const inside = boxAt(target);
    const box = inside || [...boxes].reverse().find((one) => !one.pinned);
    if (key === "Escape") {
      consider(quiet);
      if (box) dismiss(box);
    } else if (key === "ArrowDown" && bare && box?.link === target) {
      event.preventDefault();
      box.element.querySelector(".preview-body").focus();
    } else if (key === "Tab" && inside && !inside.pinned) {
      // A box is at the end of the document, but after its link in the focus order.
      const stops = all("a[href], button, summary, [tabindex='0']", inside.element).filter((stop) => stop.getClientRects().length);
      if (target !== stops.at(event.shiftKey ? 0 : -1)) return;
      if (event.shiftKey) event.preventDefault();
      quiet = inside.link;
      quiet.focus({ preventScroll: true });
    }
  });

  function setting(name) {
    try {
      return localStorage.getItem(`neuronotes-${name}`);
    } catch {
      return null; // Some browsers store nothing for files.
    }
  }

  function set(name, value) {
    try {
      if (value) localStorage.setItem(`neuronotes-${name}`, value);
      else localStorage.removeItem(`neuronotes-${name}`);
    } catch {
      // Then it applies to this page only.
    }
  }

  // Light, dark, or the system's theme: an attribute that a script in the page's head sets before anything is drawn.

  const THEMES = ["", "light", "dark"];

  function dress(theme) {
    const data = document.documentElement.dataset;
    if (THEMES.indexOf(theme) > 0) data.theme = theme;
    else delete data.theme;
    const name = `Theme: ${data.theme || "system"}`;
    for (const one of all("button[data-theme-choice]")) {
      one.title = name;
      one.setAttribute("aria-label", name);
    }
    return name;
  }

  function choose() {
    const now = document.documentElement.dataset.theme || "";
    const next = THEMES[(THEMES.indexOf(now) + 1) % 3];
    set("theme", next);
    say(dress(next));
  }

  addEventListener("storage", ({ key, newValue }) => key === "neuronotes-theme" && dress(newValue));
  addEventListener("pageshow", ({ persisted }) => persisted && dress(setting("theme")));

  // Contents that follow

  let held = location.hash; // where a link has led, until the reader scrolls
  let planned = 0;
  let naming = 0;
  let ready = false;
  setTimeout(() => (ready = true), 1000);

  function hold(hash) {
    if (!hash) return;
    held = hash;
    plan();
  }

  function follow() {
    planned = 0;
    // The line that a heading must pass moves down at the end of the page, so that the last sections are marked too.
    const left = document.documentElement.scrollHeight - innerHeight - scrollY;
    const line = Math.max(innerHeight / 3, innerHeight - left);
    const links = all(".contents a[href^='#']");
    let current = "";
    for (const { hash } of links) {
      const heading = document.getElementById(decoded(hash.slice(1)));
      if (hash === held || heading?.getBoundingClientRect().top <= line) current = hash;
      if (hash === held) break;
    }
    for (const link of links) {
      if (link.hash !== current) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) mark(link);
    }
    clearTimeout(naming);
    if (links.length && !held) naming = setTimeout(name, 400, current);
  }

  function mark(link) {
    link.setAttribute("aria-current", "true");
    const nav = link.closest(".contents-side");
    if (!nav) return;
    const at = link.getBoundingClientRect().top - nav.getBoundingClientRect().top;
    if (at < 60 || at > nav.clientHeight - 60) nav.scrollTop += at - nav.clientHeight / 2;
  }

  function name(hash) {
    if (!ready || hash === location.hash || !getSelection().isCollapsed) return;
    try {
      history.replaceState(history.state, "", hash || location.pathname + location.search);
    } catch {
      // A browser may refuse; the address then stays unchanged.
    }
  }

  const plan = () => (planned ||= requestAnimationFrame(follow));
  on("scroll", plan, { passive: true });
  on("wheel touchmove pointerdown", () => (held = ""), { passive: true });
  on("keydown", ({ key }) => /^(Arrow|Page|Home|End| )/.test(key) && (held = ""));
  addEventListener("hashchange", () => hold(location.hash));

  // Notes in the margin must not overlap each other or wide figures.
  function margins() {
    const wide = all(".note > :is(.width-middle, .width-page, .width-screen)").map((one) => one.getBoundingClientRect());
    let free = -Infinity;
    const moves = all(".sidenote").map((note) => {
      const { top, height } = note.getBoundingClientRect();
      const natural = top - (parseFloat(note.style.marginTop) || 0);
      let at = Math.max(natural, free);
      for (const one of wide) if (at < one.bottom + 12 && at + height + 12 > one.top) at = one.bottom + 12;
      if (height) free = at + height + 12;
      return [note, at - natural];
    });
    for (const [note, by] of moves) note.style.marginTop = by > 0 ? `${by}px` : "";
  }

  function arrange() {
    margins();
    for (const box of boxes) if (box.pinned) place(box, box.left, box.top);
    plan();
  }

  function renew() {
    all("article.note pre:has(code)").forEach(offer);
    dress(document.documentElement.dataset.theme);
    figures("map", "[data-map-data]");
    arrange();
    figures("figure", "[data-bipartite], .data table");
  }

  addEventListener("resize", arrange);
  on("toggle", arrange, true);
  // After a patch (preview only) the page is examined again, and other pages' previews may have changed.
  new MutationObserver(() => {
    // Scripts are not run twice.
    for (const name of loading.keys()) if (name !== "find") loading.delete(name);
    renew();
  }).observe(document.documentElement, { attributeFilter: ["data-patched"] });
  renew();
})();
