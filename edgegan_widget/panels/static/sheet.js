// Keys of a contact sheet. What a key does is what a click on the button does, so the sheet works without it.
// On the page they work as long as the sheet is in sight; in a notebook cell once something in the sheet has the focus.
(() => {
  if (window.edgeganSheet) return;
  window.edgeganSheet = true;

  const names = {
    a: "accept", r: "refuse", c: "leave", u: "take-back", z: "zoom", " ": "key-tick",
    ArrowLeft: "key-left", ArrowRight: "key-right",
  };
  const inSight = () => [...document.querySelectorAll(".eg-sheet")].filter((sheet) => sheet.offsetParent);
  const tiles = (sheet) => [...sheet.querySelectorAll(".eg-contact:not(.eg-hidden)")];
  const columns = (sheet) => {
    const tops = tiles(sheet).map((tile) => tile.offsetTop);
    return tops.filter((top) => top === tops[0]).length;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (typing && (typing.type !== "checkbox" || event.key === " ")) return;
    const around = event.target.closest?.(".eg-sheet");
    const sheet = around ?? (document.body.dataset.voila && inSight().length === 1 ? inSight()[0] : null);
    if (!sheet || (!around && event.target.closest?.("button, [role=tab]"))) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const down = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (event.target.closest?.("button") && key === " " && !event.target.closest(".eg-strip")) return;
    if (!names[key] && !down) return;
    event.preventDefault();
    event.stopPropagation(); // or JupyterLab would take A for a new cell
    pressed = performance.now();
    const name = names[key] ?? (down < 0 ? "key-left" : "key-right");
    const button = sheet.querySelector(`button.eg-${name}`);
    for (let times = down ? columns(sheet) : 1; times > 0; times -= 1) button?.click();
  }, true);

  // After a key the picture in focus is scrolled into sight, and has the browser's focus where another picture had it.
  let pressed = -Infinity; // when a key moved or decided last
  const follow = (tile) => {
    if (performance.now() - pressed > 2000) return;
    const sheet = tile.closest(".eg-sheet");
    if (!sheet?.offsetParent) return;
    const held = document.activeElement?.closest?.(".eg-strip");
    if (held && sheet.contains(held)) tile.querySelector("button")?.focus({ preventScroll: true });
    tile.scrollIntoView({ block: "nearest" });
  };
  const had = new WeakSet();
  const look = (node) => {
    if (!node.classList?.contains("eg-contact")) return;
    if (!node.classList.contains("eg-focus")) had.delete(node);
    else if (!had.has(node)) {
      had.add(node);
      follow(node);
    }
  };
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      look(target);
      if (target.matches?.("button.eg-hello:not([data-done])")) { // its class came after it
        target.dataset.done = "1";
        target.click();
      }
    }
  }).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: ["class"] });
})();
