import "htmx.org/dist/htmx.esm.js";
import "htmx.org/dist/ext/hx-sse.js"; // uses the global that the line above sets

import "basecoat-css/basecoat";
import "basecoat-css/command";
import "basecoat-css/toast";

import "./csrf.js";
import "./theme.js";
import "./toast.js";
import "./palette.js";
import "./menu.js";
import "./copy.js";
import "./confirm.js";
import "./forms.js";
import "./select.js";
import "./order.js";
import "./live.js";
import "./usage.js";
import "./tabs.js";

// htmx would do it by a timer, and whoever is quick, or has a busy machine, would type and press before that. What the
// timer does later is then too much: it would open a second event stream.
window.htmx.initialize();
const bindAgain = (event) => {
  if (event.target !== document.body) return;
  event.preventDefault();
  document.removeEventListener("htmx:before:process", bindAgain);
};
document.addEventListener("htmx:before:process", bindAgain);
