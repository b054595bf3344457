/**
 * Clips a picture as its own clip paths do, by shapes of the style instead.
 * Chromium keeps styles for elements to come, and with one that refers to a
 * clip path the whole document of that: each chart that left the page.
 */

/** The groups that are clipped: the data with the times below, and the data. */
const groups = /** @type {const} */ (["p", "b"]);

/** A browser that does not know such shapes goes on with the references. */
const known = CSS.supports("clip-path", 'path("M0 0") view-box');

/**
 * @param {HTMLElement} stage
 * @param {SVGSVGElement} root the picture that it will show
 */
export function clip(stage, root) {
  const shapes = groups.map((key) => {
    const id = /^url\(#([\w-]+)\)$/.exec(root.querySelector(`[data-k="${key}"]`)?.getAttribute("clip-path") ?? "")?.[1];
    const d = id && root.querySelector(`#${CSS.escape(id)} path`)?.getAttribute("d");
    return d && /^[MHVZ\d -]+$/.test(d) ? d : "";
  });
  const all = known && shapes.every((d) => d !== "");
  stage.classList.toggle("clipped", all);
  if (!all) return;
  for (const [i, key] of groups.entries()) stage.style.setProperty(`--clip-${key}`, `path("${shapes[i]}") view-box`);
}
