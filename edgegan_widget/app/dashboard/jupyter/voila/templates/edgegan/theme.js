// Light or dark: as the address says, else as was chosen here before, else as the system is.
const edgeganTheme = (() => {
  const KEY = "edgegan-widget-theme";
  const THEMES = ["system", "light", "dark"];
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch { // a browser that keeps nothing
      return null;
    }
  };
  const store = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {} // as above: it holds for this page
  };
  const asked = [new URLSearchParams(location.search).get("theme"), stored()];
  let chosen = asked.find((theme) => THEMES.includes(theme)) ?? "system";

  const show = () => {
    const dark = chosen === "dark" || (chosen === "system" && system.matches);
    document.getElementById("eg-dark").media = dark ? "all" : "not all";
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    if (!document.body) return;
    document.body.classList.toggle("theme-dark", dark);
    document.body.classList.toggle("theme-light", !dark);
    Object.assign(document.body.dataset, { jpThemeLight: String(!dark), jpThemeName: `JupyterLab ${dark ? "Dark" : "Light"}` });
  };
  const listen = (select) => {
    select.value = chosen;
    select.onchange = () => {
      store((chosen = select.value));
      show();
    };
    show();
  };
  system.addEventListener("change", show);
  show();
  return { listen };
})();
