/**
 * One subscribed view and the places of the page that show it. Its messages
 * are handled in the order in which they came: a frame changes the DOM inside
 * an animation frame, an event waits for the frame before it.
 *
 * @import { Full, HookEvent, PatchMessage, Pos, ViewChange } from "./protocol.js"
 * @import { Seat } from "./seat.js"
 */
import { Patch, Picture } from "./patch.js";

/** More items than this are not kept waiting for an animation frame. */
const backlog = 64;

/** @type {Set<View>} Views with something to do in the next animation frame. */
const waiting = new Set();

function flush() {
  const now = [...waiting];
  waiting.clear();
  for (const view of now) view.flush();
}

export class View {
  /** @type {Map<Seat, Picture | null>} */
  #seats = new Map();
  /** @type {Picture | null} That of the last seat to leave: it may be on its way to another place. */
  #spare = null;
  /** @type {(Full | PatchMessage | HookEvent | (() => void))[]} */
  #queue = [];
  /** @type {{of: Full, picture: Picture} | null} The full that waits for an animation frame, read meanwhile. */
  #early = null;
  #resync;
  #resyncing = false;
  /** @type {Pos | null} */
  #pos = null;
  /** @type {Pos | null} Where what it was pushed last leads. */
  #given = null;
  /** @type {Set<() => void>} what to do when the next frame is in the DOM */
  #after = new Set();
  #last = 0;
  #gaps = 0;
  #gap = 0;

  /** What the server calls it; "" while it is not subscribed. */
  id = "";
  /** The request that subscribes it, 0: none is under way. */
  asked = 0;
  /** It is being subscribed anew from where it is: frames until then come again. */
  hush = false;
  /** Callbacks under way, for which it has to stay subscribed. */
  busy = 0;
  /** Why the server does not show it, or cannot at the moment, for people. */
  trouble = "";
  /** The server shows it not at all. */
  refused = false;
  /** It does so because it may not be seen. */
  barred = false;

  /**
   * @param {string} chart
   * @param {ViewChange} params
   * @param {boolean} events
   * @param {(view: View) => void} resync asks for a full
   */
  constructor(chart, params, events, resync) {
    /** @readonly */
    this.chart = chart;
    this.params = params;
    this.events = events;
    this.#resync = resync;
  }

  /** What makes two of them the same. */
  get key() {
    return keyOf(this.chart, this.params);
  }

  /** The places that show it. */
  get seats() {
    return [...this.#seats.keys()];
  }

  get watched() {
    return this.#seats.size > 0;
  }

  /** Something is seen, and nothing is known to be missing. */
  get current() {
    return this.id !== "" && this.#pos !== null && !this.#resyncing;
  }

  /** The frame that every place shows, null: none, or one in doubt. */
  get pos() {
    return this.#resyncing ? null : this.#pos;
  }

  /** @param {Seat} seat */
  add(seat) {
    const [like] = this.#seats.values();
    const picture = like?.clone() ?? this.#spare;
    this.#spare = null;
    this.#seats.set(seat, picture);
    seat.view = this;
    if (picture) seat.face.show(seat, picture);
  }

  /** @param {Seat} seat */
  remove(seat) {
    if (this.#seats.size === 1) this.#spare = this.#seats.get(seat) ?? null;
    this.#seats.delete(seat);
  }

  /**
   * Makes the view another one that has no frame yet.
   * @param {string} id
   * @param {ViewChange} params
   */
  become(id, params) {
    this.id = id;
    this.params = params;
    this.#pos = this.#given = null;
    this.#resyncing = false;
    this.#last = this.#gaps = 0; // it may have another refresh
    for (const seat of this.seats) this.#seats.set(seat, null);
  }

  /**
   * A callback paused it, or let it go on.
   * @param {boolean} paused
   */
  pause(paused) {
    if (paused === (this.params.paused ?? false)) return;
    this.params = { ...this.params, paused };
    this.rest();
  }

  /** The connection is gone: what came over it is shown, the rest is asked for again. */
  cut() {
    this.flush();
    this.id = "";
    this.#given = null;
    this.asked = 0;
    this.hush = false;
    this.#last = 0;
  }

  /**
   * Reports whether a patch leads to where it is, or is about to be: it is for
   * another that shares the subscription, and asked again from further back.
   * @param {Full | PatchMessage} m
   */
  has(m) {
    return m.t === "patch" && this.#given?.e === m.e && m.r <= this.#given.r;
  }

  /**
   * Takes a frame, an event, or something to do when all before it is done.
   * @param {Full | PatchMessage | HookEvent | (() => void)} item
   */
  push(item) {
    const frame = typeof item !== "function" && item.t !== "event";
    if (frame && this.hush) return;
    if (frame) {
      this.#given = { e: item.e, r: item.r };
      this.#count();
    }
    this.#queue.push(item);
    if (document.hidden || this.#queue.length > backlog || this.#queue.length === 1 && !frame) {
      this.flush();
      return;
    }
    if (waiting.size === 0) requestAnimationFrame(flush);
    waiting.add(this);
    if (typeof item !== "function" && item.t === "full") this.#read(item);
  }

  /** @param {Full} m */
  #read(m) {
    try {
      this.#early = { of: m, picture: Picture.parse(m.svg) };
    } catch {
      // It is read again when its turn has come, and what is wrong is said then.
    }
  }

  /**
   * Does something when the next frame is in the DOM, or after a while without
   * one.
   * @param {() => void} then
   * @param {number} ms
   */
  afterFrame(then, ms) {
    const once = () => {
      clearTimeout(timer);
      if (this.#after.delete(once)) then();
    };
    const timer = setTimeout(once, ms);
    this.#after.add(once);
  }

  /** Does all that waits. */
  flush() {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = [];
    const full = queue.findLastIndex((m) => typeof m !== "function" && m.t === "full");
    for (const [i, m] of queue.entries()) {
      if (typeof m === "function") m();
      else if (m.t === "event") for (const seat of this.seats) seat.face.fire(seat, m);
      else if (i >= full) this.#frame(m); // frames before a full are not worth drawing
    }
  }

  /**
   * How long a silence is normal, in ms: three refreshes, as far as they are
   * known.
   */
  get quiet() {
    return this.#gaps > 0 ? Math.max(2000, 3 * this.#gap) : Infinity;
  }

  /**
   * Says that a view which always moved has not for three refreshes. One that
   * changes only when its values do is never overdue.
   * @param {number} now
   */
  overdue(now) {
    if (this.params.paused || this.#last === 0 || this.#gaps < 4 || now - this.#last <= this.quiet) return false;
    const [picture] = this.#seats.values();
    return (picture?.axis?.xs ?? NaN) * this.#gap >= 2;
  }

  /** Starts the count of a silence anew. */
  rest() {
    this.#last = 0;
  }

  #count() {
    const now = performance.now();
    if (this.#last > 0) {
      this.#gap = this.#gaps === 0 ? now - this.#last : this.#gap * 0.7 + (now - this.#last) * 0.3;
      this.#gaps++;
    }
    this.#last = now;
  }

  /** @param {Full | PatchMessage} m */
  #frame(m) {
    const before = this.current && this.trouble === "";
    try {
      if (m.t === "full") this.#full(m);
      else if (!this.#patch(m)) return;
    } catch (err) {
      console.warn(`chartd: ${this.chart}: ${err}; asking for the whole picture`);
      this.#ask();
    }
    this.trouble = "";
    for (const once of [...this.#after]) once();
    if (before !== this.current) for (const seat of this.seats) seat.face.changed();
  }

  /** @param {Full} m */
  #full(m) {
    const first = this.#early?.of === m ? this.#early.picture : Picture.parse(m.svg);
    this.#early = null;
    this.#pos = { e: m.e, r: m.r }; // whoever is shown it may ask how things are
    this.#resyncing = false;
    let fresh = true;
    for (const seat of this.seats) {
      const picture = fresh ? first : first.clone();
      fresh = false;
      this.#seats.set(seat, picture);
      seat.face.show(seat, picture);
    }
  }

  /**
   * @param {PatchMessage} m
   * @returns {boolean} false: there is nothing that it could apply to
   */
  #patch(m) {
    if (this.#resyncing) return false;
    if (this.#pos?.e !== m.e || this.#pos.r !== m.b) {
      throw new Error(`a patch for ${m.e}/${m.b} met ${this.#pos?.e}/${this.#pos?.r}`);
    }
    const patch = new Patch(m.o);
    for (const [seat, picture] of this.#seats) {
      if (!picture) continue;
      picture.apply(patch);
      seat.face.moved(seat);
    }
    this.#pos.r = m.r;
    return true;
  }

  /** Asks again for the full that has not come. */
  insist() {
    if (this.#resyncing) this.#resync(this);
  }

  /** Asks for a full, once until it is there. */
  #ask() {
    this.#resyncing = true;
    this.#resync(this);
  }
}

/**
 * What makes two requests for a view the same.
 * @param {string} chart
 * @param {ViewChange} params
 */
export function keyOf(chart, params) {
  return JSON.stringify([chart, Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
