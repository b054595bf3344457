/**
 * What one server is shown: the token of a credential, and when to ask for the
 * next.
 *
 * @import { Credential } from "./credential.js"
 */
import { expiry } from "./credential.js";

/** A new token is asked for this long before the old one ends, or when a fifth of its time is left; ms. */
const ahead = 60_000;

/** The least time between two questions to the provider, and the longest timer there is; ms. */
const least = 2_000;
const most = 2 ** 31 - 1;

/**
 * How long to wait before another token is asked for, in ms; Infinity: nothing
 * says that this one ends.
 * @param {number} end when it ends, in ms since 1970
 * @param {number} now
 */
export function due(end, now) {
  if (Number.isNaN(end)) return Infinity;
  const left = end - now;
  return Math.max(least, left - Math.min(ahead, left / 5));
}

export class Pass {
  #credential;
  #server;
  #renewed;
  #timer = 0;
  #shown = "";
  #refused = false;
  /** It was refused once since the server last took it. */
  #second = false;

  /**
   * @param {Credential} credential
   * @param {string} server its address
   * @param {() => void} renewed there may be another token: show it
   */
  constructor(credential, server, renewed) {
    this.#credential = credential;
    this.#server = server;
    this.#renewed = renewed;
    credential.addEventListener("change", () => {
      this.#second = false;
      renewed();
    });
  }

  /** The token that is shown; "": none. */
  get shown() {
    return this.#shown;
  }

  /** The token to show; null: none but the one that was refused. */
  async token() {
    const refused = this.#refused;
    const token = await this.#credential.token({ server: this.#server, refused });
    if (refused && token === this.#shown) return null;
    this.#refused = false;
    this.#shown = token;
    return token;
  }

  /**
   * Another token than the one that is shown, for a connection that is open.
   * @returns {Promise<string | null>} null: it is the same; "": there is none any more
   */
  async next() {
    const token = await this.#credential.token({ server: this.#server, refused: false });
    if (token === this.#shown) {
      this.taken();
      return null;
    }
    this.#shown = token;
    return token;
  }

  /** The server took the token. */
  taken() {
    clearTimeout(this.#timer);
    this.#second = false;
    const wait = this.#credential.renews ? due(expiry(this.#shown), Date.now()) : Infinity;
    if (wait < most) this.#timer = setTimeout(this.#renewed, wait);
  }

  /**
   * The server refused the token.
   * @returns {boolean} another may do: ask again
   */
  refused() {
    this.rest();
    const again = this.#credential.renews && !this.#second;
    this.#refused = this.#second = true;
    return again;
  }

  /** The connection is over. */
  rest() {
    clearTimeout(this.#timer);
  }
}
