/**
 * Looking nearer and elsewhere by hand: a drag selects a range of time, the
 * wheel and two fingers zoom, Shift and a drag pan, and so do keys and buttons.
 * What is there is stretched at once; the server's picture takes its place when
 * it lands. Such a view is a fixed range: "Live" follows the present again.
 *
 * @import { ChartHost } from "../host.js"
 * @import { Crosshair } from "./crosshair.js"
 * @import { Lens, Range } from "./lens.js"
 * @import { Toolbar } from "./toolbar.js"
 */
import { Clock } from "./clock.js";
import { Gestures } from "./gestures.js";
import { Pace } from "./pace.js";
import { alike, History, moved, scaled } from "./range.js";
import { Stretch } from "./stretch.js";

/** How much nearer a key or a button goes. */
const nearer = 0.5;

/** How much of what is seen a key moves by. */
const move = { bracket: 0.25, page: 1 };

/** Turns of a wheel so near to each other, in ms, are one step back. */
const oneTurn = 800;

const icons = {
  out: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM10 10l3 3M5.25 7h3.5",
  in: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM10 10l3 3M5.25 7h3.5M7 5.25v3.5",
  back: "M9.75 3.5 5.25 8l4.5 4.5",
  forward: "M6.25 3.5 10.75 8l-4.5 4.5",
  reset: "M3.5 8a4.5 4.5 0 1 0 1.4-3.25M3.25 2.75v2.5h2.5",
  live: "M8 7.5v1M5.5 5a4.2 4.2 0 0 0 0 6M10.5 5a4.2 4.2 0 0 1 0 6M3.25 3a7.2 7.2 0 0 0 0 10M12.75 3a7.2 7.2 0 0 1 0 10",
};

export class Zoom {
  #host;
  #lens;
  #crosshair;
  #stretch;
  #history = new History(null);
  #clock = new Clock();
  /** @type {Pace<Range | null>} */
  #pace = new Pace((range) => this.#send(range));
  #gestures;
  #tools;
  /** How far the server's clock is ahead of the browser's, in ms, as far as a live picture told. */
  #skew = 0;
  #turned = -Infinity;
  /** The gesture has made its step in the history. */
  #stepped = false;

  /**
   * @param {ChartHost} host
   * @param {Toolbar} toolbar
   * @param {Lens} lens
   * @param {Crosshair} crosshair
   * @param {AbortSignal} signal
   */
  constructor(host, toolbar, lens, crosshair, signal) {
    this.#host = host;
    this.#lens = lens;
    this.#crosshair = crosshair;
    // Before the stretch hears of a picture, it is known whether that is what was waited for.
    host.on("shown", () => this.#shown(), signal);
    host.on("altered", () => this.#compare(), signal);
    this.#stretch = new Stretch(host, lens, signal);
    this.#gestures = new Gestures(host, lens, {
      begin: () => this.#begin(),
      end: () => this.#end(),
      now: () => this.#now,
      show: (range, done) => {
        this.#go(range, done, this.#stepped);
        this.#stepped = true;
      },
      turn: (pivot, factor) => this.#turn(pivot, factor),
      roll: (by) => this.#roll(by),
      reset: () => this.#reset(),
    }, signal);
    host.frame.addEventListener("keydown", (e) => this.#key(e), { signal });
    /** @param {string} id @param {string} label @param {string} icon @param {number} order @param {() => void} run @param {string} [text] */
    const tool = (id, label, icon, order, run, text = "") => toolbar.add({ id, label, icon, order, text, hidden: true, run });
    this.#tools = {
      back: tool("back", "Back to the range before", icons.back, 10, () => this.#back()),
      forward: tool("forward", "Forward again", icons.forward, 11, () => this.#forward()),
      out: tool("zoom-out", "Zoom out", icons.out, 12, () => this.#step(1 / nearer)),
      in: tool("zoom-in", "Zoom in", icons.in, 13, () => this.#step(nearer)),
      reset: tool("reset", "Back to the first range", icons.reset, 14, () => this.#reset()),
      live: tool("live", "Live: follow the present again", icons.live, 15, () => this.#live(), "Live"),
    };
    this.#shown();
    signal.addEventListener("abort", () => this.#pace.stop(), { once: true });
  }

  /** The fixed range of the view; null: it is live. */
  get #fixed() {
    const { from = 0, to = 0 } = this.#host.params;
    return to > 0 ? { from, to } : null;
  }

  /** The present at the server, in ms: nothing lies beyond it. */
  get #now() {
    const { framed } = this.#lens;
    const live = this.#fixed || this.#host.params.replay ? 0 : framed?.to ?? 0;
    if (live > 0 && !this.#host.params.paused) this.#skew = live - Date.now();
    return Math.max(Date.now() + this.#skew, live, this.#history.home?.to ?? 0);
  }

  /** Another picture stands there. */
  #shown() {
    const { local, framed } = this.#lens;
    this.#host.frame.classList.toggle("timed", framed !== null);
    if (local && !this.#gestures.active && !this.#pace.waiting && alike(framed, local, this.#host.size.width)) this.#stretch.release();
    this.#compare();
  }

  /** Somebody else may have changed the view: then it begins anew from there. */
  #compare() {
    if (!this.#pace.busy && !this.#gestures.active && !alike(this.#fixed, this.#history.now, this.#host.size.width)) {
      this.#stretch.release();
      this.#history = new History(this.#fixed);
    }
    this.#look();
  }

  /** Shows the buttons for which there is something to do. */
  #look() {
    const { back, forward, out, in: nearby, reset, live } = this.#tools;
    const history = this.#history;
    const timed = this.#lens.framed !== null;
    const { home, now } = history;
    /** @type {[typeof back, boolean][]} */
    const all = [
      [back, history.canBack], [forward, history.canForward], [out, true], [nearby, true],
      [reset, home !== null && home !== now], [live, now !== null],
    ];
    for (const [tool, seen] of all) if (tool.hidden !== !(timed && seen)) tool.set({ hidden: !(timed && seen) });
  }

  /** A gesture begins: from here on the picture stands still, whatever comes in, unless the hand moves it. */
  #begin() {
    this.#crosshair.hide();
    this.#stepped = false;
    this.#turned = -Infinity;
    const { range } = this.#lens;
    if (range) this.#stretch.show(range);
  }

  /** It is over, or was given up. */
  #end() {
    if (!this.#pace.busy) this.#stretch.release();
    this.#compare();
  }

  /**
   * Shows a range, and asks for it.
   * @param {Range} range
   * @param {boolean} done it is where the hand wants to be; false: more is to come
   * @param {boolean} same it goes on with the last step
   */
  #go(range, done, same) {
    this.#history.go(range, same);
    this.#stretch.show(range);
    this.#pace.push(range, done);
    this.#look();
  }

  /**
   * Asks for what history says.
   * @param {Range | null} range
   */
  #visit(range) {
    if (range) this.#stretch.show(range);
    this.#pace.push(range, true);
    this.#look();
    this.#tell(range);
  }

  #back() {
    if (this.#history.canBack) this.#visit(this.#history.back());
  }

  #forward() {
    if (this.#history.canForward) this.#visit(this.#history.forward());
  }

  #live() {
    if (!this.#history.now) return;
    this.#history.go(null);
    this.#visit(null);
  }

  #reset() {
    const { home, now } = this.#history;
    if (home === now) return;
    this.#history.go(home);
    this.#visit(home);
  }

  /**
   * A turn of the wheel.
   * @param {number} pivot ms
   * @param {number} factor
   */
  #turn(pivot, factor) {
    const { range } = this.#lens;
    if (range) this.#wheel(scaled(range, pivot, factor, this.#now));
  }

  /**
   * The wheel's other axis.
   * @param {number} by ms
   * @returns {boolean} whether there is anything there
   */
  #roll(by) {
    const { range } = this.#lens;
    if (!range) return false;
    const next = moved(range, by, this.#now);
    if (alike(next, range, 10_000)) return false;
    this.#wheel(next);
    return true;
  }

  /** @param {Range} range */
  #wheel(range) {
    const now = performance.now();
    this.#go(range, false, now - this.#turned < oneTurn);
    this.#turned = now;
  }

  /**
   * Zooms by a key or a button: about what is read, or so that the present stays in sight.
   * @param {number} factor
   */
  #step(factor) {
    const { range } = this.#lens;
    if (!range) return;
    const { time } = this.#crosshair;
    const pivot = time === time ? time : this.#history.now ? (range.from + range.to) / 2 : range.to;
    this.#jump(scaled(range, pivot, factor, this.#now));
  }

  /** @param {number} share of what is seen */
  #shift(share) {
    const { range } = this.#lens;
    if (range) this.#jump(moved(range, share * (range.to - range.from), this.#now));
  }

  /** By a key or a button. @param {Range} next */
  #jump(next) {
    const { range } = this.#lens;
    if (alike(next, range, 10_000)) return;
    this.#go(next, true, false);
    this.#tell(next);
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.defaultPrevented || e.ctrlKey || e.altKey || e.metaKey || !this.#lens.framed) return;
    /** @type {Record<string, () => void>} */
    const does = {
      "+": () => this.#step(nearer), "=": () => this.#step(nearer),
      "-": () => this.#step(1 / nearer), "_": () => this.#step(1 / nearer),
      "[": () => this.#shift(-move.bracket), "]": () => this.#shift(move.bracket),
      PageUp: () => this.#shift(-move.page), PageDown: () => this.#shift(move.page),
      Backspace: () => (e.shiftKey ? this.#forward() : this.#back()),
      0: () => this.#reset(),
      l: () => this.#live(), L: () => this.#live(),
    };
    const act = does[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }

  /** @param {Range | null} range */
  #tell(range) {
    if (!range) {
      this.#host.say("live");
      return;
    }
    this.#clock.zone = this.#host.root?.dataset["zone"] ?? "";
    const px = (range.to - range.from) / Math.max(1, this.#host.size.width);
    const [from, to] = [range.from, range.to].map((t) => this.#clock.write(t, px, this.#now));
    this.#host.say(`${from} to ${to}`);
  }

  /** @param {Range | null} range */
  async #send(range) {
    try {
      await this.#host.change(range ? { from: range.from, to: range.to } : { from: 0, to: 0 });
    } catch (err) {
      if (this.#pace.waiting) return;
      this.#host.say(err instanceof Error ? err.message : String(err));
      this.#history = new History(this.#fixed);
    }
    if (!this.#pace.waiting && !this.#gestures.active) this.#stretch.release();
    this.#look();
  }
}
