/**
 * What a feature of chartd/touch/ sees of its <chartd-chart>: the one place
 * where the element and what a hand can do with it meet.
 *
 * @import { CallbackResult } from "./callback.js"
 * @import { Picture } from "./patch.js"
 * @import { ViewChange } from "./protocol.js"
 */

/**
 * What happens to a chart. shown: another picture stands in the stage (a new
 * view, a new epoch), nothing is left of the one before. moved: the picture was
 * patched, or is another. altered: the view has other parameters; its picture
 * comes later. sized: the element is larger or smaller. All are told in the
 * same animation frame, before it is painted.
 * @typedef {"shown" | "moved" | "altered" | "sized"} Happening
 */

/**
 * How the element answers its host.
 * @typedef {object} Inside
 * @property {() => Picture | null} picture
 * @property {() => ViewChange} params
 * @property {(change: ViewChange) => Promise<CallbackResult>} change
 * @property {(path: string, signal: AbortSignal) => Promise<Response>} get
 * @property {(text: string) => void} say
 * @property {() => number} edge
 * @property {() => boolean} gliding
 * @property {(held: boolean) => void} hold
 */

/**
 * The element as its features see it. Features never change what stands below
 * the root <svg>: patches find it by key.
 */
export class ChartHost {
  #inside;
  /** @type {Map<Happening, Set<() => void>>} */
  #listeners = new Map();

  /**
   * @param {HTMLElement} element
   * @param {ShadowRoot} shadow
   * @param {Inside} inside
   */
  constructor(element, shadow, inside) {
    this.#inside = inside;
    /** @readonly The <chartd-chart>. Fire events here, read attributes here. */
    this.element = element;
    /** @readonly Put what floats over the chart at its end; it is laid out against the element. */
    this.shadow = shadow;
    /** @readonly The figure: it has the focus, and the pointer over the picture. */
    this.frame = /** @type {HTMLElement} */ (shadow.getElementById("frame"));
    /** @readonly What holds the picture. */
    this.stage = /** @type {HTMLElement} */ (shadow.getElementById("stage"));
  }

  /** What is seen; null: nothing yet. */
  get picture() {
    return this.#inside.picture();
  }

  /** The <svg> that is seen. */
  get root() {
    return this.picture?.root ?? null;
  }

  /** How the view differs from the chart's default. Not to be written to. */
  get params() {
    return this.#inside.params();
  }

  /** The figure's room, in px: what the root's viewBox is stretched to. */
  get size() {
    const { clientWidth: width, clientHeight: height } = this.frame;
    return { width, height };
  }

  /**
   * Asks the server for another view. It travels as the callback
   * {"view": change}: hooks fire, rights apply; where the viewer may not raise
   * callbacks, or the server does not know this one, it changes the caller's own
   * view alone.
   * @param {ViewChange} change
   * @returns {Promise<CallbackResult>} resolved when the answer is in the page;
   *   rejected with a CallbackError
   */
  change(change) {
    return this.#inside.change(change);
  }

  /**
   * Asks the chart's server, as whoever the chart is shown to.
   * @param {string} path relative to the server's address: "api/v1/…"
   * @param {AbortSignal} signal
   */
  get(path, signal) {
    return this.#inside.get(path, signal);
  }

  /**
   * Lets a screen reader say something, politely.
   * @param {string} text
   */
  say(text) {
    this.#inside.say(text);
  }

  /** The time at the right edge of the data as it is seen now, in ms: a live picture glides there. NaN: it has no time axis. */
  get edge() {
    return this.#inside.edge();
  }

  /** What is seen moves by itself, between two frames. */
  get gliding() {
    return this.#inside.gliding();
  }

  /**
   * Lets the moving picture stand where the last frame put it, or glide again.
   * @param {boolean} held
   */
  hold(held) {
    this.#inside.hold(held);
  }

  /**
   * Calls when something happens, until the signal.
   * @param {Happening} what
   * @param {() => void} listener
   * @param {AbortSignal} signal
   */
  on(what, listener, signal) {
    let all = this.#listeners.get(what);
    if (!all) this.#listeners.set(what, all = new Set());
    const set = all;
    set.add(listener);
    signal.addEventListener("abort", () => set.delete(listener), { once: true });
  }

  /**
   * For the element alone.
   * @param {Happening} what
   */
  tell(what) {
    const all = this.#listeners.get(what);
    if (all) for (const listener of all) listener();
  }
}
