/**
 * What a chart's state is, and how it is said.
 *
 * @import { Phase } from "./connection.js"
 */

/**
 * connecting: nothing to see yet. live: what is seen is what the server has.
 * stale: it was, and chartd is on its way back. lost: the server refused, or
 * has been gone for long.
 * @typedef {"connecting" | "live" | "stale" | "lost"} State
 */

/**
 * barred: it may not be seen, nor what was seen of it.
 * @typedef {{state: State, text: string, barred: boolean}} Verdict
 */

/** After so long without a connection a chart counts as lost, although tries go on; ms. */
const long = { blank: 10_000, shown: 60_000 };

/**
 * What there is to judge by.
 * @typedef {object} Facts
 * @property {Phase} phase of the connection
 * @property {string} reason why it is not open
 * @property {boolean} doubt the server does not answer
 * @property {number} down how long there has been no connection, in ms
 * @property {boolean} picture there is something to see
 * @property {boolean} current nothing is known to be missing
 * @property {boolean} overdue no tick came for three refreshes
 * @property {string} clock what a clock of the view's own shows, "": it has none
 * @property {boolean} paused a callback stopped the refreshes
 * @property {boolean} fixed it shows a fixed range, which does not move
 * @property {boolean} refused the server does not show the view
 * @property {boolean} barred because it may not be seen
 * @property {string} trouble why, or what is wrong with it
 */

/**
 * @param {Facts} f
 * @returns {Verdict}
 */
export function judge(f) {
  const barred = f.phase !== "refused" && f.refused && f.barred;
  return { ...said(f), barred };
}

/**
 * @param {Facts} f
 * @returns {{state: State, text: string}}
 */
function said(f) {
  if (f.phase === "refused") return { state: "lost", text: because("refused by the server", f.reason) };
  const trouble = f.trouble.replace(/^chart: /, ""); // the field that is wrong; for people it is the chart anyway
  if (f.refused && f.barred) return { state: "lost", text: because("you may not see this chart", trouble) };
  if (f.refused) return { state: "lost", text: trouble || "refused by the server" };
  if (f.phase !== "open") {
    if (f.down > (f.picture ? long.shown : long.blank)) {
      return { state: "lost", text: "the server cannot be reached; still trying" };
    }
    return f.picture ? { state: "stale", text: "reconnecting" } : { state: "connecting", text: "connecting" };
  }
  if (f.trouble !== "") return { state: f.picture ? "stale" : "connecting", text: f.trouble };
  if (!f.picture) return { state: "connecting", text: "connecting" };
  if (f.doubt) return { state: "stale", text: "the server does not answer" };
  if (!f.current) return { state: "stale", text: "catching up" };
  if (f.overdue) return { state: "stale", text: "no refresh" };
  return { state: "live", text: f.paused ? "paused" : f.clock !== "" ? f.clock : f.fixed ? "fixed range" : "" };
}

/**
 * @param {string} what
 * @param {string} why
 */
function because(what, why) {
  return why ? `${what}: ${why}` : what;
}
