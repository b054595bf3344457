/**
 * A row of small buttons over the chart, seen while the pointer is there or
 * something in the chart has the focus. One stop of the Tab key: arrow keys
 * move inside, as in every toolbar. controls="none" on the element takes it
 * away.
 *
 * @import { ChartHost } from "../host.js"
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * A button. Its icon is the d of a path drawn as a line in 16 × 16. Rows are
 * sorted by order: 0 to 99 time (zoom, live), 100 to 199 pause and replay, 200
 * to 299 vars, 300 to 399 legend, 400 and above what takes the chart away.
 * @typedef {object} ToolSpec
 * @property {string} id unique in the bar; the button has part="tool tool-id"
 * @property {string} label what it does: its name and its tooltip
 * @property {string} icon
 * @property {number} order
 * @property {(button: HTMLButtonElement) => void} run
 * @property {boolean} [pressed] for one that is on or off: what it is now
 * @property {boolean} [hidden] nothing to do for it now: it takes no room
 * @property {string} [text] is written beside the icon
 */

/** A button in the bar. */
export class Tool {
  #bar;
  #spec;

  /**
   * @param {Toolbar} bar
   * @param {ToolSpec} spec
   */
  constructor(bar, spec) {
    this.#bar = bar;
    this.#spec = { ...spec };
    /** @readonly */
    this.order = spec.order;
    /** @readonly Yours to give it ARIA of its own, such as aria-expanded. */
    this.button = document.createElement("button");
    const { button } = this;
    button.type = "button";
    button.tabIndex = -1;
    button.setAttribute("part", `tool tool-${spec.id}`);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS(SVG, "path"));
    button.append(svg, document.createElement("span"));
    button.addEventListener("click", () => this.#spec.run(button));
    this.#write();
  }

  get hidden() {
    return this.button.hidden === true;
  }

  /**
   * Changes what it shows.
   * @param {Partial<Pick<ToolSpec, "label" | "icon" | "pressed" | "hidden" | "text">>} change
   */
  set(change) {
    Object.assign(this.#spec, change);
    const held = this.button.matches(":focus"); // asked before it hides: then it is too late
    this.#write();
    this.#bar.arrange(held && this.hidden);
  }

  #write() {
    const { button } = this;
    const { label, icon, pressed, hidden = false, text = "" } = this.#spec;
    button.title = label;
    button.setAttribute("aria-label", label);
    if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
    button.querySelector("path")?.setAttribute("d", icon);
    const span = /** @type {HTMLElement} */ (button.lastElementChild);
    if (span.textContent !== text) span.textContent = text;
    button.hidden = hidden;
  }
}

export class Toolbar {
  #host;
  /** @type {Tool[]} by order */
  #tools = [];
  /** @type {HTMLButtonElement | null} The one that Tab reaches. */
  #stop = null;

  /**
   * @param {ChartHost} host
   * @param {AbortSignal} signal
   */
  constructor(host, signal) {
    this.#host = host;
    /** @readonly */
    this.bar = document.createElement("div");
    const { bar } = this;
    bar.id = "tools";
    bar.hidden = true;
    bar.setAttribute("part", "toolbar");
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Chart");
    bar.addEventListener("keydown", (e) => this.#key(e));
    bar.addEventListener("focusin", (e) => this.#focus(/** @type {HTMLButtonElement} */ (e.target)));
    host.shadow.append(bar);
    for (const what of /** @type {const} */ (["shown", "sized"])) host.on(what, () => this.#place(), signal);
    for (const what of ["pointerenter", "focusin"]) host.element.addEventListener(what, () => this.#place(), { signal });
    const badge = host.shadow.getElementById("badge");
    const neighbour = new ResizeObserver(() => this.#place());
    if (badge) neighbour.observe(badge);
    signal.addEventListener("abort", () => {
      neighbour.disconnect();
      bar.remove();
    }, { once: true });
  }

  /**
   * Adds a button.
   * @param {ToolSpec} spec
   */
  add(spec) {
    const tool = new Tool(this, spec);
    const at = this.#tools.findIndex((other) => other.order > tool.order);
    this.#tools.splice(at < 0 ? this.#tools.length : at, 0, tool);
    this.bar.insertBefore(tool.button, at < 0 ? null : this.bar.children[at] ?? null);
    this.arrange();
    return tool;
  }

  /**
   * A button came or went. For tools.
   * @param {boolean} [lost] it went with the focus, which is handed on: the keyboard must not fall out of the chart
   */
  arrange(lost = false) {
    const seen = this.#tools.filter((tool) => !tool.hidden);
    if (!this.#stop || this.#stop.hidden || !this.bar.matches(":focus-within")) this.#focus(seen[0]?.button ?? null);
    this.bar.hidden = seen.length === 0;
    if (lost) (this.#stop ?? this.#host.frame).focus();
    this.#place();
  }

  /** @param {HTMLButtonElement | null} button */
  #focus(button) {
    if (this.#stop) this.#stop.tabIndex = -1;
    this.#stop = button;
    if (button) button.tabIndex = 0;
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    const seen = this.#tools.filter((tool) => !tool.hidden).map((tool) => tool.button);
    const at = seen.indexOf(/** @type {HTMLButtonElement} */ (e.target));
    if (at < 0) return;
    /** @type {Record<string, number>} */
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: seen.length - 1 };
    if (e.key === "Escape") this.#host.frame.focus();
    const next = to[e.key];
    if (next === undefined || e.ctrlKey || e.altKey || e.metaKey) return;
    e.preventDefault();
    seen.at(next % seen.length)?.focus();
  }

  /** In the title's row, beside the badge, if there is room for all three; below it if not. */
  #place() {
    const { root, size, shadow, element } = this.#host;
    if (this.bar.hidden || !element.matches(":hover, :focus-within")) return; // measuring is not free
    const badge = shadow.getElementById("badge")?.offsetWidth ?? 0;
    const title = root?.querySelector("[data-k=h]");
    const span = root?.viewBox.baseVal?.width ?? 0;
    const box = title instanceof SVGGraphicsElement && span > 0 ? title.getBBox() : { x: 0, width: 0 };
    const right = (box.x + box.width) * size.width / span || 0;
    this.bar.classList.toggle("below", right + this.bar.offsetWidth + badge + 32 > size.width);
    this.bar.style.setProperty("--badge", `${badge}px`);
  }
}

/** How it looks. */
export const css = `
#tools {
  --tool: 1.625rem;
  position: absolute;
  z-index: 2;
  inset-block-start: .3125rem;
  inset-inline-end: calc(var(--badge, 3.75rem) + .75rem);
  display: flex;
  gap: .125rem;
  padding: .0625rem;
  border-radius: .5rem;
  color: var(--chartd-muted, light-dark(#5b6675, #9aa6b5));
  background: var(--chartd-bg, light-dark(#fff, #141920));
  opacity: 0;
  pointer-events: none;
  transition: opacity .15s;
}
#tools[hidden], :host([controls="none"]) #tools { display: none; }
#tools.below { inset-block-start: 2.125rem; inset-inline-end: .5rem; }
:host(:hover) #tools, :host(:focus-within) #tools { opacity: 1; pointer-events: auto; }
#tools button {
  display: flex;
  align-items: center;
  justify-content: center;
  gap: .25rem;
  min-inline-size: var(--tool);
  block-size: var(--tool);
  margin: 0;
  padding: 0 .3125rem;
  border: 0;
  border-radius: .4375rem;
  background: none;
  color: inherit;
  font: 500 .6875rem/1 system-ui, sans-serif;
  cursor: pointer;
  touch-action: manipulation;
}
#tools button[hidden] { display: none; }
#tools button:hover { color: var(--chartd-fg, light-dark(#1b2430, #e8ecf2)); background: color-mix(in srgb, currentColor 10%, transparent); }
#tools button[aria-pressed="true"] { color: var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)); background: color-mix(in srgb, currentColor 14%, transparent); }
#tools button:focus-visible { outline: 2px solid var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)); outline-offset: -1px; }
#tools span:empty { display: none; }
#tools svg {
  flex: none;
  inline-size: 1rem;
  block-size: 1rem;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.5;
  stroke-linecap: round;
  stroke-linejoin: round;
}
@media (pointer: coarse) { #tools { --tool: 2.5rem; } #tools.below { inset-block-start: 2.25rem; } }
@media (prefers-contrast: more) { #tools { outline: 1px solid currentColor; } }
@media (prefers-reduced-motion: reduce) { #tools { transition: none; } }
@media print { #tools { display: none; } }
`;
