// React 19: import type {} from "chartd/react" lets JSX know <chartd-chart>.
import type { ClassAttributes, HTMLAttributes } from "react";
import type { ChartAttributes, ChartElement, ChartListeners } from "./attributes.js";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "chartd-chart": ChartAttributes & ChartListeners & ClassAttributes<ChartElement> & Omit<HTMLAttributes<ChartElement>, keyof ChartAttributes>;
    }
  }
}
