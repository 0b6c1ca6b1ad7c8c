// What keeps itself up to date: relative times, and parts that are loaded when a page needs them.
import { all } from "./dom.js";

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

// After a gap in the stream the server asks for a fresh look: lists and whatever carries data-refresh are fetched again.
function refetch() {
  const mark = document.querySelector("[data-resync]");
  if (!mark) return;
  delete mark.dataset.resync;
  for (const part of all("#list, [data-refresh][id]")) {
    const url = part.dataset.refresh || location.pathname + location.search;
    window.htmx.ajax("GET", url, { target: `#${part.id}`, swap: "outerMorph show:none" });
  }
}

document.addEventListener("htmx:after:swap", refetch);
document.addEventListener("htmx:sse:after:message", refetch);

function loadOnDemand() {
  if (document.querySelector("[data-chart]:not([data-drawn])")) import("./charts.js").then((charts) => charts.start());
}

loadOnDemand();
document.addEventListener("htmx:after:swap", loadOnDemand);
