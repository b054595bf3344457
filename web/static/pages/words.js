/** How the pages write numbers and times. */

const spans = /** @type {const} */ ([["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000], ["ms", 1]]);

/**
 * A span of time in the largest unit that it is a whole number of.
 * @param {number} ms
 */
export function span(ms) {
  const [unit, length] = spans.find(([, length]) => ms % length === 0 && ms >= length) ?? ["ms", 1];
  return `${ms / length} ${unit}`;
}

/**
 * How long ago something was, roughly.
 * @param {number} ms
 */
export function ago(ms) {
  const [unit, length] = spans.find(([, length]) => ms >= length && length >= 1000) ?? ["s", 1000];
  return ms < 2000 ? "just now" : `${Math.floor(ms / length)} ${unit} ago`;
}

/**
 * @param {number} n
 * @param {string} what
 */
export function count(n, what) {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/**
 * A rate a second.
 * @param {number} n
 */
export function rate(n) {
  return `${n >= 10 ? Math.round(n).toLocaleString("en") : n.toFixed(1)}/s`;
}

/**
 * Makes an element; text is text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  el.append(...children);
  return el;
}
