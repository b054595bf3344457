// The package, as a page's author gets it: packed, installed and compiled
// against, under TypeScript's strict rules.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const modules = join(root, "web/node_modules");

/** @type {string} */
let project;

before(async () => {
  project = await mkdtemp(join(tmpdir(), "chartd-npm-"));
  const { stdout } = await run(join(root, "scripts/npm.sh"), ["1.2.3", project]);
  await writeFile(join(project, "package.json"), '{"name":"page","private":true,"type":"module"}');
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", stdout.trim()], { cwd: project });
  // What such a page has besides.
  const installed = join(project, "node_modules");
  for (const name of ["react", "vue", "@vue", "csstype", "svelte"]) await symlink(join(modules, name), join(installed, name));
  await cp(join(modules, "@types"), join(installed, "@types"), { recursive: true });
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({
    compilerOptions: {
      strict: true, noEmit: true, target: "es2022", module: "nodenext", jsx: "react-jsx", lib: ["es2023", "dom"], types: [],
      exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false,
    },
    include: ["*.ts", "*.tsx"],
  }));
});

after(() => rm(project, { recursive: true, force: true }));

/**
 * Compiles one file of the project, and returns what is wrong with it.
 * @param {string} name
 * @param {string} text
 */
async function compile(name, text) {
  const file = join(project, name);
  await writeFile(file, text);
  try {
    await run(join(modules, ".bin/tsc"), ["-p", "."], { cwd: project });
    return "";
  } catch (err) {
    return /** @type {{stdout: string}} */ (err).stdout;
  } finally {
    await rm(file);
  }
}

test("the package holds the page's code, its types and nothing else", async () => {
  const installed = join(project, "node_modules/chartd");
  assert.deepEqual((await readdir(installed)).sort(), ["README.md", "dist", "package.json", "static", "types"]);
  assert.deepEqual((await readdir(join(installed, "static"))).sort(), ["chartd", "chartd.js"]);
});

test("a strict program compiles", async () => {
  const problems = await compile("page.ts", `
    import { auth, CallbackError, type ChartElement, type ViewChange } from "chartd";
    auth(async () => "token");
    const chart = document.createElement("chartd-chart");
    const same: ChartElement | null = document.querySelector("chartd-chart");
    chart.src = "cpu";
    chart.window = 60_000;
    chart.from = new Date(0);
    chart.vars = { host: "web1", n: 2 };
    chart.hide = ["idle"];
    chart.size = [800, 400];
    chart.pick = true;
    const text: string = chart.window;
    chart.addEventListener("statechange", (e) => { const s: "connecting" | "live" | "stale" | "lost" = e.detail.state; void s; });
    chart.addEventListener("aftercallback", function (e) { const c: string = e.detail.cause; void [c, this.src]; });
    chart.addEventListener("click", (e) => e.clientX);
    chart.addEventListener("of-another", (e) => e.type);
    chart.onvarschange = (e) => { const host: string | undefined = e.detail.vars["host"]; void host; };
    chart.callback({ zoom: 2 }).then(({ handled }) => handled satisfies boolean).catch((err) => err instanceof CallbackError && err.code);
    const view: ViewChange = chart.view;
    void [same, text, view.window];
  `);
  assert.equal(problems, "");
});

test("templates of React, Vue and Svelte know the tag", async () => {
  const problems = await compile("page.tsx", `
    import type {} from "chartd/react";
    import type {} from "chartd/vue";
    import type {} from "chartd/svelte";
    import { useRef } from "react";
    import type { ChartElement } from "chartd";
    import type { GlobalComponents } from "vue";
    import type { SvelteHTMLElements } from "svelte/elements";
    export function Page() {
      const chart = useRef<ChartElement>(null);
      return <chartd-chart ref={chart} src="cpu" window={60_000} vars={{ host: "web1" }} hide={["idle"]} pick className="wide"
        onaftercallback={(e) => console.log(e.detail.cause)} onClick={() => chart.current?.callback("MyCustomArgs")} />;
    }
    export const vue: InstanceType<GlobalComponents["chartd-chart"]>["$props"] = { src: "cpu", window: "5m", onStatechange: (e) => console.log(e.detail.state) };
    export const svelte: SvelteHTMLElements["chartd-chart"] = { src: "cpu", size: [800, 400], onvarschange: (e) => console.log(e.detail.vars) };
  `);
  assert.equal(problems, "");
});

test("what is wrong does not compile", async () => {
  const wrong = [
    'chart.src = { name: "cpu" };',
    "chart.size = [800];",
    "chart.pick = 3;",
    'chart.state = "live";',
    'chart.addEventListener("statechange", (e) => e.detail.cause);',
    'chart.onaftercallback = (e: MouseEvent) => e.clientX;',
    "chart.callback().then((r) => r.answer);",
    'chart.view.window = true;',
    "chart.nothing;",
    "const a = <chartd-chart sources=\"cpu\" />;",
    "const b = <chartd-chart window={[5]} />;",
    "const c = <chartd-chart onaftercallback={(e) => e.detail.state} />;",
  ];
  // One run for all: each must be an error, and the directive is one where there is none.
  const problems = await compile("wrong.tsx", `
    import type {} from "chartd/react";
    import type {} from "chartd";
    const chart = document.createElement("chartd-chart");
    ${wrong.map((line) => `// @ts-expect-error\n${line}`).join("\n")}
    // @ts-expect-error: nothing is wrong here, so this is
    chart.src = "cpu";
  `);
  const lines = problems.trim().split("\n");
  assert.equal(lines.length, 1, problems);
  assert.match(problems, /TS2578/);
});
