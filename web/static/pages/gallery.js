/** The gallery: a card for each chart, and how server and sources are doing. */
import { home, Server } from "../chartd.js";
import { credentials, signIn, signInForm, token } from "./visitor.js";
import { ago, count, make, rate, span } from "./words.js";

/** @typedef {{name: string, title: string, description?: string, kind: string, refresh: number, window: number, links: {page: string, svg: string, png: string}}} Chart */
/** @typedef {{name: string, kind: string, up: boolean, last?: string, samples: number, rate: number, error?: string}} Source */

/** How often to look again, in ms. */
const every = { charts: 30_000, sources: 5_000, empty: 1_000 };

const server = Server.at(home);

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const grid = byId("charts");
/** @type {Map<string, {card: HTMLElement, as: string}>} */
const cards = new Map();

/**
 * @param {string} path
 * @returns {Promise<{status: number, guarded: boolean, body: any, text: string}>} status 0: there is no answer
 */
async function get(path) {
  try {
    const response = await fetch(new URL(path, home), { headers: credentials() });
    return {
      status: response.status,
      // An answer that depends on who asks is one of a server that asks who it is.
      guarded: /\bauthorization\b/i.test(response.headers.get("Vary") ?? ""),
      body: response.ok ? await response.json() : null,
      text: response.ok ? "" : (await response.text()).trim().replace(/^chartd: /, ""),
    };
  } catch {
    return { status: 0, guarded: false, body: null, text: "" };
  }
}

/**
 * A path of the server, as it is reached from here: there may be a proxy that
 * serves it in a folder.
 * @param {string} path
 */
const local = (path) => new URL(path.replace(/^\//, ""), home).href;

/**
 * A link to a chart's picture. An address cannot say who the visitor is, so for
 * who signed in the picture is fetched and handed over as a file.
 * @param {Chart} chart
 * @param {"svg" | "png"} type
 */
function picture(chart, type) {
  const href = local(chart.links[type]);
  const a = make("a", { href, "aria-label": `${chart.title} as ${type.toUpperCase()}` }, type.toUpperCase());
  a.addEventListener("click", async (e) => {
    if (!token()) return;
    e.preventDefault();
    try {
      const response = await fetch(href, { headers: credentials() });
      if (!response.ok) throw new Error((await response.text()).trim().replace(/^chartd: /, ""));
      const file = URL.createObjectURL(await response.blob());
      make("a", { href: file, download: `${chart.name}.${type}` }).click();
      setTimeout(() => URL.revokeObjectURL(file), 60_000);
    } catch (err) {
      byId("summary").textContent = `No ${type.toUpperCase()} of ${chart.title}: ${err instanceof Error ? err.message : err}`;
    }
  });
  return a;
}

/** Kinds without a time axis. */
const timeless = new Set(["bar", "gauge", "stat"]);

/** @param {Chart} chart */
function cardOf(chart) {
  const facts = [chart.kind];
  if (!timeless.has(chart.kind)) facts.push(`last ${span(chart.window)}`);
  facts.push(chart.refresh > 0 ? `every ${span(chart.refresh)}` : "on demand");
  return make("article", { class: `card ${chart.kind}`, id: `card-${chart.name}`, "aria-label": chart.title },
    make("h2", { class: "spoken" }, chart.title),
    make("chartd-chart", { src: chart.name, theme: document.documentElement.dataset["theme"] ?? "auto" }),
    make("div", { class: "about" },
      make("span", { class: "facts" }, facts.join(" · ")),
      make("span", { class: "links" },
        picture(chart, "svg"),
        picture(chart, "png"),
        make("a", { href: local(chart.links.page), class: "open", "aria-label": `Open ${chart.title}` }, "Open"),
      ),
    ),
  );
}

const entrance = signInForm(enter);
byId("charts").before(entrance.form);
entrance.form.hidden = true;
/** The visitor asked for the form. */
let wanted = false;

/** Looks again at everything, as somebody else. */
function enter() {
  wanted = false;
  seen.sources = true;
  charts();
  sources();
}

/**
 * Shows the form, or takes it away.
 * @param {boolean} needed
 * @param {string} reason
 */
function door(needed, reason) {
  entrance.ask(reason);
  if (entrance.form.hidden !== needed) return;
  entrance.form.hidden = !needed;
  if (needed) entrance.form.querySelector("input")?.focus();
}

byId("who").addEventListener("click", () => {
  if (token()) {
    signIn("");
    enter();
  } else {
    wanted = !wanted;
    door(wanted || cards.size === 0, "");
  }
});

async function charts() {
  const { status, guarded, body, text } = await get("api/v1/charts");
  const out = status === 401;
  byId("who").hidden = out || !guarded && !token();
  byId("who").textContent = token() ? "Sign out" : "Sign in";
  byId("link").hidden = out;
  if (status !== 0) door(out || wanted || server.unauthorized, out ? text : server.reason);
  /** @type {{server: string, charts: Chart[]} | null} */
  const answer = out ? { server: "chartd", charts: [] } : body;
  if (!answer) {
    if (cards.size === 0) byId("summary").textContent = "The server does not answer; trying again.";
    return;
  }
  byId("version").textContent = answer.server;
  const names = new Set(answer.charts.map((c) => c.name));
  for (const [name, { card }] of cards) {
    if (names.has(name)) continue;
    card.remove();
    cards.delete(name);
  }
  /** @type {HTMLElement | null} */
  let last = null;
  for (const chart of answer.charts) {
    const as = JSON.stringify(chart);
    let entry = cards.get(chart.name);
    if (entry?.as !== as) {
      const card = cardOf(chart);
      entry?.card.replaceWith(card);
      entry = { card, as };
      cards.set(chart.name, entry);
    }
    const { card } = entry;
    /** @type {Element | null} */
    const place = last ? last.nextElementSibling : grid.firstElementChild;
    if (place !== card) grid.insertBefore(card, place);
    last = card;
  }
  byId("empty").hidden = cards.size > 0 || guarded;
  if (out) byId("summary").textContent = "They are shown to those who sign in.";
  else if (guarded && cards.size === 0) byId("summary").textContent = "None that you may see.";
  else byId("summary").textContent = cards.size === 0 ? "Nothing to show yet." : `${count(cards.size, "chart")} from ${location.host}, refreshed by the server.`;
}

/** What this visitor may see, as far as it is known. */
const seen = { sources: true };

async function sources() {
  if (!seen.sources) return;
  const { status, body } = await get("api/v1/sources");
  seen.sources = status !== 401 && status !== 403;
  /** @type {{sources: Source[]} | null} */
  const answer = body;
  if (!answer && seen.sources) return; // it is away: without the list all charts would jump
  const list = byId("sources");
  const items = (answer?.sources ?? []).map((s) => {
    const state = !s.up ? "down" : s.samples > 0 ? "up" : "idle";
    let text = "waiting for data";
    if (!s.up) text = s.error ? `retrying: ${s.error}` : "retrying";
    else if (s.samples > 0) text = s.rate > 0 ? rate(s.rate) : `last ${ago(Date.now() - Date.parse(s.last ?? ""))}`;
    return { key: s.name, state, text, kind: s.kind };
  });
  // In place: an error that somebody selects, or a tooltip, stays.
  for (const [i, s] of items.entries()) {
    const li = list.children[i] ?? list.appendChild(make("li", {}, make("span", { class: "dot", "aria-hidden": "true" }), make("b"), make("span")));
    li.setAttribute("data-state", s.state);
    const title = `${s.key} (${s.kind}): ${s.text}`;
    if (li.getAttribute("title") !== title) li.setAttribute("title", title);
    for (const [place, text] of [[li.children[1], s.key], [li.children[2], s.text]]) {
      if (place instanceof Element && place.textContent !== text) place.textContent = String(text);
    }
  }
  while (list.children.length > items.length) list.lastElementChild?.remove();
}

function link() {
  const pill = byId("link");
  let [state, text] = ["connecting", "Connecting"];
  if (server.unauthorized) [state, text] = ["lost", "Signed out"];
  else if (server.phase === "refused") [state, text] = ["lost", server.reason || "Refused"];
  else if (server.phase === "open") [state, text] = server.doubt ? ["stale", "No answer"] : ["live", "Live"];
  else if (server.down > 60_000) [state, text] = ["lost", "Unreachable, still trying"];
  else if (pill.dataset["state"] !== "connecting") [state, text] = ["stale", "Reconnecting"];
  else if (cards.size === 0) [state, text] = ["idle", "No charts"];
  if (pill.dataset["state"] === state && byId("link-text").textContent === text) return;
  pill.dataset["state"] = state;
  byId("link-text").textContent = text;
}

/** @type {number} */
let blip = 0;
server.addEventListener("change", () => {
  clearTimeout(blip);
  if (server.unauthorized) door(true, server.reason);
  if (server.phase === "open") {
    link();
    charts(); // the configuration may have changed while it was away
  } else {
    blip = setTimeout(link, 600); // a short cut passes unseen
  }
});

/**
 * @param {() => Promise<void>} look
 * @param {number} ms
 */
function repeat(look, ms) {
  look();
  setInterval(() => {
    if (!document.hidden) look();
  }, ms);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
}

repeat(charts, every.charts);
// A page may be opened before its charts are there: `chartd pipe` has them with the first line.
setInterval(() => {
  if (!document.hidden && cards.size === 0 && entrance.form.hidden) charts();
}, every.empty);
repeat(sources, every.sources);
