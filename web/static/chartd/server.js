/**
 * A chartd server as one page sees it: one connection, however many charts,
 * and equal views subscribed once.
 *
 * @import { CallbackResult } from "./callback.js"
 * @import { Phase } from "./connection.js"
 * @import { Failure, Ok, ServerMessage, ViewChange } from "./protocol.js"
 * @import { Seat } from "./seat.js"
 * @import { View } from "./view.js"
 */
import { Attention } from "./attention.js";
import { Callbacks } from "./callback.js";
import { Connection, unauthorized } from "./connection.js";
import { Credential } from "./credential.js";
import { Pass } from "./pass.js";
import { Subscriptions } from "./subscriptions.js";

/** Where these modules came from is where the charts are, unless the page says otherwise. */
export const home = new URL("../", import.meta.url).href;

/** How long a page without charts stays connected, in ms. */
const linger = 10_000;

/** @type {Map<string, Server>} */
const servers = new Map();

/** Fires "change" when phase, reason or doubt do. */
export class Server extends EventTarget {
  #views = new Subscriptions({
    open: () => this.phase === "open",
    request: (then) => this.#request(then),
    send: (message) => this.#connection.send(message),
    tell: (view) => this.#tell(view),
    empty: () => this.#idle(),
  });
  /** @type {Map<number, (m: Ok | Failure) => void>} what to do with the answer to a request */
  #answers = new Map();
  #base;
  #connection;
  #pass;
  #callbacks = new Callbacks({
    link: () => this,
    request: (then) => this.#request(then),
    send: (message) => this.#connection.send(message),
    fork: (seat, v, params) => this.#views.fork(seat, v, params),
    stray: (view, v) => this.#views.stray(view, v),
    done: (view) => this.#views.drop(view),
  });
  #id = 0;
  #pulse = 0;
  #leave = 0;
  #attention;
  #retire;

  /**
   * The server at an address; always the same one for the same address and
   * credential, so that there is one connection for both.
   * @param {string} base
   * @param {Credential} [credential]
   */
  static at(base, credential = Credential.page) {
    const url = new URL(base);
    url.search = url.hash = "";
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    const key = `${credential.key} ${url.href}`;
    let server = servers.get(key);
    if (!server) servers.set(key, server = new Server(url, credential, () => servers.delete(key)));
    return server;
  }

  /**
   * @param {URL} base
   * @param {Credential} credential
   * @param {() => void} forget nobody will need it any more
   */
  constructor(base, credential, forget) {
    super();
    // A token of its own is soon another one; the page's servers stay.
    this.#retire = credential === Credential.page ? () => {} : () => {
      this.#attention.end();
      forget();
    };
    this.#base = base;
    this.#pass = new Pass(credential, base.href, () => this.#renew());
    const url = new URL("ws", base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#connection = new Connection(url.href, {
      token: () => this.#pass.token(),
      unauthorized: () => this.#pass.refused(),
      greet: (session, token) => this.#greet(session, token),
      receive: (m) => this.#receive(m),
      changed: () => this.#changed(),
    });
    this.#attention = new Attention({
      hold: (paused) => this.#hold(paused),
      look: () => this.#look(),
      wake: () => this.#wake(),
    });
  }

  /** @returns {Phase} */
  get phase() {
    return this.#connection.phase;
  }

  /** Why there is no connection, for people. */
  get reason() {
    return this.#connection.reason;
  }

  /** There is no connection because the server wants a token, or another one. */
  get unauthorized() {
    return this.phase === "refused" && this.#connection.code === unauthorized;
  }

  /** The server's software, as "chartd/0.1.0"; "" until it said so. */
  get version() {
    return this.#connection.software;
  }

  /** The server has not answered for a while. */
  get doubt() {
    return this.#connection.doubt;
  }

  /** How long there has been no connection, in ms. */
  get down() {
    const since = this.#connection.downSince;
    return since === 0 ? 0 : performance.now() - since;
  }

  /**
   * Shows a view in one more place.
   * @param {Seat} seat
   * @param {string} chart
   * @param {ViewChange} params
   * @param {boolean} events ask for the callbacks' events
   */
  watch(seat, chart, params, events) {
    clearTimeout(this.#leave);
    this.#views.watch(seat, chart, params, events);
    if (this.phase === "idle") this.#connection.open();
    this.#beat();
  }

  /**
   * Asks for the callbacks' events of a view that is watched.
   * @param {Seat} seat
   */
  listen({ view }) {
    if (view) this.#views.listen(view);
  }

  /**
   * Shows a view in one place less.
   * @param {Seat} seat
   */
  leave(seat) {
    const { view } = seat;
    if (!view) return;
    seat.view = null;
    view.remove(seat);
    this.#callbacks.forget(seat);
    // An element that is moved leaves and comes back at once.
    queueMicrotask(() => this.#views.drop(view));
  }

  /**
   * Raises the chart's RefreshCallback.
   * @param {Seat} seat
   * @param {unknown} arg
   * @returns {Promise<CallbackResult>}
   */
  callback(seat, arg) {
    if (document.hidden) this.#wake(); // otherwise it is on its way
    return this.#callbacks.raise(seat, arg);
  }

  /**
   * Asks for another view, by the callback that does so; where that is not
   * known or not allowed, for this place alone.
   * @param {Seat} seat
   * @param {ViewChange} change
   * @returns {Promise<CallbackResult>}
   */
  change(seat, change) {
    if (document.hidden) this.#wake();
    return this.#callbacks.change(seat, change);
  }

  /**
   * Asks the server's API as whoever the socket is; waits for that to be open.
   * @param {string} path relative to the server's address
   * @param {AbortSignal} signal
   */
  async get(path, signal) {
    while (this.phase !== "open") {
      signal.throwIfAborted();
      await new Promise((resolve, reject) => {
        const aborted = () => reject(signal.reason);
        signal.addEventListener("abort", aborted, { once: true });
        this.addEventListener("change", () => {
          signal.removeEventListener("abort", aborted); // of a server that is away for days there are many changes
          resolve(undefined);
        }, { once: true, signal });
      });
    }
    const headers = new Headers();
    if (this.#pass.shown) headers.set("Authorization", `Bearer ${this.#pass.shown}`);
    return fetch(new URL(path, this.#base), { headers, signal });
  }

  /** @param {(m: Ok | Failure) => void} then */
  #request(then) {
    this.#answers.set(++this.#id, then);
    return this.#id;
  }

  /** There may be another token: it is said where the connection is, or ends a refusal. */
  async #renew() {
    this.#connection.again();
    if (this.phase !== "open") return;
    /** @type {string | null} */
    let token = null;
    try {
      token = await this.#pass.next();
    } catch (err) {
      console.warn(`chartd: no new token: ${err}`);
      this.#pass.taken(); // and asks again
    }
    if (token === null || this.phase !== "open") return;
    if (token === "") { // signed out
      this.#connection.restart();
      return;
    }
    const id = this.#request((m) => {
      if (m.t === "ok") this.#pass.taken();
      else if (m.code === "forbidden") this.#connection.restart(); // it is somebody else's
    });
    this.#connection.send({ t: "auth", id, token });
  }

  /**
   * @param {string} session
   * @param {string} token
   */
  #greet(session, token) {
    this.#attention.begin();
    return [{ t: "hello", session: session || undefined, token: token || undefined }, ...this.#views.greet()];
  }

  /** @param {ServerMessage} m */
  #receive(m) {
    switch (m.t) {
      case "ok":
      case "error": {
        const then = this.#answers.get(m.id ?? 0);
        this.#answers.delete(m.id ?? 0);
        if (then) then(m);
        else if (m.t === "error" && m.v) for (const view of this.#views.named(m.v)) this.#views.trouble(view, m);
        break;
      }
      case "event":
        if (!this.#callbacks.event(m)) for (const view of this.#views.named(m.v)) view.push(m);
        break;
      case "full":
      case "patch": {
        const twins = this.#views.named(m.v);
        for (const view of twins) if (twins.length === 1 || !view.has(m)) view.push(m);
        break;
      }
    }
  }

  #changed() {
    if (this.phase === "open") {
      this.#pass.taken();
      // What was asked for between the greeting and its answer.
      this.#views.ask();
    } else {
      this.#pass.rest();
      const answers = [...this.#answers.values()];
      this.#answers.clear();
      for (const view of this.#views) view.cut();
      for (const then of answers) {
        then({ t: "error", code: "disconnected", message: "the connection was cut before the answer came", temporary: true });
      }
    }
    this.#tell();
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Lets the places of a view, or of all, look at their state.
   * @param {View} [only]
   */
  #tell(only) {
    for (const view of only ? [only] : this.#views) {
      for (const seat of view.seats) seat.face.changed();
    }
    this.#callbacks.look();
  }

  /** Nobody watches anything: after a while the connection is not needed either. */
  #idle() {
    clearTimeout(this.#leave);
    this.#leave = setTimeout(() => {
      this.#connection.close();
      this.#retire();
    }, linger);
  }

  /** Connects at once if that is what is missing. */
  #wake() {
    if (this.#views.size > 0 && this.phase !== "opening") this.#connection.open();
  }

  /** Somebody looks again: what came meanwhile is shown, and the silence was nobody's. */
  #look() {
    for (const view of this.#views) {
      view.rest();
      view.flush();
    }
    this.#connection.rest();
    this.#beat();
  }

  /**
   * Pauses every view of a hidden page, or lets them go on. Those that a
   * callback paused stay so.
   * @param {boolean} paused
   */
  #hold(paused) {
    const going = Array.from(this.#views).filter((view) => view.id !== "" && !view.params.paused);
    for (const id of new Set(going.map((view) => view.id))) {
      this.#connection.send({ t: "set", id: this.#request(() => {}), v: id, view: { paused } });
    }
  }

  /** Looks after silence, once a second, while there is something to see. */
  #beat() {
    clearTimeout(this.#pulse);
    if (document.hidden || this.#views.size === 0) return;
    this.#pulse = setTimeout(() => this.#beat(), 1000);
    let quiet = 10_000;
    for (const view of this.#views) quiet = Math.min(quiet, view.quiet);
    this.#connection.check(quiet);
    this.#tell();
  }
}
