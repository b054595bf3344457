/**
 * Vega's server-side SVG: one view, which is given the new samples and told to
 * drop the old ones, and follows them through its dataflow.
 */
import * as vega from "vega";
import { names, points, rows, serve, size, title } from "./worker.js";

const spec = {
  ...size,
  title,
  autosize: { type: "fit", contains: "padding" },
  data: [{ name: "table" }],
  scales: [
    { name: "x", type: "time", range: "width", domain: { data: "table", field: "t" } },
    { name: "y", type: "linear", range: "height", nice: true, zero: true, domain: { data: "table", field: "v" } },
    { name: "color", type: "ordinal", range: "category", domain: names },
  ],
  axes: [
    { orient: "bottom", scale: "x", grid: true },
    { orient: "left", scale: "y", grid: true },
  ],
  legends: [{ stroke: "color", orient: "bottom", direction: "horizontal" }],
  marks: [{
    type: "group",
    from: { facet: { name: "series", data: "table", groupby: "name" } },
    marks: [{
      type: "line",
      from: { data: "series" },
      encode: {
        enter: { stroke: { scale: "color", field: "name" } },
        update: { x: { scale: "x", field: "t" }, y: { scale: "y", field: "v" } },
      },
    }],
  }],
};

const view = new vega.View(vega.parse(spec), { renderer: "none" });

/** @param {number} i */
const samples = (i) => rows[i].v.map((v, s) => ({ t: rows[i].t, v, name: names[s] }));

/** @type {object[][]} What the view holds, row by row. */
let held = [];

await serve(async (i) => {
  const changes = vega.changeset();
  if (i === 0) {
    changes.remove(vega.truthy);
    held = Array.from({ length: points }, (_, n) => samples(n));
    changes.insert(held.flat());
  } else {
    const next = samples(i + points - 1);
    changes.remove(held.shift()).insert(next);
    held.push(next);
  }
  await view.change("table", changes).runAsync();
  return view.toSVG();
});
