// What anywidget calls: one Side for each pad, and a view of its history wherever it is shown.

class Side {
  constructor(model) {
    this.model = model;
    this.uid = model.get("uid");
    this.places = new Set(); // elements of the page in which it is shown
    this.views = new Set();
    this.looks = [];
    this.ink = new Ink(this);
    this.pulse = new Pulse(model, (text) => this.say(text));
    model.on("msg:custom", (message, buffers) => this.heard(message, buffers));
    this.shown = new Promise((done) => { this.isShown = done; });
    this.begin();
  }

  // The kernel's answer sets other widgets: what is sent to one that the page has not made yet is lost, so it is asked
  // for once the pad is on the page.
  async begin() {
    const scope = this.model.get("scope");
    let record = null;
    if (scope) {
      this.storage = new Storage(scope);
      record = await this.storage.find();
    }
    await this.shown;
    this.send({ do: "hello", record });
  }

  send(message) {
    try {
      this.model.send(message);
    } catch (error) { // without a kernel; what was drawn is stored
      console.warn("edgegan-widget: not sent", message.do, error);
    }
  }

  heard(message, buffers) {
    this.pulse.answered();
    const change = (act) => this.storage?.change(act);
    if (message.do === "taken") this.ink.taken(message.stroke);
    else if (message.do === "save") this.save(message, buffers[0]);
    else if (message.do === "copy") this.copy(message, buffers[0]);
    else if (message.do === "choices") change((record) => { record.choices = message.choices; });
    else if (message.do === "remember") {
      change((record) => { record.remembered = { ...record.remembered, [message.name]: message.value }; });
    } else if (message.do === "strokes") {
      change((record) => { record.strokes = message.more ? [...record.strokes, ...message.strokes] : message.strokes; });
    } else if (message.do === "look") {
      this.keep(message.look);
      change((record) => { record.looks = this.looks; });
    } else if (message.do === "all") {
      this.looks = message.looks;
      for (const view of this.views) view.all(this.looks);
      const { strokes, choices } = message;
      change((record) => Object.assign(record, { strokes, choices, looks: this.looks, pending: [...this.ink.pending] }));
    }
  }

  keep(look) {
    const before = this.looks.findIndex(({ number }) => number === look.number);
    const starred = before >= 0 && this.looks[before].starred !== look.starred;
    if (starred) this.looks[before] = look;
    else this.looks = [...this.looks.filter(({ number }) => number !== look.number), look];
    for (const view of this.views) starred ? view.change(look) : view.add(look);
  }

  show(place) {
    const view = new HistoryView(place, (message) => this.send(message), () => this.forget());
    view.all(this.looks);
    this.places.add(place);
    this.views.add(view);
    this.isShown();
    this.say(this.said ?? "");
    return () => {
      this.places.delete(place);
      this.views.delete(view);
    };
  }

  async forget() {
    await this.storage?.forget();
    this.send({ do: "forget" });
  }

  // A line across the pad; none where the text is empty.
  say(text) {
    this.said = text;
    for (const place of this.places) {
      const app = place.closest(".eg-app"), frame = app?.querySelector(".eg-frame");
      if (!frame) continue;
      app.classList.toggle("eg-lost", Boolean(text));
      let banner = frame.querySelector(".eg-banner");
      if (!banner) frame.append((banner = make("div", { className: "eg-banner", role: "status" })));
      if (banner.textContent !== text) banner.textContent = text;
    }
  }

  save({ name, type }, content) {
    const address = URL.createObjectURL(new Blob([content], { type }));
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  async copy({ name, type }, content) {
    try {
      if (type === "image/png") await navigator.clipboard.write([new ClipboardItem({ [type]: new Blob([content], { type }) })]);
      else if (/json|svg/.test(type)) await navigator.clipboard.writeText(new TextDecoder().decode(content));
      else this.save({ name, type }, content);
    } catch { // not allowed without HTTPS, and not everywhere with it
      this.save({ name, type }, content);
    }
  }

  close() {
    this.pulse.close();
    this.storage?.write();
    shared.sides = shared.sides.filter((side) => side !== this);
  }
}

const dress = (root) => {
  for (const canvas of root.querySelectorAll?.("canvas.eg-ink") ?? []) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Drawing pad: draw with mouse, pen or finger");
    canvas.style.touchAction = "none";
  }
};

const listen = () => {
  if (shared.listening) return;
  shared.listening = true;
  listenToPens();
  listenToKeys();
  addEventListener("pagehide", () => shared.sides.forEach((side) => side.storage?.write()));
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) {
      if (node.nodeType === 1) dress(node.parentElement ?? node);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
  dress(document);
};

export default {
  initialize({ model }) {
    listen();
    const side = new Side(model);
    shared.sides.push(side);
    return () => side.close();
  },
  render({ model, el }) {
    const uid = model.get("uid");
    return shared.sides.find((side) => side.uid === uid)?.show(el);
  },
};
