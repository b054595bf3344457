/** How a wall is laid out. */

/**
 * What an address asks for: "?charts=cpu,mem&columns=2&rotate=30&title=Hall".
 * @param {URLSearchParams} query
 */
export function wishes(query) {
  const list = (query.get("charts") ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  const links = query.getAll("link");
  const opened = links.map(chartOf);
  const columns = Math.trunc(Number(query.get("columns")));
  const rotate = Number((query.get("rotate") ?? "").replace(/s$/, ""));
  const each = Math.trunc(Number(query.get("each")));
  return {
    /** [] is all of them. */
    charts: [...new Set(list.length > 0 || opened.includes("") ? list : opened)],
    /** Signed links; each opens one chart. */
    links: new Map(links.map((link, i) => [opened[i] ?? "", link])),
    /** 0: as many as fit best. */
    columns: columns >= 1 ? Math.min(columns, 12) : 0,
    /** How long a page of charts is shown, in ms; 0: all charts are on one. */
    rotate: rotate > 0 ? Math.max(rotate, 2) * 1000 : 0,
    /** How many charts a page has. */
    each: each >= 1 ? each : 4,
    title: query.get("title") ?? "",
  };
}

/**
 * The chart that a signed link opens, which the server alone can say for sure;
 * "": it is not known.
 * @param {string} link
 */
function chartOf(link) {
  try {
    const { c } = JSON.parse(atob((/^chartd1_([\w-]+)\./.exec(link)?.[1] ?? "").replace(/-/g, "+").replace(/_/g, "/")));
    return typeof c === "string" ? c : "";
  } catch {
    return "";
  }
}

/**
 * How many columns so many charts take, so that each is as large as may be in a
 * shape of about two to one.
 * @param {number} n
 * @param {number} width
 * @param {number} height
 */
export function columnsFor(n, width, height) {
  let best = 1, most = 0;
  for (let columns = 1; columns <= Math.max(1, n); columns++) {
    const w = width / columns, h = height / Math.ceil(n / columns);
    const size = Math.min(w, 2 * h) * Math.min(1, w / 160);
    if (size > most * 1.001) [best, most] = [columns, size];
  }
  return best;
}

/**
 * The charts of one page.
 * @template T
 * @param {T[]} all
 * @param {number} each
 * @param {number} page counts on for ever
 */
export function pageOf(all, each, page) {
  const pages = Math.max(1, Math.ceil(all.length / each));
  const at = page % pages;
  return { charts: all.slice(at * each, (at + 1) * each), at, pages };
}
