// The tools above the photo, and the keys that stand for them.

const TOOLS = [
  ["click", "Choose what is under a click (C)"], ["lasso", "Choose by going around it (L)"],
  ["brush", "Choose by brushing over it (B)"], ["box", "Choose by a box (X)"],
];
const PENS = [
  ["pen", "Draw on the photo (P)"], ["eraser", "Rub out lines (E)"],
  ["move", "Move, scale and turn the object by its handles (V); arrows move it, + and - scale it, R turns it, M mirrors it"],
  ["split", "Split off: go around strokes, which become an object of their own (S)"],
];
const ACTS = {
  r: "turn", R: "turn-back", m: "mirror", h: "hide", "+": "bigger", "=": "bigger", "-": "smaller", Delete: "delete",
  Backspace: "delete", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "higher", ArrowDown: "lower",
};
const KEYS = { c: "click", l: "lasso", b: "brush", x: "box", p: "pen", e: "eraser", v: "move", s: "split" };

class Toolbar {
  constructor(side, stage, place) {
    Object.assign(this, { side, stage, model: side.model, place, buttons: {} });
    this.opener = fresh("input", "", place);
    Object.assign(this.opener, { type: "file", accept: "image/*,.json", hidden: true, ariaLabel: "Photo or saved scene" });
    this.opener.onchange = () => {
      if (this.opener.files.length) side.open(this.opener.files[0]);
      this.opener.value = "";
    };
    this.build();
    for (const name of ["tool", "adds", "can", "busy", "line", "size", "ready"]) model_on(this.model, name, () => this.show());
    this.show();
  }

  build() {
    const files = this.group("Files");
    this.word(files, "open", "Open…", "Open a photo, or a scene saved here; or drop one on the page", () => this.opener.click());
    this.word(files, "sample", "Sample", "A photo made by code, to try everything with", () => this.act("sample"));
    const steps = this.group("Steps");
    this.icon(steps, "undo", "Undo (Ctrl+Z)", () => this.act("undo"));
    this.icon(steps, "redo", "Redo (Ctrl+Shift+Z)", () => this.act("redo"));
    const choose = this.group("Choose what goes");
    for (const [tool, words] of TOOLS) this.icon(choose, tool, words, () => this.use(tool));
    this.icon(choose, "add", "Add to what is chosen", () => this.set("adds", true));
    this.icon(choose, "less", "Take from what is chosen", () => this.set("adds", false));
    this.icon(choose, "clear", "Choose nothing (Escape)", () => this.act("clear"));
    this.word(choose, "take-away", "Take away", "Fill what is chosen with what may be behind it (Enter)", () => this.act("take-away"));
    const draw = this.group("Draw");
    for (const [tool, words] of PENS) this.icon(draw, tool, words, () => this.use(tool));
    this.icon(draw, "turn", "Turn the object by 15° (R, back with Shift+R)", () => this.act("turn"));
    this.icon(draw, "mirror", "Mirror the object (M)", () => this.act("mirror"));
    fresh("span", "eg-photo-break", this.place);
    const look = this.group("Look");
    this.icon(look, "lines", "Show the drawn lines", () => this.toggleLines());
    this.icon(look, "compare", "Before and after: slide between them", () => this.compare());
    this.slider(look, "brush_px", "Brush", 2, 120);
    this.slider(look, "feather_px", "Feather", 0, 30);
    this.line = fresh("div", "eg-photo-line", this.place);
    this.line.setAttribute("role", "status");
    this.busy = fresh("div", "eg-photo-busy", this.place);
    this.progress = fresh("progress", "", this.busy);
    this.progress.max = 1;
    this.told = fresh("span", "", this.busy);
    this.word(this.busy, "stop", "Cancel", "Stop this; nothing is changed", () => this.act("stop"));
  }

  group(name) {
    const made = fresh("div", "eg-photo-group", this.place);
    made.setAttribute("role", "group");
    made.setAttribute("aria-label", name);
    return made;
  }

  icon(group, name, words, act) {
    const button = this.word(group, name, "", words, act);
    button.innerHTML = iconOf(name);
    button.classList.add("eg-icon");
    button.setAttribute("aria-label", words);
  }

  word(group, name, text, words, act) {
    const button = fresh("button", `jupyter-button eg-act-${name}`, group);
    Object.assign(button, { type: "button", textContent: text, title: words, onclick: act });
    this.buttons[name] = button;
    return button;
  }

  slider(group, name, words, least, most) {
    const label = fresh("label", `eg-photo-slider eg-photo-${name}`, group);
    label.append(words);
    const field = fresh("input", "", label);
    Object.assign(field, { type: "range", min: least, max: most, value: this.model.get(name), title: words });
    field.oninput = () => this.set(name, Number(field.value));
  }

  set(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  use(tool) {
    if (this.stage.comparing) this.compare();
    this.set("tool", tool);
  }

  act(name) {
    this.side.send({ do: "act", name });
  }

  toggleLines() {
    this.stage.lines = !this.stage.lines;
    this.stage.redraw();
    this.show();
  }

  compare() {
    this.stage.showBefore(!this.stage.comparing);
    this.show();
  }

  show() {
    const can = this.model.get("can"), tool = this.model.get("tool"), { buttons } = this;
    const allow = (name, allowed) => { buttons[name].disabled = !allowed; };
    for (const name of ["undo", "redo", "take-away", "clear"]) allow(name, can.includes(name));
    for (const name of ["turn", "mirror", "move", "split", "eraser"]) allow(name, can.includes("object"));
    for (const name of ["click", "lasso", "brush", "box", "add", "less", "pen", "lines", "compare"]) allow(name, can.includes("photo"));
    const press = (name, on) => {
      buttons[name].classList.toggle("eg-on", on);
      buttons[name].setAttribute("aria-pressed", String(on));
    };
    for (const [name] of [...TOOLS, ...PENS]) press(name, name === tool);
    press("add", this.model.get("adds"));
    press("less", !this.model.get("adds"));
    press("lines", this.stage.lines);
    press("compare", this.stage.comparing);
    this.place.querySelector(".eg-photo-brush_px").hidden = !["brush", "eraser"].includes(tool);
    this.place.querySelector(".eg-photo-feather_px").hidden = !TOOLS.some(([name]) => name === tool);
    const { words, share } = this.model.get("busy");
    this.busy.hidden = !words;
    this.line.hidden = Boolean(words);
    this.line.textContent = (this.model.get("ready") ? "" : "Loading the model… ") + this.model.get("line");
    if (!words) return;
    this.told.textContent = `${words}…`;
    if (share) this.progress.value = share;
    else this.progress.removeAttribute("value");
  }

  key(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") this.act(event.shiftKey ? "redo" : "undo");
      else if (key === "y") this.act("redo");
      else return false;
      return true;
    }
    if (event.altKey) return false;
    const can = this.model.get("can");
    const act = ACTS[event.shiftKey && key === "r" ? "R" : key] ?? ACTS[event.key];
    if (KEYS[key] && !this.buttons[KEYS[key]].disabled) this.use(KEYS[key]);
    else if (act && can.includes("object")) this.act(act);
    else if (key === "Escape" && can.includes("clear")) this.act("clear");
    else if (key === "Enter" && can.includes("take-away") && !event.target.closest("button")) this.act("take-away");
    else return false;
    return true;
  }
}
