"use strict";

/** A still of a panel, drawn at once from the traces and the layout that plotly gets once it is unpacked. */

function node(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** The frame, the grid, the numbers and the titles of both axes. */
function frame(plan, x, y, width, height) {
  const { l, r, t, b } = plan.margin;
  const [right, bottom] = [width - r, height - b];
  const vertical = plan.xaxis.tickvals ?? ticksWithin(plan.xaxis.range, right - l, 80);
  const horizontal = ticksWithin(plan.yaxis.range, bottom - t, 40);
  const lines = [...vertical.map((at) => `M${x(at)} ${t}V${bottom}`), ...horizontal.map((at) => `M${l} ${y(at)}H${right}`)];
  const middle = (t + bottom) / 2;
  return [
    node("path", { d: lines.join(""), stroke: plan.xaxis.gridcolor, fill: "none" }),
    ...vertical.map((at) => node("text", { x: x(at), y: bottom + 15, "text-anchor": "middle" }, String(at))),
    ...horizontal.map((at) => node("text", { x: l - 3, y: y(at) + 4, "text-anchor": "end" }, String(at))),
    node("text", { x: (l + right) / 2, y: height - 5, "text-anchor": "middle", "font-size": 14 }, plan.xaxis.title.text),
    node("text", { transform: `translate(16 ${middle}) rotate(-90)`, "text-anchor": "middle", "font-size": 14 },
      plan.yaxis.title.text),
  ];
}

/** The bars of a trace's intervals of latency. */
function bars(each, x, y) {
  if (!each.error_x?.visible) return [];
  const { array, arrayminus, color, thickness } = each.error_x;
  const spans = each.x.map((ms, at) => `M${x(Math.max(ms - arrayminus[at], Number.MIN_VALUE))} ${y(each.y[at])}H${x(ms + array[at])}`);
  return [node("path", { d: spans.join(""), stroke: color, "stroke-width": thickness, fill: "none" })];
}

/** The line of a trace and its markers. */
function marks(each, x, y) {
  const points = each.x.map((ms, at) => [x(ms), y(each.y[at])]);
  const dashes = { dash: "9 9", dot: "3 3" };
  const made = bars(each, x, y);
  if (each.line) {
    const steps = each.line.shape === "hv" ? points.map(([left, up]) => `H${left}V${up}`) : points.map((at) => `L${at}`);
    const d = points.length ? `M${points[0]}${steps.slice(1).join("")}` : "";
    const { color, width, dash } = each.line;
    made.push(node("path", { d, stroke: color, "stroke-width": width, "stroke-dasharray": dashes[dash] ?? "none", fill: "none" }));
  }
  points.forEach(([left, up], at) => {
    if (!each.marker) return;
    const [symbol, open] = each.marker.symbol[at].split(/(-open)$/);
    const drawn = { stroke: each.marker.color, "stroke-width": 1.5, fill: open ? "none" : each.marker.color };
    const d = SHAPES[symbol] ?? SHAPES.cross;
    made.push(node("path", { d, ...drawn, transform: `translate(${left - 4.5} ${up - 4.5}) scale(.9)` }));
  });
  return made;
}

function still(panel, element) {
  const [width, height] = [element.clientWidth, element.clientHeight];
  const plan = layout(panel, width);
  const { l, r, t, b } = plan.margin;
  const [[left, right], [low, high]] = [plan.xaxis.range, plan.yaxis.range];
  const x = (ms) => l + (((shown.log ? Math.log10(ms) : ms) - left) / (right - left)) * (width - l - r);
  const y = (percent) => height - b - ((percent - low) / (high - low)) * (height - t - b);
  const font = { fill: plan.font.color, "font-family": plan.font.family, "font-size": plan.font.size };
  const made = [frame(plan, x, y, width, height), ...traces(panel).map((each) => marks(each, x, y))].flat();
  element.replaceChildren(node("svg", { width, height, ...font }, ...made));
}
