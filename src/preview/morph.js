// Turns the open page into a new version and keeps as much as possible: open folds, the focus, unfinished pictures, and what
// scripts have added.
//
// A twin is kept beside the page: the page as it was sent. A new version is compared with the twin, and only their differences
// are applied to the page. So changes made by a reader or a script are no differences, and stay.
//
// Children are matched to keep as much as possible, weighted by similarity. White space has almost no weight.
"use strict";
const neuronotesMorph = (() => {
  // The page's node for each node of the twin.
  const lives = new WeakMap();
  let twin = document.documentElement.cloneNode(true);
  for (const own of twin.querySelectorAll("[data-preview]")) own.remove();
  pair(document.documentElement, twin);

  // Replaced as a whole: what runs or plays in it is not part of the page.
  function whole(node) {
    return ["svg", "math", "SCRIPT", "NOSCRIPT", "STYLE", "TEMPLATE"].includes(node.nodeName);
  }

  // The two are equal except for what scripts added to the page before this one ran.
  function pair(node, of) {
    lives.set(of, node);
    if (whole(of)) return;
    const nodes = [...node.childNodes].filter((child) => !child.dataset || !("preview" in child.dataset));
    [...of.childNodes].forEach((child, i) => pair(nodes[i], child));
  }

  function made(fresh) {
    const node = document.importNode(fresh, true);
    pair(node, fresh);
    return node;
  }

  // An equal node takes the other's place in the twin.
  function follow(of, fresh) {
    lives.set(fresh, lives.get(of));
    if (whole(of)) return;
    let [a, b] = [of.firstChild, fresh.firstChild];
    for (; a && b; a = a.nextSibling, b = b.nextSibling) follow(a, b);
  }

  function change(of, fresh) {
    if (of.isEqualNode(fresh)) return follow(of, fresh);
    const node = lives.get(of);
    lives.set(fresh, node);
    if (of.nodeType !== 1) {
      node.nodeValue = fresh.nodeValue;
      return;
    }
    // A replaced script would run again.
    if (of.nodeName === "SCRIPT" || of.nodeName === "NOSCRIPT") return;
    if (whole(of)) {
      const other = made(fresh);
      node.replaceWith(other);
      return;
    }
    if (of.dataset.key !== fresh.dataset.key) begin(node);
    // Keep what the reader has opened.
    const kept = (name) => name === "open" && (of.nodeName === "DETAILS" || of.nodeName === "DIALOG");
    for (const { name } of of.attributes) if (!fresh.hasAttribute(name) && !kept(name)) node.removeAttribute(name);
    for (const { name, value } of fresh.attributes) {
      if (of.getAttribute(name) !== value && !kept(name)) node.setAttribute(name, value);
    }
    changeChildren(node, [...of.childNodes], [...fresh.childNodes]);
  }

  // A different measurement has nothing to show yet.
  function begin(figure) {
    for (const part of figure.querySelectorAll("img[data-partial], progress")) {
      if (part.closest("[data-key]") !== figure) continue;
      if (part.nodeName === "PROGRESS") part.removeAttribute("value");
      else {
        part.hidden = true;
        part.removeAttribute("src");
      }
    }
  }

  function changeChildren(parent, olds, news) {
    const matches = align(olds, news);
    const there = (i) => i >= 0 && lives.get(olds[i])?.parentNode === parent;
    const kept = new Set(matches);
    olds.forEach((old, i) => {
      if (!kept.has(i) && there(i)) lives.get(old).remove();
    });
    // Matches in their order stay in place; everything else is inserted between them.
    const still = rising(matches);
    let last = null;
    news.forEach((fresh, at) => {
      let node = null;
      if (there(matches[at])) {
        change(olds[matches[at]], fresh);
        node = lives.get(fresh);
      } else node = made(fresh);
      if (!there(matches[at]) || !still.has(at)) put(parent, node, last ? last.nextSibling : first(at));
      last = node;
    });

    // Before the first node that stays; a script may have added something at the very beginning.
    function first(at) {
      for (let i = at + 1; i < news.length; i++) if (still.has(i) && there(matches[i])) return lives.get(olds[matches[i]]);
      return parent.firstChild && !olds.length ? null : parent.firstChild;
    }
  }

  // A node moved within the page keeps its state if the browser supports that.
  function put(parent, node, before) {
    if (node === before) return;
    if (node.isConnected && parent.moveBefore) parent.moveBefore(node, before);
    else parent.insertBefore(node, before);
  }

  // The indices of a longest increasing subsequence of the matches.
  function rising(matches) {
    const ends = [];
    const before = new Array(matches.length).fill(-1);
    matches.forEach((match, at) => {
      if (match < 0) return;
      let [low, high] = [0, ends.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (matches[ends[middle]] < match) low = middle + 1;
        else high = middle;
      }
      before[at] = low ? ends[low - 1] : -1;
      ends[low] = at;
    });
    const places = new Set();
    for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at]) places.add(at);
    return places;
  }

  // For each of `news`, the index in `olds` of its match, or -1.
  function align(olds, news) {
    const matches = new Array(news.length).fill(-1);
    let first = 0;
    while (first < olds.length && first < news.length && olds[first].isEqualNode(news[first])) matches[first] = first++;
    let last = 0;
    while (first + last < Math.min(olds.length, news.length) && olds.at(-1 - last).isEqualNode(news.at(-1 - last))) {
      last += 1;
      matches[news.length - last] = olds.length - last;
    }
    between(olds, news, matches, [first, olds.length - last], [first, news.length - last]);
    moves(olds, news, matches);
    return matches;
  }

  // Maximum number of pairs that are compared; if there are more, nodes unique on both sides divide them first: by their
  // name or content, then by their beginning.
  const MOST = 20_000;
  const NAMES = [
    (node) => node.id || node.outerHTML || node.nodeValue,
    (node) => `${node.nodeName} ${node.textContent.trim().split(/\s+/, 3).join(" ")}`,
  ];

  function between(olds, news, matches, [a, b], [c, d], level = 0) {
    if (a === b || c === d) return;
    if ((b - a) * (d - c) <= MOST) {
      weigh(olds, news, matches, [a, b], [c, d]);
      return;
    }
    if (level === NAMES.length) {
      inTurn(olds, news, matches, [a, b], [c, d]);
      return;
    }
    const places = new Map();
    const count = (nodes, from, to, side) => {
      for (let i = from; i < to; i++) {
        if (blank(nodes[i])) continue;
        const name = NAMES[level](nodes[i]);
        const place = places.get(name) || [-1, -1];
        place[side] = place[side] === -1 ? i : -2;
        places.set(name, place);
      }
    };
    count(olds, a, b, 0);
    count(news, c, d, 1);
    const once = new Array(d).fill(-1);
    for (const [from, to] of places.values()) if (from >= 0 && to >= 0 && weight(olds[from], news[to])) once[to] = from;
    const fixed = [...rising(once)].sort((x, y) => x - y);
    for (const at of [...fixed, d]) {
      const to = at < d ? once[at] : b;
      between(olds, news, matches, [a, to], [c, at], fixed.length ? level : level + 1);
      if (at < d) matches[at] = to;
      [a, c] = [to + 1, at + 1];
    }
  }

  // No information: each is matched to the one at the same index.
  function inTurn(olds, news, matches, [a, b], [c, d]) {
    const filled = (nodes, from, to) => Array.from({ length: to - from }, (_, i) => from + i).filter((i) => !blank(nodes[i]));
    const from = filled(olds, a, b);
    filled(news, c, d).forEach((at, i) => {
      if (i < from.length && weight(olds[from[i]], news[at])) matches[at] = from[i];
    });
  }

  // The matching of maximum weight that keeps the order.
  function weigh(olds, news, matches, [a, b], [c, d]) {
    const across = d - c + 1;
    const best = new Float64Array((b - a + 1) * across);
    const weights = new Float64Array((b - a + 1) * across);
    for (let i = 1; i <= b - a; i++) {
      for (let j = 1; j < across; j++) {
        const w = weight(olds[a + i - 1], news[c + j - 1]);
        weights[i * across + j] = w;
        const both = w ? best[(i - 1) * across + j - 1] + w : 0;
        best[i * across + j] = Math.max(both, best[(i - 1) * across + j], best[i * across + j - 1]);
      }
    }
    for (let i = b - a, j = across - 1; i > 0 && j > 0; ) {
      const here = best[i * across + j];
      const w = weights[i * across + j];
      if (w && here === best[(i - 1) * across + j - 1] + w) {
        matches[c + j - 1] = a + i - 1;
        i -= 1;
        j -= 1;
      } else if (here === best[(i - 1) * across + j]) i -= 1;
      else j -= 1;
    }
  }

  // Remaining nodes that are equal or have the same name on both sides were moved.
  function moves(olds, news, matches) {
    const used = new Set(matches);
    const left = new Map();
    const names = (node) => (node.nodeType === 1 ? [node.dataset.key, node.id, node.outerHTML].filter(Boolean) : []);
    olds.forEach((old, i) => {
      if (!used.has(i)) for (const name of names(old)) if (!left.has(name)) left.set(name, i);
    });
    if (!left.size) return;
    news.forEach((fresh, at) => {
      if (matches[at] >= 0) return;
      for (const name of names(fresh)) {
        const i = left.get(name);
        if (i !== undefined && !used.has(i) && weight(olds[i], fresh) >= 1) {
          matches[at] = i;
          used.add(i);
          return;
        }
      }
    });
  }

  const blank = (node) => node.nodeType !== 1 && (node.nodeType !== 3 || !/\S/.test(node.nodeValue));

  // How much is kept if one is turned into the other; 0 if that is not allowed.
  function weight(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return 0;
    if (blank(old) || blank(fresh)) return blank(old) && blank(fresh) ? 0.001 : 0;
    const alike = likeness(old, fresh);
    if (old.nodeType !== 1) return 0.2 + alike;
    let named = 0;
    if (old.dataset.key && old.dataset.key === fresh.dataset.key) named += 4;
    if (old.id && old.id === fresh.id) named += 2;
    // A page has only one of these.
    const only = ["HEAD", "BODY", "MAIN", "ARTICLE"].includes(old.nodeName);
    if (named || only || alike >= 0.3) return 1 + named + 4 * alike;
    // An open fold is not turned into a different one.
    if (old.nodeName === "DETAILS" || old.nodeName === "FIGURE") return 0;
    if (old.className && old.className === fresh.className) return 0.5;
    return old.querySelector("details, figure, input, iframe") ? 0 : 0.2;
  }

  const known = new WeakMap();

  function wordsOf(node) {
    if (!known.has(node)) {
      const text = /\S/.test(node.textContent) ? node.textContent : node.outerHTML || "";
      known.set(node, new Set(text.split(/[\s<>"]+/, 2000).filter(Boolean)));
    }
    return known.get(node);
  }

  // Similarity from 0 to 1, by common words.
  function likeness(old, fresh) {
    if (old.isEqualNode(fresh)) return 1;
    const [a, b] = [wordsOf(old), wordsOf(fresh)];
    let shared = 0;
    for (const word of a) if (b.has(word)) shared += 1;
    return a.size + b.size ? (0.95 * 2 * shared) / (a.size + b.size) : 0.95;
  }

  return (page) => {
    change(twin, page.documentElement);
    twin = page.documentElement;
  };
})();
