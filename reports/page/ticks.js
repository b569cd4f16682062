"use strict";

/** Where the ticks of an axis are: of a logarithmic one for plotly, of a linear one as plotly sets them. */

/** Ticks of a logarithmic axis at 1, 2 and 5 of each decade; plotly's own labels would be "2" for 20 and for 200. */
function decadeTicks(low, high) {
  const digits = high - low < 3 ? [1, 2, 5] : [1];
  const values = [];
  for (let decade = Math.floor(low); decade <= high; decade++) {
    values.push(...digits.map((digit) => Number(`${digit}e${decade}`)));
  }
  return values;
}

/** Ticks of a logarithmic axis of less than a decade: even steps, at least four. */
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

/** Plotly's ticks of a linear axis: steps of 1, 2 or 5, so many as have `room` pixels each, 4 to 9. */
function ticksWithin([low, high], length, room) {
  const rough = (high - low) / (Math.min(Math.max(length / room, 4), 9) + 1);
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * decade).find((each) => each >= rough);
  const ticks = [];
  for (let at = Math.ceil(low / step); at * step <= high; at++) ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}
