/**
 * Shows another range than the picture has, at once: what is there is stretched
 * and moved, until the server's own picture of the range lands. An animation
 * that stands still lies over the group that moves, so that patches find
 * everything as they left it; labels and strokes keep their width.
 *
 * @import { ChartHost } from "../host.js"
 * @import { Lens, Range } from "./lens.js"
 */

export class Stretch {
  #host;
  #lens;
  /** @type {Animation | null} */
  #animation = null;
  /** @type {Element | null} */
  #group = null;

  /**
   * @param {ChartHost} host
   * @param {Lens} lens
   * @param {AbortSignal} signal
   */
  constructor(host, lens, signal) {
    this.#host = host;
    this.#lens = lens;
    host.on("moved", () => this.#apply(), signal);
    signal.addEventListener("abort", () => this.release(), { once: true });
  }

  /** @returns {Range | null} */
  get range() {
    return this.#lens.local;
  }

  /**
   * Shows a range until release.
   * @param {Range} range
   */
  show(range) {
    this.#lens.local = range;
    this.#host.hold(true);
    this.#apply();
  }

  /** Shows the picture as it is, gliding if it does. */
  release() {
    if (!this.#lens.local) return;
    this.#lens.local = null;
    this.#drop();
    this.#host.stage.classList.remove("stretched");
    this.#host.hold(false);
  }

  #drop() {
    this.#animation?.cancel();
    this.#animation = this.#group = null;
  }

  #apply() {
    const { local } = this.#lens;
    if (!local) return;
    const { picture, stage } = this.#host;
    const group = picture?.keys.get("x");
    const rect = picture?.root.dataset["rect"]?.split(" ").map(Number);
    if (!picture?.axis || !group || !rect) return;
    const [left = 0, , width = 0] = rect;
    const { x0, xs } = picture.axis;
    const perMs = width / (local.to - local.from);
    const scale = perMs / xs;
    const transform = `translate(${left + (x0 - local.from) * perMs}px,0px) scale(${scale},1)`;
    if (group !== this.#group) {
      this.#drop();
      this.#group = group;
      this.#animation = group.animate([{ transform }, { transform }], { duration: 1000, fill: "both" });
      this.#animation.pause();
    } else {
      const { effect } = /** @type {Animation} */ (this.#animation);
      /** @type {KeyframeEffect} */ (effect).setKeyframes([{ transform }, { transform }]);
    }
    stage.classList.add("stretched");
    stage.style.setProperty("--unstretch", String(1 / scale));
  }
}

/** Strokes are told in px here: they do not take part. */
export const css = `
.stretched .x path { vector-effect: non-scaling-stroke; stroke-width: 1px; }
.stretched .x .l path { stroke-width: 1.8px; }
.stretched .x .p path { stroke-width: 5px; }
.stretched .x path[stroke-dasharray] { stroke-dasharray: 4px 3px; }
.stretched .x text { transform: scaleX(var(--unstretch, 1)); transform-box: fill-box; transform-origin: center; }
`;
