import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fixedSize, names, quantise, variables } from "../static/chartd/attributes.js";

test("sizes are steps, so that viewers share views", () => {
  assert.deepEqual(quantise(800, 400), [800, 400]);
  assert.deepEqual(quantise(839, 419), [800, 400]);
  assert.deepEqual(quantise(841, 421), [880, 440]);
  assert.deepEqual(quantise(356, 237), [320, 220]); // the shape is kept
  assert.deepEqual(quantise(1, 1), [80, 80]);
  assert.deepEqual(quantise(4000, 10), [4000, 40]);
  assert.deepEqual(quantise(9999, 9999), [4080, 4080]);
  for (let w = 1; w < 5000; w += 7) {
    const [a, b] = quantise(w, w / 2);
    assert.ok(a >= 40 && a <= 4096 && b >= 40 && b <= 4096, `${w}: ${a}x${b}`);
  }
});

test("a fixed size is width x height, anything else is the room there is", () => {
  assert.deepEqual(fixedSize("800x400"), [800, 400]);
  assert.deepEqual(fixedSize(" 640 × 320 "), [640, 320]);
  assert.deepEqual(fixedSize("640, 320"), [640, 320]);
  for (const text of [null, "", "auto", "800", "x", "-1x5", "99999x1"]) assert.equal(fixedSize(text), null, String(text));
});

test("names and variables are lists or JSON", () => {
  assert.deepEqual(names("idle, user"), ["idle", "user"]);
  assert.deepEqual(names('["a, b","c"]'), ["a, b", "c"]);
  assert.deepEqual(variables("host=web1; disk = sda=1"), { host: "web1", disk: "sda=1" });
  assert.deepEqual(variables('{"host":"web1","n":2}'), { host: "web1", n: "2" });
});

test("an attribute asks, and without it nothing is asked", () => {
  /** @type {[string, string, object][]} */
  const cases = [
    ["window", "5m", { window: "5m" }],
    ["window", "60000", { window: 60000 }],
    ["refresh", "0", { refresh: 0 }],
    ["from", "1700000000000", { from: 1700000000000 }],
    ["to", "2023-11-14T22:13:20Z", { to: 1700000000000 }],
    ["hide", "idle", { hidden: ["idle"] }],
    ["hidden", "idle", { hidden: ["idle"] }],
    ["hidden", "", {}],
    ["hidden", "until-found", {}],
    ["vars", "host=web1", { vars: { host: "web1" } }],
    ["from", "whenever", {}],
  ];
  for (const [name, text, want] of cases) {
    const view = {};
    ask(view, name, text);
    assert.deepEqual(view, want, `${name}=${text}`);
    ask(view, name, null);
    assert.deepEqual(view, {}, `${name} gone`);
  }
});
