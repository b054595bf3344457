import assert from "node:assert/strict";
import { test } from "node:test";
import { write } from "../static/chartd/units.js";
import { lastY } from "../static/chartd/values.js";

test("a path is followed to its end", () => {
  /** @type {[string, number][]} */
  const cases = [
    ["M0 0h9", 0],
    ["M10 200l0 0 5-3 7 13", 210],
    ["M10 200l0 0 5-3M30 50l0 0 1 1", 51],
    ["M10 200h0h5v-20h7v3", 183],
    ["M10 200h0m5-3h0m5 10h0", 207],
    ["M10 3400V200l0 0 5-3", 197],
    ["M-10-20L5-6", -6],
  ];
  for (const [d, want] of cases) assert.equal(lastY(d), want, d);
});

test("values carry their unit", () => {
  assert.equal(write(1.5 * 2 ** 30, "bytes"), "1.50 GiB");
  assert.equal(write(41.26, "percent"), "41.3 %");
  assert.equal(write(NaN, "percent"), "–");
  assert.equal(write(1200, "rpm"), "1200 rpm");
});
