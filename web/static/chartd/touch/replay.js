/**
 * Pause, step, replay: the view gets a clock of its own, which stands still or
 * runs. The server draws what was now then; the page only says where the clock
 * stands and how fast it goes.
 *
 * @import { ChartHost } from "../host.js"
 * @import { ViewChange } from "../protocol.js"
 * @import { Lens } from "./lens.js"
 * @import { Toolbar } from "./toolbar.js"
 */
import { Clock } from "./clock.js";
import { least } from "./legend.js";
import { Lines } from "./lines.js";
import { Pace } from "./pace.js";
import { due, replayOf, speeds } from "./time.js";

/** A step where there are no samples to go by, in ms. */
const second = 1000;

/** How wide a chart is that has room for all in one row, in em of its text. */
const roomy = 40;

/** The longest that a timer can wait, in ms. */
const longest = 2 ** 31 - 1;

const icons = {
  pause: "M5.75 3.5v9M10.25 3.5v9",
  play: "M5.25 3.25v9.5L12.5 8Z",
  back: "M11 4 6.5 8l4.5 4M4.75 4v8",
  forward: "M5 4l4.5 4L5 12M11.25 4v8",
};

const template = document.createElement("template");
template.innerHTML = `
<div id="replay" part="replay" role="group" aria-label="Replay" hidden>
  <button type="button" data-do="back" aria-keyshortcuts=","></button>
  <button type="button" data-do="play" aria-keyshortcuts="Space"></button>
  <button type="button" data-do="forward" aria-keyshortcuts="."></button>
  <input type="range" aria-label="Time shown" step="any">
  <output aria-live="off"></output>
  <select aria-label="Speed"></select>
  <button type="button" data-do="live" class="word" title="Follow the present again (L)">Live</button>
</div>`;

export class Replay {
  #host;
  #lens;
  #tool;
  #box;
  #range;
  #time;
  #speed;
  #lines = new Lines();
  #clock = new Clock();
  /** @type {Pace<ViewChange>} */
  #pace = new Pace((change) => this.#send(change));
  /** @type {ReturnType<typeof replayOf> | undefined} What was asked for and has not been answered; undefined: nothing. */
  #asked = undefined;
  /** How far the server's clock is ahead of the browser's, in ms, as far as a live picture told. */
  #skew = 0;
  /** The oldest sample that the server holds, in ms. */
  #held = NaN;
  #due = 0;
  /** A hand is on the slider. */
  #sliding = false;

  /**
   * @param {ChartHost} host
   * @param {Toolbar} toolbar
   * @param {Lens} lens
   * @param {AbortSignal} signal
   */
  constructor(host, toolbar, lens, signal) {
    this.#host = host;
    this.#lens = lens;
    host.shadow.append(template.content.cloneNode(true));
    this.#box = /** @type {HTMLElement} */ (host.shadow.getElementById("replay"));
    this.#range = /** @type {HTMLInputElement} */ (this.#box.querySelector("input"));
    this.#time = /** @type {HTMLOutputElement} */ (this.#box.querySelector("output"));
    this.#speed = /** @type {HTMLSelectElement} */ (this.#box.querySelector("select"));
    for (const speed of speeds) this.#speed.add(new Option(`×${speed}`, String(speed)));
    this.#tool = toolbar.add({ id: "pause", label: "Pause (Space)", icon: icons.pause, order: 100, pressed: false, hidden: true, run: () => this.#toggle() });
    for (const button of this.#box.querySelectorAll("button")) {
      const what = /** @type {"back" | "play" | "forward" | "live"} */ (button.dataset["do"]);
      button.addEventListener("click", () => this.#do(what));
      if (what === "back" || what === "forward") draw(button, icons[what], what === "back" ? "One sample back (,); with Shift a second" : "One sample on (.); with Shift a second");
    }
    this.#range.addEventListener("input", () => this.#slide(false));
    this.#range.addEventListener("change", () => this.#slide(true));
    this.#speed.addEventListener("change", () => this.#play());
    host.frame.addEventListener("keydown", (e) => this.#key(e), { signal, capture: true });
    for (const what of /** @type {const} */ (["shown", "altered"])) host.on(what, () => this.#look(), signal);
    host.on("moved", () => this.#moved(), signal);
    host.on("sized", () => this.#place(), signal);
    this.#look();
    signal.addEventListener("abort", () => {
      this.#pace.stop();
      clearTimeout(this.#due);
      this.#box.remove();
    }, { once: true });
  }

  /** The view's clock, as it is or soon will be. */
  get #replay() {
    return this.#asked === undefined ? replayOf(this.#host.params) : this.#asked;
  }

  /** The present at the server, in ms. */
  get #now() {
    return Date.now() + this.#skew;
  }

  /** What the view takes for now, in ms. */
  get #at() {
    const replay = this.#replay;
    if (replay?.speed === 0) return replay.at;
    const { edge } = this.#host;
    const at = edge === edge ? edge : this.#lens.framed?.to ?? NaN;
    if (at === at) return Math.round(at);
    return replay ? Math.min(this.#now, replay.at + (this.#now - replay.since) * replay.speed) : Math.round(this.#now);
  }

  /** The view or its picture is another. */
  #look() {
    const { params, root, picture, element } = this.#host;
    const replay = this.#replay;
    const held = Number(root?.dataset["held"] ?? NaN);
    if (held === held) this.#held = held;
    this.#clock.zone = root?.dataset["zone"] ?? "";
    this.#tool.set({ hidden: !picture, pressed: replay !== null && replay.speed === 0, ...face(replay) });
    if (replay) element.setAttribute("clock", replay.speed > 0 ? "replay" : "paused");
    else element.removeAttribute("clock");
    const open = replay !== null && picture !== null;
    const focused = this.#box.contains(this.#host.shadow.activeElement);
    if (this.#box.hidden === open) this.#box.hidden = !open;
    if (focused && !open) this.#host.frame.focus();
    if (replay) {
      const { icon, label } = face(replay);
      draw(/** @type {HTMLElement} */ (this.#box.querySelector("[data-do=play]")), icon, label);
      if (replay.speed > 0 && this.#speed.value !== String(replay.speed)) {
        if (![...this.#speed.options].some((o) => Number(o.value) === replay.speed)) this.#speed.add(new Option(`×${replay.speed}`, String(replay.speed)));
        this.#speed.value = String(replay.speed);
      }
    }
    this.#wait(params.replay && this.#asked === undefined ? replay : null);
    this.#place();
    this.#moved();
  }

  /** The picture went on. */
  #moved() {
    const replay = this.#replay;
    if (!replay) {
      const to = this.#host.params.to ? NaN : this.#lens.framed?.to ?? NaN;
      if (to === to && !this.#host.params.paused) this.#skew = to - Date.now();
      return;
    }
    if (this.#sliding) return;
    this.#show(this.#at);
  }

  /** @param {number} at */
  #show(at) {
    const range = this.#range;
    const from = Math.min(at, this.#held === this.#held ? this.#held : at - 3_600_000);
    range.min = String(from);
    range.max = String(Math.max(at, this.#now));
    range.value = String(at);
    this.#say(at);
  }

  /** @param {number} at */
  #say(at) {
    const text = this.#write(at);
    if (this.#time.value === text) return;
    this.#time.value = text;
    this.#range.setAttribute("aria-valuetext", text);
  }

  /** @param {number} t */
  #write(t) {
    return this.#clock.write(t, second, this.#now);
  }

  /**
   * Below the data, over the times there: it says the one that counts. Where
   * there is no room for that, over the data: the legend's names are buttons.
   */
  #place() {
    if (this.#box.hidden) return;
    const { sight, fit } = this.#lens;
    this.#box.classList.toggle("narrow", this.#host.size.width < roomy * parseFloat(getComputedStyle(this.#box).fontSize));
    const entry = this.#host.root?.querySelector("[data-entry]");
    const name = entry instanceof SVGGraphicsElement && fit ? entry.getBBox() : null;
    const names = name && fit ? fit.y + (name.y + name.height / 2) * fit.scale - least / 2 : NaN;
    const foot = sight && names > sight.bottom ? names : this.#host.size.height - 2;
    const most = Math.floor(foot - this.#box.offsetHeight);
    this.#box.style.insetBlockStart = `${Math.round(Math.min(most, sight ? sight.bottom + 2 : most))}px`;
  }

  /**
   * Goes on to the present when a replay has caught up with it.
   * @param {ReturnType<typeof replayOf>} replay
   */
  #wait(replay) {
    clearTimeout(this.#due);
    const left = replay ? due(replay, this.#now) : Infinity;
    if (left < longest) this.#due = setTimeout(() => this.#live(), left);
  }

  /** @param {"back" | "play" | "forward" | "live"} what @param {boolean} [coarse] */
  #do(what, coarse = false) {
    if (what === "play") this.#toggle();
    else if (what === "live") this.#live();
    else this.#step(what === "back" ? -1 : 1, coarse);
  }

  /** Stops what goes on, or lets go on what stands. */
  #toggle() {
    const replay = this.#replay;
    if (replay && replay.speed === 0) this.#play();
    else this.#pause(this.#at, true);
  }

  /** @param {number} at @param {boolean} told */
  #pause(at, told) {
    const { from = 0, to = 0 } = this.#host.params;
    // Of a range that stands still, the window stays as it is.
    if (to > 0) this.#ask({ window: Math.max(second, to - from), replay: { at: to } });
    else this.#ask({ replay: { at: Math.round(at) } });
    if (told) this.#host.say(`paused at ${this.#write(at)}`);
  }

  #play() {
    const speed = Number(this.#speed.value) || 1;
    this.#ask({ replay: { at: this.#at, speed } });
    this.#host.say(`replay, ${speed} times as fast`);
  }

  #live() {
    if (!this.#replay) return;
    this.#ask({ replay: {} });
    this.#host.say("live");
  }

  /** @param {boolean} done */
  #slide(done) {
    this.#sliding = !done;
    const at = Math.round(Number(this.#range.value));
    this.#say(at);
    this.#ask({ replay: { at } }, done);
  }

  /**
   * @param {-1 | 1} way
   * @param {boolean} coarse a second, not a sample
   */
  #step(way, coarse) {
    const at = this.#at;
    const to = coarse ? at + way * second : this.#sample(at, way);
    this.#pause(Math.min(to, this.#now), false);
    this.#host.say(this.#write(to));
  }

  /**
   * The time of the sample before the newest one, or of the one behind it, which
   * nobody knows here: samples come at about one distance.
   * @param {number} at
   * @param {-1 | 1} way
   */
  #sample(at, way) {
    const { picture } = this.#host;
    const axis = picture?.axis;
    if (!picture || !axis) return at + way * second;
    const lines = this.#lines.of(picture);
    /** @param {number} x */
    const before = (x) => Math.max(...lines.map(({ group }) => this.#lines.previous(group, x)?.x ?? -Infinity));
    const last = before((at - axis.x0) * axis.xs + 1);
    const prior = before(last);
    if (!(last > -Infinity) || !(prior > -Infinity)) return at + way * second;
    // Places are whole units: a sample is there at the end of its own.
    const end = Math.ceil(axis.x0 + (last + 0.5) / axis.xs);
    const step = Math.round((last - prior) / axis.xs);
    return way > 0 ? Math.max(at, end) + step : Math.min(at - 1, Math.ceil(axis.x0 + (prior + 0.5) / axis.xs));
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.target !== this.#host.frame || e.ctrlKey || e.altKey || e.metaKey || !this.#host.picture) return;
    const open = this.#replay !== null;
    /** @type {Record<string, () => void>} */
    const does = { " ": () => this.#toggle(), k: () => this.#toggle() };
    if (open) {
      Object.assign(does, {
        ",": () => this.#step(-1, false), ".": () => this.#step(1, false),
        "<": () => this.#step(-1, true), ">": () => this.#step(1, true),
        l: () => this.#live(), L: () => this.#live(),
      });
    }
    const act = does[e.key];
    if (!act) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    act();
  }

  /**
   * @param {ViewChange} change
   * @param {boolean} [done] it is where the hand wants to be
   */
  #ask(change, done = true) {
    this.#asked = replayOf(change);
    if (this.#asked && this.#asked.speed > 0) this.#asked.since = this.#now;
    this.#pace.push(change, done);
    this.#look();
  }

  /** @param {ViewChange} change */
  async #send(change) {
    try {
      await this.#host.change(change);
    } catch (err) {
      this.#host.say(err instanceof Error ? err.message : String(err));
    }
    if (this.#pace.waiting) return;
    this.#asked = undefined;
    this.#look();
  }
}

/** @param {ReturnType<typeof replayOf>} replay */
function face(replay) {
  if (!replay) return { icon: icons.pause, label: "Pause (Space)" };
  return replay.speed > 0 ? { icon: icons.pause, label: "Pause (Space)" } : { icon: icons.play, label: "Play (Space)" };
}

/**
 * @param {HTMLElement} button
 * @param {string} d
 * @param {string} label
 */
function draw(button, d, label) {
  if (button.title === label) return;
  button.title = label;
  button.setAttribute("aria-label", label.replace(/ \(.*/, ""));
  button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${d}"/></svg>`;
}

/** How it looks. */
export const css = `
#replay {
  --tool: 1.625rem;
  position: absolute;
  z-index: 2;
  inset-inline: .75rem;
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: center;
  gap: .125rem .25rem;
  max-inline-size: 44rem;
  margin-inline: auto;
  padding: .1875rem .375rem;
  border-radius: .625rem;
  color: var(--chartd-fg, light-dark(#1b2430, #e8ecf2));
  background: color-mix(in srgb, var(--chartd-bg, light-dark(#fff, #141920)) 92%, transparent);
  box-shadow: 0 1px 6px #0003, inset 0 0 0 1px var(--chartd-grid, light-dark(#e4e8ee, #2a323d));
  font: 500 .75rem/1 system-ui, sans-serif;
  font-variant-numeric: tabular-nums;
}
#replay[hidden], :host([controls="none"]) #replay { display: none; }
#replay button, #replay select {
  display: flex;
  align-items: center;
  justify-content: center;
  min-inline-size: var(--tool);
  block-size: var(--tool);
  margin: 0;
  padding: 0 .3125rem;
  border: 0;
  border-radius: .4375rem;
  background: none;
  color: inherit;
  font: inherit;
  cursor: pointer;
  touch-action: manipulation;
}
#replay option { color: light-dark(#1b2430, #e8ecf2); background: light-dark(#fff, #141920); }
#replay button:hover, #replay select:hover { background: color-mix(in srgb, currentColor 10%, transparent); }
#replay .word { padding-inline: .5rem; color: var(--chartd-focus, light-dark(#2563c9, #6ea8ff)); }
#replay :focus-visible { outline: 2px solid var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)); outline-offset: -1px; }
#replay input { flex: 1 1 8rem; min-inline-size: 5rem; block-size: var(--tool); margin: 0 .25rem; accent-color: var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)); cursor: pointer; }
#replay output { min-inline-size: 4.25rem; text-align: center; white-space: nowrap; }
#replay.narrow { inset-inline: .25rem; gap: 0; padding-inline: .125rem; }
#replay.narrow output { display: none; } /* the badge says it */
#replay.narrow input { flex-basis: 3rem; min-inline-size: 3rem; }
#replay svg { inline-size: 1rem; block-size: 1rem; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
@media (pointer: coarse) { #replay { --tool: 2.25rem; } }
@media (prefers-contrast: more) { #replay { outline: 1px solid currentColor; } }
@media print { #replay { display: none; } }
`;
