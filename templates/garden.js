// What a page can do beyond being read: previews of links, contents that follow the reader, pictures enlarged, code to
// copy, keys for the search. Every page works without it, and nothing is fetched: data come as scripts.
//
// The preview of `neuronotes serve` patches pages at any time, so listeners sit on the document, and what is added to the
// body is marked `data-preview` so that a patch leaves it alone.
"use strict";
(() => {
  const { root = "", page: own = "", previews = "1", find } = document.currentScript.dataset;
  const home = new URL(root || "./", document.baseURI);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const plain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

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
  const take = (name, data) => taken.set(name, data);

  function load(name, address = `${root}${name}.js`) {
    if (!loading.has(name)) {
      const coming = new Promise((resolve, reject) => {
        const script = make("script", { src: address });
        script.onload = () => resolve(taken.get(name));
        script.onerror = () => reject(new Error(`${address} does not load`));
        document.head.append(script);
        script.async = true;
      });
      coming.catch(() => loading.delete(name));
      loading.set(name, coming);
    }
    return loading.get(name);
  }

  const encoded = (path) => path.split("/").map(encodeURIComponent).join("/");
  const href = (path, anchor) => root + encoded(path) + (anchor ? `#${encodeURIComponent(anchor)}` : "");
  window.neuronotes = { take, load, href, make };

  const status = make("div", { class: "says", role: "status", "data-preview": "" });
  document.body.append(status);
  function say(text) {
    status.textContent = "";
    setTimeout(() => (status.textContent = text), 50);
  }

  // Previews of links

  const LINKS = ".note :is(a.internal, .footnote a, a.cite, a.quoted, a.unit)";
  const boxes = new Set();
  let count = 0;
  let hovered = null; // what the pointer is over
  let wanted = null; // the link whose preview is on its way
  let quiet = null; // the link whose preview was dismissed, until it is left
  let timer = 0;
  let touching = false;

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  function goalOf(link) {
    const url = new URL(link.href);
    const bare = url.href.split(/[?#]/)[0];
    if (!bare.startsWith(home.href)) return null;
    const path = decoded(bare.slice(home.href.length)).replace(/(^|\/)$/, "$1index.html");
    const anchor = decoded(url.hash.slice(1));
    // A footnote that stands in the margin needs no box.
    const margin = link.parentNode.nextElementSibling;
    if ((path === own && !anchor) || (margin?.matches(".sidenote") && margin.offsetWidth)) return null;
    return { path, anchor };
  }

  const linkAt = (target) => target?.closest?.(LINKS);
  const boxAt = (target) => [...boxes].find((box) => box.element.contains(target));

  // FNV-1a over the path's UTF-8 says in which file its previews are.
  function shard(path) {
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(path)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return hash % Number(previews);
  }

  async function contentOf({ path, anchor }, link) {
    if (path === own) return fromHere(anchor, link);
    const page = (await load(`previews/${shard(path)}`))?.[path];
    if (!page) return null;
    const key = anchor !== "title" && Object.hasOwn(page, anchor) ? anchor : "";
    const template = make("template");
    template.innerHTML = page[key] || "";
    const based = (value) => (/^([a-z][\w+.-]*:|\/)/i.test(value) ? value : (value[0] === "#" ? href(path) : root) + value);
    for (const name of ["href", "src", "srcset"]) {
      for (const element of all(`[${name}]`, template.content)) {
        const parts = element.getAttribute(name).split(name === "srcset" ? /,\s+/ : undefined);
        element.setAttribute(name, parts.map(based).join(", "));
      }
    }
    return { title: page.title, body: template.content };
  }

  // A section up to the next heading (three blocks, about 900 characters), a figure, a footnote, a reference, a block.
  function fromHere(anchor, link) {
    const goal = document.getElementById(anchor);
    if (!goal?.closest(".note, .footnotes, .references")) return null;
    const body = new DocumentFragment();
    if (/^H[1-6]$/.test(goal.tagName)) {
      let length = 0;
      for (let node = goal; node && body.childElementCount < 4 && length < 900; node = node.nextElementSibling) {
        if (node !== goal && node.matches("h1, h2, h3, h4, h5, h6, section, .note-footer")) break;
        body.append(node.cloneNode(true));
        length += node.textContent.length;
      }
    } else if (goal.matches("li, dd, td")) {
      body.append(...goal.cloneNode(true).childNodes);
    } else {
      body.append((goal.closest("figure, p, li, blockquote, pre, .table, dd") || goal).cloneNode(true));
    }
    const note = link.closest(".footnote, .cite");
    const title = note ? link.getAttribute("aria-label") || "Reference" : document.querySelector("h1")?.textContent;
    return { title, body };
  }

  function bare(body) {
    for (const part of all(".anchor, .copy-room, .sidenote, .mentions, .fold, .film-play, button, script, a[href^='#cite-']", body)) part.remove();
    for (const element of all("[id], [data-key], [data-block], [loading]", body)) {
      for (const name of ["id", "data-key", "data-block", "aria-busy", "loading"]) element.removeAttribute(name);
    }
    return body;
  }

  async function open(link, how, point) {
    const goal = goalOf(link);
    const parent = boxAt(link);
    if (!goal || parent?.depth >= 3 || [...boxes].some((box) => box.link === link)) return;
    wanted = link;
    const found = await contentOf(goal, link).catch(() => null);
    if (wanted !== link || !link.isConnected) return;
    wanted = null;
    if (!found?.body.hasChildNodes()) {
      if (how === "touch") location.href = link.href;
      return;
    }
    closeAll((box) => !above(parent).has(box));
    const id = `preview-${++count}`;
    const pin = button("Pin", { "data-act": "pin", "aria-pressed": "false" });
    const move = button("Move", { "data-act": "move", "aria-label": "Move to the other side" });
    const name = make("b", { id: `${id}-title` }, found.title || "");
    const go = make("a", { href: link.href }, "Open");
    const head = make("div", { class: "preview-head" }, name, go, move, pin, button("Close", { "data-act": "close" }));
    const body = make("div", { class: "note preview-body", id: `${id}-body`, tabindex: "0" }, bare(found.body));
    const element = make("div", { class: `preview-box by-${how}`, id, role: "dialog", "aria-labelledby": name.id, "data-preview": "" }, head, body);
    if (how === "focus") element.append(make("p", { class: "preview-keys" }, "↓ to go in, Esc to close"));
    const box = { element, link, parent, depth: (parent?.depth || 0) + 1, pinned: false, how, timer: 0 };
    document.body.append(element);
    boxes.add(box);
    link.setAttribute("aria-expanded", "true");
    link.setAttribute("aria-describedby", body.textContent.length < 300 ? body.id : name.id);

    // Below the line that is pointed at, else above it; never outside the window.
    const rects = [...link.getClientRects()];
    const line = rects.find((r) => point && point.y >= r.top - 2 && point.y <= r.bottom + 2) || rects[0] || link.getBoundingClientRect();
    const below = innerHeight - line.bottom - 14;
    const room = Math.max(below, line.top - 14);
    element.style.setProperty("--room", `${Math.max(room, 120)}px`);
    const { offsetWidth: width, offsetHeight: height } = element;
    place(box, (point ? point.x : line.left) - 32, height <= below || below >= line.top - 14 ? line.bottom + 6 : line.top - 6 - height);
    settle(300);
  }

  const above = (box) => {
    const line = new Set();
    for (; box; box = box.parent) line.add(box);
    return line;
  };

  function place(box, left, top) {
    const { element, pinned } = box;
    const width = document.documentElement.clientWidth;
    box.left = Math.max(8, Math.min(left, width - element.offsetWidth - 8));
    box.top = Math.max(8, Math.min(top, innerHeight - element.offsetHeight - 8));
    element.style.left = `${box.left + (pinned ? 0 : scrollX)}px`;
    element.style.top = `${box.top + (pinned ? 0 : scrollY)}px`;
  }

  function close(box, back) {
    if (!boxes.delete(box)) return;
    clearTimeout(box.timer);
    for (const one of [...boxes]) if (one.parent === box) close(one);
    const { element, link } = box;
    const inside = element.contains(document.activeElement);
    element.remove();
    link.removeAttribute("aria-expanded");
    link.removeAttribute("aria-describedby");
    if (back) quiet = link;
    if (back || inside) link.focus({ preventScroll: true });
  }

  function closeAll(which = () => true) {
    for (const box of [...boxes]) if (!box.pinned && which(box)) close(box);
  }

  // What is neither pointed at nor in focus closes after a while.
  function settle(delay) {
    const active = document.activeElement;
    const kept = new Set();
    for (const box of boxes) {
      const held = [hovered, active].some((at) => box.element.contains(at)) || box.link.contains(hovered);
      if (held || (box.how === "focus" && box.link === active)) for (const one of above(box)) kept.add(one);
    }
    for (const box of boxes) {
      if (box.pinned || box.how === "touch" || (kept.has(box) && box.link.isConnected)) {
        clearTimeout(box.timer);
        box.timer = 0;
      } else if (!box.timer) {
        box.timer = setTimeout(() => close(box), delay);
      }
    }
  }

  function consider(link, how, point) {
    clearTimeout(timer);
    if (link !== quiet) quiet = null;
    if (link && !quiet) timer = setTimeout(() => open(link, how, point), 150);
    else wanted = null;
  }

  function pin(box) {
    const { left, top } = box.element.getBoundingClientRect();
    box.pinned = !box.pinned;
    box.parent = null;
    box.how = "hover";
    box.element.classList.toggle("pinned", box.pinned);
    box.element.querySelector("[data-act=pin]").setAttribute("aria-pressed", box.pinned);
    place(box, left, top);
  }

  const acts = {
    pin,
    close: (box) => close(box, true),
    move: (box) => place(box, box.left * 2 < innerWidth - box.element.offsetWidth ? 1e6 : 0, box.top),
  };

  document.addEventListener("pointerover", (event) => {
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
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches(":focus-visible")) consider(linkAt(target), "focus");
    settle(300);
  });
  document.addEventListener("focusout", () => setTimeout(() => settle(300)));

  document.addEventListener("pointerdown", (event) => {
    touching = event.pointerType === "touch";
    const box = boxAt(event.target);
    if (!box) closeAll((one) => one.how === "touch" && one.link !== linkAt(event.target));
    // A pinned box is moved by its head.
    const head = event.target.closest?.(".pinned > .preview-head");
    if (!head || event.target.closest("a, button")) return;
    const [x, y] = [box.left - event.clientX, box.top - event.clientY];
    const drag = (move) => place(box, x + move.clientX, y + move.clientY);
    head.setPointerCapture(event.pointerId);
    head.addEventListener("pointermove", drag);
    head.addEventListener("lostpointercapture", () => head.removeEventListener("pointermove", drag), { once: true });
    event.preventDefault();
  });

  // Pictures enlarged

  let zoomed = null; // the pictures of the page, and which of them is shown

  function zoom(link) {
    const within = link.closest(".preview-body") || document;
    zoomed = { link, links: all("a.zoom", within) };
    let dialog = document.querySelector("dialog.zoom-dialog");
    if (!dialog) {
      const steps = [["‹", "-1", "Previous picture"], ["›", "1", "Next picture"]];
      const turns = steps.map(([text, by, label]) => button(text, { class: "zoom-step", "data-step": by, "aria-label": label }));
      const parts = [make("div", { class: "zoom-picture" }), make("div", { class: "zoom-caption", "aria-live": "polite" })];
      dialog = make("dialog", { class: "zoom-dialog", "aria-label": "Picture", "data-preview": "" }, ...parts, ...turns, button("Close", { class: "zoom-close" }));
      dialog.addEventListener("close", () => {
        zoomed.from?.focus({ preventScroll: true });
        zoomed = null;
      });
      document.body.append(dialog);
    }
    zoomed.from = link;
    closeAll((box) => !box.element.contains(link));
    show(0);
    if (!dialog.open) dialog.showModal();
    size();
  }

  function show(step) {
    const { links } = zoomed;
    const at = (links.indexOf(zoomed.link) + step + links.length) % links.length;
    const link = (zoomed.link = links[at]);
    const picture = link.querySelector("img, svg").cloneNode(true);
    if (picture.tagName === "IMG") {
      for (const name of ["srcset", "sizes", "style", "loading"]) picture.removeAttribute(name);
      picture.src = link.href;
      picture.addEventListener("load", size);
    }
    const figure = link.closest("figure");
    const parts = [link.closest("li")?.querySelector(".item-caption"), figure?.querySelector(".caption")].filter(Boolean);
    const caption = bare(make("div", {}, ...parts.map((part) => part.cloneNode(true))));
    document.querySelector(".zoom-picture").replaceChildren(picture);
    document.querySelector(".zoom-caption").replaceChildren(...caption.childNodes, make("p", { class: "zoom-count" }, `${at + 1} of ${links.length}`));
    for (const turn of all(".zoom-step")) turn.hidden = links.length < 2;
    size();
  }

  // As large as fits; a synthetic picture by a whole multiple, so that its pixels stay square.
  function size() {
    const picture = document.querySelector(".zoom-picture > *");
    if (!picture || !zoomed) return;
    const { clientWidth: width, clientHeight: height } = picture.parentNode;
    const attribute = (name) => Number(picture.getAttribute(name));
    const box = picture.viewBox?.baseVal;
    const wide = picture.naturalWidth || box?.width || attribute("width") || 1;
    const high = picture.naturalHeight || box?.height || attribute("height") || 1;
    let scale = Math.min(width / wide, height / high, box ? 9 : 4 + 8 * picture.matches(".synthetic"));
    if (picture.matches(".synthetic")) scale = Math.floor(scale * devicePixelRatio) / devicePixelRatio || scale;
    picture.style.width = `${wide * scale}px`;
    picture.style.height = `${high * scale}px`;
  }

  // Clicks

  document.addEventListener("click", async (event) => {
    const target = event.target;
    if (!target.closest || !plain(event) || event.defaultPrevented) return;
    const act = target.closest("[data-act]");
    if (act) return acts[act.dataset.act](boxAt(act));
    const step = target.closest("[data-step]");
    if (step) return show(Number(step.dataset.step));
    const dialog = target.closest(".zoom-dialog");
    if (dialog && !target.closest(".zoom-caption *")) return dialog.close();
    if (target.closest("[data-search]")) return search();
    if (target.closest("[data-copy]")) return copy(target.closest("[data-copy]"));
    const picture = target.closest("a.zoom");
    if (picture?.querySelector("img, svg")) {
      event.preventDefault();
      return zoom(picture);
    }
    const link = linkAt(target);
    const first = link && (event.pointerType || (touching && "touch")) === "touch" && wanted !== link && ![...boxes].some((box) => box.link === link);
    if (first && goalOf(link) && !(boxAt(link)?.depth >= 3)) {
      event.preventDefault();
      const rect = link.getBoundingClientRect();
      return open(link, "touch", { x: event.clientX || rect.left, y: event.clientY || rect.top });
    }
    if (!target.closest("a")) return;
    consider(null);
    closeAll();
    dialog?.close();
    hold(target.closest("a").hash);
  });

  // Keys

  const typing = (target) => target.matches?.("input, textarea, select") || target.isContentEditable;

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (document.querySelector("dialog[open]")) {
      const turn = zoomed && { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (turn) show(turn);
      return;
    }
    const bare = !event.ctrlKey && !event.metaKey && !event.altKey;
    const slash = key === "/" && bare && !typing(target) && kept("neuronotes-slash") !== "off";
    if (slash || (key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey)) {
      if (!find) return;
      event.preventDefault();
      search();
      return;
    }
    const inside = boxAt(target);
    const box = inside || [...boxes].reverse().find((one) => !one.pinned);
    if (key === "Escape") {
      consider(null);
      if (box) close(box, true);
    } else if (key === "ArrowDown" && bare && box && !inside && box.link === target) {
      event.preventDefault();
      box.element.querySelector(".preview-body").focus();
    } else if (key === "Tab" && inside && !inside.pinned) {
      // A box stands at the end of the document, but its place in the order of focus is after its link.
      const stops = all("a[href], button, summary, [tabindex='0']", inside.element).filter((stop) => stop.getClientRects().length);
      if (target !== stops.at(event.shiftKey ? 0 : -1)) return;
      if (event.shiftKey) event.preventDefault();
      quiet = inside.link;
      inside.link.focus({ preventScroll: true });
    }
  });

  function kept(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  async function search() {
    closeAll();
    try {
      await load("find", find);
      window.neuronotes.find.open();
    } catch {
      say("The search does not load.");
    }
  }

  // Code to copy

  function offer(pre) {
    if (!pre || pre.querySelector(".copy-room")) return;
    pre.prepend(make("span", { class: "copy-room" }, button("Copy", { class: "copy", "data-copy": "" })));
  }

  async function copy(offered) {
    const pre = offered.closest("pre");
    const code = pre.querySelector("code") || pre;
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

  for (const type of ["pointerover", "focusin"]) {
    document.addEventListener(type, ({ target }) => offer(target.closest?.("article.note pre")));
  }

  // Contents that follow

  let held = location.hash; // where a link has led, until the reader scrolls
  let planned = 0;
  let named = 0;
  let ready = false;
  setTimeout(() => (ready = true), 1000);

  function hold(hash) {
    if (!hash) return;
    held = hash;
    follow();
  }

  function follow() {
    planned = 0;
    const links = all(".contents a[href^='#']");
    const end = document.documentElement.scrollHeight - innerHeight - scrollY;
    // The line that a heading has to pass moves down where the page ends, so that the last sections have their turn.
    const line = Math.max(innerHeight / 3, innerHeight - end);
    let current = "";
    for (const { hash } of links) {
      const heading = document.getElementById(decoded(hash.slice(1)));
      if (heading && (hash === held || heading.getBoundingClientRect().top <= line)) current = hash;
      if (hash === held) break;
    }
    for (const link of links) {
      if (link.hash !== current) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) mark(link);
    }
    clearTimeout(named);
    if (links.length && !held) named = setTimeout(() => name(current), 400);
  }

  function mark(link) {
    link.setAttribute("aria-current", "true");
    const nav = link.closest(".contents-side");
    if (!nav || nav.scrollHeight <= nav.clientHeight) return;
    const at = link.getBoundingClientRect().top - nav.getBoundingClientRect().top;
    if (at < 60 || at > nav.clientHeight - 60) nav.scrollTop += at - nav.clientHeight / 2;
  }

  function name(hash) {
    if (!ready || hash === location.hash || !getSelection().isCollapsed) return;
    try {
      history.replaceState(history.state, "", hash || location.pathname + location.search);
    } catch {
      // A browser may refuse; the address then stays as it is.
    }
  }

  const plan = () => (planned ||= requestAnimationFrame(follow));
  const release = () => (held = "");
  addEventListener("scroll", plan, { passive: true });
  for (const type of ["wheel", "touchmove", "pointerdown"]) addEventListener(type, release, { passive: true });
  addEventListener("keydown", ({ key }) => /^(Arrow|Page|Home|End| )/.test(key) && release());
  addEventListener("hashchange", () => hold(location.hash));

  // Notes in the margin do not lie over each other, nor over wide figures.
  function margins() {
    const gap = 12;
    const wide = all(".note > :is(.width-middle, .width-page, .width-screen)").map((one) => one.getBoundingClientRect());
    let free = -Infinity;
    const moves = all(".sidenote").map((note) => {
      const { top, height } = note.getBoundingClientRect();
      let at = top - (parseFloat(note.style.marginTop) || 0);
      const from = at;
      at = Math.max(at, free);
      for (const one of wide) if (at < one.bottom + gap && at + height + gap > one.top) at = one.bottom + gap;
      if (height) free = at + height + gap;
      return [note, at - from];
    });
    for (const [note, by] of moves) note.style.marginTop = by > 0 ? `${by}px` : "";
  }

  function arrange() {
    margins();
    size();
    for (const box of boxes) if (box.pinned) place(box, box.left, box.top);
    plan();
  }

  function renew() {
    for (const pre of all("article.note pre")) offer(pre);
    arrange();
  }

  addEventListener("resize", arrange);
  document.addEventListener("toggle", arrange, true);
  // After a patch (preview only) the page is looked at again, and what other pages say may have changed.
  new MutationObserver(() => {
    loading.clear();
    renew();
  }).observe(document.documentElement, { attributeFilter: ["data-patched"] });
  renew();
})();
