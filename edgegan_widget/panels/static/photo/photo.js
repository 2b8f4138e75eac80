// What anywidget calls: one side for each PhotoPad, and a view wherever it is shown.

class PhotoSide {
  constructor(model) {
    Object.assign(this, { model, views: new Set(), files: new Files(this), queue: Promise.resolve() });
    this.whole = document.createElement("canvas"); // the picture, for views that come later
    model.on("msg:custom", (message, buffers) => this.heard(message, buffers ?? []));
    this.begin();
  }

  async begin() {
    const scope = this.model.get("scope");
    const found = scope ? await this.files.find(scope).catch(() => null) : null;
    if (found && !this.model.get("size").length) await this.files.send(found.name, found.photo, "restore");
    this.send({ do: "hello", scene: found?.scene ?? null });
  }

  send(message) {
    try {
      this.model.send(message);
    } catch (error) { // without a kernel
      console.warn("edgegan-widget: not sent", message.do, error);
    }
  }

  async open(file) {
    await this.files.send(file.name, await file.arrayBuffer(), "open");
  }

  heard(message, buffers) {
    if (message.do === "taken") this.files.taken?.();
    else if (message.do === "save") this.files.save(message, buffers[0]);
    else if (message.do === "store") this.files.store(message, buffers[0]);
    else if (message.do === "inked") for (const { pointer } of this.views) pointer.inked(message.stroke);
    else if (message.do === "before") this.showBefore(buffers[0]);
    else if (message.do === "picture") this.queue = this.queue.then(() => this.draw(message, buffers[0])).catch(() => {});
  }

  showBefore(content) {
    if (this.before) URL.revokeObjectURL(this.before);
    this.before = URL.createObjectURL(new Blob([content], { type: "image/jpeg" }));
    for (const { stage } of this.views) stage.before.src = this.before;
  }

  // One part after the other, as they came.
  async draw({ x, y }, content) {
    const image = await createImageBitmap(new Blob([content], { type: "image/jpeg" }));
    const [width, height] = this.model.get("size");
    if (this.whole.width !== width || this.whole.height !== height) Object.assign(this.whole, { width, height });
    this.whole.getContext("2d").drawImage(image, x, y);
    for (const view of this.views) {
      view.stage.draw(image, x, y);
      view.pointer.held || view.stage.moving === null || view.pointer.free();
      view.stage.place.dispatchEvent(new CustomEvent("eg-painted"));
    }
    image.close();
  }

  show(place) {
    const frame = fresh("div", "eg-photo-view", place);
    const tools = fresh("div", "eg-photo-tools", frame);
    const room = fresh("div", "eg-photo-stage", frame);
    room.tabIndex = 0;
    room.setAttribute("role", "application");
    room.setAttribute("aria-label", "Photo; keys: P pen, V move, C click, arrows move the object, + and - scale, R turns, M mirrors");
    const empty = fresh("div", "eg-photo-empty", room);
    empty.innerHTML = "<p>Open a photo, or drop one here.<br>Then click what is to go, take it away, and draw something else in its place.</p>";
    const stage = new Stage(this, room);
    const view = { stage, pointer: new Pointer(this, stage), toolbar: new Toolbar(this, stage, tools), app: place };
    if (this.before) stage.before.src = this.before;
    if (this.whole.width && this.model.get("size").length) stage.draw(this.whole, 0, 0);
    this.views.add(view);
    this.takeDrops(frame);
    const keys = (event) => this.key(view, event);
    document.addEventListener("keydown", keys, true);
    stage.redraw();
    return () => {
      document.removeEventListener("keydown", keys, true);
      stage.close();
      this.views.delete(view);
    };
  }

  // A key counts on the photo and beside it, on the dashboard's page wherever no field has it.
  key({ stage, toolbar }, event) {
    const app = stage.place.closest(".eg-photo-app") ?? stage.place;
    const own = app.contains(event.target) || (document.body.dataset.voila && event.target === document.body);
    if (!own || !stage.place.offsetParent) return;
    if (event.target.matches("textarea, input:not([type=checkbox]):not([type=range])")) return;
    if (event.target.matches("select") && !(event.ctrlKey || event.metaKey)) return; // letters choose from the list
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (!toolbar.key(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  takeDrops(frame) {
    frame.ondragover = (event) => { event.preventDefault(); frame.classList.add("eg-over"); };
    frame.ondragleave = () => frame.classList.remove("eg-over");
    frame.ondrop = (event) => {
      event.preventDefault();
      event.stopPropagation();
      frame.classList.remove("eg-over");
      if (event.dataTransfer.files.length) this.open(event.dataTransfer.files[0]);
    };
  }

  close() {
    this.files.storage?.write();
  }
}

const photoSides = new Map();

export default {
  initialize({ model }) {
    const side = new PhotoSide(model);
    photoSides.set(model.get("uid"), side); // what it is rendered with is another object
    return () => {
      side.close();
      photoSides.delete(model.get("uid"));
    };
  },
  render({ model, el }) {
    return photoSides.get(model.get("uid"))?.show(el);
  },
};
