/**
 * The lines of a picture as data again: what a picture holds is enough to read
 * any value off it, so nothing is asked of the server and nothing kept twice.
 *
 * @import { Picture } from "../patch.js"
 * @import { Points } from "./path.js"
 */
import { points, upTo } from "./path.js";

/** @typedef {{x: number, y: number}} Sample a point in units */

/**
 * A series that is drawn.
 * @typedef {object} Line
 * @property {Element} group holds its paths, in time order
 * @property {number} index in the chart's order
 * @property {string} name
 * @property {string} ink the class that has its colour
 * @property {boolean} stacked its points are sums up to it
 */

/**
 * What is on both sides of a place.
 * @typedef {object} Around
 * @property {Sample | null} before the last one at or before it
 * @property {Sample | null} after the first one behind it
 * @property {boolean} joined the line goes from the one to the other
 */

/**
 * Reads paths when they are first asked for, and again only if they changed.
 * Charts cut their lines in short chunks, so a patch costs one of them.
 */
export class Lines {
  /** @type {WeakMap<Element, {d: string, points: Points}>} */
  #known = new WeakMap();
  /** How many paths have been read. */
  read = 0;

  /**
   * The lines of a picture in the chart's order.
   * @param {Picture} picture
   * @returns {Line[]}
   */
  of(picture) {
    /** @type {Map<number, Line>} */
    const lines = new Map();
    for (const group of picture.keys.get("b")?.children ?? []) {
      const name = group.getAttribute("data-name");
      if (name === null) continue;
      const index = Number((group.getAttribute("data-k") ?? "").slice(1));
      const { classList } = group;
      // An area and its outline have the same points.
      if (lines.has(index) && !classList.contains("l")) continue;
      const ink = [...classList].find((c) => /^c\d$/.test(c)) ?? "";
      lines.set(index, { group, index, name, ink, stacked: classList.contains("k") });
    }
    return [...lines.values()].sort((a, b) => a.index - b.index);
  }

  /**
   * What is around x.
   * @param {Element} group
   * @param {number} x
   * @returns {Around}
   */
  around(group, x) {
    const k = this.#chunk(group, x);
    const here = k < 0 ? null : this.#points(group, k);
    const n = here ? upTo(here.xs, x) : 0;
    const before = here ? sample(here, n - 1) : null;
    if (here && n < here.xs.length) return { before, after: sample(here, n), joined: n > 0 && here.begins[n] === 0 };
    for (let next = k + 1; next < group.children.length; next++) {
      // It may go on with points that are in both.
      const there = this.#points(group, next);
      const i = upTo(there.xs, x);
      if (i < there.xs.length) return { before, after: sample(there, i), joined: i > 0 && there.begins[i] === 0 };
    }
    return { before, after: null, joined: false };
  }

  /**
   * The last sample before x.
   * @param {Element} group
   * @param {number} x
   */
  previous(group, x) {
    for (let k = this.#chunk(group, x); k >= 0; k--) {
      const here = this.#points(group, k);
      const n = upTo(here.xs, x - 1e-6);
      if (n > 0) return sample(here, n - 1);
    }
    return null;
  }

  /**
   * The y of the line at x, between its samples.
   * @param {Element} group
   * @param {number} x
   * @param {number} reach how far beyond a line's end it still counts, in units
   * @returns {number | null} null: there is no line
   */
  height(group, x, reach) {
    const { before, after, joined } = this.around(group, x);
    if (before && after && joined) return before.y + (after.y - before.y) * (x - before.x) / (after.x - before.x);
    return nearest(before, after, x, reach)?.y ?? null;
  }

  /**
   * The last chunk with points that begins at or before x, -1: none does.
   * @param {Element} group
   * @param {number} x
   */
  #chunk(group, x) {
    let lo = 0;
    let hi = group.children.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      let k = mid;
      while (k >= lo && this.#points(group, k).xs.length === 0) k--; // one with breaks alone
      if (k < lo || /** @type {number} */ (this.#points(group, k).xs[0]) <= x) lo = mid + 1;
      else hi = k;
    }
    let k = lo - 1;
    while (k >= 0 && this.#points(group, k).xs.length === 0) k--;
    return k;
  }

  /**
   * @param {Element} group
   * @param {number} k
   */
  #points(group, k) {
    const path = /** @type {Element} */ (group.children[k]);
    const d = path.getAttribute("d") ?? "";
    let known = this.#known.get(path);
    if (known?.d !== d) {
      this.read++;
      this.#known.set(path, known = { d, points: points(d) });
    }
    return known.points;
  }
}

/**
 * @param {Points} from
 * @param {number} i
 * @returns {Sample | null}
 */
function sample({ xs, ys }, i) {
  const x = xs[i];
  const y = ys[i];
  return x === undefined || y === undefined ? null : { x, y };
}

/**
 * The one of two samples that is nearer to x, if it is near enough.
 * @param {Sample | null} before
 * @param {Sample | null} after
 * @param {number} x
 * @param {number} reach
 */
export function nearest(before, after, x, reach) {
  const left = before ? x - before.x : Infinity;
  const right = after ? after.x - x : Infinity;
  if (Math.min(left, right) > reach) return null;
  return left <= right ? before : after;
}
