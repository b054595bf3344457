/**
 * What a picture shows now, in words: read off the picture, as nothing else is
 * kept.
 */
import { write } from "./units.js";

/**
 * A series and its newest value.
 * @typedef {{name: string, text: string}} Reading
 */

/**
 * The newest value of every series that a picture shows.
 * @param {SVGSVGElement} root
 * @returns {Reading[]}
 */
export function readings(root) {
  return root.dataset["xs"] === undefined ? written(root) : drawn(root);
}

/**
 * Bars, gauges and stats have their values as text: "v0" beside the name "n0".
 * @param {SVGSVGElement} root
 */
function written(root) {
  /** @type {Reading[]} */
  const all = [];
  for (const value of root.querySelectorAll("text[data-k^=v]")) {
    const key = value.getAttribute("data-k") ?? "";
    const name = root.querySelector(`[data-k="n${key.slice(1)}"]`)?.textContent ?? "";
    all.push({ name, text: value.textContent ?? "" });
  }
  return all;
}

/**
 * Lines and areas end at their newest values.
 * @param {SVGSVGElement} root
 */
function drawn(root) {
  const { y = "", rect = "", unit = "" } = root.dataset;
  const [min = 0, max = 0] = y.split(" ").map(Number);
  const [, top = 0, , height = 0] = rect.split(" ").map(Number);
  const perUnit = (max - min) / height;
  /** @type {Map<string, {name: string, value: number, stacked: boolean}>} */
  const lines = new Map();
  for (const group of root.querySelectorAll("g[data-name]")) {
    const key = (group.getAttribute("data-k") ?? "").slice(1);
    if (lines.has(key)) continue; // an area and its outline
    const at = end(group);
    lines.set(key, {
      name: group.getAttribute("data-name") ?? "",
      value: at === null ? NaN : min + (top + height - at) * perUnit,
      stacked: group.classList.contains("k"),
    });
  }
  let below = 0;
  return [...lines].sort(([a], [b]) => Number(a) - Number(b)).map(([, line]) => {
    const value = line.stacked ? line.value - below : line.value;
    if (line.stacked && !Number.isNaN(line.value)) below = line.value;
    // What is read off a picture is no more exact than that.
    return { name: line.name, text: write(Math.abs(value) < perUnit / 2 ? 0 : value, unit) };
  });
}

/**
 * The y at which the last path of a group ends, in units.
 * @param {Element} group
 * @returns {number | null}
 */
function end(group) {
  for (let path = group.lastElementChild; path; path = path.previousElementSibling) {
    // The way back to an area's base line is no value.
    const d = (path.getAttribute("d") ?? "").replace(/(V-?\d+)+$/, "");
    if (d !== "") return lastY(d);
  }
  return null;
}

/**
 * Follows a path of lines to its end.
 * @param {string} d
 */
export function lastY(d) {
  let y = 0;
  for (const [, command = "", rest = ""] of d.matchAll(/([MmLlHhVv])([^MmLlHhVv]*)/g)) {
    const numbers = rest.match(/-?\d+(?:\.\d+)?/g)?.map(Number) ?? [];
    switch (command) {
      case "M":
      case "L":
      case "V":
        y = numbers.at(-1) ?? y;
        break;
      case "v":
        for (const dy of numbers) y += dy;
        break;
      case "m":
      case "l":
        for (let i = 1; i < numbers.length; i += 2) y += numbers[i] ?? 0;
        break;
    }
  }
  return y;
}

/**
 * Says what a picture shows now.
 * @param {SVGSVGElement} root
 */
export function describe(root) {
  const now = readings(root).slice(0, 12).map(({ name, text }) => `${name} ${text === "–" ? "has no value" : text}`);
  const desc = root.querySelector("desc")?.textContent ?? "";
  if (now.length === 0) return desc;
  // The server's sentence ends with values too, which are up to a minute old.
  const about = desc.slice(0, desc.lastIndexOf(". ") + 1);
  return `${about} ${now.join(", ")}.`.trim();
}
