"use strict";

/** Sorts the rows by a column; entries without a value come last in both directions. */
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
    const marked = document.createElement("span");
    marked.className = "marked";
    marked.append(button, ...marks);
    head.append(marked);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sortBy(table, column, ascending);
    });
  });
}
