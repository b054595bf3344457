/**
 * Who a page is to its servers: a token that stands on an element, or whatever
 * the page's own provider gives when it is asked. No token is written into an
 * attribute, an address or the console here.
 */

/**
 * What a provider is told: the address of the server that the token is for, and
 * whether the server has refused the last one.
 * @typedef {{server: string, refused: boolean}} Asked
 */

/**
 * Gives a token; "", null or undefined: there is none.
 * @typedef {(asked: Asked) => string | null | undefined | Promise<string | null | undefined>} Provider
 */

/** Fires "change" when it may give another token than before. */
export class Credential extends EventTarget {
  /** @type {Provider | null} */
  #provider;

  /**
   * @param {string} key tells it from the others of the page
   * @param {Provider | null} provider
   */
  constructor(key, provider) {
    super();
    /** @readonly */
    this.key = key;
    this.#provider = provider;
  }

  /** Asking again may give another token. */
  get renews() {
    return this.key === "" && this.#provider !== null;
  }

  /** @param {Provider | null} provider */
  provide(provider) {
    this.#provider = provider;
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {Asked} asked
   * @returns {Promise<string>} "": there is none
   */
  async token(asked) {
    return (await this.#provider?.(asked)) ?? "";
  }

  /** That of every chart without a token of its own. */
  static page = new Credential("", null);

  /**
   * The credential that is one token.
   * @param {string} token
   */
  static of(token) {
    return token === "" ? Credential.page : new Credential(token, () => token);
  }
}

/**
 * Says where this page's tokens come from. The provider is asked when a
 * connection begins, before a JSON Web Token expires, and once after a server
 * refused; a token that it gives while the socket is open is taken over there.
 * To sign in as somebody else, call it again; null forgets everything.
 * @param {Provider | null} provider
 */
export function auth(provider) {
  Credential.page.provide(provider);
}

/**
 * When a JSON Web Token ends, in ms since 1970; NaN: it is none, or does not
 * say. The server alone decides whether it is good.
 * @param {string} token
 */
export function expiry(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return NaN;
  try {
    const bytes = Uint8Array.from(atob((parts[1] ?? "").replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const { exp } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof exp === "number" ? exp * 1000 : NaN;
  } catch {
    return NaN;
  }
}
