"use strict";

/** The state of the page (which targets, families and options are shown), its switches and its panels. */

/** Unpacks the plotting library, which is compressed to a third of its size; needs a browser from 2023 or later. */
async function unpack(base64) {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at); // 20 times as fast as Uint8Array.from()
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

/** Panels are made when they are first shown, since making twenty takes seconds; afterwards they are hidden. */
const made = new Map();

function panelElement(panel) {
  const element = document.createElement("div");
  element.className = "panel";
  element.id = `panel-${panel.id}`;
  const title = document.createElement("h3");
  title.textContent = panel.title;
  const subtitle = document.createElement("p");
  subtitle.textContent = panel.subtitle;
  const plot = document.createElement("div");
  plot.className = "plot";
  plot.setAttribute("role", "img");
  const speedup = panel.arrow ? `; ${panel.arrow.text} against ${panel.arrow.against}` : "";
  plot.setAttribute("aria-label", `${panel.title}: accuracy against latency, ${panel.subtitle}${speedup}`);
  element.append(title, subtitle, plot);
  return element;
}

/** Puts the panels that are shown into the page, in the order of the data, and hides the others. */
function arrangePanels() {
  for (const panel of data.panels) {
    const isShown = shown.targets.has(panel.target);
    if (isShown && !made.has(panel.id)) made.set(panel.id, panelElement(panel));
    if (made.has(panel.id)) made.get(panel.id).hidden = !isShown;
  }
  const inOrder = data.panels.map((panel) => made.get(panel.id)).filter(Boolean);
  document.getElementById("panels").replaceChildren(...inOrder);
}

let renders = 0;

/** Draws what is shown; a call ends early when a later one begins. */
async function render() {
  if (!window.Plotly) return; // not unpacked yet: start() calls again
  const mine = ++renders;
  arrangePanels();
  for (const panel of data.panels.filter((each) => shown.targets.has(each.target))) {
    await draw(panel, made.get(panel.id).querySelector(".plot"));
    await new Promise(requestAnimationFrame); // the browser shows each panel as soon as it is drawn
    if (mine !== renders) return;
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
  cross: "M3 0h4v3h3v4h-3v3h-4v-3h-3v-4h3z", "triangle-left": "M0 5l10-5v10z", "triangle-right": "M10 5l-10-5v10z",
  hexagon: "M5 0l5 2.5v5l-5 2.5-5-2.5v-5z",
};

function icon(family) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 10 10");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[family.symbol]);
  path.style.fill = `color-mix(in srgb, ${family.colour}, white var(--lift))`;
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

async function start() {
  const [first] = document.querySelectorAll("table"); // the others are not read yet
  makeSortable(first);
  document.addEventListener("DOMContentLoaded", () => {
    [...document.querySelectorAll("table")].slice(1).forEach(makeSortable);
  });
  makeChips();
  arrangePanels();
  for (const panel of data.panels) {
    if (made.has(panel.id)) still(panel, made.get(panel.id).querySelector(".plot"));
  }
  // The first frame, with the table and the stills, comes before the library, which takes most of the time.
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  performance.mark("first chart");
  try {
    await loadPlotly();
  } catch {
    document.querySelectorAll(".chips").forEach((group) => group.remove());
    document.getElementById("panels").textContent =
      "This browser can't unpack the chart (it needs DecompressionStream, which browsers have since 2023). " +
      "The tables below are complete without it.";
    return;
  }
  await render();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
}

start();
