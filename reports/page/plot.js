"use strict";

/** What plotly draws of a panel: traces and layout, from `data` (data.py) and from what is `shown` (page.js). */

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A family's colour; those were chosen for white paper, so that on dark paper they are lightened (--lift). */
function shade(family) {
  const lift = parseFloat(colour("--lift")) / 100;
  const parts = [1, 3, 5].map((at) => parseInt(family.colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * lift)).join(", ")})`;
}

function trace(series) {
  const look = data.families.find((family) => family.name === series.family);
  const shaded = shade(look);
  const points = series.points;
  const symbols = points.map((point) => (point.trusted ? look.symbol + (series.measured ? "" : "-open") : "x"));
  return {
    type: "scatter",
    mode: "lines+markers",
    name: series.family,
    showlegend: false,
    x: points.map((point) => point.ms),
    y: points.map((point) => point.top1),
    line: { color: shaded, width: series.measured ? 2.2 : 1.3, dash: series.measured ? "solid" : "dash" },
    marker: { symbol: symbols, size: 9, color: shaded, line: { width: 1.5, color: shaded } },
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
      text: headline.words.replace(", ", "<br>"), showarrow: false, font: { color: colour("--ink"), size: 13 },
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
function decadeTicks(low, high) {
  const digits = high - low < 3 ? [1, 2, 5] : [1];
  const values = [];
  for (let decade = Math.floor(low); decade <= high; decade++) {
    values.push(...digits.map((digit) => Number(`${digit}e${decade}`)));
  }
  return values;
}

/** Even steps, four or more: between 10 and 20 the digits of a decade would leave none. */
function evenTicks(least, most) {
  const rough = (most - least) / 4;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [5, 2, 1].map((digit) => digit * decade).find((each) => each <= rough);
  const values = [];
  for (let at = Math.ceil(least / step); at * step <= most; at++) values.push(Number((at * step).toPrecision(6)));
  return values;
}

function logTicks([low, high]) {
  const values = high - low < 1 ? evenTicks(10 ** low, 10 ** high) : decadeTicks(low, high);
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

async function draw(panel, element) {
  const series = panel.series.filter(
    (each) => shown.families.has(each.family) && (each.measured || shown.published),
  );
  const options = { responsive: true, displayModeBar: false };
  await Plotly.react(element, [frontTrace(series), ...series.map(trace)], layout(panel), options);
  // One that was hidden while the window changed its width does not see it on its own.
  if (Math.abs(element._fullLayout.width - element.clientWidth) > 1) await Plotly.Plots.resize(element);
}
