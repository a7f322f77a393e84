// The graph of all notes on a canvas, at the places that were computed when the site was built. The list of notes below
// it says the same to those who do not see it.
"use strict";
(async () => {
  const { load, href, make } = window.neuronotes;
  const stage = document.querySelector("[data-graph-root]");
  const data = document.currentScript?.dataset ?? document.querySelector("script[data-graph]").dataset;
  if (!stage) return;
  let graph;
  try {
    graph = await load("graph", data.graph);
  } catch {
    stage.append(make("p", { class: "graph-says" }, "The graph does not load. All notes are in the list below."));
    return;
  }
  const { links, tags } = graph;
  const nodes = graph.nodes.map(([title, path, x, y, tag]) => ({ title, path, x, y, tag, near: [] }));
  for (let i = 0; i < links.length; i += 2) {
    nodes[links[i]].near.push(links[i + 1]);
    nodes[links[i + 1]].near.push(links[i]);
  }
  for (const node of nodes) node.size = 2.2 + Math.sqrt(node.near.length) * 0.75;
  const ranked = nodes.map((_, i) => i).sort((a, b) => nodes[b].near.length - nodes[a].near.length);

  // The eight commonest tags have colours.
  const counts = tags.map((_, tag) => nodes.filter((node) => node.tag === tag).length);
  const shown = tags.map((_, tag) => tag).sort((a, b) => counts[b] - counts[a]).slice(0, 8);
  const hue = (node) => shown.indexOf(node.tag) + 1;

  // What stands around the canvas

  const canvas = make("canvas", { tabindex: "0", role: "application", "aria-label": `Map of ${nodes.length} notes. Arrows move it, plus and minus zoom. The list below has all notes.` });
  const field = make("input", { type: "search", placeholder: "Find a note", "aria-label": "Find a note in the graph", autocomplete: "off" });
  const says = make("span", { class: "graph-says", role: "status" }, `${nodes.length} notes, ${links.length / 2} links`);
  const button = (label, text, does) => {
    const one = make("button", { type: "button", "aria-label": label, title: label }, text);
    one.addEventListener("click", does);
    return one;
  };
  const legend = make("div", { class: "graph-legend", role: "group", "aria-label": "Tags" });
  shown.forEach((tag, i) => {
    const key = make("button", { type: "button", "aria-pressed": "false", class: `graph-${i + 1}` }, tags[tag]);
    key.addEventListener("click", () => {
      const on = key.getAttribute("aria-pressed") !== "true";
      for (const other of legend.children) other.setAttribute("aria-pressed", String(on && other === key));
      tagged = on ? tag : -1;
      field.value = "";
      select();
    });
    legend.append(key);
  });
  const buttons = make("div", { class: "graph-buttons" },
    button("Zoom in", "+", () => zoom(1.5)), button("Zoom out", "−", () => zoom(1 / 1.5)), button("Show all", "Reset", () => fit()));
  stage.append(make("div", { class: "graph-tools" }, field, says, buttons), canvas, legend);

  // The view: screen = place × k + (dx, dy)

  const pen = canvas.getContext("2d");
  const veil = document.createElement("canvas"); // the links, for use while the view moves
  let view = { k: 1, dx: 0, dy: 0 };
  let drawn = null; // the view that `veil` shows
  let [width, height, dense, least] = [0, 0, 1, 0.01];
  let colours = {};
  let over = -1;
  let tagged = -1;
  let matches = null;
  let [due, rest, cost] = [0, 0, 0];

  function read() {
    const style = getComputedStyle(stage);
    const value = (name) => style.getPropertyValue(name).trim();
    colours = { ink: value("--ink"), paper: value("--paper"), line: value("--graph-line"), strong: value("--accent"), font: value("--sans") };
    colours.hues = Array.from({ length: 9 }, (_, i) => value(`--graph-${i}`));
    drawn = null;
    draw();
  }

  function resize() {
    const was = width;
    [width, height, dense] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio || 1];
    for (const one of [canvas, veil]) [one.width, one.height] = [Math.round(width * dense), Math.round(height * dense)];
    drawn = null;
    if (!was) fit();
    else draw();
  }

  function fit() {
    const xs = nodes.map((node) => node.x);
    const ys = nodes.map((node) => node.y);
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    const [wide, high] = [Math.max(...xs) - left || 1, Math.max(...ys) - top || 1];
    const k = Math.min((width - 80) / wide, (height - 60) / high, 1);
    view = { k, dx: (width - wide * k) / 2 - left * k, dy: (height - high * k) / 2 - top * k };
    least = k / 2;
    draw();
  }

  function zoom(by, x = width / 2, y = height / 2) {
    const k = Math.max(least, Math.min(view.k * by, 4));
    const share = k / view.k;
    view = { k, dx: x - (x - view.dx) * share, dy: y - (y - view.dy) * share };
    draw();
    return share !== 1;
  }

  function pan(x, y) {
    view = { k: view.k, dx: view.dx + x, dy: view.dy + y };
    draw();
  }

  const draw = () => (due ||= requestAnimationFrame(paint));
  const radius = (node) => Math.max(1.2, node.size * Math.min(1.8, Math.max(0.45, Math.sqrt(view.k / least / 2))));

  function strokes(to, chosen) {
    const { k, dx, dy } = view;
    to.beginPath();
    for (let i = 0, count = 0; i < links.length; i += 2) {
      if (chosen && !chosen(links[i], links[i + 1])) continue;
      const a = nodes[links[i]];
      const b = nodes[links[i + 1]];
      const [ax, ay, bx, by] = [a.x * k + dx, a.y * k + dy, b.x * k + dx, b.y * k + dy];
      if ((ax < 0 && bx < 0) || (ay < 0 && by < 0) || (ax > width && bx > width) || (ay > height && by > height)) continue;
      to.moveTo(ax, ay);
      to.lineTo(bx, by);
      // A path of many thousand lines takes longer than many short ones.
      if (++count % 256 === 0) {
        to.stroke();
        to.beginPath();
      }
    }
    to.stroke();
  }

  // All links are drawn where that is quick, or the view rests; else their last picture, moved.
  function web() {
    const same = drawn && drawn.k === view.k && drawn.dx === view.dx && drawn.dy === view.dy;
    clearTimeout(rest);
    if (!same && (cost < 9 || !drawn || performance.now() > web.until)) {
      const start = performance.now();
      const to = veil.getContext("2d");
      to.setTransform(dense, 0, 0, dense, 0, 0);
      to.clearRect(0, 0, width, height);
      to.strokeStyle = colours.line;
      to.lineWidth = 1;
      strokes(to);
      to.getImageData(0, 0, 1, 1);
      drawn = view;
      cost = performance.now() - start;
      web.until = Infinity;
    } else if (!same) {
      rest = setTimeout(() => {
        web.until = 0;
        draw();
      }, 120);
    }
    const share = view.k / drawn.k;
    pen.drawImage(veil, view.dx - drawn.dx * share, view.dy - drawn.dy * share, width * share, height * share);
  }
  web.until = Infinity;

  function paint() {
    due = 0;
    const { k, dx, dy } = view;
    const bright = over >= 0 ? new Set([over, ...nodes[over].near]) : matches;
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.globalAlpha = bright ? 0.25 : 1;
    web();
    pen.globalAlpha = 1;
    if (over >= 0) {
      pen.strokeStyle = colours.strong;
      pen.lineWidth = 1.25;
      strokes(pen, (a, b) => a === over || b === over);
    }
    const visible = [];
    for (const i of ranked) {
      const node = nodes[i];
      [node.sx, node.sy] = [node.x * k + dx, node.y * k + dy];
      if (node.sx > -20 && node.sy > -20 && node.sx < width + 20 && node.sy < height + 20) visible.push(i);
    }
    for (const strong of bright ? [false, true] : [true]) {
      pen.globalAlpha = strong ? 1 : 0.2;
      for (let h = 0; h < 9; h++) {
        pen.fillStyle = colours.hues[h];
        pen.beginPath();
        for (const i of visible) {
          const node = nodes[i];
          if (hue(node) !== h || (bright && bright.has(i) !== strong)) continue;
          const r = radius(node) + (i === over ? 2 : 0);
          if (r < 2) pen.rect(node.sx - r, node.sy - r, 2 * r, 2 * r);
          else {
            pen.moveTo(node.sx + r, node.sy);
            pen.arc(node.sx, node.sy, r, 0, 7);
          }
        }
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
    labels(visible, bright);
  }

  // The most linked first; none over another.
  function labels(visible, bright) {
    pen.font = `12px ${colours.font}`;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.lineJoin = "round";
    pen.lineWidth = 3.5;
    pen.strokeStyle = colours.paper;
    pen.fillStyle = colours.ink;
    const taken = [];
    let left = bright ? 60 : Math.min(90, (width * height) / 9000) * Math.min(1, view.k / least / 3);
    const order = bright ? visible.filter((i) => bright.has(i)) : visible;
    for (const i of over >= 0 ? [over, ...order] : order) {
      if (left <= 0) break;
      const node = nodes[i];
      node.short ??= node.title.length > 32 ? `${node.title.slice(0, 30)}…` : node.title;
      node.wide ??= pen.measureText(node.short).width;
      const x = Math.max(node.wide / 2 + 4, Math.min(node.sx, width - node.wide / 2 - 4));
      const y = node.sy + radius(node) + 3;
      const box = [x - node.wide / 2 - 3, y - 2, x + node.wide / 2 + 3, y + 15];
      if (taken.some((o) => box[0] < o[2] && box[2] > o[0] && box[1] < o[3] && box[3] > o[1])) continue;
      taken.push(box);
      left--;
      pen.strokeText(node.short, x, y);
      pen.fillText(node.short, x, y);
    }
  }

  // Which note is at a point of the canvas: those of a square of the plane are listed together.

  const CELL = 200;
  const cells = new Map();
  const cell = (x, y) => Math.floor(x / CELL) * 1000 + Math.floor(y / CELL);
  nodes.forEach((node, i) => cells.set(cell(node.x, node.y), [...(cells.get(cell(node.x, node.y)) || []), i]));

  function at(x, y, slack) {
    const [px, py] = [(x - view.dx) / view.k, (y - view.dy) / view.k];
    const reach = (slack + 12) / view.k;
    let [best, nearest] = [-1, Infinity];
    for (let cx = px - reach; cx < px + reach + CELL; cx += CELL) {
      for (let cy = py - reach; cy < py + reach + CELL; cy += CELL) {
        for (const i of cells.get(cell(cx, cy)) || []) {
          const gap = Math.hypot(nodes[i].x - px, nodes[i].y - py) * view.k - radius(nodes[i]);
          if (gap < slack && gap < nearest) [best, nearest] = [i, gap];
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

  function visit(i, apart) {
    const address = href(nodes[i].path);
    if (apart) window.open(address, "_blank", "noopener");
    else location.href = address;
  }

  // By pointer: one moves, two zoom, one that has not moved opens.

  const down = new Map();
  let moved = 0;
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, spot(event));
    if (down.size === 1) moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = spot(event);
    const was = down.get(event.pointerId);
    if (!was) {
      hover(at(now.x, now.y, 6));
      return;
    }
    moved += Math.hypot(now.x - was.x, now.y - was.y);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (p) => Math.hypot(p.x - other.x, p.y - other.y) || 1;
      zoom(apart(now) / apart(was), (now.x + other.x) / 2, (now.y + other.y) / 2);
      pan((now.x - was.x) / 2, (now.y - was.y) / 2);
    } else if (moved > 3) pan(now.x - was.x, now.y - was.y);
    down.set(event.pointerId, now);
  });
  canvas.addEventListener("pointerup", (event) => {
    const still = down.size === 1 && down.has(event.pointerId) && moved <= 3;
    down.delete(event.pointerId);
    if (!still) return;
    const { x, y } = spot(event);
    const touch = event.pointerType === "touch";
    const i = at(x, y, touch ? 14 : 6);
    // A finger cannot hover: its first tap shows, the second opens.
    if (i >= 0 && (!touch || i === over)) visit(i, event.ctrlKey || event.metaKey);
    else hover(i);
  });
  canvas.addEventListener("pointercancel", (event) => down.delete(event.pointerId));
  canvas.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && hover(-1));
  canvas.addEventListener("wheel", (event) => {
    const { x, y } = spot(event);
    if (zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.002)), x, y)) event.preventDefault();
  }, { passive: false });

  // By keys

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    const by = { "+": 1.25, "=": 1.25, "-": 0.8 }[event.key];
    if (step) pan(...step);
    else if (by) zoom(by);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });

  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  function select() {
    const asked = fold(field.value.trim());
    const found = ranked.filter((i) => (asked ? fold(nodes[i].title).includes(asked) : nodes[i].tag === tagged));
    matches = asked || tagged >= 0 ? new Set(found) : null;
    says.textContent = matches ? `${found.length} of ${nodes.length} notes` : `${nodes.length} notes, ${links.length / 2} links`;
    draw();
    return found;
  }
  field.addEventListener("input", select);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !field.value.trim()) return;
    const found = select();
    const first = found.find((i) => fold(nodes[i].title).startsWith(fold(field.value.trim()))) ?? found[0];
    if (first !== undefined) visit(first, event.ctrlKey || event.metaKey);
  });

  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", read);
  new ResizeObserver(resize).observe(canvas);
  read();
})();
