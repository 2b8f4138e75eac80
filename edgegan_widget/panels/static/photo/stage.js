// What is seen: the picture, and above it what is chosen, the ink, and the handles of the selected object.
// All places are in shown pixels, those of the picture; only the handles' sizes follow the screen.

const HANDLE = 6; // of the screen's pixels
const TURNER = 26; // how far above the box one turns it
const TINT = "rgba(255, 64, 129, 0.32)";
const DRAWS = ["pen", "eraser", "split"];

const fresh = (kind, className, parent) => {
  const made = document.createElement(kind);
  made.className = className;
  parent?.append(made);
  return made;
};

// Places in fractions of an object's box -> shown pixels, and its corners, turned and mirrored.
const turner = ({ box: [x, y, width, height], turned, mirrored }) => {
  const turn = (turned * Math.PI) / 180, [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return (across, down) => {
    const [right, below] = [((mirrored ? 1 - across : across) - 0.5) * width, (down - 0.5) * height];
    return [x + width / 2 + right * cos - below * sin, y + height / 2 + right * sin + below * cos];
  };
};
const unturned = ({ box: [x, y, width, height], turned }, [px, py]) => {
  const turn = (-turned * Math.PI) / 180, [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const [right, below] = [px - x - width / 2, py - y - height / 2];
  return [right * cos - below * sin, right * sin + below * cos]; // from the middle of the box
};

class Stage {
  constructor(side, place) {
    Object.assign(this, { side, model: side.model, place, shape: [], ink: [], compare: null, lines: true });
    this.picture = fresh("canvas", "eg-photo-picture", place);
    this.overlay = fresh("canvas", "eg-photo-overlay", place);
    this.before = fresh("img", "eg-photo-before", place);
    this.before.alt = "The photo as it was opened";
    this.wiper = fresh("input", "eg-photo-wiper", place);
    Object.assign(this.wiper, { type: "range", min: 0, max: 100, value: 50, ariaLabel: "How much of the photo as it was is shown" });
    this.wiper.oninput = () => this.wipe();
    this.overlay.setAttribute("role", "img");
    this.overlay.setAttribute("aria-label", "The photo: choose, draw and move with mouse, pen or finger");
    this.showBefore(false);
    this.resizing = new ResizeObserver(() => this.redraw());
    this.resizing.observe(place);
    for (const name of ["size", "placed", "selected", "guide", "chosen", "tool"]) model_on(this.model, name, () => this.redraw());
    this.fit();
  }

  get selected() {
    return this.moving ?? this.model.get("placed")[this.model.get("selected")];
  }

  // The canvas as large as the picture; what was on it is gone then.
  fit() {
    const [width, height] = this.model.get("size");
    this.place.classList.toggle("eg-photo-none", !width);
    if (!width) return;
    this.place.style.setProperty("--eg-ratio", width / height);
    if (this.picture.width !== width || this.picture.height !== height) {
      Object.assign(this.picture, { width, height });
    }
  }

  draw(image, x, y) {
    this.fit();
    this.picture.getContext("2d").drawImage(image, x, y);
  }

  showBefore(on) {
    this.comparing = on;
    this.place.classList.toggle("eg-photo-comparing", on); // without handles in the way
    this.before.hidden = this.wiper.hidden = !on;
    this.wipe();
  }

  wipe() {
    this.before.style.clipPath = `inset(0 ${100 - this.wiper.value}% 0 0)`;
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.fit();
      this.paint();
    });
  }

  paint() {
    const [width, height] = this.model.get("size");
    if (!width || !this.overlay.clientWidth) return;
    const dense = window.devicePixelRatio || 1;
    const size = [Math.round(this.overlay.clientWidth * dense), Math.round(this.overlay.clientHeight * dense)];
    if (this.overlay.width !== size[0] || this.overlay.height !== size[1]) [this.overlay.width, this.overlay.height] = size;
    const brush = this.overlay.getContext("2d");
    this.scale = size[0] / width; // overlay pixels in a shown one
    this.dense = dense;
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, ...size);
    brush.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    brush.lineCap = brush.lineJoin = "round";
    this.paintChosen(brush);
    const tool = this.model.get("tool"), object = this.selected;
    if (this.lines && DRAWS.includes(tool) && object && !object.hidden) this.paintStrokes(brush, object);
    if (DRAWS.includes(tool) && !object && !this.ink.length) this.paintGuide(brush);
    for (const stroke of this.ink) this.paintLine(brush, stroke.points, stroke.width, stroke.tool);
    if (tool === "move" && object) this.paintHandles(brush, object);
    this.paintShape(brush);
  }

  paintChosen(brush) {
    const outlines = this.model.get("chosen");
    if (!outlines.length) return;
    const path = new Path2D();
    for (const flat of outlines) {
      path.moveTo(flat[0] + 0.5, flat[1] + 0.5);
      for (let at = 2; at < flat.length; at += 2) path.lineTo(flat[at] + 0.5, flat[at + 1] + 0.5);
      path.closePath();
    }
    brush.fillStyle = TINT;
    brush.fill(path, "evenodd");
    this.dashed(brush, path);
  }

  // White with black dashes, to be seen on everything.
  dashed(brush, path) {
    const unit = this.dense / this.scale;
    brush.lineWidth = 1.5 * unit;
    brush.strokeStyle = "#fff";
    brush.stroke(path);
    brush.setLineDash([4 * unit, 4 * unit]);
    brush.strokeStyle = "#111";
    brush.stroke(path);
    brush.setLineDash([]);
  }

  paintStrokes(brush, object) {
    const at = turner(object);
    for (const { points, width, tool } of object.strokes) {
      this.paintLine(brush, points.map(([x, y]) => at(x, y)), width * object.box[2], tool);
    }
  }

  paintLine(brush, points, width, tool) {
    if (!points.length) return;
    const unit = this.dense / this.scale;
    const draw = (colour, wide) => {
      brush.strokeStyle = colour;
      brush.lineWidth = wide;
      brush.beginPath();
      brush.moveTo(...points[0]);
      for (const [x, y] of points) brush.lineTo(x, y);
      brush.stroke();
    };
    if (tool === "eraser") return draw("rgba(255, 255, 255, 0.35)", width);
    const thin = Math.min(width, 2.5 * unit);
    draw("rgba(255, 255, 255, 0.75)", thin + 2 * unit);
    draw("#111", thin);
  }

  paintGuide(brush) {
    const [x, y, width, height] = this.model.get("guide");
    if (!width) return;
    const path = new Path2D();
    path.rect(x, y, width, height);
    brush.globalAlpha = 0.6;
    this.dashed(brush, path);
    brush.globalAlpha = 1;
  }

  handles(object) {
    const at = turner({ ...object, mirrored: false });
    const above = TURNER * this.dense / this.scale / object.box[3];
    return { turn: at(0.5, -above), corners: [at(0, 0), at(1, 0), at(1, 1), at(0, 1)], top: at(0.5, 0) };
  }

  paintHandles(brush, object) {
    const { turn, corners, top } = this.handles(object), unit = this.dense / this.scale;
    const path = new Path2D();
    path.moveTo(...corners[3]);
    for (const corner of corners) path.lineTo(...corner);
    path.moveTo(...top);
    path.lineTo(...turn);
    this.dashed(brush, path);
    for (const [x, y] of [...corners, turn]) {
      brush.beginPath();
      brush.arc(x, y, HANDLE * unit, 0, 7);
      brush.fillStyle = "#fff";
      brush.strokeStyle = "#1976d2";
      brush.lineWidth = 2 * unit;
      brush.fill();
      brush.stroke();
    }
  }

  // What is gone around right now.
  paintShape(brush) {
    const points = this.shape, tool = this.model.get("tool");
    if (points.length < 2) return;
    if (tool === "brush") {
      brush.strokeStyle = TINT;
      brush.lineWidth = this.model.get("brush_px") * this.dense / this.scale;
      brush.beginPath();
      for (const [x, y] of points) brush.lineTo(x, y);
      brush.stroke();
      return;
    }
    const path = new Path2D(), [first, last] = [points[0], points.at(-1)];
    if (tool === "box") path.rect(first[0], first[1], last[0] - first[0], last[1] - first[1]);
    else for (const [x, y] of points) path.lineTo(x, y);
    this.dashed(brush, path);
  }

  close() {
    this.resizing.disconnect();
  }
}

const model_on = (model, name, act) => model.on(`change:${name}`, act);
