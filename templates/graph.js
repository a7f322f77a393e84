// The graph of all notes on a canvas, with the layout computed when the site was built. The list of notes below it has the
// same content for readers who cannot see it.
"use strict";
(async () => {
  const { load, href, make } = window.neuronotes;
  const stage = document.querySelector("[data-graph-root]");
  const source = document.querySelector("script[data-graph]");
  if (!stage || !source) return;
  const graph = await load("graph", source.dataset.graph).catch(() => null);
  if (!graph) return stage.append(make("p", { class: "graph-says" }, "The graph failed to load. The list below shows the same links."));

  const { links, tags } = graph;
  const nodes = graph.nodes.map(([title, path, x, y, tag]) => ({ title, path, x, y, tag, near: [] }));
  for (let i = 0; i < links.length; i += 2) {
    nodes[links[i]].near.push(links[i + 1]);
    nodes[links[i + 1]].near.push(links[i]);
  }
  const ranked = nodes.map((_, i) => i).sort((a, b) => nodes[b].near.length - nodes[a].near.length);
  // The eight commonest tags have colours.
  const uses = tags.map((_, tag) => nodes.filter((node) => node.tag === tag).length);
  const shown = [...tags.keys()].sort((a, b) => uses[b] - uses[a]).slice(0, 8);
  for (const node of nodes) node.hue = shown.indexOf(node.tag) + 1;

  // The controls around the canvas

  const label = `Map of ${nodes.length} notes. Arrow keys move it, plus and minus zoom, and two fingers do both on a touch screen. The list below shows the same links.`;
  const canvas = make("canvas", { tabindex: "0", role: "application", "aria-label": label });
  const field = make("input", { type: "search", placeholder: "Find a note", "aria-label": "Find a note in the graph", autocomplete: "off" });
  const says = make("span", { class: "graph-says", role: "status" });
  const legend = make("div", { class: "graph-legend", role: "group", "aria-label": "Tags" });
  function button(text, attributes, act) {
    const one = make("button", { type: "button", ...attributes }, text);
    one.addEventListener("click", () => act(one));
    return one;
  }
  const zooms = [["+", "Zoom in", () => zoom(1.5)], ["−", "Zoom out", () => zoom(1 / 1.5)], ["Reset", "Reset to show all", () => fit()]];
  const buttons = make("div", { class: "graph-buttons" }, ...zooms.map(([text, name, act]) => button(text, { "aria-label": name, title: name }, act)));
  shown.forEach((tag, i) => legend.append(button(tags[tag], { "aria-pressed": "false", class: `graph-${i + 1}` }, (key) => {
    tagged = tagged === tag ? -1 : tag;
    for (const one of legend.children) one.setAttribute("aria-pressed", String(one === key && tagged >= 0));
    field.value = "";
    select();
  })));
  const hint = make("p", { class: "graph-hint", "aria-hidden": "true" }, "Use two fingers to move the graph");
  const probe = make("span", { hidden: "", style: "forced-color-adjust: none" });
  stage.append(make("div", { class: "graph-tools" }, field, says, buttons), make("div", { class: "graph-sheet" }, canvas, hint, probe), legend);

  // The view: a point of the canvas is place × k + (dx, dy).

  const pen = canvas.getContext("2d");
  // All links and notes are drawn here once, to be shown moved and scaled while a large graph moves, and dimmed below a selection.
  const still = make("canvas");
  const large = nodes.length + links.length > 8000;
  let view = { k: 1, dx: 0, dy: 0 };
  let drawn = null; // the view that `still` shows
  let [width, height, dense, least] = [0, 0, 1, 0.01];
  const sans = getComputedStyle(stage).getPropertyValue("--sans");
  let palette = {};
  // The current value of a theme colour, light or dark.
  function colours(name) {
    if (!palette[name]) {
      probe.style.color = `var(--${name})`;
      palette[name] = getComputedStyle(probe).color;
    }
    return palette[name];
  }
  let over = -1;
  let tagged = -1;
  let matches = null;
  let due = 0;
  let rest = 0;
  let settled = false;

  const draw = () => (due ||= requestAnimationFrame(paint));

  function renew() {
    drawn = null;
    palette = {};
    draw();
  }

  function resize() {
    const first = !width;
    [width, height, dense] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
    for (const one of [canvas, still]) [one.width, one.height] = [width * dense, height * dense];
    if (first) fit();
    renew();
  }

  const ends = (axis) => nodes.reduce(([low, high], node) => [Math.min(low, node[axis]), Math.max(high, node[axis])], [1e4, 0]);
  const [[left, right], [top, bottom]] = [ends("x"), ends("y")];
  const between = (low, value, high) => Math.max(low, Math.min(value, high));

  // The middle of the canvas stays within the graph.
  function look(k, dx, dy) {
    view = { k, dx: between(width / 2 - right * k, dx, width / 2 - left * k), dy: between(height / 2 - bottom * k, dy, height / 2 - top * k) };
    draw();
  }

  function fit() {
    const k = Math.min((width - 80) / (right - left || 1), (height - 60) / (bottom - top || 1), 1);
    least = k / 2;
    look(k, (width - (left + right) * k) / 2, (height - (top + bottom) * k) / 2);
  }

  function zoom(by, x = width / 2, y = height / 2) {
    const k = between(least, view.k * by, Math.max(least * 6, Math.sqrt(nodes.length) / 50));
    const share = k / view.k;
    look(k, x - (x - view.dx) * share, y - (y - view.dy) * share);
    return share !== 1;
  }

  const pan = (x, y) => look(view.k, view.dx + x, view.dy + y);

  // Notes grow with the zoom, more slowly than their distances.
  const grown = () => Math.sqrt(view.k / least / 2) * Math.min(1, Math.sqrt((width * height) / nodes.length / 600));
  const radius = (node) => Math.max(1, (2.2 + Math.sqrt(node.near.length) * 0.75) * between(0.3, grown(), 1.8));
  const within = (x, y, edge) => x > -edge && y > -edge && x < width + edge && y < height + edge;

  function lines(to, only) {
    to.beginPath();
    for (let i = 0, count = 0; i < links.length; i += 2) {
      if (only !== undefined && links[i] !== only && links[i + 1] !== only) continue;
      const [a, b] = [nodes[links[i]], nodes[links[i + 1]]];
      if (Math.max(a.sx, b.sx) < 0 || Math.max(a.sy, b.sy) < 0 || Math.min(a.sx, b.sx) > width || Math.min(a.sy, b.sy) > height) continue;
      to.moveTo(a.sx, a.sy);
      to.lineTo(b.sx, b.sy);
      // Many short paths are quicker than one of many thousand lines.
      if (++count % 256) continue;
      to.stroke();
      to.beginPath();
    }
    to.stroke();
  }

  function dots(to, which) {
    for (let hue = 0; hue < 9; hue++) {
      to.fillStyle = colours(`graph-${hue}`);
      to.beginPath();
      for (const i of which) {
        const { sx, sy } = nodes[i];
        if (nodes[i].hue !== hue || !within(sx, sy, 20)) continue;
        const r = radius(nodes[i]) + 2 * (i === over);
        to.moveTo(sx + r, sy);
        to.arc(sx, sy, r, 0, 7);
      }
      to.fill();
    }
  }

  function paint() {
    due = 0;
    if (!width) return;
    for (const node of nodes) [node.sx, node.sy] = [node.x * view.k + view.dx, node.y * view.k + view.dy];
    clearTimeout(rest);
    if (drawn !== view && (!large || !drawn || settled)) {
      const to = still.getContext("2d");
      to.setTransform(dense, 0, 0, dense, 0, 0);
      to.clearRect(0, 0, width, height);
      to.strokeStyle = colours("graph-line");
      to.globalAlpha = large ? between(0.25, view.k / least / 16, 1) : 1;
      lines(to);
      to.globalAlpha = 1;
      dots(to, ranked);
      drawn = view;
    }
    settled = false;
    if (drawn !== view) rest = setTimeout(() => draw((settled = true)), 120);
    const chosen = over >= 0 ? [over, ...nodes[over].near] : matches;
    const share = view.k / drawn.k;
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.globalAlpha = chosen ? 0.25 : 1;
    pen.drawImage(still, view.dx - drawn.dx * share, view.dy - drawn.dy * share, width * share, height * share);
    pen.globalAlpha = 1;
    pen.lineWidth = 1.25;
    pen.strokeStyle = colours("accent");
    if (over >= 0) lines(pen, over);
    if (chosen) dots(pen, chosen);
    names(chosen || ranked, chosen ? 60 : Math.min(90, (width * height) / 9000) * Math.min(1, view.k / least / (large ? 8 : 2)));
  }

  // Labels of the most linked notes first, without overlaps: below the note, or else above, or else beside it.
  function names(order, most) {
    Object.assign(pen, { font: `13px ${sans}`, textAlign: "center", textBaseline: "top", lineJoin: "round", lineWidth: 3.5 });
    [pen.strokeStyle, pen.fillStyle] = [colours("paper"), colours("ink")];
    const taken = [];
    const free = (box, own) => taken.every((other) => box.x + box.half < other.x - other.half || box.x - box.half > other.x + other.half || box.y + 16 < other.y || box.y > other.y + other.high || other.of === own);
    const seen = nodes.filter((node) => within(node.sx, node.sy, 0));
    if (seen.length <= 400) for (const node of seen) {
      const r = radius(node) + 1;
      taken.push({ x: node.sx, y: node.sy - r, half: r, high: 2 * r, of: node });
    }
    let count = 0;
    for (const i of order) {
      const node = nodes[i];
      if (count >= most) break;
      if (!within(node.sx, node.sy, 0)) continue;
      node.short ??= node.title.length > 32 ? `${node.title.slice(0, 30)}…` : node.title;
      node.half ??= pen.measureText(node.short).width / 2 + 3;
      const { half } = node;
      const r = radius(node);
      const x = between(half, node.sx, width - half);
      const places = [[x, node.sy + r + 3], [x, node.sy - r - 18], [node.sx + r + half, node.sy - 8], [node.sx - r - half, node.sy - 8]];
      const box = places.map(([x, y]) => ({ x, y, half, high: 16 })).find((one) => one.x - half >= 0 && one.x + half <= width + 1 && free(one, node));
      if (!box) continue;
      count++;
      taken.push(box);
      pen.strokeText(node.short, box.x, box.y);
      pen.fillText(node.short, box.x, box.y);
    }
  }

  // The note at a point of the canvas, found through a grid.

  const SQUARE = 200;
  const squares = new Map();
  const square = (x, y) => Math.floor(x / SQUARE) * 1000 + Math.floor(y / SQUARE);
  nodes.forEach(({ x, y }, i) => squares.set(square(x, y), [...(squares.get(square(x, y)) || []), i]));

  function at({ x, y }, slack) {
    const [px, py, reach] = [(x - view.dx) / view.k, (y - view.dy) / view.k, (slack + 12) / view.k];
    let [best, nearest] = [-1, slack];
    for (let cx = px - reach; cx < px + reach + SQUARE; cx += SQUARE) {
      for (let cy = py - reach; cy < py + reach + SQUARE; cy += SQUARE) {
        for (const i of squares.get(square(cx, cy)) || []) {
          const gap = Math.hypot(nodes[i].x - px, nodes[i].y - py) * view.k - radius(nodes[i]);
          if (gap < nearest) [best, nearest] = [i, gap];
        }
      }
    }
    return best;
  }

  function hover(i) {
    if (i === over) return;
    over = i;
    canvas.classList.toggle("over", i >= 0);
    draw();
  }

  function visit(i, { ctrlKey, metaKey }) {
    if (ctrlKey || metaKey) window.open(href(nodes[i].path), "_blank", "noopener");
    else location.href = href(nodes[i].path);
  }

  // A mouse or pen moves the graph and opens notes. One finger scrolls the page: its first tap shows a note, its second opens it.

  let down = null;
  let moved = 0;
  const on = (type, act, options) => canvas.addEventListener(type, act, options);
  function spot(event) {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left - 1, y: event.clientY - box.top - 1 };
  }

  on("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    down = spot(event);
    moved = 0;
    if (event.pointerType !== "touch") canvas.setPointerCapture(event.pointerId);
  });
  on("pointermove", (event) => {
    if (!event.isPrimary) return;
    const now = spot(event);
    if (!down) return event.pointerType === "touch" || hover(at(now, 6));
    const [x, y] = [now.x - down.x, now.y - down.y];
    moved += Math.hypot(x, y);
    if (event.pointerType !== "touch" && moved > 3) pan(x, y);
    down = now;
  });
  on("pointerup", (event) => {
    const touch = event.pointerType === "touch";
    const click = event.isPrimary && down && moved <= (touch ? 10 : 3);
    down = null;
    if (!click) return;
    const i = at(spot(event), touch ? 14 : 6);
    if (i >= 0 && (!touch || i === over)) visit(i, event);
    else hover(i);
  });
  on("pointercancel", () => (down = null));
  on("pointerleave", (event) => event.pointerType !== "touch" && hover(-1));

  // Two fingers move and zoom: the place between them stays the same.
  let fingers = null;
  const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const apart = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
  function touched(event) {
    const now = event.touches.length === 2 ? [...event.touches].map(spot) : null;
    if (now && event.cancelable) event.preventDefault();
    if (now && fingers && event.type === "touchmove") {
      const [from, to] = [middle(fingers), middle(now)];
      pan(to.x - from.x, to.y - from.y);
      zoom(apart(now) / apart(fingers), to.x, to.y);
    }
    fingers = now;
    down = now ? null : down;
    hint.classList.toggle("shown", event.touches.length === 1 && event.type === "touchmove" && moved > 10);
  }
  for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"]) on(type, touched, { passive: false });

  // When zoomed out completely, the graph lets the page scroll.
  on("wheel", (event) => {
    const { x, y } = spot(event);
    if (zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.002)), x, y)) event.preventDefault();
  }, { passive: false });

  on("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    const by = { "+": 1.25, "=": 1.25, "-": 0.8 }[event.key];
    if (step) pan(...step);
    else if (by) zoom(by);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });

  const fold = (text) => text.trim().normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  function select() {
    const asked = fold(field.value);
    const found = ranked.filter((i) => (asked ? fold(nodes[i].title).includes(asked) : nodes[i].tag === tagged));
    matches = asked || tagged >= 0 ? found : null;
    says.textContent = matches ? `${found.length} of ${nodes.length} notes` : `${nodes.length} notes, ${links.length / 2} links`;
    draw();
    return found.find((i) => fold(nodes[i].title).startsWith(asked)) ?? found[0];
  }
  field.addEventListener("input", select);
  field.addEventListener("keydown", (event) => {
    const first = event.key === "Enter" && field.value.trim() ? select() : undefined;
    if (first !== undefined) visit(first, event);
  });

  // The reader chose light or dark.
  new MutationObserver(renew).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", renew);
  select();
  new ResizeObserver(resize).observe(canvas);
})();
