"use strict";
(() => {
  const line = document.getElementById("queue");
  const stream = new EventSource(document.body.dataset.stream);
  stream.addEventListener("board", (event) => {
    const board = JSON.parse(event.data);
    document.getElementById("waiting-count").textContent = board.waiting.length;
    // The list below is what it was when the page was made; a reload is the clerk's to ask for.
    document.getElementById("changed").hidden =
      line.dataset.first === (board.waiting[0]?.ticket ?? "") &&
      line.dataset.count === String(board.waiting.length);
  });
  // One key each, where nothing is being typed (WCAG 2.1.4: they can be turned off).
  const off = document.getElementById("keys");
  off.checked = localStorage.getItem("keys") !== "off";
  off.addEventListener("change", () => localStorage.setItem("keys", off.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!off.checked || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
    const button = document.querySelector(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });
})();
