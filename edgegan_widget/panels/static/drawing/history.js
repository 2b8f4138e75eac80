// The history on screen: small pictures, the newest first, each with a star.

const make = (kind, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
};

class HistoryView {
  constructor(place, send, forget) {
    Object.assign(this, { send, tiles: new Map() });
    this.only = make("input", { type: "checkbox" });
    this.only.onchange = () => this.strip.classList.toggle("eg-starred-only", this.only.checked);
    const label = make("label", {}, this.only, "only ★");
    this.forgetting = make("button", { className: "jupyter-button eg-forget", textContent: "Forget all" });
    this.forgetting.title = "Empty the pad and the history, here and in this browser's storage";
    this.forgetting.onclick = () => this.confirm(forget);
    const heading = make("h2", { className: "eg-heading", textContent: "History: click to go back" });
    this.head = make("div", { className: "eg-history-head" }, heading, label, this.forgetting);
    this.strip = make("div", { className: "eg-strip-of-looks" });
    place.append(make("section", { className: "eg-history", ariaLabel: "History" }, this.head, this.strip));
    this.showCount();
  }

  all(looks) {
    this.strip.replaceChildren();
    this.tiles.clear();
    for (const look of looks) this.add(look);
  }

  add(look) {
    this.tiles.get(look.number)?.remove();
    const source = `data:image/webp;base64,${look.picture}`;
    const image = make("img", { src: source, alt: "", decoding: "async" });
    const open = make("button", { className: "eg-look-open", title: `Back to this ${look.words}` }, image);
    open.setAttribute("aria-label", open.title);
    open.onclick = () => this.send({ do: "open", number: look.number });
    const star = make("button", { className: "eg-star", textContent: look.starred ? "★" : "☆", title: "Favourite" });
    star.setAttribute("aria-label", `Favourite: ${look.words}`);
    star.setAttribute("aria-pressed", String(look.starred));
    star.onclick = () => this.send({ do: "star", number: look.number, starred: !look.starred });
    const morph = make("button", { className: "eg-to", textContent: "⇢", title: "Morph from this look to the picture" });
    morph.setAttribute("aria-label", `${morph.title}: ${look.words}`);
    morph.onclick = () => this.send({ do: "morph", number: look.number });
    const tile = make("div", { className: "eg-look" }, open, morph, star);
    tile.classList.toggle("eg-starred", look.starred);
    this.tiles.set(look.number, tile);
    this.strip.prepend(tile);
    this.showCount();
  }

  // A star changes where the look stands; nothing else moves.
  change(look) {
    const before = this.tiles.get(look.number);
    const mark = before && make("span");
    if (mark) before.replaceWith(mark);
    this.add(look);
    mark?.replaceWith(this.tiles.get(look.number));
  }

  // Asked twice, since it cannot be taken back.
  confirm(forget) {
    if (this.forgetting.classList.toggle("eg-sure")) {
      this.forgetting.textContent = "Really forget all?";
      this.sure = setTimeout(() => this.confirm(() => {}), 4000);
      return;
    }
    clearTimeout(this.sure);
    this.forgetting.textContent = "Forget all";
    forget();
  }

  showCount() {
    this.head.parentElement.classList.toggle("eg-no-looks", !this.tiles.size);
  }
}
