// What stands behind the "#" of a page: what the page writes is read, and
// whatever else somebody writes there is refused in words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../static/chartd/attributes.js";
import { attributesOf, fitted, parametersOf } from "../static/chartd/touch/link.js";
import { readAddress } from "../static/pages/address.js";

/** @typedef {import("../static/chartd/protocol.js").ViewChange} ViewChange */

/**
 * Numbers that look random and are the same each time.
 * @param {number} seed
 */
function dice(seed) {
  const below = (/** @type {number} */ n) => {
    seed = seed * 1664525 + 1013904223 >>> 0;
    return Math.floor(seed / 2 ** 32 * n);
  };
  /** @template T @param {T[]} all @returns {T} */
  const one = (all) => /** @type {T} */ (all[below(all.length)]);
  return { below, one, maybe: () => below(3) === 0, text: () => Array.from({ length: below(12) }, () => one([..."aZ09 &=#%+?\"'<>\\{}[],é漢😀\n\u202e"])).join("") };
}

/** @param {ReturnType<typeof dice>} d */
function someView({ below, one, maybe, text }) {
  /** @type {ViewChange} */
  const view = {};
  const t = 1_700_000_000_000 + below(1e9);
  if (maybe()) view.window = one(["90s", "15m", "1h30m", "7d", "1d12h", 60_000, "500ms", "1.5h"]);
  if (maybe()) Object.assign(view, { from: t, to: t + 1 + below(1e6) });
  if (maybe()) view.replay = one([{ at: t }, { at: t, speed: 10 }, { at: t, since: t + 5, speed: 0.1 + 0.2 }]);
  if (maybe()) view.hidden = Array.from({ length: below(4) }, () => `s${text()}`);
  if (maybe()) view.vars = Object.fromEntries(Array.from({ length: below(3) }, (_, i) => [one(["host", "_a", "x1"]) + i, text()]));
  if (maybe()) view.timezone = one(["Asia/Tokyo", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"]);
  if (maybe()) view.title = `T${text()}`;
  if (maybe()) view.marks = Array.from({ length: below(5) }, () => ({ t, text: text(), ...(maybe() ? { to: t + 9 } : {}) }));
  if (maybe()) view.thresholds = Array.from({ length: below(3) }, () => ({ at: one([0, -1.5, 1e21, 80]), ...(maybe() ? { level: one(["note", "warn", "alarm"]) } : {}), ...(maybe() ? { below: true, text: text() } : {}) }));
  return view;
}

/** @param {URLSearchParams} parameters */
function viewOf(parameters) {
  /** @type {ViewChange} */
  const view = {};
  for (const [name, value] of Object.entries(attributesOf(parameters))) ask(view, name, value);
  return view;
}

test("every view that a page writes into its address is read from there", () => {
  const d = dice(1);
  for (let i = 0; i < 2_000; i++) {
    const view = someView(d);
    const written = fitted(parametersOf(view)).parameters.toString();
    // As an address it may be written otherwise.
    const { parameters, problem } = readAddress(new URL(`http://a/#${written}`).hash.slice(1));
    assert.equal(problem, "", written);
    const again = viewOf(parameters);
    assert.equal(parametersOf(again).toString(), written);
    assert.deepEqual([again.title ?? "", again.marks ?? [], again.thresholds], [view.title ?? "", view.marks ?? [], view.thresholds]);
  }
});

test("what is no view is refused in a short sentence", () => {
  for (const [fragment, why] of /** @type {[string, RegExp][]} */ ([
    ["window=abc", /^window is no length/], ["window=", /^window/], [`window=${"1".repeat(99)}`, /^window/], ["window=1h&window=2h", /too many of window/],
    ["from=5", /no range/], ["from=9&to=5", /no range/], ["from=-1&to=5", /^from/], ["from=NaN&to=Infinity", /^from/],
    ["replay.at=1e9", /^replay.at/], ["replay.at=5&replay.speed=61", /^replay.speed is not 0 to 60/], ["replay.at=5&replay.speed=-1", /^replay.speed/],
    ["timezone=../../etc", /^timezone/], ["timezone=%3Cscript%3E", /^timezone/], ["theme=pink", /^theme/], ["size=9x", /^size/], ["refresh=soon", /^refresh/],
    ["marks={}", /^marks/], ["marks=[{}]", /^marks/], ["marks=[{\"t\":1.5,\"text\":\"a\"}]", /^marks/], ["marks=[{\"t\":1,\"text\":\"a\",\"on\":1}]", /^marks/],
    ["marks=[{\"t\":1,\"text\":\"a", /^marks/], [`marks=${"[".repeat(50_000)}`, /^marks/], ["marks=[null]", /^marks/], ["marks=[[]]", /^marks/],
    ["thresholds=[{\"at\":\"1\"}]", /^thresholds/], ["thresholds=[{\"at\":1e999}]", /^thresholds/], ["thresholds=[{\"at\":1,\"level\":\"panic\"}]", /^thresholds/],
    ["thresholds=[{\"at\":1,\"__proto__\":1}]", /^thresholds/], ["constructor=1", /no "constructor"/], ["__proto__=1", /no "__proto__"/], ["vars.=1", /no "vars."/],
    [`title=${"é".repeat(129)}`, /^title is too long/], [`hidden=${"x".repeat(257)}`, /^hidden/], [`${"hidden=a&".repeat(65)}`, /too many of hidden/],
    ["title=%E0%A4%A", /damaged/], ["title=%FF", /damaged/], ["section-2", /no "section-2"/], ["a".repeat(100_001), /100,001 characters/],
    ["src=other", /no "src"/], ["token-x=1", /no "token-x"/], ["onload=alert(1)", /no "onload"/],
  ])) {
    const { parameters, problem } = readAddress(fragment);
    assert.match(problem, why, fragment.slice(0, 60));
    assert.ok(problem.length <= 100, problem);
    assert.equal([...parameters].length, 0, "half of it was taken");
  }
});

test("a view whose address was mangled is refused, or is a view", (t) => {
  const d = dice(7);
  let taken = 0, refused = 0;
  t.mock.method(console, "warn", (/** @type {string} */ text) => assert.fail(text));
  for (let i = 0; i < 5_000; i++) {
    let text = fitted(parametersOf(someView(d))).parameters.toString();
    for (let cuts = 1 + d.below(3); cuts > 0; cuts--) {
      const at = d.below(text.length + 1), to = at + d.below(6);
      text = d.one([text.slice(0, at), text.slice(to), text.slice(0, at) + text.slice(to), text.slice(0, at) + d.text() + text.slice(at), text.slice(0, to) + text.slice(at), `${text}&${text}`, text.slice(0, at) + "%" + text.slice(at)]);
    }
    const { parameters, problem } = readAddress(text);
    if (problem) {
      refused++;
      assert.ok(problem.length <= 100 && [...parameters].length === 0, problem);
      continue;
    }
    taken++;
    const view = viewOf(parameters);
    for (const { t: from, to = from, text: what } of view.marks ?? []) assert.ok(Number.isSafeInteger(from) && Number.isSafeInteger(to) && typeof what === "string");
    for (const { at } of view.thresholds ?? []) assert.ok(Number.isFinite(at));
    for (const value of [view.from, view.to, view.replay?.at, view.replay?.speed]) assert.ok(value === undefined || Number.isFinite(value));
    assert.equal(readAddress(parametersOf(view).toString()).problem, "", text);
  }
  assert.ok(taken > 500 && refused > 500, `${taken} taken, ${refused} refused`);
});
