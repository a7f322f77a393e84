// What stands beside the text: contents that follow the reader, and notes in the margin.
(() => {
  const { all, decoded, hit, on, patched } = window.neuronotes;

  // Where a link has led, until the reader scrolls.
  let held = location.hash;
  let planned = 0;
  let naming = 0;
  let ready = false;
  setTimeout(() => (ready = true), 1000);

  function hold(hash) {
    if (!hash) return;
    held = hash;
    plan();
  }

  function follow() {
    planned = 0;
    // The line that a heading must pass moves down at the end of the page, so that the last sections are marked too.
    const left = document.documentElement.scrollHeight - innerHeight - scrollY;
    const line = Math.max(innerHeight / 3, innerHeight - left);
    const links = all(".contents a[href^='#']");
    let current = "";
    for (const { hash } of links) {
      const heading = document.getElementById(decoded(hash.slice(1)));
      if (hash === held || heading?.getBoundingClientRect().top <= line) current = hash;
      if (hash === held) break;
    }
    for (const link of links) {
      if (link.hash !== current) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) mark(link);
    }
    clearTimeout(naming);
    if (links.length && !held) naming = setTimeout(name, 400, current);
  }

  function mark(link) {
    link.setAttribute("aria-current", "true");
    const nav = link.closest(".contents-side");
    if (!nav) return;
    const at = link.getBoundingClientRect().top - nav.getBoundingClientRect().top;
    if (at < 60 || at > nav.clientHeight - 60) nav.scrollTop += at - nav.clientHeight / 2;
  }

  function name(hash) {
    if (!ready || hash === location.hash || !getSelection().isCollapsed) return;
    try {
      history.replaceState(history.state, "", hash || location.pathname + location.search);
    } catch {
      // A browser may refuse; the address then stays unchanged.
    }
  }

  const plan = () => (planned ||= requestAnimationFrame(follow));
  on("scroll", plan, { passive: true });
  on("wheel touchmove pointerdown", () => (held = ""), { passive: true });
  on("keydown", ({ key }) => /^(Arrow|Page|Home|End| )/.test(key) && (held = ""));
  on("click", (event) => hold(hit(event, "a")?.hash));
  addEventListener("hashchange", () => hold(location.hash));

  // Notes in the margin must not overlap each other or wide figures.
  function margins() {
    const wide = all(".note > :is(.width-middle, .width-page, .width-screen)").map((one) => one.getBoundingClientRect());
    let free = -Infinity;
    const moves = all(".sidenote").map((note) => {
      const { top, height } = note.getBoundingClientRect();
      const natural = top - (parseFloat(note.style.marginTop) || 0);
      let at = Math.max(natural, free);
      for (const one of wide) if (at < one.bottom + 12 && at + height + 12 > one.top) at = one.bottom + 12;
      if (height) free = at + height + 12;
      return [note, at - natural];
    });
    for (const [note, by] of moves) note.style.marginTop = by > 0 ? `${by}px` : "";
  }

  function arrange() {
    margins();
    plan();
  }

  addEventListener("resize", arrange);
  on("toggle", arrange, true);
  patched(arrange);
})();
