/**
 * A picker for each var of the chart, in a row above it, where the element has
 * the attribute "pick". What is picked changes the view; the title and the
 * series follow from the server.
 *
 * @import { ChartHost } from "../host.js"
 */

/**
 * A var as the server's API tells of it. choice: "any" is whatever one writes,
 * "list" what is in the list, "live" what is in it and what was.
 * @typedef {object} VarInfo
 * @property {string} name
 * @property {string} label
 * @property {string} default
 * @property {"any" | "list" | "live"} choice
 * @property {boolean} [all]
 * @property {boolean} [hide]
 * @property {boolean} [pinned]
 * @property {string[]} [values]
 * @property {number} [count]
 */

/** The value that stands for every value, and what people read of it. */
const all = { value: "*", text: "All" };

/** A longer list that changes by itself is searched by writing. */
const long = 60;

/** A list that was fetched is good for so long, in ms: a pointer that comes and a focus are one occasion. */
const fresh = 1000;

/**
 * The vars that have something to pick.
 * @param {VarInfo[]} vars
 */
export function shown(vars) {
  return vars.filter((info) => !info.hide && !info.pinned && (info.choice === "any" || info.choice === "live" || (info.values?.length ?? 0) > 0));
}

/**
 * The value of a var in a view.
 * @param {VarInfo} info
 * @param {Record<string, string> | undefined} vars those of the view
 */
export function valueOf(info, vars) {
  return vars?.[info.name] ?? info.default;
}

/**
 * What a list offers: All first, and the value that is shown even if the list
 * has lost it.
 * @param {VarInfo} info
 * @param {string} value
 * @returns {{value: string, text: string}[]}
 */
export function optionsOf(info, value) {
  const list = (info.values ?? []).map((v) => ({ value: v, text: v }));
  if (value !== "" && !info.values?.includes(value) && !(info.all && value === all.value)) list.unshift({ value, text: value });
  if (info.all) list.unshift(all);
  return list;
}

/**
 * Whether a var is written instead of chosen from a list.
 * @param {VarInfo} info
 */
export function isWritten(info) {
  return info.choice === "any" || info.choice === "live" && (info.count ?? 0) > long;
}

/** One var's label and control. */
class Picker {
  #pick;
  #refresh;
  #info;
  /** What the view has. */
  #value = "";
  /** What was asked for last. */
  #asked = "";
  /** How many answers are waited for: until then the control shows what was asked for. */
  #pending = 0;
  /** @type {HTMLSelectElement | HTMLInputElement} */
  #control;
  /** @type {HTMLElement} Holds the options. */
  #list;

  /**
   * @param {VarInfo} info
   * @param {string} value
   * @param {string} id unique in the chart
   * @param {(name: string, value: string) => Promise<void>} pick settles when the answer is in the page
   * @param {() => void} refresh somebody may be about to pick
   */
  constructor(info, value, id, pick, refresh) {
    this.#info = info;
    this.#pick = pick;
    this.#refresh = refresh;
    /** @readonly */
    this.root = document.createElement("label");
    this.root.setAttribute("part", `var var-${info.name}`);
    this.root.append(text("span", info.label));
    if (isWritten(info)) {
      const input = document.createElement("input");
      input.type = "text";
      input.autocomplete = "off";
      input.spellcheck = false;
      input.autocapitalize = "off";
      this.#list = document.createElement("datalist");
      this.#list.id = id;
      if (info.choice !== "any") {
        input.setAttribute("list", id);
        this.root.append(this.#list);
        // Chosen from the list it is picked at once; while one writes, it is not.
        input.addEventListener("input", (e) => {
          if (!(e instanceof InputEvent) || e.inputType === "insertReplacementText") this.#picked();
        });
        input.addEventListener("focus", () => input.select());
      }
      input.addEventListener("keydown", (e) => {
        if (e.key !== "Escape") return;
        input.value = this.#text(this.#value);
        input.select();
      });
      this.#control = input;
    } else {
      this.#control = this.#list = document.createElement("select");
    }
    const control = this.#control;
    control.setAttribute("part", "var-control");
    control.addEventListener("change", () => this.#picked());
    for (const what of ["focus", "pointerenter"]) control.addEventListener(what, () => this.#refresh());
    this.root.append(control);
    this.show(info, value);
  }

  /**
   * @param {VarInfo} info
   * @param {string} value
   */
  show(info, value) {
    this.#info = info;
    this.#offer(optionsOf(info, value));
    const writing = this.#control instanceof HTMLInputElement && this.#control.matches(":focus") && this.#control.value !== this.#text(this.#value);
    this.#value = value;
    if (!writing && this.#pending === 0) this.#back();
    const more = (info.count ?? 0) - (info.values?.length ?? 0);
    this.#control.title = more > 0 ? `${more} more are not listed; write their names` : "";
  }

  /** Shows what is the case. */
  #back() {
    this.#asked = this.#value;
    this.#control.value = this.#control instanceof HTMLInputElement ? this.#text(this.#value) : this.#value;
  }

  /**
   * Changes what differs alone: the list may be open.
   * @param {{value: string, text: string}[]} options
   */
  #offer(options) {
    const there = /** @type {HTMLCollectionOf<HTMLOptionElement>} */ (this.#list.children);
    for (const [i, { value, text }] of options.entries()) {
      while (there[i] && there[i].value !== value && !options.some((o) => o.value === there[i]?.value)) there[i].remove();
      if (there[i]?.value !== value) this.#list.insertBefore(new Option(text, value), there[i] ?? null);
    }
    while (there.length > options.length) there[options.length]?.remove();
  }

  /** @param {string} value */
  #text(value) {
    return this.#info.all && value === all.value ? all.text : value;
  }

  #picked() {
    let value = this.#control.value;
    if (this.#control instanceof HTMLInputElement) {
      value = value.trim();
      if (this.#info.all && value.toLowerCase() === all.text.toLowerCase() && !this.#info.values?.includes(value)) value = all.value;
    }
    if (value === this.#asked) {
      if (this.#pending === 0) this.#back();
      return;
    }
    this.#asked = value;
    this.#pending++;
    this.#pick(this.#info.name, value).finally(() => {
      if (--this.#pending === 0) this.#back(); // what was asked for, unless it was refused
    });
  }
}

export class Vars {
  #host;
  #signal;
  #bar = document.createElement("div");
  #trouble = document.createElement("span");
  /** @type {VarInfo[]} */
  #vars = [];
  /** @type {Map<string, Picker>} */
  #pickers = new Map();
  #of = "";
  #asked = -Infinity;
  #told = "{}";
  /** @type {Record<string, string>} What is picked and not asked for yet. */
  #wishes = {};
  /** @type {Promise<void> | null} */
  #picking = null;

  /**
   * @param {ChartHost} host
   * @param {AbortSignal} signal
   */
  constructor(host, signal) {
    this.#host = host;
    this.#signal = signal;
    this.#bar.id = "vars";
    this.#bar.setAttribute("part", "vars");
    this.#bar.setAttribute("role", "group");
    this.#bar.setAttribute("aria-label", "What the chart shows");
    this.#trouble.id = "var-trouble";
    this.#trouble.setAttribute("part", "var-trouble");
    this.#bar.append(this.#trouble);
    // Behind the chart: that is what has the focus when the element is given it.
    host.shadow.append(this.#bar);
    const attributes = new MutationObserver(() => this.#begin());
    attributes.observe(host.element, { attributeFilter: ["pick", "src", "server"] });
    for (const what of /** @type {const} */ (["altered", "shown"])) host.on(what, () => this.#look(), signal);
    signal.addEventListener("abort", () => {
      attributes.disconnect();
      this.#bar.remove();
    }, { once: true });
    this.#begin();
  }

  /** The element is another chart's, or has a picker, or has none any more. */
  #begin() {
    const { element } = this.#host;
    const of = element.hasAttribute("pick") ? `${element.getAttribute("server")} ${element.getAttribute("src")}` : "";
    if (of === this.#of) return;
    this.#of = of;
    this.#vars = [];
    this.#asked = -Infinity;
    this.#draw();
    if (of !== "") this.#fetch();
  }

  /** Asks what there is to pick. */
  async #fetch() {
    if (performance.now() - this.#asked < fresh) return;
    this.#asked = performance.now();
    const of = this.#of;
    const src = this.#host.element.getAttribute("src") ?? "";
    if (src === "") return;
    try {
      const response = await this.#host.get(`api/v1/charts/${encodeURIComponent(src)}`, this.#signal);
      if (!response.ok) return; // an older server, or nothing to see: the chart says so
      const { vars } = await response.json();
      if (this.#of !== of || this.#signal.aborted) return;
      this.#vars = shown(Array.isArray(vars) ? vars : []);
    } catch {
      return; // there is no connection: what is known stays
    }
    this.#draw();
  }

  /** Brings the row in line with what is known. */
  #draw() {
    const { element, params } = this.#host;
    for (const [name, picker] of this.#pickers) {
      if (this.#vars.some((info) => keyOf(info) === name)) continue;
      picker.root.remove();
      this.#pickers.delete(name);
    }
    for (const info of this.#vars) {
      const key = keyOf(info);
      const value = valueOf(info, params.vars);
      let picker = this.#pickers.get(key);
      if (picker) {
        picker.show(info, value);
      } else {
        picker = new Picker(info, value, `var-${key.replace(/\W/g, "-")}`, (name, v) => this.#pick(name, v), () => this.#fetch());
        this.#pickers.set(key, picker);
      }
      if (this.#bar.children[this.#vars.indexOf(info)] !== picker.root) this.#bar.insertBefore(picker.root, this.#bar.children[this.#vars.indexOf(info)] ?? null);
    }
    element.toggleAttribute("picking", this.#vars.length > 0);
  }

  /** The view may have other values now. */
  #look() {
    const { element, params } = this.#host;
    for (const info of this.#vars) this.#pickers.get(keyOf(info))?.show(info, valueOf(info, params.vars));
    const vars = Object.fromEntries(Object.entries(params.vars ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
    const now = JSON.stringify(vars);
    if (now === this.#told) return;
    this.#told = now;
    this.#trouble.textContent = "";
    element.dispatchEvent(new CustomEvent("varschange", { bubbles: true, composed: true, detail: { vars } }));
  }

  /**
   * Picks a value. One change is under way at a time, since it gives the chart
   * another view; what is picked meanwhile goes next, together.
   * @param {string} name
   * @param {string} value
   */
  #pick(name, value) {
    this.#wishes[name] = value;
    this.#picking ??= this.#change().finally(() => { this.#picking = null; });
    return this.#picking;
  }

  async #change() {
    while (Object.keys(this.#wishes).length > 0) {
      const vars = this.#wishes;
      this.#wishes = {};
      let why = "";
      try {
        await this.#host.change({ vars });
      } catch (err) {
        why = err instanceof Error ? err.message : String(err);
        this.#host.say(why);
      }
      this.#look();
      this.#trouble.textContent = this.#trouble.title = why;
    }
  }
}

/**
 * What makes a picker another one.
 * @param {VarInfo} info
 */
function keyOf(info) {
  return `${info.name} ${isWritten(info)} ${info.choice === "any"} ${info.label}`;
}

/**
 * @param {string} tag
 * @param {string} content
 */
function text(tag, content) {
  const el = document.createElement(tag);
  el.textContent = content;
  return el;
}

/**
 * How it looks. The row takes the place of the element's upper border, so that
 * whatever is measured or placed against the element is so against the chart.
 */
export const css = `
:host([pick]) { contain: size layout style; box-sizing: border-box; }
:host([picking]) { --vars: 2.375rem; border-block-start: var(--vars) solid transparent !important; }
#vars {
  position: absolute;
  inset-block-start: calc(-1 * var(--vars, 2.375rem));
  inset-inline: 0;
  box-sizing: border-box;
  display: none;
  align-items: center;
  gap: 1rem;
  block-size: var(--vars, 2.375rem);
  padding: .1875rem .5rem 0;
  overflow: auto hidden;
  scrollbar-width: none;
  font: 500 .8125rem/1.25rem system-ui, sans-serif;
  color: var(--chartd-muted, light-dark(#5b6675, #9aa6b5));
}
:host([picking]) #vars { display: flex; }
#vars label { flex: none; display: flex; align-items: center; gap: .375rem; }
#vars select, #vars input {
  box-sizing: border-box;
  block-size: 1.75rem;
  min-inline-size: 4.5rem;
  max-inline-size: 16rem;
  margin: 0;
  padding: 0 .375rem;
  border: 1px solid color-mix(in srgb, currentColor 35%, transparent);
  border-radius: .4375rem;
  font: inherit;
  text-overflow: ellipsis;
  color: var(--chartd-fg, light-dark(#1b2430, #e8ecf2));
  background-color: var(--chartd-bg, light-dark(#fff, #141920));
}
#vars input { inline-size: 10rem; padding-inline: .5rem; }
#vars select:hover, #vars input:hover { border-color: currentColor; }
#vars :focus-visible { outline: 2px solid var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)); outline-offset: 1px; }
#var-trouble { flex: 1 0 auto; color: light-dark(#a3262d, #ffb0b3); }
@media (pointer: coarse) {
  :host([picking]) { --vars: 3.125rem; }
  #vars select, #vars input { block-size: 2.5rem; font-size: 1rem; }
}
@media (prefers-contrast: more) { #vars select, #vars input { border-color: currentColor; } }
@media print { #vars { display: none !important; } :host([picking]) { --vars: 0px; } }
`;
