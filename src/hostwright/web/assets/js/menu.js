// Arrow keys for the menus, which are native popovers: the browser does opening, Esc and focus return.
import { all, on, one } from "./dom.js";

const ITEMS = "a, button:not(:disabled)";

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.matches?.(".menu") && event.newState === "open") one(ITEMS, event.target)?.focus();
  },
  true,
);

on("keydown", ".menu", (event, menu) => {
  const items = all(ITEMS, menu);
  const at = items.indexOf(document.activeElement);
  const next = {
    ArrowDown: items[(at + 1) % items.length],
    ArrowUp: items[(at - 1 + items.length) % items.length],
    Home: items[0],
    End: items.at(-1),
  }[event.key];
  if (!next) return;
  event.preventDefault();
  next.focus();
});

on("click", ".menu a, .menu button", (event, item) => item.closest(".menu").hidePopover?.());

// A row's menu is fetched when it is opened; then the first of its items takes the focus.
document.addEventListener("htmx:after:swap", () => {
  const menu = one(".menu:popover-open");
  if (menu && !menu.contains(document.activeElement)) one(ITEMS, menu)?.focus();
});
