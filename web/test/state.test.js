import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../static/chartd/state.js";

/** @type {import("../static/chartd/state.js").Facts} */
const well = {
  phase: "open", reason: "", doubt: false, down: 0, picture: true, current: true, overdue: false, clock: "", paused: false, fixed: false, refused: false, barred: false, trouble: "",
};

/** @type {[string, Partial<typeof well>, string, RegExp][]} */
const cases = [
  ["all is well", {}, "live", /^$/],
  ["paused by a callback", { paused: true }, "live", /paused/],
  ["paused by a hand", { clock: "paused 14:03:21" }, "live", /^paused 14:03:21$/],
  ["replayed", { clock: "replay ×10" }, "live", /^replay ×10$/],
  ["zoomed", { fixed: true }, "live", /^fixed range$/],
  ["nothing yet", { picture: false, current: false }, "connecting", /connecting/],
  ["first connection", { phase: "opening", picture: false, down: 100 }, "connecting", /connecting/],
  ["no server from the start", { phase: "waiting", picture: false, down: 11_000 }, "lost", /still trying/],
  ["cut", { phase: "waiting", down: 2_000 }, "stale", /reconnecting/],
  ["cut for long", { phase: "opening", down: 61_000 }, "lost", /still trying/],
  ["no answer", { doubt: true }, "stale", /does not answer/],
  ["no tick", { overdue: true }, "stale", /no refresh/],
  ["a frame is missing", { current: false }, "stale", /catching up/],
  ["the server said no", { phase: "refused", reason: "token expired" }, "lost", /token expired/],
  ["no such chart", { refused: true, trouble: 'chart: no chart "cpuu"; did you mean "cpu"?' }, "lost", /^no chart "cpuu"; did you mean/],
  ["may not be seen", { refused: true, barred: true, trouble: 'no right to watch chart "cpu"' }, "lost", /^you may not see this chart: no right/],
  ["cannot be drawn now", { trouble: "no data source" }, "stale", /no data source/],
];

for (const [name, facts, state, text] of cases) {
  test(name, () => {
    const verdict = judge({ ...well, ...facts });
    assert.equal(verdict.state, state);
    assert.match(verdict.text, text);
  });
}
