// Choosing rows of a list: one box for the whole page, and finding one choice among many.
import { all, on, one } from "./dom.js";

const boxes = () => all("[name=id][form=bulk]");

function sync() {
  const page = one("[data-pick-page]");
  if (!page) return;
  const picked = boxes().filter((box) => box.checked).length;
  page.hidden = false;
  page.checked = picked > 0 && picked === boxes().length;
  page.indeterminate = picked > 0 && !page.checked;
}

on("change", "[data-pick-page]", (event, page) => {
  for (const box of boxes()) box.checked = page.checked;
  sync();
});
on("change", "[name=id][form=bulk]", sync);
on("reset", "#bulk", () => setTimeout(sync));
document.addEventListener("htmx:after:swap", sync);
addEventListener("pageshow", sync);

// A filter over choices that are all on the page.
for (const box of all("[data-filter-box]")) box.hidden = false;

on("input", "[data-filters]", (event, input) => {
  const root = one(input.dataset.filters);
  const wanted = input.value.trim().toLowerCase().split(/\s+/);
  let shown = 0;
  for (const group of all("[data-filter-group]", root)) {
    let here = 0;
    for (const choice of all("[data-filter-text]", group)) {
      const fits = wanted.every((word) => choice.dataset.filterText.includes(word));
      choice.hidden = !fits;
      if (fits) here += 1;
    }
    group.hidden = here === 0;
    shown += here;
  }
  one("[data-filter-none]", root).hidden = shown > 0;
});
on("keydown", "[data-filters]", (event) => {
  if (event.key === "Enter") event.preventDefault(); // it belongs to a form that is not finished
});
