import assert from "node:assert/strict";
import { test } from "node:test";

import { alike, fit, History, moved, pinched, scaled, span } from "../static/chartd/touch/range.js";

const now = 1_700_000_000_000;
const long = (r) => r.to - r.from;

/** A number between two, the same in every run. */
let seed = 99;
function between(lo, hi) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return lo + (hi - lo) * (seed / 2 ** 32);
}

function any() {
  const to = between(now - 1e9, now);
  return { from: to - Math.exp(between(0, 24)), to };
}

test("whatever is asked, a range that may be asked for comes out", () => {
  for (let i = 0; i < 5000; i++) {
    const r = any();
    const outs = [
      fit(r, now), scaled(r, between(r.from, r.to), Math.exp(between(-8, 8)), now), moved(r, between(-1e10, 1e10), now),
      pinched([r.from, r.to], [between(0, 800), between(0, 800)], 800, now),
    ];
    for (const out of outs) {
      assert.ok(Number.isInteger(out.from) && Number.isInteger(out.to), JSON.stringify(out));
      assert.ok(long(out) >= span.min && long(out) <= span.max, `${long(out)} of ${JSON.stringify(r)}`);
      assert.ok(out.to <= now && out.from >= 0, JSON.stringify(out));
    }
  }
});

test("the pivot stays where it is, unless the present is in the way", () => {
  for (let i = 0; i < 1000; i++) {
    const r = { from: now - 7_200_000, to: now - 3_600_000 };
    const pivot = between(r.from, r.to);
    const out = scaled(r, pivot, between(0.001, 1.3), now);
    const share = (x) => (pivot - x.from) / long(x);
    assert.ok(Math.abs(share(out) - share(r)) < 1e-3, `${share(out)} for ${share(r)}`);
  }
});

test("a move keeps the length", () => {
  const r = { from: now - 60_000, to: now - 30_000 };
  assert.deepEqual(moved(r, -5000, now), { from: now - 65_000, to: now - 35_000 });
  assert.deepEqual(moved(r, 1e9, now), { from: now - 30_000, to: now });
});

test("two times follow two fingers", () => {
  const times = [now - 50_000, now - 20_000];
  const out = pinched(times, [100, 700], 800, now);
  for (const [i, x] of [100, 700].entries()) {
    const at = out.from + x / 800 * long(out);
    assert.ok(Math.abs(at - times[i]) <= 1, `${at} under finger ${i}; want ${times[i]}`);
  }
});

test("a range of another picture is not alike", () => {
  const r = { from: now - 60_000, to: now };
  assert.ok(alike(r, { from: r.from + 40, to: r.to }, 800));
  assert.ok(!alike(r, { from: r.from + 400, to: r.to }, 800));
  assert.ok(alike(null, null, 800));
  assert.ok(!alike(r, null, 800));
});

test("back and forward", () => {
  const h = new History(null);
  const [a, b, c] = [1, 2, 3].map((i) => ({ from: i, to: i + 1 }));
  assert.ok(!h.canBack && !h.canForward);
  h.go(a);
  h.go(b);
  h.go(c, true); // the wheel goes on
  assert.equal(h.now, c);
  assert.equal(h.back(), a);
  assert.ok(h.canForward);
  assert.equal(h.forward(), c);
  h.back();
  h.go(null);
  assert.ok(!h.canForward);
  assert.equal(h.back(), a);
  assert.equal(h.back(), null);
  assert.equal(h.back(), null);
});

test("the way home is never forgotten", () => {
  const home = { from: 1, to: 2 };
  const h = new History(home);
  for (let i = 0; i < 500; i++) h.go({ from: i, to: i + 9 });
  let steps = 0;
  while (h.canBack) steps += Number(h.back() !== undefined);
  assert.equal(h.now, home);
  assert.ok(steps < 60, `${steps} steps`);
});
