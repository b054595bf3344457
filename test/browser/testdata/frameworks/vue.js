import { createApp, onMounted, reactive, ref } from "/modules/vue/dist/vue.esm-browser.js";

const app = createApp({
  setup() {
    const shown = ref(true);
    const props = reactive({ src: "line", window: "20s", hide: ["user"] });
    const chart = ref(null);
    onMounted(() => {
      page.mounted++;
      page.set = ({ shown: now = true, ...more }) => { shown.value = now; Object.assign(props, more); };
      page.callback = (arg) => chart.value.callback(arg);
    });
    return { shown, props, chart, heard: page.heard };
  },
  template: `<div style="width: 640px"><chartd-chart v-if="shown" ref="chart" v-bind="props" pick @statechange="heard" @aftercallback="heard"></chartd-chart></div>`,
});
app.config.compilerOptions.isCustomElement = (tag) => tag === "chartd-chart";
page.start = () => app.mount("#app");
page.stop = () => app.unmount();
page.strict = 1;
page.ready = true;
