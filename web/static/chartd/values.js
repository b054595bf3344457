/**
 * What a picture shows now, in words.
 */

/**
 * @param {SVGSVGElement} root
 */
export function describe(root) {
  return root.querySelector("desc")?.textContent ?? "";
}
