/**
 * Refreshes one chart in two ways: by the page's own code, which is given a
 * recording instead of a socket, and by putting each new SVG in the place of
 * the last.
 */

/** @type {{v: string, full: string, patches: string[], svgs: string[]}} */
const recording = await (await fetch("recording.json")).json();

/** The open socket. */
let socket = null;

/** What the page's code takes for a WebSocket. */
class Recorded {
  static OPEN = 1;
  readyState = 1;

  constructor() {
    socket = this;
    queueMicrotask(() => this.onopen?.());
  }

  /** @param {string} text */
  send(text) {
    for (const m of [JSON.parse(text)].flat()) {
      if (m.t === "hello") this.say({ t: "welcome", session: "s", resumed: false, server: "bench" });
      if (m.t === "ping") this.say({ t: "ok", id: m.id });
      if (m.t === "resync") throw new Error("the page asks for the whole picture again");
      if (m.t !== "sub") continue;
      this.say({ t: "ok", id: m.id, v: recording.v });
      this.hear(recording.full);
    }
  }

  /** @param {object} m */
  say(m) { this.hear(JSON.stringify(m)); }

  /** @param {string} data */
  hear(data) { queueMicrotask(() => this.onmessage?.({ data })); }

  close() {}
}

const frame = () => new Promise(requestAnimationFrame);
const wait = (ms) => new Promise((r) => setTimeout(r, ms));
const [place, replaced, dot] = ["place", "replaced", "dot"].map((id) => document.getElementById(id));
let patched = null;
let next = 0; // patch
let turn = 0;

/** Ways to refresh. */
const refresh = {
  patch() {
    const data = recording.patches[next++];
    if (data === undefined) throw new Error("the recording is over");
    socket.onmessage({ data });
  },
  replace() { replaced.innerHTML = recording.svgs[turn++ % recording.svgs.length]; },
  /** The least that can be seen: what any change costs a browser. */
  dot() { dot.style.background = turn++ % 2 ? "red" : "blue"; },
};

/** Shows the chart for the first time. */
window.setUp = async () => {
  window.WebSocket = Recorded;
  await import("/chartd.js");
  place.innerHTML = `<chartd-chart id="patched" src="load" size="800x400"></chartd-chart>`;
  patched = document.getElementById("patched");
  while (patched.state !== "live") await frame();
};

let shown = "";

/** Leaves only what is refreshed in this way in the page. */
window.show = async (way) => {
  if (way === shown) return;
  shown = way;
  place.style.display = way === "patch" ? "" : "none";
  replaced.style.display = way === "replace" ? "" : "none";
  await frame();
  refresh[way]();
  await wait(way === "patch" ? 500 : 100); // the chart may have to fade in
};

/** Refreshes n times, each in an animation frame of its own. */
window.frames = async (way, n) => {
  for (; n > 0; n--) {
    refresh[way]();
    await frame();
  }
  await frame();
};

/** Refreshes n times without a frame: what is asked for layout has to do style and layout, but does not paint. */
window.layouts = async (way, n) => {
  const paint = window.requestAnimationFrame;
  let step = null; // what waits for the frame
  window.requestAnimationFrame = (f) => { step = f; return 0; };
  const root = way === "patch" ? patched.shadowRoot : replaced;
  for (; n > 0; n--) {
    refresh[way]();
    step?.(performance.now());
    step = null;
    root.querySelector("svg").getBoundingClientRect();
  }
  window.requestAnimationFrame = paint;
};

/** Refreshes once a second, as most charts do. */
window.seconds = async (way, n) => {
  for (; n > 0; n--) {
    refresh[way]();
    await wait(1000);
  }
};

/** Reports whether the chart shows what the recording's end does. */
window.shows = async (svg) => {
  await show("patch");
  while (next < recording.patches.length) refresh.patch();
  await frame();
  await frame();
  const want = new DOMParser().parseFromString(svg, "image/svg+xml").querySelectorAll("path[data-k]");
  const root = patched.shadowRoot.querySelector("svg");
  return want.length > 0 && Array.from(want).every((el) =>
    root.querySelector(`[data-k="${el.getAttribute("data-k")}"]`)?.getAttribute("d") === el.getAttribute("d"));
};
