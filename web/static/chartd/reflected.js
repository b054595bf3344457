/**
 * The properties of <chartd-chart> that are attributes, and its on-properties.
 * Frameworks set one or the other, as they like: both are one thing.
 *
 * Each property hands on to the attribute what fits into text: null, undefined
 * and false take the attribute away. Read, it is the attribute's text, "" if
 * there is none. Not among them are token, which is a secret and stays out of
 * the page's markup, hidden, which is HTML's own, and state, clock and picking,
 * which the element says about itself.
 *
 * @import { HookEvent, ViewChange } from "./protocol.js"
 * @import { State } from "./state.js"
 */

/** @typedef {string | number | false | null | undefined} Text */
/** @typedef {Pick<HookEvent, "cause" | "arg" | "error" | "ms" | "id">} HookDetail what is known of a callback */

/**
 * The element's own events. All of them bubble.
 * @typedef {object} ChartEvents
 * @property {CustomEvent<{state: State, before: State, text: string}>} statechange
 * @property {CustomEvent<{vars: Record<string, string>}>} varschange the viewer picked
 * @property {CustomEvent<{view: string}>} viewchange another view is seen: its parameters, as of an address
 * @property {CustomEvent<HookDetail>} beforecallback
 * @property {CustomEvent<HookDetail>} aftercallback
 * @property {CustomEvent<HookDetail>} beforecallbackresponseprocess the frame is not in the page yet
 * @property {CustomEvent<HookDetail>} aftercallbackresponseprocess it is
 */

/**
 * @template {keyof ChartEvents} K
 * @typedef {((event: ChartEvents[K]) => void) | null} Handler
 */

/** The attributes that are properties of the same name: those with text, and those that are there or not. */
export const reflected = /** @type {const} */ ({
  text: ["src", "server", "link", "window", "from", "to", "refresh", "hide", "vars", "timezone", "replay", "heading", "marks", "thresholds", "size", "theme", "label", "controls"],
  flags: ["pick", "events"],
});

/** The events that have an on-property. */
export const ownEvents = /** @type {const} */ ([
  "statechange", "varschange", "viewchange",
  "beforecallback", "aftercallback", "beforecallbackresponseprocess", "aftercallbackresponseprocess",
]);

export class ReflectedElement extends HTMLElement {
  /** @type {Map<string, EventListener>} */
  #handlers = new Map();

  /**
   * The chart's name.
   * @returns {string}
   */
  get src() { return this.#text("src"); }

  /** @param {Text} name */
  set src(name) { this.#write("src", name); }

  /**
   * The server's address; "": where the script came from.
   * @returns {string}
   */
  get server() { return this.#text("server"); }

  /** @param {Text | URL} address */
  set server(address) { this.#write("server", address); }

  /**
   * A signed link to this chart.
   * @returns {string}
   */
  get link() { return this.#text("link"); }

  /** @param {Text} link */
  set link(link) { this.#write("link", link); }

  /**
   * What the time axis spans.
   * @returns {string}
   */
  get window() { return this.#text("window"); }

  /** @param {Text} span 90s, 5m, 1h30m, 7d; a number is ms */
  set window(span) { this.#write("window", span); }

  /**
   * Where a fixed range begins.
   * @returns {string}
   */
  get from() { return this.#text("from"); }

  /** @param {Text | Date} time ms since 1970, or ISO 8601 */
  set from(time) { this.#write("from", instant(time)); }

  /**
   * Where a fixed range ends.
   * @returns {string}
   */
  get to() { return this.#text("to"); }

  /** @param {Text | Date} time */
  set to(time) { this.#write("to", instant(time)); }

  /**
   * The time between two frames.
   * @returns {string}
   */
  get refresh() { return this.#text("refresh"); }

  /** @param {Text} span a number is ms; 0: only when a callback asks */
  set refresh(span) { this.#write("refresh", span); }

  /**
   * The series to leave out.
   * @returns {string}
   */
  get hide() { return this.#text("hide"); }

  /** @param {Text | readonly string[]} names */
  set hide(names) { this.#write("hide", typeof names === "object" && names ? JSON.stringify(names) : names); }

  /**
   * The chart's variables.
   * @returns {string}
   */
  get vars() { return this.#text("vars"); }

  /** @param {Text | Readonly<Record<string, string | number>>} vars */
  set vars(vars) { this.#write("vars", typeof vars === "object" && vars ? JSON.stringify(vars) : vars); }

  /**
   * The zone of the time axis: "Europe/Berlin", or "viewer" for the browser's own.
   * @returns {string}
   */
  get timezone() { return this.#text("timezone"); }

  /** @param {Text} zone */
  set timezone(zone) { this.#write("timezone", zone); }

  /**
   * A clock of its own: '{"at":1700000000000,"speed":10}', or such an object.
   * @returns {string}
   */
  get replay() { return this.#text("replay"); }

  /** @param {Text | Readonly<{at: number, since?: number, speed?: number}>} replay */
  set replay(replay) { this.#write("replay", typeof replay === "object" && replay ? JSON.stringify(replay) : replay); }

  /**
   * What stands above the picture; "": the chart's title.
   * @returns {string}
   */
  get heading() { return this.#text("heading"); }

  /** @param {Text} heading */
  set heading(heading) { this.#write("heading", heading); }

  /**
   * Moments and spans with a text: '[{"t":1700000000000,"text":"deploy"}]', or such a list.
   * @returns {string}
   */
  get marks() { return this.#text("marks"); }

  /** @param {Text | ViewChange["marks"]} marks */
  set marks(marks) { this.#write("marks", typeof marks === "object" && marks ? JSON.stringify(marks) : marks); }

  /**
   * Values that matter, instead of the chart's own: '[{"at":80,"level":"alarm"}]', or such a list; "[]": none.
   * @returns {string}
   */
  get thresholds() { return this.#text("thresholds"); }

  /** @param {Text | ViewChange["thresholds"]} thresholds */
  set thresholds(thresholds) {
    this.#write("thresholds", typeof thresholds === "object" && thresholds ? JSON.stringify(thresholds) : thresholds);
  }

  /**
   * The size in px that the server draws: "800x400".
   * @returns {string}
   */
  get size() { return this.#text("size"); }

  /** @param {Text | readonly [number, number]} size */
  set size(size) { this.#write("size", typeof size === "object" && size ? size.join("x") : size); }

  /**
   * light or dark; anything else: as the system.
   * @returns {string}
   */
  get theme() { return this.#text("theme"); }

  /** @param {Text} theme */
  set theme(theme) { this.#write("theme", theme); }

  /**
   * The accessible name; "": the chart's title.
   * @returns {string}
   */
  get label() { return this.#text("label"); }

  /** @param {Text} label */
  set label(label) { this.#write("label", label); }

  /**
   * none: without the row of buttons.
   * @returns {string}
   */
  get controls() { return this.#text("controls"); }

  /** @param {Text} controls */
  set controls(controls) { this.#write("controls", controls); }

  /**
   * With a row in which the viewer picks the values of vars.
   * @returns {boolean}
   */
  get pick() { return this.hasAttribute("pick"); }

  /** @param {boolean | "" | null | undefined} on */
  set pick(on) { this.#toggle("pick", on); }

  /**
   * Asks for the events around callbacks when nobody listens on the element itself.
   * @returns {boolean}
   */
  get events() { return this.hasAttribute("events"); }

  /** @param {boolean | "" | null | undefined} on */
  set events(on) { this.#toggle("events", on); }

  /** @returns {Handler<"statechange">} */
  get onstatechange() { return this.#handler("statechange"); }

  /** @param {Handler<"statechange">} f */
  set onstatechange(f) { this.#handle("statechange", f); }

  /** @returns {Handler<"viewchange">} */
  get onviewchange() { return this.#handler("viewchange"); }

  /** @param {Handler<"viewchange">} f */
  set onviewchange(f) { this.#handle("viewchange", f); }

  /** @returns {Handler<"varschange">} */
  get onvarschange() { return this.#handler("varschange"); }

  /** @param {Handler<"varschange">} f */
  set onvarschange(f) { this.#handle("varschange", f); }

  /** @returns {Handler<"beforecallback">} */
  get onbeforecallback() { return this.#handler("beforecallback"); }

  /** @param {Handler<"beforecallback">} f */
  set onbeforecallback(f) { this.#handle("beforecallback", f); }

  /** @returns {Handler<"aftercallback">} */
  get onaftercallback() { return this.#handler("aftercallback"); }

  /** @param {Handler<"aftercallback">} f */
  set onaftercallback(f) { this.#handle("aftercallback", f); }

  /** @returns {Handler<"beforecallbackresponseprocess">} */
  get onbeforecallbackresponseprocess() { return this.#handler("beforecallbackresponseprocess"); }

  /** @param {Handler<"beforecallbackresponseprocess">} f */
  set onbeforecallbackresponseprocess(f) { this.#handle("beforecallbackresponseprocess", f); }

  /** @returns {Handler<"aftercallbackresponseprocess">} */
  get onaftercallbackresponseprocess() { return this.#handler("aftercallbackresponseprocess"); }

  /** @param {Handler<"aftercallbackresponseprocess">} f */
  set onaftercallbackresponseprocess(f) { this.#handle("aftercallbackresponseprocess", f); }

  /**
   * Takes over what was set before the element was defined: a page may build
   * its tags before the script is there, and their own properties would hide
   * the class's.
   * @param {readonly string[]} [more] properties besides
   */
  adopt(more = []) {
    const own = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (this));
    for (const name of [...reflected.text, ...reflected.flags, ...ownEvents.map((type) => `on${type}`), ...more]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = own[name];
      delete own[name];
      own[name] = value;
    }
  }

  /** @param {string} name */
  #text(name) {
    return this.getAttribute(name) ?? "";
  }

  /**
   * @param {string} name
   * @param {unknown} value
   */
  #write(name, value) {
    if (value === null || value === undefined || value === false) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }

  /**
   * @param {string} name
   * @param {unknown} on "" is what an attribute without a value has
   */
  #toggle(name, on) {
    this.toggleAttribute(name, on === "" || Boolean(on));
  }

  /** @param {string} type */
  #handler(type) {
    return /** @type {((event: Event) => void) | null} */ (this.#handlers.get(type) ?? null);
  }

  /**
   * @param {string} type
   * @param {unknown} listener
   */
  #handle(type, listener) {
    const old = this.#handlers.get(type);
    if (old) this.removeEventListener(type, old);
    this.#handlers.delete(type);
    if (typeof listener !== "function") return;
    const own = /** @type {EventListener} */ (listener);
    this.#handlers.set(type, own);
    this.addEventListener(type, own);
  }
}

/** @param {unknown} time */
function instant(time) {
  return time instanceof Date ? time.getTime() : time;
}
