// Each button calls its chart. Below it is what comes back: the reply, and the
// four hooks as DOM events, the newest first, of ticks as well.
for (const button of document.querySelectorAll("button")) {
  const chart = document.getElementById(button.dataset.chart);
  const [output, log] = [button.nextElementSibling, button.parentElement.lastElementChild];

  for (const name of ["beforecallback", "aftercallback", "beforecallbackresponseprocess", "aftercallbackresponseprocess"]) {
    chart.addEventListener(name, ({ detail }) => {
      const line = [name, detail.cause, detail.error].filter(Boolean).join(" ");
      log.textContent = [line, ...log.textContent.split("\n").slice(0, 11)].join("\n");
    });
  }

  button.addEventListener("click", async () => {
    try {
      output.textContent = JSON.stringify(await chart.callback("MyCustomArgs"));
    } catch (err) {
      output.textContent = err.message;
    }
  });
}
