/**
 * What a page is subscribed to: equal views once, however many charts show
 * them. Each is asked for, shared, forked by a callback, asked for again when it
 * was refused, and given up when nobody shows it any more.
 *
 * @import { Failure, Ok, ViewChange } from "./protocol.js"
 * @import { Seat } from "./seat.js"
 */
import { keyOf, View } from "./view.js";

/** When to ask again for a view that was refused, in ms. */
const again = { temporary: 2_000, other: 30_000 };

/**
 * What subscriptions need of their server.
 * @typedef {object} Channel
 * @property {() => boolean} open
 * @property {(then: (m: Ok | Failure) => void) => number} request returns the id that its answer will repeat
 * @property {(message: object) => void} send
 * @property {(view: View) => void} tell lets the places of a view look at their state
 * @property {() => void} empty nothing is subscribed any more
 */

export class Subscriptions {
  #channel;
  /** @type {Set<View>} */
  #views = new Set();

  /** @param {Channel} channel */
  constructor(channel) {
    this.#channel = channel;
  }

  get size() {
    return this.#views.size;
  }

  [Symbol.iterator]() {
    return this.#views.values();
  }

  /**
   * Shows a view in one more place.
   * @param {Seat} seat
   * @param {string} chart
   * @param {ViewChange} params
   * @param {boolean} events ask for the callbacks' events
   */
  watch(seat, chart, params, events) {
    const key = keyOf(chart, params);
    const view = [...this.#views].find((v) => v.key === key) ?? this.#add(chart, params, events);
    view.add(seat);
    if (events) this.listen(view);
    if (this.#channel.open()) this.#ask(view);
  }

  /**
   * Asks for the callbacks' events of a view.
   * @param {View} view
   */
  listen(view) {
    if (view.events) return;
    view.events = true;
    if (this.#channel.open() && view.id !== "") this.#channel.send(this.#sub(view));
  }

  /** The requests for all of them, for a connection that begins. */
  greet() {
    return Array.from(this.#views, (view) => this.#sub(view));
  }

  /** Asks for what has not been asked for. */
  ask() {
    for (const view of this.#views) this.#ask(view);
  }

  /** @param {View} view */
  #ask(view) {
    if (view.id === "" && view.asked === 0) this.#channel.send(this.#sub(view));
  }

  /** @param {View} view */
  #sub(view) {
    view.flush();
    view.hush = view.id !== "";
    const id = this.#channel.request((m) => {
      if (view.asked === id) {
        view.asked = 0;
        view.hush = false;
      }
      if (m.t === "ok") this.#accept(view, m);
      else if (this.#channel.open()) this.#refuse(view, m);
    });
    view.asked = id;
    return {
      t: "sub", id, chart: view.chart, view: view.params,
      events: view.events || undefined,
      pos: view.pos ?? undefined,
    };
  }

  /**
   * @param {View} view
   * @param {Ok} m
   */
  #accept(view, m) {
    view.id = m.v ?? "";
    view.refused = view.barred = false;
    view.trouble = "";
    this.#align(view);
    this.drop(view);
    this.#channel.tell(view);
  }

  /**
   * The server knows one subscription to a view, however differently it was
   * asked for; the last who asked decided about its events.
   * @param {View} view
   */
  #align(view) {
    const twins = this.named(view.id);
    if (view.events || !twins.some((v) => v.events)) return;
    for (const twin of twins) twin.events = true;
    this.#channel.send(this.#sub(view));
  }

  /**
   * The server tells of trouble with a view that nobody asked about.
   * @param {View} view
   * @param {Failure} m
   */
  trouble(view, m) {
    if (m.temporary) {
      view.trouble = m.message; // until the next frame
      this.#channel.tell(view);
      // If it was the request for a full, patches are of no use until it comes.
      setTimeout(() => {
        if (this.#channel.open() && view.id === m.v) view.insist();
      }, again.temporary);
    } else if (m.code === "unknown_view") {
      view.id = "";
      this.#ask(view);
    } else {
      this.#refuse(view, m);
    }
  }

  /**
   * @param {View} view
   * @param {Failure} m
   */
  #refuse(view, m) {
    view.trouble = m.message;
    view.refused = !m.temporary;
    view.barred = m.code === "forbidden";
    view.id = "";
    this.#channel.tell(view);
    setTimeout(() => {
      if (this.#channel.open() && view.watched) this.#ask(view);
    }, m.temporary ? again.temporary : again.other);
  }

  /**
   * A callback gave its caller another view. The others in the page that shared
   * the old one stay with it.
   * @param {Seat} seat
   * @param {string} id
   * @param {ViewChange} [params]
   */
  fork(seat, id, params) {
    const { view } = seat;
    if (!view) return;
    view.flush();
    const old = view.id;
    if (view.seats.length > 1) {
      const own = this.#add(view.chart, params ?? view.params, view.events);
      own.id = id;
      view.remove(seat);
      own.add(seat);
    } else {
      view.become(id, params ?? view.params);
    }
    // To the server it was one subscription, which is another view's now.
    for (const twin of this.named(old)) {
      twin.id = "";
      this.#channel.send(this.#sub(twin));
    }
    if (seat.view) this.#align(seat.view);
    seat.face.altered(seat);
  }

  /**
   * A callback gave its caller another view, and nobody waits for that any more.
   * To the server the subscription is that view's now.
   * @param {View} view
   * @param {string} id
   */
  stray(view, id) {
    if (view.id === "" || view.id === id) return;
    if (this.named(id).length === 0) this.#channel.send({ t: "unsub", v: id });
    for (const twin of this.named(view.id)) {
      twin.id = "";
      if (twin.watched) this.#channel.send(this.#sub(twin));
    }
  }

  /**
   * @param {string} chart
   * @param {ViewChange} params
   * @param {boolean} events
   */
  #add(chart, params, events) {
    const view = new View(chart, params, events, (v) => this.#channel.send({ t: "resync", v: v.id }));
    this.#views.add(view);
    return view;
  }

  /**
   * Forgets a view that nobody needs any more.
   * @param {View} view
   */
  drop(view) {
    if (view.watched || view.busy > 0 || !this.#views.delete(view)) return;
    const { id } = view;
    view.cut();
    if (id !== "" && this.named(id).length === 0) this.#channel.send({ t: "unsub", v: id });
    if (this.#views.size === 0) this.#channel.empty();
  }

  /** @param {string} id */
  named(id) {
    const named = [];
    for (const view of this.#views) if (view.id === id) named.push(view);
    return named;
  }
}
