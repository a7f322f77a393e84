// Ways to compare two pictures: side by side, swipe, onion skin, blink; both zoom together.
(() => {
  "use strict";
  const ways = [["side", "Side by side", "1"], ["swipe", "Swipe", "2"], ["onion", "Onion skin", "3"], ["blink", "Blink", "b"]];
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  function make(box) {
    if (box.querySelector(".ways")) return;
    const bar = document.createElement("div");
    bar.className = "ways";
    const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 100, value: 50 });
    slider.hidden = true;
    let zoom = 1;
    let timer = 0;

    const buttons = ways.map(([way, name, key]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.title = `key ${key}`;
      button.addEventListener("click", () => show(way));
      bar.append(button);
      return [way, button];
    });
    const set = (by) => {
      zoom = by === 0 ? 1 : Math.min(8, Math.max(1, zoom * by));
      box.style.setProperty("--zoom", zoom);
      box.dataset.zoom = zoom;
    };
    for (const [name, label, by] of [["−", "Zoom out", 0.5], ["+", "Zoom in", 2]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-label", label);
      button.addEventListener("click", () => set(by));
      bar.append(button);
    }
    bar.append(slider);
    box.append(bar);

    function slide() {
      box.style.setProperty("--at", `${slider.value}%`);
      box.style.setProperty("--part", slider.value / 100);
    }

    function show(way) {
      clearInterval(timer);
      // Pressed again, a blink stops, and shows the other picture.
      if (way === "blink" && box.classList.contains("blink")) {
        box.classList.toggle("later");
        return;
      }
      box.className = `compare ${way}${way === "side" ? "" : " over"}`;
      slider.hidden = way !== "swipe" && way !== "onion";
      const what = way === "swipe" ? "Where the later picture begins" : "How opaque the later picture is";
      slider.setAttribute("aria-label", what);
      for (const [name, button] of buttons) button.setAttribute("aria-pressed", name === way);
      slide();
      if (way === "blink" && !still.matches) timer = setInterval(() => box.classList.toggle("later"), 700);
    }

    slider.addEventListener("input", slide);
    // What is enlarged is what the pointer is on; a pressed pointer draws the line.
    function point(event) {
      const shown = event.target.closest(".pair > div");
      if (!shown) return;
      const { left, top, width, height } = shown.getBoundingClientRect();
      const [x, y] = [(100 * (event.clientX - left)) / width, (100 * (event.clientY - top)) / height];
      box.style.setProperty("--x", `${x}%`);
      box.style.setProperty("--y", `${y}%`);
      if (event.buttons === 1 && box.classList.contains("swipe")) {
        slider.value = x;
        slide();
      }
    }
    box.addEventListener("pointermove", point);
    box.addEventListener("pointerdown", point);
    box.addEventListener("dragstart", (event) => event.preventDefault());
    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target === slider) return;
      const way = ways.find(([, , key]) => key === event.key);
      const by = { "+": 2, "=": 2, "-": 0.5, 0: 0 }[event.key];
      const step = { ArrowLeft: -5, ArrowRight: 5 }[event.key];
      if (way) show(way[0]);
      else if (by !== undefined) set(by);
      else if (step && !slider.hidden) {
        slider.value = +slider.value + step;
        slide();
      } else return;
      event.preventDefault();
    });
    show("side");
  }

  const all = () => document.querySelectorAll(".compare").forEach(make);
  document.addEventListener("neuronotes:diff", all);
  all();
})();
