/**
 * Loaded before anything is painted, so that no page flashes in the wrong
 * theme. "?theme=dark" decides for this page; otherwise what was chosen last.
 */
{
  const key = "chartd-theme";
  const stored = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is forbidden, as in some iframes
    }
  };
  /** @param {string | null} theme */
  const apply = (theme) => {
    const { documentElement: root } = document;
    root.dataset["theme"] = theme === "light" || theme === "dark" ? theme : "auto";
    for (const chart of document.querySelectorAll("chartd-chart")) chart.setAttribute("theme", root.dataset["theme"]);
  };
  const asked = new URLSearchParams(location.search).get("theme");
  apply(asked ?? stored());
  addEventListener("storage", (e) => {
    if (e.key === key && !asked) apply(e.newValue);
  });
  addEventListener("DOMContentLoaded", () => {
    const { documentElement: root } = document;
    for (const input of document.querySelectorAll("#theme input")) {
      if (!(input instanceof HTMLInputElement)) continue;
      input.checked = input.value === root.dataset["theme"];
      input.addEventListener("change", () => {
        apply(input.value);
        try {
          localStorage.setItem(key, input.value);
        } catch {
          // it holds for this page, then
        }
      });
    }
  });
}
