"use strict";

/** Plotly's traces and layout of a panel, from `data` (data.py) and the state of the switches, `shown` (page.js). */

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A family's colour, lightened in the dark scheme by the percentage --lift. */
function shade(family) {
  const lift = parseFloat(colour("--lift")) / 100;
  const parts = [1, 3, 5].map((at) => parseInt(family.colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * lift)).join(", ")})`;
}

/** The edge of a series' markers, which stands out where their accuracies are measured too. */
function edge(series, shaded) {
  return series.sample === "" ? { width: 1.5, color: shaded } : { width: 2, color: colour("--ink") };
}

/** What the bars of both intervals have in common. */
function bar(visible) {
  return { type: "data", symmetric: false, visible, color: colour("--quiet"), thickness: 1.2, width: 3 };
}

function trace(series) {
  const look = data.families.find((family) => family.name === series.family);
  const shaded = shade(look);
  const points = series.points;
  const symbols = points.map((point) => (point.usable ? look.symbol + (series.measured ? "" : "-open") : "x"));
  return {
    type: "scatter",
    mode: "lines+markers",
    name: series.family,
    showlegend: false,
    x: points.map((point) => point.ms),
    y: points.map((point) => point.top1),
    line: { color: shaded, width: series.measured ? 2.2 : 1.3, dash: series.measured ? "solid" : "dash" },
    marker: { symbol: symbols, size: 9, color: shaded, line: edge(series, shaded) },
    error_x: {
      ...bar(series.measured),
      array: points.map((point) => point.high_ms - point.ms),
      arrayminus: points.map((point) => point.ms - point.low_ms),
    },
    error_y: {
      ...bar(series.sample !== ""),
      array: points.map((point) => point.top1_high - point.top1),
      arrayminus: points.map((point) => point.top1 - point.top1_low),
    },
    customdata: points.map((point) => point.hover),
    hovertemplate: "%{customdata}<extra></extra>",
  };
}

/** The networks of a family whose accuracy is not known, in the strip below the accuracies. */
function unratedTrace(name, points, level) {
  const look = data.families.find((family) => family.name === name);
  return {
    type: "scatter", mode: "markers", name, showlegend: false,
    x: points.map((point) => point.ms),
    y: points.map(() => level),
    marker: { symbol: points.map((point) => (point.usable ? look.symbol : "x")), size: 9, color: shade(look), opacity: 0.85 },
    error_x: {
      ...bar(true),
      array: points.map((point) => point.high_ms - point.ms),
      arrayminus: points.map((point) => point.ms - point.low_ms),
    },
    customdata: points.map((point) => point.hover),
    hovertemplate: "%{customdata}<extra></extra>",
  };
}

/** The strip's traces, by family. */
function stripTraces(panel) {
  const families = new Set(panel.unrated.map((point) => point.family));
  return [...families].filter((name) => shown.families.has(name)).map((name) =>
    unratedTrace(name, panel.unrated.filter((point) => point.family === name), panel.strip[1]));
}

/** The strip's ground and its name, where there is one. */
function stripShapes(panel) {
  if (!panel.unrated.length) return { shapes: [], notes: [] };
  const across = { xref: "paper", x0: 0, x1: 1, yref: "y", layer: "below" };
  const rule = { color: colour("--rule"), width: 1 };
  return {
    shapes: [{ ...across, type: "rect", y0: panel.strip[0], y1: panel.strip[2], fillcolor: colour("--band"), line: rule }],
    notes: [{
      xref: "paper", x: 1, xanchor: "right", yref: "y", y: panel.strip[0], yanchor: "bottom", showarrow: false,
      text: "accuracy not known", font: { color: colour("--quiet"), size: 11 },
    }],
  };
}

/** The points whose accuracies are of one kind (published, or of the same images): those of the most frequent kind. */
function alike(series) {
  const kinds = new Map();
  for (const each of series) kinds.set(each.sample, [...(kinds.get(each.sample) ?? []), ...each.points]);
  return [...kinds.values()].reduce((most, points) => (points.length > most.length ? points : most), []);
}

/** The Pareto front of the networks that are shown, as a staircase. */
function frontTrace(series) {
  const measured = series.filter((each) => each.measured);
  const points = alike(measured.length ? measured : series);
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

/** How wide a text of one or several lines is, in pixels. */
function textWidth(text, size) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${size}px system-ui, sans-serif`;
  return Math.max(...text.split("<br>").map((line) => pen.measureText(line).width));
}

/** Where the text of an arrow stands: it ends above the arrow's right end or begins below its left one, in the panel. */
function besideArrow(text, size, arrow, at, [low, high], width) {
  const end = arrow.above ? arrow.baseline_ms : Math.min(arrow.ms, arrow.baseline_ms);
  const taken = textWidth(text, size), from = ((at(end) - low) / (high - low)) * width - (arrow.above ? taken : 0);
  if (arrow.above && from < 0) return { xref: "paper", x: 0, xanchor: "left" };
  if (!arrow.above && from + taken > width) return { xref: "paper", x: 1, xanchor: "right" };
  return { xref: "x", x: at(end), xanchor: arrow.above ? "right" : "left" };
}

/** The arrow at equal accuracy in a plot of so many pixels; positions on a logarithmic axis are exponents of 10. */
function annotations(arrow, range, width) {
  if (arrow === null || !shown.families.has(arrow.family) || !shown.families.has(arrow.against)) return [];
  if (arrow.published && !shown.published) return [];
  const at = (ms) => (shown.log ? Math.log10(ms) : ms);
  const [text, size] = [arrow.text.replace(", ", "<br>"), 13];
  return [
    {
      xref: "x", x: at(arrow.ms), yref: "y", y: arrow.top1, axref: "x", ax: at(arrow.baseline_ms), ayref: "y", ay: arrow.top1,
      text: "", showarrow: true, arrowhead: 2, arrowwidth: 3, arrowcolor: colour("--arrow"), standoff: 6, opacity: 0.8,
    },
    {
      ...besideArrow(text, size, arrow, at, range, width), yref: "y", y: arrow.text_top1,
      yanchor: arrow.above ? "bottom" : "top", yshift: arrow.above ? 6 : -6,
      text, showarrow: false, font: { color: colour("--ink"), size },
      bgcolor: colour("--paper"), opacity: 0.85, borderpad: 1,
    },
  ];
}

/** The range of the latency axis as plotly wants it: of a logarithmic axis the exponents. */
function latencyRange(panel) {
  return shown.log ? panel.log_latency_range.map(Math.log10) : panel.latency_range;
}

/** The layout of a panel in an element of so many pixels. */
function layout(panel, width) {
  const margin = { l: 48, r: 12, t: 12, b: 44 };
  const range = latencyRange(panel);
  const strip = stripShapes(panel);
  const axis = { gridcolor: colour("--grid"), linecolor: colour("--rule"), zeroline: false, automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--ink"), family: "system-ui, sans-serif", size: 12 },
    margin,
    hovermode: "closest",
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    hoverlabel: { bgcolor: colour("--band"), bordercolor: colour("--rule"), font: { color: colour("--ink") }, align: "left" },
    xaxis: {
      ...axis, title: { text: data.latency_title }, type: shown.log ? "log" : "linear",
      range, ...(shown.log ? logTicks(range) : {}),
    },
    yaxis: { ...axis, range: panel.accuracy_range, title: { text: data.accuracy_title } },
    shapes: strip.shapes,
    annotations: [...annotations(panel.arrow, range, width - margin.l - margin.r), ...strip.notes],
  };
}

/** What is shown of a panel. */
function traces(panel) {
  const series = panel.series.filter(
    (each) => shown.families.has(each.family) && (each.measured || shown.published),
  );
  return [frontTrace(series), ...series.map(trace), ...stripTraces(panel)];
}

async function draw(panel, element) {
  if (!element._fullLayout) element.replaceChildren(); // in place of the still
  await Plotly.react(element, traces(panel), layout(panel, element.clientWidth), { responsive: true, displayModeBar: false });
  // A plot that was hidden while the window was resized does not resize on its own.
  if (Math.abs(element._fullLayout.width - element.clientWidth) > 1) await Plotly.Plots.resize(element);
}
