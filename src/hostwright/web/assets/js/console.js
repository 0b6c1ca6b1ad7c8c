// A server's screen, loaded on demand. <section data-console="URL of its tickets">, with [data-screen] for the picture,
// #console-state for how it stands and <script id="console-words"> for what is said. A ticket opens one WebSocket, once,
// and travels as its subprotocol; where the screen is and its password never come here.
import RFB from "@novnc/novnc";
import { all, cookie, one } from "./dom.js";

const PROTOCOL = "hostwright.console";
const CLOSED = { 1012: "restart", 4001: "gone", 4002: "idle", 4003: "over", 4004: "unreachable", 4005: "too_many_consoles" };
const NO_SCREEN = new Set(["server_stopped", "server_suspended", "server_building", "server_failed", "server_gone"]);
const COME_AGAIN = new Set([1005, 1006, 1011, 1012, 4001, 4004]); // what may pass by itself
const TRIES = 6;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const LIVED = 10_000; // a connection that lasted so long starts the counting of tries anew
const LETTER_PAUSE = 8;
const LONGEST_TEXT = 4000;

const KEYS = { esc: [0xff1b, "Escape"], tab: [0xff09, "Tab"], enter: [0xff0d, "Enter"], backspace: [0xff08, "Backspace"] };
const HELD = { ctrl: [0xffe3, "ControlLeft"], alt: [0xffe9, "AltLeft"] };
const SHIFT = [0xffe1, "ShiftLeft"];
for (let n = 1; n <= 12; n++) KEYS[`f${n}`] = [0xffbd + n, `F${n}`];
const SHIFTED = /[A-Z~!@#$%^&*()_+{}|:"<>?]/; // on the keyboard that hypervisors assume

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What X calls a character. */
function keysym(character) {
  if (character === "\n") return KEYS.enter[0];
  if (character === "\t") return KEYS.tab[0];
  const code = character.codePointAt(0);
  return code < 0x100 ? code : 0x1000000 | code;
}

class Screen {
  constructor(section) {
    this.section = section;
    this.box = one("[data-screen]", section);
    this.words = JSON.parse(one("#console-words", section).textContent);
    this.rfb = null;
    this.tries = 0;
    this.held = new Set();
    this.leaving = false;
    this.listen();
    this.connect();
  }

  say(state, text) {
    const line = one("#console-state", this.section);
    line.dataset.s = state;
    line.textContent = text;
    this.section.dataset.connected = state === "running" ? "yes" : "no";
    for (const button of all("[data-needs-screen]", this.section)) button.disabled = state !== "running";
    one("[data-do=reconnect]", this.section).hidden = state === "running" || state === "busy";
  }

  sentence(name) {
    return this.words[name] ?? this.words.lost;
  }

  async ticket() {
    const csrf = cookie("__Host-hw_csrf") ?? cookie("hw_csrf") ?? "";
    const answer = await fetch(this.section.dataset.console, { method: "POST", headers: { "X-CSRF-Token": csrf } });
    const content = await answer.json();
    if (answer.ok) return content;
    // The page itself says it better: who has to sign in, or why there is no screen and what helps.
    if (answer.status === 401 || NO_SCREEN.has(content.error.code)) location.reload();
    const passes = answer.status === 503 || answer.status === 429;
    throw Object.assign(new Error(content.error.code), { code: content.error.code, passes });
  }

  async connect() {
    clearTimeout(this.timer);
    this.say("busy", this.tries ? this.words.again : this.words.connecting);
    this.drop();
    let made;
    try {
      made = await this.ticket();
    } catch (error) {
      this.failed(error.code ?? "lost", error.passes ?? true);
      return;
    }
    const url = new URL(made.socket, location.href.replace(/^http/, "ws"));
    const socket = new WebSocket(url, [PROTOCOL, `ticket.${made.ticket}`]);
    socket.addEventListener("close", (event) => this.closed(socket, event.code));
    this.socket = socket;
    this.show(socket);
  }

  show(socket) {
    this.box.replaceChildren();
    const rfb = new RFB(this.box, socket, { shared: true });
    rfb.scaleViewport = this.section.dataset.scale !== "no";
    rfb.clipViewport = !rfb.scaleViewport;
    rfb.background = "#000";
    rfb.addEventListener("connect", () => this.connected(rfb));
    this.rfb = rfb;
    const canvas = one("canvas", this.box);
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", this.words.screen);
  }

  connected(rfb) {
    if (rfb !== this.rfb) return;
    this.since = Date.now();
    this.say("running", this.words.connected);
    if (!document.querySelector("dialog[open], .menu:popover-open")) rfb.focus({ preventScroll: true });
  }

  closed(socket, code) {
    if (socket !== this.socket || this.leaving) return;
    this.socket = null;
    this.release();
    this.rfb = null;
    if (this.since && Date.now() - this.since > LIVED) this.tries = 0;
    this.since = 0;
    this.failed(CLOSED[code] ?? "lost", COME_AGAIN.has(code));
  }

  failed(why, passes) {
    this.release();
    const comesAgain = passes && this.tries < TRIES;
    this.say(comesAgain ? "busy" : "failed", `${this.words.disconnected} ${this.sentence(why)}`);
    if (!comesAgain) return;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.tries) * (0.75 + Math.random() / 2);
    this.tries += 1;
    this.timer = setTimeout(() => this.section.isConnected && this.connect(), wait);
  }

  /** Let go of the connection before, if there is one. */
  drop() {
    const rfb = this.rfb;
    this.rfb = this.socket = null;
    try {
      rfb?.disconnect();
    } catch {
      // it had ended already
    }
  }

  // --- keys

  press([sym, code]) {
    this.rfb?.sendKey(sym, code);
  }

  hold(name, button) {
    const down = !this.held.has(name);
    this.rfb?.sendKey(...HELD[name], down);
    if (down) this.held.add(name);
    else this.held.delete(name);
    button.setAttribute("aria-pressed", String(down));
  }

  release() {
    for (const name of this.held) this.rfb?.sendKey(...HELD[name], false);
    this.held.clear();
    for (const button of all("[data-hold]", this.section)) button.setAttribute("aria-pressed", "false");
  }

  async type(text) {
    for (const character of text.replace(/\r\n?/g, "\n").slice(0, LONGEST_TEXT)) {
      if (this.section.dataset.connected !== "yes") return;
      const shifted = SHIFTED.test(character);
      if (shifted) this.rfb.sendKey(...SHIFT, true);
      this.rfb.sendKey(keysym(character));
      if (shifted) this.rfb.sendKey(...SHIFT, false);
      await pause(LETTER_PAUSE);
    }
  }

  /** The way out for keyboards: the screen takes every key but Shift + Esc. */
  leave() {
    const rfb = this.rfb;
    rfb.sendKey(...SHIFT, false);
    rfb.sendKey(0xffe2, "ShiftRight", false);
    rfb.viewOnly = true; // makes it forget which keys are down
    rfb.viewOnly = false;
    one(".console-bar button:not(:disabled, [hidden])", this.section)?.focus();
  }

  // --- what people do

  listen() {
    this.box.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape" || !event.shiftKey || !this.rfb) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        this.leave();
      },
      true,
    );
    this.section.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.key) this.press(KEYS[button.dataset.key]);
      if (button.dataset.hold) this.hold(button.dataset.hold, button);
      this[`do_${button.dataset.do}`]?.(button);
    });
    one("[data-type]", this.section).addEventListener("submit", (event) => {
      event.preventDefault();
      const text = one("textarea", event.target);
      event.target.closest("dialog").close();
      this.type(text.value).then(() => this.rfb?.focus());
      text.value = "";
    });
    this.keyboard();
    const whole = one("[data-do=fullscreen]", this.section);
    whole.hidden = !document.fullscreenEnabled;
    this.section.addEventListener("fullscreenchange", () => {
      whole.setAttribute("aria-pressed", String(document.fullscreenElement === this.section));
    });
    addEventListener("pagehide", () => {
      this.leaving = true;
      this.drop();
    });
  }

  do_cad() {
    this.rfb?.sendCtrlAltDel();
    this.rfb?.focus();
  }

  do_reconnect() {
    this.tries = 0;
    this.connect();
  }

  do_scale(button) {
    const whole = this.section.dataset.scale === "no";
    this.section.dataset.scale = whole ? "yes" : "no";
    button.setAttribute("aria-pressed", String(whole));
    if (!this.rfb) return;
    this.rfb.scaleViewport = whole;
    this.rfb.clipViewport = !whole;
    this.rfb.dragViewport = !whole && matchMedia("(pointer: coarse)").matches;
  }

  async do_fullscreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.section.requestFullscreen();
    this.rfb?.focus();
  }

  do_keyboard() {
    one("[data-keyboard]", this.section).focus();
  }

  /** On phones a field that nobody sees brings up the keyboard; what is written there is typed. */
  keyboard() {
    const field = one("[data-keyboard]", this.section);
    const empty = () => (field.value = "_"); // something to delete, or Backspace would not be heard
    empty();
    field.addEventListener("beforeinput", (event) => {
      if (event.inputType === "insertLineBreak") this.press(KEYS.enter);
      else if (event.inputType.startsWith("delete")) this.press(KEYS.backspace);
      else if (event.data) this.type(event.data);
    });
    field.addEventListener("input", empty);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") one("[data-do=keyboard]", this.section).focus();
    });
  }
}

/** Show the screen of the section that stands on the page and is not shown yet. */
export function start() {
  for (const section of all("[data-console]:not([data-started])")) {
    section.dataset.started = "";
    new Screen(section);
  }
}
