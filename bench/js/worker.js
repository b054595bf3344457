/**
 * A row of the comparison that runs in node. See worker.go for what is said on
 * standard input and output.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

export const points = 1000;
export const size = { width: 800, height: 400 };
export const title = "Load";
export const names = ["web1", "web2", "web3", "web4"];

/** @type {{t: number, v: number[]}[]} The samples of all series, row by row. */
export const rows = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => {
  const [t, ...v] = line.split(",").map(Number);
  return { t, v };
});

/** After how many refreshes the data start again. */
export const turns = rows.length - points;

/**
 * Answers what is asked of the row.
 * @param {(i: number) => Promise<string> | string} refresh draws the window rows[i] to rows[i + points - 1]
 */
export async function serve(refresh) {
  let i = 0;
  let last = "";
  const next = async () => {
    last = await refresh(i);
    i = (i + 1) % turns;
  };
  for (let n = 0; n < 100; n++) await next(); // so that what is hot is compiled
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, ...args] = line.split(" ");
    if (command === "draw") {
      writeFileSync(args.join(" "), last);
      console.log("{}");
      continue;
    }
    const sizes = [];
    const before = process.cpuUsage();
    for (let n = Number(args[1]); n > 0; n--) {
      await next();
      sizes.push(Buffer.byteLength(last));
    }
    const used = process.cpuUsage(before);
    console.log(JSON.stringify({ us: used.user + used.system, sizes }));
  }
  process.exit(); // whatever timers the library has set
}
