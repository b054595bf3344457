import type { ChartElement } from "../static/chartd/element.js";

declare global {
  interface HTMLElementTagNameMap {
    "chartd-chart": ChartElement;
  }
}
