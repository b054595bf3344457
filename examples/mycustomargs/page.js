// Raises callbacks and shows what comes back: the four hooks as DOM events, and
// the handler's reply.
const chart = document.getElementById("Chart1");
const log = document.getElementById("log");

const say = (text) => {
  log.textContent = [text, ...log.textContent.split("\n").slice(0, 11)].join("\n");
};

for (const name of ["beforecallback", "aftercallback", "beforecallbackresponseprocess", "aftercallbackresponseprocess"]) {
  chart.addEventListener(name, ({ detail }) => {
    if (detail?.cause === "client") say(name);
  });
}

for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", async () => {
    try {
      const answer = await chart.callback(button.dataset.arg);
      say(`reply: ${JSON.stringify(answer)}`);
    } catch (err) {
      say(`error: ${err.message}`);
    }
  });
}
