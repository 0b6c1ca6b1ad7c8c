// Arrow keys for the menus, which are native popovers: the browser does opening and Esc.
import { all, on, one } from "./dom.js";

const ITEMS = "a, button:not(:disabled)";

// The browser gives the focus back only when it was inside; an item that was replaced while it had it took it along.
const returnFocus = (menu) => one(`[popovertarget="${menu.id}"]`)?.focus({ preventScroll: true });

document.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches?.(".menu")) return;
    if (event.newState === "open") one(ITEMS, event.target)?.focus();
    else if (document.activeElement === document.body) returnFocus(event.target);
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
