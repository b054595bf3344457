/** Writes values as the server writes them (pkg/plotting/units.go). */

/** @typedef {[number, string][]} Scales what to divide by, and the suffix; rising */

/** @type {Record<string, Scales>} */
const scales = {
  "": [[1, ""], [1e3, "k"], [1e6, "M"], [1e9, "G"], [1e12, "T"], [1e15, "P"]],
  "/s": [[1, "/s"], [1e3, "k/s"], [1e6, "M/s"], [1e9, "G/s"]],
  percent: [[1, " %"]],
  percentunit: [[0.01, " %"]],
  bytes: [[1, " B"], [2 ** 10, " KiB"], [2 ** 20, " MiB"], [2 ** 30, " GiB"], [2 ** 40, " TiB"], [2 ** 50, " PiB"]],
  "bytes/s": [[1, " B/s"], [2 ** 10, " KiB/s"], [2 ** 20, " MiB/s"], [2 ** 30, " GiB/s"], [2 ** 40, " TiB/s"]],
  "bits/s": [[1, " bit/s"], [1e3, " kbit/s"], [1e6, " Mbit/s"], [1e9, " Gbit/s"], [1e12, " Tbit/s"]],
  seconds: [[1e-9, " ns"], [1e-6, " µs"], [1e-3, " ms"], [1, " s"], [60, " min"], [3600, " h"], [86400, " d"]],
  ms: [[1e-6, " ns"], [1e-3, " µs"], [1, " ms"], [1e3, " s"], [6e4, " min"], [3.6e6, " h"], [8.64e7, " d"]],
  celsius: [[1, " °C"]],
  none: [[1, ""]],
};

/** The suffix of zero, where it is not the first. @type {Record<string, string>} */
const zero = { seconds: " s", ms: " ms" };

/**
 * Writes a value in three or four digits: "1.24 GiB".
 * @param {number} v
 * @param {string} unit
 */
export function write(v, unit) {
  if (!Number.isFinite(v)) return "–";
  /** @type {Scales} */
  const all = scales[unit === "short" ? "" : unit] ?? [[1, ` ${unit}`]];
  const size = Math.abs(v);
  // A hair less than 1 counts as 1.
  const [by, suffix] = all.findLast(([by], i) => i === 0 || size >= by * (1 - 1e-9)) ?? [1, ""];
  if (v === 0) return `0${zero[unit] ?? suffix}`;
  const x = v / by;
  const a = Math.abs(x);
  if (a < 1e-3 || a >= 1e15) return String(Number(x.toPrecision(3))) + suffix;
  let digits = Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(a) + 1e-9)));
  if (all.length === 1 && a >= 0.1) digits = Math.min(digits, 1);
  return x.toFixed(digits) + suffix;
}
