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

// Whoever types quickly presses Enter before the answer is there. What is shown then belongs to other words, and opening
// that would act on another server: the press waits for the answer.
let answered; // the words that what is shown belongs to
let pressed = false;

const isOurs = ({ detail: { ctx } }) => ctx.sourceElement?.id === "palette-q";

document.addEventListener("htmx:before:request", (event) => {
  if (isOurs(event)) event.detail.ctx.words = one("#palette-q").value;
});

document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || event.target.id !== "palette-q" || event.target.value === answered) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    pressed = true;
  },
  true,
);

on("input", "#palette-q", () => (pressed = false));

document.addEventListener("htmx:after:swap", (event) => {
  const palette = one("#palette");
  if (!palette?.open) return;
  window.basecoat.refresh(one(".command", palette));
  if (!isOurs(event)) return;
  answered = event.detail.ctx.words;
  if (pressed && one("#palette-q").value === answered) one("#palette-menu .active")?.click();
  pressed = false;
});

if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  for (const key of all(".search-button .key")) key.textContent = "⌘ K";
}
