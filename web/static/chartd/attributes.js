/**
 * What the attributes of <chartd-chart> ask for.
 *
 * @import { ViewChange } from "./protocol.js"
 */

/** The attributes that change the view. */
export const viewAttributes = ["window", "from", "to", "refresh", "hide", "hidden", "vars", "timezone", "replay", "heading", "marks", "thresholds"];

/** Widths are steps of this many px, so that viewers with nearly the same space share a view. */
const step = { width: 80, height: 20 };

/** The sides that the server draws, in px. */
const side = { min: 40, max: 4096 };

/**
 * The size to ask for when there is so much room. The picture is scaled to fit,
 * so the height follows from the shape of the room and the width asked for:
 * places of one shape and nearly one width share a view.
 * @param {number} width px
 * @param {number} height px
 * @returns {[number, number]}
 */
export function quantise(width, height) {
  const w = near(width, step.width);
  return [w, near(height * w / width, step.height)];
}

/**
 * @param {number} px
 * @param {number} by
 */
function near(px, by) {
  const most = Math.floor(side.max / by) * by;
  return Math.min(most, Math.max(by, side.min, Math.round(px / by) * by));
}

/**
 * Reads a fixed size: "800x400". Anything else is null: the room that there is.
 * @param {string | null} text
 * @returns {[number, number] | null}
 */
export function fixedSize(text) {
  const m = /^\s*(\d{1,4})\s*[x×, ]\s*(\d{1,4})\s*$/.exec(text ?? "");
  return m ? [Number(m[1]), Number(m[2])] : null;
}

/**
 * Reads variables: {"host":"web1"} or host=web1; disk=sda.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function variables(text) {
  if (text.trim().startsWith("{")) {
    try {
      const vars = Object.entries(JSON.parse(text));
      return Object.fromEntries(vars.map(([name, value]) => [name, String(value)]));
    } catch {
      console.warn(`chartd: vars is not JSON: ${text}`);
      return {};
    }
  }
  /** @type {Record<string, string>} */
  const vars = {};
  for (const part of text.split(";")) {
    const [name = "", ...value] = part.split("=");
    if (name.trim() !== "" && value.length > 0) vars[name.trim()] = value.join("=").trim();
  }
  return vars;
}

/**
 * Reads names: ["a, b","c"] or a, b.
 * @param {string} text
 * @returns {string[]}
 */
export function names(text) {
  if (text.trim().startsWith("[")) {
    try {
      return JSON.parse(text).map(String);
    } catch {
      console.warn(`chartd: hide is not JSON: ${text}`);
    }
  }
  return text.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

/**
 * Reads a replay: {"at":1700000000000,"speed":10}.
 * @param {string} text
 * @returns {NonNullable<ViewChange["replay"]>}
 */
function clockOf(text) {
  try {
    /** @type {Record<string, unknown>} */
    const read = JSON.parse(text);
    return Object.fromEntries(["at", "since", "speed"].map((key) => [key, read[key]]).filter(([, value]) => typeof value === "number"));
  } catch {
    console.warn(`chartd: replay is not JSON: ${text}`);
    return {};
  }
}

/**
 * Reads a list of objects; what they hold is for the server to judge.
 * @param {string} name
 * @param {string} text
 * @returns {any[] | undefined}
 */
function list(name, text) {
  try {
    const read = JSON.parse(text);
    if (Array.isArray(read)) return read;
  } catch {
    // said below
  }
  console.warn(`chartd: ${name} is no JSON list: ${text}`);
  return undefined;
}

/**
 * A bare number is milliseconds, and stays a number.
 * @param {string} text
 */
function duration(text) {
  return /^\s*\d+\s*$/.test(text) ? Number(text) : text.trim();
}

/**
 * Writes into a view what one attribute asks for; an attribute that is gone
 * asks for nothing.
 *
 * hidden="idle" is the word of the protocol and does what hide="idle" does;
 * hidden without names stays what it is everywhere in HTML.
 * @param {ViewChange} view
 * @param {string} attribute
 * @param {string | null} text
 */
export function ask(view, attribute, text) {
  const empty = text === null || text.trim() === "";
  switch (attribute) {
    case "window":
    case "refresh":
      if (empty) delete view[attribute];
      else view[attribute] = duration(text);
      break;
    case "from":
    case "to": {
      const t = empty ? NaN : /^\d+$/.test(text) ? Number(text) : Date.parse(text);
      if (Number.isNaN(t)) delete view[attribute];
      else view[attribute] = t;
      break;
    }
    case "hide":
    case "hidden":
      if (empty || text === "until-found") delete view.hidden;
      else view.hidden = names(text);
      break;
    case "vars":
      if (empty) delete view.vars;
      else view.vars = variables(text);
      break;
    case "timezone":
      if (empty) delete view.timezone;
      else view.timezone = text.trim() === "viewer" ? Intl.DateTimeFormat().resolvedOptions().timeZone : text.trim();
      break;
    case "heading":
      if (empty) delete view.title;
      else view.title = text;
      break;
    case "marks":
    case "thresholds": {
      const all = empty ? undefined : list(attribute, text);
      if (all) view[attribute] = all;
      else delete view[attribute];
      break;
    }
    case "replay":
      if (empty) delete view.replay;
      else view.replay = clockOf(text);
      break;
  }
}
