/**
 * The arithmetic of ranges of time, and where one has been.
 *
 * @import { Range } from "./lens.js"
 */

/** What may be seen at once, in ms: a second to ten years, as the server has it. */
export const span = { min: 1_000, max: 3660 * 86_400_000 };

/**
 * Makes a range one that may be asked for: neither too short nor too long,
 * whole ms, and not beyond the end of time. What has to be moved keeps its
 * length; what has to be resized, its place at the pivot.
 * @param {Range} range
 * @param {number} end ms: the present
 * @param {number} [pivot] ms: what stays where it is
 * @returns {Range}
 */
export function fit({ from, to }, end, pivot = (from + to) / 2) {
  let long = to - from;
  if (!(long >= span.min && long <= span.max)) {
    const wanted = Math.max(span.min, Math.min(span.max, long || 0));
    const share = long > 0 ? (pivot - from) / long : 0.5;
    from = pivot - share * wanted;
    long = wanted;
  }
  from = Math.round(from);
  long = Math.round(long);
  const last = Math.floor(end);
  if (from + long > last) from = last - long;
  if (from < 0) from = 0;
  return { from, to: from + long };
}

/**
 * Shows more or less about a pivot.
 * @param {Range} range
 * @param {number} pivot ms
 * @param {number} factor below 1: nearer
 * @param {number} end
 */
export function scaled({ from, to }, pivot, factor, end) {
  return fit({ from: pivot - (pivot - from) * factor, to: pivot + (to - pivot) * factor }, end, pivot);
}

/**
 * @param {Range} range
 * @param {number} by ms
 * @param {number} end
 */
export function moved({ from, to }, by, end) {
  return fit({ from: from + by, to: to + by }, end);
}

/**
 * The range in which two times stand under two fingers.
 * @param {[number, number]} times ms
 * @param {[number, number]} places in px from the left edge
 * @param {number} width px
 * @param {number} end
 */
export function pinched([t1, t2], [x1, x2], width, end) {
  // Fingers that cross, or nearly, are as near as fingers get.
  const apart = Math.max(24, Math.abs(x2 - x1)) * (x2 < x1 ? -1 : 1);
  const perPx = Math.abs((t2 - t1) / apart);
  const middle = (t1 + t2) / 2;
  const from = middle - (x1 + x2) / 2 * perPx;
  return fit({ from, to: from + width * perPx }, end, middle);
}

/**
 * Whether two ranges are one on a picture so wide.
 * @param {Range | null} a
 * @param {Range | null} b
 * @param {number} width px
 */
export function alike(a, b, width) {
  if (!a || !b) return a === b;
  const px = (b.to - b.from) / width;
  return Math.abs(a.from - b.from) <= px && Math.abs(a.to - b.to) <= px;
}

/** How many steps back there are. */
const depth = 50;

/**
 * Where one has been: ranges, null for live.
 */
export class History {
  /** @type {(Range | null)[]} */
  #all = [];
  #at = 0;

  /** @param {Range | null} home where it begins */
  constructor(home) {
    this.#all = [home];
  }

  get now() {
    return this.#all[this.#at] ?? null;
  }

  get home() {
    return this.#all[0] ?? null;
  }

  get canBack() {
    return this.#at > 0;
  }

  get canForward() {
    return this.#at + 1 < this.#all.length;
  }

  /**
   * Goes somewhere new; what was ahead is forgotten.
   * @param {Range | null} range
   * @param {boolean} [same] it goes on with the last step
   */
  go(range, same = false) {
    if (same && this.#at > 0) this.#at--;
    this.#all.splice(this.#at + 1, Infinity, range);
    if (this.#all.length > depth) this.#all.splice(1, 1); // the way home stays
    this.#at = this.#all.length - 1;
  }

  back() {
    if (this.canBack) this.#at--;
    return this.now;
  }

  forward() {
    if (this.canForward) this.#at++;
    return this.now;
  }
}
