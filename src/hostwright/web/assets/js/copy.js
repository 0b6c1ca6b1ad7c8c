import { on, words } from "./dom.js";

const SHOWN_MS = 1400;

/** Browsers give the clipboard to secure pages only; the old way serves the others. */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

on("click", "[data-copy]", async (event, button) => {
  await write(button.dataset.copy);
  if ("done" in button.dataset) return;
  const label = button.getAttribute("aria-label");
  button.dataset.done = "";
  button.setAttribute("aria-label", words().copied);
  setTimeout(() => {
    delete button.dataset.done;
    if (label === null) button.removeAttribute("aria-label");
    else button.setAttribute("aria-label", label);
  }, SHOWN_MS);
});
