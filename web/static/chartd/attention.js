/**
 * Whether anybody looks at the page: a hidden one stops watching after a while,
 * and comes back at once when somebody looks again.
 */

/** How long a hidden page goes on watching, in ms. */
const linger = 2_000;

/**
 * @typedef {object} Watcher
 * @property {(paused: boolean) => void} hold stop, or go on
 * @property {() => void} look somebody looks again, before hold
 * @property {() => void} wake somebody may be looking, or the network be back: connect if that is missing
 */

export class Attention {
  #watcher;
  #timer = 0;
  #paused = false;
  #over = new AbortController();

  /** @param {Watcher} watcher */
  constructor(watcher) {
    this.#watcher = watcher;
    const { signal } = this.#over;
    document.addEventListener("visibilitychange", () => this.#changed(), { signal });
    addEventListener("pageshow", () => watcher.wake(), { signal });
    addEventListener("online", () => watcher.wake(), { signal });
  }

  /** Nobody watches any more, nor will. */
  end() {
    clearTimeout(this.#timer);
    this.#over.abort();
  }

  /** The server knows nothing of a pause: it is a new connection. */
  begin() {
    this.#paused = false;
    if (document.hidden) this.#rest();
  }

  #changed() {
    clearTimeout(this.#timer);
    if (document.hidden) {
      this.#rest();
      return;
    }
    this.#watcher.look();
    this.#hold(false);
    this.#watcher.wake();
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#hold(true), linger);
  }

  /** @param {boolean} paused */
  #hold(paused) {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#watcher.hold(paused);
  }
}
