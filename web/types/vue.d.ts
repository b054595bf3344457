// Vue 3: import type {} from "chartd/vue" lets templates know <chartd-chart>.
import type { HTMLAttributes } from "vue";
import type { ChartAttributes, ChartEvents } from "./attributes.js";

type Listeners = { [K in keyof ChartEvents as `on${Capitalize<K>}`]?: ((event: ChartEvents[K]) => void) | undefined };

declare module "vue" {
  interface GlobalComponents {
    "chartd-chart": new () => { $props: ChartAttributes & Listeners & Omit<HTMLAttributes, keyof ChartAttributes> };
  }
}
