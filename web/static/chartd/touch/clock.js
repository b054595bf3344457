/**
 * Writes times as the chart's own axis does: in its zone, English months, 24
 * hours.
 */

/** @type {Intl.DateTimeFormatOptions} */
const minute = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

export class Clock {
  #zone = "";
  /** @type {Map<string, Intl.DateTimeFormat>} */
  #formats = new Map();
  #offset = 0;

  /**
   * @param {string} zone "Europe/Berlin", "+05:30"; "" is where the page is
   */
  set zone(zone) {
    if (zone === this.#zone) return;
    this.#zone = zone;
    this.#formats.clear();
    const m = /^([+-])(\d\d):(\d\d)$/.exec(zone);
    this.#offset = m ? Number(`${m[1]}1`) * (Number(m[2]) * 60 + Number(m[3])) * 60_000 : NaN;
  }

  /**
   * Writes a time as exactly as a px can tell.
   * @param {number} t ms
   * @param {number} perPx how many ms a px is
   * @param {number} now what is today
   */
  write(t, perPx, now) {
    const day = 86_400_000;
    if (perPx >= day) return this.#format("day", t);
    const fine = perPx < 50 ? "ms" : perPx < 30_000 ? "s" : "min";
    const dated = Math.abs(now - t) > day / 2 && this.#format("day", t) !== this.#format("day", now);
    return this.#format(dated ? `day ${fine}` : fine, t);
  }

  /**
   * @param {string} form
   * @param {number} t
   */
  #format(form, t) {
    let format = this.#formats.get(form);
    if (!format) {
      /** @type {Intl.DateTimeFormatOptions} */
      const options = {};
      if (form.includes("day")) Object.assign(options, { month: "short", day: "numeric", year: "numeric" });
      if (form !== "day") Object.assign(options, minute);
      if (form.endsWith("s")) options.second = "2-digit";
      if (form.endsWith("ms")) options.fractionalSecondDigits = 3;
      // Not every browser knows zones that are mere offsets.
      if (this.#offset === this.#offset) options.timeZone = "UTC";
      else if (this.#zone) options.timeZone = this.#zone;
      try {
        format = new Intl.DateTimeFormat("en-US", options);
      } catch {
        delete options.timeZone; // a zone that the browser does not know
        format = new Intl.DateTimeFormat("en-US", options);
      }
      this.#formats.set(form, format);
    }
    return format.format(t + (this.#offset || 0));
  }
}
