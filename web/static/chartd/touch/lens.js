/**
 * Where things are in the element: between px, and times and values. It knows
 * what is really seen, while a picture glides and while a hand stretches it.
 *
 * @import { ChartHost } from "../host.js"
 */
import { translation } from "../glide.js";

/** @typedef {{from: number, to: number}} Range times in ms */

/**
 * How a picture lies in the element at a moment.
 * @typedef {object} Sight
 * @property {number} from the time at the left edge of the data, in ms
 * @property {number} to the time at their right edge
 * @property {number} left the data's edges, in px of the element
 * @property {number} right
 * @property {number} top
 * @property {number} bottom
 * @property {number} x0 time t stands at (t − x0) · xs units in the lines' paths
 * @property {number} xs
 * @property {number} scale px in a unit
 * @property {number} min the value at the bottom
 * @property {number} perUnit how much of a value is one unit
 * @property {number} foot the bottom, in units
 */

export class Lens {
  #host;
  /** @type {Range | null} What is seen while a hand stretches the picture. */
  local = null;

  /** @param {ChartHost} host */
  constructor(host) {
    this.#host = host;
  }

  /**
   * How units become px: the picture is as large as fits, and in the middle.
   * @returns {{scale: number, x: number, y: number} | null}
   */
  get fit() {
    const box = this.#host.root?.viewBox.baseVal;
    const { width, height } = this.#host.size;
    if (!box || !(box.width > 0) || !(box.height > 0) || width === 0) return null;
    const scale = Math.min(width / box.width, height / box.height);
    return { scale, x: (width - box.width * scale) / 2, y: (height - box.height * scale) / 2 };
  }

  /**
   * What the last frame shows, wherever it is on its way to.
   * @returns {Range | null} null: there is no time axis
   */
  get framed() {
    const { picture } = this.#host;
    const { axis } = picture ?? {};
    const rect = picture?.root.dataset["rect"]?.split(" ").map(Number);
    const at = translation(picture?.keys.get("x")?.getAttribute("transform") ?? null);
    if (!axis || !rect || !at) return null;
    const to = axis.x0 + (axis.right - at[0]) / axis.xs;
    return { from: to - (rect[2] ?? 0) / axis.xs, to };
  }

  /**
   * What is seen now, stretched or not.
   * @returns {Range | null}
   */
  get range() {
    if (this.local) return this.local;
    const framed = this.framed;
    const { edge } = this.#host;
    if (!framed || !(edge === edge)) return framed;
    return { from: edge - (framed.to - framed.from), to: edge };
  }

  /**
   * @returns {Sight | null} null: there is no time axis
   */
  get sight() {
    const { range, fit } = this;
    const { picture } = this.#host;
    if (!range || !fit || !picture?.axis) return null;
    const { rect = "", y = "" } = picture.root.dataset;
    const [x = 0, top = 0, w = 0, h = 0] = rect.split(" ").map(Number);
    const [min = 0, max = 0] = y.split(" ").map(Number);
    const { scale } = fit;
    return {
      ...range,
      left: fit.x + x * scale, right: fit.x + (x + w) * scale,
      top: fit.y + top * scale, bottom: fit.y + (top + h) * scale,
      x0: picture.axis.x0, xs: picture.axis.xs, scale,
      min, perUnit: (max - min) / h, foot: top + h,
    };
  }

  /**
   * Where an event is in the element, in px.
   * @param {MouseEvent} e
   */
  place(e) {
    const box = this.#host.frame.getBoundingClientRect();
    // A page may show it scaled.
    const { width, height } = this.#host.size;
    return {
      x: (e.clientX - box.left) * (width / box.width || 1),
      y: (e.clientY - box.top) * (height / box.height || 1),
    };
  }
}

/**
 * The time at a place, in ms.
 * @param {Sight} s
 * @param {number} px
 */
export function timeAt(s, px) {
  return s.from + (px - s.left) / (s.right - s.left) * (s.to - s.from);
}

/**
 * Where a time is, in px.
 * @param {Sight} s
 * @param {number} t
 */
export function placeOf(s, t) {
  return s.left + (t - s.from) / (s.to - s.from) * (s.right - s.left);
}

/**
 * @param {Sight} s
 * @param {{x: number, y: number}} place
 * @param {number} [slack] px
 */
export function inside(s, { x, y }, slack = 0) {
  return x >= s.left - slack && x <= s.right + slack && y >= s.top - slack && y <= s.bottom + slack;
}
