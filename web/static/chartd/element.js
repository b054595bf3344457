/**
 * <chartd-chart src="cpu">: a live chart in a page.
 *
 * @import { HookEvent, ViewChange } from "./protocol.js"
 * @import { Picture } from "./patch.js"
 * @import { State, Verdict } from "./state.js"
 * @import { CallbackResult } from "./callback.js"
 * @import { ChartEvents } from "./reflected.js"
 */
import { ask, fixedSize, quantise, viewAttributes } from "./attributes.js";
import { CallbackError, Unseated } from "./callback.js";
import { clip } from "./clip.js";
import { Credential } from "./credential.js";
import { Glide } from "./glide.js";
import { ChartHost } from "./host.js";
import { ownEvents, ReflectedElement } from "./reflected.js";
import { Seat } from "./seat.js";
import { home, Server } from "./server.js";
import { Speech } from "./speech.js";
import { judge } from "./state.js";
import { Status } from "./status.js";
import { sheets } from "./style.js";
import { words } from "./touch/time.js";
import { Touch } from "./touch/touch.js";
import { keyOf } from "./view.js";

/** @type {ReadonlySet<string>} The events around a callback. */
const hooks = new Set(ownEvents.filter((type) => type.includes("callback")));

/** How long the room must have been the same before another size is asked for, in ms. */
const settle = 150;

const template = document.createElement("template");
// Without the breaks between tags: where the page keeps white space they would take room.
template.innerHTML = `
<div id="frame" part="frame" role="figure" tabindex="0" aria-labelledby="name" aria-describedby="now">
  <div id="stage" part="stage" aria-hidden="true"></div>
  <p id="notice" part="notice"></p>
  <slot></slot>
  <div id="badge" part="badge"><span id="dot" aria-hidden="true"></span><span id="word"></span></div>
  <span id="name" class="spoken"></span>
  <span id="now" class="spoken"></span>
  <span id="said" class="spoken" aria-live="polite"></span>
</div>`.replace(/\n */g, "");

/**
 * Fires statechange; and, when somebody listens to them on the element itself
 * or it has the attribute "events", the four events around callbacks.
 */
export class ChartElement extends ReflectedElement {
  static observedAttributes = ["src", "server", "token", "link", "size", "label", "events", "theme", ...viewAttributes];

  #shadow;
  #stage;
  #speech;
  #status;
  #glide = new Glide();
  /** @type {Picture | null} What is seen. */
  #picture = null;
  /** @type {Seat | null} What it is a picture of. */
  #seat = null;
  /** @type {Seat | null} What takes its place as soon as there is a picture. */
  #next = null;
  /** @type {ViewChange} */
  #wanted = {};
  #events = false;
  /** @type {{width: number, height: number} | null} */
  #room = null;
  #resizing = 0;
  /** @type {string | null} The token that was set as a property. */
  #token = null;
  #host;
  /** @type {Touch | null} While it is in the page. */
  #touch = null;
  #observer = new ResizeObserver((entries) => this.#measured(entries));
  #sight = new IntersectionObserver((entries) => {
    this.#glide.enabled = entries.at(-1)?.isIntersecting ?? true;
  });

  constructor() {
    super();
    this.#shadow = this.attachShadow({ mode: "open", delegatesFocus: true });
    this.#shadow.append(template.content.cloneNode(true));
    this.#shadow.adoptedStyleSheets = sheets("", null);
    this.#stage = this.#part("stage");
    this.#speech = new Speech(this.#shadow);
    this.#status = new Status(this, this.#shadow, this.#speech, () => this.#verdict());
    this.#host = new ChartHost(this, this.#shadow, {
      picture: () => this.#picture,
      params: () => (this.#next ?? this.#seat)?.view?.params ?? this.#wanted,
      change: (change) => this.#change(change),
      get: async (path, signal) => (await this.#seated()).server.get(path, signal),
      say: (text) => this.#speech.tell(text),
      edge: () => this.#glide.edge,
      gliding: () => this.#glide.running,
      hold: (held) => { this.#glide.held = held; },
    });
  }

  connectedCallback() {
    this.adopt(["token"]);
    this.#touch ??= new Touch(this.#host);
    this.#wanted = this.#asked();
    this.#observer.observe(this);
    this.#sight.observe(this);
    if (this.#room) this.#subscribe(); // it was moved
    if (!this.hasAttribute("state")) this.#status.say({ state: "connecting", text: "connecting", barred: false });
    this.#name();
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    this.#sight.disconnect();
    clearTimeout(this.#resizing);
    this.#status.rest();
    this.#touch?.dispose();
    this.#touch = null;
    this.#leave();
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (name === "theme") return this.#paint();
    if (name === "label") return this.#name();
    if (!this.isConnected) return;
    if (name === "src" || name === "server") {
      this.#wanted = this.#asked();
    } else if (viewAttributes.includes(name)) {
      ask(this.#wanted, name, now);
    }
    this.#subscribe();
  }

  /**
   * What this chart shows its server instead of what the page's provider gives:
   * a token, or a signed link. It is not reflected in an attribute.
   */
  get token() {
    return this.#token ?? this.getAttribute("token") ?? this.getAttribute("link") ?? "";
  }

  set token(token) {
    this.#token = token === null || token === undefined ? null : String(token);
    if (this.isConnected) this.#subscribe();
  }

  /** @returns {State} */
  get state() {
    return this.#status.state;
  }

  /** How what is shown differs from the chart's default: a copy. */
  get view() {
    return structuredClone((this.#next ?? this.#seat)?.view?.params ?? this.#wanted);
  }

  /**
   * Raises the chart's RefreshCallback on the server.
   * @param {unknown} [arg] any JSON; what the handler finds as its argument
   * @returns {Promise<CallbackResult>} resolved when the answer is in the page;
   *   rejected with an Error with a code
   */
  async callback(arg) {
    return (await this.#raise((seat) => seat.server.callback(seat, arg))).result;
  }

  /** @param {ViewChange} change */
  async #change(change) {
    for (;;) {
      const { seat, result } = await this.#raise((at) => at.server.change(at, change));
      // A view of another size took its place meanwhile, and knows nothing of it.
      if (seat === (this.#next ?? this.#seat)) return result;
    }
  }

  /** @param {(seat: Seat) => Promise<CallbackResult>} ask */
  async #raise(ask) {
    for (;;) {
      const seat = await this.#seated();
      try {
        return { seat, result: await ask(seat) };
      } catch (err) {
        if (!(err instanceof Unseated)) throw err; // otherwise another view took its place
      }
    }
  }

  /** The seat that a callback is raised from. */
  async #seated() {
    if (!this.#next && !this.#seat) {
      await measured();
      if (!this.#next && !this.#seat) this.#subscribe(true);
    }
    const seat = this.#next ?? this.#seat;
    if (!seat) throw new CallbackError("disconnected", "the chart is not in the page, or has no src", false);
    return seat;
  }

  /**
   * @template {keyof ChartEvents} K
   * @overload
   * @param {K} type
   * @param {(this: ChartElement, event: ChartEvents[K]) => unknown} listener
   * @param {boolean | AddEventListenerOptions} [options]
   * @returns {void}
   */
  /**
   * @template {Exclude<keyof HTMLElementEventMap, keyof ChartEvents>} K
   * @overload
   * @param {K} type
   * @param {(this: ChartElement, event: HTMLElementEventMap[K]) => unknown} listener
   * @param {boolean | AddEventListenerOptions} [options]
   * @returns {void}
   */
  /**
   * @overload
   * @param {string} type
   * @param {EventListenerOrEventListenerObject | null} listener
   * @param {boolean | AddEventListenerOptions} [options]
   * @returns {void}
   */
  /**
   * @param {string} type
   * @param {EventListenerOrEventListenerObject | null} listener
   * @param {boolean | AddEventListenerOptions} [options]
   */
  addEventListener(type, listener, options) {
    if (!listener) return;
    super.addEventListener(type, listener, options);
    if (!hooks.has(type) || this.#events) return;
    this.#events = true;
    if (this.#seat || this.#next) this.#subscribe();
  }

  /** @param {string} id */
  #part(id) {
    return /** @type {HTMLElement} */ (this.#shadow.getElementById(id));
  }

  /** What the attributes ask for. */
  #asked() {
    /** @type {ViewChange} */
    const view = {};
    for (const name of viewAttributes) {
      if (this.hasAttribute(name)) ask(view, name, this.getAttribute(name));
    }
    return view;
  }

  /**
   * Watches what is wanted. What is seen stays until there is something to take
   * its place.
   * @param {boolean} [unseen] also when it is not displayed
   */
  #subscribe(unseen = false) {
    const { src } = this;
    if (!this.isConnected) return;
    const size = fixedSize(this.getAttribute("size")) ?? (this.#room && quantise(this.#room.width, this.#room.height));
    if (src === "" || !size && !unseen) {
      if (src === "") this.#leave();
      return;
    }
    if (size) this.#wanted.size = size;
    const server = Server.at(new URL(this.getAttribute("server") || home, location.href).href, Credential.of(this.token));
    const events = this.#events || this.hasAttribute("events");
    const next = this.#next;
    const key = keyOf(src, this.#wanted);
    const there = [next, this.#seat].find((seat) => seat?.server === server && seat.view?.key === key);
    if (there) {
      if (events) server.listen(there);
      if (there === next) return;
      this.#next = null; // wanted again what is seen
    } else {
      const seat = new Seat(server, this.#face);
      this.#next = seat; // it may have a picture at once
      server.watch(seat, src, { ...this.#wanted }, events);
    }
    if (next) next.server.leave(next);
    this.#judge();
  }

  #leave() {
    for (const seat of [this.#seat, this.#next]) seat?.server.leave(seat);
    this.#seat = this.#next = null;
  }

  /** How the views of this element see it. */
  #face = {
    /** @type {(seat: Seat, picture: Picture) => void} */
    show: (seat, picture) => {
      if (seat === this.#next) {
        this.#seat?.server.leave(this.#seat);
        this.#seat = seat;
        this.#next = null;
      }
      if (seat === this.#seat) this.#show(picture);
    },
    /** @type {(seat: Seat) => void} */
    moved: (seat) => {
      if (seat === this.#seat) this.#moved();
    },
    /** @type {(seat: Seat, event: HookEvent) => void} */
    fire: (seat, event) => {
      if (seat === (this.#next ?? this.#seat)) this.#fire(event);
    },
    /** @type {(seat: Seat) => void} */
    altered: (seat) => {
      if (seat !== (this.#next ?? this.#seat)) return;
      const { size } = this.#wanted;
      this.#wanted = { ...seat.view?.params };
      if (size && String(this.#wanted.size) !== String(size)) this.#subscribe();
      this.#host.tell("altered");
    },
    changed: () => this.#judge(),
  };

  /** @param {Picture} picture */
  #show(picture) {
    this.#picture = picture;
    this.#glide.clock = this.#seat?.view?.params.replay;
    this.#paint();
    clip(this.#stage, picture.root);
    this.#stage.replaceChildren(picture.root);
    this.#part("frame").classList.add("filled");
    this.#name();
    this.#host.tell("shown");
    this.#moved();
    this.#judge();
  }

  #moved() {
    if (!this.#picture) return;
    this.#glide.follow(this.#picture);
    this.#speech.moved();
    this.#host.tell("moved");
  }

  #paint() {
    const css = this.#picture?.css ?? "";
    const next = sheets(css, this.getAttribute("theme"));
    if (next.some((sheet, i) => sheet !== this.#shadow.adoptedStyleSheets[i])) this.#shadow.adoptedStyleSheets = next;
  }

  /** @param {HookEvent} event */
  #fire({ event, cause, arg, error, ms, id }) {
    const type = event.toLowerCase();
    if (!hooks.has(type)) return;
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true, detail: { cause, arg, error, ms, id } }));
  }

  #name() {
    this.#speech.call(this.getAttribute("label"), this.src, this.#picture);
  }

  /** @param {ResizeObserverEntry[]} entries */
  #measured(entries) {
    const box = entries.at(-1)?.contentRect;
    const first = !this.#room;
    this.#room = box && box.width > 0 && box.height > 0 ? { width: box.width, height: box.height } : null;
    if (!this.#room) return;
    this.#glide.width = this.#room.width;
    this.#host.tell("sized");
    clearTimeout(this.#resizing);
    if (first) this.#subscribe();
    else this.#resizing = setTimeout(() => this.#resize(), settle);
  }

  #resize() {
    if (this.#room && String(quantise(this.#room.width, this.#room.height)) !== String(this.#wanted.size)) this.#subscribe();
  }

  #judge() {
    this.#status.look();
  }

  /** @returns {Verdict | null} */
  #verdict() {
    const { view: shown } = this.#seat ?? {};
    const { view, server } = this.#next ?? this.#seat ?? {};
    if (!view || !server) return null;
    return judge({
      phase: server.phase,
      reason: server.reason,
      doubt: server.doubt,
      down: server.down,
      picture: this.#picture !== null,
      current: shown?.current ?? false,
      overdue: shown?.overdue(performance.now()) ?? false,
      paused: view.params.paused ?? false,
      clock: words(view.params, this.#picture?.root.dataset["zone"] ?? ""),
      fixed: (view.params.to ?? 0) > 0,
      refused: view.refused,
      barred: view.barred,
      trouble: view.trouble,
    });
  }
}

/** Resolves when what is displayed has been measured; a hidden page measures nothing. */
function measured() {
  return new Promise((resolve) => {
    setTimeout(resolve, 100);
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  });
}
