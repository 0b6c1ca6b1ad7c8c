// Dialogs: a typed confirmation arms the button; a closed dialog forgets what was typed; an address may name one.
import { all, on, one } from "./dom.js";

function arm(input) {
  const button = one("[data-armed]", input.form);
  if (button) button.disabled = input.value.trim() !== input.dataset.must;
}

on("input", "[data-must]", (event, input) => arm(input));

document.addEventListener(
  "close",
  (event) => {
    for (const input of all("[data-must]", event.target)) {
      input.value = "";
      arm(input);
    }
  },
  true,
);

// A dialog whose form was answered has done its work.
document.addEventListener("htmx:after:request", (event) => {
  const dialog = event.target.closest?.("dialog[data-close-on-success]");
  const status = event.detail.ctx?.response?.status;
  if (dialog?.open && status >= 200 && status < 300) dialog.close();
});

// /servers/7#poweroff-7 asks at once: the palette leads there.
function openNamed() {
  const dialog = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (dialog?.tagName !== "DIALOG" || dialog.open) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  dialog.showModal();
}

addEventListener("hashchange", openNamed);
openNamed();

// Browsers without invoker commands get the same from three lines.
if (!("commandForElement" in HTMLButtonElement.prototype)) {
  on("click", "[commandfor]", (event, button) => {
    const dialog = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "show-modal") dialog?.showModal();
    else dialog?.close();
  });
}
