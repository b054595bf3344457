import assert from "node:assert/strict";
import { test } from "node:test";

import { Pace } from "../static/chartd/touch/pace.js";

/** What goes out of a Pace whose requests are answered at once, and when, in ms. */
function paced(t) {
  let now = 1000;
  /** @type {Map<number, {f: () => void, at: number}>} */
  const timers = new Map();
  let last = 0;
  t.mock.method(performance, "now", () => now);
  t.mock.method(globalThis, "setTimeout", (f, ms) => {
    timers.set(++last, { f, at: now + ms });
    return last;
  });
  t.mock.method(globalThis, "clearTimeout", (id) => timers.delete(id));
  const sent = [];
  const pace = new Pace(async (what) => {
    sent.push([what, now - 1000]);
  });
  return {
    pace,
    sent,
    /** Lets time pass, ms by ms. */
    async pass(ms) {
      for (let i = 0; i < ms; i++) {
        now++;
        for (const [id, { f, at }] of timers) {
          if (at <= now && timers.delete(id)) f();
        }
        await null;
        await null;
      }
    },
  };
}

test("where a hand stops, nothing is waited for", async (t) => {
  const { pace, sent, pass } = paced(t);
  pace.push("first", true);
  await pass(20);
  pace.push("moving", false);
  await pass(10);
  pace.push("there", true);
  await pass(500);
  assert.deepEqual(sent, [["first", 0], ["there", 30]]);
});

test("a hand that moves is heard five times a second, and last of all", async (t) => {
  const { pace, sent, pass } = paced(t);
  for (let i = 0; i < 100; i++) {
    pace.push(i, false);
    await pass(10);
  }
  pace.push("there", true);
  await pass(500);
  assert.deepEqual(sent.at(-1), ["there", 1000]);
  assert.ok(sent.length <= 7, JSON.stringify(sent));
});

test("a key that is held does not ask without end", async (t) => {
  const { pace, sent, pass } = paced(t);
  for (let i = 0; i < 60; i++) {
    pace.push(i, true);
    await pass(33);
  }
  await pass(500);
  assert.equal(sent.at(-1)?.[0], 59);
  assert.ok(sent.length <= 20, `${sent.length} in two seconds`);
});
