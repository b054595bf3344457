/**
 * The box beside the pointer: a time, and the values of the series there. And
 * what stands under it: the line, and a dot on each series.
 *
 * @import { ChartHost } from "../host.js"
 */

/**
 * A row of the box.
 * @typedef {object} Row
 * @property {string} name
 * @property {string} text the value, written
 * @property {string} ink the class that has its colour; "": none
 * @property {number} x where the value is drawn, in px; NaN: nowhere
 * @property {number} y
 * @property {boolean} near the pointer means this one
 */

/** How far the box is from what it is about, in px. */
const away = 14;

/** How near to the element's edge it may come, in px. */
const rim = 4;

/** Above so many series only the ones nearest to the pointer are listed. */
const most = 16;

export class Readout {
  #host;
  /** @readonly */
  layer = document.createElement("div");
  #line = piece("div", "crosshair");
  #box = piece("div", "readout");
  #time = piece("div", "readout-time");
  #list = piece("div", "readout-rows");
  #more = piece("div", "readout-more");
  /** @type {{dot: HTMLElement, row: HTMLElement, swatch: HTMLElement, name: HTMLElement, value: HTMLElement, ink: string}[]} */
  #rows = [];
  #size = { width: 0, height: 0 };

  /**
   * @param {ChartHost} host
   * @param {AbortSignal} signal
   */
  constructor(host, signal) {
    this.#host = host;
    const { layer } = this;
    layer.id = "cross";
    layer.className = "chartd"; // the colours of the picture's rules
    layer.hidden = true;
    layer.setAttribute("aria-hidden", "true"); // what it says is spoken by itself
    this.#box.append(this.#time, this.#list, this.#more);
    layer.append(this.#line, this.#box);
    host.frame.append(layer);
    signal.addEventListener("abort", () => layer.remove(), { once: true });
  }

  get shown() {
    return !this.layer.hidden;
  }

  hide() {
    this.layer.hidden = true;
  }

  /**
   * @param {string} time
   * @param {Row[]} all
   * @param {{x: number, y: number, top: number, bottom: number, line: boolean}} at
   *   in px: where the box belongs, y NaN: at the top; the line is drawn at x, or not
   */
  show(time, all, at) {
    const { width, height } = this.#host.size;
    this.layer.hidden = false;
    const rows = choose(all, at.y, Math.max(1, Math.min(most, Math.floor((height - 40) / 17))));
    write(this.#time, time);
    this.#time.hidden = time === "";
    const left = all.length - rows.length;
    write(this.#more, left > 0 ? `and ${left} more` : "");
    this.#more.hidden = left === 0;
    this.#fill(rows);
    const line = this.#line.style;
    this.#line.hidden = !at.line;
    if (at.line) {
      line.transform = `translate(${at.x - 0.5}px,${at.top}px)`;
      line.height = `${at.bottom - at.top}px`;
    }
    // Measured after all is written, and before anything is moved: one layout.
    this.#size = { width: this.#box.offsetWidth, height: this.#box.offsetHeight };
    const box = this.#size;
    let x = at.x + away;
    if (x + box.width > width - rim) x = at.x - away - box.width;
    if (x < rim) x = at.x < width / 2 ? width - rim - box.width : rim;
    const wanted = at.y === at.y ? at.y - box.height / 2 : at.top + rim;
    const y = Math.max(rim, Math.min(wanted, height - rim - box.height));
    this.#box.style.transform = `translate(${Math.round(Math.max(rim, x))}px,${Math.round(y)}px)`;
  }

  /** @param {Row[]} rows */
  #fill(rows) {
    while (this.#rows.length < rows.length) this.#add();
    for (const [i, parts] of this.#rows.entries()) {
      const row = rows[i];
      parts.row.hidden = !row;
      const dotted = row !== undefined && row.x === row.x && row.y === row.y;
      parts.dot.hidden = !dotted;
      if (!row) continue;
      if (parts.ink !== row.ink) {
        parts.ink = row.ink;
        parts.dot.setAttribute("class", `dot ${row.ink}`);
        parts.swatch.setAttribute("class", `swatch ${row.ink}`);
      }
      parts.swatch.hidden = row.ink === "";
      write(parts.name, row.name);
      write(parts.value, row.text);
      parts.row.classList.toggle("near", row.near);
      if (dotted) parts.dot.style.transform = `translate(${row.x}px,${row.y}px)`;
    }
  }

  #add() {
    const dot = piece("div", "crosshair-dot");
    const row = piece("div", "readout-row");
    const swatch = document.createElement("i");
    const name = piece("span", "readout-name");
    const value = piece("span", "readout-value");
    row.append(swatch, name, value);
    this.#list.append(row);
    this.layer.insertBefore(dot, this.#box);
    dot.className = "dot";
    swatch.className = "swatch";
    this.#rows.push({ dot, row, swatch, name, value, ink: "" });
  }
}

/**
 * The rows that there is room for, in their order: those nearest to a height.
 * @param {Row[]} all
 * @param {number} y px
 * @param {number} room
 */
export function choose(all, y, room) {
  if (all.length <= room) return all;
  /** @param {Row} row */
  const far = (row) => (row.y === row.y ? Math.abs(row.y - y) : Infinity);
  const near = new Set([...all].sort((a, b) => (far(a) < far(b) ? -1 : far(a) > far(b) ? 1 : 0)).slice(0, room));
  return all.filter((row) => near.has(row));
}

/**
 * @param {string} tag
 * @param {string} part
 */
function piece(tag, part) {
  const el = document.createElement(tag);
  el.setAttribute("part", part);
  return el;
}

/**
 * @param {HTMLElement} el
 * @param {string} text
 */
function write(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

/** How it looks. */
export const css = `
#cross {
  position: absolute;
  inset: 0;
  z-index: 3;
  overflow: hidden;
  contain: strict;
  pointer-events: none;
  will-change: transform; /* a layer of its own: the picture below is not painted again */
}
#cross[hidden], #cross [hidden] { display: none; }
#cross > * { position: absolute; inset: 0 auto auto 0; }
[part="crosshair"] { inline-size: 1px; background: var(--chartd-muted, var(--muted, #5b6675)); }
#cross .dot {
  inline-size: .5rem;
  block-size: .5rem;
  margin: -.25rem;
  box-sizing: border-box;
  border: 1.5px solid var(--chartd-bg, var(--bg, #fff));
  border-radius: 50%;
  background: var(--c, currentColor);
}
[part="readout"] {
  box-sizing: border-box;
  max-inline-size: min(20rem, calc(100% - .5rem));
  padding: .375rem .5rem;
  border: 1px solid var(--chartd-grid, var(--grid, #e4e8ee));
  border-radius: .375rem;
  background: var(--chartd-bg, var(--bg, #fff));
  color: var(--chartd-fg, var(--fg, #1b2430));
  box-shadow: 0 2px 10px rgb(0 0 0 / .16);
  font-size: .75rem;
  line-height: 1.0625rem;
}
[part="readout-time"], [part="readout-more"] { color: var(--chartd-muted, var(--muted, #5b6675)); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
[part="readout-row"] { display: flex; align-items: center; gap: .375rem; white-space: nowrap; }
[part="readout-row"].near { font-weight: 600; }
#cross .swatch { flex: none; inline-size: .625rem; block-size: .25rem; border-radius: .125rem; background: var(--c, currentColor); }
[part="readout-name"] { flex: 1 1 auto; min-inline-size: 0; overflow: hidden; text-overflow: ellipsis; }
[part="readout-value"] { flex: none; margin-inline-start: .5rem; }
@media (forced-colors: active) {
  [part="crosshair"], #cross .swatch, #cross .dot { forced-color-adjust: none; }
}
@media print { #cross { display: none; } }
`;
