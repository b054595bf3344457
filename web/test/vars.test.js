import assert from "node:assert/strict";
import { test } from "node:test";
import { isWritten, optionsOf, shown, valueOf } from "../static/chartd/touch/vars.js";

/** @type {import("../static/chartd/touch/vars.js").VarInfo} */
const host = { name: "host", label: "Host", default: "web1", choice: "live", all: true, values: ["db", "web1"], count: 2 };

test("what has something to pick is shown", () => {
  const list = [
    host,
    { ...host, name: "hidden", hide: true },
    { ...host, name: "pinned", pinned: true },
    { ...host, name: "none yet", values: [], count: 0 },
    { name: "free", label: "free", default: "", choice: /** @type {const} */ ("any") },
    { name: "empty", label: "empty", default: "", choice: /** @type {const} */ ("list"), values: [] },
  ];
  assert.deepEqual(shown(list).map((info) => info.name), ["host", "none yet", "free"]);
});

test("a view has its own value or the default", () => {
  assert.equal(valueOf(host, { host: "db" }), "db");
  assert.equal(valueOf(host, { host: "" }), "");
  assert.equal(valueOf(host, { disk: "sda" }), "web1");
  assert.equal(valueOf(host, undefined), "web1");
});

test("the list has All first, and what is shown even if it is gone", () => {
  assert.deepEqual(optionsOf(host, "db").map((o) => o.text), ["All", "db", "web1"]);
  assert.deepEqual(optionsOf(host, "*").map((o) => o.value), ["*", "db", "web1"]);
  assert.deepEqual(optionsOf(host, "gone").map((o) => o.text), ["All", "gone", "db", "web1"]);
  assert.deepEqual(optionsOf({ ...host, all: false }, "*").map((o) => o.text), ["*", "db", "web1"]);
  assert.deepEqual(optionsOf({ ...host, all: false, values: [] }, ""), []);
});

test("what is not listed, or too long to read, is written", () => {
  assert.equal(isWritten(host), false);
  assert.equal(isWritten({ ...host, count: 61 }), true);
  assert.equal(isWritten({ ...host, choice: "list", count: 61 }), false);
  assert.equal(isWritten({ ...host, choice: "any" }), true);
});
