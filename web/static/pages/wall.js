/**
 * The wall: several charts, a clock, and nothing else, for days. It shows all
 * charts or those of "?charts=cpu,mem", in "columns=2", a page of "each=4" for
 * "rotate=30" seconds, under a "title"; or what signed links open, "?link=…&link=…".
 *
 * What is there is made once and changed where it differs: nothing grows with
 * time. The connection comes back by itself for ever; a server of another
 * version is a reason to load the page anew, since its script is another too.
 */
import { auth, home, Server } from "../chartd.js";
import { columnsFor, pageOf, wishes } from "./layout.js";
import { credentials, signInForm } from "./visitor.js";
import { make } from "./words.js";

/** After so long without a movement the pointer is gone; ms. */
const idle = 3000;

/** How often the list of charts is read again, in ms. */
const again = 60_000;

/** A cut that is over sooner than this is not worth a sign; ms. */
const blip = 3000;

/** A new server is let be for so long before the page is loaded anew, and again if somebody is at work on it; ms. */
const settle = 3000;

const query = new URLSearchParams(location.search);
const wish = wishes(query);
const link = query.get("link");
// A wall with signed links is whoever holds the first; the others open their own charts.
if (link) auth(() => link);

const server = Server.at(home);

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const grid = byId("charts");
/** @type {Map<string, HTMLElement>} */
const tiles = new Map();
/** What there is to show, in order. @type {string[]} */
let names = wish.charts;
let page = 0;

if (wish.title) {
  byId("title").textContent = document.title = wish.title;
  byId("title").hidden = false;
}

const entrance = signInForm(() => list());
entrance.form.hidden = true;
grid.before(entrance.form);

/** Brings the tiles in line with the names and the page. */
function draw() {
  const { charts, at, pages } = wish.rotate ? pageOf(names, wish.each, page) : { charts: names, at: 0, pages: 1 };
  for (const [name, tile] of tiles) {
    if (charts.includes(name)) continue;
    tile.remove();
    tiles.delete(name);
  }
  charts.forEach((name, i) => {
    let tile = tiles.get(name);
    if (!tile) {
      tile = make("chartd-chart", { src: name, controls: "none", theme: document.documentElement.dataset["theme"] ?? "auto" });
      const own = wish.links.get(name);
      if (own && own !== link) tile.setAttribute("link", own);
      tiles.set(name, tile);
    }
    if (grid.children[i] !== tile) grid.insertBefore(tile, grid.children[i] ?? null);
  });
  byId("page").hidden = pages < 2;
  byId("page").textContent = `${at + 1} / ${pages}`;
  byId("nothing").hidden = charts.length > 0 || !listed;
  byId("nothing").textContent = "There are no charts to show.";
  fit();
}

function fit() {
  const n = Math.max(1, tiles.size);
  const columns = wish.columns || columnsFor(n, grid.clientWidth, grid.clientHeight);
  grid.style.setProperty("--columns", String(Math.min(columns, n)));
  grid.style.setProperty("--rows", String(Math.ceil(n / columns)));
}
new ResizeObserver(fit).observe(grid);

let listed = wish.charts.length > 0;

/** Reads which charts there are, and may be seen; those that are asked for need no list. */
async function list() {
  if (wish.charts.length > 0) return;
  try {
    const response = await fetch(new URL("api/v1/charts", home), {
      headers: link ? { Authorization: `Bearer ${link}` } : credentials(), signal: AbortSignal.timeout(20_000),
    });
    if (response.status === 401) door(true, (await response.text()).trim().replace(/^chartd: /, ""));
    if (!response.ok) return; // what was there stays
    /** @type {{charts: {name: string}[]}} */
    const { charts } = await response.json();
    names = charts.map((chart) => chart.name);
    listed = true;
    door(false, "");
    draw();
  } catch {
    // It is away. It is asked again.
  }
}

/**
 * @param {boolean} needed
 * @param {string} reason
 */
function door(needed, reason) {
  // In a frame a visitor cannot see whose form that would be.
  if (needed && (link || window.top !== window)) return;
  if (needed) entrance.ask(reason);
  if (entrance.form.hidden !== needed) return;
  entrance.form.hidden = !needed;
  grid.hidden = needed;
  if (needed) entrance.form.querySelector("input")?.focus();
}

// The clock ticks at the second, and so does whatever else is due.
const clock = /** @type {HTMLTimeElement} */ (byId("clock"));
const hours = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const days = new Intl.DateTimeFormat([], { weekday: "short", day: "numeric", month: "short" });
const day = make("span", { class: "day" }), hour = make("span", { class: "hour" });
clock.append(day, hour);

let looked = performance.now(), turned = performance.now();

function tick() {
  const now = new Date();
  const [date, time] = [days.format(now), hours.format(now)];
  if (day.textContent !== date) day.textContent = date;
  hour.textContent = time;
  const at = performance.now();
  if (at - looked >= again) {
    looked = at;
    list();
  }
  if (wish.rotate && at - turned >= wish.rotate) {
    turned = at;
    page++;
    draw();
  }
  trouble();
  stay();
  setTimeout(tick, 1000 - Date.now() % 1000);
}

/** A sign that what is seen may be old: small, and gone when it is over. */
function trouble() {
  let text = "";
  if (server.unauthorized) text = server.reason || "the server wants to know who you are";
  else if (server.phase === "refused") text = server.reason || "refused by the server";
  else if (server.down > blip) text = `no connection since ${hours.format(Date.now() - server.down)}`;
  else if (server.doubt) text = "the server does not answer";
  const sign = byId("trouble");
  if (sign.hidden === (text !== "")) sign.hidden = text === "";
  if (byId("trouble-text").textContent !== text) byId("trouble-text").textContent = text;
}

// Another version: its pages and its script may be others, and so may the
// protocol. The page is loaded anew when that has held for a moment, nobody has
// a hand on it, and the server does give its pages.
let version = "", due = 0, moved = -Infinity;

server.addEventListener("change", () => {
  if (server.unauthorized) door(true, server.reason);
  if (server.phase !== "open") return;
  if (!server.unauthorized) door(false, "");
  if (version === "") version = server.version;
  due = server.version !== version ? performance.now() + settle : 0;
  looked = performance.now();
  list(); // the configuration may be another
});

async function stay() {
  const now = performance.now();
  if (due === 0 || now < due || now < moved + settle || server.phase !== "open") return;
  due = now + 60_000; // if it does not work out
  try {
    const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (response.ok) location.reload();
  } catch {
    // It is away again.
  }
}

/** The screen stays on, where the browser lets a page ask for that. @type {WakeLockSentinel | null} */
let awake = null;
let waking = false;
async function wake() {
  if (waking || document.hidden || awake && !awake.released || !("wakeLock" in navigator)) return;
  waking = true;
  try {
    awake = await navigator.wakeLock.request("screen");
  } catch {
    // The battery is low, or the page may not.
  }
  waking = false;
}
document.addEventListener("visibilitychange", wake);
wake();

/** @type {number} */
let timer = 0;
function stir() {
  moved = performance.now();
  document.body.classList.remove("idle");
  clearTimeout(timer);
  timer = setTimeout(() => document.body.classList.add("idle"), idle);
  wake();
}
for (const type of ["pointermove", "pointerdown", "keydown"]) addEventListener(type, stir, { passive: true });
addEventListener("keydown", (e) => {
  if (e.key.toLowerCase() !== "f" || e.ctrlKey || e.altKey || e.metaKey || e.target instanceof HTMLInputElement) return;
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  else document.documentElement.requestFullscreen?.().catch(() => {});
});
stir();
moved = -Infinity; // that was nobody
draw();
list();
tick();
