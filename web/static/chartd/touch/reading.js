/**
 * What a picture says at a place: the values of all series at a time, or the
 * one value of a bar, a gauge or a stat.
 *
 * @import { Picture } from "../patch.js"
 * @import { Line, Lines, Sample } from "./lines.js"
 * @import { Sight } from "./lens.js"
 * @import { Row } from "./readout.js"
 */
import { write } from "../units.js";
import { placeOf } from "./lens.js";
import { nearest } from "./lines.js";

/** How far from its end, in px, a line still counts. */
const reach = 12;

/**
 * Everything at a time.
 * @typedef {object} Reading
 * @property {number} t ms
 * @property {Row[]} rows
 */

/**
 * Reads all series at a time.
 * @param {Picture} picture
 * @param {Lines} lines
 * @param {Sight} s
 * @param {number} t ms
 * @param {boolean} snap go to the nearest sample first
 * @param {number} [y] what the pointer is nearest to, in px
 * @returns {Reading}
 */
export function read(picture, lines, s, t, snap, y = NaN) {
  const { kind = "", unit = "" } = picture.root.dataset;
  const all = lines.of(picture);
  const bound = reach / s.scale;
  let x = (t - s.x0) * s.xs;
  const holds = kind === "step";
  if (snap && !holds) {
    let best = Infinity;
    const at = x;
    for (const { group } of all) {
      const near = pick(lines, group, at, bound, kind);
      if (near && Math.abs(near.x - at) < Math.abs(best - at)) best = near.x;
    }
    if (best < Infinity) x = best;
  }
  const rows = all.map((line) => row(lines, all, line, x, bound, kind, s, unit));
  if (y === y) {
    let near = -1;
    let least = 40;
    for (const [i, r] of rows.entries()) {
      if (Math.abs(r.y - y) < least) [near, least] = [i, Math.abs(r.y - y)];
    }
    const r = rows[near];
    if (r && rows.length > 1) r.near = true;
  }
  return { t: s.x0 + x / s.xs, rows };
}

/**
 * @param {Lines} lines
 * @param {Line[]} all
 * @param {Line} line
 * @param {number} x
 * @param {number} bound
 * @param {string} kind
 * @param {Sight} s
 * @param {string} unit
 * @returns {Row}
 */
function row(lines, all, line, x, bound, kind, s, unit) {
  const { name, ink } = line;
  const point = pick(lines, line.group, x, bound, kind);
  if (!point) return { name, ink, text: "–", x: NaN, y: NaN, near: false };
  const value = line.stacked ? own(lines, all, line, point, bound, s) : s.min + (s.foot - point.y) * s.perUnit;
  const px = placeOf(s, s.x0 + (kind === "step" ? x : point.x) / s.xs);
  const py = s.bottom - (s.foot - point.y) * s.scale;
  const seen = py >= s.top - 1 && py <= s.bottom + 1 && px >= s.left - 1 && px <= s.right + 1;
  return { name, ink, text: text(value, s.perUnit, unit), x: seen ? px : NaN, y: py, near: false };
}

/**
 * The sample that says what a series is at x.
 * @param {Lines} lines
 * @param {Element} group
 * @param {number} x
 * @param {number} bound
 * @param {string} kind
 */
function pick(lines, group, x, bound, kind) {
  const { before, after, joined } = lines.around(group, x);
  if (kind === "step" && before && (joined || x - before.x <= bound)) return before;
  return nearest(before, after, x, joined ? Infinity : kind === "scatter" ? 2 * bound : bound);
}

/**
 * A stacked series' own value: not the top of the pile.
 * @param {Lines} lines
 * @param {Line[]} all
 * @param {Line} line
 * @param {Sample} point
 * @param {number} bound
 * @param {Sight} s
 */
function own(lines, all, line, point, bound, s) {
  for (let i = all.indexOf(line) - 1; i >= 0; i--) {
    const lower = all[i];
    const y = lower?.stacked ? lines.height(lower.group, point.x, bound) : null;
    if (y !== null) return (y - point.y) * s.perUnit;
  }
  return s.min + (s.foot - point.y) * s.perUnit;
}

/**
 * What is read off a picture is no more exact than its units.
 * @param {number} value
 * @param {number} perUnit
 * @param {string} unit
 */
function text(value, perUnit, unit) {
  return write(Math.abs(value) < perUnit / 2 ? 0 : value, unit);
}

/**
 * The next sample of any series behind or before a time: what an arrow key
 * goes to.
 * @param {Picture} picture
 * @param {Lines} lines
 * @param {Sight} s
 * @param {number} t ms
 * @param {1 | -1} way
 * @returns {number | null} ms; null: there is none in sight
 */
export function neighbour(picture, lines, s, t, way) {
  const x = (t - s.x0) * s.xs;
  let best = NaN;
  for (const { group } of lines.of(picture)) {
    // Times come from units; half a unit is the same sample.
    const found = way > 0 ? lines.around(group, x + 0.5).after : lines.previous(group, x - 0.5);
    if (found && !(way * found.x >= way * best)) best = found.x;
  }
  const at = s.x0 + best / s.xs;
  const half = 0.5 / s.xs;
  return at >= s.from - half && at <= s.to + half ? at : null;
}

/**
 * The value of a bar, a gauge or a stat that is nearest to a place.
 * @typedef {object} Cell
 * @property {number} i
 * @property {Row} row
 * @property {number} x its middle, in px
 * @property {number} y
 */

/**
 * All the values that are written in a picture without a time axis.
 * @param {Picture} picture
 * @param {{scale: number, x: number, y: number}} fit
 * @returns {Cell[]}
 */
export function cells(picture, fit) {
  /** @type {Cell[]} */
  const all = [];
  for (let i = 0; ; i++) {
    const value = picture.keys.get(`v${i}`);
    if (!value) return all;
    const name = picture.keys.get(`n${i}`)?.textContent ?? "";
    const [x, y] = [value.getAttribute("x"), value.getAttribute("y")].map(Number);
    const ink = [...picture.keys.get(`g${i}`)?.classList ?? []].find((c) => /^c\d$/.test(c)) ?? "";
    all.push({
      i, x: fit.x + (x ?? 0) * fit.scale, y: fit.y + (y ?? 0) * fit.scale,
      row: { name, text: value.textContent ?? "", ink, x: NaN, y: NaN, near: false },
    });
  }
}

/**
 * @param {Cell[]} all
 * @param {{x: number, y: number}} place px
 * @param {boolean} columns only how far to the side counts
 * @returns {Cell | null}
 */
export function nearestCell(all, place, columns) {
  let best = null;
  let least = Infinity;
  for (const cell of all) {
    const far = Math.hypot(cell.x - place.x, columns ? 0 : cell.y - place.y);
    if (far < least) [best, least] = [cell, far];
  }
  return best;
}
