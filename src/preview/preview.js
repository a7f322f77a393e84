// Keeps an open page right while its garden is edited. Only the preview's pages load this.
//
// A change comes as the lines of the page that are others now. The page is put together from them, parsed, and the open one
// is turned into it (`morph.js`). Progress goes straight to the figures it is about. All addresses are relative to this
// script's, so that a proxy may show the preview below any path.
"use strict";
(() => {
  const root = new URL("../", document.currentScript.src);
  const own = decoded(location.pathname.slice(root.pathname.length)) || "index.html";
  // The page's text as the preview sent it, in lines, and its digest.
  let lines = null;
  let digest = "";
  let generation = -1;
  let fetching = false;
  let again = false;
  let tab = null;
  // The status with which this document came: one that stands for a page which is not there is loaded anew once it is.
  let loaded = performance.getEntriesByType("navigation")[0]?.responseStatus || 0;

  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("-/preview.css", root) }));
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
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
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
      else if (answer.status === 403) say("The preview no longer knows this browser. Open the address that the terminal printed.");
      else {
        // A template is broken, which is told beside: the page stays as it was.
        lines = null;
        say();
      }
    } catch {
      say(LOST);
    }
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }

  function patch(news) {
    // One that comes while the page is fetched may be in it already.
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
      say("This note has another address now: ", link);
    } else if (loaded < 400) say("This page is not part of the garden any more. It is shown as it was last.");
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
      // The text is changed, not replaced: patches find it again.
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

  // Which waiting figures are in the window: these are measured first.
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

  const LOST = "The preview has ended, or is starting again. This page is as it was last.";

  function say(...what) {
    if (!what.length) bar.remove();
    else if (!bar.isConnected) document.body.append(bar);
    if (bar.textContent !== what.map((part) => part.textContent ?? part).join("")) bar.replaceChildren(...what);
  }

  // What is wrong outside notes lies over the page, and can be put aside until something else is wrong.
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
        // What stands between backticks is code.
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
    close.textContent = "Put aside";
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
        // What comes late is older than what is shown. A preview that was started again counts anew, and says hello.
        if (news.type !== "hello" && news.generation < generation) return;
        generation = news.generation;
      }
      if (news.type === "hello") {
        tab = news.tab;
        sent = "";
        overlay([]);
        // After every (re)connection the page may lag behind: it is fetched, and patched where it differs.
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
      // A browser gives up where the preview refuses; it may come back.
      if (events && events.readyState === EventSource.CLOSED) {
        events = null;
        setTimeout(connect, 1000);
      }
    };
  }

  // The preview has as many pages open as it can. One that is looked at all the same tries again after a while.
  function rest() {
    leave();
    say("Too many pages of this garden are open. This one is brought up to date when you come back to it.");
    setTimeout(attend, 15000 + 15000 * Math.random());
  }

  function leave() {
    events?.close();
    events = null;
    tab = null;
  }

  // A browser has few connections to one host. Pages that nobody sees leave theirs to others, and catch up.
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
