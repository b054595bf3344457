import type { ChartElement } from "../dist/chartd.js";

declare global {
  interface HTMLElementTagNameMap {
    "chartd-chart": ChartElement;
  }
}

export * from "../dist/chartd.js";
export type { ChartAttributes, ChartListeners } from "./attributes.js";
