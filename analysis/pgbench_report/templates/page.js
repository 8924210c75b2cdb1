/* SPDX-License-Identifier: MIT */
"use strict";
for (const cell of document.querySelectorAll("section.cell")) {
  const form = cell.querySelector("form.filters");
  const body = cell.querySelector("table.data tbody");
  const heads = [...cell.querySelectorAll("table.data thead th")];
  const filter = () => {
    for (const row of body.rows) {
      const fits = ["batch", "estimator", "baseline"].every((name) => {
        const wanted = form.elements[name].value;
        return wanted === "" || row.dataset[name].split(" ").includes(wanted);
      });
      row.hidden = !fits || (row.classList.contains("gap") && !form.elements.gaps.checked);
    }
  };
  const key = (row, column) => {
    const data = row.cells[column];
    if (!data || data.classList.contains("why")) return NaN;
    return "key" in data.dataset ? Number.parseFloat(data.dataset.key.replace("inf", "Infinity")) : data.textContent;
  };
  const sort = (column) => {
    const down = heads[column].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows];
    rows.sort((a, b) => {
      const x = key(a, column), y = key(b, column);
      const gap = Number(Number.isNaN(x)) - Number(Number.isNaN(y)); /* gaps last, whatever the order */
      if (gap !== 0 || Number.isNaN(x)) return gap;
      const order = typeof x === "number" ? (x < y ? -1 : x > y ? 1 : 0) : x.localeCompare(y);
      return down ? -order : order;
    });
    body.append(...rows);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(column));
    head.replaceChildren(button);
  });
  form.addEventListener("input", filter);
  form.hidden = false;
  filter();
}
