/**
 * A replay in figures: what its clock says, and when it has caught up.
 *
 * @import { ViewChange } from "../protocol.js"
 */
import { Clock } from "./clock.js";

/** @typedef {NonNullable<ViewChange["replay"]>} Replay */

/** How fast the past may go by. */
export const speeds = [1, 2, 5, 10, 30, 60];

/**
 * @param {ViewChange} params
 * @returns {{at: number, since: number, speed: number} | null} null: the view has no clock of its own
 */
export function replayOf({ replay }) {
  const { at = 0, since = 0, speed = 0 } = replay ?? {};
  return at > 0 ? { at, since, speed } : null;
}

/**
 * In how many ms a replay is where the present is; Infinity: never.
 * @param {{at: number, since: number, speed: number}} replay
 * @param {number} now by the server's clock, in ms
 */
export function due({ at, since, speed }, now) {
  if (at >= now && speed > 0) return 0;
  return speed > 1 && since > 0 ? Math.max(0, since + (since - at) / (speed - 1) - now) : Infinity;
}

/**
 * How the badge says it.
 * @param {ViewChange} params
 * @param {string} zone of the picture
 */
export function words(params, zone) {
  const replay = replayOf(params);
  if (!replay) return "";
  if (replay.speed > 0) return `replay ×${replay.speed}`;
  const clock = new Clock();
  clock.zone = zone;
  return `paused ${clock.write(replay.at, 1000, Date.now())}`;
}
