// Enlarged pictures: a dialog over the page. Loaded on first use.
//
// It is an entry in the browser's history, so that Back closes it. No elements of the page are kept: the preview may patch it at any time.
"use strict";
(() => {
  const { all, bare, button, make } = window.neuronotes;
  let shown = null; // {from: the link that was followed, scope: the preview that it is in, at: which of the pictures}
  let after = null; // where to go once the dialog is closed
  let touch = null; // where a finger went down

  const turn = (text, by, label) => button(text, { class: "zoom-step", "data-step": by, "aria-label": label });
  const dialog = make("dialog", { class: "zoom-dialog", "aria-label": "Picture", "data-preview": "" },
    make("div", { class: "zoom-picture" }), make("div", { class: "zoom-caption", "aria-live": "polite" }),
    turn("‹", -1, "Previous picture"), turn("›", 1, "Next picture"), button("Map on or off", { class: "zoom-other" }), button("Close", { class: "zoom-close" }));
  document.body.append(dialog);
  const part = (name) => dialog.querySelector(`.zoom-${name}`);

  function pictures() {
    const scope = shown?.scope?.isConnected && shown.scope;
    return all(scope ? "a.zoom" : "article.note a.zoom", scope || document).filter((link) => link.querySelector("img, svg"));
  }

  function open(link) {
    shown = { from: link, scope: link.closest(".preview-body"), at: 0 };
    shown.at = Math.max(0, pictures().indexOf(link));
    write("pushState");
    dialog.showModal();
    show();
  }

  // A browser may refuse, as some do for files: then Back leaves the page.
  function write(how) {
    try {
      history[how]({ ...history.state, zoom: shown.at }, "");
    } catch {
      // The dialog works nevertheless.
    }
  }

  function step(by) {
    const { length } = pictures();
    if (!length) return;
    shown.at = (shown.at + by + length) % length;
    write("replaceState");
    show();
  }

  function show() {
    const links = pictures();
    const link = links[Math.min(shown.at, links.length - 1)];
    if (!link) return dialog.close();
    const picture = link.querySelector("img, svg").cloneNode(true);
    for (const name of ["srcset", "sizes", "style", "loading"]) picture.removeAttribute(name);
    if (picture.tagName === "IMG") picture.src = link.href;
    picture.addEventListener("load", size);
    // The same picture with, or without, its heat map.
    const other = link.querySelector(".under");
    part("other").hidden = !other;
    part("other").onclick = () => (picture.src = picture.src === link.href ? other.src : link.href);
    const parts = [link.closest("li")?.querySelector(".item-caption"), link.closest("figure")?.querySelector(".caption")];
    const words = bare(make("div", {}, ...parts.filter(Boolean).map((one) => one.cloneNode(true))));
    part("picture").replaceChildren(picture);
    part("caption").replaceChildren(...words.childNodes, make("p", {}, `${shown.at + 1} of ${links.length}`));
    for (const one of all(".zoom-step", dialog)) one.hidden = links.length < 2;
    size();
  }

  // As large as fits; a synthetic picture by an integer factor, so that its pixels stay sharp.
  function size() {
    const picture = part("picture").firstElementChild;
    if (!picture || !dialog.open) return;
    const room = picture.parentNode;
    const drawn = picture.viewBox?.baseVal;
    const side = (name) => picture[`natural${name}`] || drawn?.[name.toLowerCase()] || Number(picture.getAttribute(name)) || 1;
    const [width, height] = [side("Width"), side("Height")];
    const exact = picture.matches(".synthetic");
    let scale = Math.min(room.clientWidth / width, room.clientHeight / height, exact || drawn ? 12 : 4);
    if (exact) scale = Math.floor(scale * devicePixelRatio) / devicePixelRatio || scale;
    Object.assign(picture.style, { width: `${width * scale}px`, height: `${height * scale}px` });
  }

  // However it is closed, its history entry is removed.
  dialog.addEventListener("close", () => {
    const { from, scope } = shown;
    const same = from.isConnected ? from : pictures().find((link) => link.href === from.href);
    (same || scope)?.focus({ preventScroll: true });
    if (history.state?.zoom !== undefined) history.back();
    else leave();
  });

  function leave() {
    const to = after;
    after = null;
    if (to) location.href = to;
  }

  addEventListener("popstate", ({ state }) => {
    if (state?.zoom === undefined) {
      if (dialog.open) dialog.close();
      else leave();
    } else if (!dialog.open) {
      // Forward, to a picture that was open.
      shown = { from: pictures()[state.zoom], scope: null, at: state.zoom };
      if (!shown.from) return;
      dialog.showModal();
      show();
    }
  });

  dialog.addEventListener("click", (event) => {
    const near = (selector) => event.target.closest(selector);
    if (near("[data-step]")) return step(Number(near("[data-step]").dataset.step));
    const link = near("a[href]");
    if (link) {
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      after = link.href;
      dialog.close();
    } else if (!near(".zoom-caption *")) dialog.close();
  });

  document.addEventListener("keydown", ({ key, altKey, ctrlKey, metaKey }) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (!dialog.open || altKey || ctrlKey || metaKey) return;
    if (by) step(by);
    else if (key === "m" && !part("other").hidden) part("other").click();
  });

  // A sideways swipe shows the next picture, a downward one closes. Two fingers zoom, as everywhere.
  dialog.addEventListener("touchstart", ({ touches }) => {
    const [{ clientX, clientY }] = touches;
    touch = touches.length === 1 && !(visualViewport?.scale > 1.01) ? { x: clientX, y: clientY } : null;
  }, { passive: true });
  dialog.addEventListener("touchcancel", () => (touch = null), { passive: true });
  dialog.addEventListener("touchend", ({ changedTouches, target }) => {
    if (!touch || target.closest(".zoom-caption, button")) return;
    const [x, y] = [changedTouches[0].clientX - touch.x, changedTouches[0].clientY - touch.y];
    touch = null;
    if (Math.abs(x) > 40 && Math.abs(x) > 2 * Math.abs(y)) step(x < 0 ? 1 : -1);
    else if (y > 80 && y > 2 * Math.abs(x)) dialog.close();
  }, { passive: true });

  // A zoomed picture is moved by one finger.
  visualViewport?.addEventListener("resize", () => (dialog.style.touchAction = visualViewport.scale > 1.01 ? "auto" : ""));
  addEventListener("resize", size);
  // A page that was loaded again shows no picture.
  if (history.state?.zoom !== undefined) history.replaceState({ ...history.state, zoom: undefined }, "");
  window.neuronotes.zoom = { open };
})();
