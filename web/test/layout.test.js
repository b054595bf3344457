import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsFor, pageOf, wishes } from "../static/pages/layout.js";

/** @param {string} text */
const read = (text) => {
  const { links, ...rest } = wishes(new URLSearchParams(text));
  return links.size > 0 ? { ...rest, links: Object.fromEntries(links) } : rest;
};

test("what the address of a wall asks for", () => {
  assert.deepEqual(read(""), { charts: [], columns: 0, rotate: 0, each: 4, title: "" });
  assert.deepEqual(read("charts=cpu,%20mem,,cpu&columns=3&rotate=30s&each=2&title=Hall"), { charts: ["cpu", "mem"], columns: 3, rotate: 30_000, each: 2, title: "Hall" });
  assert.deepEqual(read("columns=-1&rotate=x&each=0"), { charts: [], columns: 0, rotate: 0, each: 4, title: "" });
  assert.equal(read("rotate=0.1").rotate, 2000); // nobody sees anything in less
  assert.equal(read("columns=1e9").columns, 12);
});

test("signed links say which charts there are, unless the address does", () => {
  const [cpu, mem] = ["cpu", "m_~e-m"].map((c) => `chartd1_${btoa(JSON.stringify({ c, i: "ÿ¿?" })).replace(/[+]/g, "-").replace(/[/]/g, "_").replace(/=/g, "")}.mac_-`);
  assert.deepEqual(read(`link=${cpu}&link=${mem}`), { charts: ["cpu", "m_~e-m"], links: { cpu, "m_~e-m": mem }, columns: 0, rotate: 0, each: 4, title: "" });
  assert.deepEqual(read(`link=${cpu}&link=${mem}&charts=mem`).charts, ["mem"]);
  for (const link of ["", "x", "chartd1_.", "chartd1_e30.x", "chartd1_%FF.x", "chartd1_bnVsbA.x"]) assert.deepEqual(read(`link=${link}`).charts, []);
});

test("charts are as large as may be", () => {
  for (const [n, width, height, want] of [[1, 1920, 1080, 1], [2, 1920, 1080, 1], [4, 1920, 1080, 2], [6, 1920, 1080, 2], [9, 1920, 1080, 3], [4, 4000, 300, 4], [4, 400, 1600, 1]]) {
    assert.equal(columnsFor(n ?? 0, width ?? 0, height ?? 0), want, `${n} in ${width} × ${height}`);
  }
  assert.equal(columnsFor(0, 0, 0), 1);
});

test("pages follow each other, round and round", () => {
  const all = ["a", "b", "c", "d", "e"];
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((page) => pageOf(all, 2, page).charts.join("")), ["ab", "cd", "e", "ab", "cd", "e"]);
  assert.deepEqual(pageOf([], 4, 7), { charts: [], at: 0, pages: 1 });
});
