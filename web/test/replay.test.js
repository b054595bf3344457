import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.matchMedia ??= /** @type {any} */ (() => ({ matches: false }));
globalThis.document ??= /** @type {any} */ ({ createElement: () => ({}) });
const { due, replayOf, words } = await import("../static/chartd/touch/time.js");
const { isolated, toggled } = await import("../static/chartd/touch/legend.js");
const { plan } = await import("../static/chartd/glide.js");

test("a replay is one with a time", () => {
  assert.equal(replayOf({}), null);
  assert.equal(replayOf({ replay: {} }), null);
  assert.deepEqual(replayOf({ replay: { at: 5 } }), { at: 5, since: 0, speed: 0 });
});

test("a replay has caught up when its clock says what the wall's does", () => {
  for (const speed of [1.5, 2, 10, 60]) {
    const replay = { at: 100_000, since: 400_000, speed };
    const wall = 420_000 + due(replay, 420_000);
    assert.ok(wall === 420_000 || Math.abs(replay.at + (wall - replay.since) * speed - wall) < 1e-6, `at ${speed} times`);
  }
  assert.equal(due({ at: 1, since: 2, speed: 1 }, 3), Infinity);
  assert.equal(due({ at: 1, since: 2, speed: 0 }, 3), Infinity);
  assert.equal(due({ at: 100, since: 110, speed: 10 }, 500), 0);
});

test("the badge says where the clock stands, or how it runs", () => {
  const at = Date.now() - 60_000;
  assert.match(words({ replay: { at } }, "UTC"), /^paused .*\d\d:\d\d:\d\d/);
  assert.equal(words({ replay: { at, since: 1, speed: 10 } }, "UTC"), "replay ×10");
  assert.equal(words({ window: "5m" }, "UTC"), "");
});

test("a click hides and shows, and the rest stays", () => {
  assert.deepEqual(toggled(["a", "gone"], "b"), ["a", "gone", "b"]);
  assert.deepEqual(toggled(["a", "b"], "b"), ["a"]);
});

test("alone, and back", () => {
  const names = ["a", "b", "c"];
  assert.deepEqual(isolated([], names, "b"), ["a", "c"]);
  assert.deepEqual(isolated(["b"], names, "b"), ["a", "c"]);
  assert.deepEqual(isolated(["a", "c"], names, "b"), []);
});

test("a glide through a replay takes as long as the wait for the next frame", () => {
  for (const speed of [0.5, 1, 10, 60]) {
    const p = plan(0, 0, 1000 * speed, 1000 * speed, speed);
    assert.ok(p && Math.abs(p.ms - 1100) < 1e-6, `${p?.ms} ms at ${speed} times`);
  }
});
