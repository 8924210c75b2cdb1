/* SPDX-License-Identifier: MIT */
"use strict";
for (const cell of document.querySelectorAll("section.cell, section.overview")) {
  const form = cell.querySelector("form.filters");
  const body = cell.querySelector("table.data tbody");
  const heads = [...cell.querySelectorAll("table.data thead th")];
  if (!body) continue;
  const filter = () => {
    if ("words" in form.elements) return search();
    for (const row of body.rows) {
      const fits = ["batch", "estimator", "baseline"].every((name) => {
        const wanted = form.elements[name].value;
        return wanted === "" || row.dataset[name].split(" ").includes(wanted);
      });
      row.hidden = !fits || (row.classList.contains("gap") && !form.elements.gaps.checked);
    }
  };
  const search = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word)) || (form.elements.known.checked && row.dataset.oracle === "none");
      shown += Number(!row.hidden);
      const section = document.querySelector(row.querySelector("a").hash);
      if (section) section.hidden = row.hidden;
    }
    form.elements.count.value = `${shown} of ${body.rows.length}`;
  };
  const key = (row, column) => {
    const data = row.cells[column];
    if (!data || data.classList.contains("why")) return NaN;
    if ("key" in data.dataset) return Number.parseFloat(data.dataset.key.replace("inf", "Infinity"));
    return data.classList.contains("n") ? Number.parseFloat(data.textContent) : data.textContent;
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
  if (!form) continue; /* a scaling table is sorted alone */
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}
/* A link into a closed part opens it; printing opens all. */
const reveal = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target) for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
};
addEventListener("hashchange", reveal);
reveal();
/* Charts of many cells are text until they are asked for: a browser would take long to lay out a thousand. */
for (const more of document.querySelectorAll("details.more")) {
  more.addEventListener("toggle", () => {
    const kept = more.querySelector("script");
    if (kept) kept.outerHTML = kept.textContent;
  });
}
