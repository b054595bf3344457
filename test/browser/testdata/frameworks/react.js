// React's packages come as CommonJS: this is all that they need of a bundler.
const sources = {
  react: "react/cjs/react.development.js",
  scheduler: "scheduler/cjs/scheduler.development.js",
  "react-dom": "react-dom/cjs/react-dom.development.js",
  "react-dom/client": "react-dom/cjs/react-dom-client.development.js",
};
globalThis.process = { env: { NODE_ENV: "development" } };
const modules = {};
for (const [name, path] of Object.entries(sources)) {
  const text = await (await fetch(`/modules/${path}`)).text();
  const module = { exports: {} };
  new Function("module", "exports", "require", text)(module, module.exports, (other) => modules[other]);
  modules[name] = module.exports;
}
const { createElement: h, StrictMode, useEffect, useRef, useState } = modules.react;

function Page() {
  const [{ shown, ...props }, setProps] = useState({ shown: true, src: "line", window: "20s", hide: ["user"] });
  const chart = useRef(null);
  useEffect(() => {
    page.mounted++;
    page.set = (more) => setProps((p) => ({ ...p, ...more }));
    page.callback = (arg) => chart.current.callback(arg);
  }, []);
  return h("div", { style: { width: "640px" } }, shown && h("chartd-chart", {
    ...props, ref: chart, pick: true, onstatechange: page.heard, onaftercallback: page.heard,
  }));
}
const root = modules["react-dom/client"].createRoot(document.getElementById("app"));
page.start = () => root.render(h(StrictMode, null, h(Page)));
page.stop = () => root.unmount();
page.strict = 2; // StrictMode runs effects twice
page.ready = true;
