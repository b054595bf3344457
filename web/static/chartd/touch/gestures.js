/**
 * Mouse, wheel and fingers, as what they mean to a range of time.
 *
 * @import { ChartHost } from "../host.js"
 * @import { Lens, Range, Sight } from "./lens.js"
 */
import { Clock } from "./clock.js";
import { inside, timeAt } from "./lens.js";
import { fit, moved, pinched } from "./range.js";

/** A pointer that moved less than this, in px, clicks. */
const still = 4;

/** How much a px of the wheel zooms; a trackpad's pinch comes as a wheel with Ctrl, in small steps. */
const perWheel = { wheel: 0.0022, pinch: 0.012 };

/** A line of a wheel that turns by lines, in px. */
const lineHeight = 18;

/**
 * Whom they tell.
 * @typedef {object} Hand
 * @property {() => void} begin what is seen now is held
 * @property {() => void} end
 * @property {() => number} now the present, in ms
 * @property {(range: Range, done: boolean) => void} show
 * @property {(pivot: number, factor: number) => void} turn
 * @property {(by: number) => boolean} roll
 * @property {() => void} reset
 */

/**
 * What a mouse does while its button is down.
 * @typedef {object} Drag
 * @property {number} id
 * @property {number} x where it began, in px
 * @property {number} y
 * @property {boolean} pan
 * @property {Sight | null} sight what was seen then; null: it has not moved yet
 * @property {Range | null} range what it would show
 */

export class Gestures {
  #host;
  #lens;
  #hand;
  /** @type {Drag | null} */
  #drag = null;
  /** @type {Map<number, number>} where fingers are, in px from the left */
  #fingers = new Map();
  /** @type {{ids: [number, number], times: [number, number], range: Range | null} | null} */
  #pinch = null;
  #band = document.createElement("div");
  #clock = new Clock();

  /**
   * @param {ChartHost} host
   * @param {Lens} lens
   * @param {Hand} hand
   * @param {AbortSignal} signal
   */
  constructor(host, lens, hand, signal) {
    this.#host = host;
    this.#lens = lens;
    this.#hand = hand;
    const band = this.#band;
    band.id = "band";
    band.hidden = true;
    band.setAttribute("part", "selection");
    band.setAttribute("aria-hidden", "true");
    host.frame.append(band);
    const { frame } = host;
    frame.addEventListener("pointerdown", (e) => this.#down(e), { signal });
    frame.addEventListener("pointermove", (e) => this.#move(e), { signal });
    frame.addEventListener("pointerup", (e) => this.#up(e, true), { signal });
    frame.addEventListener("pointercancel", (e) => this.#up(e, false), { signal });
    frame.addEventListener("lostpointercapture", (e) => this.#up(e, false), { signal });
    frame.addEventListener("dblclick", (e) => this.#double(e), { signal });
    frame.addEventListener("wheel", (e) => this.#wheel(e), { signal, passive: false });
    // Before whoever else knows the key.
    frame.addEventListener("keydown", (e) => this.#key(e), { signal, capture: true });
    signal.addEventListener("abort", () => {
      this.#drag = this.#pinch = null;
      band.remove();
    }, { once: true });
  }

  /** A hand is at it. */
  get active() {
    return this.#drag?.sight != null || this.#pinch !== null;
  }

  /** @param {PointerEvent} e */
  #down(e) {
    const { sight } = this.#lens;
    const place = this.#lens.place(e);
    if (!sight || !inside(sight, place, 2)) return;
    if (e.pointerType === "touch") {
      this.#fingers.set(e.pointerId, place.x);
      // Patches may take away what is under the finger.
      this.#host.frame.setPointerCapture(e.pointerId);
      if (this.#fingers.size === 2) this.#grip(sight);
      return;
    }
    if (e.pointerType !== "mouse" || e.button !== 0 || this.#drag) return;
    this.#drag = { id: e.pointerId, ...place, pan: e.shiftKey, sight: null, range: null };
  }

  /** Two fingers are down. @param {Sight} sight */
  #grip(sight) {
    const [a, b] = [...this.#fingers.keys()];
    const [xa = 0, xb = 0] = this.#fingers.values();
    if (a === undefined || b === undefined) return;
    this.#pinch = { ids: [a, b], times: [timeAt(sight, xa), timeAt(sight, xb)], range: null };
    this.#hand.begin();
  }

  /** @param {PointerEvent} e */
  #move(e) {
    const place = this.#lens.place(e);
    if (this.#fingers.has(e.pointerId)) {
      this.#fingers.set(e.pointerId, place.x);
      this.#pinched();
      return;
    }
    const drag = this.#drag;
    if (drag?.id !== e.pointerId) return;
    if ((e.buttons & 1) === 0) { // a menu of the browser or another window took its end
      this.#up(e, false);
      return;
    }
    if (!drag.sight) {
      if (Math.hypot(place.x - drag.x, place.y - drag.y) <= still) return;
      this.#hand.begin();
      drag.sight = this.#lens.sight;
      if (!drag.sight) {
        this.#drag = null;
        return;
      }
      this.#host.frame.setPointerCapture(e.pointerId);
    }
    const { sight } = drag;
    if (drag.pan) {
      const by = timeAt(sight, drag.x) - timeAt(sight, place.x);
      drag.range = moved(sight, by, this.#hand.now());
      this.#hand.show(drag.range, false);
    } else {
      this.#select(drag, sight, place.x);
    }
  }

  /**
   * @param {Drag} drag
   * @param {Sight} sight
   * @param {number} x px
   */
  #select(drag, sight, x) {
    const at = [drag.x, x].map((px) => Math.max(sight.left, Math.min(sight.right, px)));
    const [left, right] = [Math.min(...at), Math.max(...at)];
    const [from, to] = [timeAt(sight, left), timeAt(sight, right)];
    drag.range = right - left > still ? fit({ from, to }, this.#hand.now()) : null;
    const band = this.#band;
    band.hidden = false;
    band.style.transform = `translate(${left}px,${sight.top}px)`;
    band.style.width = `${right - left}px`;
    band.style.height = `${sight.bottom - sight.top}px`;
    this.#clock.zone = this.#host.root?.dataset["zone"] ?? "";
    const px = (sight.to - sight.from) / (sight.right - sight.left);
    band.textContent = right - left < 90 ? "" : `${this.#clock.write(from, px, sight.to)} – ${this.#clock.write(to, px, sight.to)}`;
  }

  #pinched() {
    const pinch = this.#pinch;
    const { sight } = this.#lens;
    if (!pinch || !sight) return;
    const [a, b] = pinch.ids.map((id) => (this.#fingers.get(id) ?? 0) - sight.left);
    pinch.range = pinched(pinch.times, [a ?? 0, b ?? 0], sight.right - sight.left, this.#hand.now());
    this.#hand.show(pinch.range, false);
  }

  /**
   * @param {PointerEvent} e
   * @param {boolean} done false: it was taken away
   */
  #up(e, done) {
    this.#fingers.delete(e.pointerId);
    const pinch = this.#pinch;
    if (pinch?.ids.includes(e.pointerId)) {
      this.#pinch = null;
      if (pinch.range) this.#hand.show(pinch.range, true);
      this.#hand.end();
    }
    const drag = this.#drag;
    if (drag?.id !== e.pointerId) return;
    this.#drag = null;
    this.#band.hidden = true;
    if (!drag.sight) return;
    if (drag.range && (done || drag.pan)) this.#hand.show(drag.range, true);
    this.#hand.end();
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    const drag = this.#drag;
    if (e.key !== "Escape" || !drag?.sight || drag.pan) return;
    e.preventDefault();
    this.#drag = null;
    this.#band.hidden = true;
    this.#hand.end();
  }

  /** @param {MouseEvent} e */
  #double(e) {
    const { sight } = this.#lens;
    if (sight && inside(sight, this.#lens.place(e))) this.#hand.reset();
  }

  /** @param {WheelEvent} e */
  #wheel(e) {
    const { sight } = this.#lens;
    const place = this.#lens.place(e);
    if (!sight || !inside(sight, place, 2) || e.altKey) return;
    const px = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? lineHeight : e.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 10 * lineHeight : 1;
    const [dx, dy] = [e.deltaX * px, e.deltaY * px];
    const asked = e.ctrlKey || e.metaKey;
    if (!asked && Math.abs(dx) > 2 * Math.abs(dy)) {
      const by = dx / (sight.right - sight.left) * (sight.to - sight.from);
      // At the end of time the page may have it.
      if (this.#hand.roll(by)) e.preventDefault();
      return;
    }
    if (dy === 0 || !asked && this.#host.shadow.activeElement !== this.#host.frame) return;
    e.preventDefault();
    const rate = e.ctrlKey && Math.abs(dy) < 40 ? perWheel.pinch : perWheel.wheel;
    const factor = Math.exp(Math.max(-1, Math.min(1, dy * rate)));
    this.#hand.turn(timeAt(sight, Math.min(sight.right, place.x)), factor);
  }
}

/** How it looks. */
export const css = `
#frame { user-select: none; -webkit-user-select: none; touch-action: pan-y; }
#frame.timed { cursor: crosshair; }
#band {
  position: absolute;
  inset: 0 auto auto 0;
  z-index: 1;
  box-sizing: border-box;
  overflow: hidden;
  border-inline: 1px solid var(--chartd-focus, light-dark(#2f6fde, #6ea8ff));
  background: color-mix(in srgb, var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)) 18%, transparent);
  color: var(--chartd-fg, light-dark(#1b2430, #e8ecf2));
  font: 500 .6875rem/1.5rem system-ui, sans-serif;
  text-align: center;
  white-space: nowrap;
  pointer-events: none;
}
#band[hidden] { display: none; }
@media (forced-colors: active) { #band { border-color: Highlight; forced-color-adjust: none; } }
`;
