"use strict";
// Sorting and filtering. Without this the page says the same.

function value(row, column) {
  const cell = row.cells[column];
  if (!cell) return NaN;
  return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  return a.localeCompare(b, "en", { numeric: true });
}

function sort(table, header, column) {
  const up = header.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", up ? "ascending" : "descending");
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
    rows.sort((a, b) => (up ? 1 : -1) * compare(value(a, column), value(b, column)));
    body.append(...rows);
  }
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(table, header, column));
    header.append(button);
  });
}

function filter(table, text, kind) {
  const wanted = text.trim().toLowerCase();
  for (const body of table.tBodies) {
    let shown = 0;
    for (const row of body.rows) {
      if (row.classList.contains("group")) continue;
      const fits = row.cells[0].textContent.toLowerCase().includes(wanted);
      row.hidden = !fits || (kind !== "" && body.dataset.class !== kind);
      shown += row.hidden ? 0 : 1;
    }
    body.hidden = shown === 0;
  }
}

for (const table of document.querySelectorAll("table.matrix")) {
  const bar = document.createElement("div");
  bar.className = "filter";
  const text = document.createElement("input");
  text.type = "search";
  const kind = document.createElement("select");
  kind.append(new Option("all", ""));
  for (const body of table.tBodies) kind.append(new Option(body.dataset.class, body.dataset.class));
  for (const [name, control] of [["Workload contains ", text], ["Class ", kind]]) {
    const label = document.createElement("label");
    label.append(name, control);
    control.addEventListener("input", () => filter(table, text.value, kind.value));
    bar.append(label);
  }
  table.parentElement.before(bar);
}
