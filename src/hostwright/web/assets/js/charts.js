// Charts on demand. <div data-chart="ID" data-kind="bar|line">: the JSON stands in a <script type="application/json"
// id="ID">: {"unit", "names": [..], "labels"?: [..], "data": [xs, ys, ..]}.
// With `labels` the x axis shows them, one per value; otherwise xs are seconds since 1970.
import uPlot from "uplot";
import { all, one } from "./dom.js";

const AXIS_FONT = "11px 'Inter Variable', sans-serif"; // whole pixels: uPlot reads 11.5px as 5
const TIP_OFFSET = 60;
const TIP_GAP = 28;
const DAY = 86_400;

const style = (name, element = document.documentElement) => getComputedStyle(element).getPropertyValue(name).trim();
const language = () => document.documentElement.lang;
const colours = () => [style("--brand-edge"), style("--ok")];

function fade(colour, strong) {
  return (plot) => {
    const gradient = plot.ctx.createLinearGradient(0, plot.bbox.top, 0, plot.bbox.top + plot.bbox.height);
    gradient.addColorStop(0, `rgb(from ${colour} r g b / ${strong})`);
    gradient.addColorStop(1, `rgb(from ${colour} r g b / 0)`);
    return gradient;
  };
}

function timeText(plot, seconds) {
  const wide = plot.data[0].at(-1) - plot.data[0][0] > 2 * DAY;
  const date = new Date(seconds * 1000);
  const byDay = wide || (date.getHours() === 0 && date.getMinutes() === 0);
  const parts = byDay ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hour12: false };
  return new Intl.DateTimeFormat(language(), parts).format(date);
}

function exactTime(seconds) {
  const parts = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(language(), parts).format(new Date(seconds * 1000));
}

function tipLines(chart, plot, index) {
  const number = new Intl.NumberFormat(language(), { maximumFractionDigits: 2 });
  const title = document.createElement("b");
  title.textContent = chart.labels ? chart.labels[index] : exactTime(plot.data[0][index]);
  const lines = chart.names.map((name, series) => {
    const line = document.createElement("div");
    const key = document.createElement("span");
    key.className = "chart-key";
    key.dataset.series = series;
    const value = plot.data[series + 1][index];
    key.textContent = `${name}  ${value == null ? "–" : `${number.format(value)} ${chart.unit}`}`;
    line.append(key);
    return line;
  });
  return [title, ...lines];
}

function moveTip(chart, box, tip) {
  return (plot) => {
    const index = plot.cursor.idx;
    tip.hidden = index == null || plot.cursor.left < 0;
    if (tip.hidden) return;
    tip.replaceChildren(...tipLines(chart, plot, index));
    const left = plot.cursor.left + TIP_OFFSET;
    tip.style.left = `${left + tip.offsetWidth > box.clientWidth ? left - tip.offsetWidth - TIP_GAP : left}px`;
  };
}

/** One bar in the middle of its place, or two side by side. */
const barsOf = (count, index) =>
  count === 1 ? { size: [0.5, 44], radius: 0.14 } : { size: [0.28, 26], radius: 0.2, align: index ? 1 : -1, gap: 2 };

/** Points that no line leads to: something was seen there, and nothing before and after. */
function lone(plot, series) {
  const values = plot.data[series];
  return values.flatMap((value, at) => (value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []));
}

function seriesOf(chart, bars) {
  return chart.names.map((name, index) => {
    const colour = colours()[index % 2];
    const look = bars
      ? { paths: uPlot.paths.bars(barsOf(chart.names.length, index)), fill: `rgb(from ${colour} r g b / 0.9)`, width: 0 }
      : { width: 1.75, fill: index ? undefined : fade(colour, 0.24), points: { show: true, size: 5, fill: colour, filter: lone } };
    return { label: name, stroke: colour, spanGaps: false, points: { show: false }, ...look };
  });
}

function axesOf(chart, box) {
  const shared = { stroke: style("--muted-foreground"), ticks: { show: false }, font: AXIS_FONT };
  const number = new Intl.NumberFormat(language(), { maximumFractionDigits: 2 });
  const across = chart.labels
    ? { splits: () => chart.data[0], values: (plot, at) => at.map((position) => chart.labels[position] ?? "") }
    : { values: (plot, at) => at.map((seconds) => timeText(plot, seconds)) };
  return [
    { ...shared, grid: { show: false }, size: 30, space: 64, ...across },
    {
      ...shared,
      grid: { stroke: style("--border", box), width: 1 },
      size: 56,
      values: (plot, at) => at.map((value) => number.format(value)),
    },
  ];
}

function draw(box, chart) {
  const bars = box.dataset.kind === "bar";
  const last = chart.data[0].length - 1;
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  tip.hidden = true;
  const options = {
    width: box.clientWidth,
    height: box.clientHeight,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: !bars, size: 7 }, drag: { x: false, y: false, setScale: false } },
    scales: {
      x: chart.labels ? { time: false, range: [-0.6, last + 0.6] } : {},
      y: { range: (plot, low, high) => [0, chart.unit === "%" ? 100 : Math.max(1, (high ?? 1) * 1.15)] },
    },
    axes: axesOf(chart, box),
    series: [{}, ...seriesOf(chart, bars)],
    hooks: { setCursor: [moveTip(chart, box, tip)] },
  };
  const plot = new uPlot(options, chart.data, box);
  box.append(tip);
  return plot;
}

function show(box) {
  const read = () => document.getElementById(box.dataset.chart)?.textContent;
  let drawn = read();
  const chart = JSON.parse(drawn);
  let plot = null;
  const redraw = () => {
    plot?.destroy();
    box.replaceChildren();
    plot = draw(box, chart);
  };
  redraw();
  box.removeAttribute("aria-busy");
  new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: box.clientHeight })).observe(box);
  document.addEventListener("hw:theme", () => box.isConnected && redraw());
  document.addEventListener("hw:figures", () => {
    const fresh = box.isConnected ? read() : null;
    if (!fresh || fresh === drawn) return;
    drawn = fresh;
    Object.assign(chart, JSON.parse(fresh));
    plot.setData(chart.data);
  });
}

/** Draw every chart that stands on the page and is not drawn yet. */
export function start() {
  for (const box of all("[data-chart]:not([data-drawn])")) {
    box.dataset.drawn = "";
    try {
      show(box);
    } catch (error) {
      console.error(error);
      one(".skeleton-line", box)?.remove();
      box.removeAttribute("aria-busy");
    }
  }
}
