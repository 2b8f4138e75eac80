// Files on their way: to the kernel in parts, from it to the person's disk, and into the browser's storage.

const PART_BYTES = 1 << 20; // servers refuse messages of more than some MB

class Files {
  constructor(side) {
    this.side = side;
  }

  // Send a file in parts, each once the one before has come.
  async send(name, content, purpose) {
    for (let at = 0; at === 0 || at < content.byteLength; at += PART_BYTES) {
      const message = { do: "part", name, purpose, first: at === 0, last: at + PART_BYTES >= content.byteLength };
      const taken = new Promise((done) => { this.taken = done; });
      this.side.model.send(message, undefined, [content.slice(at, at + PART_BYTES)]);
      await taken;
    }
  }

  save({ name, type }, content) {
    const address = URL.createObjectURL(new Blob([content], { type }));
    Object.assign(document.createElement("a"), { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  // What this page, or the last one that is closed, had stored: the scene, and its photo, which lies beside it.
  async find(scope) {
    this.storage = new Storage(scope);
    const record = await this.storage.find();
    if (!record?.scene) return null;
    const photo = await within("readonly", (pads) => pads.get(record.photoKey)).catch(() => null);
    await this.sweep(scope);
    return photo ? { scene: record.scene, name: photo.name, photo: photo.content } : null;
  }

  // Photos of scenes that are gone.
  async sweep(scope) {
    const all = await within("readonly", (pads) => pads.getAll()).catch(() => []);
    const used = new Set(all.map((one) => one.photoKey));
    for (const one of all) {
      if (one.scope === `${scope}|photo` && !used.has(one.key)) await within("readwrite", (pads) => pads.delete(one.key));
    }
  }

  async store({ scene, name }, photo) {
    const { storage } = this;
    if (!storage?.record) return;
    if (photo) {
      const key = `${storage.record.key}|photo`, content = new Uint8Array(photo.buffer ?? photo, photo.byteOffset ?? 0, photo.byteLength).slice().buffer;
      storage.record.photoKey = key;
      const kept = { key, scope: `${storage.scope}|photo`, name, content };
      await within("readwrite", (pads) => pads.put(kept)).catch((error) => console.warn("edgegan-widget:", error));
    }
    storage.change((record) => { record.scene = scene; });
  }
}
