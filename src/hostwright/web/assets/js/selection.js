// Checkboxes of a list (#list [name=id]), the one in its head (#select-all) and the bar for many (#bulk).
import { all, on, one } from "./dom.js";

const boxes = () => all("#list [name=id]");

function show() {
  const bar = one("#bulk");
  if (!bar) return;
  const found = boxes();
  const chosen = found.filter((box) => box.checked).length;
  bar.hidden = chosen === 0;
  one("[data-count]", bar).textContent = chosen;
  const head = one("#select-all");
  if (!head) return;
  head.checked = chosen > 0 && chosen === found.length;
  head.indeterminate = chosen > 0 && chosen < found.length;
}

function setAll(checked) {
  for (const box of boxes()) box.checked = checked;
  show();
}

on("change", "#list [name=id]", show);
on("change", "#select-all", (event, head) => setAll(head.checked));
on("click", "[data-clear]", () => setAll(false));
document.addEventListener("htmx:after:swap", show);
