// Keys. A key does what a click on the tool's button does; Tab leaves the canvas.

const TOOLS = { e: "eraser", p: "pen", b: "pen", "[": "thinner", "]": "thicker", Delete: "clear" };

const toolOf = (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") return event.shiftKey ? "redo" : "undo";
    return key === "y" ? "redo" : null;
  }
  return event.altKey ? null : TOOLS[key];
};

const listenToKeys = () => document.addEventListener("keydown", (event) => {
  if (canvasOf(event)) event.stopImmediatePropagation(); // ipycanvas would swallow Tab and every shortcut of the browser
  if (event.key === "Enter" && event.target.closest?.(".eg-colour input[type=text]")) { // JupyterLab keeps Enter to itself
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing && !["checkbox", "range"].includes(typing.type)) return;
  const pads = [...document.querySelectorAll("canvas.eg-ink")].filter((canvas) => canvas.offsetParent);
  const pad = document.body.dataset.voila && pads.length === 1 ? pads[0] : null; // the only one in sight
  const app = [event.target, pad].map((from) => from?.closest?.(".eg-app")).find((found) =>
    found && pads.some((canvas) => found.contains(canvas)));
  const side = sideOf(app), name = toolOf(event);
  if (!side || !name) return;
  event.preventDefault();
  event.stopPropagation();
  side.send({ do: "tool", name });
}, true);
