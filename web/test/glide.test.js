import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.matchMedia ??= /** @type {any} */ (() => ({ matches: false }));
const { plan, translation } = await import("../static/chartd/glide.js");

test("only a pure translation glides", () => {
  assert.deepEqual(translation("translate(-1250 0)"), [-1250, 0]);
  assert.deepEqual(translation("translate(-12.5,3)"), [-12.5, 3]);
  assert.deepEqual(translation("translate(7)"), [7, 0]);
  for (const t of [null, "", "scale(2)", "translate(1 2) scale(2)"]) assert.equal(translation(t), null, String(t));
});

test("the first frame stands", () => {
  assert.equal(plan(NaN, NaN, 1000, NaN), null);
});

test("a step back or none stands", () => {
  assert.equal(plan(1000, 1000, 1000, 1000), null);
  assert.equal(plan(2000, 2000, 1000, 1000), null);
});

test("regular frames: always moving, never more than two steps behind", () => {
  let shown = 0; // what is seen, as time at the right edge
  let p = null;
  for (let i = 1; i <= 200; i++) {
    p = plan(shown, (i - 1) * 1000, i * 1000, p?.step ?? NaN);
    assert.ok(p, `frame ${i}`);
    assert.equal(p.step, 1000);
    assert.ok(p.from >= (i - 2) * 1000 && p.from < i * 1000, `frame ${i} starts at ${p.from}`);
    const share = Math.min(1, 1000 / p.ms); // the next frame comes after 1000 ms
    assert.ok(share < 1, "it is still moving when the next frame comes");
    shown = p.from + (i * 1000 - p.from) * share;
  }
});

test("after a silence it catches up at once", () => {
  const p = plan(10_000, 10_000, 70_000, 1000);
  assert.ok(p);
  assert.equal(p.step, 1000);
  assert.ok(p.from >= 68_000, `from ${p.from}`);
});

test("a rare refresh does not glide for ever", () => {
  const p = plan(0, 0, 60_000, 60_000);
  assert.ok(p);
  assert.equal(p.ms, 2000);
});
