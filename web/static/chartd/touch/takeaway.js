/**
 * What is seen, to be taken away: as a picture, as a table, as a link that
 * opens the same view, as the tag that shows it in another page.
 *
 * @import { ChartHost } from "../host.js"
 * @import { Lens } from "./lens.js"
 * @import { Toolbar } from "./toolbar.js"
 */
import { embedOf, fitted, parametersOf, pictureOf, scaleOf } from "./link.js";
import { Menu } from "./menu.js";

/** How long the server may take, in ms. */
const patience = 30_000;

/** How long what was done is said on the chart, in ms. */
const shown = 4_000;

/** Where these modules came from. */
const home = new URL("../../", import.meta.url).href;

const icon = "M8 2.75v7M5 7l3 3 3-3M3 11.5v1.75h10V11.5";

export class Takeaway {
  #host;
  #lens;
  #signal;
  #told = document.createElement("p");
  #timer = 0;
  /** @type {string | null} */
  #view = null;

  /**
   * @param {ChartHost} host
   * @param {Toolbar} toolbar
   * @param {Lens} lens
   * @param {AbortSignal} signal
   */
  constructor(host, toolbar, lens, signal) {
    this.#host = host;
    this.#lens = lens;
    this.#signal = signal;
    this.#told.id = "told";
    this.#told.hidden = true;
    this.#told.setAttribute("part", "told");
    this.#told.setAttribute("aria-hidden", "true"); // it is said, too
    host.shadow.append(this.#told);
    const menu = new Menu(host, toolbar, { id: "take", label: "Take it away", icon, order: 400, hidden: true }, () => [
      {
        label: "Download",
        entries: [
          { id: "svg", text: "SVG picture", run: () => this.#download("svg") },
          { id: "png", text: "PNG picture", run: () => this.#download("png") },
          { id: "csv", text: "CSV table", run: () => this.#download("csv") },
        ],
      },
      {
        label: "Copy",
        entries: [
          { id: "link", text: "Link to this view", run: () => this.#copyLink() },
          { id: "embed", text: "Code to embed it", run: () => this.#copy(this.embed, "code copied") },
        ],
      },
    ], signal);
    const look = () => {
      if (menu.tool.hidden !== !host.picture) menu.tool.set({ hidden: !host.picture });
      this.#tell();
    };
    for (const what of /** @type {const} */ (["shown", "altered"])) host.on(what, look, signal);
    look();
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      this.#told.remove();
    }, { once: true });
  }

  get #base() {
    return new URL(this.#host.element.getAttribute("server") || home, location.href).href;
  }

  get #src() {
    return this.#host.element.getAttribute("src") ?? "";
  }

  /** Copies the address of the page that shows this view. */
  #copyLink() {
    const url = new URL(`c/${encodeURIComponent(this.#src)}`, withSlash(this.#base));
    const { parameters, left } = fitted(parametersOf(this.#host.params));
    const theme = this.#host.element.getAttribute("theme");
    if (theme === "light" || theme === "dark") parameters.set("theme", theme);
    url.hash = parameters.toString();
    const without = left.length > 0 ? ` without ${left.join(", ")}: they are too long for an address` : "";
    return this.#copy(url.href, `link copied${without}`);
  }

  /** The code that shows this view in another page. */
  get embed() {
    return embedOf(withSlash(this.#base), this.#src, parametersOf(this.#host.params), this.#host.element.getAttribute("theme"));
  }

  /** Says which view is seen, to whoever keeps an address up to date. */
  #tell() {
    if (!this.#host.picture) return;
    const view = fitted(parametersOf(this.#host.params)).parameters.toString();
    if (view === this.#view) return;
    this.#view = view;
    this.#host.element.dispatchEvent(new CustomEvent("viewchange", { bubbles: true, composed: true, detail: { view } }));
  }

  /** The scheme that the picture has now. @returns {"light" | "dark"} */
  get #theme() {
    const theme = this.#host.element.getAttribute("theme");
    if (theme === "light" || theme === "dark") return theme;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  /** @param {"svg" | "png" | "csv"} format */
  async #download(format) {
    const { host, range } = { host: this.#host, range: this.#lens.range };
    const { width, height } = host.size;
    const size = host.params.size ?? /** @type {[number, number]} */ ([Math.round(width), Math.round(height)]);
    const query = pictureOf(host.params, { range, size, theme: this.#theme });
    if (format === "png") query.set("scale", String(scaleOf(size)));
    if (format === "csv") for (const key of ["size", "theme"]) query.delete(key);
    const file = `${this.#src}.${format}`;
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(patience)]);
      const response = await host.get(`charts/${encodeURIComponent(this.#src)}.${format}?${query}`, signal);
      if (!response.ok) throw new Error((await response.text()).trim().replace(/^chartd: /, "") || `the server answers ${response.status}`);
      const cut = response.headers.get("Chartd-Cut-Before");
      const blob = await response.blob();
      save(blob, file);
      this.#say(cut ? `${file} has the newest samples only, from ${cut} on` : `${file} downloaded`);
    } catch (err) {
      if (!this.#signal.aborted) this.#say(`no ${format.toUpperCase()}: ${err instanceof Error ? err.message : err}`);
    }
  }

  /**
   * @param {string} text
   * @param {string} done
   */
  async #copy(text, done) {
    this.#say(await copy(text, this.#host.shadow) ? done : "the browser does not let this page copy");
  }

  /** @param {string} text */
  #say(text) {
    this.#host.say(text);
    this.#told.textContent = text;
    this.#told.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#told.hidden = true; }, shown);
  }
}

/** @param {string} base */
function withSlash(base) {
  const url = new URL(base);
  url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/**
 * Copies a text; over plain HTTP and in some frames there is no clipboard but
 * the one of the selection.
 * @param {string} text
 * @param {ShadowRoot} shadow
 */
async function copy(text, shadow) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = /** @type {HTMLElement | null} */ (shadow.activeElement);
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "spoken";
    area.setAttribute("aria-hidden", "true");
    shadow.append(area);
    area.select();
    let done = false;
    try {
      done = document.execCommand("copy");
    } catch {
      // then not
    }
    area.remove();
    focused?.focus();
    return done;
  }
}

/** How it looks. */
export const css = `
#told {
  position: absolute;
  z-index: 3;
  inset: auto .5rem 2.5rem;
  inline-size: fit-content;
  max-inline-size: calc(100% - 1rem);
  margin: 0 auto;
  padding: .3125rem .75rem;
  border-radius: .5rem;
  font: 500 .75rem/1.25rem system-ui, sans-serif;
  overflow-wrap: anywhere;
  color: light-dark(#fff, #10151b);
  background: light-dark(#1b2430, #e8ecf2);
  pointer-events: none;
}
#told[hidden] { display: none; }
@media print { #told { display: none; } }
`;
