"use strict";
(() => {
  const form = document.querySelector("form.filter");
  if (!form) return;
  const collator = new Intl.Collator("en", { numeric: true });
  const compare = (one, other) => {
    const difference = Number(one) - Number(other);
    return Number.isNaN(difference) ? collator.compare(one, other) : difference;
  };

  // "Nothing found" takes the place of all the check's columns: whoever sorts by one of these finds it last.
  const valueIn = (row, column) => {
    const cell = row.cells[column];
    return !cell || cell.matches(".quiet") ? "" : cell.textContent;
  };

  const live = (table) => {
    const rows = [...table.tBodies[0].rows].map((row, place) => ({ row, place, text: row.textContent.toLowerCase() }));
    const heads = [...table.tHead.rows[0].cells];

    // On a phone the rows are shown as cards, and with another `display` some browsers forget that it is a table.
    table.setAttribute("role", "table");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      for (const cell of row.cells) {
        if (cell.tagName === "TD") cell.setAttribute("role", "cell");
        else cell.setAttribute("role", cell.scope === "row" ? "rowheader" : "columnheader");
      }
    }

    const sortBy = (column) => {
      const falling = heads[column].getAttribute("aria-sort") === "ascending";
      for (const head of heads) head.removeAttribute("aria-sort");
      heads[column].setAttribute("aria-sort", falling ? "descending" : "ascending");
      for (const entry of rows) entry.value = valueIn(entry.row, column);
      rows.sort((one, other) => {
        if (!one.value || !other.value) return !one.value - !other.value || one.place - other.place;
        return (falling ? -1 : 1) * compare(one.value, other.value) || one.place - other.place;
      });
      table.tBodies[0].append(...rows.map((entry) => entry.row));
    };
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sortBy(column));
      head.append(button);
    });
    return { section: table.closest("section"), rows };
  };
  // The overview can be sorted; it is of whole checks, so that no row of it fits what is looked for.
  const tables = [...document.querySelectorAll(".scroll > table")].map(live)
    .filter(({ section }) => !section.matches(".overview"));

  const search = form.querySelector("input[type=search]");
  const status = form.querySelector("output");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = form.elements.kind.value;
    let shown = 0, all = 0;
    for (const { section, rows } of tables) {
      const before = shown;
      for (const { row, text } of rows) {
        row.hidden = (kind !== "all" && !row.dataset.kind.split(" ").includes(kind)) || !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      all += rows.length;
      section.hidden = shown === before;
    }
    status.textContent = shown === all ? "" : shown ? `${shown} of ${all} shown` : "Nothing fits.";
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter(); // a browser that comes back to the page fills in what stood there

  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  document.documentElement.dataset.ready = "";
})();
