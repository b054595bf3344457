/**
 * Live charts from a chartd server:
 *
 *     <script type="module" src="/chartd.js"></script>
 *     <chartd-chart src="cpu"></chartd-chart>
 *
 * Attributes, all of which may change at any time:
 *
 *     src       the chart's name
 *     server    the server's address; without it, where this script came from
 *     link      a signed link to this chart, where the server wants to know who asks
 *     token     a token instead; the property of the same name is the better place
 *     window    what the time axis spans: 90s, 5m, 1h30m, 7d; a bare number is ms
 *     from, to  a fixed range instead: ms since 1970, or an ISO 8601 time
 *     refresh   time between two frames; 0: only when a callback asks
 *     hide      series to leave out: "idle, steal", or a JSON list
 *     vars      the chart's variables: "host=web1; disk=sda", or a JSON object
 *     timezone  that of the time axis: "Europe/Berlin", or "viewer" for the browser's own
 *     replay    a clock of its own: {"at":1700000000000,"speed":10}
 *     size      "800x400"; without it, the room that there is, as CSS gives it
 *     theme     light or dark; without it, as the system
 *     label     the accessible name; without it, the chart's title
 *     controls  none: without the row of buttons
 *     events    asks for the events below when nobody listens on the element itself
 *     state     is set here: connecting, live, stale, lost
 *
 * chart.callback(arg) raises the chart's RefreshCallback on the server and
 * returns a promise of {handled, reply}. With id="Chart1" on the tag,
 * Chart1.callback("MyCustomArgs") does as it stands.
 *
 * import { auth } from "/chartd.js" and auth(async () => token) say who the page
 * is to servers that want to know: see chartd/credential.js.
 *
 * Events: statechange; and around every callback, by a tick or by a client,
 * beforecallback, aftercallback, beforecallbackresponseprocess (before the
 * frame is in the page) and aftercallbackresponseprocess (after it is), whose
 * detail is {cause, arg, error, ms, id}. They bubble. There are on-properties.
 *
 * Style: ::part(frame), ::part(stage), ::part(badge), ::part(notice), ::part(toolbar), ::part(tool),
 * ::part(readout), ::part(crosshair), ::part(selection), and the variables
 * --chartd-fg, -muted, -grid, -bg, -c0 to -c7, -font and -focus. What stands in
 * the tag, such as an <img>, is shown until there is a picture.
 */
// All of the modules, so that a browser fetches them at once and not one behind
// the other.
import "./chartd/attention.js";
import "./chartd/attributes.js";
import "./chartd/clip.js";
import "./chartd/connection.js";
import "./chartd/glide.js";
import "./chartd/host.js";
import "./chartd/pass.js";
import "./chartd/patch.js";
import "./chartd/protocol.js";
import "./chartd/reflected.js";
import "./chartd/seat.js";
import "./chartd/speech.js";
import "./chartd/state.js";
import "./chartd/status.js";
import "./chartd/style.js";
import "./chartd/subscriptions.js";
import "./chartd/touch/clock.js";
import "./chartd/touch/crosshair.js";
import "./chartd/touch/gestures.js";
import "./chartd/touch/legend.js";
import "./chartd/touch/lens.js";
import "./chartd/touch/lines.js";
import "./chartd/touch/link.js";
import "./chartd/touch/look.js";
import "./chartd/touch/menu.js";
import "./chartd/touch/pace.js";
import "./chartd/touch/path.js";
import "./chartd/touch/range.js";
import "./chartd/touch/reading.js";
import "./chartd/touch/readout.js";
import "./chartd/touch/replay.js";
import "./chartd/touch/stretch.js";
import "./chartd/touch/takeaway.js";
import "./chartd/touch/time.js";
import "./chartd/touch/toolbar.js";
import "./chartd/touch/touch.js";
import "./chartd/touch/vars.js";
import "./chartd/touch/zoom.js";
import "./chartd/units.js";
import "./chartd/values.js";
import "./chartd/view.js";
import { CallbackError } from "./chartd/callback.js";
import { auth } from "./chartd/credential.js";
import { ChartElement } from "./chartd/element.js";
import { home, Server } from "./chartd/server.js";

if (!customElements.get("chartd-chart")) customElements.define("chartd-chart", ChartElement);

export { auth, CallbackError, ChartElement, home, Server };

/**
 * For TypeScript.
 * @typedef {import("./chartd/reflected.js").ChartEvents} ChartEvents
 * @typedef {import("./chartd/callback.js").CallbackResult} CallbackResult
 * @typedef {import("./chartd/protocol.js").ViewChange} ViewChange
 * @typedef {import("./chartd/state.js").State} State
 */
