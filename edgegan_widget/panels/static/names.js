// What a screen reader is told where the widgets themselves have no word for it: names of pictures, handles and fields,
// which buttons are pressed, and parts that open.
(() => {
  if (window.edgeganNames) return;
  window.edgeganNames = true;

  const PICTURES = {
    ".eg-main > img": "The picture",
    ".eg-edge > img": "The picture's own edges",
    ".eg-underlay": "Photo to draw along",
    ".eg-morph-movie img": "The way from one look to the other",
    "img.eg-grid": "Sample pictures of the run",
    ".eg-curves > img": "Curves of the training",
    ".eg-answer > img": "A model's picture of the drawing",
    ".eg-wipe > img:first-child": "The left model's picture",
    ".eg-wipe > img": "The right model's picture",
    ".eg-mend-photo": "Photo with the outline of its mask",
  };
  const CONTROLS = {
    "button.eg-open": "Open sketch…",
    "button.eg-photo": "Photo to trace…",
    "button.eg-open-report": "Open report…",
    ".eg-seed input": "Seed: number of the look",
    ".eg-colour input[type=color]": "Choose a colour",
    ".eg-checkpoint select": "Checkpoint to use",
  };
  const CHOICES =
    "button.eg-pen, button.eg-eraser, button.eg-keeps, button.eg-takes, button.eg-swatch, button.eg-usual, button.eg-score, button.widget-toggle-button, " +
    ".eg-variations .eg-thumb > button:not(.eg-star)";

  const set = (node, attribute, value) => {
    if (node.getAttribute(attribute) !== value) node.setAttribute(attribute, value);
  };
  const all = (root, selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  const labelOf = (node) => node.closest(".jupyter-widgets.widget-inline-hbox")?.querySelector(".widget-label")?.textContent;

  const namePictures = (root) => {
    for (const image of all(root, "img.widget-image:not([alt])")) {
      const found = Object.keys(PICTURES).find((selector) => image.matches(selector));
      image.alt = found ? PICTURES[found] : ""; // the others are on buttons that have names, or beside their words
    }
  };
  const nameControls = (root) => {
    for (const [selector, name] of Object.entries(CONTROLS)) {
      for (const control of all(root, selector)) set(control, "aria-label", name);
    }
    for (const button of all(root, "button[title]")) {
      if (!button.textContent.trim()) set(button, "aria-label", button.title); // a picture or a colour lies under it
    }
    for (const handle of all(root, ".noUi-handle:not([aria-label])")) handle.setAttribute("aria-label", labelOf(handle) || "Value");
    for (const field of all(root, "input:not([aria-label]), select:not([aria-label]), textarea:not([aria-label])")) {
      if ([...(field.labels ?? [])].some((label) => label.textContent.trim())) continue;
      const name = labelOf(field) || field.title || field.placeholder || field.closest("[title]")?.title;
      if (name) field.setAttribute("aria-label", name);
    }
  };
  const tellPressed = (root) => {
    for (const button of all(root, CHOICES)) {
      const on = button.matches(".eg-on, .mod-active") || button.parentElement.matches(".eg-thumb.eg-on");
      set(button, "aria-pressed", String(on));
    }
  };
  const openByKeys = (root) => {
    for (const head of all(root, ".jupyter-widget-Collapse-header")) {
      if (!head.hasAttribute("tabindex")) {
        head.tabIndex = 0;
        head.setAttribute("role", "button");
        head.addEventListener("keydown", (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          head.click();
        });
      }
      set(head, "aria-expanded", String(head.parentElement.matches(".jupyter-widget-Collapse-open")));
    }
  };
  // A line that is there before its words come, or nobody is told of them.
  const announce = (root) => {
    for (const line of all(root, ".eg-line")) set(line, "aria-live", "polite");
  };

  const dress = (root) => [namePictures, nameControls, tellPressed, openByKeys, announce].forEach((act) => act(root));

  const waiting = new Set();
  const work = () => {
    const roots = [...waiting].filter((node) => node.isConnected);
    waiting.clear();
    roots.forEach(dress);
  };
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const root = target.closest?.(".eg-app") && (target.parentElement ?? target);
      if (!root) continue;
      if (!waiting.size) setTimeout(work);
      waiting.add(root);
    }
  }).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["class", "title"] });
  document.querySelectorAll(".eg-app").forEach(dress);
})();
