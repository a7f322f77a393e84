// Keeps an open page right while its garden is edited. Only the preview's pages load this.
//
// A change is a page to fetch again and to patch into the open one, node by node: what is equal stays, so that
// the scroll position, open folds and the focus stay too. Progress goes straight to the figures it is about.
"use strict";
(() => {
  const root = new URL("../", document.currentScript.src);
  const own = () => decodeURIComponent(location.pathname.slice(root.pathname.length)) || "index.html";
  let fetching = false;
  let again = false;

  async function refresh() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.ok) {
        document.title = page.title;
        morphChildren(document.head, page.head);
        morphChildren(document.body, page.body);
      } else {
        say("This page is not part of the garden any more.");
      }
      document.documentElement.dataset.patched = String(Number(document.documentElement.dataset.patched || 0) + 1);
    } catch {
      say("The preview has ended. This page is as it was.");
    }
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }

  const keyOf = (node) => (node.nodeType === 1 ? node.id || node.dataset.block || "" : "");
  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

  // Patches the children of `old` into those of `fresh`. Looks ahead for a child that is equal or has the same
  // key, so that one insertion does not change all that follows.
  function morphChildren(old, fresh) {
    let here = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      let found = here;
      while (found && !found.isEqualNode(wanted)) found = found.nextSibling;
      if (!found) {
        found = here;
        while (found && !(alike(found, wanted) && (keyOf(wanted) || found === here))) found = found.nextSibling;
      }
      if (!found) {
        old.insertBefore(document.adoptNode(wanted), here);
        continue;
      }
      while (here !== found) {
        const gone = here;
        here = here.nextSibling;
        gone.remove();
      }
      here = found.nextSibling;
      if (!found.isEqualNode(wanted)) morph(found, wanted);
    }
    while (here) {
      const gone = here;
      here = here.nextSibling;
      gone.remove();
    }
  }

  function morph(old, fresh) {
    if (old.nodeType !== 1) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    // A script that is replaced would run again, and an SVG is cheaper to replace than to compare.
    if (old.nodeName === "SCRIPT") return;
    if (old.nodeName === "svg") {
      old.replaceWith(document.adoptNode(fresh));
      return;
    }
    // A measurement that goes on keeps its picture and its bar, which came as news and stand in no page.
    const room = (figure) => figure.getAttribute("aria-busy") && figure.querySelector(".waiting-room");
    if (old.dataset.key && old.dataset.key === fresh.dataset.key && room(old) && room(fresh)) {
      room(fresh).replaceWith(room(old).cloneNode(true));
    }
    const kept = (name) => name === "open" && old.nodeName === "DETAILS";
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !kept(name)) old.removeAttribute(name);
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) !== value && !kept(name)) old.setAttribute(name, value);
    }
    morphChildren(old, fresh);
  }

  function progress(news) {
    for (const figure of document.querySelectorAll(`[data-key="${news.key}"]`)) {
      const status = figure.querySelector("[data-status]");
      if (status) status.textContent = news.status;
      const bar = figure.querySelector("progress");
      if (bar) bar.value = news.fraction;
      const picture = figure.querySelector("img[data-partial]");
      if (picture && news.picture) {
        picture.src = new URL(news.picture, root).href;
        picture.hidden = false;
      }
    }
  }

  function say(text) {
    let line = document.getElementById("preview-says");
    if (!text) {
      line?.remove();
      return;
    }
    if (!line) {
      line = document.createElement("p");
      line.id = "preview-says";
      line.setAttribute("role", "status");
      document.body.append(line);
    }
    line.textContent = text;
  }

  const events = new EventSource(new URL("-/events", root));
  events.onmessage = ({ data }) => {
    const news = JSON.parse(data);
    // After every (re)connection the page may lag behind: it is fetched, and patched where it differs.
    if (news.type === "hello" || news.type === "reload") {
      say("");
      refresh();
    } else if (news.type === "site" && news.pages.includes(own())) {
      refresh();
    } else if (news.type === "progress") {
      progress(news);
    }
  };
  events.onerror = () => say("The preview has ended, or is starting again. This page is as it was.");
})();
