// Files and folders that are dropped or chosen, sent to the kernel part by part; each part is waited for.

const PART_BYTES = 1 << 20; // far below what a websocket takes at once

async function* filesOf(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    yield { path, file: await new Promise((found, failed) => entry.file(found, failed)) };
    return;
  }
  const reader = entry.createReader();
  for (;;) { // some at a time
    const entries = await new Promise((found, failed) => reader.readEntries(found, failed));
    if (!entries.length) return;
    for (const each of entries) yield* filesOf(each);
  }
}

async function dropped(transfer) {
  const plain = [...transfer.files].map((file) => ({ path: file.name, file })); // at once: both go stale
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return plain;
  const files = [];
  for (const entry of entries) for await (const each of filesOf(entry)) files.push(each);
  return files;
}

const chosen = (input) => [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

class Sender {
  constructor(model, tell) {
    Object.assign(this, { model, tell, busy: false });
    model.on("msg:custom", (message) => this.answered?.(message.do));
  }

  ask(message, buffers = []) {
    return new Promise((done, failed) => {
      this.answered = (answer) => (answer === "taken" ? done() : failed(new Error(answer)));
      this.model.send(message, undefined, buffers);
    });
  }

  async send(files) {
    if (this.busy || !files.length) return;
    this.busy = true;
    try {
      await this.ask({ do: "begin" });
      for (const [number, each] of files.entries()) {
        this.tell(`Sending ${number + 1} of ${files.length}: ${each.path}`);
        await this.sendFile(each);
      }
      this.tell("Looking at what has come…");
      await this.ask({ do: "end" });
      this.tell("");
    } catch (error) { // what went wrong is told by the kernel
      this.tell("");
      console.warn("edgegan-widget: the upload ended early", error);
    } finally {
      this.busy = false;
    }
  }

  async sendFile({ path, file }) {
    for (let at = 0; at === 0 || at < file.size; at += PART_BYTES) {
      const part = await file.slice(at, at + PART_BYTES).arrayBuffer();
      await this.ask({ do: "part", path, first: at === 0 }, [part]);
    }
  }
}

function render({ model, el }) {
  el.innerHTML = `<div class="eg-drop"><span>Drop photos, folders of them, or a zip here</span>
    <span class="eg-drop-buttons"><button type="button" class="jupyter-button">Choose files…</button>
    <button type="button" class="jupyter-button">Choose a folder…</button></span>
    <small role="status"></small><input type="file" multiple hidden><input type="file" webkitdirectory hidden></div>`;
  const zone = el.querySelector(".eg-drop");
  const status = el.querySelector("small");
  const sender = new Sender(model, (text) => { status.textContent = text || model.get("told"); });
  status.textContent = model.get("told");
  model.on("change:told", () => { status.textContent = model.get("told"); });
  const inputs = el.querySelectorAll("input");
  el.querySelectorAll("button").forEach((button, place) => {
    button.onclick = () => inputs[place].click();
    inputs[place].onchange = () => { sender.send(chosen(inputs[place])); inputs[place].value = ""; };
  });
  zone.ondragover = (event) => { event.preventDefault(); zone.classList.add("eg-over"); };
  zone.ondragleave = () => zone.classList.remove("eg-over");
  zone.ondrop = async (event) => {
    event.preventDefault();
    event.stopPropagation();
    zone.classList.remove("eg-over");
    sender.send(await dropped(event.dataTransfer));
  };
}

export default { render };
