import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../static/chartd/touch/clock.js";

const t = Date.UTC(2026, 10, 22, 13, 29, 59, 997);
const hour = 3_600_000;

/** @type {[string, string, number, number, string][]} zone, what it is, a unit in ms, how long ago t was, how it is written */
const cases = [
  ["UTC", "to the ms", 0.4, 0, "13:29:59.997"],
  ["UTC", "no more exact than the picture", 2.7, 0, "13:30:00.00"],
  ["UTC", "tenths", 27, 0, "13:30:00.0"],
  ["UTC", "seconds", 270, 0, "13:30:00"],
  ["UTC", "minutes", 30_000, 0, "13:30"],
  ["UTC", "of another day", 270, 30 * hour, "Nov 22, 2026, 13:30:00"],
  ["UTC", "days", 20_000_000, 0, "Nov 22, 2026"],
  ["Europe/Berlin", "in the chart's zone", 270, 0, "14:30:00"],
  ["+05:30", "in a zone without a name", 270, 0, "19:00:00"],
  ["-11:00", "in which it is still night", 270, 14 * hour, "02:30:00"],
  ["-03:00", "not yet another day there", 270, 13 * hour, "10:30:00"],
];

for (const [zone, what, unit, ago, want] of cases) {
  test(`${zone}: ${what}`, () => {
    const clock = new Clock();
    clock.zone = zone;
    assert.equal(clock.write(t, unit, t + ago), want);
  });
}

test("a zone that nobody knows is that of the page", () => {
  const clock = new Clock();
  clock.zone = "Mars/Olympus";
  assert.match(clock.write(t, 270, t), /^\d\d:\d\d:\d\d$/);
});
