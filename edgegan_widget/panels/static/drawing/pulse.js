// Whether the kernel answers, and what to do where it does not.

const BEAT_MS = 1000;
const PATIENCE_MS = 1900; // without an answer; the banner is there within three seconds
const GONE_MS = 7000; // a kernel that works but never answers has lost the pad
const READ_MS = 4000; // for a sentence, before the page is loaded anew
const TWICE_MS = 180000; // what is ended twice within this would be ended again
const DEAD = ["dead", "restarting", "autorestarting", "terminating", "unknown"];

class Pulse {
  constructor(model, tell) {
    Object.assign(this, { model, tell, asked: 0, beatAt: Date.now(), died: false, lost: false });
    this.kernel?.statusChanged?.connect((_, status) => { if (DEAD.slice(0, 3).includes(status)) this.died = true; });
    this.timer = setInterval(() => this.beat(), BEAT_MS);
  }

  get kernel() {
    return this.model.widget_manager?.kernel;
  }

  answered() {
    this.asked = 0;
    this.died = false;
    if (this.lost) {
      this.lost = false;
      this.tell("");
    }
  }

  beat() {
    const now = Date.now();
    const slept = now - this.beatAt > 2.5 * BEAT_MS; // a laptop that was closed, a tab that was out of sight
    this.beatAt = now;
    if (slept) this.asked = 0;
    if (document.hidden && !this.lost) return;
    if (!this.asked) this.asked = now;
    try {
      this.model.send({ do: "ping" });
    } catch { /* without a kernel there is no way to it */ }
    const silent = now - this.asked;
    if (silent > PATIENCE_MS || this.died) this.look(silent);
  }

  async look(silent) {
    const kept = "What you draw is kept";
    if (!this.lost) this.tell(`The kernel does not answer. ${kept}.`); // at once; why follows
    this.lost = true;
    const [server, kernel] = await this.state();
    if (!this.lost) return;
    const over = this.died || kernel === "gone" || (silent > GONE_MS && this.kernel?.status === "idle");
    if (!server) this.tell(`The server does not answer. ${kept}, and the page goes on by itself once it is back.`);
    else if (!over) this.tell(`The kernel does not answer: it is busy, or gone. ${kept} until it does.`);
    else if (document.body.dataset.voila) this.reload(kept);
    else this.tell(`The kernel was restarted. Run this cell again: ${kept.toLowerCase()} and comes back.`);
  }

  // Whether the server answers, and whether the kernel is there for it.
  async state() {
    const settings = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
    const id = this.kernel?.id;
    if (!id) return [true, "unknown"];
    try {
      const answer = await fetch(`${settings.baseUrl ?? "/"}api/kernels/${id}`, { cache: "no-store" });
      return [true, answer.status === 404 ? "gone" : "there"];
    } catch {
      return [false, "unknown"];
    }
  }

  // Voilà starts a new kernel for a page that is loaded anew; the drawing comes back from the browser's storage.
  async reload(kept) {
    const since = Date.now() - Number(sessionStorage.getItem("edgegan-reloaded") ?? 0);
    if (this.reloading) return;
    this.tell(`The kernel has ended. ${kept}; a new kernel is started …`);
    if (since < 5000) return; // one that ends at once is not started again and again
    this.reloading = true;
    const why = await this.reason();
    if (why && since < TWICE_MS) return this.tell(`${why} ${kept}; load this page anew to go on.`);
    if (why) {
      this.tell(`${why} ${kept}; a new kernel is started …`);
      await new Promise((go) => setTimeout(go, READ_MS));
    }
    sessionStorage.setItem("edgegan-reloaded", Date.now());
    await Promise.all(shared.sides.map((side) => side.storage?.write()));
    location.reload();
  }

  // Why the dashboard's server ended this kernel, in a sentence; nothing where it did not.
  async reason() {
    const { baseUrl = "/" } = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
    try {
      const answer = await fetch(`${baseUrl}voila/places?kernel=${this.kernel.id}`, { cache: "no-store" });
      return answer.ok ? (await answer.json()).reason : "";
    } catch {
      return "";
    }
  }

  close() {
    clearInterval(this.timer);
  }
}
