// Svelte's own compiler, in the page.
import { mount, unmount } from "svelte";
await import("/modules/svelte/compiler/index.js");

const { js } = globalThis.svelte.compile(`
  <script>
    let props = $state({ src: "line", window: "20s", hide: ["user"] });
    let chart;
    $effect(() => {
      page.mounted++;
      page.set = (more) => Object.assign(props, more);
      page.callback = (arg) => chart.callback(arg);
    });
  </script>
  <div style="width: 640px">
    <chartd-chart bind:this={chart} {...props} pick onstatechange={page.heard} onaftercallback={page.heard}></chartd-chart>
  </div>`, { filename: "Page.svelte", generate: "client", runes: true });
const { default: Page } = await import(URL.createObjectURL(new Blob([js.code], { type: "text/javascript" })));
let component;
page.start = () => { component = mount(Page, { target: document.getElementById("app") }); };
page.stop = () => unmount(component);
page.strict = 1;
page.ready = true;
