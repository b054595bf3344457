/** The page of one chart, for a wall, an iframe, or a closer look. */
import { home, Server } from "../chartd.js";
import { signInForm } from "./visitor.js";
import { make } from "./words.js";

/** After so long without a movement the pointer and the way back are out of the picture; ms. */
const idle = 3000;

const query = new URLSearchParams(location.search);
const name = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1) ?? "");

/** @type {Record<string, string>} */
const attributes = { src: name, pick: "", theme: document.documentElement.dataset["theme"] ?? "auto" };
for (const key of ["window", "from", "to", "refresh", "size"]) {
  const value = query.get(key);
  if (value) attributes[key] = value;
}
const hidden = query.getAll("hidden");
if (hidden.length > 0) attributes["hide"] = JSON.stringify(hidden);
const vars = [...query].filter(([key]) => key.startsWith("vars.")).map(([key, value]) => [key.slice(5), value]);
if (vars.length > 0) attributes["vars"] = JSON.stringify(Object.fromEntries(vars));

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

document.title = `${name} · chartd`;
const title = chart.shadowRoot?.getElementById("name");
if (title) {
  new MutationObserver(() => {
    if (title.textContent) document.title = `${title.textContent} · chartd`;
  }).observe(title, { childList: true, characterData: true, subtree: true });
}

// The address is that of what is seen, for who reloads or hands it on.
chart.addEventListener("varschange", (e) => {
  const { vars } = /** @type {CustomEvent<{vars: Record<string, string>}>} */ (e).detail;
  const url = new URL(location.href);
  for (const key of [...url.searchParams.keys()]) if (key.startsWith("vars.")) url.searchParams.delete(key);
  for (const [key, value] of Object.entries(vars)) url.searchParams.set(`vars.${key}`, value);
  history.replaceState(history.state, "", url);
});

// In an iframe the page around it is the way back.
const chrome = document.getElementById("chrome");
if (chrome && window.top === window) chrome.hidden = false;

/** @type {number} */
let timer = 0;
function awake() {
  document.body.classList.remove("idle");
  clearTimeout(timer);
  timer = setTimeout(() => document.body.classList.add("idle"), idle);
}
for (const type of ["pointermove", "pointerdown", "keydown"]) addEventListener(type, awake, { passive: true });
awake();
