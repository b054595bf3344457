import assert from "node:assert/strict";
import { test } from "node:test";

import { Lines, nearest } from "../static/chartd/touch/lines.js";
import { points, upTo } from "../static/chartd/touch/path.js";

/** A generator of numbers that is the same in every run. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Numbers as the server writes them: a minus sign separates by itself. */
const xy = (x, y) => `${x}${y < 0 ? "" : " "}${y}`;

/** How pkg/plotting/shape.go draws: the test says it once more, from its document. */
const shapes = {
  line: {
    begin: (x, y) => `M${xy(x, y)}l0 0`,
    alone: (x, y) => `M${xy(x, y)}l-11 0 11-11 11 11-11 11-11-11 11 0`,
    to: (dx, dy) => ` ${xy(dx, dy)}`,
    stop: "", tail: "",
  },
  step: {
    begin: (x, y) => `M${xy(x, y)}h0`,
    alone: (x, y) => `M${xy(x, y)}l-11 0 11-11 11 11-11 11-11-11 11 0`,
    to: (dx, dy) => `h${dx}${dy === 0 ? "" : `v${dy}`}`,
    stop: "", tail: "",
  },
  dots: {
    begin: (x, y) => `M${xy(x, y)}h0`,
    alone: (x, y) => `M${xy(x, y)}h0`,
    to: (dx, dy) => `m${xy(dx, dy)}h0`,
    stop: "", tail: "",
  },
  fill: {
    begin: (x, y) => `M${x} 3400V${y}l0 0`,
    alone: (x, y) => `M${x - 10} 3400V${y}h20`,
    to: (dx, dy) => ` ${xy(dx, dy)}`,
    stop: "V3400", tail: "V3400",
  },
};

/** Runs of points, between breaks. */
function runs(rand) {
  const all = [];
  let x = Math.floor(rand() * 4000) - 2000;
  for (let r = 0; r < 1 + rand() * 4; r++) {
    const run = [];
    for (let i = 0; i < 1 + rand() * (rand() < 0.3 ? 1 : 40); i++) {
      run.push({ x, y: Math.floor(rand() * 4000) - 400 });
      x += 1 + Math.floor(rand() * 30);
    }
    all.push(run);
    x += 50;
  }
  return all;
}

function draw(shape, all) {
  let d = "";
  for (const [r, run] of all.entries()) {
    const last = r === all.length - 1;
    if (run.length === 1 && !(last && shape === shapes.dots)) {
      d += shape.alone(run[0].x, run[0].y);
    } else {
      d += shape.begin(run[0].x, run[0].y);
      for (let i = 1; i < run.length; i++) d += shape.to(run[i].x - run[i - 1].x, run[i].y - run[i - 1].y);
    }
    if (!last) d += shape.stop;
  }
  return d + shape.tail;
}

for (const [name, shape] of Object.entries(shapes)) {
  test(`the points of ${name} paths come back`, () => {
    const rand = random(7);
    for (let n = 0; n < 400; n++) {
      const all = runs(rand);
      const d = draw(shape, all);
      const got = points(d);
      const want = all.flat();
      assert.deepEqual(got.xs.map((x, i) => ({ x, y: got.ys[i] })), want, d);
      if (name === "dots") continue; // each stands by itself
      const begins = all.flatMap((run) => run.map((_, i) => Number(i === 0)));
      assert.deepEqual(got.begins, begins, d);
    }
  });
}

test("what is no path of these is read without a fault", () => {
  const rand = random(3);
  const letters = "MmlhvVHLzQ0123456789-., ";
  for (let n = 0; n < 5000; n++) {
    let d = "";
    for (let i = 0; i < rand() * 40; i++) d += letters[Math.floor(rand() * letters.length)];
    const { xs, ys, begins } = points(d);
    assert.equal(xs.length, ys.length, d);
    assert.equal(xs.length, begins.length, d);
  }
});

test("upTo counts", () => {
  const rand = random(11);
  for (let n = 0; n < 500; n++) {
    const xs = Array.from({ length: Math.floor(rand() * 30) }, () => Math.floor(rand() * 20)).sort((a, b) => a - b);
    const x = Math.floor(rand() * 24) - 2;
    assert.equal(upTo(xs, x), xs.filter((v) => v <= x).length);
  }
});

/** As much of a group of paths as Lines looks at. */
function group(ds) {
  return { children: ds.map((d) => ({ d, getAttribute() { return this.d; } })) };
}

/** Cuts points into chunks as pkg/plotting/trace.go does: each begins with the last point of the one before, if the line goes on. */
function chunked(all, size, shape) {
  const flat = all.flatMap((run, r) => run.map((p, i) => ({ ...p, begins: i === 0, r })));
  const ds = [];
  for (let i = 0; i < flat.length; i += size) {
    let piece = flat.slice(i, i + size);
    if (i > 0 && !piece[0].begins) piece = [flat[i - 1], ...piece];
    const parts = Map.groupBy ? [...Map.groupBy(piece, (p) => p.r).values()] : Object.values(piece.reduce((by, p) => ((by[p.r] ??= []).push(p), by), {}));
    ds.push(draw(shape, parts));
    if (ds.length % 3 === 0) ds.push(""); // one that has breaks alone
  }
  return { ds, flat };
}

test("around and previous find in chunks what a look at all points finds", () => {
  for (const shape of [shapes.line, shapes.step, shapes.fill]) {
    const rand = random(23);
    for (let n = 0; n < 120; n++) {
      const { ds, flat } = chunked(runs(rand), 2 + Math.floor(rand() * 9), shape);
      const lines = new Lines();
      const g = group(ds);
      for (let k = 0; k < 40; k++) {
        const x = flat[0].x - 20 + Math.floor(rand() * (flat.at(-1).x - flat[0].x + 40));
        const i = flat.findLastIndex((p) => p.x <= x);
        const { before, after, joined } = lines.around(g, x);
        const bare = (p) => (p ? { x: p.x, y: p.y } : null);
        assert.deepEqual(before, bare(flat[i]), `before ${x} in ${ds}`);
        assert.deepEqual(after, bare(flat[i + 1]), `after ${x} in ${ds}`);
        assert.equal(joined, i >= 0 && i + 1 < flat.length && !flat[i + 1].begins, `joined at ${x} in ${ds}`);
        assert.deepEqual(lines.previous(g, x), bare(flat.findLast((p) => p.x < x)), `previous of ${x} in ${ds}`);
      }
    }
  }
});

test("only what changed is read again", () => {
  const rand = random(5);
  const all = [Array.from({ length: 2000 }, (_, i) => ({ x: i * 3, y: Math.floor(rand() * 900) }))];
  const { ds } = chunked(all, 64, shapes.line);
  const g = group(ds.filter((d) => d !== ""));
  const lines = new Lines();
  for (let x = 0; x < 6000; x += 7) lines.around(g, x);
  const { read } = lines;
  assert.equal(read, g.children.length);
  for (let x = 0; x < 6000; x += 7) lines.around(g, x);
  assert.equal(lines.read, read);
  g.children.at(-1).d += " 3 1"; // a new sample
  assert.deepEqual(lines.around(g, 1e9).before, { x: 6000, y: all[0].at(-1).y + 1 });
  assert.equal(lines.read, read + 1);
  const fresh = new Lines();
  fresh.around(g, 3000);
  assert.ok(fresh.read <= 2 + Math.log2(g.children.length), `one look read ${fresh.read} of ${g.children.length} paths`);
});

test("between two samples a line has a height", () => {
  const g = group([draw(shapes.line, [[{ x: 0, y: 100 }, { x: 10, y: 200 }], [{ x: 100, y: 7 }, { x: 110, y: 9 }]])]);
  const lines = new Lines();
  assert.equal(lines.height(g, 5, 3), 150);
  assert.equal(lines.height(g, 12, 3), 200);
  assert.equal(lines.height(g, 50, 3), null);
});

test("the nearer of two, if it is near", () => {
  const [a, b] = [{ x: 0, y: 1 }, { x: 10, y: 2 }];
  assert.equal(nearest(a, b, 4, Infinity), a);
  assert.equal(nearest(a, b, 6, Infinity), b);
  assert.equal(nearest(a, b, 5, 3), null);
  assert.equal(nearest(null, b, 8, 3), b);
  assert.equal(nearest(null, null, 8, Infinity), null);
});
