// Sends to a StatsD server at PORT of loopback what the test counts there: node client.js PORT
"use strict";
const StatsD = require("hot-shots");

const port = Number(process.argv[2]);
const fail = (err) => {
	console.error(err);
	process.exit(1);
};
const common = { host: "127.0.0.1", port, errorHandler: fail };
const many = new StatsD({ ...common, maxBufferSize: 1400, globalTags: { env: "test" } });
const single = new StatsD({ ...common, datadog: true, includeDatadogTelemetry: false, containerID: "ci-1", cardinality: "low" });
const telegraf = new StatsD({ ...common, telegraf: true });

for (let i = 0; i < 2000; i++) {
	many.increment("hits", 1, { page: i % 2 ? "home" : "shop" });
	many.increment("sampled", 1, 0.5);
	many.timing("latency", i % 100, { page: "home" });
	many.set("users", `user-${i % 7}`);
}
single.gauge("level", 10, ["flag", "room:a:b"]);
single.gaugeDelta("level", -4, ["flag", "room:a:b"]);
single.gaugeDelta("level", 1.5, ["room:a:b", "flag"]);
single.histogram("size", 12);
single.distribution("size", 30, { timestamp: new Date() });
single.event("deployed", "a line\nand another");
single.check("db", single.CHECKS.OK);
telegraf.increment("jobs", 3, { queue: "mail" });

let open = 3;
for (const c of [many, single, telegraf]) {
	c.close((err) => {
		if (err) fail(err);
		if (--open === 0) console.log("sent");
	});
}
