import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../static/chartd/attributes.js";
import { attributesOf, embedOf, fitted, longest, parametersOf, pictureOf, scaleOf } from "../static/chartd/touch/link.js";

const full = {
  window: "15m", hidden: ["a,b", "c&d"], vars: { z: "1", host: "é=#" }, timezone: "Asia/Tokyo",
  /** @type {[number, number]} */ size: [640, 320], refresh: 500, title: "T & „U“",
  marks: [{ t: 5, text: "a=b&c" }, { t: 7, to: 9, text: "" }],
  /** @type {import("../static/chartd/protocol.js").ViewChange["thresholds"]} */ thresholds: [{ at: -0.5, level: "alarm", below: true, text: "%" }],
};

test("a view that goes into an address comes out of it", () => {
  for (const view of [
    full, {}, { from: 5, to: 9 }, { window: 60_000, replay: { at: 7, since: 8, speed: 2.5 } }, { replay: { at: 7 } }, { thresholds: [] },
  ]) {
    const attributes = attributesOf(new URLSearchParams(parametersOf(view).toString()));
    /** @type {import("../static/chartd/protocol.js").ViewChange} */
    const again = {};
    for (const [name, value] of Object.entries(attributes)) ask(again, name === "hide" ? "hidden" : name, value);
    assert.equal(parametersOf(again).toString(), parametersOf(view).toString());
  }
});

test("views that are equal have equal addresses", () => {
  assert.equal(parametersOf({ vars: { b: "1", a: "2" } }).toString(), parametersOf({ vars: { a: "2", b: "1" } }).toString());
  assert.equal(parametersOf({ from: 0, to: 0, window: 0, hidden: [], replay: {}, timezone: "", title: "", marks: [] }).toString(), "");
});

test("a picture of a live view is one of what is seen now; one that stands still is what it is", () => {
  const now = { range: { from: 1000.4, to: 2000.6 }, size: /** @type {[number, number]} */ ([640, 320]), theme: /** @type {const} */ ("dark") };
  assert.equal(pictureOf({ window: "1m" }, now).toString(), "from=1000&to=2001&size=640x320&theme=dark");
  assert.equal(pictureOf({ replay: { at: 7, since: 1, speed: 2 } }, now).get("to"), "2001");
  assert.equal(pictureOf({ replay: { at: 7 } }, now).get("replay.at"), "7");
  assert.equal(pictureOf({ from: 1, to: 2 }, now).get("from"), "1");
  assert.equal(pictureOf({ window: "1m" }, { ...now, range: null }).get("window"), "1m");
  assert.equal(pictureOf({ marks: [{ t: 1, text: "x" }], thresholds: [] }, now).get("thresholds"), "[]");
});

test("a link is no longer than what survives: what a program set is left out first, and named", () => {
  const marks = Array.from({ length: 64 }, (_, i) => ({ t: 1700000000000 + i, text: "é".repeat(64) }));
  assert.deepEqual(fitted(parametersOf(full)).left, []);
  const { parameters, left } = fitted(parametersOf({ ...full, marks }));
  assert.deepEqual(left, ["marks"]);
  assert.ok(parameters.toString().length <= longest);
  assert.equal(parameters.get("title"), full.title);
  assert.deepEqual(fitted(parametersOf({ ...full, marks, thresholds: marks.map(({ t, text }) => ({ at: t, text })) })).left, ["marks", "thresholds"]);
  assert.ok(parametersOf({ ...full, marks }).has("marks"), "code to embed has room");
});

test("a .png is twice as large, as far as the server draws it", () => {
  assert.equal(scaleOf([640, 320]), 2);
  const scale = scaleOf([4096, 2160]);
  assert.ok(scale < 2 && 4096 * 2160 * scale * scale <= 2 ** 24, String(scale));
});

test("the code to embed is a tag, whatever the names are", () => {
  const code = embedOf("https://charts.example/x/", "cpu", parametersOf({ ...full, hidden: ['"><script>alert(1)</script>'] }), "dark");
  assert.ok(code.startsWith('<script type="module" src="https://charts.example/x/chartd.js"></script>\n<chartd-chart src="cpu" window="15m" timezone="Asia/Tokyo" marks="[{&quot;t&quot;:5,'), code);
  assert.ok(code.includes(' heading="T &amp; „U“"'), code);
  assert.equal(code.match(/<script/g)?.length, 1);
  assert.ok(code.endsWith(' theme="dark"></chartd-chart>\n'));
});
