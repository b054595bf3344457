/**
 * Live charts from a chartd server:
 *
 *     <script type="module" src="/chartd.js"></script>
 *     <chartd-chart src="cpu"></chartd-chart>
 */
import { ChartElement, hookEvents } from "./chartd/element.js";
import { CallbackError, home, Server } from "./chartd/server.js";

for (const type of hookEvents) {
  Object.defineProperty(ChartElement.prototype, `on${type}`, {
    configurable: true,
    enumerable: true,
    /** @this {ChartElement} */
    get() {
      return this.handler(type);
    },
    /**
     * @this {ChartElement}
     * @param {unknown} listener
     */
    set(listener) {
      this.setHandler(type, listener);
    },
  });
}

if (!customElements.get("chartd-chart")) customElements.define("chartd-chart", ChartElement);

export { CallbackError, ChartElement, home, Server };
