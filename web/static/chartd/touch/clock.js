/**
 * Writes times as the chart's own axis does: in its zone, English months, 24
 * hours.
 */

/** In ms. */
const minute = 60_000;
const day = 86_400_000;

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
   * Writes a time as exactly as a picture can tell it.
   * @param {number} t ms
   * @param {number} unit how many ms a unit of the picture is
   * @param {number} now what is today
   */
  write(t, unit, now) {
    // A decimal step that is no finer than the picture.
    const step = Math.max(1, 10 ** Math.ceil(Math.log10(unit) - 1e-9));
    /** @type {[string, number]} */
    const [fine, by] = step >= 1e8 ? ["", 1]
      : step >= 10_000 ? ["min", minute]
      : step >= 1000 ? ["s", 1000]
      : [`s${3 - Math.log10(step)}`, step];
    const at = Math.round(t / by) * by;
    const dated = fine === "" || Math.abs(now - at) > day / 2 && this.#format("day", at) !== this.#format("day", now);
    return this.#format(dated ? `day ${fine}` : fine, at);
  }

  /**
   * @param {string} form "day", or "min", or "s" and how many digits; or both
   * @param {number} t
   */
  #format(form, t) {
    let format = this.#formats.get(form);
    if (!format) {
      /** @type {Intl.DateTimeFormatOptions} */
      const options = {};
      const [, date, time] = /^(day ?)?(.*)$/.exec(form) ?? [];
      if (date) Object.assign(options, { month: "short", day: "numeric", year: "numeric" });
      if (time) Object.assign(options, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
      if (time?.startsWith("s")) options.second = "2-digit";
      const digits = Number(time?.slice(1));
      if (time?.startsWith("s") && digits > 0) options.fractionalSecondDigits = /** @type {1 | 2 | 3} */ (digits);
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
