/**
 * Shows a chart's state in its place: on a badge, in plain words where there is
 * no picture, and to who listens.
 *
 * @import { Speech } from "./speech.js"
 * @import { State, Verdict } from "./state.js"
 */

/** A state that lasts shorter than this is not shown, in ms: a blip passes unseen. */
const blip = 600;

export class Status {
  #host;
  #shadow;
  #speech;
  #judge;
  #settling = 0;
  /** @type {State} */
  state = "connecting";

  /**
   * @param {HTMLElement} host
   * @param {ShadowRoot} shadow that of its template
   * @param {Speech} speech
   * @param {() => Verdict | null} judge how things are; null: there is nothing to judge
   */
  constructor(host, shadow, speech, judge) {
    this.#host = host;
    this.#shadow = shadow;
    this.#speech = speech;
    this.#judge = judge;
  }

  /** Something changed that the state may depend on. */
  look() {
    const verdict = this.#judge();
    if (!verdict) return;
    if (verdict.state === "stale" && this.state === "live") {
      this.#settling ||= setTimeout(() => {
        this.#settling = 0;
        const later = this.#judge();
        if (later) this.say(later);
      }, blip);
      return;
    }
    this.rest();
    this.say(verdict);
  }

  /** Waits no longer for a blip to pass. */
  rest() {
    clearTimeout(this.#settling);
    this.#settling = 0;
  }

  /** @param {Verdict} verdict */
  say({ state, text, barred }) {
    // What does not move is as it should be, but nobody calls it live.
    const still = state === "live" && text !== "";
    const full = still ? text : text && text !== state ? `${state}: ${text}` : state;
    this.#part("badge").classList.toggle("still", still);
    const word = this.#part("word");
    if (word.textContent !== full) {
      word.textContent = full;
      this.#part("badge").title = full;
    }
    // In place of a picture, and of what the page put there to be shown until there is one, unless it may not be seen.
    const frame = this.#part("frame");
    const bare = !frame.classList.contains("filled") && !this.#host.firstElementChild;
    const notice = state === "lost" && (barred || bare) ? text : "";
    if (this.#part("notice").textContent !== notice) this.#part("notice").textContent = notice;
    frame.classList.toggle("told", notice !== "");
    frame.classList.toggle("barred", barred);
    if (state === this.state && this.#host.hasAttribute("state")) return;
    const before = this.state;
    this.state = state;
    this.#host.setAttribute("state", state);
    // Only bad news, and their end, are worth interrupting a reader.
    const bad = state === "stale" || state === "lost";
    if (bad || before === "stale" || before === "lost") this.#speech.tell(`${this.#speech.name}: ${full}`);
    this.#host.dispatchEvent(new CustomEvent("statechange", { bubbles: true, composed: true, detail: { state, before, text } }));
  }

  /** @param {string} id */
  #part(id) {
    return /** @type {HTMLElement} */ (this.#shadow.getElementById(id));
  }
}
