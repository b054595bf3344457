/** The page of one chart, for a wall, an iframe, or a closer look. */
import { home, Server } from "../chartd.js";
import { attributesOf } from "../chartd/touch/link.js";
import { readAddress } from "./address.js";
import { signInForm } from "./visitor.js";
import { make } from "./words.js";

/** After so long without a movement the pointer and the way back are out of the picture; ms. */
const idle = 3000;

const query = new URLSearchParams(location.search);
const name = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1) ?? "");

// What the viewer did stands behind the "#": it says the whole view, and takes
// the place of what the page was opened with.
const { parameters: done, problem } = readAddress(location.hash.slice(1));
const asked = [...done].length > 0 ? done : query;
const theme = done.get("theme") ?? document.documentElement.dataset["theme"] ?? "auto";
document.documentElement.dataset["theme"] = theme;

/** @type {Record<string, string>} */
const attributes = { src: name, pick: "", theme, ...attributesOf(asked) };

const chart = make("chartd-chart", attributes);
const link = query.get("link");
if (link) chart.token = link;
document.getElementById("stage")?.append(chart);

// A page in a frame asks nobody for a token: its visitor cannot see whose it is.
if (!link && window.top === window) {
  const server = Server.at(home);
  const entrance = signInForm(() => {});
  entrance.form.hidden = true;
  document.getElementById("stage")?.append(entrance.form);
  server.addEventListener("change", () => {
    const needed = server.unauthorized;
    if (needed) entrance.ask(server.reason);
    if (entrance.form.hidden !== needed) return;
    entrance.form.hidden = !needed;
    chart.hidden = needed;
    if (needed) entrance.form.querySelector("input")?.focus();
  });
}

const refused = document.getElementById("refused");
if (refused && problem) {
  const close = make("button", { type: "button", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => refused.hidden = true);
  refused.hidden = false;
  refused.append(make("span", {}, `This address holds no view: ${problem}. Here is the chart as it is.`), close);
}

document.title = `${name} · chartd`;
const title = chart.shadowRoot?.getElementById("name");
if (title) {
  new MutationObserver(() => {
    if (title.textContent) document.title = `${title.textContent} · chartd`;
  }).observe(title, { childList: true, characterData: true, subtree: true });
}

// The address is that of what is seen, for who reloads or hands it on. A hand
// that scrubs changes the view many times a second; a browser takes an address a
// hundred times in half a minute.
/** @type {string | null} null: it is as it was opened, and not seen yet */
let view = null;
/** @type {number} */
let writing = 0;
function write() {
  clearTimeout(writing);
  writing = setTimeout(() => {
    const parameters = new URLSearchParams(view ?? "");
    const own = chart.getAttribute("theme") ?? "auto";
    document.documentElement.dataset["theme"] = own;
    if (own !== theme || done.has("theme")) parameters.set("theme", own);
    for (const key of ["size", "refresh"]) if (asked.has(key)) parameters.set(key, asked.get(key) ?? "");
    const url = new URL(location.href);
    for (const key of [...url.searchParams.keys()]) if (key !== "link" && key !== "theme") url.searchParams.delete(key);
    url.hash = parameters.toString();
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  }, 250);
}
chart.addEventListener("viewchange", (e) => {
  const first = view === null;
  if (!first && refused) refused.hidden = true; // the address is right again
  view = /** @type {CustomEvent<{view: string}>} */ (e).detail.view;
  if (!first) write();
});
new MutationObserver(() => {
  // Another tab's choice comes the same way, and is none of this address.
  if (view !== null && chart.getAttribute("theme") !== document.documentElement.dataset["theme"]) write();
}).observe(chart, { attributeFilter: ["theme"] });
addEventListener("hashchange", () => location.reload());

// In an iframe the page around it is the way back.
const chrome = document.getElementById("chrome");
if (chrome && window.top === window) {
  chrome.hidden = false;
  // How wide it is depends on the reader's font: the row of pickers ends before it.
  new ResizeObserver(() => document.body.style.setProperty("--chrome", `${chrome.offsetWidth}px`)).observe(chrome);
  // It stands in the middle, unless a title comes as far as that.
  const place = () => {
    const heading = chart.shadowRoot?.querySelector("#stage [data-k=h]")?.getBoundingClientRect();
    document.body.classList.toggle("crowded", heading !== undefined && heading.right > (innerWidth - chrome.offsetWidth) / 2 - 8);
  };
  addEventListener("resize", place);
  chart.addEventListener("statechange", place);
  if (title) new MutationObserver(place).observe(title, { childList: true, characterData: true, subtree: true });
}

/** @type {number} */
let timer = 0;
function awake() {
  document.body.classList.remove("idle");
  clearTimeout(timer);
  timer = setTimeout(() => document.body.classList.add("idle"), idle);
}
for (const type of ["pointermove", "pointerdown", "keydown"]) addEventListener(type, awake, { passive: true });
awake();
