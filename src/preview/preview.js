// Updates an open page while its garden is edited. Loaded by the preview's pages only.
//
// A change arrives as the changed lines of the page. The new page is assembled and parsed, and the open page is turned into it
// (`morph.js`). Progress goes directly to its figures. All addresses are relative to this script's, so that a proxy can serve
// the preview below any path.
"use strict";
(() => {
  const root = new URL("../", document.currentScript.src);
  const own = decoded(location.pathname.slice(root.pathname.length)) || "index.html";
  // The lines of the page as the preview sent it, and its digest.
  let lines = null;
  let digest = "";
  let generation = -1;
  let fetching = false;
  let again = false;
  let retry = 0;
  let tab = null;
  // The HTTP status of this document: a page for a missing page is reloaded once that page exists.
  let loaded = performance.getEntriesByType("navigation")[0]?.responseStatus || 0;

  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("-/preview.css", root) });
  const styled = new Promise((done) => { style.onload = style.onerror = done; });
  document.head.append(style);
  const bar = document.createElement("div");
  bar.id = "preview-says";
  bar.dataset.preview = "";
  bar.setAttribute("role", "status");

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  async function refresh() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    clearTimeout(retry);
    try {
      const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      const text = await answer.text();
      loaded ||= answer.status;
      if (answer.ok && loaded >= 400) {
        location.reload();
        return;
      }
      if (answer.ok || answer.status === loaded) {
        lines = answer.ok ? text.split("\n") : null;
        digest = answer.headers.get("x-page") || "";
        apply(text);
        say();
      } else if (answer.status === 404) gone();
      else if (answer.status === 403) say("The preview no longer recognises this browser. Open the URL that the terminal printed.");
      else {
        // A template is broken, which is reported separately: the page stays unchanged.
        lines = null;
        say();
      }
    } catch {
      say(LOST);
      // The stream of events may be intact, so nothing else would try again.
      if (events) retry = setTimeout(refresh, 2000);
    }
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }

  function patch(news) {
    // A patch that arrives during the fetch may already be included.
    if (fetching || !lines || digest !== news.base) {
      refresh();
      return;
    }
    lines = lines.slice(0, news.first).concat(news.lines, lines.slice(lines.length - news.last));
    digest = news.page;
    apply(lines.join("\n"));
    say();
    const times = news.milliseconds;
    document.documentElement.dataset.milliseconds = [times.settled, times.read, times.rendered].join(" ");
  }

  function gone(moved) {
    lines = null;
    if (moved) {
      const link = Object.assign(document.createElement("a"), { href: new URL(moved.href, root), textContent: moved.title });
      say("This note has moved: ", link);
    } else if (loaded < 400) say("This page is no longer part of the garden. This is its last version.");
    patched();
  }

  function apply(text) {
    neuronotesMorph(new DOMParser().parseFromString(text, "text/html"));
    look();
    patched();
  }

  function patched() {
    const data = document.documentElement.dataset;
    data.patched = String(Number(data.patched || 0) + 1);
  }

  function progress(news) {
    for (const figure of document.querySelectorAll(`[data-key="${news.key}"]`)) {
      const status = figure.querySelector("[data-status]");
      // The text node is changed, not replaced, so that patches find it again.
      if (status?.firstChild) status.firstChild.nodeValue = news.status;
      const bar = figure.querySelector("progress");
      if (bar && news.fraction > 0) bar.value = news.fraction;
      const picture = figure.querySelector("img[data-partial]");
      if (picture && news.picture) {
        picture.src = new URL(news.picture, root).href;
        picture.hidden = false;
      }
    }
  }

  // What differs from the last commit is one key away; a page for a missing page has no history.
  const compared = new URL(`-/diff?page=${encodeURIComponent(own)}`, root).href;
  if (loaded < 400) {
    const nav = document.createElement("nav");
    nav.id = "preview-compared";
    nav.dataset.preview = "";
    nav.setAttribute("aria-label", "Preview");
    const link = Object.assign(document.createElement("a"), { href: compared, textContent: "Changes since the last commit" });
    nav.append(link, " ", Object.assign(document.createElement("kbd"), { textContent: "d" }));
    // Without its style it has another size, and would move.
    styled.then(() => document.body.append(nav));
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, dialog, [contenteditable]");
    if (event.key !== "d" || typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || loaded >= 400) return;
    location.href = compared;
  });

  // Visible waiting figures are measured first.
  const visible = new Set();
  const watched = new Set();
  let sent = "";
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) visible.add(target);
      else visible.delete(target);
    }
    tell();
  });

  function look() {
    for (const figure of watched) {
      if (!figure.isConnected || !figure.getAttribute("aria-busy")) {
        observer.unobserve(figure);
        watched.delete(figure);
        visible.delete(figure);
      }
    }
    for (const figure of document.querySelectorAll("[data-key][aria-busy]")) {
      if (!watched.has(figure)) {
        watched.add(figure);
        observer.observe(figure);
      }
    }
    tell();
  }

  function tell() {
    const shown = [...visible].filter((figure) => figure.getAttribute("aria-busy"));
    const keys = [...new Set(shown.map((figure) => figure.dataset.key))].filter((key) => key.length === 64).sort();
    const text = JSON.stringify({ tab, keys });
    if (tab === null || text === sent) return;
    sent = text;
    post("seen", text);
  }

  function post(what, body) {
    const options = { method: "POST", headers: { "content-type": "application/json" }, body };
    fetch(new URL(`-/${what}`, root), options).catch(() => {});
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-retry]");
    if (!button) return;
    button.disabled = true;
    post("retry", JSON.stringify({ key: button.dataset.retry }));
  });

  // Maximum time for fetching the page, in milliseconds.
  const PATIENCE = 60_000;
  const LOST = "The preview has stopped or is restarting. This is the last version of the page.";

  function say(...what) {
    if (!what.length) bar.remove();
    else if (!bar.isConnected) document.body.append(bar);
    if (bar.textContent !== what.map((part) => part.textContent ?? part).join("")) bar.replaceChildren(...what);
  }

  // Problems outside notes are shown over the page, and can be dismissed until there are others.
  let aside = "";
  function overlay(problems) {
    document.getElementById("preview-problems")?.remove();
    const text = JSON.stringify(problems);
    if (!problems.length || text === aside) return;
    const box = document.createElement("section");
    box.id = "preview-problems";
    box.dataset.preview = "";
    box.setAttribute("role", "alert");
    for (const problem of problems) {
      const one = document.createElement("div");
      one.className = `problem problem-${problem.severity}`;
      for (const [name, value] of [["place", problem.place], ["message", problem.message], ["hint", problem.hint && `hint: ${problem.hint}`]]) {
        if (!value) continue;
        const line = document.createElement(name === "place" ? "code" : "p");
        line.className = `problem-${name}`;
        // Text between backticks is code.
        value.split("`").forEach((part, index) => {
          const code = index % 2 === 1 && name !== "place";
          line.append(code ? Object.assign(document.createElement("code"), { textContent: part }) : part);
        });
        one.append(line);
      }
      box.append(one);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "Dismiss";
    close.addEventListener("click", () => {
      aside = text;
      box.remove();
    });
    box.append(close);
    document.body.append(box);
  }

  let events = null;
  function connect() {
    if (events) return;
    events = new EventSource(new URL(`-/events?page=${encodeURIComponent(own)}`, root));
    events.onmessage = ({ data }) => {
      const news = JSON.parse(data);
      if (news.generation !== undefined) {
        // Late events are older than what is shown. A restarted preview counts from the beginning and says hello.
        if (news.type !== "hello" && news.generation < generation) return;
        generation = news.generation;
      }
      if (news.type === "hello") {
        tab = news.tab;
        sent = "";
        overlay([]);
        // After every (re)connection the page may be outdated: it is fetched, and patched if it differs.
        refresh();
      } else if (news.type === "patch") patch(news);
      else if (news.type === "fetch") refresh();
      else if (news.type === "gone") gone(news.moved);
      else if (news.type === "progress") progress(news);
      else if (news.type === "problems") overlay(news.problems);
      else if (news.type === "rest") rest();
    };
    events.onerror = () => {
      say(LOST);
      // A browser gives up if the preview refuses; the preview may return.
      if (events && events.readyState === EventSource.CLOSED) {
        events = null;
        setTimeout(connect, 1000);
      }
    };
  }

  // The preview has its maximum number of open pages. A visible page retries after a while.
  function rest() {
    leave();
    say("Too many pages of this garden are open. This one updates when you return to it.");
    setTimeout(attend, 15000 + 15000 * Math.random());
  }

  function leave() {
    events?.close();
    events = null;
    tab = null;
  }

  // A browser has few connections per host. Hidden pages release theirs to others, and catch up later.
  function attend() {
    if (document.visibilityState === "visible") {
      connect();
    } else leave();
  }
  document.addEventListener("visibilitychange", attend);
  window.addEventListener("focus", attend);
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", attend);
  attend();
})();
