/**
 * One view's place in an element. While a view takes another's place an
 * element has two.
 *
 * @import { HookEvent } from "./protocol.js"
 * @import { Picture } from "./patch.js"
 * @import { Server } from "./server.js"
 * @import { View } from "./view.js"
 */

/**
 * The element behind its seats.
 * @typedef {object} Face
 * @property {(seat: Seat, picture: Picture) => void} show another picture takes the place of the last
 * @property {(seat: Seat) => void} moved the picture was patched
 * @property {(seat: Seat, event: HookEvent) => void} fire
 * @property {(seat: Seat) => void} altered a callback gave it another view, which has no picture yet
 * @property {() => void} changed the view's state did
 */

export class Seat {
  /** @type {View | null} */
  view = null;

  /**
   * @param {Server} server
   * @param {Face} face
   */
  constructor(server, face) {
    /** @readonly */
    this.server = server;
    /** @readonly */
    this.face = face;
  }
}
