// Interactive features of pages: link previews, enlarged pictures, code to copy, keys for the search. Every page works without
// it, and nothing is fetched: data are loaded as scripts. `theme.js` and `contents.js` follow in the same file.
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
  const shared = (window.neuronotes = { take: (name, data) => taken.set(name, data), load, href, make, button, all, bare, on, say, setting, decoded, patched, hit });

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
  // What the pointer is over.
  let hovered = null;
  // The link whose preview is on its way.
  let wanted = null;
  // The link whose preview was dismissed, until it is left.
  let quiet = null;
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

  function hold() {
    for (const box of boxes) if (box.pinned) place(box, box.left, box.top);
  }
  addEventListener("resize", hold);

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
    if (!shared[name]) await load(name, address).catch(() => {});
    await styled();
    return shared[name];
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
    if (!shared[name]) await load(name, address).catch(() => {});
    shared[name]?.renew();
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

  // The element that a click hits; none if a key or another listener gives the click another meaning.
  function hit({ target, button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented }, selector = "*") {
    return button || ctrlKey || metaKey || shiftKey || altKey || defaultPrevented ? null : target.closest?.(selector);
  }

  on("click", (event) => {
    const { target } = event;
    if (!hit(event)) return;
    const near = (selector) => target.closest(selector);
    const act = near("[data-act]");
    if (act) return acts[act.dataset.act](boxAt(act));
    if (near("button[data-search]")) return search();
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
  });

  on("keydown", (event) => {
    const { key, target, shiftKey, altKey } = event;
    const command = event.ctrlKey || event.metaKey;
    const bare = !command && !altKey;
    if (document.querySelector("dialog[open]")) return;
    const typing = target.isContentEditable || target.matches?.("input, textarea, select");
    const slash = key === "/" && bare && !typing && setting("slash") !== "off";
    if (find && (slash || (key.toLowerCase() === "k" && command && !shiftKey && !altKey))) {
      event.preventDefault();
      search();
      return;
    }
    const inside = boxAt(target);
    const box = inside || [...boxes].findLast((one) => !one.pinned);
    if (key === "Escape") {
      consider(quiet);
      if (box) dismiss(box);
    } else if (key === "ArrowDown" && bare && box?.link === target) {
      event.preventDefault();
      box.element.querySelector(".preview-body").focus();
    } else if (key === "Tab" && inside && !inside.pinned) {
      // A box is at the end of the document, but after its link in the focus order.
      const stops = all("a[href], button, summary, [tabindex='0']", inside.element).filter((stop) => stop.getClientRects().length);
      if (target !== stops.at(shiftKey ? 0 : -1)) return;
      if (shiftKey) event.preventDefault();
      quiet = inside.link;
      quiet.focus({ preventScroll: true });
    }
  });

  function setting(name) {
    try {
      return localStorage.getItem(`neuronotes-${name}`);
    } catch {
      // Some browsers store nothing for files.
      return null;
    }
  }

  // Acts now, and after each patch of a preview.
  function patched(act) {
    new MutationObserver(act).observe(document.documentElement, { attributeFilter: ["data-patched"] });
    act();
  }

  patched(() => {
    // Other pages' previews may have changed. Scripts are not run twice.
    for (const name of loading.keys()) if (name !== "find") loading.delete(name);
    all("article.note pre:has(code)").forEach(offer);
    hold();
    figures("map", "[data-map-data]");
    figures("figure", "[data-bipartite], .data table");
  });
})();
