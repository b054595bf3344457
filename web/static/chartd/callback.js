/**
 * Callbacks that a page raises: each waits for its chart to be subscribed, is
 * sent once, and ends when its answer is in the page.
 *
 * @import { Phase } from "./connection.js"
 * @import { Failure, HookEvent, Ok, ViewChange } from "./protocol.js"
 * @import { Seat } from "./seat.js"
 * @import { View } from "./view.js"
 */

/** A callback waits this long for its chart to be connected, in ms. */
const patience = 15_000;

/** How long a callback's promise waits for the frame behind its answer: in the same view there may be none; ms. */
const answered = { same: 100, other: 2_000 };

/** How many of the latest callbacks are remembered: their events may come behind their answers. */
const remembered = 64;

/** Why a callback failed. */
export class CallbackError extends Error {
  name = "CallbackError";

  /**
   * @param {string} code one of the protocol's error codes, or "disconnected"
   * @param {string} message
   * @param {boolean} temporary the same may succeed later
   */
  constructor(code, message, temporary) {
    super(message);
    this.code = code;
    this.temporary = temporary;
  }
}

/** The place that it was raised from is left, and nothing has been sent: its chart may have another place. */
export class Unseated extends CallbackError {
  constructor() {
    super("disconnected", "the chart left the page", false);
  }
}

/**
 * What a callback came to.
 * @typedef {{handled: boolean, reply: unknown}} CallbackResult
 */

/**
 * What callbacks need of their server.
 * @typedef {object} Sender
 * @property {() => {phase: Phase, reason: string}} link
 * @property {(then: (m: Ok | Failure) => void) => number} request returns the id that its answer will repeat
 * @property {(message: object) => void} send
 * @property {(seat: Seat, v: string, params?: ViewChange) => void} fork the answer says that the seat has another view
 * @property {(view: View, v: string) => void} stray it says so of a place that was left meanwhile
 * @property {(view: View) => void} done the view may be forgotten if nobody watches it
 */

export class Callbacks {
  #sender;
  /** @type {Set<() => void>} those that wait for their chart */
  #waiting = new Set();
  /** @type {WeakSet<Seat>} those whose view no callback changes */
  #plain = new WeakSet();
  /** @type {Map<number, {seat: Seat, ended: () => void}>} */
  #latest = new Map();

  /** @param {Sender} sender */
  constructor(sender) {
    this.#sender = sender;
  }

  /**
   * @param {Seat} seat
   * @param {unknown} arg
   * @returns {Promise<CallbackResult>}
   */
  raise(seat, arg) {
    return this.#ask(seat, { t: "callback", arg });
  }

  /**
   * Changes the view of a seat.
   * @param {Seat} seat
   * @param {ViewChange} change
   * @returns {Promise<CallbackResult>}
   */
  async change(seat, change) {
    if (!this.#plain.has(seat)) {
      try {
        const result = await this.raise(seat, { view: change });
        if (result.handled) return result;
      } catch (err) {
        if (!(err instanceof CallbackError) || err.code !== "forbidden") throw err;
      }
      this.#plain.add(seat);
    }
    return this.#ask(seat, { t: "set", view: change });
  }

  /**
   * Sends what may give a seat another view.
   * @param {Seat} seat
   * @param {{t: string, [field: string]: unknown}} message
   * @returns {Promise<CallbackResult>}
   */
  async #ask(seat, { t, ...fields }) {
    const view = await this.#subscribed(seat);
    return new Promise((resolve, reject) => {
      view.busy++;
      const call = { seat, ended: () => {} };
      const id = this.#sender.request((m) => {
        view.busy--;
        queueMicrotask(() => this.#sender.done(view));
        if (m.t === "error") {
          reject(new CallbackError(m.code, m.message, m.temporary ?? false));
          return;
        }
        if (m.v && !seat.view) this.#sender.stray(view, m.v);
        else if (m.v && m.v !== seat.view?.id) this.#sender.fork(seat, m.v, m.view);
        else if (m.view && seat.view) seat.view.pause(m.view.paused ?? false);
        // The answer comes before the frame, if anything changed at all; the
        // last event, if there are events, after it.
        call.ended = () => resolve({ handled: m.handled ?? true, reply: m.reply });
        if (!seat.view) call.ended();
        else if (t === "callback" && seat.view.events) setTimeout(call.ended, answered.other);
        else seat.view.afterFrame(call.ended, seat.view.current ? answered.same : answered.other);
      });
      this.#latest.set(id, call);
      const [oldest = id] = this.#latest.keys();
      if (this.#latest.size > remembered) this.#latest.delete(oldest);
      this.#sender.send({ t, id, v: view.id, ...fields });
    });
  }

  /**
   * Hands the event of a client's callback to the place that raised it.
   * @param {HookEvent} m
   * @returns {boolean} false: it is not one of these
   */
  event(m) {
    const call = this.#latest.get(m.id ?? 0);
    if (!call) return false;
    call.seat.view?.push(() => {
      call.seat.face.fire(call.seat, m);
      if (m.event === "AfterCallbackResponseProcess") call.ended();
    });
    return true;
  }

  /**
   * A seat is left: what it is remembered by would keep its element.
   * @param {Seat} seat
   */
  forget(seat) {
    for (const [id, call] of this.#latest) if (call.seat === seat) this.#latest.delete(id);
    this.look();
  }

  /** Something changed that callbacks may wait for. */
  look() {
    for (const look of [...this.#waiting]) look();
  }

  /**
   * @param {Seat} seat
   * @returns {Promise<View>}
   */
  #subscribed(seat) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { view } = seat;
        const { phase, reason } = this.#sender.link();
        if (view?.id && phase === "open") {
          resolve(view);
        } else if (!view) {
          reject(new Unseated());
        } else if (view.refused) {
          reject(new CallbackError("unknown_chart", view.trouble, false));
        } else if (phase === "refused" || performance.now() >= end) {
          reject(new CallbackError("disconnected", reason || "there is no connection to the server", true));
        } else {
          return;
        }
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const end = performance.now() + patience;
      const timer = setTimeout(look, patience + 1);
      this.#waiting.add(look);
      look();
    });
  }
}
