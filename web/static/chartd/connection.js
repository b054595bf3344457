/**
 * One WebSocket to one server: it says hello, comes back after a cut with
 * backoff and jitter unless the server said not to, and notices when the other
 * end is silent. What is said over it is not its business.
 *
 * @import { ServerMessage } from "./protocol.js"
 */
import { subprotocol } from "./protocol.js";

/**
 * Says whether to come back after a close code: 4500 to 4999 mean no.
 * @param {number} code
 */
export function retryable(code) {
  return !(code >= 4500 && code <= 4999);
}

/**
 * How long to wait before a try, in ms: up to half a second at first, doubling
 * up to 15 s, anywhere in the upper four fifths of that, so that a thousand
 * pages do not come back at once.
 * @param {number} tries how many failed before
 * @param {number} random 0 to 1
 */
export function backoff(tries, random) {
  return Math.min(15_000, 500 * 2 ** Math.min(tries, 10)) * (0.2 + 0.8 * random);
}

/** The close code of a server that does not take the token, or wants one. */
export const unauthorized = 4501;

/** How long a try may take, in ms. */
const patience = 10_000;

/** How long a connection must hold before the next cut counts as the first, in ms. */
const proven = 10_000;

/** How long an answer to a ping may take before there is doubt, and before the connection is given up; ms. */
const doubtAfter = 3_000;
const giveUpAfter = 10_000;

/** How many messages travel as one; the server takes twice as many. */
const together = 32;

/**
 * @param {WebSocket} socket
 * @param {object[]} messages
 */
function post(socket, messages) {
  for (let i = 0; i < messages.length; i += together) {
    socket.send(JSON.stringify(messages.slice(i, i + together)));
  }
}

/**
 * @typedef {object} Owner
 * @property {() => Promise<string | null>} token whom to say hello as: "" is nobody, null that nobody is left to try
 * @property {(session: string, token: string) => object[]} greet what to say first
 * @property {() => boolean} unauthorized the server does not take the token; true: ask for another
 * @property {(m: ServerMessage) => void} receive
 * @property {() => void} changed phase, reason or doubt did
 */

/**
 * idle: not wanted. opening, open. waiting: cut, and will come back. refused:
 * the server said not to.
 * @typedef {"idle" | "opening" | "open" | "waiting" | "refused"} Phase
 */

export class Connection {
  #url;
  #owner;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {object[]} */
  #outbox = [];
  #timer = 0;
  #tries = 0;
  #opened = 0;
  #heard = 0;
  #asked = 0;

  /** @type {Phase} */
  phase = "idle";
  /** Why it was cut, for people. */
  reason = "";
  /** The close code of the last cut. */
  code = 0;
  /** Since when there is no connection: performance.now(), 0 while there is. */
  downSince = 0;
  /** The server does not answer, although the socket is open. */
  doubt = false;
  /** What the server said it is. */
  software = "";
  /** The token of the session to resume. */
  session = "";

  /**
   * @param {string} url ws: or wss:
   * @param {Owner} owner
   */
  constructor(url, owner) {
    this.#url = url;
    this.#owner = owner;
  }

  /** Connects now, if there is no connection and the server did not refuse. */
  open() {
    if (this.#socket || this.phase === "refused") return;
    clearTimeout(this.#timer);
    this.downSince ||= performance.now();
    this.#set("opening");
    const socket = new WebSocket(this.#url, subprotocol);
    this.#socket = socket;
    const token = this.#owner.token(); // while the socket opens
    token.catch(() => {}); // it is waited for below
    socket.onopen = async () => {
      try {
        const shown = await token;
        if (socket !== this.#socket) return;
        if (shown === null) return this.#lost(unauthorized, this.reason);
        this.#opened = this.#heard = performance.now();
        this.#asked = 0;
        post(socket, this.#owner.greet(this.session, shown));
      } catch (err) {
        if (socket === this.#socket) this.#lost(1006, `no token: ${err instanceof Error ? err.message : err}`);
      }
    };
    socket.onmessage = (e) => {
      if (typeof e.data === "string") this.#read(e.data);
    };
    socket.onclose = (e) => this.#lost(e.code, e.reason);
    this.#timer = setTimeout(() => this.#lost(1006, "no answer"), patience);
  }

  /** Connects anew, although the server refused: there is something else to say. */
  again() {
    if (this.phase !== "refused") return;
    this.#set("waiting");
    this.open();
  }

  /** Disconnects, and comes back as somebody else: without the session. */
  restart() {
    this.#drop();
    this.session = "";
    this.#set("waiting");
    this.open();
  }

  /** Disconnects and stays so until open. The session is left to expire. */
  close() {
    this.#drop();
    this.downSince = 0;
    this.#set("idle");
  }

  /**
   * Sends a message together with the others of this task, or drops it when
   * there is no connection: greet says everything that still matters.
   * @param {object} message
   */
  send(message) {
    if (this.phase !== "open") return;
    if (this.#outbox.push(message) > 1) return;
    queueMicrotask(() => {
      const out = this.#outbox;
      this.#outbox = [];
      if (this.#socket?.readyState === WebSocket.OPEN) post(this.#socket, out);
    });
  }

  /**
   * To be called now and then while somebody watches: asks the server for a
   * sign of life after a silence, and gives up when none comes.
   * @param {number} quiet the silence after which to ask, in ms
   */
  check(quiet) {
    if (this.phase !== "open") return;
    const now = performance.now();
    if (this.#asked === 0) {
      if (now - this.#heard >= quiet) {
        this.#asked = now;
        this.send({ t: "ping", id: 0 });
      }
    } else if (now - this.#asked >= giveUpAfter) {
      this.#lost(1006, "the server does not answer");
    } else if (now - this.#asked >= doubtAfter && !this.doubt) {
      this.doubt = true;
      this.#owner.changed();
    }
  }

  /** Starts the count of a silence anew: time that nobody watched does not count. */
  rest() {
    this.#heard = performance.now();
    this.#asked = 0;
  }

  /** @param {string} data */
  #read(data) {
    this.#heard = performance.now();
    this.#asked = 0;
    if (this.doubt) {
      this.doubt = false;
      this.#owner.changed();
    }
    /** @type {ServerMessage | ServerMessage[]} */
    const message = JSON.parse(data);
    for (const m of Array.isArray(message) ? message : [message]) {
      if (m.t === "welcome") {
        clearTimeout(this.#timer);
        this.session = m.session;
        this.software = m.server ?? "";
        this.downSince = 0;
        this.reason = "";
        this.#set("open");
      }
      this.#owner.receive(m);
    }
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    if (this.#opened > 0 && performance.now() - this.#opened > proven) this.#tries = 0;
    this.#drop();
    this.reason = reason;
    this.code = code;
    this.downSince ||= performance.now();
    if (!retryable(code) && !(code === unauthorized && this.#owner.unauthorized())) {
      this.#set("refused");
      return;
    }
    // A hidden page waits until somebody looks; then its owner opens.
    if (!document.hidden) {
      this.#timer = setTimeout(() => this.open(), backoff(this.#tries++, Math.random()));
    }
    this.#set("waiting");
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#outbox = [];
    this.#opened = this.#asked = 0;
    this.doubt = false;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  /** @param {Phase} phase */
  #set(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.#owner.changed();
  }
}
