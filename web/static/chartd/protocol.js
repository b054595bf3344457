/**
 * The messages of chartd.v1, as types. pkg/wire/PROTOCOL.md says what they
 * mean; nothing here runs.
 */

/**
 * What a view differs in from its chart's default.
 * @typedef {object} ViewChange
 * @property {string | number} [window]
 * @property {number} [from] ms since the Unix epoch
 * @property {number} [to]
 * @property {{at?: number, since?: number, speed?: number}} [replay] {} is live again
 * @property {string[]} [hidden]
 * @property {[number, number]} [size] px
 * @property {string | number} [refresh]
 * @property {Record<string, string>} [vars]
 * @property {string} [title]
 * @property {{t: number, to?: number, text: string}[]} [marks]
 * @property {{at: number, level?: "note" | "warn" | "alarm", below?: boolean, text?: string}[]} [thresholds]
 * @property {string} [timezone] IANA name; "" is the chart's own
 * @property {boolean} [paused]
 */

/**
 * A frame's position.
 * @typedef {object} Pos
 * @property {string} e the epoch
 * @property {number} r the revision
 */

/**
 * One change to a picture: ["a",key,tail,drop?], ["t",key,transform],
 * ["s",key,markup], ["i",before,parent,markup], ["d",key], ["x",key,text].
 * @typedef {(string | number)[]} Op
 */

/** @typedef {{t: "full", v: string, e: string, r: number, svg: string}} Full */
/** @typedef {{t: "patch", v: string, e: string, b: number, r: number, o: Op[]}} PatchMessage */
/** @typedef {{t: "welcome", session: string, resumed: boolean, server?: string}} Welcome */
/** @typedef {{t: "ok", id: number, v?: string, view?: ViewChange, handled?: boolean, reply?: unknown}} Ok */
/** @typedef {{t: "error", id?: number, v?: string, code: string, message: string, temporary?: boolean}} Failure */
/** @typedef {{t: "event", v: string, event: string, cause: string, id?: number, arg?: unknown, error?: unknown, ms?: number}} HookEvent */

/** @typedef {Full | PatchMessage | Welcome | Ok | Failure | HookEvent} ServerMessage */

/** The WebSocket subprotocol. */
export const subprotocol = "chartd.v1";
