"use strict";

/** The plotting library travels compressed, a third of its size; every browser since 2023 can unpack it. */
async function unpack(base64) {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at); // twenty times as fast as from()
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

async function loadPlotly() {
  const script = document.createElement("script");
  script.textContent = await unpack(document.getElementById("plotly").textContent.trim());
  document.head.append(script);
}

const data = JSON.parse(document.getElementById("data").textContent);
const shown = {
  targets: new Set(data.first_targets),
  families: new Set(data.families.map((family) => family.name)),
  published: true,
  log: data.log,
};

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function trace(series) {
  const look = data.families.find((family) => family.name === series.family);
  const points = series.points;
  const symbols = points.map((point) => (point.trusted ? look.symbol + (series.measured ? "" : "-open") : "x"));
  return {
    type: "scatter",
    mode: "lines+markers",
    name: series.family,
    showlegend: false,
    x: points.map((point) => point.ms),
    y: points.map((point) => point.top1),
    line: { color: look.colour, width: series.measured ? 2.2 : 1.3, dash: series.measured ? "solid" : "dash" },
    marker: { symbol: symbols, size: 9, color: look.colour, line: { width: 1.5, color: look.colour } },
    error_x: {
      type: "data",
      symmetric: false,
      visible: series.measured,
      array: points.map((point) => point.high_ms - point.ms),
      arrayminus: points.map((point) => point.ms - point.low_ms),
      color: colour("--quiet"),
      thickness: 1.2,
      width: 3,
    },
    customdata: points.map((point) => point.hover),
    hovertemplate: "%{customdata}<extra></extra>",
  };
}

/** The staircase below and right of which every network shown is beaten by another. */
function frontTrace(series) {
  const measured = series.filter((each) => each.measured);
  const points = (measured.length ? measured : series).flatMap((each) => each.points);
  const front = [];
  for (const point of [...points].sort((one, other) => one.ms - other.ms || other.top1 - one.top1)) {
    if (!front.length || point.top1 > front.at(-1).top1) front.push(point);
  }
  return {
    type: "scatter", mode: "lines", hoverinfo: "skip", showlegend: false,
    x: front.map((point) => point.ms), y: front.map((point) => point.top1),
    line: { color: colour("--arrow"), width: 1, dash: "dot", shape: "hv" },
  };
}

/** The arrow at equal accuracy; on a logarithmic axis annotations are placed by exponent. */
function arrow(headline) {
  if (headline === null || !shown.families.has(headline.family) || !shown.families.has(headline.against)) return [];
  if (headline.published && !shown.published) return [];
  const at = (ms) => (shown.log ? Math.log10(ms) : ms);
  const left = Math.min(headline.ms, headline.baseline_ms);
  const common = { xref: "x", yref: "y", y: headline.top1 };
  return [
    {
      ...common, x: at(headline.ms), ax: at(headline.baseline_ms), ay: headline.top1, axref: "x", ayref: "y",
      text: "", showarrow: true, arrowhead: 2, arrowwidth: 3, arrowcolor: colour("--arrow"), standoff: 6, opacity: 0.8,
    },
    {
      ...common, x: at(headline.above ? headline.baseline_ms : left), xanchor: headline.above ? "right" : "left",
      yanchor: headline.above ? "bottom" : "top", yshift: headline.above ? 6 : -6,
      text: headline.words, showarrow: false, font: { color: colour("--ink"), size: 13 },
      bgcolor: colour("--paper"), opacity: 0.85, borderpad: 1,
    },
  ];
}

/** Room on both sides; a logarithmic range is of exponents. */
function latencyRange(panel) {
  const points = panel.series.flatMap((series) => series.points);
  const most = Math.max(...points.map((point) => point.high_ms));
  const least = Math.min(...points.map((point) => point.low_ms));
  return shown.log ? [Math.log10(least) - 0.15, Math.log10(most) + 0.15] : [-0.04 * most, 1.06 * most];
}

/** Of a logarithmic axis, 1, 2 and 5 of each decade, written out: plotly would write "2" for 20 as for 200. */
function logTicks([low, high]) {
  const digits = high - low < 3 ? [1, 2, 5] : [1];
  const values = [];
  for (let decade = Math.floor(low); decade <= high; decade++) {
    values.push(...digits.map((digit) => Number(`${digit}e${decade}`)));
  }
  return { tickmode: "array", tickvals: values, ticktext: values.map(String) };
}

function layout(panel) {
  const range = latencyRange(panel);
  const axis = { gridcolor: colour("--grid"), linecolor: colour("--rule"), zeroline: false, automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--ink"), family: "system-ui, sans-serif", size: 12 },
    margin: { l: 48, r: 12, t: 12, b: 44 },
    hovermode: "closest",
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    hoverlabel: { bgcolor: colour("--band"), bordercolor: colour("--rule"), font: { color: colour("--ink") }, align: "left" },
    xaxis: {
      ...axis, title: { text: "Latency of one image (ms)" }, type: shown.log ? "log" : "linear",
      range, ...(shown.log ? logTicks(range) : {}),
    },
    yaxis: { ...axis, range: panel.accuracy_range, title: { text: "ImageNet top-1 accuracy (%)" } },
    annotations: arrow(panel.headline),
  };
}

function draw(panel) {
  const series = panel.series.filter(
    (each) => shown.families.has(each.family) && (each.measured || shown.published),
  );
  const element = document.getElementById(`plot-${panel.id}`);
  return Plotly.react(element, [frontTrace(series), ...series.map(trace)], layout(panel), { responsive: true, displayModeBar: false });
}

/** Panels are made when they are first shown: twenty of them at once would keep the page from opening. */
function panelElement(panel) {
  let element = document.getElementById(`panel-${panel.id}`);
  if (element === null) {
    element = document.createElement("div");
    element.className = "panel";
    element.id = `panel-${panel.id}`;
    const title = document.createElement("h3");
    title.textContent = panel.title;
    const subtitle = document.createElement("p");
    subtitle.textContent = panel.subtitle;
    const plot = document.createElement("div");
    plot.id = `plot-${panel.id}`;
    element.append(title, subtitle, plot);
  }
  return element;
}

async function render() {
  const panels = data.panels.filter((panel) => shown.targets.has(panel.target));
  document.getElementById("panels").replaceChildren(...panels.map(panelElement));
  for (const panel of panels) {
    await draw(panel);
    await new Promise(requestAnimationFrame); // each is seen as soon as it is drawn
  }
  performance.mark("drawn");
  document.body.dataset.drawn = String(Number(document.body.dataset.drawn || 0) + 1);
}

function chip(label, pressed, toggle, icon) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", String(pressed));
  if (icon) button.append(icon);
  button.append(label);
  button.addEventListener("click", async () => {
    const now = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(now));
    toggle(now);
    await render();
  });
  return button;
}

const SHAPES = {
  circle: "M5 0a5 5 0 1 0 .01 0z", square: "M0 0h10v10h-10z", "triangle-up": "M5 0l5 10h-10z",
  diamond: "M5 0l5 5-5 5-5-5z", "triangle-down": "M0 0h10l-5 10z",
};

function icon(family) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 10 10");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[family.symbol]);
  path.setAttribute("fill", family.colour);
  svg.append(path);
  return svg;
}

function member(set, name) {
  return (now) => (now ? set.add(name) : set.delete(name));
}

function makeChips() {
  const targets = data.panels.map((panel) =>
    chip(panel.title, shown.targets.has(panel.target), member(shown.targets, panel.target)));
  const families = data.families.map((family) =>
    chip(family.name, true, member(shown.families, family.name), icon(family)));
  const options = [
    chip("published numbers", true, (now) => { shown.published = now; }),
    chip("logarithmic latency", shown.log, (now) => { shown.log = now; }),
  ];
  for (const [id, chips] of [["targets", targets], ["families", families], ["options", options]]) {
    document.getElementById(id).append(...chips);
  }
}

/** Entries without a value stay at the end, whichever way the rest is sorted. */
function sortBy(table, column, ascending) {
  const value = (row) => row.cells[column].dataset.value;
  const compare = (one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    const order = a !== "" && b !== "" && !isNaN(a) && !isNaN(b) ? a - b : a.localeCompare(b);
    return ascending ? order : -order;
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    const marks = [...head.querySelectorAll("sup")];
    marks.forEach((mark) => mark.remove());
    button.append(...head.childNodes);
    head.append(button, ...marks);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sortBy(table, column, ascending);
    });
  });
}

async function start() {
  document.querySelectorAll("table").forEach(makeSortable);
  makeChips();
  await loadPlotly();
  await render();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
}

start();
