// What a reader can do with figures: sort and filter tables, and turn, filter and walk through a graph of units and classes. Loaded on
// pages that have these, once, and asked again after each patch of a preview. Without it, both are whole as they are.
"use strict";
(() => {
  if (window.neuronotes.figure) return;
  const { all, make, button } = window.neuronotes;

  // Tables

  // A cell as a number, if it begins with one.
  function numeric(cell) {
    const text = cell.textContent.trim().replaceAll(",", "").replace("−", "-");
    return /^-?[\d.]/.test(text) ? parseFloat(text) : NaN;
  }

  function sort(table, column, down) {
    const rows = [...table.tBodies[0].rows];
    const key = (row) => row.cells[column];
    const order = new Intl.Collator(document.documentElement.lang || undefined, { numeric: true });
    const compare = (a, b) => {
      const [x, y] = [numeric(key(a)), numeric(key(b))];
      // Cells that are not numbers come last in both directions.
      if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
      const by = Number.isNaN(x) ? order.compare(key(a).textContent.trim(), key(b).textContent.trim()) : x - y;
      return down ? -by : by;
    };
    table.tBodies[0].append(...rows.sort(compare));
    [...table.tHead.rows[0].cells].forEach((cell, at) => {
      if (at === column) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  }

  function sortable(table) {
    if (!table.tHead || table.tHead.querySelector(".sort") || table.tBodies[0]?.rows.length < 2) return;
    for (const cell of table.tHead.rows[0].cells) {
      if (!cell.textContent.trim()) continue;
      const press = button("", { class: "sort" });
      press.append(...cell.childNodes);
      cell.append(press);
    }
  }

  // Long tables have a field that leaves the rows with all of its words.
  const LONG = 13;
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  function filterable(table) {
    const frame = table.closest(".table");
    const rows = () => [...table.tBodies[0].rows];
    if (!frame || frame.previousElementSibling?.matches(".table-filter") || rows().length < LONG) return;
    const count = make("span", { role: "status" });
    const field = make("input", { type: "search", placeholder: "Filter rows", "aria-label": "Show only rows with these words", autocomplete: "off" });
    field.addEventListener("input", () => {
      const words = fold(field.value).split(/\s+/).filter(Boolean);
      for (const row of rows()) {
        // A number is a whole one, so that unit 4 is not unit 42.
        const cells = [...row.cells].map((cell) => fold(cell.textContent));
        const parts = cells.flatMap((cell) => cell.split(/[^\p{L}\p{N}.]+/u));
        row.hidden = !words.every((word) => (/^\d+$/.test(word) ? parts.includes(word) : cells.some((cell) => cell.includes(word))));
      }
      count.textContent = words.length ? `${rows().filter((row) => !row.hidden).length} of ${rows().length} rows` : "";
    });
    frame.before(make("p", { class: "table-filter", "data-preview": "" }, field, count));
  }

  document.addEventListener("click", ({ target }) => {
    const cell = target.closest?.(".sort")?.closest("th");
    if (!cell) return;
    const first = numeric(cell.closest("table").tBodies[0].rows[0].cells[cell.cellIndex]);
    const now = cell.getAttribute("aria-sort");
    // Of numbers the greatest first, of words the first.
    sort(cell.closest("table"), cell.cellIndex, now ? now === "ascending" : !Number.isNaN(first));
  });

  // Graphs. What a reader has chosen is in the attributes of the field, so that a patch or another script finds it there.

  const graphOf = (element) => element.closest?.("[data-bipartite]");

  function parts(graph) {
    const field = graph.querySelector(".bipartite-field");
    const [units, classes] = [".bipartite-units", ".bipartite-classes"].map((side) => [...field.querySelector(side).children]);
    const edges = all("path", field).map((path) => {
      const [unit, kind] = path.dataset.ends.split(" ").map(Number);
      return { path, ends: [units[unit], classes[kind]], weight: Number(path.dataset.weight), value: path.dataset.value };
    });
    return { field, units, classes, edges, nodes: [...units, ...classes] };
  }

  const nameOf = (node) => node.querySelector(".node-name").textContent.trim();

  // Shows the weights that fit what was chosen, and the units and classes that have one.
  function filter(graph) {
    const { field, units, classes, edges, nodes } = parts(graph);
    const chosen = (name) => graph.querySelector(`[data-choice=${name}]`)?.value ?? "";
    const [kind, unit, least] = [chosen("class"), chosen("unit"), Number(chosen("least"))];
    const fits = ({ ends, weight }) => (kind === "" || ends[1] === classes[kind]) && (unit === "" || ends[0] === units[unit]) && Math.abs(weight) >= least;
    const shown = edges.filter(fits);
    const kept = new Set(shown.flatMap(({ ends }) => ends));
    for (const node of nodes) node.hidden = !kept.has(node);
    for (const edge of edges) edge.path.toggleAttribute("hidden", !fits(edge));
    const turn = Number(field.dataset.turn || 0);
    const place = (side) => {
      const there = side.filter((node) => !node.hidden);
      return new Map(there.map((node, at) => [node, ((at + 0.5) / there.length) * 1000]));
    };
    const [from, to] = [place(units), place(classes)];
    for (const { path, ends } of shown) {
      const [a, b] = [from.get(ends[0]), to.get(ends[1])];
      const d = [
        () => `M0 ${a}C500 ${a} 500 ${b} 1000 ${b}`,
        () => `M${a} 0C${a} 500 ${b} 500 ${b} 1000`,
        () => `M1000 ${a}C500 ${a} 500 ${b} 0 ${b}`,
        () => `M${a} 1000C${a} 500 ${b} 500 ${b} 0`,
      ][turn]();
      path.setAttribute("d", d);
    }
    const width = turn % 2 ? Math.max(from.size, to.size) * 4.5 : 0;
    for (const part of field.children) part.style.minWidth = width ? `${width}rem` : "";
    const says = graph.querySelector("[data-says]");
    if (says) says.textContent = shown.length === edges.length ? `${edges.length} weights` : `${shown.length} of ${edges.length} weights`;
  }

  // Highlights a unit or a class with its connections, and describes them in words.
  function light(graph, node) {
    const { field, edges, nodes } = parts(graph);
    const own = node ? edges.filter(({ path, ends }) => ends.includes(node) && !path.hasAttribute("hidden")) : [];
    const near = new Set(own.flatMap(({ path, ends }) => [path, ...ends]));
    for (const one of [...nodes, ...edges.map(({ path }) => path)]) one.classList.toggle("near", near.has(one));
    field.toggleAttribute("data-lit", near.size > 0);
    if (!node) return;
    const others = own.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).map(({ ends, value }) => `${value} ${nameOf(ends[0] === node ? ends[1] : ends[0])}`);
    node.setAttribute("aria-description", others.join(", "));
  }

  function walk(graph, node, key) {
    const { field, units, classes, edges } = parts(graph);
    const turn = Number(field.dataset.turn || 0);
    const along = turn % 2 ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    // The key that leads away from the units.
    const away = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"][turn];
    const back = ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"][turn];
    const isUnit = units.includes(node);
    const side = (isUnit ? units : classes).filter((one) => !one.hidden);
    if (along.includes(key)) return side[side.indexOf(node) + (key === along[0] ? -1 : 1)];
    if (key !== (isUnit ? away : back)) return null;
    const own = edges.filter(({ path, ends }) => ends.includes(node) && !path.hasAttribute("hidden"));
    const strongest = own.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))[0];
    return strongest?.ends.find((end) => end !== node);
  }

  function choice(name, label, nodes) {
    const select = make("select", { "data-choice": name }, make("option", { value: "" }, "all"));
    nodes.forEach((node, at) => select.append(make("option", { value: at }, nameOf(node))));
    return make("label", {}, label, select);
  }

  function offer(graph) {
    const tools = graph.querySelector("[data-tools]");
    if (!tools || tools.hasChildNodes()) return;
    const { units, classes, nodes } = parts(graph);
    const most = Number(graph.dataset.most) || 1;
    const least = make("input", { type: "range", min: 0, max: most, step: most / 100, value: 0, "data-choice": "least" });
    const shown = make("output", {}, "0");
    const turn = button("Turn", { "data-turns": "" });
    const says = make("span", { "data-says": "", role: "status" });
    tools.append(choice("class", "Class", classes), choice("unit", "Unit", units), make("label", {}, "Minimum weight", least, shown), make("span", {}, turn, says));
    for (const node of nodes) node.tabIndex = 0;
    filter(graph);
  }

  const on = (types, act) => types.split(" ").forEach((type) => document.addEventListener(type, act));

  on("input change", ({ target }) => {
    const graph = target.matches?.("[data-choice]") && graphOf(target);
    if (!graph) return;
    const digits = Number(graph.dataset.most) < 10 ? 2 : 0;
    if (target.type === "range") target.parentNode.querySelector("output").textContent = Number(target.value).toFixed(digits);
    filter(graph);
    light(graph, null);
  });

  on("click", ({ target }) => {
    const graph = target.closest?.("[data-turns]") && graphOf(target);
    if (!graph) return;
    const field = graph.querySelector(".bipartite-field");
    const turn = (Number(field.dataset.turn || 0) + 1) % 4;
    field.dataset.turn = turn;
    // What is wider than the page is scrolled by keys too.
    if (turn % 2) field.tabIndex = 0;
    else field.removeAttribute("tabindex");
    filter(graph);
  });

  on("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    const graph = graphOf(target);
    if (!graph || ctrlKey || metaKey || altKey || !target.matches("li")) return;
    const to = walk(graph, target, key);
    if (to) to.focus();
    if (to || /^Arrow/.test(key)) event.preventDefault();
  });

  on("focusin pointerover", ({ target }) => {
    const graph = graphOf(target);
    const node = graph && target.closest(".bipartite-field li");
    if (node) light(graph, node);
  });
  on("focusout pointerout", ({ target, relatedTarget }) => {
    const graph = graphOf(target);
    const left = target.closest?.(".bipartite-field li");
    if (left && !left.contains(relatedTarget) && !left.contains(document.activeElement)) light(graph, graph.querySelector(".bipartite-field li:focus-within"));
  });

  function renew() {
    all(".figure .data table").forEach((table) => {
      sortable(table);
      filterable(table);
    });
    all("[data-bipartite]").forEach(offer);
  }

  window.neuronotes.figure = { renew };
  renew();
})();
