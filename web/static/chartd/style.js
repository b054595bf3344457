/**
 * The element's own style, and the rules that pictures bring along. Both are
 * constructed sheets: they are shared by all charts of a page, and a strict
 * Content-Security-Policy has nothing against them.
 */
import { css as touch } from "./touch/touch.js";

/**
 * Lengths in rem grow with what a reader set the browser to, but many pages set
 * the root's font size for their own arithmetic: to 62.5 %, or to the window's
 * width. What they say counts between the browser's default and half as much again.
 * @param {string} css
 */
const legible = (css) => css.replace(/(-?[\d.]+)rem/g, "calc($1 * var(--rem))");

const own = sheet(`:host { --rem: clamp(16px, 1rem, 24px); }` + legible(`
:host {
  display: block;
  position: relative;
  aspect-ratio: 2;
  min-inline-size: 0;
  min-block-size: 0;
  /* What is in it never decides how large it is: that would go round in circles. */
  contain: strict;
  contain-intrinsic-size: 800px 400px;
  color-scheme: light dark;
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([hidden=""]), :host([hidden="until-found"]) { display: none; }
/* Pictures and words are written from left to right and as they stand, whatever
   the page around does to its text. What stands in the tag is the page's. */
#stage, #notice, #badge, #cross, #band, #tools, #legend, #replay, #vars, #told, .menu, .spoken {
  direction: ltr;
  writing-mode: horizontal-tb;
  text-align: start;
  text-indent: 0;
  text-transform: none;
  text-shadow: none;
  letter-spacing: normal;
  word-spacing: normal;
  word-break: normal;
  overflow-wrap: normal;
  hyphens: manual;
  white-space: normal;
  font-style: normal;
  font-variant: normal;
  font-weight: 400;
  font-stretch: normal;
  line-height: normal;
  text-anchor: start;
  dominant-baseline: auto;
  stroke: none;
}
#frame { position: relative; box-sizing: border-box; width: 100%; height: 100%; outline: none; border-radius: inherit; }
#frame:focus-visible { outline: 2px solid var(--chartd-focus, light-dark(#2f6fde, #6ea8ff)); outline-offset: -2px; }
#stage, svg { display: block; width: 100%; height: 100%; }
svg { overflow: hidden; }
#stage { transition: opacity .4s; }
#stage.clipped [data-k="p"] { clip-path: var(--clip-p); }
#stage.clipped [data-k="b"] { clip-path: var(--clip-b); }
:host([state="stale"]) #stage { opacity: .65; }
:host([state="lost"]) #stage { opacity: .35; }
#notice {
  position: absolute;
  inset: 0;
  display: none;
  align-content: center;
  margin: 0;
  padding: 1rem 1.25rem;
  overflow: hidden;
  text-align: center;
  text-wrap: balance;
  overflow-wrap: anywhere;
  font: 400 .875rem/1.4 system-ui, sans-serif;
  color: var(--chartd-muted, light-dark(#5b6675, #9aa6b5));
}
#notice::first-letter { text-transform: uppercase; }
slot { position: absolute; inset: 0; display: block; }
::slotted(img) { display: block; inline-size: 100%; block-size: 100%; object-fit: contain; }
.filled > slot, .barred > slot { display: none; }
.barred > #stage { visibility: hidden; }
#badge {
  position: absolute;
  inset-block-start: .5rem;
  inset-inline-end: .5rem;
  display: flex;
  align-items: center;
  gap: .375rem;
  max-inline-size: calc(100% - 1rem);
  padding: .125rem .5rem .125rem .4375rem;
  border-radius: 1rem;
  font: 500 .6875rem/1.25rem system-ui, sans-serif;
  letter-spacing: .01em;
  color: var(--chartd-muted, light-dark(#5b6675, #9aa6b5));
  background: color-mix(in srgb, currentColor 10%, var(--chartd-bg, light-dark(#fff, #141920))); /* a long title may lie below */
  pointer-events: none;
}
.told > #notice { display: block; }
.told > #badge { display: none; }
#word { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
#dot { flex: none; inline-size: .4375rem; block-size: .4375rem; border-radius: 50%; background: currentColor; }
:host([state="connecting"]) #dot { background: none; box-shadow: inset 0 0 0 1.5px currentColor; }
:host([state="live"]) #dot { background: light-dark(#1f9d63, #41c995); }
:host([state="live"]) .still > #dot { background: currentColor; border-radius: .125rem; }
:host([state="stale"]) #badge { color: light-dark(#7a4f00, #ffcf7d); background: light-dark(#fff1d6, #3a2c10); }
:host([state="lost"]) #badge { color: light-dark(#a3262d, #ffb0b3); background: light-dark(#fde7e8, #421c1f); }
.spoken {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
@media (prefers-contrast: more) {
  #badge { outline: 1px solid currentColor; }
  :host([state="stale"]) #stage, :host([state="lost"]) #stage { opacity: .85; }
}
@media (forced-colors: active) { #dot { forced-color-adjust: none; } }
@media (prefers-reduced-motion: reduce) { #stage { transition: none; } }
@media print {
  :host([theme]) { color-scheme: light; } /* paper is */
  #badge { display: none; }
}
${touch}`));

/** @type {Map<string, CSSStyleSheet>} */
const shared = new Map();

/**
 * Returns the sheets for an element that shows a picture with these rules. A
 * picture follows the system's colour scheme by itself; "light" or "dark"
 * decides for it.
 * @param {string} css
 * @param {string | null} theme
 */
export function sheets(css, theme) {
  if (css === "") return [own];
  const key = `${theme} ${css}`;
  let theirs = shared.get(key);
  if (!theirs) {
    if (shared.size >= 32) shared.clear(); // those in use stay with their elements
    shared.set(key, theirs = sheet(css));
    if (theme === "light" || theme === "dark") force(theirs, theme);
  }
  return [own, theirs];
}

/**
 * @param {CSSStyleSheet} sheet
 * @param {"light" | "dark"} theme
 */
function force({ cssRules }, theme) {
  for (const rule of cssRules) {
    if (!(rule instanceof CSSMediaRule)) continue;
    const asked = /prefers-color-scheme:\s*(light|dark)/.exec(rule.media.mediaText);
    if (asked) rule.media.mediaText = asked[1] !== theme ? "not all" : theme === "dark" ? "not print" : "all";
  }
}

/** @param {string} css */
function sheet(css) {
  const s = new CSSStyleSheet();
  s.replaceSync(css);
  return s;
}
