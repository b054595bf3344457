/**
 * A picture in the DOM: read once from a full, then changed by patches.
 *
 * What the server sends is parsed as XML, never as HTML, and cleaned of
 * everything that could run or load something, although the server escapes
 * every text itself: a page must not depend on that.
 *
 * @import { Op } from "./protocol.js"
 */

const SVG = "http://www.w3.org/2000/svg";

/** What a chart may consist of. Everything else is dropped, children and all. */
const elements = new Set([
  "svg", "g", "path", "rect", "line", "circle", "ellipse", "polyline", "polygon",
  "text", "tspan", "title", "desc", "defs", "clipPath", "metadata",
  "linearGradient", "radialGradient", "stop",
]);

/** A patch does not fit the picture; the picture is as it was before. */
export class PatchError extends Error {
  name = "PatchError";
}

/**
 * Parses markup that is well-formed XML.
 *
 * A <style> becomes <metadata>, which is not applied where it stands: a page
 * with a strict Content-Security-Policy would refuse it, and report that, even
 * here. Picture.css hands its rules on.
 * @param {string} text
 * @returns {Element} the root, still in a document of its own where nothing runs
 */
function parse(text) {
  const root = new DOMParser().parseFromString(text.replace(/<(\/?)style\b/g, "<$1metadata"), "image/svg+xml").documentElement;
  if (root.namespaceURI !== SVG || root.getElementsByTagName("parsererror").length > 0) {
    throw new PatchError("the server sent markup that is not SVG");
  }
  return root;
}

/**
 * Removes what has no place in a chart: foreign elements, scripts, event
 * attributes, inline styles, and references that leave the picture.
 * @param {Element} root
 */
function clean(root) {
  for (const el of [root, ...root.querySelectorAll("*")]) {
    if (el.namespaceURI !== SVG || !elements.has(el.localName)) {
      el.remove();
      continue;
    }
    for (const { name, localName, value } of [...el.attributes]) {
      const local = localName.toLowerCase();
      if (local.startsWith("on") || local === "style" || local === "href" && !value.startsWith("#")) {
        el.removeAttribute(name);
      }
    }
  }
}

/**
 * A patch made ready once for all the pictures that it changes: its markup is
 * parsed and clean.
 */
export class Patch {
  /** @param {Op[]} ops */
  constructor(ops) {
    /** @readonly */
    this.ops = ops;
    /** @type {(Element | undefined)[]} the markup of ops[i], if there is any */
    this.markup = [];
    const at = [];
    let text = "";
    for (let i = 0; i < ops.length; i++) {
      const op = /** @type {Op} */ (ops[i]);
      const code = op[0];
      if (code !== "s" && code !== "i") continue;
      at.push(i);
      text += `<g>${op[code === "s" ? 2 : 3]}</g>`;
    }
    if (at.length === 0) return;
    const root = parse(`<svg xmlns="${SVG}">${text}</svg>`);
    clean(root);
    const holders = [...root.children];
    for (const [n, i] of at.entries()) {
      const holder = holders[n];
      const el = holder?.firstElementChild;
      if (!el || holder.childNodes.length !== 1 || holders.length !== at.length) {
        throw new PatchError(`op ${i}: not one element`);
      }
      this.markup[i] = el;
    }
  }
}

/**
 * How a picture's time axis lies: the time x0 is at 0, xs units are a ms, its
 * data ends at right, and the whole picture is span wide; units.
 * @typedef {{x0: number, xs: number, right: number, span: number}} Axis
 */

/**
 * Reads the time axis off a picture.
 * @param {SVGSVGElement} root
 * @returns {Axis | null} null: time does not move in it
 */
function axisOf(root) {
  const { x0, xs: scale, rect } = root.dataset;
  const xs = Number(scale);
  if (!(xs > 0)) return null;
  const [x = 0, , width = 0] = (rect ?? "").split(" ").map(Number);
  return { x0: Number(x0), xs, right: x + width, span: root.viewBox.baseVal?.width || Infinity };
}

/** One copy of a view's picture. */
export class Picture {
  /** @param {SVGSVGElement} root clean and without an owner */
  constructor(root) {
    /** @readonly The element to show. */
    this.root = root;
    /** @type {Map<string, Element>} Elements by key; the root is "". */
    this.keys = new Map([["", root]]);
    this.#learn(root, []);
    /** @readonly No patch changes the root's own attributes, so this is read once. */
    this.axis = axisOf(root);
  }

  /**
   * Reads a full.
   * @param {string} svg
   */
  static parse(svg) {
    const root = parse(svg);
    clean(root);
    if (root.localName !== "svg") throw new PatchError("the server sent a picture that is not an <svg>");
    return new Picture(/** @type {SVGSVGElement} */ (document.importNode(root, true)));
  }

  /** Returns the same picture once more, for another place of the page. */
  clone() {
    return new Picture(/** @type {SVGSVGElement} */ (this.root.cloneNode(true)));
  }

  /** The rules that the picture brings along. */
  get css() {
    return Array.from(this.root.querySelectorAll("metadata"), (el) => el.textContent).join("\n");
  }

  /**
   * Changes the picture as the patch says, all of it or, with a PatchError,
   * nothing.
   * @param {Patch} patch
   */
  apply(patch) {
    /** @type {(() => void)[]} */
    const undo = [];
    const { ops, markup } = patch;
    try {
      for (let i = 0; i < ops.length; i++) this.#op(/** @type {Op} */ (ops[i]), markup[i], undo);
    } catch (err) {
      for (const step of undo.reverse()) step();
      throw err;
    }
  }

  /**
   * @param {Op} op
   * @param {Element | undefined} markup
   * @param {(() => void)[]} undo
   */
  #op(op, markup, undo) {
    const code = op[0];
    if (code === "i") {
      const parent = this.keys.get(String(op[2]));
      const before = op[1] === "" ? null : this.keys.get(String(op[1]));
      if (!markup || !parent || before === undefined || before && before.parentNode !== parent) {
        throw new PatchError(`no place before "${op[1]}" in "${op[2]}"`);
      }
      const el = /** @type {Element} */ (document.importNode(markup, true));
      this.#learn(el, undo);
      parent.insertBefore(el, before);
      undo.push(() => el.remove());
      return;
    }
    const key = String(op[1]);
    const el = this.keys.get(key);
    if (!el || key === "") throw new PatchError(`no element "${key}"`);
    switch (code) {
      case "a": {
        const d = el.getAttribute("d");
        const keep = (d?.length ?? 0) - Number(op[3] ?? 0);
        if (d === null || !(keep >= 0 && keep <= d.length)) throw new PatchError(`"${key}" is not a path that long`);
        el.setAttribute("d", d.slice(0, keep) + op[2]);
        undo.push(() => el.setAttribute("d", d));
        return;
      }
      case "t": {
        const transform = el.getAttribute("transform");
        if (el.localName !== "g" || transform === null) throw new PatchError(`"${key}" does not move`);
        el.setAttribute("transform", String(op[2]));
        undo.push(() => el.setAttribute("transform", transform));
        return;
      }
      case "x": {
        const text = el.textContent;
        if (el.firstElementChild) throw new PatchError(`"${key}" does not hold text alone`);
        el.textContent = String(op[2]);
        undo.push(() => { el.textContent = text; });
        return;
      }
      case "d": {
        const { parentNode, nextSibling } = el;
        this.#forget(el, undo);
        el.remove();
        undo.push(() => parentNode?.insertBefore(el, nextSibling));
        return;
      }
      case "s": {
        if (markup?.getAttribute("data-k") !== key) throw new PatchError(`"${key}" is replaced by something else`);
        const next = /** @type {Element} */ (document.importNode(markup, true));
        this.#forget(el, undo);
        this.#learn(next, undo);
        el.replaceWith(next);
        undo.push(() => next.replaceWith(el));
        return;
      }
      default:
        throw new PatchError(`unknown operation "${code}"`);
    }
  }

  /**
   * @param {Element} top
   * @param {(() => void)[]} undo
   */
  #learn(top, undo) {
    for (const el of keyed(top)) {
      const key = el.getAttribute("data-k") ?? "";
      if (this.keys.has(key)) throw new PatchError(`the key "${key}" is there twice`);
      this.keys.set(key, el);
      undo.push(() => this.keys.delete(key));
    }
  }

  /**
   * @param {Element} top
   * @param {(() => void)[]} undo
   */
  #forget(top, undo) {
    for (const el of keyed(top)) {
      const key = el.getAttribute("data-k") ?? "";
      this.keys.delete(key);
      undo.push(() => this.keys.set(key, el));
    }
  }
}

/**
 * The element and those below it that have a key.
 * @param {Element} top
 */
function* keyed(top) {
  if (top.hasAttribute("data-k")) yield top;
  if (top.firstElementChild) yield* top.querySelectorAll("[data-k]");
}
