// Maps of units on a canvas: zoom, find, filter by colour, and walk from unit to unit by the keyboard. Loaded on pages that have
// a map. The drawing without scripts stays in the page, hidden, for the preview to patch.
"use strict";
(() => {
  const { all, button, make } = window.neuronotes;
  const shown = new WeakMap(); // the data that each map shows
  const between = (low, value, high) => Math.max(low, Math.min(value, high));
  const fold = (text) => text.trim().normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  function start() {
    for (const map of all("[data-map]")) {
      const data = map.querySelector("[data-map-data]");
      if (!data || map.closest(".stale") || shown.get(map) === data) continue;
      shown.set(map, data);
      map.querySelector(".map-live")?.remove();
      run(map, JSON.parse(data.content.textContent), data.dataset);
    }
  }

  function run(map, { noun, size, units, says, x, y, group, tile, order, rulers }, { sheet: address, tile: pixels, side }) {
    const across = Math.floor(side / pixels);
    const links = new Map(all("[data-unit]", map).map((link) => [Number(link.dataset.unit), link]));
    const hues = all("[data-group]", map).map((entry) => Number(entry.className.match(/hue-(\d+)/)?.[1] || 0));
    const nameOf = (i) => {
      const name = links.get(units[i])?.dataset.name;
      return `${noun[0].toUpperCase()}${noun.slice(1)} ${units[i]}${name ? ` · ${name}` : ""}`;
    };
    const folded = units.map((unit, i) => fold(`${nameOf(i)} ${says[i]}`));

    // The controls around the canvas

    const counted = `${units.length} ${noun}s`;
    const label = `Map of ${counted}. Arrow keys go from a ${noun} to the next one in that direction, Enter opens its page if it has one, plus and minus zoom. The table below has the same data.`;
    const canvas = make("canvas", { tabindex: "0", role: "application", "aria-label": label });
    const field = make("input", { type: "search", placeholder: `Find a ${noun}`, "aria-label": `Find ${noun}s by number, label or image`, autocomplete: "off" });
    const count = make("span", { class: "map-count", role: "status" });
    const act = (text, name, run) => {
      const one = button(text, { "aria-label": name, title: name });
      one.addEventListener("click", run);
      return one;
    };
    const buttons = make("div", { class: "map-buttons" }, act("+", "Zoom in", () => zoom(1.5)), act("−", "Zoom out", () => zoom(1 / 1.5)), act("Reset", "Reset to show all", () => fit()));
    const hint = make("p", { class: "map-hint", "aria-hidden": "true" }, "Use two fingers to move the map");
    const picture = make("span", { class: "map-picture", "aria-hidden": "true" });
    const words = make("p", { role: "status" });
    const panel = make("div", { class: "map-says" }, picture, words);
    const legend = make("div", { class: "map-legend", role: "group", "aria-label": map.querySelector(".map-key").textContent });
    all("[data-group]", map).forEach((entry, at) => {
      const one = button("", { class: entry.className, "aria-pressed": "false" });
      one.append(...entry.cloneNode(true).childNodes);
      one.addEventListener("click", () => {
        only = only === at ? -1 : at;
        [...legend.children].forEach((other, i) => other.setAttribute("aria-pressed", String(i === only)));
        select();
      });
      legend.append(one);
    });
    const probe = make("span", { hidden: "", style: "forced-color-adjust: none" });
    const tools = make("div", { class: "map-tools" }, field, count, buttons);
    map.prepend(make("div", { class: "map-live", "data-preview": "" }, tools, make("div", { class: "map-sheet" }, canvas, hint, probe), panel, legend));
    map.classList.add("live");

    // The view: a point of the canvas is place × k + (dx, dy).

    const pen = canvas.getContext("2d");
    const sheet = new Image();
    sheet.onload = () => draw();
    sheet.src = address;
    picture.style.backgroundImage = `url("${sheet.src}")`;
    let view = { k: 1, dx: 0, dy: 0 };
    let [width, height, dense, least] = [0, 0, 1, 1];
    let [over, chosen, only, due] = [-1, -1, -1, 0];
    let matches = null; // which units are asked for
    let palette = {};
    let roomy = { k: 0, of: undefined, list: [], has: [] };

    function colour(name) {
      if (!palette[name]) {
        probe.style.color = `var(--${name})`;
        palette[name] = getComputedStyle(probe).color;
      }
      return palette[name];
    }
    const hue = (i) => colour(`hue-${hues[group[i]]}`);
    const draw = () => (due ||= requestAnimationFrame(paint));
    function renew() {
      palette = {};
      draw();
    }

    function look(k, dx, dy) {
      const [w, h] = [size[0] * k, size[1] * k];
      view = { k, dx: between(width / 2 - w, dx, width / 2), dy: between(height / 2 - h, dy, height / 2) };
      draw();
    }
    function fit() {
      least = Math.min(width / size[0], height / size[1]);
      look(least, (width - size[0] * least) / 2, (height - size[1] * least) / 2);
    }
    function zoom(by, px = width / 2, py = height / 2) {
      const k = between(least, view.k * by, least * 24);
      const share = k / view.k;
      look(k, px - (px - view.dx) * share, py - (py - view.dy) * share);
      return share !== 1;
    }
    function resize() {
      const [before, first] = [width, !width];
      [width, height, dense] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
      [canvas.width, canvas.height] = [width * dense, height * dense];
      if (first || before !== width) fit();
      draw();
    }

    // Pictures grow with the zoom, more slowly than the distances between them.
    const tileSide = () => between(18, 24 * Math.sqrt(view.k / least) * Math.min(1, least), Number(pixels) * 1.2);
    const at = (i) => [x[i] * view.k + view.dx, y[i] * view.k + view.dy];

    // The units whose pictures have room at this zoom, wherever the view is, so that none comes or goes while the map is moved.
    function room() {
      if (roomy.k === view.k && roomy.of === matches) return roomy;
      const cell = (tileSide() + 2) / view.k;
      const taken = new Map();
      const has = new Array(units.length).fill(false);
      const key = (cx, cy) => cx * 65536 + cy;
      for (const i of order) {
        if (matches && !matches[i]) continue;
        const [cx, cy] = [Math.floor(x[i] / cell), Math.floor(y[i] / cell)];
        let free = true;
        for (let dx = -1; dx < 2 && free; dx++) {
          for (let dy = -1; dy < 2 && free; dy++) {
            const other = taken.get(key(cx + dx, cy + dy));
            free = other === undefined || Math.abs(x[other] - x[i]) >= cell || Math.abs(y[other] - y[i]) >= cell;
          }
        }
        if (free) taken.set(key(cx, cy), i);
        has[i] = free;
      }
      return (roomy = { k: view.k, of: matches, has });
    }

    function stamp(i, sideways) {
      const [px, py] = at(i);
      const half = sideways / 2;
      if (px < -half || py < -half || px > width + half || py > height + half) return;
      const from = [(tile[i] % across) * pixels, Math.floor(tile[i] / across) * pixels];
      if (sheet.complete && sheet.naturalWidth) pen.drawImage(sheet, ...from, pixels, pixels, px - half, py - half, sideways, sideways);
      pen.strokeStyle = hue(i);
      pen.strokeRect(px - half, py - half, sideways, sideways);
    }

    // The numbers of both axes, which stay at the edges while the plot is moved.
    function rule() {
      pen.font = `11px ${getComputedStyle(canvas).fontFamily}`;
      pen.lineWidth = 1;
      pen.textBaseline = "middle";
      const say = (text, px, py, align) => {
        pen.textAlign = align;
        pen.strokeStyle = colour("paper");
        pen.lineWidth = 3;
        pen.strokeText(text, px, py);
        pen.fillText(text, px, py);
        pen.lineWidth = 1;
      };
      pen.fillStyle = colour("soft");
      rulers.forEach(({ label, ticks }, up) => {
        for (const [place, text] of ticks) {
          const at = up ? place * view.k + view.dy : place * view.k + view.dx;
          pen.strokeStyle = colour("rule");
          pen.beginPath();
          if (up) pen.moveTo(0, at), pen.lineTo(width, at);
          else pen.moveTo(at, 0), pen.lineTo(at, height);
          pen.stroke();
          if (up && at > 8 && at < height - 34) say(text, 20, at - 7, "left");
          else if (!up && at > 24 && at < width - 8) say(text, at, height - 24, "center");
        }
        if (!up) return say(label, width / 2, height - 9, "center");
        pen.save();
        pen.translate(9, height / 2);
        pen.rotate(-Math.PI / 2);
        say(label, 0, 0, "center");
        pen.restore();
      });
    }

    function paint() {
      due = 0;
      if (!width) return;
      const { has } = room();
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      pen.clearRect(0, 0, width, height);
      const dots = between(2, 2.2 * Math.sqrt(view.k / least), 5);
      for (const wanted of [false, true]) {
        if (!matches && !wanted) continue;
        pen.globalAlpha = wanted ? 1 : 0.18;
        hues.forEach((_, which) => {
          pen.beginPath();
          let any = -1;
          for (let i = 0; i < units.length; i++) {
            if (group[i] !== which || has[i] || (matches ? matches[i] : true) !== wanted) continue;
            const [px, py] = at(i);
            if (px < -9 || py < -9 || px > width + 9 || py > height + 9) continue;
            any = i;
            pen.moveTo(px + dots, py);
            pen.arc(px, py, dots, 0, 7);
          }
          if (any < 0) return;
          pen.fillStyle = hue(any);
          pen.fill();
        });
      }
      pen.globalAlpha = 1;
      if (rulers) rule();
      pen.lineWidth = 1.5;
      const one = tileSide();
      for (let n = order.length - 1; n >= 0; n--) if (has[order[n]]) stamp(order[n], one);
      for (const i of new Set([chosen, over])) {
        if (i < 0) continue;
        pen.lineWidth = 3;
        stamp(i, Math.max(one * 1.5, 44));
      }
    }

    // The unit that is pointed at or chosen

    function tell(i) {
      panel.classList.toggle("empty", i < 0);
      if (i < 0) {
        words.replaceChildren(`Point at a ${noun}, or walk with the arrow keys.`);
        return;
      }
      const link = links.get(units[i]);
      const name = make(link ? "a" : "b", link ? { href: link.getAttribute("href"), class: "internal" } : {}, nameOf(i));
      words.replaceChildren(name, ` ${says[i]}`);
      const scale = 56 / pixels;
      Object.assign(picture.style, {
        backgroundSize: `${side * scale}px`,
        backgroundPosition: `${-(tile[i] % across) * 56}px ${-Math.floor(tile[i] / across) * 56}px`,
      });
    }
    function hover(i) {
      if (i === over) return;
      over = i;
      canvas.classList.toggle("over", i >= 0 && links.has(units[i]));
      tell(i >= 0 ? i : chosen);
      draw();
    }
    function choose(i) {
      chosen = i;
      tell(i);
      if (i >= 0) {
        const [px, py] = at(i);
        const edge = 30;
        look(view.k, view.dx + between(edge, px, width - edge) - px, view.dy + between(edge, py, height - edge) - py);
      }
      draw();
    }
    function visit(i, { ctrlKey, metaKey } = {}) {
      const link = links.get(units[i]);
      if (!link) return choose(i);
      if (ctrlKey || metaKey) window.open(link.href, "_blank", "noopener");
      else location.href = link.href;
    }
    function find(px, py, slack) {
      const { has } = room();
      let [best, nearest] = [-1, Infinity];
      for (let i = 0; i < units.length; i++) {
        if (matches && !matches[i]) continue;
        const [ux, uy] = at(i);
        const reach = has[i] ? tileSide() / 2 : slack;
        const gap = Math.max(Math.abs(ux - px), Math.abs(uy - py));
        if (gap < reach + 1 && gap < nearest) [best, nearest] = [i, gap];
      }
      return best;
    }
    // The next unit in a direction: near, and not far to the side.
    function walk([ax, ay]) {
      const from = chosen >= 0 ? [x[chosen], y[chosen]] : [(width / 2 - view.dx) / view.k, (height / 2 - view.dy) / view.k];
      let [best, least] = [-1, Infinity];
      for (let i = 0; i < units.length; i++) {
        if (i === chosen || (matches && !matches[i])) continue;
        const [dx, dy] = [x[i] - from[0], y[i] - from[1]];
        const [along, aside] = [dx * ax + dy * ay, Math.abs(dx * ay) + Math.abs(dy * ax)];
        if (along <= 0 || aside > 2 * along) continue;
        const far = along + 2 * aside;
        if (far < least) [best, least] = [i, far];
      }
      if (best >= 0) choose(best);
    }

    // A mouse or pen moves the map. One finger scrolls the page, and its tap chooses a unit; two move and zoom.

    let [down, moved, fingers] = [null, 0, null];
    const on = (type, run, options) => canvas.addEventListener(type, run, options);
    function spot(event) {
      const box = canvas.getBoundingClientRect();
      return { x: event.clientX - box.left - 1, y: event.clientY - box.top - 1 };
    }
    on("pointerdown", (event) => {
      if (event.button || !event.isPrimary) return;
      [down, moved] = [spot(event), 0];
      if (event.pointerType !== "touch") canvas.setPointerCapture(event.pointerId);
    });
    on("pointermove", (event) => {
      if (!event.isPrimary) return;
      const now = spot(event);
      if (!down) return event.pointerType === "touch" || hover(find(now.x, now.y, 6));
      const [dx, dy] = [now.x - down.x, now.y - down.y];
      moved += Math.hypot(dx, dy);
      if (event.pointerType !== "touch" && moved > 3) look(view.k, view.dx + dx, view.dy + dy);
      down = now;
    });
    on("pointerup", (event) => {
      const touch = event.pointerType === "touch";
      const click = event.isPrimary && down && moved <= (touch ? 10 : 3);
      down = null;
      if (!click) return;
      const { x: px, y: py } = spot(event);
      const i = find(px, py, touch ? 14 : 6);
      if (i >= 0 && !touch) visit(i, event);
      else choose(i);
    });
    on("pointercancel", () => (down = null));
    on("pointerleave", (event) => event.pointerType !== "touch" && hover(-1));
    const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    const apart = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    function touched(event) {
      const now = event.touches.length === 2 ? [...event.touches].map(spot) : null;
      if (now && event.cancelable) event.preventDefault();
      if (now && fingers && event.type === "touchmove") {
        const [from, to] = [middle(fingers), middle(now)];
        look(view.k, view.dx + to.x - from.x, view.dy + to.y - from.y);
        zoom(apart(now) / apart(fingers), to.x, to.y);
      }
      fingers = now;
      down = now ? null : down;
      hint.classList.toggle("shown", event.touches.length === 1 && event.type === "touchmove" && moved > 10);
    }
    for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"]) on(type, touched, { passive: false });

    // When zoomed out completely, the map lets the page scroll; so does a wheel without Control until the map has the focus.
    on("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return;
      const { x: px, y: py } = spot(event);
      if (zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.002)), px, py)) event.preventDefault();
    }, { passive: false });

    on("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      const by = { "+": 1.25, "=": 1.25, "-": 0.8 }[event.key];
      if (way) walk(way);
      else if (by) zoom(by);
      else if (event.key === "0") fit();
      else if (event.key === "Enter" && chosen >= 0) visit(chosen, event);
      else if (event.key === "Escape" && chosen >= 0) choose(-1);
      else return;
      event.preventDefault();
    });

    function select() {
      const asked = fold(field.value);
      const number = /^\d+$/.test(asked) ? Number(asked) : -1;
      const fits = (i) => (only < 0 || group[i] === only) && (!asked || (number >= 0 ? units[i] === number : folded[i].includes(asked)));
      matches = asked || only >= 0 ? units.map((_, i) => fits(i)) : null;
      const found = matches ? matches.filter(Boolean).length : units.length;
      count.textContent = matches ? `${found} of ${counted}` : counted;
      if (chosen >= 0 && matches && !matches[chosen]) choose(-1);
      draw();
      return matches ? order.find((i) => matches[i]) : undefined;
    }
    field.addEventListener("input", () => {
      const first = select();
      if (first !== undefined && field.value.trim()) choose(first);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || chosen < 0) return;
      event.preventDefault();
      canvas.focus();
    });

    new MutationObserver(renew).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", renew);
    select();
    tell(-1);
    new ResizeObserver(resize).observe(canvas);
  }

  window.neuronotes.map = { renew: start };
})();
