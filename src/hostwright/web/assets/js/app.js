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
import "./live.js";
import "./usage.js";
import "./tabs.js";

// htmx would do it by a timer, and whoever is quick, or has a busy machine, would type and press before that.
window.htmx.initialize();
