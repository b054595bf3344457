/**
 * What a screen reader hears of a chart: its name, what it shows now, and what
 * happens to it.
 *
 * @import { Picture } from "./patch.js"
 */
import { describe } from "./values.js";

/** How old the text for screen readers gets, in ms. */
const age = { focused: 1_000, unasked: 10_000 };

export class Speech {
  #shadow;
  #described = 0;
  /** @type {SVGSVGElement | null} */
  #root = null;

  /** @param {ShadowRoot} shadow that of the element's template */
  constructor(shadow) {
    this.#shadow = shadow;
    const frame = this.#part("frame");
    frame.addEventListener("focus", () => this.describe());
    frame.addEventListener("keydown", (e) => this.#key(e));
  }

  get name() {
    return this.#part("name").textContent ?? "";
  }

  /**
   * Another picture, or label, or chart.
   * @param {string | null} label
   * @param {string} src
   * @param {Picture | null} picture
   */
  call(label, src, picture) {
    this.#root = picture?.root ?? null;
    const name = label || this.#root?.querySelector("title")?.textContent || src;
    const part = this.#part("name");
    if (part.textContent !== name) part.textContent = name;
  }

  /** The picture was patched: what is said of it must not get old. */
  moved() {
    const old = performance.now() - this.#described;
    if (old > age.unasked || old > age.focused && this.#shadow.activeElement) this.describe();
  }

  describe() {
    this.#described = performance.now();
    this.#part("now").textContent = this.#root ? describe(this.#root) : "";
  }

  /**
   * Lets a screen reader say something, even if it is what it said last.
   * @param {string} text
   */
  tell(text) {
    const said = this.#part("said");
    said.textContent = said.textContent === text ? `${text}\u00a0` : text;
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.key !== "Enter" && e.key !== " " || e.defaultPrevented) return;
    e.preventDefault();
    this.describe();
    this.tell(this.#part("now").textContent ?? "");
  }

  /** @param {string} id */
  #part(id) {
    return /** @type {HTMLElement} */ (this.#shadow.getElementById(id));
  }
}
