import type { ChartElement, ChartEvents, ViewChange } from "../dist/chartd.js";

/** What may be written on the tag: each is a property of the element, too. */
export interface ChartAttributes {
  /** The chart's name. */
  src?: string | undefined;
  /** chartd's address. A page that bundles chartd.js says it here. */
  server?: string | undefined;
  /** A signed link to this chart. */
  link?: string | undefined;
  /** What is shown to the server for this chart alone. */
  token?: string | undefined;
  /** What the time axis spans: "15m"; a number is ms. */
  window?: string | number | undefined;
  /** A fixed range: ms since 1970, or ISO 8601. */
  from?: string | number | undefined;
  to?: string | number | undefined;
  /** Time between two frames; a number is ms; 0: only when a callback asks. */
  refresh?: string | number | undefined;
  /** Series to leave out: "idle, nice". */
  hide?: string | readonly string[] | undefined;
  /** The chart's variables: "host=web1; disk=sda". */
  vars?: string | Readonly<Record<string, string | number>> | undefined;
  /** What stands above the picture, instead of the chart's title. */
  heading?: string | undefined;
  /** Moments and spans with a text. */
  marks?: string | ViewChange["marks"];
  /** Values that matter, instead of the chart's own; an empty list: none. */
  thresholds?: string | ViewChange["thresholds"];
  /** "800x400"; without it, the room that there is. */
  size?: string | readonly [number, number] | undefined;
  theme?: "light" | "dark" | "auto" | undefined;
  /** The accessible name, instead of the title. */
  label?: string | undefined;
  controls?: "none" | undefined;
  /** The viewer picks values of the vars. */
  pick?: boolean | "" | undefined;
  events?: boolean | "" | undefined;
}

/** Listeners as attributes of a template: onstatechange. */
export type ChartListeners = {
  [K in keyof ChartEvents as `on${K}`]?: ((event: ChartEvents[K]) => void) | undefined;
};

export type { ChartElement, ChartEvents };
