/**
 * A view as text that leads to it: parameters of an address, and the tag that
 * shows it in another page.
 *
 * @import { ViewChange } from "../protocol.js"
 * @import { Range } from "./lens.js"
 */

/** An address longer than this does not survive chats, mails and proxies; characters. */
export const longest = 4_000;

/**
 * The parameters that a view differs in, as pictures and the page of a chart
 * take them. Its size and how often it is drawn are its place's.
 * @param {ViewChange} view
 * @returns {URLSearchParams}
 */
export function parametersOf(view) {
  const out = new URLSearchParams();
  const { window, from = 0, to = 0, replay, hidden = [], vars = {}, timezone = "", title = "", marks = [], thresholds } = view;
  if (to > 0) {
    out.set("from", String(from));
    out.set("to", String(to));
  } else if (window !== undefined && window !== 0) {
    out.set("window", String(window));
  }
  if (to <= 0 && replay?.at) {
    out.set("replay.at", String(replay.at));
    if (replay.speed) {
      out.set("replay.speed", String(replay.speed));
      if (replay.since) out.set("replay.since", String(replay.since));
    }
  }
  for (const name of hidden) out.append("hidden", name);
  for (const [name, value] of Object.entries(vars).sort(([a], [b]) => (a < b ? -1 : 1))) out.set(`vars.${name}`, value);
  if (timezone) out.set("timezone", timezone);
  if (title) out.set("title", title);
  if (marks.length > 0) out.set("marks", JSON.stringify(marks));
  if (thresholds) out.set("thresholds", JSON.stringify(thresholds)); // none is another view than the chart's own
  return out;
}

/**
 * As many of the parameters as make a link of sane length: what a viewer did by
 * hand is short; a program may have set more than an address holds.
 * @param {URLSearchParams} parameters
 * @returns {{parameters: URLSearchParams, left: string[]}} what was left out
 */
export function fitted(parameters) {
  const out = new URLSearchParams(parameters);
  const left = [];
  for (const key of ["marks", "thresholds", "title"]) {
    if (out.toString().length <= longest) break;
    if (!out.has(key)) continue;
    out.delete(key);
    left.push(key);
  }
  return { parameters: out, left };
}

/**
 * The attributes of a tag, of what parametersOf writes and, for one who opens a
 * page, of what it was opened with.
 * @param {URLSearchParams} parameters
 * @returns {Record<string, string>}
 */
export function attributesOf(parameters) {
  /** @type {Record<string, string>} */
  const out = {};
  for (const key of ["window", "from", "to", "refresh", "size", "timezone", "marks", "thresholds"]) {
    const value = parameters.get(key);
    if (value) out[key] = value;
  }
  const heading = parameters.get("title"); // title is what HTML calls a tooltip
  if (heading) out["heading"] = heading;
  const hidden = parameters.getAll("hidden");
  if (hidden.length > 0) out["hide"] = JSON.stringify(hidden);
  const vars = [...parameters].filter(([key]) => key.startsWith("vars.")).map(([key, value]) => [key.slice(5), value]);
  if (vars.length > 0) out["vars"] = JSON.stringify(Object.fromEntries(vars));
  const replay = ["at", "since", "speed"].map((key) => [key, Number(parameters.get(`replay.${key}`))]).filter(([, value]) => Number(value) > 0);
  if (parameters.has("replay.at") && replay.length > 0) out["replay"] = JSON.stringify(Object.fromEntries(replay));
  return out;
}

/**
 * The query of a picture of what is seen now.
 * @param {ViewChange} view
 * @param {object} seen
 * @param {Range | null} seen.range null: there is no time axis
 * @param {[number, number]} seen.size px
 * @param {"light" | "dark"} seen.theme
 */
export function pictureOf(view, { range, size, theme }) {
  const still = view.to || view.replay?.at && !view.replay.speed;
  const out = parametersOf(range && !still ? { ...view, from: Math.round(range.from), to: Math.round(range.to) } : view);
  out.set("size", size.join("x"));
  out.set("theme", theme);
  return out;
}

/**
 * How much larger than it is a picture can be, at most twice: a .png has at most
 * 16 million pixels.
 * @param {[number, number]} size px
 */
export function scaleOf([width, height]) {
  return Math.min(2, Math.floor(Math.sqrt(2 ** 24 / (width * height)) * 100) / 100);
}

/**
 * What another page needs to show the view.
 * @param {string} base the server's address
 * @param {string} src
 * @param {URLSearchParams} parameters
 * @param {string | null} theme
 */
export function embedOf(base, src, parameters, theme) {
  /** @type {Record<string, string>} */
  const attributes = { src, ...attributesOf(parameters) };
  if (theme === "light" || theme === "dark") attributes["theme"] = theme;
  const text = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`).join("");
  return `<script type="module" src="${escaped(new URL("chartd.js", base).href)}"></script>\n<chartd-chart${text}></chartd-chart>\n`;
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
