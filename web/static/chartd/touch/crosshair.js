/**
 * Reading a chart by hand: a line where the pointer is, and the values of all
 * series there, out of what the page holds. The arrow keys go from sample to
 * sample, and say what they find.
 *
 * @import { ChartHost } from "../host.js"
 * @import { Lens } from "./lens.js"
 * @import { Row } from "./readout.js"
 */
import { Clock } from "./clock.js";
import { inside, placeOf, timeAt } from "./lens.js";
import { Lines } from "./lines.js";
import { cells, nearestCell, neighbour, read } from "./reading.js";
import { Readout } from "./readout.js";

/** A finger that moved less than this, in px, tapped. */
const still = 8;

/** A tap so near to a line that is there takes it away, in px. */
const same = 24;

/** How long a key rests before a screen reader is told, in ms: one that is held down is not commented on. */
const rest = 120;

/**
 * Where it looks: at a place of the element, through which live data move; or
 * at a time, with which it moves; or at one of the values of a chart without a
 * time axis.
 * @typedef {{x: number, y: number, top: boolean} | {t: number} | {cell: number}} Aim
 */

export class Crosshair {
  #host;
  #lens;
  #readout;
  #lines = new Lines();
  #clock = new Clock();
  /** @type {Aim | null} */
  #aim = null;
  /** @type {{id: number, x: number, y: number, moved: boolean, was: boolean} | null} The finger that presses. */
  #finger = null;
  #fingers = new Set();
  #frame = 0;
  #speaking = 0;
  /** @type {{t: number, rows: Row[], time: string} | null} What is shown. */
  #shown = null;

  /**
   * @param {ChartHost} host
   * @param {Lens} lens
   * @param {AbortSignal} signal
   */
  constructor(host, lens, signal) {
    this.#host = host;
    this.#lens = lens;
    this.#readout = new Readout(host, signal);
    const { frame } = host;
    const options = { signal };
    frame.addEventListener("pointermove", (e) => this.#move(e), options);
    frame.addEventListener("pointerdown", (e) => this.#down(e), options);
    frame.addEventListener("pointerup", (e) => this.#up(e), options);
    frame.addEventListener("pointercancel", (e) => this.#cancel(e), options);
    frame.addEventListener("pointerleave", (e) => this.#left(e), options);
    frame.addEventListener("keydown", (e) => this.#key(e), options);
    frame.addEventListener("blur", () => this.#blur(), options);
    host.on("moved", () => this.#refresh(), signal);
    host.on("sized", () => this.hide(), signal);
    signal.addEventListener("abort", () => {
      this.hide();
      document.removeEventListener("pointerdown", this.#elsewhere, { capture: true });
    }, { once: true });
  }

  /** The time that it shows, in ms; NaN: none. */
  get time() {
    return this.#aim && this.#shown ? this.#shown.t : NaN;
  }

  /** Takes it away: a hand does something else. */
  hide() {
    this.#aim = this.#shown = null;
    this.#readout.hide();
    this.#rest();
  }

  #rest() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    clearTimeout(this.#speaking);
  }

  /** @param {PointerEvent} e */
  #move(e) {
    const place = this.#lens.place(e);
    if (e.pointerType === "mouse") {
      if (e.buttons !== 0) return; // it drags
      this.#look(place.x, place.y, false);
      return;
    }
    const finger = this.#finger;
    if (e.pointerType === "pen" && e.buttons === 0) {
      this.#look(place.x, place.y, false); // it hovers
    } else if (finger?.id === e.pointerId) {
      finger.moved ||= Math.hypot(place.x - finger.x, place.y - finger.y) > still;
      if (finger.moved) this.#look(place.x, place.y, true);
    }
  }

  /** @param {PointerEvent} e */
  #down(e) {
    if (e.pointerType === "mouse") return;
    this.#fingers.add(e.pointerId);
    if (this.#fingers.size > 1) { // two do something else
      this.#finger = null;
      this.hide();
      return;
    }
    const { x, y } = this.#lens.place(e);
    const was = this.#aim !== null && this.#shown !== null && this.#nearLine(x);
    this.#finger = { id: e.pointerId, x, y, moved: false, was };
    this.#look(x, y, true);
    // A tap outside of the chart ends it; the listener lives as long as what it ends.
    document.addEventListener("pointerdown", this.#elsewhere, { capture: true });
  }

  /** @param {PointerEvent} e */
  #elsewhere = (e) => {
    if (this.#host.element.isConnected && e.composedPath().includes(this.#host.frame)) return;
    document.removeEventListener("pointerdown", this.#elsewhere, { capture: true });
    this.hide();
  };

  /** @param {PointerEvent} e */
  #up(e) {
    this.#fingers.delete(e.pointerId);
    const finger = this.#finger;
    if (finger?.id !== e.pointerId) return;
    this.#finger = null;
    if (!finger.moved && finger.was) this.hide();
  }

  /** The browser took the gesture over: the page scrolls. @param {PointerEvent} e */
  #cancel(e) {
    this.#fingers.delete(e.pointerId);
    if (this.#finger?.id !== e.pointerId) return;
    this.#finger = null;
    this.hide();
  }

  /** @param {PointerEvent} e */
  #left(e) {
    if (e.pointerType === "mouse" || e.pointerType === "pen") {
      if (this.#aim && "x" in this.#aim) this.hide();
    }
  }

  #blur() {
    if (this.#aim && !("x" in this.#aim)) this.hide();
  }

  /** @param {number} x px */
  #nearLine(x) {
    const { sight } = this.#lens;
    return sight !== null && this.#shown !== null && Math.abs(placeOf(sight, this.#shown.t) - x) < same;
  }

  /**
   * @param {number} x px
   * @param {number} y
   * @param {boolean} top the box stands at the top: a finger hides what is beside it
   */
  #look(x, y, top) {
    this.#aim = { x, y, top };
    // Several events of one frame are one look.
    this.#soon();
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** The picture is another one, or further. */
  #refresh() {
    if (this.#aim) this.#draw();
  }

  #draw() {
    const { picture } = this.#host;
    if (!this.#aim || !picture) return;
    if (!(picture.axis ? this.#atTime() : this.#atCell())) {
      this.#shown = null;
      this.#readout.hide();
    }
    // Data glide under a pointer that rests, and a time glides away with them.
    if (this.#aim && picture.axis && this.#host.gliding) this.#soon();
  }

  /** @returns {boolean} whether there is something to show */
  #atTime() {
    const { picture, root } = this.#host;
    const { sight } = this.#lens;
    const aim = this.#aim;
    if (!picture || !sight || !aim || "cell" in aim) return false;
    const keys = "t" in aim;
    if (!keys && !inside(sight, aim, 2)) return false;
    let t = keys ? aim.t : timeAt(sight, Math.max(sight.left, Math.min(sight.right, aim.x)));
    if (t < sight.from) { // it left, at the end of a window that moves
      t = neighbour(picture, this.#lines, sight, sight.from, 1) ?? sight.from;
      if (keys) aim.t = t;
    }
    const reading = read(picture, this.#lines, sight, t, !keys, keys ? NaN : aim.y);
    const x = Math.max(sight.left, Math.min(sight.right, placeOf(sight, reading.t)));
    this.#clock.zone = root?.dataset["zone"] ?? "";
    const time = this.#clock.write(reading.t, 1 / sight.xs, sight.to);
    const y = keys || aim.top ? NaN : aim.y;
    this.#readout.show(time, reading.rows, { x, y, top: sight.top, bottom: sight.bottom, line: true });
    this.#shown = { ...reading, time };
    return true;
  }

  #atCell() {
    const { picture, root } = this.#host;
    const { fit } = this.#lens;
    const aim = this.#aim;
    if (!picture || !fit || !aim || "t" in aim) return false;
    const all = cells(picture, fit);
    const cell = "cell" in aim ? all[Math.min(aim.cell, all.length - 1)] : nearestCell(all, aim, root?.dataset["kind"] === "bar");
    if (!cell) return false;
    const at = "cell" in aim ? cell : aim;
    this.#readout.show("", [cell.row], { x: at.x, y: at.y, top: 0, bottom: 0, line: false });
    this.#shown = { t: NaN, rows: [cell.row], time: "" };
    return true;
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.defaultPrevented || e.ctrlKey || e.altKey || e.metaKey) return;
    if (e.key === "Escape" && this.#aim) {
      e.preventDefault();
      this.hide();
      return;
    }
    const { picture } = this.#host;
    if (!picture || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(e.key)) return;
    if (picture.axis ? this.#step(e.key, e.shiftKey) : this.#stepCell(e.key)) this.#speak();
    e.preventDefault();
  }

  /**
   * Goes to another sample.
   * @param {string} key
   * @param {boolean} far by a tenth of what is seen
   * @returns {boolean} whether there is one
   */
  #step(key, far) {
    const { picture } = this.#host;
    const { sight } = this.#lens;
    if (!picture || !sight) return false;
    /** @param {number} t @param {1 | -1} way */
    const next = (t, way) => neighbour(picture, this.#lines, sight, t, way);
    const first = () => next(sight.from - 1 / sight.xs, 1);
    const last = () => next(sight.to + 1 / sight.xs, -1);
    const now = this.time;
    let t = null;
    if (key === "Home" || now !== now && key === "ArrowRight") {
      t = first();
    } else if (key === "End" || now !== now) {
      t = last();
    } else {
      const way = key === "ArrowRight" ? 1 : -1;
      t = far ? next(now + way * (sight.to - sight.from) / 10, way) : next(now, way);
      if (t === null) t = far ? way > 0 ? last() : first() : now; // it stays at the end
    }
    if (t === null) return false;
    this.#aim = { t };
    this.#draw();
    return true;
  }

  /** @param {string} key */
  #stepCell(key) {
    const { picture } = this.#host;
    const { fit } = this.#lens;
    const n = picture && fit ? cells(picture, fit).length : 0;
    if (n === 0) return false;
    const now = this.#aim && "cell" in this.#aim ? this.#aim.cell : key === "ArrowLeft" ? n : -1;
    const to = { Home: 0, End: n - 1, ArrowLeft: now - 1, ArrowRight: now + 1 }[key] ?? 0;
    this.#aim = { cell: Math.max(0, Math.min(n - 1, to)) };
    this.#draw();
    return true;
  }

  /** Says what is shown, once no more keys come. */
  #speak() {
    clearTimeout(this.#speaking);
    this.#speaking = setTimeout(() => {
      if (!this.#shown) return;
      const { time, rows } = this.#shown;
      const said = rows.slice(0, 12).map(({ name, text }) => (text === "–" ? `${name} has no value` : `${name} ${text}`));
      this.#host.say((time ? `${time}: ` : "") + said.join(", "));
    }, rest);
  }
}
