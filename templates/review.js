// Lets a reader write about a sentence: whatever is selected in the note is quoted in the remark.
(() => {
  const LONGEST = 500;
  let bar;

  // The sentence, on one line, and shortened if it is more than one can quote.
  const quoted = (selection) => {
    const text = selection.toString().replace(/\s+/g, " ").trim();
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  };

  document.addEventListener("selectionchange", () => {
    const link = document.querySelector("[data-discuss]");
    const selection = document.getSelection();
    const note = document.querySelector("article.note");
    const inside = link && note && selection.rangeCount > 0 && !selection.isCollapsed && note.contains(selection.anchorNode) && note.contains(selection.focusNode);
    const text = inside ? quoted(selection) : "";
    if (!text) {
      bar?.remove();
      return;
    }
    if (!bar) {
      bar = document.createElement("p");
      bar.className = "discuss-selection";
      bar.append(document.createElement("a"));
      bar.firstChild.textContent = "Remark on this sentence";
    }
    bar.firstChild.href = link.dataset.discuss.replace("%7Bquote%7D", encodeURIComponent(text));
    // A preview may have replaced the page meanwhile.
    if (!bar.isConnected) document.body.append(bar);
  });
})();
