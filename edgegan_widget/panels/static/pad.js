// Mends the browser's side of an ipycanvas pad. The pad works without it; with it
//  - a stroke goes on outside the canvas and ends when the button is released anywhere (pointer capture),
//  - hovering, the right button and the wheel are not sent to the kernel, and the wheel scrolls the page,
//  - Tab leaves the canvas, and the pad has a role and a name,
//  - ink shows under the pen at once, whatever the way to the kernel and back,
//  - keys work: undo, redo, clear, brush width, eraser,
//  - a prepared file downloads by itself.
(() => {
  if (window.edgeganPad) return;
  window.edgeganPad = true;

  const stop = (event) => event.stopImmediatePropagation();
  const canvasOf = (event) =>
    event.target instanceof HTMLCanvasElement && event.target.matches(".eg-ink") ? event.target : null;

  // The overlay above the canvas, on which ink is painted before the kernel has seen it.
  const overlays = new WeakMap();
  const overlayOf = (canvas) => {
    let overlay = overlays.get(canvas);
    if (!overlay || !overlay.isConnected) {
      overlay = document.createElement("canvas");
      overlay.className = "eg-overlay";
      canvas.parentElement.appendChild(overlay);
      overlays.set(canvas, overlay);
    }
    const side = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)); // as sharp as the screen, not more
    if (overlay.width !== side) overlay.width = overlay.height = side;
    return overlay;
  };

  let pen = null; // the stroke being drawn: canvas, context, last point

  const place = (overlay, event) => {
    const box = overlay.getBoundingClientRect();
    return [((event.clientX - box.left) * overlay.width) / box.width,
            ((event.clientY - box.top) * overlay.height) / box.height];
  };

  const paint = (event) => {
    for (const moment of event.getCoalescedEvents?.().concat(event) ?? [event]) {
      const [x, y] = place(pen.overlay, moment);
      pen.ink.beginPath();
      pen.ink.moveTo(...pen.last);
      pen.ink.lineTo(x, y);
      pen.ink.stroke();
      pen.last = [x, y];
    }
  };

  document.addEventListener("pointerdown", (event) => {
    const canvas = canvasOf(event);
    if (!canvas || event.button !== 0 || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    const brush = canvas.closest(".eg-app")?.querySelector(".eg-brush")?.dataset ?? {};
    if (brush.tool === "eraser") return;
    const overlay = overlayOf(canvas);
    const ink = overlay.getContext("2d");
    clearTimeout(overlay.clearing);
    Object.assign(ink, { lineWidth: Number(brush.width || 0.02) * overlay.width, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
    pen = { canvas, overlay, ink, last: place(overlay, event) };
    paint(event);
  }, true);
  document.addEventListener("pointermove", (event) => {
    if (pen && event.target === pen.canvas) paint(event);
  }, true);
  const lift = (event) => {
    if (!pen || event.target !== pen.canvas) return;
    const { overlay } = pen;
    // By then the kernel's own ink has arrived; if it has not, the line reappears when it does.
    overlay.clearing = setTimeout(() => overlay.getContext("2d").clearRect(0, 0, overlay.width, overlay.height), 400);
    pen = null;
  };
  document.addEventListener("pointerup", lift, true);
  document.addEventListener("pointercancel", lift, true);

  document.addEventListener("mousedown", (event) => { if (canvasOf(event) && event.button !== 0) stop(event); }, true);
  document.addEventListener("mouseup", (event) => { if (canvasOf(event) && event.button !== 0) stop(event); }, true);
  document.addEventListener("mousemove", (event) => { if (canvasOf(event) && !(event.buttons & 1)) stop(event); }, true);
  document.addEventListener("mouseout", (event) => { if (canvasOf(event) && event.buttons & 1) stop(event); }, true);
  document.addEventListener("wheel", (event) => { if (canvasOf(event)) stop(event); }, { capture: true, passive: true });

  // Keys. What a key does is what a click on the tool's button does.
  const press = (app, name) => app.querySelector(`.eg-${name}`)?.click();
  const tools = { e: "eraser", p: "pen", b: "pen", "[": "thinner", "]": "thicker", Delete: "clear" };
  document.addEventListener("keydown", (event) => {
    const onCanvas = canvasOf(event);
    if (onCanvas) stop(event); // ipycanvas would swallow Tab and every shortcut of the browser
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const pads = [...document.querySelectorAll("canvas.eg-ink")].filter((canvas) => canvas.offsetParent);
    const pad = document.body.dataset.voila && pads.length === 1 ? pads[0] : null; // the only one in sight
    const app = [event.target, pad].map((from) => from?.closest?.(".eg-app")).find((found) =>
      found && pads.some((canvas) => found.contains(canvas)));
    if (!app || (typing && !["checkbox", "range"].includes(typing.type))) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    let name = null;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") name = event.shiftKey ? "redo" : "undo";
      else if (key === "y") name = "redo";
    } else if (!event.altKey) name = tools[key];
    if (!name) return;
    event.preventDefault();
    event.stopPropagation();
    press(app, name);
  }, true);

  const dress = (root) => {
    for (const canvas of root.querySelectorAll?.("canvas.eg-ink") ?? []) {
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", "Drawing pad: draw with mouse, pen or finger");
      canvas.style.touchAction = "none";
    }
    for (const hello of root.querySelectorAll?.("button.eg-hello:not([data-done])") ?? []) {
      hello.dataset.done = "1";
      hello.click();
    }
    for (const link of root.querySelectorAll?.("a.eg-download:not([data-done])") ?? []) {
      link.dataset.done = "1";
      link.click();
    }
  };
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) {
      if (node.nodeType === 1) dress(node.parentElement ?? node);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
  dress(document);
})();
