/**
 * The legend, to be touched: a click on a name hides the series or shows it
 * again, Alt and a click (or a long press) leaves it alone on the chart. The
 * names are the server's drawing; a transparent button lies over each, so that
 * they are reached with the keyboard and read out.
 *
 * @import { ChartHost } from "../host.js"
 */
import { Pace } from "./pace.js";

/** How long a finger rests on a name that it wants to see alone, in ms. */
const press = 500;

/** How high a button is at least, in units: a row of the legend. */
const row = 240;

/** How high it is at least in px, however small the picture: less is hard to hit. */
export const least = 24;

/**
 * What is hidden after a click on a name.
 * @param {readonly string[]} hidden
 * @param {string} name
 */
export function toggled(hidden, name) {
  return hidden.includes(name) ? hidden.filter((other) => other !== name) : [...hidden, name];
}

/**
 * What is hidden after one name was to be seen alone; of one that is alone
 * already, nothing.
 * @param {readonly string[]} hidden
 * @param {readonly string[]} names all that the chart has
 * @param {string} name
 */
export function isolated(hidden, names, name) {
  const others = names.filter((other) => other !== name);
  const alone = !hidden.includes(name) && others.every((other) => hidden.includes(other));
  return alone ? [] : others;
}

export class Legend {
  #host;
  #box = document.createElement("div");
  /** @type {Map<string, HTMLButtonElement>} by the series' name */
  #buttons = new Map();
  /** @type {string[] | null} What was asked to be hidden and has not been answered. */
  #asked = null;
  /** @type {Pace<string[]>} */
  #pace = new Pace((hidden) => this.#send(hidden));
  #pressing = 0;
  #pressed = false;

  /**
   * @param {ChartHost} host
   * @param {AbortSignal} signal
   */
  constructor(host, signal) {
    this.#host = host;
    const box = this.#box;
    box.id = "legend";
    box.hidden = true;
    box.setAttribute("part", "legend");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Series");
    box.addEventListener("click", (e) => this.#click(e));
    box.addEventListener("keydown", (e) => this.#key(e));
    box.addEventListener("focusin", (e) => this.#stop(nameOf(e)));
    box.addEventListener("pointerdown", (e) => this.#down(e));
    for (const up of ["pointerup", "pointercancel", "pointerleave"]) box.addEventListener(up, () => clearTimeout(this.#pressing));
    box.addEventListener("contextmenu", (e) => {
      if (this.#pressed) e.preventDefault();
    });
    host.shadow.append(box);
    host.on("shown", () => this.#shown(), signal);
    host.on("sized", () => this.#place(), signal);
    this.#shown();
    signal.addEventListener("abort", () => {
      this.#pace.stop();
      clearTimeout(this.#pressing);
      box.remove();
    }, { once: true });
  }

  /** What is hidden, or soon will be. */
  get #hidden() {
    return this.#asked ?? this.#host.params.hidden ?? [];
  }

  /** @returns {SVGGraphicsElement[]} */
  get #entries() {
    return [...this.#host.root?.querySelectorAll("[data-entry]") ?? []].filter((el) => el instanceof SVGGraphicsElement);
  }

  /** Another picture: buttons of names that are there still stay, and one of them the focus. */
  #shown() {
    const names = this.#entries.map(entryOf);
    for (const [name, button] of this.#buttons) {
      if (names.includes(name)) continue;
      button.remove();
      this.#buttons.delete(name);
    }
    for (const name of names) {
      let button = this.#buttons.get(name);
      if (!button) {
        button = document.createElement("button");
        button.type = "button";
        button.tabIndex = -1;
        button.dataset["name"] = name;
        button.setAttribute("aria-label", name);
        button.setAttribute("aria-keyshortcuts", "Alt+Enter");
        button.title = `${name}\nclick: hide or show; Alt+click: this one alone`;
        this.#buttons.set(name, button);
      }
      // Moving an element takes the focus from it.
      if (this.#box.children[names.indexOf(name)] !== button) this.#box.append(button);
    }
    this.#box.hidden = names.length === 0;
    if (![...this.#buttons.values()].some((b) => b.tabIndex === 0)) this.#stop(names[0] ?? "");
    this.#mark();
    this.#place();
  }

  /** Says which series are seen. */
  #mark() {
    const hidden = this.#hidden;
    for (const entry of this.#entries) {
      const name = entryOf(entry);
      const button = this.#buttons.get(name);
      const off = hidden.includes(name);
      button?.setAttribute("aria-pressed", String(!off));
      // Until the picture says so itself.
      button?.classList.toggle("leaving", off && !entry.classList.contains("off"));
    }
  }

  /** Lays the buttons over the names. */
  #place() {
    const { root, size } = this.#host;
    const view = root?.viewBox.baseVal;
    if (!view || !(view.width > 0) || this.#box.hidden) return;
    const scale = Math.min(size.width / view.width, size.height / view.height);
    const left = (size.width - view.width * scale) / 2;
    const top = (size.height - view.height * scale) / 2;
    const places = this.#entries.map((entry) => ({ name: entryOf(entry), box: entry.getBBox() }));
    for (const { name, box } of places) {
      const style = this.#buttons.get(name)?.style;
      if (!style) continue;
      style.insetInlineStart = `${left + (box.x - 40) * scale}px`;
      const height = Math.max(row * scale, least);
      style.insetBlockStart = `${top + (box.y + box.height / 2) * scale - height / 2}px`;
      style.inlineSize = `${(box.width + 80) * scale}px`;
      style.blockSize = `${height}px`;
    }
  }

  /** Makes a name the one that Tab reaches. @param {string} name */
  #stop(name) {
    for (const [other, button] of this.#buttons) button.tabIndex = other === name ? 0 : -1;
  }

  /** @param {PointerEvent} e */
  #down(e) {
    clearTimeout(this.#pressing);
    this.#pressed = false;
    const name = nameOf(e);
    if (name === "" || e.pointerType === "mouse") return;
    this.#pressing = setTimeout(() => {
      this.#pressed = true;
      this.#isolate(name);
    }, press);
  }

  /** @param {MouseEvent} e */
  #click(e) {
    const name = nameOf(e);
    if (name === "") return;
    if (this.#pressed) { // the end of a long press
      this.#pressed = false;
      return;
    }
    if (e.altKey) this.#isolate(name);
    else this.#toggle(name);
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    const name = nameOf(e);
    if (e.key === "Enter" && e.altKey) {
      e.preventDefault();
      if (!e.repeat) this.#isolate(name);
      return;
    }
    if (e.key === "Escape") this.#host.frame.focus();
    const all = [...this.#box.children];
    const at = all.indexOf(/** @type {Element} */ (e.target));
    /** @type {Record<string, number>} */
    const to = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 };
    const next = to[e.key];
    if (at < 0 || next === undefined || e.ctrlKey || e.altKey || e.metaKey) return;
    e.preventDefault();
    /** @type {HTMLElement} */ (all.at(next % all.length)).focus();
  }

  /** @param {string} name */
  #toggle(name) {
    const hidden = toggled(this.#hidden, name);
    this.#ask(hidden, `${name} ${hidden.includes(name) ? "hidden" : "shown"}`);
  }

  /** @param {string} name */
  #isolate(name) {
    const hidden = isolated(this.#hidden, this.#entries.map(entryOf), name);
    this.#ask(hidden, hidden.length === 0 ? "all series shown" : `${name} alone`);
  }

  /**
   * @param {string[]} hidden
   * @param {string} words what has happened
   */
  #ask(hidden, words) {
    this.#asked = hidden;
    this.#mark();
    this.#host.say(words);
    this.#pace.push(hidden, true);
  }

  /** @param {string[]} hidden */
  async #send(hidden) {
    try {
      await this.#host.change({ hidden });
    } catch (err) {
      this.#host.say(err instanceof Error ? err.message : String(err));
    }
    if (this.#pace.waiting) return;
    this.#asked = null;
    this.#mark();
  }
}

/** @param {Event} e */
function nameOf(e) {
  return e.target instanceof HTMLButtonElement ? e.target.dataset["name"] ?? "" : "";
}

/** @param {Element} entry */
function entryOf(entry) {
  return entry.getAttribute("data-entry") ?? "";
}

/** How it looks. */
export const css = `
#legend button {
  position: absolute;
  z-index: 1;
  margin: 0;
  padding: 0;
  border: 0;
  border-radius: .375rem;
  background: none;
  cursor: pointer;
  touch-action: manipulation;
  -webkit-touch-callout: none;
  user-select: none;
}
#legend[hidden], :host([controls="none"]) #legend, :host([state="lost"]) #legend { display: none; }
#legend button:hover { background: color-mix(in srgb, var(--chartd-muted, light-dark(#5b6675, #9aa6b5)) 12%, transparent); }
#legend button.leaving { background: color-mix(in srgb, var(--chartd-bg, light-dark(#fff, #141920)) 60%, transparent); }
#legend button:focus-visible { outline: 2px solid var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)); outline-offset: -1px; }
@media print { #legend { display: none; } }
`;
