import { all, on, one } from "./dom.js";

function open() {
  const palette = one("#palette");
  if (!palette || palette.open) return;
  palette.showModal();
  const input = one("input", palette);
  input.select();
  if (!one("[role=menuitem]", palette)) input.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open();
  }
});

on("click", "[data-open-palette]", open);

// A press outside the box lands on the dialog itself.
document.addEventListener("click", (event) => {
  if (event.target.id === "palette") event.target.close();
});

document.addEventListener("htmx:after:swap", () => {
  const palette = one("#palette");
  if (palette?.open) window.basecoat.refresh(one(".command", palette));
});

if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  for (const key of all(".search-button .key")) key.textContent = "⌘ K";
}
