// The pen's ink, shown before the kernel has seen it, and what ipycanvas leaves to be mended:
//  - a stroke goes on outside the canvas and ends when the button is released anywhere (pointer capture),
//  - hovering, the right button and the wheel are not sent to the kernel, and the wheel scrolls the page.

const LET_GO_MS = 120; // the kernel's own ink is on the canvas this long after it said that it took a stroke

class Ink {
  constructor(side) {
    this.side = side;
    this.open = null; // the stroke being drawn
    this.pending = []; // strokes that the kernel has not taken yet
    this.lifted = 0;
  }

  get brush() {
    return this.side.model.get("brush") ?? {};
  }

  // The overlay above the canvas on which the ink is painted.
  overlayOf(canvas) {
    if (!this.overlay?.isConnected || this.canvas !== canvas) {
      this.canvas = canvas;
      this.overlay = document.createElement("canvas");
      this.overlay.className = "eg-overlay";
      canvas.parentElement.appendChild(this.overlay);
    }
    const side = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)); // as sharp as the screen, not more
    if (this.overlay.width !== side) {
      this.overlay.width = this.overlay.height = side;
      this.repaint();
    }
    return this.overlay;
  }

  place(event) {
    const box = this.overlay.getBoundingClientRect();
    const seconds = (event.timeStamp - this.open.began) / 1000;
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, Math.max(seconds, 0)];
  }

  begin(canvas, event) {
    this.end();
    canvas.setPointerCapture(event.pointerId);
    this.overlayOf(canvas);
    const { tool = "pen", width = 0.02 } = this.brush;
    this.open = { tool, width, points: [], began: event.timeStamp };
    this.move(event);
  }

  move(event) {
    if (!this.open) return;
    const { points, tool } = this.open;
    for (const moment of event.getCoalescedEvents?.().concat(event) ?? [event]) points.push(this.place(moment));
    if (tool === "pen") this.paint(this.open, Math.max(points.length - 8, 0));
  }

  end() {
    if (!this.open) return;
    const { tool, width, points } = this.open;
    this.open = null;
    this.lifted = Math.max(this.lifted + 1, Date.now()); // a number that no other page has given
    this.pending.push({ number: this.lifted, tool, width, points });
    this.side.storage?.change((record) => { record.pending = [...this.pending]; });
    const stroke = this.lifted; // told after the events that ipycanvas sends of the same lift
    setTimeout(() => this.side.send({ do: "lifted", stroke }), 30);
  }

  taken(stroke) {
    this.pending = this.pending.filter(({ number }) => number > stroke);
    this.side.storage?.change((record) => { record.pending = [...this.pending]; });
    setTimeout(() => this.repaint(), LET_GO_MS);
  }

  repaint() {
    if (!this.overlay) return;
    this.overlay.getContext("2d").clearRect(0, 0, this.overlay.width, this.overlay.height);
    for (const stroke of this.pending) this.paint(stroke, 0);
    if (this.open?.tool === "pen") this.paint(this.open, 0);
  }

  paint({ tool, width, points }, from) {
    const ink = this.overlay.getContext("2d");
    const side = this.overlay.width;
    const style = tool === "pen" ? "#000" : "#fff"; // what is rubbed out the kernel shows; until then it is white
    Object.assign(ink, { lineWidth: width * side, lineCap: "round", lineJoin: "round", strokeStyle: style });
    ink.beginPath();
    ink.moveTo(points[from][0] * side, points[from][1] * side);
    for (const [x, y] of points.slice(from)) ink.lineTo(x * side, y * side);
    ink.stroke();
  }

  // The eraser's size, around the pointer.
  hover(canvas, event) {
    const frame = canvas.parentElement;
    this.ring ??= Object.assign(document.createElement("div"), { className: "eg-ring" });
    if (this.ring.parentElement !== frame) frame.appendChild(this.ring);
    const { tool, width = 0 } = this.brush;
    const box = canvas.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    this.ring.hidden = tool !== "eraser" || !inside;
    const size = width * box.width;
    const [left, top] = [event.clientX - box.left - size / 2, event.clientY - box.top - size / 2];
    Object.assign(this.ring.style, { width: `${size}px`, height: `${size}px`, transform: `translate(${left}px, ${top}px)` });
  }
}

const canvasOf = (event) =>
  event.target instanceof HTMLCanvasElement && event.target.matches(".eg-ink") ? event.target : null;
const sideOf = (node) => {
  const app = node?.closest?.(".eg-app");
  return app && shared.sides.find((side) => [...side.places].some((place) => app.contains(place)));
};

const listenToPens = () => {
  const stop = (event) => event.stopImmediatePropagation();
  const on = (kind, act, options = true) => document.addEventListener(kind, (event) => {
    const canvas = canvasOf(event);
    if (canvas) act(event, canvas, sideOf(canvas)?.ink);
  }, options);

  on("pointerdown", (event, canvas, ink) => { if (event.button === 0 && event.isPrimary) ink?.begin(canvas, event); });
  on("pointermove", (event, canvas, ink) => { ink?.move(event); ink?.hover(canvas, event); });
  on("pointerup", (event, canvas, ink) => ink?.end());
  on("pointercancel", (event, canvas, ink) => ink?.end());
  on("pointerleave", (event, canvas, ink) => ink?.hover(canvas, event));
  on("mousedown", (event) => { if (event.button !== 0) stop(event); });
  on("mouseup", (event) => { if (event.button !== 0) stop(event); });
  on("mousemove", (event) => { if (!(event.buttons & 1)) stop(event); });
  on("mouseout", (event, canvas, ink) => { ink?.hover(canvas, event); if (event.buttons & 1) stop(event); });
  on("wheel", stop, { capture: true, passive: true });
};
