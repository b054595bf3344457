/**
 * Sends what a hand does no faster than a server should be asked: one request
 * at a time, and always the last one. While a hand moves, that is five a second
 * at most. Where it stops, it does not wait for that: one request more goes out
 * at once.
 */

/** The least time between two requests, in ms. */
const every = 200;

/** How long a gesture that goes on is waited for first, in ms. */
const first = 60;

/**
 * @template T
 */
export class Pace {
  #send;
  /** @type {{what: T, now: boolean} | null} */
  #next = null;
  #timer = 0;
  #sent = -Infinity;
  #under = false;
  /** The last one was one more. */
  #ahead = false;

  /** @param {(what: T) => Promise<unknown>} send never rejects */
  constructor(send) {
    this.#send = send;
  }

  /** Something waits, or has not been answered. */
  get busy() {
    return this.#next !== null || this.#under;
  }

  /** Something waits to be sent. */
  get waiting() {
    return this.#next !== null;
  }

  /**
   * @param {T} what takes the place of what waits
   * @param {boolean} now it is where the hand wants to be: without waiting for more
   */
  push(what, now) {
    this.#next = { what, now };
    if (this.#under || this.#timer !== 0 && !now) return;
    clearTimeout(this.#timer);
    const due = this.#sent + every - performance.now();
    const ahead = due > 0;
    if (now && !(ahead && this.#ahead)) {
      this.#ahead = ahead;
      this.#go();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#ahead = false;
      this.#go();
    }, now ? due : Math.max(first, due));
  }

  /** Nothing more is sent. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#next = null;
  }

  async #go() {
    this.#timer = 0;
    const next = this.#next;
    if (!next) return;
    this.#next = null;
    this.#under = true;
    this.#sent = performance.now();
    await this.#send(next.what);
    this.#under = false;
    const waits = /** @type {{what: T, now: boolean} | null} */ (this.#next);
    if (waits) this.push(waits.what, waits.now);
  }
}
