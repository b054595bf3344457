/** ECharts' server-side SVG: one instance, used for every refresh. */
import * as echarts from "echarts";
import { names, points, rows, serve, size, title } from "./worker.js";

const chart = echarts.init(null, null, { renderer: "svg", ssr: true, ...size });
chart.setOption({
  animation: false,
  title: { text: title },
  legend: { bottom: 0 },
  xAxis: { type: "time" },
  yAxis: { type: "value" },
  series: names.map((name) => ({ name, type: "line", showSymbol: false, data: [] })),
});

/** The data as ECharts takes them, made once. */
const pairs = names.map((_, s) => rows.map(({ t, v }) => [t, v[s]]));

await serve((i) => {
  chart.setOption({ series: pairs.map((data) => ({ data: data.slice(i, i + points) })) });
  return chart.renderToSVGString();
});
