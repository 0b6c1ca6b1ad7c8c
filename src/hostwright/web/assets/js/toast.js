import { one, words } from "./dom.js";

const ERROR_MS = 12_000;

/** Show a message. Text only: nothing of it is read as HTML. Category: success, error, warning or info. */
export function toast(category, title, text) {
  const template = one("#toast-template");
  if (!template) return;
  const element = template.content.firstElementChild.cloneNode(true);
  element.dataset.category = category;
  if (category === "error") element.dataset.duration = ERROR_MS;
  element.role = category === "error" ? "alert" : "status";
  one("h2", element).textContent = title;
  one("p", element).textContent = text;
  one("#toaster").append(element);
}

/** The newest popover is the highest: a toast that comes while a dialog is open must be shown again. */
function raise(toaster) {
  if (toaster.matches(":popover-open")) toaster.hidePopover();
  toaster.showPopover();
}

const toaster = one("#toaster");
if (toaster) {
  raise(toaster);
  new MutationObserver((changes) => {
    if (changes.some((change) => change.addedNodes.length) && one("dialog[open]")) raise(toaster);
  }).observe(toaster, { childList: true });
}

/** The event stream connects again by itself, and figures are asked for again: nobody asked for either. */
const background = (event) =>
  event.target.id === "live" || event.detail.ctx?.sourceElement?.matches?.("#live, [data-poll]");

/** A dialog that asked for something says itself why it cannot be done. */
function tell(event, title, text) {
  const dialog = event.detail.ctx?.sourceElement?.closest?.("dialog.dialog[open]");
  if (!dialog) {
    toast("error", title, text);
    return;
  }
  forget(dialog);
  const place = document.createElement("p");
  place.className = "dialog-error";
  place.role = "alert";
  place.textContent = text;
  one("footer", dialog).before(place);
}

const forget = (dialog) => one(".dialog-error", dialog)?.remove();

document.addEventListener("close", (event) => forget(event.target), true);
document.addEventListener("htmx:before:request", (event) => {
  const dialog = event.detail.ctx?.sourceElement?.closest?.("dialog");
  if (dialog) forget(dialog);
});

document.addEventListener("htmx:response:error", (event) => {
  const { status, headers } = event.detail.ctx.response;
  const said = status === 422 || headers.get("HX-Redirect"); // the form shows it; the browser is leaving
  if (said || background(event)) return;
  const say = words();
  const told = headers.get("Hostwright-Message");
  tell(event, say.failed, told ? decodeURIComponent(told) : `${say.unchanged} (${status})`);
});

document.addEventListener("htmx:error", (event) => {
  if (background(event)) return;
  if (event.detail.ctx?.request && !event.detail.ctx.response) tell(event, words().offline, words().unchanged);
});
