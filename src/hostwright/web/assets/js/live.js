// What keeps itself up to date: relative times, and parts that are loaded when a page needs them.
import { all, one } from "./dom.js";

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const A_MONTH = 30 * 86_400;

function refreshTimes() {
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  for (const time of all("time[data-ago]")) {
    const seconds = (new Date(time.dateTime) - Date.now()) / 1000;
    const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
    if (unit && Math.abs(seconds) < A_MONTH) time.textContent = format.format(Math.trunc(seconds / unit[1]), unit[0]);
  }
}

setInterval(refreshTimes, 30_000);

/** Times of day come in UTC; people live elsewhere. */
function localTimes() {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium", hourCycle: "h23" });
  for (const time of all("time[data-clock]")) time.textContent = format.format(new Date(time.dateTime));
}

localTimes();
document.addEventListener("htmx:after:swap", localTimes);
document.addEventListener("htmx:sse:after:message", localTimes);

function fetchAgain(parts) {
  for (const part of parts) {
    const url = part.dataset.refresh || location.pathname + location.search;
    window.htmx.ajax("GET", url, { source: part, target: `#${part.id}`, swap: "outerMorph show:none" });
  }
}

// When the page missed something, what says that it can be fetched alone is.
const refetch = () => fetchAgain(all("[data-refresh][id], [data-about][id]"));

document.addEventListener("hw:outdated", refetch);

let leaving = false;

document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status !== 401 || leaving) return;
  leaving = true; // the stream is tried again meanwhile, and a second reload would break the first one off
  location.reload(); // the session was ended: ask to sign in
});

// The server names what has changed. What is about it is fetched again, once for all changes of a moment.
const A_MOMENT = 800;
const changed = new Set();
let waiting = 0;

function fetchChanged() {
  waiting = 0;
  const isMeant = ({ dataset: { about } }) => about === "servers" || changed.has(about);
  fetchAgain(all("[data-about][id]").filter(isMeant));
  changed.clear();
}

function listen() {
  const gap = one("[data-resync]");
  if (gap) {
    delete gap.dataset.resync;
    refetch();
  }
  const mark = one("[data-changed]");
  if (!mark) return;
  changed.add(mark.dataset.changed);
  delete mark.dataset.changed;
  waiting ||= setTimeout(fetchChanged, A_MOMENT);
}

document.addEventListener("htmx:after:swap", listen);
document.addEventListener("htmx:sse:after:message", listen);

function loadOnDemand() {
  if (document.querySelector("[data-chart]:not([data-drawn])")) import("./charts.js").then((charts) => charts.start());
  if (document.querySelector("[data-console]:not([data-started])")) import("./console.js").then((screens) => screens.start());
}

loadOnDemand();
document.addEventListener("htmx:after:swap", loadOnDemand);
