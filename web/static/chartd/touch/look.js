/**
 * How the chart looks to who looks at it: as large as the screen, light or dark,
 * in whose time. Theme and size are the page's; the zone is part of the view, as
 * the server writes the times.
 *
 * @import { ChartHost } from "../host.js"
 * @import { Toolbar } from "./toolbar.js"
 */
import { Menu } from "./menu.js";

const icons = {
  look: "M2.75 4.5h6M12 4.5h1.25M2.75 11.5h1.25M7 11.5h6.25M10.5 3a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3ZM5.5 10a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Z",
  larger: "M3 6.25V3h3.25M9.75 3H13v3.25M13 9.75V13H9.75M6.25 13H3V9.75",
  smaller: "M6.25 3v3.25H3M13 6.25H9.75V3M9.75 13V9.75H13M3 9.75h3.25V13",
};

/** The zone that the browser is set to; "": it does not say. */
export function ownZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

export class Look {
  #host;
  #full;

  /**
   * @param {ChartHost} host
   * @param {Toolbar} toolbar
   * @param {AbortSignal} signal
   */
  constructor(host, toolbar, signal) {
    this.#host = host;
    const menu = new Menu(host, toolbar, { id: "look", label: "Look", icon: icons.look, order: 410, hidden: true }, () => this.#offer(), signal);
    this.#full = toolbar.add({
      id: "full", label: "Full screen (F)", icon: icons.larger, order: 420, pressed: false, hidden: !this.#able, run: () => this.#toggle(),
    });
    host.frame.addEventListener("keydown", (e) => {
      if (e.defaultPrevented || e.ctrlKey || e.altKey || e.metaKey || e.key.toLowerCase() !== "f" || !this.#able) return;
      e.preventDefault();
      this.#toggle();
    }, { signal });
    host.element.addEventListener("fullscreenchange", () => {
      const on = this.#on;
      this.#full.set({ pressed: on, icon: on ? icons.smaller : icons.larger, label: on ? "Leave full screen (F)" : "Full screen (F)" });
    }, { signal });
    const look = () => {
      if (menu.tool.hidden !== !host.picture) menu.tool.set({ hidden: !host.picture });
    };
    host.on("shown", look, signal);
    look();
  }

  get #able() {
    return document.fullscreenEnabled === true;
  }

  get #on() {
    return this.#host.element.matches(":fullscreen");
  }

  async #toggle() {
    try {
      if (this.#on) await document.exitFullscreen();
      else await this.#host.element.requestFullscreen();
    } catch (err) {
      this.#host.say(`no full screen: ${err instanceof Error ? err.message : err}`);
    }
  }

  #offer() {
    const { element, params, root } = this.#host;
    const theme = element.getAttribute("theme");
    /** @type {[string, string][]} */
    const themes = [["auto", "As the system"], ["light", "Light"], ["dark", "Dark"]];
    const offers = [{
      label: "Theme",
      entries: themes.map(([value, text]) => ({
        id: `theme-${value}`, text, checked: value === (theme === "light" || theme === "dark" ? theme : "auto"), run: () => this.#theme(value),
      })),
    }];
    if (root?.dataset["zone"] === undefined) return offers;
    const own = ownZone();
    const now = params.timezone ?? "";
    /** @type {[string, string, string][]} */
    const zones = [["server", "", "The chart's"], ["utc", "UTC", "UTC"]];
    if (own !== "" && own !== "UTC") zones.splice(1, 0, ["own", own, `Mine (${own})`]);
    else if (zones[1]) zones[1][2] = own === "UTC" ? "UTC, as mine" : "UTC";
    if (!zones.some(([, zone]) => zone === now)) zones.push(["set", now, now]);
    offers.push({
      label: "Time zone",
      entries: zones.map(([id, zone, text]) => ({ id: `zone-${id}`, text, checked: zone === now, run: () => this.#zone(zone) })),
    });
    return offers;
  }

  /** @param {string} theme */
  #theme(theme) {
    const { element, frame } = this.#host;
    // The page around may be of the other kind, and would shine through.
    frame.classList.toggle("toned", theme !== "auto");
    element.setAttribute("theme", theme);
    this.#host.say(theme === "auto" ? "theme as the system" : `theme ${theme}`);
  }

  /** @param {string} timezone */
  async #zone(timezone) {
    try {
      await this.#host.change({ timezone });
      this.#host.say(`times in ${timezone || "the chart's zone"}`);
    } catch (err) {
      this.#host.say(err instanceof Error ? err.message : String(err));
    }
  }
}

/** How it looks. */
export const css = `
#frame.toned { background: var(--chartd-bg, light-dark(#fff, #141920)); }
:host(:fullscreen) { aspect-ratio: auto; border-radius: 0; background: var(--chartd-bg, light-dark(#fff, #141920)); }
`;
