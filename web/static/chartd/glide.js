/**
 * The moving window glides: between two frames the group "x" travels from where
 * it was to where it is, at the display's rate and at no cost on the wire. The
 * transform attribute always says what the server said; an animation lies over
 * it, so that what a person sees lags by one refresh and never has a hole at
 * its right edge.
 *
 * @import { Picture } from "./patch.js"
 */

/** The longest glide, in ms: a chart that refreshes seldom should not show its news late. */
const longest = 2000;

/** Stretches a glide a little beyond the time between two frames, so that one that comes late meets it still moving. */
const slack = 1.1;

/** A movement shorter than this, in px, is not worth an animation. */
const least = 0.25;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Reads a transform that moves and does nothing else.
 * @param {string | null} transform
 * @returns {[number, number] | null}
 */
export function translation(transform) {
  // Nearly always it is "translate(" and one number.
  const x = transform?.startsWith("translate(") && transform.length > 11 ? Number(transform.slice(10, -1)) : NaN;
  if (x === x && transform?.endsWith(")")) return [x, 0];
  const m = /^translate\((-?[\d.]+)(?:[ ,]+(-?[\d.]+))?\)$/.exec(transform ?? "");
  return m ? [Number(m[1]), Number(m[2] ?? 0)] : null;
}

/**
 * Says where a glide starts and how long it takes.
 * @param {number} shown the time at the right edge that is seen now, in ms; NaN: nothing is
 * @param {number} last the time of the frame before; NaN: there was none
 * @param {number} next the time of the frame to reach
 * @param {number} step the time between the two frames before; NaN: not known
 * @param {number} [speed] how many ms go by in one
 * @returns {{from: number, ms: number, step: number} | null} null: do not glide, be there
 */
export function plan(shown, last, next, step, speed = 1) {
  let advance = next - last;
  if (!(advance > 0) || !(shown < next)) return null;
  // After a silence (a hidden tab, a cut) it catches up at once.
  if (advance > 3 * step && advance > 3000 * speed) advance = step;
  const from = Math.max(shown, next - 2 * advance);
  return { from, ms: Math.min(advance / speed * slack, longest), step: advance };
}

/**
 * A slow glide goes in steps of half a device pixel, which look the same and
 * let the display rest in between.
 * @param {number} distance in device pixels
 * @param {number} ms
 */
function easing(distance, ms) {
  const steps = Math.ceil(2 * distance);
  return steps < ms / 16 ? `steps(${steps})` : "linear";
}

/** Moves the window of one picture after another in one place of the page. */
export class Glide {
  /** @type {Animation | null} */
  #animation = null;
  /** @type {Element | null} What the animation moves. */
  #group = null;
  /** What the animation does: times at the right edge, in ms. */
  #from = NaN;
  #to = NaN;
  #ms = 0;
  #step = NaN;
  /** @type {Picture | null} The last that it was told of. */
  #seen = null;
  /** Units per ms of the picture that is shown. */
  #xs = NaN;

  #clock = "null";
  #speed = 1;

  /** False while nobody can see it. */
  enabled = true;
  /** True while a hand holds it. */
  #held = false;
  /** How wide the picture is shown, in px. */
  width = 0;

  /**
   * Follows the picture after it was shown or changed, in the same animation
   * frame.
   * @param {Picture} picture
   */
  follow(picture) {
    this.#seen = picture;
    if (!this.enabled || this.#held || calm.matches) { // nobody would see it
      if (this.#to === this.#to) this.stop();
      return;
    }
    const { axis } = picture;
    const group = axis && picture.keys.get("x");
    const at = group ? translation(group.getAttribute("transform")) : null;
    if (!axis || !group || !at) {
      this.stop();
      return;
    }
    const { xs } = axis;
    if (xs !== this.#xs) this.stop(); // another window: nothing to continue
    const to = axis.x0 + (axis.right - at[0]) / xs;
    if (to === this.#to && group === this.#group) return;

    const plotted = plan(this.#shown(), this.#to, to, this.#step, this.#speed);
    this.#cancel();
    this.#xs = xs;
    this.#from = this.#to = to;
    if (!plotted) return;
    this.#step = plotted.step;
    const distance = (to - plotted.from) * xs;
    const px = distance * this.width / axis.span;
    if (px < least) return;
    this.#from = plotted.from;
    this.#ms = plotted.ms;
    this.#group = group;
    this.#animation = group.animate(
      { transform: [`translate(${at[0] + distance}px,${at[1]}px)`, `translate(${at[0]}px,${at[1]}px)`] },
      { duration: plotted.ms, easing: easing(px * devicePixelRatio, plotted.ms) },
    );
  }

  /** The time at the right edge of the data that is seen now, in ms; NaN: time does not move. */
  get edge() {
    const shown = this.#shown();
    const axis = this.#seen?.axis;
    if (shown === shown || !axis) return shown;
    const at = translation(this.#seen?.keys.get("x")?.getAttribute("transform") ?? null);
    return at ? axis.x0 + (axis.right - at[0]) / axis.xs : NaN;
  }

  /** A picture is on its way. */
  get running() {
    return this.#animation?.playState === "running";
  }

  get held() {
    return this.#held;
  }

  /** While it is held every picture stands where it is. */
  set held(held) {
    this.#held = held;
    if (held) this.stop();
  }

  /**
   * The clock of the view that is shown next; between two clocks there is no way to glide.
   * @param {{at?: number, since?: number, speed?: number} | undefined} replay
   */
  set clock(replay) {
    const clock = JSON.stringify(replay ?? null);
    if (clock === this.#clock) return;
    this.#clock = clock;
    this.#speed = replay?.at && replay.speed || 1;
    this.stop();
  }

  /** Forgets everything: the next picture stands where it is. */
  stop() {
    this.#cancel();
    this.#from = this.#to = this.#step = this.#xs = NaN;
  }

  /** The time at the right edge that is seen now. */
  #shown() {
    const t = this.#animation?.playState === "running" ? Number(this.#animation.currentTime ?? 0) : Infinity;
    return t < this.#ms ? this.#from + (this.#to - this.#from) * t / this.#ms : this.#to;
  }

  #cancel() {
    this.#animation?.cancel();
    this.#animation = this.#group = null;
  }
}
