/**
 * What a hand can do with a chart: the one place where its features are put
 * together. A feature is a class in a file of its own,
 *
 *     new Feature(host, toolbar, signal)
 *
 * that listens through the host, adds its buttons to the bar, puts what floats
 * at the end of host.shadow, and takes everything back at the signal: pass the
 * signal to addEventListener and host.on. Its css is written below, after the
 * element's own. Keys belong to whoever preventDefault()s them first on
 * host.frame.
 *
 * @import { ChartHost } from "../host.js"
 */
import { Crosshair } from "./crosshair.js";
import { css as gestures } from "./gestures.js";
import { css as legend, Legend } from "./legend.js";
import { Lens } from "./lens.js";
import { css as look, Look } from "./look.js";
import { css as menu } from "./menu.js";
import { css as readout } from "./readout.js";
import { css as replay, Replay } from "./replay.js";
import { css as stretch } from "./stretch.js";
import { css as takeaway, Takeaway } from "./takeaway.js";
import { css as toolbar, Toolbar } from "./toolbar.js";
import { css as vars, Vars } from "./vars.js";
import { Zoom } from "./zoom.js";

export class Touch {
  #over = new AbortController();

  /** @param {ChartHost} host */
  constructor(host) {
    const { signal } = this.#over;
    const toolbar = new Toolbar(host, signal);
    const lens = new Lens(host);
    const crosshair = new Crosshair(host, lens, signal);
    new Replay(host, toolbar, lens, signal); // before Zoom: its keys come first
    new Legend(host, signal);
    new Zoom(host, toolbar, lens, crosshair, signal);
    new Vars(host, signal);
    new Takeaway(host, toolbar, lens, signal);
    new Look(host, toolbar, signal);
  }

  /** The element left the page. */
  dispose() {
    this.#over.abort();
  }
}

/** The rules of all features. */
export const css = [toolbar, legend, replay, readout, gestures, stretch, vars, menu, takeaway, look].join("\n");
