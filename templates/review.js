// Lets a reader write about a sentence: whatever is selected in the note is quoted in the remark. The link is the next stop of the
// tabulator key.
(() => {
  const LONGEST = 500;
  // A tap on the link ends the selection before it counts as a click.
  const TAP = 300;
  let bar, before, leaving;

  // The sentence, on one line, and shortened if it is more than one can quote. Characters are counted, so that none is cut in two.
  const quoted = (selection) => {
    const text = selection.toString().replace(/\s+/g, " ").trim();
    const characters = [...text];
    return characters.length > LONGEST ? `${characters.slice(0, LONGEST).join("")}…` : text;
  };

  const made = () => {
    const box = document.createElement("p");
    const link = document.createElement("a");
    const key = document.createElement("kbd");
    box.className = "discuss-selection";
    link.textContent = "Remark on this sentence";
    key.textContent = "Tab";
    key.setAttribute("aria-hidden", "true");
    box.append(link, " ", key);
    // A click must not end the selection.
    box.addEventListener("mousedown", (event) => event.preventDefault());
    return box;
  };

  document.addEventListener("selectionchange", () => {
    const link = document.querySelector("[data-discuss]");
    const selection = document.getSelection();
    const note = document.querySelector("article.note");
    const inside = link && note && selection.rangeCount > 0 && !selection.isCollapsed && note.contains(selection.anchorNode) && note.contains(selection.focusNode);
    const text = inside ? quoted(selection) : "";
    clearTimeout(leaving);
    if (!text) {
      leaving = setTimeout(() => bar?.remove(), TAP);
      return;
    }
    bar ??= made();
    bar.firstChild.href = link.dataset.discuss.replace("%7Bquote%7D", encodeURIComponent(text));
    // A preview may have replaced the page meanwhile.
    if (!bar.isConnected) document.body.append(bar);
  });

  document.addEventListener("keydown", (event) => {
    if (!bar?.isConnected || event.altKey || event.ctrlKey || event.metaKey) return;
    const within = bar.contains(document.activeElement);
    if (event.key === "Tab" && !event.shiftKey && !within && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      before = document.activeElement;
      bar.firstChild.focus();
    } else if (event.key === "Escape" && within) {
      bar.firstChild.blur();
      before?.focus({ preventScroll: true });
      bar.remove();
    }
  });
})();
