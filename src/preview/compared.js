// Keeps the page of what differs in a note up to date while the note is edited; `d` leads back to the note.
"use strict";
(() => {
  const page = document.currentScript.dataset.page;
  let again = false;
  let fetching = false;

  async function refresh() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
      const old = document.querySelector("main");
      if (fresh && old && fresh.innerHTML !== old.dataset.shown) {
        fresh.dataset.shown = fresh.innerHTML;
        old.replaceWith(fresh);
        document.dispatchEvent(new Event("neuronotes:diff"));
      }
      document.documentElement.dataset.refreshed = String(Number(document.documentElement.dataset.refreshed || 0) + 1);
    } catch {
      // The stream reconnects, and says hello again.
    }
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }

  const events = new EventSource(`events?page=${encodeURIComponent(page)}`);
  events.onmessage = ({ data }) => {
    if (["hello", "patch", "fetch", "gone"].includes(JSON.parse(data).type)) refresh();
  };
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key !== "d" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    document.querySelector("nav a")?.click();
  });
})();
