/**
 * The points of a path, read off its d as pkg/plotting/shape.go writes it: a
 * line, steps, dots, or an area that is filled down to its base line.
 */

/**
 * Points in the path's own units, in time order: xs never falls. begins[i] is 1
 * where a line starts anew.
 * @typedef {object} Points
 * @property {number[]} xs
 * @property {number[]} ys
 * @property {number[]} begins
 */

const [M, m, l, h, v, V] = ["M", "m", "l", "h", "v", "V"].map((c) => c.charCodeAt(0));
const minus = 45;
const dot = 46;

/** How a point that stands alone is drawn: as a dot of four px that starts to its left. */
const alone = -11;

/**
 * @param {string} d
 * @returns {Points}
 */
export function points(d) {
  /** @type {number[]} */
  const xs = [];
  /** @type {number[]} */
  const ys = [];
  /** @type {number[]} */
  const begins = [];
  let x = 0;
  let y = 0;
  let i = 0;
  // The point just pushed has not been gone on from; it is one of a fill.
  let fresh = false;
  let fill = false;

  const more = () => {
    for (;; i++) {
      const c = d.charCodeAt(i);
      if (c >= 48 && c <= 57 || c === minus || c === dot) return true;
      if (c !== 32 && c !== 44) return false;
    }
  };
  const number = () => {
    if (!more()) return NaN;
    const negative = d.charCodeAt(i) === minus;
    if (negative) i++;
    let n = 0;
    let scale = 0;
    for (;; i++) {
      const c = d.charCodeAt(i);
      if (c >= 48 && c <= 57) {
        n = n * 10 + c - 48;
        scale *= 10;
      } else if (c === dot && scale === 0) {
        scale = 1;
      } else {
        break;
      }
    }
    if (scale > 1) n /= scale;
    return negative ? -n : n;
  };
  /** @param {number} begin */
  const push = (begin) => {
    xs.push(x);
    ys.push(y);
    begins.push(begin);
  };

  while (i < d.length) {
    const command = d.charCodeAt(i++);
    switch (command) {
      case M:
      case m: {
        const [nx, ny] = [number(), number()];
        x = command === M ? nx : x + nx;
        y = command === M ? ny : y + ny;
        push(1);
        fresh = true;
        fill = false;
        break;
      }
      case V: // up to an area's first point, or back down from its last
        y = number();
        if (fresh && !fill) {
          ys[ys.length - 1] = y;
          fill = true;
        }
        break;
      case l:
        while (more()) {
          const [dx, dy] = [number(), number()];
          if (fresh) {
            fresh = false;
            if (dx === 0 && dy === 0) continue;
            if (dx === alone) {
              while (more()) number();
              break;
            }
          }
          x += dx;
          y += dy;
          push(0);
        }
        break;
      case h: {
        const dx = number();
        if (!fresh) {
          x += dx;
          push(0);
        } else if (fill) { // a bar about a point that stands alone
          xs[xs.length - 1] = x + dx / 2;
        }
        fresh = false;
        break;
      }
      case v: // the riser of a step: the point is at its end
        y += number();
        ys[ys.length - 1] = y;
        break;
    }
  }
  return { xs, ys, begins };
}

/**
 * How many of the rising numbers are not larger than x.
 * @param {number[]} xs
 * @param {number} x
 */
export function upTo(xs, x) {
  let lo = 0;
  let hi = xs.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (/** @type {number} */ (xs[mid]) <= x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
