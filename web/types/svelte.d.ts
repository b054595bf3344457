// Svelte 5: import type {} from "chartd/svelte" lets templates know <chartd-chart>.
import type { HTMLAttributes } from "svelte/elements";
import type { ChartAttributes, ChartElement, ChartListeners } from "./attributes.js";

declare module "svelte/elements" {
  interface SvelteHTMLElements {
    "chartd-chart": ChartAttributes & ChartListeners & Omit<HTMLAttributes<ChartElement>, keyof ChartAttributes>;
  }
}
