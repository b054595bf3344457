// Vue 3: import type {} from "chartd/vue" lets templates know <chartd-chart>.
import type { DefineComponent, EmitsOptions } from "vue";
import type { ChartAttributes, ChartEvents } from "./attributes.js";

type Emits = { [K in keyof ChartEvents]: (event: ChartEvents[K]) => void } & EmitsOptions;

declare module "vue" {
  interface GlobalComponents {
    "chartd-chart": DefineComponent<ChartAttributes, {}, {}, {}, {}, {}, {}, Emits>;
  }
}
