/**
 * What stands behind the "#" of a page's address, read with suspicion: anybody
 * may have written it, and chats and mails cut it.
 */
import { fixedSize } from "../chartd/attributes.js";

/** What the server takes at most: bytes of a text, and how many there are. */
const most = { text: 256, hidden: 64, marks: 64, thresholds: 16, vars: 64, speed: 60 };

/** Nothing that is a view is longer, in characters. */
const longest = 100_000;

const encoder = new TextEncoder();

/** @param {unknown} text */
const short = (text) => typeof text === "string" && encoder.encode(text).length <= most.text;

/** @param {unknown} t */
const time = (t) => typeof t === "number" && Number.isSafeInteger(t) && t >= 0;

/** @type {Record<string, {is: (value: unknown) => boolean, needed?: boolean}>} */
const mark = { t: { is: time, needed: true }, to: { is: time }, text: { is: short, needed: true } };

/** @type {typeof mark} */
const threshold = {
  at: { is: Number.isFinite, needed: true },
  level: { is: (level) => ["note", "warn", "alarm"].includes(/** @type {string} */ (level)) },
  below: { is: (below) => typeof below === "boolean" },
  text: { is: short },
};

/**
 * Whether a text is a JSON list of such objects.
 * @param {string} text
 * @param {number} limit how many there may be
 * @param {typeof mark} fields
 */
function list(text, limit, fields) {
  try {
    const all = JSON.parse(text);
    return Array.isArray(all) && all.length <= limit && all.every((one) => one !== null && typeof one === "object" && !Array.isArray(one)
      && Object.entries(one).every(([key, value]) => Object.hasOwn(fields, key) && fields[key]?.is(value))
      && Object.entries(fields).every(([key, { needed }]) => !needed || Object.hasOwn(one, key)));
  } catch {
    return false;
  }
}

/** @param {string} text */
const instant = (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text.length <= 40 ? Date.parse(text) : NaN);

/** @param {string} text */
const moment = (text) => (/^[\dT:.+Z-]+$/.test(text) && instant(text) >= 0 ? "" : "is no time");

/** @param {string} text */
const span = (text) => (text.length <= 40 && /^(?=.)(\d+(\.\d+)?|(\d+d)?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))*)$/.test(text) ? "" : "is no length of time");

/**
 * What is wrong with a value; "": nothing.
 * @type {Record<string, (text: string) => string>}
 */
const checks = {
  window: span, refresh: span, from: moment, to: moment,
  "replay.at": (text) => (/^\d{1,15}$/.test(text) ? "" : "is no time in ms"),
  "replay.since": (text) => (/^\d{1,15}$/.test(text) ? "" : "is no time in ms"),
  "replay.speed": (text) => (/^\d[\d.e+-]{0,30}$/.test(text) && Number(text) <= most.speed ? "" : `is not 0 to ${most.speed}`),
  hidden: (text) => (short(text) ? "" : "is too long a name"),
  timezone: (text) => (/^[\w+/-]{1,64}$/.test(text) ? "" : "is no name of a time zone"),
  title: (text) => (short(text) ? "" : "is too long"),
  marks: (text) => (list(text, most.marks, mark) ? "" : "is no list of marks"),
  thresholds: (text) => (list(text, most.thresholds, threshold) ? "" : "is no list of thresholds"),
  size: (text) => (fixedSize(text) ? "" : "is no size"),
  theme: (text) => (["light", "dark", "auto"].includes(text) ? "" : "is no theme"),
};

/**
 * Reads it. Whether the chart can show such a view is for its server to say.
 * @param {string} fragment without "#"
 * @returns {{parameters: URLSearchParams, problem: string}} problem: why it is
 *   not taken, none of it, for people; "": it is
 */
export function readAddress(fragment) {
  const parameters = new URLSearchParams(fragment);
  const problem = wrong(fragment, parameters);
  return problem ? { parameters: new URLSearchParams(), problem } : { parameters, problem };
}

/**
 * @param {string} fragment
 * @param {URLSearchParams} parameters
 */
function wrong(fragment, parameters) {
  if (fragment.length > longest) return `it has ${fragment.length.toLocaleString("en")} characters`;
  if ([...parameters].flat().some((text) => text.includes("\uFFFD"))) return "it is damaged";
  let vars = 0;
  for (const [key, value] of parameters) {
    if (/^vars\.[A-Za-z_]\w{0,63}$/.test(key)) {
      if (!short(value) || ++vars > most.vars) return `${key} is too long`;
      continue;
    }
    if (!Object.hasOwn(checks, key)) return `a view has no ${JSON.stringify(key.slice(0, 32))}`;
    const what = checks[key]?.(value);
    if (what) return `${key} ${what}`;
  }
  for (const key of new Set(parameters.keys())) {
    if (parameters.getAll(key).length > (key === "hidden" ? most.hidden : 1)) return `there are too many of ${key}`;
  }
  const [from, to] = ["from", "to"].map((key) => parameters.get(key));
  if ((from ?? to ?? null) !== null && !(from && to && instant(from) < instant(to))) return "from and to are no range of time";
  return "";
}
