// The open tab is in sight, also where the tabs are wider than the window.
import { one } from "./dom.js";

function show() {
  const tab = one("#tabs [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.clientWidth) / 2;
}

show();
document.addEventListener("htmx:after:swap", show);
