// Light, dark, or the system's theme: an attribute that a script in the page's head sets before anything is drawn.
(() => {
  const { all, hit, on, patched, say, setting } = window.neuronotes;

  const data = document.documentElement.dataset;
  const KEY = "neuronotes-theme";
  const THEMES = ["", "light", "dark"];

  function dress(theme) {
    if (THEMES.indexOf(theme) > 0) data.theme = theme;
    else delete data.theme;
    const name = `Theme: ${data.theme || "system"}`;
    for (const one of all("button[data-theme-choice]")) one.title = one.ariaLabel = name;
    return name;
  }

  on("click", (event) => {
    if (!hit(event, "button[data-theme-choice]")) return;
    const next = THEMES[(THEMES.indexOf(data.theme || "") + 1) % 3];
    try {
      if (next) localStorage.setItem(KEY, next);
      else localStorage.removeItem(KEY);
    } catch {
      // Then it applies to this page only.
    }
    say(dress(next));
  });

  addEventListener("storage", ({ key, newValue }) => key === KEY && dress(newValue));
  addEventListener("pageshow", ({ persisted }) => persisted && dress(setting("theme")));
  patched(() => dress(data.theme));
})();
