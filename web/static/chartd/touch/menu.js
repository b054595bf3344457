/**
 * A button of the bar that opens a menu. The menu is a popover: it lies over
 * everything, is not cut at the chart's edge, and closes by Escape, by Tab, and
 * by a click elsewhere. Arrow keys, Home, End and first letters move in it.
 *
 * @import { ChartHost } from "../host.js"
 * @import { Tool, Toolbar, ToolSpec } from "./toolbar.js"
 */

/**
 * An entry. checked: it is one of several, of which one holds.
 * @typedef {object} Entry
 * @property {string} text
 * @property {string} [id]
 * @property {boolean} [checked]
 * @property {() => void} run
 */

/** Entries that belong together; label is read out before them. @typedef {{label: string, entries: Entry[]}} Group */

export class Menu {
  #host;
  #box = document.createElement("div");
  #offer;
  /** Where its button was when it was opened. */
  #at = new DOMRect();
  /** @readonly @type {Tool} */
  tool;

  /**
   * @param {ChartHost} host
   * @param {Toolbar} toolbar
   * @param {Omit<ToolSpec, "run">} spec
   * @param {() => Group[]} offer what there is to choose from now
   * @param {AbortSignal} signal
   */
  constructor(host, toolbar, spec, offer, signal) {
    this.#host = host;
    this.#offer = offer;
    const box = this.#box;
    box.className = "menu";
    box.id = `menu-${spec.id}`;
    box.popover = "auto";
    box.setAttribute("part", "menu");
    box.setAttribute("role", "menu");
    box.setAttribute("aria-label", spec.label);
    // A press on the button closes what is open, as a press anywhere does; the
    // click that follows must not open it again.
    let closing = false;
    this.tool = toolbar.add({
      ...spec,
      run: () => {
        if (!closing) this.#open();
        closing = false;
      },
    });
    const { button } = this.tool;
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", box.id);
    button.addEventListener("pointerdown", () => { closing = box.matches(":popover-open"); });
    button.addEventListener("keydown", (e) => {
      if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
      e.preventDefault();
      this.#open();
      if (e.key === "ArrowUp") this.#items.at(-1)?.focus();
    });
    box.addEventListener("beforetoggle", (e) => {
      const { newState } = /** @type {ToggleEvent} */ (e);
      button.setAttribute("aria-expanded", String(newState === "open"));
    });
    box.addEventListener("keydown", (e) => this.#key(e));
    for (const type of ["scroll", "resize"]) addEventListener(type, () => this.#strayed(), { signal, passive: true, capture: true });
    host.shadow.append(box);
    signal.addEventListener("abort", () => box.remove(), { once: true });
  }

  #open() {
    if (this.#box.matches(":popover-open")) return;
    this.#draw();
    this.#box.showPopover();
    this.#place();
    this.#items[0]?.focus();
  }

  /** Closes it if it is no longer where its button is. A scroll is told late: it may be one from before the menu was opened. */
  #strayed() {
    if (!this.#box.matches(":popover-open")) return;
    const { left, top } = this.tool.button.getBoundingClientRect();
    if (Math.hypot(left - this.#at.left, top - this.#at.top) > 1) this.close();
  }

  /** Closes it. */
  close() {
    if (this.#box.matches(":popover-open")) this.#box.hidePopover();
  }

  get #items() {
    return /** @type {HTMLButtonElement[]} */ ([...this.#box.querySelectorAll("button")]);
  }

  #draw() {
    this.#box.replaceChildren(...this.#offer().map(({ label, entries }) => {
      const group = document.createElement("div");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", label);
      const head = document.createElement("p");
      head.textContent = label;
      head.setAttribute("aria-hidden", "true");
      group.append(head, ...entries.map((entry) => this.#item(entry)));
      return group;
    }));
  }

  /** @param {Entry} entry */
  #item({ text, id, checked, run }) {
    const item = document.createElement("button");
    item.type = "button";
    item.tabIndex = -1;
    item.textContent = text;
    item.setAttribute("part", `menu-item${id ? ` menu-${id}` : ""}`);
    item.setAttribute("role", checked === undefined ? "menuitem" : "menuitemradio");
    if (checked !== undefined) item.setAttribute("aria-checked", String(checked));
    item.addEventListener("click", () => {
      this.close();
      this.tool.button.focus();
      run();
    });
    return item;
  }

  /** Below its button, or above it where there is no room; in the window. */
  #place() {
    const box = this.#box;
    const at = this.tool.button.getBoundingClientRect();
    this.#at = at;
    const { offsetWidth: width, offsetHeight: height } = box;
    const gap = 4;
    const below = at.bottom + gap + height <= innerHeight - gap;
    box.style.left = `${Math.max(gap, Math.min(innerWidth - width - gap, at.right - width))}px`;
    box.style.top = `${Math.max(gap, below ? at.bottom + gap : Math.min(at.top - gap, innerHeight - gap) - height)}px`;
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    const items = this.#items;
    const at = items.indexOf(/** @type {HTMLButtonElement} */ (this.#host.shadow.activeElement));
    /** @type {Record<string, number>} */
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    let next = to[e.key];
    if (e.key === "Tab" || e.key === "Escape") {
      this.close();
      this.tool.button.focus(); // from where Tab goes on
      if (e.key === "Escape") e.preventDefault(); // what is around it stays open
      e.stopPropagation();
      return;
    }
    if (next === undefined && e.key.length === 1 && e.key !== " " && !e.ctrlKey && !e.altKey && !e.metaKey) {
      const letter = e.key.toLowerCase();
      const found = [...items.slice(at + 1), ...items.slice(0, at + 1)].find((item) => item.textContent?.toLowerCase().startsWith(letter));
      if (found) next = items.indexOf(found);
    }
    e.stopPropagation(); // the chart's own keys are not meant
    if (next === undefined) return;
    e.preventDefault();
    items.at(next % items.length)?.focus();
  }
}

/** How it looks. */
export const css = `
.menu {
  position: fixed;
  inset: auto;
  margin: 0;
  min-inline-size: 10rem;
  max-inline-size: calc(100vw - .5rem);
  max-block-size: calc(100vh - .5rem);
  overflow: auto;
  padding: .3125rem;
  border: 1px solid var(--chartd-grid, light-dark(#e4e8ee, #2a323d));
  border-radius: .625rem;
  color: var(--chartd-fg, light-dark(#1b2430, #e8ecf2));
  background: var(--chartd-bg, light-dark(#fff, #141920));
  box-shadow: 0 4px 16px light-dark(#0002, #0008);
  font: 500 .8125rem/1.25rem system-ui, sans-serif;
}
.menu p { margin: 0; padding: .25rem .625rem .125rem; font-size: .6875rem; font-weight: 600; color: var(--chartd-muted, light-dark(#5b6675, #9aa6b5)); }
.menu [role="group"] + [role="group"] { margin-block-start: .25rem; padding-block-start: .25rem; border-block-start: 1px solid var(--chartd-grid, light-dark(#e4e8ee, #2a323d)); }
.menu button {
  display: block;
  inline-size: 100%;
  margin: 0;
  padding: .25rem .625rem;
  border: 0;
  border-radius: .375rem;
  background: none;
  color: inherit;
  font: inherit;
  text-align: start;
  cursor: pointer;
  touch-action: manipulation;
}
.menu [role="menuitemradio"]::before { content: ""; display: inline-block; inline-size: 1.125rem; }
.menu [aria-checked="true"]::before { content: "✓"; }
.menu button:hover, .menu button:focus { background: color-mix(in srgb, currentColor 10%, transparent); outline: none; }
.menu button:focus-visible { outline: 2px solid var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)); outline-offset: -2px; }
#tools:has([aria-expanded="true"]) { opacity: 1; pointer-events: auto; }
@media (pointer: coarse) { .menu button { padding-block: .625rem; } }
@media (prefers-contrast: more) { .menu { border-color: currentColor; } }
`;
