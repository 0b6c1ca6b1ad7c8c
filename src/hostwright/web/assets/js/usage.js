// Figures that keep coming: [data-poll] is fetched again every ten seconds while somebody looks at the page.
import { all, one } from "./dom.js";

const EACH = 10_000;
const FIRST = 2_500; // the first sample of a server that nobody looked at takes a moment
const known = new WeakSet();

function poll() {
  const part = one("[data-poll]");
  if (part && !document.hidden) window.htmx.ajax("GET", part.dataset.poll, { source: part, target: part, swap: "none" });
}

setInterval(poll, EACH);

document.addEventListener("visibilitychange", () => !document.hidden && poll());

function begin() {
  const part = one("[data-poll]");
  if (!part || known.has(part)) return;
  known.add(part);
  setTimeout(poll, FIRST);
}

/** Dates and times come in UTC; people live elsewhere. */
function localMoments() {
  const parts = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const format = new Intl.DateTimeFormat(document.documentElement.lang, parts);
  for (const time of all("time[data-moment]")) time.textContent = format.format(new Date(time.dateTime));
}

function refresh() {
  begin();
  localMoments();
  document.dispatchEvent(new Event("hw:figures"));
}

begin();
localMoments();
document.addEventListener("htmx:after:swap", refresh);
