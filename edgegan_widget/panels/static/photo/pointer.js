// Mouse, pen and finger on the photo. One pointer works; the others are left alone.

const NEAR = 14; // of the screen's pixels: how near to a handle one has to come
const FRAME_MS = 16;
const STEP_MS = 40; // a moved box is told this often

class Pointer {
  constructor(side, stage) {
    Object.assign(this, { side, stage, model: side.model, id: null, lifted: 0 });
    const overlay = stage.overlay;
    overlay.addEventListener("pointerdown", (event) => this.down(event));
    overlay.addEventListener("pointermove", (event) => this.move(event));
    overlay.addEventListener("pointerup", (event) => this.up(event));
    overlay.addEventListener("pointercancel", (event) => this.up(event));
    overlay.addEventListener("lostpointercapture", (event) => this.up(event));
  }

  // A place of the page in shown pixels.
  at(event) {
    const box = this.stage.overlay.getBoundingClientRect(), [width, height] = this.model.get("size");
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  }

  // Shown pixels in one of the screen's.
  get unit() {
    return this.model.get("size")[0] / Math.max(this.stage.overlay.clientWidth, 1);
  }

  down(event) {
    if (event.button !== 0 || !event.isPrimary || !this.model.get("size").length) return;
    this.id = event.pointerId;
    this.stage.overlay.setPointerCapture(event.pointerId);
    this.stage.place.focus({ preventScroll: true });
    event.preventDefault();
    const tool = this.model.get("tool"), place = this.at(event);
    if (tool === "pen" || tool === "eraser") this.beginInk(tool, place, event);
    else if (tool === "move") this.grab(place);
    else this.stage.shape = [place];
    this.stage.redraw();
  }

  move(event) {
    if (event.pointerId !== this.id) return this.hover(event);
    const moments = event.getCoalescedEvents?.() ?? [];
    for (const moment of moments.length ? moments : [event]) this.follow(this.at(moment), moment);
    this.stage.redraw();
  }

  follow(place, event) {
    if (this.ink) {
      this.ink.points.push([...place, (event.timeStamp - this.ink.began) / 1000]);
      this.sendInk();
    } else if (this.held) this.drag(place);
    else if (this.stage.shape.length) this.stage.shape.push(place);
  }

  up(event) {
    if (event.pointerId !== this.id) return;
    this.id = null;
    if (this.ink) this.endInk();
    else if (this.held) this.letGo();
    else if (this.stage.shape.length) this.endShape();
    this.stage.redraw();
  }

  // Ink: shown at once, told at once as well, but no more often than once a frame.
  beginInk(tool, place, event) {
    this.lifted = Math.max(this.lifted + 1, Date.now());
    const width = (tool === "eraser" ? this.model.get("brush_px") : 3) * this.unit;
    this.ink = { stroke: this.lifted, tool, width, points: [[...place, 0]], told: 0, began: event.timeStamp };
    this.stage.ink.push(this.ink);
    this.sendInk();
  }

  sendInk(done = false) {
    if (this.sending && !done) return;
    cancelAnimationFrame(this.sending);
    const send = (ink) => {
      this.sending = null;
      this.sentAt = performance.now();
      const points = ink.points.slice(ink.told);
      ink.told = ink.points.length;
      const { stroke, tool, width } = ink;
      if (points.length || done) this.side.send({ do: "ink", stroke, tool, width, points, done });
    };
    const ink = this.ink;
    if (done || performance.now() - (this.sentAt ?? 0) > FRAME_MS) send(ink);
    else this.sending = requestAnimationFrame(() => send(ink));
  }

  endInk() {
    this.sendInk(true);
    this.ink = null;
  }

  // The kernel has it: it comes back as a stroke of the object.
  inked(stroke) {
    this.stage.ink = this.stage.ink.filter((each) => each.stroke > stroke);
    this.stage.redraw();
  }

  endShape() {
    const tool = this.model.get("tool"), points = this.stage.shape;
    this.stage.shape = [];
    const enough = tool === "click" || tool === "brush" || points.length > 2;
    const width = this.model.get("brush_px") * this.unit;
    if (enough) this.side.send({ do: "shape", tool, width, points: tool === "click" ? points.slice(-1) : points });
  }

  // Which handle, or object, is under a place.
  found(place) {
    const near = ([x, y]) => Math.hypot(x - place[0], y - place[1]) < NEAR * this.unit;
    const object = this.stage.selected;
    if (object) {
      const { turn, corners } = this.stage.handles(object);
      if (near(turn)) return "turn";
      if (corners.some(near)) return "size";
      if (this.inside(object, place)) return "move";
    }
    return null;
  }

  inside(object, place) {
    const [right, below] = unturned(object, place);
    return Math.abs(right) < object.box[2] / 2 && Math.abs(below) < object.box[3] / 2;
  }

  grab(place) {
    const how = this.found(place);
    if (!how) {
      const all = this.model.get("placed");
      const number = all.findLastIndex((each) => !each.hidden && this.inside(each, place));
      if (number >= 0) this.side.send({ do: "pick", number });
      return;
    }
    this.held = { how, from: place, object: this.stage.selected };
  }

  drag(place) {
    const { how, from, object } = this.held, [x, y, width, height] = object.box;
    const middle = [x + width / 2, y + height / 2];
    const away = (at) => Math.hypot(at[0] - middle[0], at[1] - middle[1]);
    const angle = (at) => (Math.atan2(at[1] - middle[1], at[0] - middle[0]) * 180) / Math.PI;
    const moved = { ...object };
    if (how === "move") moved.box = [x + place[0] - from[0], y + place[1] - from[1], width, height];
    else if (how === "turn") moved.turned = (object.turned + angle(place) - angle(from) + 360) % 360;
    else {
      const side = Math.max(width * (away(place) / Math.max(away(from), 1)), 8 * this.unit);
      moved.box = [middle[0] - side / 2, middle[1] - side / 2, side, side];
    }
    this.stage.moving = moved;
    const now = performance.now();
    if (now - (this.toldAt ?? 0) > STEP_MS) {
      this.toldAt = now;
      this.sendBox(moved, false);
    }
  }

  letGo() {
    this.held = null;
    if (this.stage.moving) this.sendBox(this.stage.moving, true);
    const moved = this.stage.moving; // until the kernel's own comes
    setTimeout(() => { if (this.stage.moving === moved) this.free(); }, 600);
  }

  free() {
    this.stage.moving = null;
    this.stage.redraw();
  }

  sendBox({ box, turned, mirrored }, done) {
    this.side.send({ do: "box", box, turned, mirrored, done });
  }

  hover(event) {
    const tool = this.model.get("tool");
    const how = tool === "move" && this.model.get("size").length ? this.found(this.at(event)) : null;
    const looks = { turn: "grab", size: "nwse-resize", move: "move" };
    this.stage.overlay.style.cursor = looks[how] ?? (tool === "move" ? "default" : "crosshair");
  }
}
