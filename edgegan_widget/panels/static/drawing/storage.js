// What the browser stores of a pad, in IndexedDB: one record for each pad of each page.
// A record: { key, scope, page, at, strokes, choices, looks, pending, remembered }; pending are strokes that no kernel has
// seen, remembered is what else the kernel had stored, by name.

const MOST_BYTES = 4e6; // of a record; its oldest looks without a star go first
const MOST_RECORDS = 8; // of a scope; the oldest go first
const ANSWER_MS = 300; // what a page that is open takes at most to say so, where there are no locks
const LOCK = "edgegan-widget page "; // held by each page as long as it is open

const shared = (window.edgegan ??= { sides: [], page: null, alive: null });

const database = () => new Promise((done, failed) => {
  const opening = indexedDB.open("edgegan-widget", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("pads", { keyPath: "key" });
  opening.onsuccess = () => done(opening.result);
  opening.onerror = () => failed(opening.error);
});

const within = async (mode, act) => {
  const opened = await database();
  try {
    return await new Promise((done, failed) => {
      const asked = act(opened.transaction("pads", mode).objectStore("pads"));
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  } finally {
    opened.close();
  }
};

// Pages that are open now, but for this one. Browsers know locks at once, but not on a page without HTTPS from elsewhere.
const openPages = async () => {
  if (!navigator.locks) return askPages();
  const { held } = await navigator.locks.query();
  return new Set(held.map(({ name }) => name).filter((name) => name.startsWith(LOCK)).map((name) => name.slice(LOCK.length)));
};

const askPages = () => new Promise((done) => {
  const found = new Set();
  const ears = new BroadcastChannel("edgegan-widget");
  ears.onmessage = ({ data }) => data.here && found.add(data.here);
  ears.postMessage({ ask: true });
  setTimeout(() => {
    ears.close();
    done(found);
  }, ANSWER_MS);
});

// This page's name. A reload keeps it; a page that was made by duplicating another gets its own.
const pageName = (open) => {
  if (shared.page) return shared.page;
  const before = sessionStorage.getItem("edgegan-page");
  shared.page = before && !open.has(before) ? before : Math.random().toString(36).slice(2);
  sessionStorage.setItem("edgegan-page", shared.page);
  navigator.locks?.request(LOCK + shared.page, { mode: "shared" }, () => new Promise(() => {})).catch(() => {});
  shared.alive = new BroadcastChannel("edgegan-widget");
  shared.alive.onmessage = ({ data }) => data.ask && shared.alive.postMessage({ here: shared.page });
  return shared.page;
};

class Storage {
  constructor(scope) {
    this.scope = scope;
    this.record = null;
  }

  // What was stored last: by this page, or by the last one that is not open any more.
  async find() {
    const empty = { scope: this.scope, strokes: [], choices: {}, looks: [], pending: [] };
    try {
      const open = await openPages();
      const before = sessionStorage.getItem("edgegan-page");
      const page = pageName(open);
      const all = (await within("readonly", (pads) => pads.getAll())).filter((one) => one.scope === this.scope);
      all.sort((one, other) => other.at - one.at);
      for (const old of all.slice(MOST_RECORDS)) within("readwrite", (pads) => pads.delete(old.key));
      const found = all.find((one) => one.page === before) ?? all.find((one) => !open.has(one.page));
      if (found && found.page !== page && !open.has(found.page)) within("readwrite", (pads) => pads.delete(found.key));
      this.record = { ...(found ?? empty), key: `${this.scope}|${page}`, page };
      return found ? this.record : null;
    } catch (error) { // private windows have no storage: the pad works, and forgets
      console.warn("edgegan-widget: nothing can be stored in this browser", error);
      this.record = empty;
      return null;
    }
  }

  change(act) {
    if (!this.record) return;
    act(this.record);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.write(), 150);
  }

  async write() {
    clearTimeout(this.waiting);
    if (!this.record?.key) return;
    const size = (look) => look.picture.length + 30 * look.strokes.reduce((sum, stroke) => sum + stroke.points.length, 0);
    let bytes = this.record.looks.reduce((sum, look) => sum + size(look), 0);
    while (bytes > MOST_BYTES) {
      const oldest = this.record.looks.findIndex((look) => !look.starred);
      const [gone] = this.record.looks.splice(Math.max(oldest, 0), 1);
      bytes -= size(gone);
    }
    this.record.at = Date.now();
    await within("readwrite", (pads) => pads.put(this.record)).catch((error) => console.warn("edgegan-widget:", error));
  }

  // Of every pad of this scope, whatever page it was drawn on.
  async forget() {
    const all = await within("readonly", (pads) => pads.getAll());
    for (const old of all) if (old.scope === this.scope) await within("readwrite", (pads) => pads.delete(old.key));
  }
}
